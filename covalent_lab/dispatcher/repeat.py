"""A dispatch that repeats another one: a copy of it, or a bundle that names it; what it takes over from there.

What a client claims is never trusted: the two graphs are compared here, and only what completed is taken over.
"""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from covalent_lab.dispatcher.bundle import BadBundleError
from covalent_lab.dispatcher.intake import checked_id
from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.graph.compare import reusable_nodes
from covalent_lab.graph.model import Graph
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.states import NodeState
from covalent_lab.store.base import NewDispatch, Store

__all__ = ["Repeat", "copy_dispatch", "read_repeat", "with_reuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """What a bundle says of the dispatch it repeats.

    Attributes:
        source: That dispatch.
        reuses: Whether to take over outcomes of what is unchanged.
        replaced: Nodes of the bundle's graph whose function is another one.
    """

    source: DispatchId
    reuses: bool = False
    replaced: frozenset[NodeId] = frozenset()


def read_repeat(header: Mapping[str, Any]) -> Repeat | None:
    """What a bundle's header says; None if it repeats nothing.

    Raises:
        BadBundleError: It is not well formed.
    """
    form = header.get("redispatch")
    if form is None:
        return None
    try:
        replaced = frozenset(NodeId(int(node)) for node in form.get("replaced") or ())
        return Repeat(source=checked_id(form["from"]), reuses=form.get("reuse") is True, replaced=replaced)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadBundleError(f"What the bundle's header says of a redispatch is damaged: {error!r}.") from error


async def with_reuse(store: Store, new: NewDispatch, graph: Graph, repeat: Repeat) -> NewDispatch:
    """A submitted dispatch with what it takes over from the one it repeats.

    Raises:
        MissingLatticeRecordError: There is no such dispatch.
        GraphBuildError: The graph has a cycle.
    """
    repeated = dataclasses.replace(new, redispatched_from=repeat.source)
    if not repeat.reuses:
        if await store.dispatch(repeat.source) is None:
            raise MissingLatticeRecordError(repeat.source)
        return repeated
    old, _ = await _stored_graph(store, repeat.source)
    return await _reusing(store, repeated, old, graph, repeat)


async def copy_dispatch(
    store: Store,
    dispatch_id: DispatchId,
    new_id: DispatchId,
    *,
    reuses: bool,
    autostart: bool,
    owner: str,
    lease_s: float,
    clock: Callable[[], float],
) -> tuple[NewDispatch, Graph]:
    """A new dispatch of the same graph and inputs; it is a root, whatever the old one was.

    Raises:
        MissingLatticeRecordError: There is no such dispatch.
    """
    record = await store.dispatch(dispatch_id)
    if record is None:
        raise MissingLatticeRecordError(dispatch_id)
    graph, text = await _stored_graph(store, dispatch_id)
    refs = (
        *(function.payload for function in graph.functions),
        *(node.value for node in graph.nodes),
        record.inputs,
        record.lattice,
    )
    now = clock()
    new = NewDispatch(
        dispatch_id=new_id,
        root_dispatch_id=new_id,
        name=record.name,
        doc=record.doc,
        source=record.source,
        graph=text,
        total=record.total,
        inputs=record.inputs,
        lattice=record.lattice,
        metadata=record.metadata,
        client=record.client,
        created_at=now,
        autostart=autostart,
        payloads=(),
        owner=owner,
        lease_until=now + lease_s,
        redispatched_from=dispatch_id,
        copied={*(ref.digest for ref in refs if ref is not None), *record.metadata.get("replacements", {}).values()},
    )
    if reuses:
        new = await _reusing(store, new, graph, graph, Repeat(source=dispatch_id))
    return new, graph


async def _reusing(store: Store, new: NewDispatch, old: Graph, graph: Graph, repeat: Repeat) -> NewDispatch:
    _, nodes = await store.nodes(repeat.source)
    outputs = {n.node_id: n.output for n in nodes if n.state == NodeState.COMPLETED and n.output is not None}
    taken = await asyncio.to_thread(reusable_nodes, old, graph, outputs, repeat.replaced)
    return dataclasses.replace(new, reused={node: outputs[node] for node in sorted(taken)})


async def _stored_graph(store: Store, dispatch_id: DispatchId) -> tuple[Graph, bytes]:
    text = await store.graph(dispatch_id)
    if text is None:
        raise MissingLatticeRecordError(dispatch_id)
    return await asyncio.to_thread(lambda: graph_from_wire(json.loads(text))), text
