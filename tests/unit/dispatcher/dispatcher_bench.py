"""A real dispatcher on a real store, with a fake executor: what the tests in this folder stand on."""

import asyncio
import json
import platform
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from covalent_lab import payload
from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.dispatcher.intake import read_dispatch
from covalent_lab.dispatcher.queries import Queries
from covalent_lab.executor.base import Executor
from covalent_lab.graph.model import Graph
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import DispatchId, PayloadRef
from covalent_lab.settings import Settings
from covalent_lab.store.base import Store
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore
from covalent_lab.testing.graphs import make_graph
from covalent_lab.workflow.bundle import pack

GONE = f"{platform.node()}:{2**22 + 7}:1:x"
"""Owner whose process does not exist (numbers of processes are smaller)."""

FUNCTION = payload.encode("stands for a function")
VALUE = payload.encode(7)


def settings_of(folder: Path, **changes: Any) -> Settings:
    """Everything below one folder."""
    fields: dict[str, Any] = {
        "data_dir": folder / "data",
        "database": f"sqlite:///{folder / 'db.sqlite'}",
        "workdir": folder / "work",
        "durability": "normal",
    }
    return Settings(**(fields | changes))


def graph_of(count: int, edges: list[tuple[int, int]], **more: Any) -> Graph:
    """A graph whose payloads exist."""
    return make_graph(count, edges, function=FUNCTION.ref, value=VALUE.ref, **more)


PAYLOADS = (FUNCTION.ref, VALUE.ref)


def bundle_of(graph: Graph, **changes: Any) -> bytes:
    """What a client would send."""
    header = header_of(graph) | changes
    return b"".join(pack(header, json.loads(header.pop("graph")), (FUNCTION, VALUE)))


def header_of(graph: Graph, dispatch_id: str = "") -> dict[str, Any]:
    """What a client would send before the payloads, as it is read."""
    name = dispatch_id or str(uuid.uuid4())
    return {
        "dispatch_id": name,
        "root_dispatch_id": name,
        "name": "sweep",
        "doc": "",
        "source": "",
        "graph": json.dumps(graph_to_wire(graph, PAYLOADS)).encode(),
        "inputs": VALUE.ref.digest,
        "lattice": None,
        "metadata": {"executor": "local"},
        "client": {"python_version": "3.11.4"},
    }


def _with_options(graph: Graph, attributes: dict[str, Any]) -> bytes:
    wire = graph_to_wire(graph)
    for options in wire["options"]:
        options["executor_data"] = {"type": "FakeExecutor", "short_name": "fake", "attributes": attributes}
    return json.dumps(wire).encode()


class Bench:
    """A running dispatcher."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.queries = Queries(dispatcher)

    async def submit(
        self, graph: Graph, dispatch_id: str = "", *, start: bool = True, attributes: Any = None, **changes: Any
    ) -> DispatchId:
        """Submit as a client would; `attributes` are options of every node's executor. Returns the id."""
        if attributes is not None:
            changes["graph"] = _with_options(graph, attributes)
        payloads: dict[PayloadRef, bytes | None] = {p.ref: p.tobytes() for p in (FUNCTION, VALUE)}
        new, read = read_dispatch(
            header_of(graph, dispatch_id) | changes,
            payloads,
            autostart=start,
            owner=self.dispatcher.owner,
            lease_s=15.0,
            clock=self.dispatcher.clock,
        )
        await self.dispatcher.submit(new, read)
        return new.dispatch_id

    async def ended(self, dispatch_id: DispatchId) -> dict[str, Any]:
        """Detail of a dispatch once it is over."""
        detail = await self.queries.detail(dispatch_id, 120.0)
        assert detail["status"] in ("COMPLETED", "FAILED", "CANCELLED"), detail
        return detail

    async def states(self, dispatch_id: DispatchId) -> dict[int, str]:
        """State of every node that left NEW_OBJECT."""
        columns = await self.queries.nodes(dispatch_id)
        return dict(zip(columns["node_id"], columns["status"], strict=True))

    async def told(self, dispatch_id: DispatchId) -> list[tuple[int | None, str, int]]:
        """Node, status and attempt of every recorded transition of a dispatch."""
        records = await self.dispatcher.store.transitions_after(0, 100_000)
        return [(r.node_id, r.status, r.attempt) for r in records if r.dispatch_id == dispatch_id]


@asynccontextmanager
async def running(
    folder: Path,
    executor: Executor | Callable[[str, Mapping[str, Any]], Executor],
    *,
    owner: str = GONE,
    store: Callable[[str, BlobDir], Store] = SqlStore,
    **changes: Any,
) -> AsyncIterator[Bench]:
    """A dispatcher on this folder, stopped in good order at the end."""
    settings = settings_of(folder, **changes)
    blobs = BlobDir(settings.data_dir / "payloads")
    create = executor if not isinstance(executor, Executor) else lambda name, configured: executor
    dispatcher = Dispatcher(settings, store(settings.database, blobs), blobs, owner, create=create)
    ready = asyncio.Event()
    task = asyncio.create_task(dispatcher.run(ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        await task
    try:
        yield Bench(dispatcher)
    finally:
        dispatcher.stop()
        async with asyncio.timeout(120):
            await task
