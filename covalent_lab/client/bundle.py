"""A built lattice → the body of a submit request. `dispatcher/bundle.py` reads it."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab import payload
from covalent_lab._version import __version__
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer
from covalent_lab.workflow.lattice import Lattice

__all__ = ["write_bundle"]


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
    function = payload.encode(lattice.plain_function(), what=f"the workflow function {lattice.__name__!r}")
    inputs = lattice.inputs
    assert inputs is not None
    replacements = {
        name: payload.encode(new, what=f"the electron that replaces {name!r}")
        for name, new in lattice.replace_electrons.items()
    }
    extra = [inputs.payload, function, *replacements.values()]
    payloads: dict[str, Payload] = {ref.digest: item for ref, item in lattice.payloads.items()}
    for item in extra:
        payloads.setdefault(item.ref.digest, item)
    header = {
        "version": 1,
        "dispatch_id": dispatch_id,
        "root_dispatch_id": root_dispatch_id or dispatch_id,
        "name": lattice.__name__,
        "doc": lattice.__doc__ or "",
        "source": lattice.workflow_function_string,
        "payloads": [item.ref for item in payloads.values()],
        "graph": graph_to_wire(lattice.graph),
        "inputs": extra[0].ref.digest,
        "lattice": function.ref.digest,
        "metadata": {
            **lattice.manifest_metadata(),
            "replacements": {name: item.ref.digest for name, item in replacements.items()},
        },
        "client": {
            "python": sys.executable or "",
            "python_version": platform.python_version(),
            "cwd": _cwd(),
            "hostname": platform.node(),
            "lab_version": __version__,
        },
        "redispatch": redispatch,
    }
    head = json.dumps(header, separators=(",", ":")).encode()
    pieces: list[Buffer] = [b"CLB1" + len(head).to_bytes(8, "big") + head]
    for item in payloads.values():
        pieces.extend(item.pieces)
    return pieces


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # the folder was removed
        return ""
