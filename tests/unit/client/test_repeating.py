"""redispatch, as users call it."""

from collections.abc import Callable
from typing import Any

import numpy as np  # noqa: TID253 - arguments of users are arrays
import pytest

import covalent_lab as ct
from covalent_lab.client.repeating import register_redispatch
from covalent_lab.errors import GraphBuildError, MissingLatticeRecordError
from covalent_lab.testing.fakes import FakeExecutor

pytestmark = pytest.mark.usefixtures("executor")


@ct.electron
def load(x: Any) -> Any:
    """Comes first."""
    return x


@ct.electron
def halve(x: Any) -> Any:
    """Does not like odd numbers."""
    if x % 2:
        raise ValueError("odd")
    return x // 2


@ct.electron
def other(y: Any) -> Any:
    """Stands alone."""
    return -y


@ct.lattice(workflow_executor="local")
def workflow(x: Any, y: Any = 1, *, z: int = 0) -> Any:
    """Two branches."""
    return [halve(load(x)), other(y), z]


@ct.electron
@ct.lattice
def inner(x: Any) -> Any:
    """A workflow in a workflow."""
    return other(x)


@ct.lattice
def outer(x: Any, y: Any) -> Any:
    """Two independent tasks."""
    return [inner(x), load(y)]


def ended(dispatch_id: str) -> ct.Result:
    """How it ended."""
    return ct.get_result(dispatch_id, wait=True, timeout=200)


def reused(result: ct.Result) -> set[str]:
    """Names of the nodes that took over an outcome."""
    states = result.node_states()
    names = [node.name for node in result.graph.nodes]
    return {names[n] for n, origin in zip(states["node_id"], states["reused_from"], strict=True) if origin is not None}


def names(executor: FakeExecutor) -> list[str]:
    """What was run since the last time, sorted."""
    ran = sorted(spec.name for spec in executor.submitted)
    executor.submitted.clear()
    return ran


def test_without_changes_the_stored_workflow_runs_again(executor: FakeExecutor) -> None:
    """With its inputs; nothing is built here."""
    first = ended(ct.dispatch(workflow)(4, z=5))
    ran = names(executor)
    again = ended(ct.redispatch(first.dispatch_id)())
    assert (again.result, again.root_dispatch_id) == ([2, -1, 5], again.dispatch_id)
    assert again.detail["redispatched_from"] == first.dispatch_id != again.dispatch_id
    assert again.inputs == first.inputs
    assert names(executor) == ran


def test_everything_reused_runs_nothing(executor: FakeExecutor) -> None:
    """The dispatch completes at once; each node begins and ends at the same time."""
    first = ended(ct.dispatch(workflow)(4))
    names(executor)
    again = ended(ct.redispatch(first.dispatch_id, reuse_previous_results=True)())
    assert (again.status, again.result, names(executor)) == ("COMPLETED", [2, -1, 0], [])
    node = again.get_node_result(0)
    assert (node["start_time"], node["status"]) == (node["end_time"], "COMPLETED")


def test_a_failed_dispatch_goes_on_where_it_failed(executor: FakeExecutor) -> None:
    """With a corrected electron; what does not depend on it is taken over."""
    first = ended(ct.dispatch(workflow)(3))
    assert (first.status, names(executor)) == ("FAILED", ["halve", "load", "other"])
    fixed = ct.redispatch(first.dispatch_id, None, {"halve": lambda x: x / 2, "unknown": other}, True)
    again = ended(fixed())
    assert again.result == [1.5, -1, 0]
    assert reused(again) == {"load", "other"}
    assert names(executor)[0] == ":electron_list:"


