"""A built lattice → the body of a submit request. `dispatcher/bundle.py` reads it."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab import payload
from covalent_lab._version import __version__
from covalent_lab.graph.model import Graph
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.kernel.identity import kernel_id, process_id
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer
from covalent_lab.workflow.lattice import Lattice

__all__ = ["Bundle", "bundle_of", "write_bundle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything a submit request says of a workflow, and the payloads that go with it.

    Attributes:
        name: Of the workflow.
        doc: Its docstring, empty if none.
        source: Its source text, empty if unknown.
        graph: Its graph.
        inputs: `{"args": tuple, "kwargs": dict}` it was called with.
        lattice: The workflow function.
        metadata: Executors, hooks and triggers of the lattice; `replacements` by name, as digests.
        payloads: By digest.
    """

    name: str
    doc: str
    source: str
    graph: Graph
    inputs: PayloadRef
    lattice: PayloadRef
    metadata: Mapping[str, Any]
    payloads: Mapping[str, Payload]

    def write(
        self, dispatch_id: str, root_dispatch_id: str = "", *, redispatch: Mapping[str, Any] | None = None
    ) -> Sequence[Buffer]:
        """The body of the request, in pieces; arguments as for `write_bundle`."""
        header = {
            "version": 1,
            "dispatch_id": dispatch_id,
            "root_dispatch_id": root_dispatch_id or dispatch_id,
            "name": self.name,
            "doc": self.doc,
            "source": self.source,
            "payloads": [item.ref for item in self.payloads.values()],
            "graph": graph_to_wire(self.graph),
            "inputs": self.inputs.digest,
            "lattice": self.lattice.digest,
            "metadata": self.metadata,
            "client": {
                "python": sys.executable or "",
                "python_version": platform.python_version(),
                "cwd": _cwd(),
                "hostname": platform.node(),
                "process": process_id(),
                "kernel": kernel_id(),
                "lab_version": __version__,
            },
            "redispatch": redispatch,
        }
        head = json.dumps(header, separators=(",", ":")).encode()
        pieces: list[Buffer] = [b"CLB1" + len(head).to_bytes(8, "big") + head]
        for item in self.payloads.values():
            pieces.extend(item.pieces)
        return pieces


def bundle_of(lattice: Lattice[..., object]) -> Bundle:
    """What is to be sent of a lattice with a graph.

    Raises:
        SerializationError: The workflow function cannot be pickled.
    """
    function = payload.encode(lattice.plain_function(), what=f"the workflow function {lattice.__name__!r}")
    inputs = lattice.inputs
    assert inputs is not None
    replacements = {
        name: payload.encode(new, what=f"the electron that replaces {name!r}")
        for name, new in lattice.replace_electrons.items()
    }
    payloads: dict[str, Payload] = {ref.digest: item for ref, item in lattice.payloads.items()}
    for item in (inputs.payload, function, *replacements.values()):
        payloads.setdefault(item.ref.digest, item)
    return Bundle(
        name=lattice.__name__,
        doc=lattice.__doc__ or "",
        source=lattice.workflow_function_string,
        graph=lattice.graph,
        inputs=inputs.payload.ref,
        lattice=function.ref,
        metadata={
            **lattice.manifest_metadata(),
            "replacements": {name: item.ref.digest for name, item in replacements.items()},
        },
        payloads=payloads,
    )


def write_bundle(
    lattice: Lattice[..., object],
    dispatch_id: str,
    root_dispatch_id: str = "",
    *,
    redispatch: Mapping[str, Any] | None = None,
) -> Sequence[Buffer]:
    """The bundle in pieces; large arrays are views of the original memory.

    Args:
        lattice: A lattice with a graph.
        dispatch_id: The id it will have.
        root_dispatch_id: Of the dispatch it is part of; default: itself.
        redispatch: The dispatch it repeats, as `schemas/bundle.json` says; None for none.

    Raises:
        SerializationError: The workflow function cannot be pickled.
    """
    return bundle_of(lattice).write(dispatch_id, root_dispatch_id, redispatch=redispatch)


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # the folder was removed
        return ""
