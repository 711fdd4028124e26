"""A tiny interpreter of graphs: calls each node's decoded function the way the dispatcher builds its call.

What a sublattice has built is interpreted in its turn.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from covalent_lab import payload
from covalent_lab.dispatcher.bundle import BundleReader
from covalent_lab.graph.model import Graph, NodeKind, ParamType
from covalent_lab.graph.topology import topological_order
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.store.blobs import BlobDir
from covalent_lab.workflow.sublattices import SublatticeBundle


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
            value = function(*args, **kwargs)
            outputs[node_id] = evaluate_bundle(value) if node.kind is NodeKind.SUBLATTICE else value
    return outputs[last]


def read_bundle(built: SublatticeBundle) -> tuple[dict[str, Any], dict[PayloadRef, Payload]]:
    """Header and payloads of what a sublattice's job returned, without unpickling it."""
    (data,) = payload.buffers(payload.encode(built).tobytes())
    with tempfile.TemporaryDirectory() as folder:
        reader = BundleReader(BlobDir(Path(folder)), len(data))
        reader.feed(data)
        header = reader.finish()
    found = {ref: Payload(ref, [archive]) for ref, archive in reader.payloads.items() if archive is not None}
    return {**header, "graph": json.loads(header["graph"])}, found


def evaluate_bundle(built: SublatticeBundle) -> Any:
    """Value of the workflow in it."""
    header, found = read_bundle(built)
    return evaluate(graph_from_wire(header["graph"]), found)
