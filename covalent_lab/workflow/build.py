"""What one build of a lattice leaves behind."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from covalent_lab.graph.model import Graph
from covalent_lab.graph.wire import graph_from_wire, graph_to_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["Build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A graph and everything it refers to.

    Attributes:
        graph: The graph.
        payloads: Every payload the graph refers to.
        inputs: `{"args": tuple, "kwargs": dict}` of the call.
        kwargs: The keyword arguments of the call.
        replaced: Nodes of electrons that stand in for others, and the names of these.
    """

    graph: Graph
    payloads: Mapping[PayloadRef, Payload]
    inputs: TransportableObject
    kwargs: Mapping[str, Any]
    replaced: Mapping[int, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "graph": graph_to_wire(self.graph),
            "payloads": {
                ref.digest: base64.b64encode(encoded.tobytes()).decode("ascii")
                for ref, encoded in self.payloads.items()
            },
            "inputs": self.inputs.to_dict(),
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        payloads: dict[PayloadRef, Payload] = {}
        for digest, text in form["payloads"].items():
            archive = base64.b64decode(text)
            ref = PayloadRef(digest, len(archive))
            payloads[ref] = Payload(ref, [archive])
        inputs = TransportableObject.from_dict(form["inputs"])
        kwargs = inputs.get_deserialized()["kwargs"]
        return cls(graph=graph_from_wire(form["graph"]), payloads=payloads, inputs=inputs, kwargs=kwargs)
