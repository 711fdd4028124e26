"""Graph ↔ JSON, versioned.

Columns instead of one object per node: a graph of 10,000 nodes stays well below a megabyte when compressed, and both
ends read it without building 10,000 dictionaries. Payloads are listed once and referred to by index.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import NodeId, PayloadRef

__all__ = ["VERSION", "graph_from_wire", "graph_to_wire"]

VERSION = 1


def graph_to_wire(graph: Graph, payloads: Sequence[PayloadRef] = ()) -> dict[str, Any]:
    """Encode a graph as JSON-able columns; `schemas/graph.json` describes them.

    Args:
        graph: The graph.
        payloads: Those that have numbers already, in their order, whether the graph refers to them or not.
    """
    index = {ref: number for number, ref in enumerate(payloads)}

    def ref(payload: PayloadRef | None) -> int | None:
        return None if payload is None else index.setdefault(payload, len(index))

    functions = [
        {"name": f.name, "payload": ref(f.payload), "source": f.source, "doc": f.doc}
        | ({"cache_key": f.cache_key} if f.cache_key else {})
        for f in graph.functions
    ]
    nodes = {
        "name": [n.name for n in graph.nodes],
        "kind": [n.kind.value for n in graph.nodes],
        "function": [n.function for n in graph.nodes],
        "value": [ref(n.value) for n in graph.nodes],
        "options": [n.options for n in graph.nodes],
        "task_group": [n.task_group for n in graph.nodes],
    }
    edges = {
        "source": [e.source for e in graph.edges],
        "target": [e.target for e in graph.edges],
        "name": [e.name for e in graph.edges],
        "param_type": [e.param_type.value for e in graph.edges],
        "arg_index": [e.arg_index for e in graph.edges],
    }
    options = [
        {"executor": o.executor, "executor_data": dict(o.executor_data), "hooks": dict(o.hooks)} for o in graph.options
    ]
    return {
        "version": VERSION,
        "payloads": [[p.digest, p.size] for p in index],
        "functions": functions,
        "options": options,
        "nodes": nodes,
        "edges": edges,
    }


def graph_from_wire(wire: Mapping[str, Any]) -> Graph:
    """Decode what `graph_to_wire` wrote.

    Raises:
        UsageError: The JSON is not a graph of a version this package reads.
    """
    if not isinstance(wire, Mapping):
        raise UsageError(f"The graph is not well formed: it is {type(wire).__name__}, not an object.")
    if wire.get("version") != VERSION:
        raise UsageError(
            f"The graph has format version {wire.get('version')!r}, this package reads {VERSION}. "
            "Use the same version of covalent-lab on both sides."
        )
    try:
        return _decode(wire)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UsageError(f"The graph is not well formed: {type(error).__name__}: {error}.") from error


def _decode(wire: Mapping[str, Any]) -> Graph:
    payloads = [PayloadRef(str(digest), int(size)) for digest, size in wire["payloads"]]
    functions = tuple(
        Function(
            name=f["name"],
            payload=payloads[f["payload"]],
            source=f["source"],
            doc=f["doc"],
            cache_key=str(f.get("cache_key", "")),
        )
        for f in wire["functions"]
    )
    options = tuple(
        NodeOptions(executor=o["executor"], executor_data=dict(o["executor_data"]), hooks=dict(o["hooks"]))
        for o in wire["options"]
    )
    kinds = {kind.value: kind for kind in NodeKind}
    columns = wire["nodes"]
    nodes = tuple(
        Node(
            id=NodeId(i),
            name=name,
            kind=kinds[kind],
            function=function,
            value=None if value is None else payloads[value],
            options=option,
            task_group=group,
        )
        for i, (name, kind, function, value, option, group) in enumerate(
            zip(
                columns["name"],
                columns["kind"],
                columns["function"],
                columns["value"],
                columns["options"],
                columns["task_group"],
                strict=True,
            )
        )
    )
    types = {kind.value: kind for kind in ParamType}
    columns = wire["edges"]
    edges = tuple(
        Edge(source=source, target=target, name=name, param_type=types[param_type], arg_index=arg_index)
        for source, target, name, param_type, arg_index in zip(
            columns["source"],
            columns["target"],
            columns["name"],
            columns["param_type"],
            columns["arg_index"],
            strict=True,
        )
    )
    _check(nodes, edges, len(functions), len(options))
    return Graph(nodes=nodes, edges=edges, functions=functions, options=options)


def _check(nodes: tuple[Node, ...], edges: tuple[Edge, ...], functions: int, options: int) -> None:
    count = len(nodes)
    for node in nodes:
        if node.function is not None and not _is_index(node.function, functions):
            raise ValueError(f"node {node.id} names function {node.function} of {functions}")
        if not _is_index(node.options, options):
            raise ValueError(f"node {node.id} names options {node.options} of {options}")
        if node.kind is NodeKind.PARAMETER and node.value is None:
            raise ValueError(f"parameter {node.id} has no value")
    for edge in edges:
        if not (_is_index(edge.source, count) and _is_index(edge.target, count)):
            raise ValueError(f"edge {edge.source}>{edge.target} leaves the graph of {count} nodes")
        if not isinstance(edge.name, str) or not isinstance(edge.arg_index, int | None):
            raise ValueError(f"edge {edge.source}>{edge.target} has no proper name or place")


def _is_index(value: object, count: int) -> bool:
    return isinstance(value, int) and 0 <= value < count
