"""Results that are taken over from earlier dispatches: an embedded dispatcher and the local executor."""

from pathlib import Path
from typing import Any

import numpy as np  # noqa: TID253 - arguments of users are arrays
import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect, disconnect
from covalent_lab.store.sql import SqlStore

pytestmark = pytest.mark.usefixtures("private")


@pytest.fixture
def runs(tmp_path: Path) -> Any:
    """A file to which tasks append a letter each time they run, and how many that were."""
    path = tmp_path / "runs"
    path.touch()

    class Runs:
        file = str(path)

        @property
        def number(self) -> int:
            return len(path.read_text())

    return Runs()


def noted(file: str, **options: Any) -> Any:
    """A task that leaves a trace when it runs."""

    @ct.electron(**options)
    def task(x: Any, scale: int = 1) -> Any:
        with open(file, "a") as out:
            out.write("r")
        print("running")
        return x * scale

    return task


def run(task: Any, *args: Any, **kwargs: Any) -> ct.Result:
    """Dispatch a workflow of one task and wait."""
    workflow = ct.lattice(lambda: task(*args, **kwargs))
    result = ct.get_result(ct.dispatch(workflow)(), wait=True, timeout=200)
    assert result.status == ct.status.COMPLETED, result.error
    return result


def test_an_equal_call_is_taken_over_and_marked(runs: Any) -> None:
    """Output and printed text come along; the dispatch says from where."""
    first = run(noted(runs.file, cache=True), 3, scale=2)
    second = run(noted(runs.file, cache=True), 3, scale=2)
    assert (first.result, second.result, runs.number) == (6, 6, 1)
    node = connect().node(second.dispatch_id, 0)
    assert node["reused_from"] == f"{first.dispatch_id}:0"
    assert node["stdout"] == "running\n"
    assert node["started_at"] == node["ended_at"]
    assert connect().node(first.dispatch_id, 0)["reused_from"] is None


def test_other_arguments_run(runs: Any) -> None:
    """By position, by keyword, and arrays by their content."""
    task = noted(runs.file, cache=True)
    for args, kwargs in (((1,), {}), ((2,), {}), ((2,), {"scale": 2}), ((np.ones(9),), {}), ((np.zeros(9),), {})):
        run(task, *args, **kwargs)
    assert runs.number == 5
    run(task, np.ones(9))
    assert runs.number == 5


def test_without_the_option_every_call_runs(runs: Any) -> None:
    run(noted(runs.file), 1)
    run(noted(runs.file), 1)
    assert runs.number == 2
    assert ct.get_cached_results() == []


