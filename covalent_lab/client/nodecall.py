"""The call that a node of a dispatch is: its function and its arguments, loaded here to be looked into."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab import payload
from covalent_lab.client.api import get_result
from covalent_lab.client.connection import connect
from covalent_lab.client.result import Result
from covalent_lab.errors import MissingNodeError, UsageError
from covalent_lab.graph.model import NodeKind, ParamType

__all__ = ["NodeCall", "find_node", "node_call"]

_LISTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCall:
    """What a node runs.

    Attributes:
        name: Of the node.
        function: What it calls.
        args: By position.
        kwargs: By keyword.
        source: The function's source as it was recorded; empty if it is unknown.
    """

    name: str
    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    source: str


def find_node(result: Result, text: str) -> int:
    """The id of a node that a user names.

    Args:
        result: The dispatch.
        text: A node id, or the name of a node that only one node has.

    Raises:
        MissingNodeError: There is none.
        UsageError: Several nodes have this name. Tells their ids.
    """
    nodes = result.graph.nodes
    if text.isdecimal():
        if int(text) >= len(nodes):
            raise MissingNodeError(f"Dispatch {result.dispatch_id} has no node {text}; it has 0 to {len(nodes) - 1}.")
        return int(text)
    found = [node.id for node in nodes if node.name == text]
    if not found:
        names = dict.fromkeys(node.name for node in nodes if node.kind is not NodeKind.PARAMETER)
        raise MissingNodeError(
            f"Dispatch {result.dispatch_id} has no node named {text!r}; it has {', '.join(list(names)[:_LISTED])}."
        )
    if len(found) > 1:
        ids = ", ".join(map(str, found[:_LISTED])) + (", …" if len(found) > _LISTED else "")
        raise UsageError(f"{len(found)} nodes are named {text!r}. Give the id of one: {ids}.")
    return found[0]


def node_call(dispatch_id: str, node_id: int, dispatcher_addr: str | None = None) -> NodeCall:
    """Load what a node of a dispatch calls, and with what.

    What its hooks (`call_before`, `files`) deliver is not part of it.

    Args:
        dispatch_id: The dispatch.
        node_id: The node.
        dispatcher_addr: As for `dispatch`.

    Raises:
        MissingNodeError: There is no such node.
        UsageError: It calls nothing, or an input is not there yet.
        SerializationError: It needs something that is not installed here.
    """
    result = get_result(dispatch_id, dispatcher_addr=dispatcher_addr)
    graph = result.graph
    node = graph.nodes[find_node(result, str(node_id))]
    if node.function is None:
        raise UsageError(f"Node {node_id} ({node.name}) calls no function: there is nothing to step through.")
    function = graph.functions[node.function]
    args: dict[int, Any] = {}
    kwargs: dict[str, Any] = {}
    for edge in graph.edges:
        if edge.target != node.id or edge.param_type is ParamType.WAIT:
            continue
        output = result.get_node_result(edge.source)["output"]
        if output is None:
            raise UsageError(
                f"Node {node_id} ({node.name}) takes the output of node {edge.source} "
                f"({graph.nodes[edge.source].name}), which has none yet."
            )
        if edge.arg_index is None:
            kwargs[edge.name] = output.get_deserialized()
        else:
            args[edge.arg_index] = output.get_deserialized()
    archive = connect(dispatcher_addr).payload(dispatch_id, function.payload.digest)
    return NodeCall(
        name=node.name,
        function=payload.decode(bytearray(archive)),
        args=tuple(args[place] for place in sorted(args)),
        kwargs=kwargs,
        source=function.source,
    )
