"""What a result tells: whole and in parts, while tasks run and afterwards, here and in another process."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab import payload
from covalent_lab.client import connection
from covalent_lab.client.assets import _delete_result
from covalent_lab.client.connection import connect, disconnect
from covalent_lab.errors import GraphBuildError, MissingNodeError, SerializationError, UsageError
from covalent_lab.testing.fakes import FakeExecutor, completed
from covalent_lab.worker import Buffer

pytestmark = pytest.mark.usefixtures("executor")


@ct.electron
def double(x: Any) -> Any:
    """Twice as much."""
    return 2 * x


@ct.electron
def divide(x: float, y: float) -> float:
    """May fail."""
    return x / y


@ct.electron
def hang(x: Any) -> Any:
    """Runs until it is stopped."""
    return x


@ct.electron(executor="local")
@ct.lattice
def inner(x: Any) -> Any:
    """A workflow in a workflow."""
    return double(x) + 1


@ct.lattice
def small(x: Any, *, label: str = "") -> Any:
    """Two tasks."""
    return double(double(x))


class Watched:
    """A connection that remembers which payloads went over it, and adds what it is told to nodes."""

    def __init__(self, **added: Any) -> None:
        self._inner = connect()
        self._added = added
        self.url = self._inner.url
        self.fetched: list[str] = []
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._inner, name)

    def payload(self, dispatch_id: str, digest: str) -> Buffer:
        """As it says."""
        self.fetched.append(digest)
        return self._inner.payload(dispatch_id, digest)

    def node(self, dispatch_id: str, node_id: int) -> dict[str, Any]:
        """As it says."""
        return {**self._inner.node(dispatch_id, node_id), **self._added}

    def nodes(self, dispatch_id: str) -> dict[str, Any]:
        """As it says."""
        columns = self._inner.nodes(dispatch_id)
        return {**columns, **{name: [value] * len(columns["node_id"]) for name, value in self._added.items()}}


def watched(result: ct.Result, **added: Any) -> tuple[ct.Result, Watched]:
    """The same dispatch, over a connection that is watched."""
    connection: Any = Watched(**added)
    return ct.Result(dispatch_id=result.dispatch_id, connection=connection), connection


def test_the_text_of_a_result_has_the_documented_lines() -> None:
    """Label, colon, space, value."""
    result = ct.dispatch_sync(small)([1, 2], label="a b")
    assert (
        str(result)
        == f"""
Lattice Result
==============
status: COMPLETED
result: [1, 2, 1, 2, 1, 2, 1, 2]
input args: [1, 2]
input kwargs: 'label': a b
error: None

start_time: {result.start_time}
end_time: {result.end_time}

results_dir: {result.results_dir}
dispatch_id: {result.dispatch_id}

Node Outputs
------------
double(0): [1, 2, 1, 2]
:electron_list:(1): [1, 2]
:parameter:1(2): 1
:parameter:2(3): 2
double(4): [1, 2, 1, 2, 1, 2, 1, 2]
:postprocess:reconstruct(5): [1, 2, 1, 2, 1, 2, 1, 2]
"""
    )


def test_a_value_that_cannot_be_loaded_here_still_has_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one its producer wrote."""
    result = ct.dispatch_sync(small)(3, label="x")

    def fail(archive: Buffer) -> Any:
        raise SerializationError("not here")

    monkeypatch.setattr(payload, "decode", fail)
    assert "result: 12\n" in str(result)
    assert "input args: {'args': (3,), 'kwargs': {'label': 'x'}}\n" in str(result)
    with pytest.raises(SerializationError):
        _ = result.result


def test_a_result_that_was_never_dispatched_shows_its_lattice() -> None:
    """NEW_OBJECT, without times; nodes as soon as the lattice is built."""
    blank = ct.Result(small)
    assert (blank.status, blank.result, blank.start_time, blank.dispatch_id) == (ct.Result.NEW_OBJ, None, None, "")
    assert str(blank).endswith("Node Outputs\n------------\n\n")
    small.build_graph(5)
    assert "input args: 5\n" in str(blank)
    assert "double(0): None\n" in str(blank)
    assert blank.lattice is small
    with pytest.raises(MissingNodeError, match="belongs to no dispatch"):
        blank.get_node_result(0)
    with pytest.raises(MissingNodeError, match="nothing to save"):
        blank.save()
    with pytest.raises(GraphBuildError, match="is not built"):
        _ = ct.Result(ct.lattice(lambda: 1)).graph


def test_nothing_is_fetched_before_it_is_used() -> None:
    """Neither for the nodes' results, nor for the lattice's transport graph; what was fetched is kept."""
    result, connection = watched(ct.dispatch_sync(small)(list(range(5000))))
    nodes = result.get_all_node_results()
    outputs = result.get_all_node_outputs()
    assert connection.fetched == []
    assert outputs["double(0)"] == nodes[0]["output"]
    assert nodes[0]["output"] == result.get_node_result(0)["output"]
    graph = result.lattice.transport_graph
    once = list(connection.fetched)
    assert len(once) == 1
    assert len(graph.get_node_value(0, "output").get_deserialized()) == 10_000
    assert len(result.get_node_result(0)["output"].get_deserialized()) == 10_000
    assert len(connection.fetched) == len(once) + 1


