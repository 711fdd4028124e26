"""Bundles as a client writes them, of a workflow that adds two numbers."""

import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from covalent_lab import payload
from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import NodeId
from covalent_lab.payload import Payload
from covalent_lab.workflow.bundle import pack


def add(x: int, y: bytes) -> int:
    """Add a number and a length."""
    print(f"adding {x}")
    return x + len(y)


add.__module__ = "__main__"  # so that it travels by value: workers cannot import this module


def bundle(
    dispatch_id: str,
    *,
    name: str = "adder",
    filling: bytes = b"12",
    corrupt: bool = False,
    extra: Sequence[tuple[str, Any]] = (),
) -> bytes:
    """The body of a submission.

    Args:
        dispatch_id: Of the dispatch.
        name: Of the workflow.
        filling: An argument; its size makes that of the bundle.
        corrupt: Claim wrong digests of large payloads.
        extra: Replaces entries of the header.
    """
    function, one, many, result = (payload.encode(value) for value in (add, 1, filling, add))
    graph = _graph(function, one, many)
    inputs = payload.encode({"args": (1, filling), "kwargs": {}})
    archives = list({p.ref: p for p in (function, one, many, result, inputs)}.values())
    refs = [p.ref for p in archives]
    if corrupt:
        archives = [replace(p, ref=p.ref._replace(digest="0" * 40)) for p in archives]
    header: dict[str, Any] = {
        "dispatch_id": dispatch_id,
        "root_dispatch_id": dispatch_id,
        "name": name,
        "doc": "Adds.",
        "source": "def adder(): ...",
        "graph": graph_to_wire(graph, refs),
        "inputs": inputs.ref.digest,
        "lattice": function.ref.digest,
        "metadata": {
            "executor": "local",
            "executor_data": {},
            "workflow_executor": "local",
            "workflow_executor_data": {},
            "hooks": {},
            "triggers": [],
        },
        "client": {
            "python": sys.executable,
            "python_version": platform.python_version(),
            "cwd": "/",
            "hostname": "here",
            "lab_version": "0.1.0",
        },
        **dict(extra),
    }
    return b"".join(pack(header, header.pop("graph"), archives))


def digest_of(value: Any) -> str:
    """The digest under which a value of the bundle is kept."""
    return payload.encode(value).ref.digest


def _graph(function: Payload, one: Payload, many: Payload) -> Graph:
    def parameter(number: int, value: Payload) -> Node:
        return Node(id=NodeId(number), name=":parameter:", kind=NodeKind.PARAMETER, value=value.ref, task_group=number)

    def edge(source: int, target: int, name: str, index: int) -> Edge:
        return Edge(source=NodeId(source), target=NodeId(target), name=name, param_type=ParamType.ARG, arg_index=index)

    return Graph(
        nodes=(
            Node(id=NodeId(0), name="add", kind=NodeKind.FUNCTION, function=0, task_group=0),
            parameter(1, one),
            parameter(2, many),
            Node(id=NodeId(3), name=":postprocess:", kind=NodeKind.POSTPROCESS, task_group=3),
        ),
        edges=(edge(1, 0, "x", 0), edge(2, 0, "y", 1), edge(0, 3, "retval", 0)),
        functions=(Function(name="add", payload=function.ref),),
        options=(NodeOptions(),),
    )
