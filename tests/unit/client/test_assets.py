"""`ResultManager`: every piece of a dispatch as a file, with a dispatcher in this process."""

from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client.assets import ResultManager
from covalent_lab.client.connection import connect, disconnect
from covalent_lab.errors import ConfigError, MissingLatticeRecordError, MissingNodeError

pytestmark = pytest.mark.usefixtures("executor")


@ct.electron
def divide(x: float, y: float) -> float:
    """May fail."""
    return x / y


@ct.lattice
def halved(x: float, y: float = 2) -> Any:
    """Half as much."""
    return divide(x, y)


@pytest.fixture
def manager(private: Path) -> ResultManager:
    """Of a dispatch that completed."""
    dispatch_id = ct.dispatch(halved)(8)
    return ct.get_result_manager(dispatch_id, str(private / "pieces"), wait=True)


def test_the_dispatch_s_own_pieces(manager: ResultManager) -> None:
    """Its value and error; files have the documented names."""
    assert manager.result_object.result == 4
    assert manager.download_result_asset("result") == manager.results_dir / "result.tobj"
    assert manager.load_result_asset("result").get_deserialized() == 4
    assert manager.load_result_asset("error") == ""
    assert sorted(path.name for path in manager.results_dir.iterdir()) == ["error.log", "result.tobj"]


def test_the_workflow_s_pieces(manager: ResultManager) -> None:
    """Function, source, text and inputs."""
    assert manager.load_lattice_asset("workflow_function").get_deserialized()
    assert "return divide(x, y)" in manager.load_lattice_asset("workflow_function_string")
    assert manager.load_lattice_asset("doc") == "Half as much."
    inputs = manager.load_lattice_asset("inputs").get_deserialized()
    assert inputs["args"] == (8,)
    assert manager.load_lattice_asset("hooks") is None


def test_a_node_s_pieces(manager: ResultManager) -> None:
    """A task has a function and an output, a parameter a value; both in folders of their own."""
    found = {node.kind.value: node.id for node in manager.result_object.graph.nodes}
    task, parameter = found["function"], found["parameter"]
    assert manager.load_node_asset(task, "output").get_deserialized() == 4
    assert "x / y" in manager.load_node_asset(task, "function_string")
    assert manager.load_node_asset(task, "function").get_deserialized()(1, 2) == 0.5
    assert manager.load_node_asset(task, "value") is None
    assert manager.load_node_asset(parameter, "function") is None
    assert manager.load_node_asset(parameter, "value").get_deserialized() in (8, 2)
    assert [manager.load_node_asset(task, key) for key in ("stdout", "stderr", "error", "hooks")] == ["", "", "", None]
    assert (manager.results_dir / f"node_{task}" / "results.tobj").exists()


def test_the_error_of_a_failed_dispatch() -> None:
    """Of the dispatch and of the node; the files lie below the results folder of the configuration."""
    manager = ct.get_result_manager(ct.dispatch(halved)(1, 0), wait=True)
    assert "ZeroDivisionError" in manager.load_node_asset(0, "error")
    assert manager.load_result_asset("error") == manager.result_object.error
    assert manager.load_result_asset("result") is None
    assert manager.results_dir == Path(ct.get_config("sdk.results_dir")) / manager.dispatch_id


def test_what_was_saved_is_loaded_without_a_dispatcher(manager: ResultManager, private: Path) -> None:
    """What was fetched before is read; the rest is fetched when it is asked for."""
    manager.download_result_asset("result")
    saved = manager.save()
    assert saved == private / "pieces" / "result_manifest.json"
    elsewhere = manager.save(private / "other" / "saved.json")
    disconnect()
    loaded = ResultManager.load(saved)
    assert (loaded.dispatch_id, loaded.result_object.status) == (manager.dispatch_id, "COMPLETED")
    assert loaded.load_result_asset("result").get_deserialized() == 4
    again = ResultManager.load(elsewhere, private / "pieces")
    assert again.results_dir == private / "pieces"
    assert again.load_node_asset(0, "output").get_deserialized() == 4


def test_a_piece_that_was_fetched_too_early_is_fetched_again(private: Path) -> None:
    """Also by a manager that was saved before the dispatch began."""
    dispatch_id = ct.dispatch(halved, disable_run=True)(8)
    manager = ct.get_result_manager(dispatch_id, str(private / "pieces"))
    assert manager.load_result_asset("result") is None
    saved = manager.save()
    connect().start(dispatch_id)
    ct.sync(dispatch_id)
    for asked in (manager, ResultManager.load(saved)):
        assert asked.load_result_asset("result").get_deserialized() == 4
        assert asked.result_object.status == "COMPLETED"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "dispatch_id": "a"}'])
def test_a_file_that_was_not_saved_is_told(private: Path, text: str) -> None:
    """With its path."""
    path = private / "wrong.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"wrong\.json cannot be loaded"):
        ResultManager.load(path)


def test_what_does_not_exist_is_named(manager: ResultManager) -> None:
    """Keys, nodes and dispatches; no file is left."""
    for fetch in (manager.download_result_asset, manager.load_result_asset, manager.load_lattice_asset):
        with pytest.raises(KeyError, match=r"'\.\./stdout'"):
            fetch("../stdout")
    with pytest.raises(KeyError, match="choose from function, function_string"):
        manager.load_node_asset(0, "result")
    with pytest.raises(MissingNodeError):
        manager.load_node_asset(99, "output")
    with pytest.raises(MissingLatticeRecordError):
        ct.get_result_manager("nothing")
    assert not manager.results_dir.exists()
