"""Runs to write and compare: a lattice that was built, as if it had been dispatched."""

from typing import Any

from covalent_lab import payload
from covalent_lab.exports.run import NodeRun, Run, Value
from covalent_lab.workflow.lattice import Lattice

__all__ = ["run_of"]


def run_of(lattice: Lattice[..., Any], *args: Any, outputs: dict[int, Any] | None = None, **changes: Any) -> Run:
    """Build the lattice with these arguments; its tasks have completed, those in `outputs` with these values."""
    lattice.build_graph(*args)
    graph, nodes = lattice.graph, {}
    for node in graph.nodes:
        if node.value is not None:
            nodes[node.id] = NodeRun(output=shown(lattice.payloads[node.value]))
        else:
            output = shown(payload.encode(outputs[node.id])) if node.id in (outputs or {}) else None  # type: ignore[index]
            nodes[node.id] = NodeRun(
                status="COMPLETED", attempt=1, started_at=10.0 + node.id, ended_at=12.5 + node.id, output=output
            )
    fields: dict[str, Any] = {
        "name": lattice.__name__,
        "graph": graph,
        "dispatch_id": "d1",
        "status": "COMPLETED",
        "doc": lattice.__doc__ or "",
        "source": lattice.workflow_function_string,
        "nodes": nodes,
        "made_at": 100.0,
    }
    return Run(**{**fields, **changes})


def shown(encoded: payload.Payload) -> Value:
    """A payload as it is shown."""
    seen = payload.preview(encoded.tobytes())
    return Value(digest=encoded.ref.digest, size=encoded.ref.size, type=seen.type, text=seen.text)
