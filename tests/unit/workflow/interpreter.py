"""A tiny interpreter of graphs: calls each node's decoded function the way the dispatcher builds its call."""

from collections.abc import Mapping
from typing import Any

from covalent_lab import payload
from covalent_lab.graph.model import Graph, NodeKind, ParamType
from covalent_lab.graph.topology import topological_order
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload


def evaluate(graph: Graph, payloads: Mapping[PayloadRef, Payload]) -> Any:
    """Value of the postprocess node."""
    outputs: dict[int, Any] = {}
    last = None
    for node_id in topological_order(graph):
        node = graph.nodes[node_id]
        if node.value is not None:
            outputs[node_id] = payload.decode(payloads[node.value].tobytes())
            continue
        edges = [edge for edge in graph.edges if edge.target == node_id]
        positional = sorted((e for e in edges if e.param_type is ParamType.ARG), key=lambda e: e.arg_index)
        args = [outputs[edge.source] for edge in positional]
        kwargs = {edge.name: outputs[edge.source] for edge in edges if edge.param_type is ParamType.KWARG}
        if node.kind is NodeKind.POSTPROCESS:
            last = node_id
            if node.name == ":postprocess:reconstruct":
                kwargs = {}
        if node.function is None:
            (outputs[node_id],) = args
        else:
            function = payload.decode(payloads[graph.functions[node.function].payload].tobytes())
            outputs[node_id] = function(*args, **kwargs)
    return outputs[last]
