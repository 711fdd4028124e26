"""Sublattices from end to end: a dispatcher in this process, the real local executor, workers that build graphs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect, disconnect
from covalent_lab.client.result import Result
from covalent_lab.errors import PartOfDispatchError

DEPTH = 24


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("COVALENT_LAB_URL", "COVALENT_LAB_TOKEN", "COVALENT_DATABASE", "COVALENT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COVALENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    disconnect()


@ct.electron
def add(x: int, y: int) -> int:
    """A task."""
    return x + y


@ct.electron
def times(x: int, y: int) -> int:
    """A task."""
    return x * y


@ct.electron
def total(values: list[int]) -> int:
    """All together."""
    return sum(values)


@ct.electron
def divide(x: int, y: int) -> float:
    """May fail."""
    return x / y


@ct.electron
@ct.lattice
def factorial(number: int) -> Any:
    """Calls itself, until the value says that it is over."""
    return add(0, 1) if number <= 1 else times(number, factorial(add(number, -1)))


@ct.electron
@ct.lattice
def row(start: int, count: int) -> Any:
    """As many tasks as it is told when it runs."""
    return total([add(start, n) for n in range(count)])


@ct.electron
@ct.lattice
def collatz(number: int, steps: int) -> Any:
    """A loop whose end, and a branch whose side, depend on what tasks return."""
    if number == 1:
        return steps
    following = divide(number, 2) if number % 2 == 0 else add(times(3, number), 1)
    return collatz(following, add(steps, 1))


@ct.electron
@ct.lattice
def broken(number: int) -> Any:
    """One of its tasks fails."""
    return add(divide(number, 0), 1)


@ct.electron
@ct.lattice
def unbuildable(number: int) -> Any:
    """Fails before it has tasks."""
    return add(1 // number, 1)


def run(workflow: Any, *args: Any) -> Result:
    """Dispatch a lattice and wait."""
    return ct.get_result(ct.dispatch(ct.lattice(workflow))(*args), wait=True, timeout=200)


def test_a_workflow_may_call_itself_many_levels_deep() -> None:
    """Each level is a dispatch of its own; none holds a worker while it waits for the next."""
    result = run(lambda number: factorial(number), DEPTH)  # noqa: PLW0108 - an electron is no workflow
    product = 1
    for number in range(2, DEPTH + 1):
        product *= number
    assert (result.status, result.error, result.result) == ("COMPLETED", None, product)


def test_sublattices_run_side_by_side_and_take_values_of_tasks() -> None:
    """Ten with ten tasks each; how many is known only when they run."""

    def fan(rows: int) -> Any:
        count = add(rows, 0)
        return total([row(number, count) for number in range(rows)])

    result = run(fan, 10)
    assert (result.status, result.result) == ("COMPLETED", sum(a + b for a in range(10) for b in range(10)))
    listed = connect().list_dispatches(parent=result.dispatch_id)
    assert {(item["name"], item["status"], item["total"]) for item in listed["items"]} == {("row", "COMPLETED", 13)}
    assert connect().list_dispatches()["total"] == 1


def test_loops_and_branches_follow_what_tasks_return() -> None:
    """The number of steps from 6 down to 1."""
    result = run(lambda number: collatz(number, 0), 6)
    assert (result.status, result.error, result.result) == ("COMPLETED", None, 8)


def test_a_task_that_fails_in_a_sublattice_is_named_outside() -> None:
    """With its error, and the dispatch in which to look for more."""
    result = run(lambda number: broken(number), 3)  # noqa: PLW0108
    assert (result.status, result.result) == ("FAILED", None)
    node = result.node_details(0)
    assert node["error"].startswith(f"Its dispatch {node['sub_dispatch_id']} (broken) failed: task 0: ZeroDivisionErr")


def test_a_sublattice_that_cannot_be_built_fails_with_the_users_traceback() -> None:
    """It never became a dispatch."""
    result = run(lambda number: unbuildable(number), 0)  # noqa: PLW0108
    node = result.node_details(0)
    assert (result.status, node["sub_dispatch_id"]) == ("FAILED", None)
    assert node["error"].startswith("ZeroDivisionError")
    assert "in unbuildable" in node["stderr"]


def test_a_part_of_a_dispatch_is_deleted_with_it_and_not_alone() -> None:
    """The refusal says what to delete instead."""
    result = run(lambda: row(1, 1))
    part = result.node_details(0)["sub_dispatch_id"]
    with pytest.raises(PartOfDispatchError, match=result.dispatch_id):
        connect().delete([part])
    assert connect().delete([result.dispatch_id])["deleted"] == [result.dispatch_id]
    assert connect().delete([part])["missing"] == [part]
