"""Graph ↔ JSON, versioned.

Columns instead of one object per node: a graph of 10,000 nodes stays well below a megabyte when compressed, and both
ends read it without building 10,000 dictionaries. Payloads are listed once and referred to by index.
"""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import NodeId, PayloadRef

__all__ = ["VERSION", "graph_from_wire", "graph_to_wire"]

VERSION = 1
_MOST_ARGUMENTS = 2**31


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
        "kind": [n.kind for n in graph.nodes],
        "function": [n.function for n in graph.nodes],
        "value": [ref(n.value) for n in graph.nodes],
        "options": [n.options for n in graph.nodes],
        "task_group": [n.task_group for n in graph.nodes],
    }
    edges = {
        "source": [e.source for e in graph.edges],
        "target": [e.target for e in graph.edges],
        "name": [e.name for e in graph.edges],
        "param_type": [e.param_type for e in graph.edges],
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
    _check(wire, len(payloads), len(functions), len(options))
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
    return Graph(nodes=nodes, edges=edges, functions=functions, options=options)


def _check(wire: Mapping[str, Any], payloads: int, functions: int, options: int) -> None:
    """Look at whole columns: a look at each node and edge would take as long as making them."""
    nodes, edges = wire["nodes"], wire["edges"]
    count = len(nodes["name"])
    _check_texts("names of nodes", nodes["name"])
    _check_texts("names of edges", edges["name"])
    _check_indexes("functions of nodes", nodes["function"], functions, may_lack=True)
    _check_indexes("values of nodes", nodes["value"], payloads, may_lack=True)
    _check_indexes("options of nodes", nodes["options"], options)
    _check_indexes("task groups of nodes", nodes["task_group"], count)
    _check_indexes("sources of edges", edges["source"], count)
    _check_indexes("targets of edges", edges["target"], count)
    _check_indexes("places of arguments", edges["arg_index"], _MOST_ARGUMENTS, may_lack=True)
    if (NodeKind.PARAMETER.value, None) in zip(nodes["kind"], nodes["value"], strict=True):
        raise ValueError("a parameter has no value")


def _check_texts(what: str, column: Sequence[object]) -> None:
    if not set(map(type, column)) <= {str}:
        raise ValueError(f"{what} must be texts")


def _check_indexes(what: str, column: Sequence[Any], count: int, *, may_lack: bool = False) -> None:
    types = set(map(type, column))
    given = [index for index in column if index is not None] if may_lack else column
    if not types <= ({int, NoneType} if may_lack else {int}) or (given and not 0 <= min(given) <= max(given) < count):
        raise ValueError(f"{what} must be numbers from 0 to {count - 1}")
