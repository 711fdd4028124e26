"""Questions about dispatches, answered from the store and, for what runs, from the dispatcher. Changes nothing."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab._version import __version__
from covalent_lab.config.reader import ConfigReader
from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.dispatcher.graphs import GraphCache
from covalent_lab.dispatcher.portraits import portrait
from covalent_lab.dispatcher.redaction import redacted_graph, shown_executor
from covalent_lab.dispatcher.runner import StreamPart
from covalent_lab.dispatcher.views import (
    cached_view,
    columns,
    dispatch_view,
    payload_view,
    preview_view,
    result_of,
    summary_view,
    with_data,
)
from covalent_lab.errors import MissingLatticeRecordError, MissingNodeError, UsageError
from covalent_lab.exports.comparison import comparison
from covalent_lab.exports.formats import format_named
from covalent_lab.graph.model import Edge, Graph, NodeKind
from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.store.base import DispatchRecord, ListQuery, NodeRecord, StoredPayload

__all__ = ["Queries"]

_SORTS = ("created_at", "started_at", "ended_at", "id", "name", "status", "runtime", "total")
_STATES = tuple(state.value for state in DispatchState)
_STREAMS = ("stdout", "stderr")
_STREAM_LIMIT = 65_536
_MAX_INPUTS = 200
_MANY = 500
_INPUT_TEXT = 200


class Queries:
    """Answers questions; its methods belong to the dispatcher's loop.

    Args:
        dispatcher: Whose dispatches.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._store = dispatcher.store
        self._graphs = GraphCache(dispatcher.store)
        self._began = time.time()

    async def status(self) -> dict[str, Any]:
        """How the dispatcher is."""
        page = await self._store.list_dispatches(ListQuery(count=1))
        return {
            "status": "degraded" if self._dispatcher.trouble else "running",
            "trouble": self._dispatcher.trouble,
            "version": __version__,
            "dispatches": page.total,
            "running": sum(page.counts.get(s, 0) for s in ("STARTING", "RUNNING")),
            "seq": self._dispatcher.feed.seq,
            "uptime_s": time.time() - self._began,
            "pid": os.getpid(),
            "store": self._dispatcher.settings.database,
            "results_dir": ConfigReader().value("sdk.results_dir"),
        }

    async def list_dispatches(self, query: ListQuery) -> dict[str, Any]:
        """Part of the list."""
        if query.sort not in _SORTS:
            raise UsageError(f"Dispatches cannot be sorted by {query.sort!r}; choose one of {', '.join(_SORTS)}.")
        if query.direction not in ("asc", "desc"):
            raise UsageError(f"The direction {query.direction!r} is not known; choose asc or desc.")
        unknown = [state for state in query.statuses if state not in _STATES]
        if unknown:
            raise UsageError(f"No dispatch has the status {unknown[0]!r}; choose from {', '.join(_STATES)}.")
        if not 1 <= query.count <= 500 or query.offset < 0:
            raise UsageError("count must be 1 to 500, and offset not negative.")
        if query.parent is not None:
            await self.record(query.parent)
        page = await self._store.list_dispatches(query)
        return {
            "items": [summary_view(record) for record in page.items],
            "total": page.total,
            "counts": dict(page.counts),
            "seq": page.seq,
        }

    async def overview(self) -> dict[str, Any]:
        """All root dispatches in figures."""
        page = await self._store.list_dispatches(ListQuery(count=1))
        return {
            "total": page.total,
            "counts": dict(page.counts),
            "latest": summary_view(page.items[0]) if page.items else None,
            "runtime_s": await self._store.total_runtime(),
            "seq": page.seq,
        }

    async def matching(self, search: str, statuses: Sequence[str]) -> list[DispatchRecord]:
        """All root dispatches that a list with this search and these statuses would show, newest first."""
        found: list[DispatchRecord] = []
        while True:
            query = ListQuery(search=search, statuses=statuses, offset=len(found), count=_MANY)
            page = await self._store.list_dispatches(query)
            found += page.items
            if len(page.items) < _MANY:
                return found

    async def detail(self, dispatch_id: DispatchId, wait_s: float = 0.0) -> dict[str, Any]:
        """One dispatch; waits up to `wait_s` seconds for it to end."""
        ending = await self._dispatcher.wait_for_end(dispatch_id, wait_s) if wait_s > 0 else None
        if ending is not None:
            record, stored = ending.record, ending.payloads
        else:
            record = await self.record(dispatch_id)
            refs = {ref for ref in (record.inputs, record.result, record.lattice) if ref is not None}
            stored = await self._store.payloads(dispatch_id, {ref.digest for ref in refs})
        view = dispatch_view(record, lambda ref: None if ref is None else payload_view(ref, stored.get(ref.digest)))
        if record.result is not None:
            view["result"] = with_data(view["result"], stored.get(record.result.digest))
        return view

    async def record(self, dispatch_id: DispatchId) -> DispatchRecord:
        """One dispatch as it is stored.

        Raises:
            MissingLatticeRecordError: There is none of this id.
        """
        record = await self._store.dispatch(dispatch_id)
        if record is None:
            raise MissingLatticeRecordError(dispatch_id)
        return record

    async def graph(self, dispatch_id: DispatchId) -> bytes:
        """The graph's JSON text."""
        text = await self._store.graph(dispatch_id)
        if text is None:
            raise MissingLatticeRecordError(dispatch_id)
        return await asyncio.to_thread(redacted_graph, text)

    async def nodes(self, dispatch_id: DispatchId) -> dict[str, Any]:
        """States of all nodes that left NEW_OBJECT."""
        await self.record(dispatch_id)
        seq, found = await self._store.nodes(dispatch_id)
        has_repeated = any(node.attempt > 1 for node in found)
        return columns(seq, found, await self._store.repeated(dispatch_id) if has_repeated else ())

    async def node(self, dispatch_id: DispatchId, node_id: NodeId) -> dict[str, Any]:
        """Everything about one node."""
        graph, incoming = await self._graphs.get(dispatch_id)
        if not 0 <= node_id < len(graph.nodes):
            raise MissingNodeError(f"Dispatch {dispatch_id} has no node {node_id}; it has {len(graph.nodes)}.")
        node = graph.nodes[node_id]
        options = graph.options[node.options]
        function = None if node.function is None else graph.functions[node.function]
        seq, found = await self._store.nodes(dispatch_id, node_id)
        if node.kind is NodeKind.PARAMETER:
            output, status = node.value, NodeState.COMPLETED.value
        else:
            output = result_of(found[0]) if found else None
            status = found[0].state if found else NodeState.NEW_OBJECT.value
        state = found[0] if found else None
        streams = {name: await self.stream(dispatch_id, node_id, name, 0) for name in _STREAMS}
        return {
            "node_id": node_id,
            "name": node.name,
            "kind": node.kind.value,
            "status": status,
            "attempt": state.attempt if state else 0,
            "started_at": state.started_at if state else None,
            "ended_at": state.ended_at if state else None,
            "error": state.error if state else "",
            "executor": options.executor,
            "executor_data": shown_executor(options.executor, options.executor_data),
            "hooks": dict(options.hooks),
            "function_name": function.name if function else "",
            "source": function.source if function else "",
            "doc": function.doc if function else "",
            "inputs": await self._inputs(dispatch_id, graph, incoming.get(node_id, ())),
            "output": None if output is None else await self._shown(dispatch_id, output),
            "stdout": streams["stdout"]["text"],
            "stderr": streams["stderr"]["text"],
            "sub_dispatch_id": state.sub_dispatch_id if state else None,
            "reused_from": state.reused_from if state else None,
            "usage": state.usage if state else None,
            "seq": seq,
        }

    async def cached_results(self, search: str, offset: int, count: int) -> dict[str, Any]:
        """Part of the list of results that equal calls take over."""
        if not 1 <= count <= 500 or offset < 0:
            raise UsageError("count must be 1 to 500, and offset not negative.")
        found, total = await self._store.list_cached(search, offset, count)
        return {"items": [cached_view(result) for result in found], "total": total}

    async def _inputs(self, dispatch_id: DispatchId, graph: Graph, edges: Any) -> list[dict[str, Any]]:
        shown: list[Edge] = list(edges)[:_MAX_INPUTS]
        states: Mapping[int, NodeRecord] = {}
        if any(graph.nodes[edge.source].value is None for edge in shown):
            _, records = await self._store.nodes(dispatch_id)
            states = {record.node_id: record for record in records}
        refs = {edge.source: _output_of(graph, edge.source, states) for edge in shown}
        stored = await self._store.payloads(dispatch_id, {ref.digest for ref in refs.values() if ref is not None})
        inputs: list[dict[str, Any]] = []
        for edge in shown:
            ref = refs[edge.source]
            view = None if ref is None else payload_view(ref, stored.get(ref.digest), _INPUT_TEXT)
            inputs.append(
                {
                    "name": edge.name,
                    "param_type": edge.param_type.value,
                    "arg_index": edge.arg_index,
                    "source": edge.source,
                    "source_name": graph.nodes[edge.source].name,
                    "payload": view,
                }
            )
        return inputs

    async def stream(self, dispatch_id: DispatchId, node_id: NodeId, name: str, offset: int) -> dict[str, Any]:
        """Text a node printed, from a byte offset on; live while it runs."""
        if name not in _STREAMS or offset < 0:
            raise MissingNodeError(f"There is no stream {name!r} at {offset}; ask for stdout or stderr, from 0 on.")
        part = StreamPart(stream=name, offset=offset, limit=_STREAM_LIMIT)
        data = await self._dispatcher.printed(dispatch_id, node_id, part)
        if data is not None:
            text, used = _whole_characters(data)
            return {"text": text, "offset": offset + used, "done": False}
        record = await self.record(dispatch_id)
        _, found = await self._store.nodes(dispatch_id, node_id)
        stdout, stderr, traceback = await self._store.streams(dispatch_id, node_id)
        whole = stdout if name == "stdout" else stderr
        if name == "stderr" and traceback and traceback not in whole:
            whole += ("\n" if whole and not whole.endswith("\n") else "") + traceback
        data = whole.encode()[offset : offset + _STREAM_LIMIT]
        text, used = _whole_characters(data)
        over = NodeState(found[0].state).is_terminal if found else DispatchState(record.state).is_terminal
        return {
            "text": text,
            "offset": offset + used,
            "done": over and offset + used >= len(whole.encode()),
        }

    async def payload(self, dispatch_id: DispatchId, digest: str) -> StoredPayload:
        """Where a payload is."""
        stored = await self._store.payload(dispatch_id, digest)
        if stored is None:
            await self.record(dispatch_id)
            raise MissingNodeError(f"Dispatch {dispatch_id} has no payload {digest!r}.")
        return stored

    async def preview(self, dispatch_id: DispatchId, digest: str) -> dict[str, Any]:
        """What can be shown of a payload."""
        stored = await self.payload(dispatch_id, digest)
        return await asyncio.to_thread(preview_view, digest, stored)

    async def export(self, dispatch_id: DispatchId, name: str) -> str:
        """A dispatch in one of the formats of `exports.formats`."""
        form = format_named(name)
        is_text = form.suffix in ("html", "py")
        run = await portrait(self._store, dispatch_id, has_values=is_text, has_parts=is_text)
        return await asyncio.to_thread(form.write, run)

    async def compare(self, left: DispatchId, right: DispatchId) -> dict[str, Any]:
        """Two dispatches side by side."""
        runs = [await portrait(self._store, dispatch_id, has_values=True) for dispatch_id in (left, right)]
        return await asyncio.to_thread(comparison, *runs)

    async def _shown(self, dispatch_id: DispatchId, ref: PayloadRef) -> dict[str, Any]:
        return payload_view(ref, await self._store.payload(dispatch_id, ref.digest))


def _output_of(graph: Graph, node_id: int, states: Mapping[int, NodeRecord]) -> PayloadRef | None:
    value = graph.nodes[node_id].value
    if value is None and node_id in states:
        return result_of(states[node_id])
    return value


def _whole_characters(data: bytes) -> tuple[str, int]:
    """Decode, leaving a character that is cut off at the end for the next time."""
    for cut in range(min(4, len(data) + 1)):
        part = data[: len(data) - cut] if cut else data
        try:
            return part.decode(), len(part)
        except UnicodeDecodeError as error:
            if error.end < len(part):
                break
    return data.decode("utf-8", "replace"), len(data)
