"""The frozen graph of one workflow: nodes, edges, and references to payloads (never values).

Built once by tracing (`builder.py`), sent and stored as JSON (`wire.py`), read by the scheduler and the front end.
Node ids are consecutive integers from 0 and equal the node's place in `Graph.nodes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from covalent_lab.ids import NodeId, PayloadRef

__all__ = ["Edge", "Function", "Graph", "Node", "NodeKind", "NodeOptions", "ParamType"]


class NodeKind(StrEnum):
    """What a node stands for; values are the type names shown to users."""

    FUNCTION = "function"
    PARAMETER = "parameter"
    ELECTRON_LIST = "electron_list"
    ELECTRON_DICT = "electron_dict"
    SUBLATTICE = "sublattice"
    POSTPROCESS = "postprocess"


class ParamType(StrEnum):
    """How an edge delivers its value: by position, by keyword, or not at all (pure ordering)."""

    ARG = "arg"
    KWARG = "kwarg"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A callable shared by any number of nodes.

    Attributes:
        name: What users call it.
        payload: The pickled callable.
        source: Its source text, empty if unknown.
        doc: Its docstring, empty if none.
        cache_key: Digest of what it computes, where results of earlier dispatches may be taken over; else empty.
    """

    name: str
    payload: PayloadRef
    source: str = ""
    doc: str = ""
    cache_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    """Where and how a node runs; nodes with equal options share one object.

    Attributes:
        executor: Short name of the executor.
        executor_data: `{"type", "short_name", "attributes"}` of an executor instance, or empty.
        hooks: `{"deps": …, "call_before": …, "call_after": …}` as written by the SDK, or empty.
    """

    executor: str = "local"
    executor_data: Mapping[str, Any] = field(default_factory=dict)
    hooks: Mapping[str, Any] = field(default_factory=dict)


class Node(NamedTuple):
    """One call. A tuple, since a graph has many: frozen dataclasses take ten times as long to make.

    Attributes:
        id: Place in `Graph.nodes`.
        name: As section "node names" of the documentation says, e.g. `:parameter:5`.
        kind: What it stands for.
        function: Index into `Graph.functions`; None for parameters, and for a postprocess node that only passes its
            one input on (the dispatcher completes it without running anything).
        value: The payload of a parameter, else None.
        options: Index into `Graph.options`.
        task_group: Id of the group it travels with; its own id unless packed.
    """

    id: NodeId
    name: str
    kind: NodeKind
    function: int | None = None
    value: PayloadRef | None = None
    options: int = 0
    task_group: int = -1


class Edge(NamedTuple):
    """One dependency; several may join the same two nodes.

    Attributes:
        source: The node that must complete first.
        target: The node that receives its output.
        name: Parameter name, `arg[i]`, `retval`, `node:3`, or `!waiting_edge`.
        param_type: By position, by keyword, or ordering only.
        arg_index: Position for `ARG`, else None.
    """

    source: NodeId
    target: NodeId
    name: str
    param_type: ParamType
    arg_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A whole workflow."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    functions: tuple[Function, ...] = ()
    options: tuple[NodeOptions, ...] = (NodeOptions(),)
