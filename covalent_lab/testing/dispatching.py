"""One task through a real dispatcher, with the executor under test."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from covalent_lab import payload
from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.dispatcher.intake import read_dispatch
from covalent_lab.dispatcher.queries import Queries
from covalent_lab.errors import BackendError
from covalent_lab.executor.base import Executor
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore
from covalent_lab.testing.graphs import make_graph

__all__ = ["dispatched"]

_NAME = "tested"
_LIMIT_S = 300.0


async def dispatched(
    folder: Path,
    executor: Executor,
    connected: Callable[[Executor, Path], AbstractAsyncContextManager[None]],
    function: Callable[[], Any],
    **policy: Any,
) -> dict[str, Any]:
    """Run a function as the one node of a dispatch.

    Args:
        folder: For everything the dispatcher writes.
        executor: Not started; the dispatcher starts and closes it.
        connected: `ExecutorSuite.connected`.
        function: The task.
        policy: Configured options of the executor that the dispatcher acts on: `time_limit`, `retries`.

    Returns:
        What the dispatcher tells of the node once the dispatch is over (`Queries.node`).
    """
    settings = Settings(
        data_dir=folder / "data",
        database=f"sqlite:///{folder / 'db.sqlite'}",
        workdir=folder / "work",
        default_executor=_NAME,
        executors={_NAME: policy},
    )
    blobs = BlobDir(settings.data_dir / "payloads")
    dispatcher = Dispatcher(
        settings, SqlStore(settings.database, blobs), blobs, "test", create=lambda name, configured: executor
    )
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run(ready.set))
        await ready.wait()
        try:
            with contextlib.suppress(BackendError):  # it takes none; what matters is that it has started now
                await dispatcher.attach(_NAME, lambda message: None)
            async with connected(executor, folder):
                return await _node(dispatcher, function)
        finally:
            dispatcher.stop()


async def _node(dispatcher: Dispatcher, function: Callable[[], Any]) -> dict[str, Any]:
    task, inputs = payload.encode(function), payload.encode(((), {}))
    payloads: dict[PayloadRef, bytes | None] = {item.ref: item.tobytes() for item in (task, inputs)}
    graph = make_graph(1, [], lanes=[_NAME], function=task.ref)
    dispatch_id = str(uuid.uuid4())
    header = {
        "dispatch_id": dispatch_id,
        "name": "one task",
        "graph": json.dumps(graph_to_wire(graph, [item.ref for item in (task, inputs)])).encode(),
        "inputs": inputs.ref.digest,
    }
    new, read = read_dispatch(
        header, payloads, autostart=True, owner=dispatcher.owner, lease_s=15.0, clock=dispatcher.clock
    )
    await dispatcher.submit(new, read)
    queries = Queries(dispatcher)
    detail = await queries.detail(new.dispatch_id, _LIMIT_S)
    assert detail["status"] in ("COMPLETED", "FAILED"), f"the dispatch did not end: {detail['status']}"
    return await queries.node(new.dispatch_id, NodeId(0))