def test_the_transport_graph_shows_how_each_node_stands() -> None:
    """Also while the dispatch runs; a refreshed result shows what came since."""
    dispatch_id = ct.dispatch(ct.lattice(lambda: [hang(1), double(2)]))()
    result = ct.get_result(dispatch_id)
    ct.cancel(dispatch_id, 0)
    ct.get_result(dispatch_id, wait=True, timeout=200)
    early = result.lattice.transport_graph
    assert result.lattice.transport_graph is early
    result.refresh()
    graph = result.lattice.transport_graph
    ids = {graph.get_node_value(i, "name"): i for i in graph._graph.nodes}
    assert graph.get_node_value(ids["hang"], "status") == ct.status.CANCELLED
    assert graph.get_node_value(ids["double"], "status") == ct.status.COMPLETED
    assert graph.get_node_value(ids[":parameter:2"], "status") == ct.status.COMPLETED
    assert graph.get_node_value(ids[":postprocess:reconstruct"], "status") == ct.status.NEW_OBJECT
    assert graph.get_node_value(ids["double"], "output").get_deserialized() == 4
    assert graph.get_node_value(ids["double"], "start_time") <= graph.get_node_value(ids["double"], "end_time")
    assert result.lattice.get_metadata("executor") == "local"
    assert result.get_all_node_results() == [result.get_node_result(i) for i in range(len(ids))]


def test_all_node_results_are_those_of_each_node() -> None:
    """Errors are None where there was none; a failed task has its traceback in stderr."""
    result, connection = watched(ct.dispatch_sync(ct.lattice(lambda: [divide(1, 0), double(2)]))())
    everything = result.get_all_node_results()
    assert connection.asked.count("node") == 0
    assert everything == [result.get_node_result(i) for i in range(len(everything))]
    assert everything[0]["error"] == "ZeroDivisionError: division by zero"
    assert everything[0]["stderr"].rstrip().endswith("ZeroDivisionError: division by zero")
    assert [node["error"] for node in everything[1:]] == [None] * (len(everything) - 1)


def test_a_long_text_that_a_node_printed_comes_whole(executor: FakeExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although servers tell it in parts."""
    printed = "é" * 100_000
    monkeypatch.setattr(executor, "_answer", lambda spec: replace(completed(1), stdout=printed))
    result = ct.dispatch_sync(small)(1)
    assert result.get_node_result(0)["stdout"] == printed
    assert result.get_all_node_results()[0]["stdout"] == printed
    bare = ct.get_result(result.dispatch_id, intermediate_outputs=False)
    assert bare.get_node_result(0)["stdout"] == bare.get_all_node_results()[0]["stdout"] == ""
    assert set(bare.get_all_node_outputs().values()) == {None}
    assert "double(0): None" in str(bare)


def test_a_node_that_stands_for_a_dispatch_has_its_result() -> None:
    """Unless it is not wanted."""
    inner_id = ct.dispatch_sync(small)(1).dispatch_id
    result, _ = watched(ct.dispatch_sync(small)(2), sub_dispatch_id=inner_id)
    found = result.get_node_result(0)["sublattice_result"]
    assert (found.dispatch_id, found.result) == (inner_id, 4)
    assert result.get_all_node_results()[0]["sublattice_result"].result == 4
    graph = result.lattice.transport_graph
    assert graph.get_node_value(0, "sub_dispatch_id") == inner_id
    assert graph.get_node_value(0, "sublattice_result").result == 4
    assert ct.get_result(result.dispatch_id).get_node_result(0)["sublattice_result"] is None


def test_post_processing_here_gives_the_workflows_value() -> None:
    """From the recorded outputs: through collections, items, operators and sublattices."""

    @ct.lattice
    def mixed(x: int, *, other: int) -> dict[str, Any]:
        low, high = double([x, other])[:2]
        return {"low": low + 1, "high": [high], "inner": inner(double(x)), "text": double("a").upper}

    result = ct.dispatch_sync(mixed)(1, other=5)
    assert result.post_process()["text"]() == "AA"
    assert {k: v for k, v in result.post_process().items() if k != "text"} == {"low": 2, "high": [5], "inner": 5}
    assert [node["output"].get_deserialized() for node in result.get_all_node_results()[:1]] == [[1, 5, 1, 5]]


def test_post_processing_needs_every_task() -> None:
    """The error names the one that is missing."""
    result = ct.dispatch_sync(ct.lattice(lambda: [double(1), divide(1, 0)]))()
    with pytest.raises(UsageError, match=rf"Task 2 \(divide\) of dispatch {result.dispatch_id} has no output.*FAILED"):
        result.post_process()


def test_a_result_can_be_pickled() -> None:
    """What it knows goes along, the rest is fetched where it is loaded."""
    result = ct.dispatch_sync(small)(3)
    text = pickle.dumps(result)
    disconnect()
    twin: ct.Result = pickle.loads(text)
    assert (twin.status, twin.result, twin.name) == ("COMPLETED", 12, "small")
    assert twin.get_node_result(0)["output"].get_deserialized() == 6


def test_saved_results_are_read_without_a_dispatcher(private: Path) -> None:
    """Saving writes files; deleting removes those of one dispatch, and the folder above if that is empty."""
    result = ct.dispatch_sync(small)(3)
    manifest = result.save()
    assert manifest.parent == Path(result.results_dir)
    elsewhere = result.save_result(private / "mine")
    disconnect()
    loaded = ct.ResultManager.load(elsewhere)
    assert loaded.load_result_asset("result").get_deserialized() == 12
    assert connection._open == {}
    assert loaded.result_object.get_node_result(0)["output"].get_deserialized() == 6
    assert loaded.load_lattice_asset("inputs").get_deserialized()["args"] == (3,)
    kept = manifest.parent.parent / "other"
    kept.mkdir()
    _delete_result(result.dispatch_id, remove_parent_directory=True)
    assert (manifest.parent.exists(), kept.exists()) == (False, True)
    kept.rmdir()
    _delete_result(result.dispatch_id, str(kept.parent), remove_parent_directory=True)
    assert not kept.parent.exists()
    for wrong in ("", "..", "a/b", "/"):
        with pytest.raises(ValueError, match="is not the id"):
            _delete_result(wrong)
