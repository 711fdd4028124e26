"""What a sublattice node runs: it builds the graph with the values of the run and hands it over as a bundle.

The bundle lies beside the pickle of the returned value (`payload.buffers`), so that whoever dispatches it can read it
without unpickling anything.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab import payload
from covalent_lab.worker import Buffer
from covalent_lab.workflow.bundle import write_bundle
from covalent_lab.workflow.lattice import Lattice

__all__ = ["SublatticeBundle", "build_sublattice"]


class SublatticeBundle:
    """A built workflow on its way to the dispatcher.

    Args:
        data: The bundle, as `write_bundle` makes it.
        text: What previews say.
    """

    def __init__(self, data: Buffer, text: str) -> None:
        self._data = data
        self._text = text

    def __reduce__(self) -> tuple[Any, ...]:
        return SublatticeBundle, (payload.beside(self._data), self._text)

    def __str__(self) -> str:
        return self._text


def build_sublattice(
    lattice: Lattice[..., Any], json_parent_metadata: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> SublatticeBundle:
    """Build a sublattice where its arguments are known.

    Args:
        lattice: It is left as it is.
        json_parent_metadata: `Lattice.manifest_metadata` of the workflow it is part of, as JSON: what it does not set
            itself it takes from there, except triggers.
        args: Its positional arguments.
        kwargs: Its keyword arguments.

    Raises:
        GraphBuildError: The workflow function does something no graph can express, or the arguments do not fit.
        SerializationError: Something in it cannot be pickled.
        Exception: Whatever the workflow function raises.
    """
    made = copy.deepcopy(lattice)
    made.inherit(json.loads(json_parent_metadata))
    made.build_graph(*args, **kwargs)
    # The dispatcher names it: the same attempt always becomes the same dispatch.
    pieces = write_bundle(made, dispatch_id="")
    return SublatticeBundle(b"".join(pieces), f"the workflow {made.__name__} with {len(made.graph.nodes)} nodes")
