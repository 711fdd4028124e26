"""Stored dispatches as what `exports` writes and compares. Values are previewed, never loaded; secrets stay here."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab._version import __version__
from covalent_lab.dispatcher.redaction import redacted_graph
from covalent_lab.dispatcher.views import earlier_attempts, payload_view, result_of
from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.exports.run import Attempt, NodeRun, Run, Value
from covalent_lab.graph.model import Graph
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.states import NodeState
from covalent_lab.store.base import DispatchRecord, NodeRecord, Store, StoredPayload
from covalent_lab.transitions import FeedRecord

__all__ = ["portrait"]

_CHUNK = 2_000
_PARTS = 50


async def portrait(store: Store, dispatch_id: DispatchId, *, has_values: bool, has_parts: bool = False) -> Run:
    """Put together what there is to tell of a dispatch.

    Args:
        store: Where it is.
        dispatch_id: Which.
        has_values: Whether values are wanted, of which there may be many.
        has_parts: Whether dispatches that its nodes became are, of which 50 are taken.

    Raises:
        MissingLatticeRecordError: There is no such dispatch.
    """
    record, text = await store.dispatch(dispatch_id), await store.graph(dispatch_id)
    if record is None or text is None:
        raise MissingLatticeRecordError(dispatch_id)
    graph = await asyncio.to_thread(lambda: graph_from_wire(json.loads(redacted_graph(text))))
    _, nodes = await store.nodes(dispatch_id)
    values = await _values(store, record, graph, nodes) if has_values else {}
    part_ids = [n.sub_dispatch_id for n in nodes if n.sub_dispatch_id is not None] if has_parts else []
    parts = [await portrait(store, part, has_values=False) for part in part_ids[:_PARTS]]
    repeated = await store.repeated(dispatch_id) if any(node.attempt > 1 for node in nodes) else ()
    return await asyncio.to_thread(_put_together, record, graph, nodes, repeated, values, parts)


def _put_together(
    record: DispatchRecord,
    graph: Graph,
    nodes: Sequence[NodeRecord],
    repeated: Sequence[FeedRecord],
    values: Mapping[PayloadRef, Value],
    parts: Sequence[Run],
) -> Run:
    states: dict[int, NodeRun] = {
        node.id: NodeRun(status=NodeState.COMPLETED.value, output=_known(values, node.value))
        for node in graph.nodes
        if node.value is not None
    }
    earlier: dict[NodeId, list[Attempt]] = {}
    for found in earlier_attempts(repeated):
        earlier.setdefault(found["node_id"], []).append(
            Attempt(
                number=found["attempt"],
                started_at=found["started_at"],
                ended_at=found["ended_at"],
                error=found["error"] or "",
            )
        )
    states.update((node.node_id, _node_run(node, values, earlier.get(node.node_id, ()))) for node in nodes)
    return Run(
        name=record.name,
        graph=graph,
        dispatch_id=record.dispatch_id,
        status=record.state,
        doc=record.doc,
        source=record.source,
        error=record.error,
        created_at=record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        executor=record.metadata.get("executor") or "",
        workflow_executor=record.metadata.get("workflow_executor") or "",
        python_version=record.client.get("python_version", ""),
        lab_version=__version__,
        redispatched_from=record.redispatched_from,
        inputs=_known(values, record.inputs),
        result=_known(values, record.result),
        nodes=states,
        parts=parts,
        made_at=time.time(),
    )


def _node_run(node: NodeRecord, values: Mapping[PayloadRef, Value], earlier: Sequence[Attempt]) -> NodeRun:
    return NodeRun(
        status=node.state,
        attempt=node.attempt,
        started_at=node.started_at,
        ended_at=node.ended_at,
        error=node.error,
        output=_known(values, result_of(node)),
        sub_dispatch_id=node.sub_dispatch_id,
        reused_from=node.reused_from,
        usage=node.usage,
        earlier=earlier,
    )


def _known(values: Mapping[PayloadRef, Value], ref: PayloadRef | None) -> Value | None:
    return None if ref is None else values.get(ref)


async def _values(
    store: Store, record: DispatchRecord, graph: Graph, nodes: Sequence[NodeRecord]
) -> Mapping[PayloadRef, Value]:
    wanted = {record.inputs, record.result, *(n.value for n in graph.nodes), *(result_of(n) for n in nodes)}
    refs = [ref for ref in wanted if ref is not None]
    found: dict[PayloadRef, Value] = {}
    for begin in range(0, len(refs), _CHUNK):
        chunk = refs[begin : begin + _CHUNK]
        stored = await store.payloads(record.dispatch_id, [ref.digest for ref in chunk])
        views = await asyncio.to_thread(_views, chunk, stored)
        for ref, view in zip(chunk, views, strict=True):
            found[ref] = Value(digest=ref.digest, size=ref.size, type=view["type"], text=view["text"])
    return found


def _views(refs: Sequence[PayloadRef], stored: Mapping[str, StoredPayload]) -> list[dict[str, Any]]:
    return [payload_view(ref, stored.get(ref.digest)) for ref in refs]
