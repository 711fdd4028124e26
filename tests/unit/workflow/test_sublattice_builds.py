"""What the job of a sublattice builds, from values that only the run knows."""

import json
import sys
from typing import Any

import pytest
from interpreter import evaluate, evaluate_bundle, read_bundle

from covalent_lab import payload
from covalent_lab.errors import GraphBuildError, SerializationError
from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import Lattice, lattice
from covalent_lab.workflow.sublattices import build_sublattice

PARENT = {
    "executor": "slurm",
    "executor_data": {"type": "SlurmExecutor", "short_name": "slurm", "attributes": {"time": 3}},
    "workflow_executor": "dask",
    "workflow_executor_data": {},
    "hooks": {"deps": {"bash": {}}, "call_before": [], "call_after": []},
    "cache": True,
    "triggers": [{"type": "TimeTrigger"}],
}


@electron
def add(x: int, y: int) -> int:
    """A task."""
    return x + y


def add_up(count: int) -> Any:
    """As many tasks as it is told."""
    total: Any = 0
    for number in range(count):
        total = add(total, number)
    return total


def built(made: Lattice[..., Any], *args: Any, parent: Any = PARENT, **kwargs: Any) -> Any:
    """Header and payloads of a sublattice's bundle."""
    return read_bundle(build_sublattice(made, json.dumps(parent), args, kwargs))


def test_the_graph_follows_the_values_of_the_run() -> None:
    """A loop over an argument makes a node for each turn."""
    header, _ = built(lattice(add_up), 4)
    assert header["graph"]["nodes"]["kind"].count("function") == 4
    assert (header["name"], header["dispatch_id"]) == ("add_up", "")
    assert evaluate_bundle(build_sublattice(lattice(add_up), json.dumps(PARENT), (4,), {})) == 6


def test_what_a_sublattice_does_not_set_comes_from_its_parent() -> None:
    """Executors, hooks and whether results are cached; never triggers."""
    header, _ = built(lattice(add_up), 1)
    assert header["metadata"] == PARENT | {"triggers": None, "replacements": {}}
    (options,) = [o for o in header["graph"]["options"] if o["executor"] == "slurm" and o["hooks"]]
    assert options["executor_data"] == PARENT["executor_data"]


def test_what_a_sublattice_sets_itself_stays() -> None:
    """Key by key."""
    made = lattice(executor="local", deps_bash="true")(add_up)
    metadata = built(made, 1)[0]["metadata"]
    assert (metadata["executor"], metadata["executor_data"]) == ("local", {})
    assert (metadata["workflow_executor"], metadata["hooks"]) == ("dask", made.metadata["hooks"])
    assert made.metadata["workflow_executor"] is None


def test_the_archive_names_its_type_and_says_what_it_is() -> None:
    """So that it can be told and shown without unpickling."""
    shown = payload.preview(payload.encode(build_sublattice(lattice(add_up), json.dumps(PARENT), (2,), {})).tobytes())
    assert (shown.type, shown.text) == (payload.BUNDLE_TYPE, "the workflow add_up with 6 nodes")


def test_where_the_package_cannot_build_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with an older version of it."""
    outer = lattice(electron(lattice(add_up)))
    outer.build_graph(1)
    monkeypatch.setitem(sys.modules, "covalent_lab.workflow.sublattices", None)
    with pytest.raises(RuntimeError, match="Install the version of the client"):
        evaluate(outer.graph, outer.payloads)


def test_what_goes_wrong_while_building_is_raised() -> None:
    """By the user's function, by the arguments, by a value that cannot travel."""

    def divide(x: int) -> Any:
        return add(1 // x, 1)

    with pytest.raises(ZeroDivisionError):
        built(lattice(divide), 0)
    with pytest.raises(GraphBuildError, match="misses the argument 'x'"):
        built(lattice(divide))
    with pytest.raises(SerializationError):
        built(lattice(lambda: add((i for i in ()), 1)))  # type: ignore[arg-type]


@electron
@lattice
def factorial(number: int) -> Any:
    """Calls itself: a sublattice in each sublattice."""
    return 1 if number <= 1 else times(number, factorial(number - 1))


@electron
def times(x: int, y: int) -> int:
    """A task."""
    return x * y


def test_a_sublattice_may_call_itself() -> None:
    """It is pickled with the electron that stands for it."""
    outer = lattice(lambda number: times(factorial(number), 1))
    outer.build_graph(6)
    assert evaluate(outer.graph, outer.payloads) == 720


def test_a_recursive_sublattice_survives_pickling_by_value() -> None:
    """As it travels from a notebook, where nothing can be imported; its source travels along."""
    space: dict[str, Any] = {"electron": electron, "lattice": lattice, "times": times}
    source = "def count(n):\n    return n if n == 0 else times(1, later(n - 1))\n"
    exec(source, space)
    space["count"].covalent_source = source
    space["later"] = electron(lattice(space["count"]))
    twin = payload.decode(payload.encode(space["later"].electron_object).tobytes())
    assert twin.function is not space["count"]
    assert "later" in twin.function.__globals__
    made = lattice(lambda n: times(twin(n), 1))
    made.build_graph(3)
    assert evaluate(made.graph, made.payloads) == 0
    header, _ = built(twin._own_task().lattice, 2)
    assert header["source"] == source


def test_a_name_that_is_not_bound_is_named() -> None:
    """A workflow that calls itself before its electron exists."""
    space: dict[str, Any] = {}
    exec("def count(n):\n    return later(n - 1)\n", space)
    with pytest.raises(NameError, match="later"):
        built(lattice(space["count"]), 2)
