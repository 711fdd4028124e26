"""A workflow's value, made by hand from the outputs of its tasks."""

from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.compat.postprocessing import Postprocessor
from covalent_lab.errors import GraphBuildError


@ct.electron
def task(x: Any) -> Any:
    """Never called here."""
    raise AssertionError


@ct.lattice
def workflow(x: int, *, y: int = 0) -> Any:
    """Two calls, and something around them."""
    first = task(x)
    return {"first": first, "second": [task(first + 1), y]}


def test_outputs_take_the_place_of_calls_in_their_order() -> None:
    """Nothing is called; the rest of the function runs with the inputs of the build."""
    workflow.build_graph(1, y=7)

    assert Postprocessor(workflow).postprocess(10, 20) == {"first": 10, "second": [20, 7]}


def test_missing_outputs_and_a_missing_graph_are_told() -> None:
    """The message has both numbers; without a graph nobody knows the calls."""
    workflow.build_graph(1)

    with pytest.raises(ValueError, match="makes 2 calls, not 1"):
        Postprocessor(workflow).postprocess(10)
    with pytest.raises(GraphBuildError, match="build_graph"):
        Postprocessor(ct.lattice(lambda: task(1))).postprocess()
