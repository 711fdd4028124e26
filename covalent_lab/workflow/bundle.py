"""A built lattice → the body of a submit request, as `graph/bundle.py` lays it out."""

import hashlib
import json
import os
import platform
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab import payload
from covalent_lab._version import __version__
from covalent_lab.graph.bundle import FRONT, LENGTHS, MAGIC
from covalent_lab.graph.model import Graph
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.kernel.identity import kernel_id, process_id
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer
from covalent_lab.workflow.lattice import Lattice
from covalent_lab.workflow.origin import dispatch_origin

__all__ = ["Bundle", "bundle_of", "pack", "write_bundle"]

_SMALL = 4_096
_MOST_SMALL = 64 * 2**20
_FAST = 1
_WORTH_PACKING = 16_384


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
            "dispatch_id": dispatch_id,
            "root_dispatch_id": root_dispatch_id or dispatch_id,
            "name": self.name,
            "doc": self.doc,
            "source": self.source,
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
                **dispatch_origin(),
            },
            "redispatch": redispatch,
        }
        payloads = list(self.payloads.values())
        return pack(header, graph_to_wire(self.graph, [item.ref for item in payloads]), payloads)


def pack(header: Mapping[str, Any], graph: Mapping[str, Any], payloads: Sequence[Payload]) -> Sequence[Buffer]:
    """The pieces of a bundle.

    Args:
        header: As `schemas/bundle.json` says, but for `version` and `payloads`.
        graph: As `graph_to_wire` makes it, with the numbers of these payloads.
        payloads: In the order of their numbers.
    """
    listed: list[Any] = []
    small: list[Buffer] = []
    large: list[Buffer] = []
    room = _MOST_SMALL
    for item in payloads:
        digest, size = item.ref
        if size <= _SMALL and size <= room:
            room -= size
            listed.append(size)
            small.extend(item.pieces)
        else:
            listed.append([digest, size])
            large.extend(item.pieces)
    head = _json({"version": 2, **header, "payloads": listed})
    text = _json({key: value for key, value in graph.items() if key != "payloads"})
    block = b"".join((LENGTHS.pack(len(head), len(text)), head, text, *small))
    packed = zlib.compress(block, _FAST) if len(block) >= _WORTH_PACKING else block
    sent = min(block, packed, key=len)  # one of the length of the block is the block
    return [FRONT.pack(MAGIC, len(sent), len(block), hashlib.sha256(block).digest()[:20]) + sent, *large]


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


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
