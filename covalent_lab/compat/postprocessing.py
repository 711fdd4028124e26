"""Runs a workflow function again with known outputs, as older programs do it by hand."""

from typing import Any

from covalent_lab.workflow.lattice import Lattice
from covalent_lab.workflow.replay import Replay, calls_of

__all__ = ["Postprocessor"]


class Postprocessor:
    """Makes the value of a workflow from the outputs of its tasks; `Result.post_process` does it for a dispatch.

    Args:
        lattice: A lattice with a graph.
    """

    def __init__(self, lattice: Lattice[..., Any]) -> None:
        self.lattice = lattice

    def postprocess(self, *ordered_node_outputs: Any) -> Any:
        """What the workflow function returns, with each call of an electron replaced by an output.

        Args:
            ordered_node_outputs: One value for each call of an electron, in the order of the calls.

        Raises:
            GraphBuildError: The lattice has no graph.
            ValueError: There are more or fewer outputs than calls.
            UsageError: The function does not do the same as when its graph was built.
        """
        calls = calls_of(self.lattice.graph)
        if len(calls) != len(ordered_node_outputs):
            raise ValueError(f"{self.lattice.__name__!r} makes {len(calls)} calls, not {len(ordered_node_outputs)}.")
        outputs = {call.node_id: value for call, value in zip(calls, ordered_node_outputs, strict=True)}
        inputs = self.lattice.inputs
        call = {"args": (), "kwargs": {}} if inputs is None else inputs.get_deserialized()
        return Replay(calls, outputs.__getitem__).run(self.lattice.plain_function(), call["args"], call["kwargs"])
