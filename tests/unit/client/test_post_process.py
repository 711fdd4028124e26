"""The workflow function, run again when its tasks are done: on an executor, or here with `Result.post_process`."""

from collections.abc import Callable
from typing import Any

import pytest

import covalent_lab as ct


def make_workflow() -> Any:
    """A workflow whose functions travel by value."""

    @ct.electron
    def pair(x: int) -> tuple[int, int]:
        return x, x + 1

    @ct.electron
    def scale(x: int, factor: int = 10) -> int:
        return x * factor

    @ct.electron
    @ct.lattice
    def inner(x: int) -> int:
        return scale(x) + 1

    @ct.lattice
    def workflow(x: int, *, factor: int) -> dict[str, Any]:
        low, high = pair(x)
        scaled = [scale(low, factor=factor), scale(high, factor)]
        return {"sum": scaled[0] + scaled[1], "inner": inner(high), "item": pair(x)[1]}

    return workflow


@pytest.mark.usefixtures("private")
def test_exhaustive_postprocessing_runs_on_the_executor(write_config: Callable[[str], None]) -> None:
    """In a worker process, from the outputs of all nodes; also what no graph could rebuild is returned."""
    write_config('[sdk]\nexhaustive_postprocess = "true"\n')

    @ct.electron
    def double(x: int) -> int:
        return 2 * x

    class Box:
        def __init__(self, content: Any) -> None:
            self.content = content

    @ct.lattice
    def boxed(x: int) -> Any:
        first = double(x)
        return Box([first + 1, double(first)])

    result = ct.get_result(ct.dispatch(boxed)(3), wait=True, timeout=200)
    assert (str(result.status), result.error) == ("COMPLETED", None)
    assert result.result.content == [7, 12]
    assert [node.name for node in result.graph.nodes if "postprocess" in node.name] == [":postprocess:"]


@pytest.mark.usefixtures("executor")
def test_exhaustive_postprocessing_gives_what_the_other_one_gives(write_config: Callable[[str], None]) -> None:
    """And what plain Python gives; a task that fails leaves no value."""
    workflow = make_workflow()
    plain = ct.dispatch_sync(workflow)(1, factor=3).result
    write_config("[sdk]\nexhaustive_postprocess = true\n")
    again = ct.dispatch_sync(workflow)(1, factor=3)
    assert again.result == again.post_process() == plain == workflow(1, factor=3)

    @ct.electron
    def fail(x: int) -> float:
        return x / 0

    failed = ct.dispatch_sync(ct.lattice(lambda: fail(1)))()
    assert (str(failed.status), failed.result) == ("FAILED", None)