@pytest.mark.parametrize(
    ("args", "kwargs", "result", "taken"),
    [
        ((8,), {}, [4, -1, 0], {"other"}),
        ((4, 7), {}, [2, -7, 0], {"load", "halve"}),
        ((), {"x": 4, "z": 6}, [2, -1, 6], {"load", "halve", "other"}),
    ],
    ids=str,
)
def test_new_arguments_replace_all_old_ones(
    args: tuple[Any, ...], kwargs: dict[str, Any], result: list[Any], taken: set[str]
) -> None:
    """Also by keyword; what they do not reach is taken over."""
    first = ended(ct.dispatch(workflow)(4, z=5))
    again = ended(ct.redispatch(first.dispatch_id, reuse_previous_results=True)(*args, **kwargs))
    assert (again.result, reused(again)) == (result, taken)
    assert not reused(ended(ct.redispatch(first.dispatch_id)(*args, **kwargs)))


def test_only_a_keyword_only_argument_may_be_new() -> None:
    """The others have to be given with it, as in any call."""
    first = ended(ct.dispatch(workflow)(4))
    with pytest.raises(GraphBuildError, match="'x'"):
        ct.redispatch(first.dispatch_id)(z=1)


def test_options_of_the_workflow_and_of_a_new_electron_are_kept(executor: FakeExecutor) -> None:
    """A rebuilt dispatch runs where the first one would; the new electron brings its own options along."""
    first = ended(ct.dispatch(workflow)(4))
    new = ct.electron(lambda x: x, executor="local", deps_bash="true")
    again = ended(ct.redispatch(first.dispatch_id, replace_electrons={"halve": new})())
    keys = ("executor", "executor_data", "workflow_executor", "workflow_executor_data", "hooks", "source", "name")
    assert {key: again.detail[key] for key in keys} == {key: first.detail[key] for key in keys}
    hooks = {again.node_details(spec.node_id)["name"]: bool(spec.hooks) for spec in executor.submitted[-5:]}
    assert (hooks["<lambda>"], hooks["load"]) == (True, False)


def test_a_replaced_electron_stays_replaced() -> None:
    """In repetitions of the repetition, with other arguments; its outcome is taken over only while it is the same."""

    def halve(x: Any) -> Any:
        return x / 2

    first = ended(ct.dispatch(workflow)(3))
    second = ended(ct.redispatch(first.dispatch_id, replace_electrons={"halve": halve})())
    copy = ended(ct.redispatch(second.dispatch_id)())
    third = ended(ct.redispatch(copy.dispatch_id, reuse_previous_results=True)(3, 9))
    assert (third.result, reused(third)) == ([1.5, -9, 0], {"load", "halve"})
    fourth = ended(ct.redispatch(third.dispatch_id, None, {"halve": lambda x: x}, True)())
    assert (fourth.result, reused(fourth)) == ([3, -9, 0], {"load", "other"})


def test_arrays_and_sublattices_are_recognised_after_a_rebuild() -> None:
    """Arguments pickle to the same bytes, and a sublattice is known by its name and place."""
    first = ended(ct.dispatch(outer)(2, np.arange(5.0)))
    again = ended(ct.redispatch(first.dispatch_id, None, {"nothing": load}, True)())
    assert {"load", ":sublattice:inner"} <= reused(again)
    moved = ended(ct.redispatch(first.dispatch_id, reuse_previous_results=True)(3, np.arange(5.0)))
    assert reused(moved) == {"load"}


@pytest.mark.parametrize("change", [lambda f: f(), lambda f: f(8)], ids=["copied", "rebuilt"])
def test_a_registered_redispatch_waits_for_its_start(change: Callable[[Any], str]) -> None:
    """Its reused nodes say so."""
    first = ended(ct.dispatch(workflow)(4))
    waiting = change(register_redispatch(first.dispatch_id, reuse_previous_results=True))
    result = ct.get_result(waiting)
    assert result.status == "NEW_OBJECT"
    assert set(result.node_states()["status"]) == {"PENDING_REUSE"}
    assert "other" in reused(result)


@pytest.mark.parametrize("call", [lambda f: f(), lambda f: f(3)], ids=["copied", "rebuilt"])
def test_an_unknown_dispatch_cannot_be_repeated(call: Callable[[Any], str]) -> None:
    """Whatever is asked of it."""
    with pytest.raises(MissingLatticeRecordError):
        call(ct.redispatch("nothing"))
