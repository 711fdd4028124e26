"""What differs between two runs."""

from dataclasses import replace
from typing import Any

import covalent_lab as ct
from covalent_lab.exports.comparison import comparison, comparison_lines
from covalent_lab.exports.run import Run, Value
from tests.unit.exports.runs import run_of


@ct.electron
def scale(x: Any, by: Any) -> Any:
    return x * by


@ct.electron
def report(x: Any) -> Any:
    return x


@ct.lattice
def flow(by: int, count: int = 2) -> Any:
    return report([scale(number, by) for number in range(count)])


def ran(by: int, count: int = 2, **changes: Any) -> Run:
    """A run whose first task returned `by`."""
    run = run_of(flow, by, count, outputs={0: by})
    return replace(run, dispatch_id=f"d{by}", **changes)


def differences(left: Run, right: Run) -> dict[str, list[str]]:
    """By task, those that there are."""
    rows = comparison(left, right)["rows"]
    sides = [(row["left"] or row["right"], row["differences"]) for row in rows]
    return {f"{side['name']}({side['node_id']})": found for side, found in sides if found}


def test_equal_runs_do_not_differ() -> None:
    """Whatever their ids and times."""
    found = comparison(ran(1), replace(ran(1), started_at=5.0))
    assert (found["differing"], found["hidden"], found["is_same_graph"]) == (0, 0, True)
    assert comparison_lines(found)[1] == []
    assert len(comparison_lines(found, shows_all=True)[1]) == len(found["rows"]) > 3


def test_another_argument_shows_where_it_went_and_what_came_of_it() -> None:
    """Parameters have no rows of their own: they are named after their values."""
    found = comparison(ran(2), ran(3))
    row = found["rows"][0]
    assert row["inputs"] == [{"name": "by", "left": "2", "right": "3"}]
    assert row["output"] == {"is_equal": False, "left": "2", "right": "3"}
    assert found["is_same_graph"] is True
    assert found["differing"] == 3  # two tasks, and the list of their results
    assert comparison_lines(found)[1][0] == [
        "scale (0)",
        "COMPLETED",
        "COMPLETED",
        "2.5 s",
        "2.5 s",
        "by: 2 → 3; output: 2 → 3",
    ]


def test_tasks_that_only_one_has_are_missing_in_the_other() -> None:
    """Matched by name and order, whatever their ids."""
    left, right = ran(1), ran(1, count=3)
    found = comparison(left, right)
    assert found["is_same_graph"] is False
    missing = [row for row in found["rows"] if row["differences"] == ["missing"]]
    assert [(row["left"], row["right"]["name"]) for row in missing] == [(None, "scale")]
    assert [row["differences"] for row in comparison(right, left)["rows"]].count(["missing"]) == 1


def test_states_errors_functions_and_executors_are_compared() -> None:
    """Functions by their source, as their pickled form is other each time."""
    left, right = ran(1), ran(1)
    broken = replace(right.nodes[0], status="FAILED", error="ValueError: no", output=None)
    functions = tuple(replace(f, source=f.source + "#") for f in right.graph.functions)
    options = tuple(replace(o, executor="ssh") for o in right.graph.options)
    changed = replace(
        right,
        nodes={**right.nodes, 0: broken},
        graph=replace(right.graph, functions=functions, options=options),
    )
    assert differences(left, changed)["scale(0)"] == ["status", "function", "executor", "output", "error"]


def test_inputs_and_result_of_the_whole_are_compared() -> None:
    """Long texts are cut."""
    value = Value(digest="a", size=1, text="x" * 1_000)
    found = comparison(replace(ran(1), result=value), replace(ran(1), result=replace(value, digest="b")))
    assert found["result"]["is_equal"] is False
    assert len(found["result"]["left"]) == 201
    assert any("(other bytes)" in line for line in comparison_lines(found)[0])


def test_of_very_many_rows_those_that_differ_are_kept() -> None:
    """And the number of the others is told."""
    left, right = (run_of(flow, 1, 2_500), run_of(flow, 1, 2_500))
    right = replace(right, nodes={**right.nodes, 2499 * 3: replace(right.nodes[2499 * 3], status="FAILED")})
    found = comparison(left, right)
    assert len(found["rows"]) == 2_000
    assert found["hidden"] > 0
    assert found["rows"][0]["differences"] == ["status"]