def test_the_electron_decides_before_the_lattice_and_that_before_the_configuration(
    runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(task: Any, **options: Any) -> int:
        before = runs.number
        for _ in range(2):
            ct.dispatch_sync(ct.lattice(lambda: task(before), **options))()
        return int(runs.number - before)

    assert twice(noted(runs.file), cache=True) == 1
    assert twice(noted(runs.file, cache=False), cache=True) == 2
    monkeypatch.setenv("COVALENT_CACHE_RESULTS", "true")
    assert twice(noted(runs.file)) == 1
    assert twice(noted(runs.file), cache=False) == 2


def test_a_sublattice_does_as_its_lattice_unless_it_says_otherwise(runs: Any) -> None:
    """The same holds for the electrons in the sublattice."""

    def twice(outer: bool, inner: bool | None = None, **options: Any) -> int:
        before = runs.number
        task = noted(runs.file, **options)
        part = ct.electron(ct.lattice(lambda value, turn: task(value), cache=inner))
        for turn in range(2):  # an argument that differs, so that the sublattice itself is never taken over
            result = ct.dispatch_sync(ct.lattice(lambda turn: part(before, turn), cache=outer))(turn)
            assert result.result == before
        return int(runs.number - before)

    assert twice(True) == 1
    assert twice(True, inner=False) == 2
    assert twice(True, cache=False) == 2
    assert twice(False, inner=True) == 1


def test_other_hooks_run(runs: Any) -> None:
    run(noted(runs.file, cache=True), 1)
    run(noted(runs.file, cache=True, deps_bash="true"), 1)
    assert runs.number == 2


def test_inside_a_chain_only_what_changed_runs(runs: Any) -> None:
    """The second task's key follows from the first one's output."""
    task = noted(runs.file, cache=True)
    for scale in (2, 3):
        result = ct.dispatch_sync(ct.lattice(lambda scale=scale: task(task(5), scale=scale)))()
        assert result.result == 5 * scale
    assert runs.number == 3


def test_failures_are_not_kept(runs: Any) -> None:
    @ct.electron(cache=True)
    def fails(file: str) -> None:
        with open(file, "a") as out:
            out.write("r")
        raise ValueError("no")

    for _ in range(2):
        assert ct.dispatch_sync(ct.lattice(lambda: fails(runs.file)))().status == ct.status.FAILED
    assert runs.number == 2


def test_a_kept_result_outlives_its_dispatch_and_the_dispatcher(runs: Any) -> None:
    """Small ones and those in files."""
    task = noted(runs.file, cache=True)
    for value in (3, np.arange(100_000)):
        first = run(task, value)
        connect().delete([first.dispatch_id])
    disconnect()
    assert np.array_equal(run(task, np.arange(100_000)).result, np.arange(100_000))
    assert run(task, 3).result == 3
    assert runs.number == 2


def test_kept_results_are_listed_and_purged(runs: Any) -> None:
    task = noted(runs.file, cache=True)
    small = run(task, 3)
    large = run(task, np.arange(100_000))
    run(task, 3)
    found = ct.get_cached_results("tas")
    assert [(item["dispatch_id"], item["node_id"], item["hits"]) for item in found] == [
        (small.dispatch_id, 0, 1),
        (large.dispatch_id, 0, 0),
    ]
    assert ct.get_cached_results("nothing like it") == []
    assert ct.purge_cached_results(unused_s=3600) == 0
    assert ct.purge_cached_results([found[1]["key"]]) == 1
    assert ct.purge_cached_results() == 1
    assert ct.get_cached_results() == []
    assert np.array_equal(ct.get_result(large.dispatch_id).result, np.arange(100_000))
    run(task, 3)
    assert runs.number == 3


def test_purging_removes_files_that_nobody_needs(runs: Any, tmp_path: Path) -> None:
    """First the dispatch goes, then the kept result; the file goes with the last of them."""
    task = noted(runs.file, cache=True)
    result = run(task, np.arange(100_000))
    output = result.get_node_result(0)["output"]
    assert output is not None
    digest = connect().node(result.dispatch_id, 0)["output"]["digest"]
    connect().delete([result.dispatch_id])
    assert list((tmp_path / "data").rglob(f"*{digest[4:]}*"))
    ct.purge_cached_results()
    assert not list((tmp_path / "data").rglob(f"*{digest[4:]}*"))


@pytest.mark.parametrize("verb", ["streams", "record"])
def test_a_purge_at_the_moment_of_a_hit_loses_nothing(
    runs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str
) -> None:
    """Between its finding and its recording nothing refers to the file of a result but the cache."""
    task, value = noted(runs.file, cache=True), np.arange(100_000)
    connect().delete([run(task, value, scale=2).dispatch_id])
    genuine, purged = getattr(SqlStore, verb), []

    async def purging(store: SqlStore, *args: Any) -> Any:
        if not purged and (verb == "streams" or args[0].cache_hits):
            purged.append(await store.purge_cached(None, None))
        return await genuine(store, *args)

    monkeypatch.setattr(SqlStore, verb, purging)
    assert np.array_equal(run(task, value, scale=2).result, 2 * value)
    assert purged == [1]
    assert runs.number == (2 if verb == "streams" else 1)
