"""`migrate-pickled-result-object`: results that Covalent pickled, of several versions."""

import base64
import json
import os
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cloudpickle
import networkx  # noqa: TID253 - the graphs of Covalent are networkx's
import pytest
from click.testing import Result

import covalent_lab as ct

Run = Callable[..., Result]
COMMAND = "migrate-pickled-result-object"
BEGAN, ENDED = datetime(2022, 5, 1, 12, 0, 0, tzinfo=UTC), datetime(2022, 5, 1, 12, 0, 9, tzinfo=UTC)


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.SimpleNamespace]:
    """Classes that pickle under the names of Covalent's; the process that reads has none of them."""
    made = types.SimpleNamespace()
    for package in ("covalent", "covalent._results_manager", "covalent._workflow", "covalent._shared_files"):
        monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    for module, names in {
        "covalent._results_manager.result": ["Result"],
        "covalent._workflow.lattice": ["Lattice"],
        "covalent._workflow.transport": ["_TransportGraph", "TransportableObject"],
        "covalent._shared_files.util_classes": ["Status"],
    }.items():
        home = types.ModuleType(module)
        monkeypatch.setitem(sys.modules, module, home)
        for name in names:
            kind = type(name, (), {"__module__": module, "__init__": _filled})
            setattr(home, name, kind)
            setattr(made, name, kind)
    return made


def _filled(self: Any, **fields: Any) -> None:
    vars(self).update(fields)


def first_form(old: Any, value: Any) -> Any:
    """A value as the oldest version packed it."""
    packed = base64.b64encode(cloudpickle.dumps(value)).decode()
    return old.TransportableObject(_object=packed, python_version="3.8.1", object_string=str(value), attrs={})


def second_form(old: Any, value: Any) -> Any:
    """… a later one …"""
    header = {"py_version": "3.9.2", "attrs": {"doc": None, "name": None}}
    packed = base64.b64encode(cloudpickle.dumps(value)).decode()
    return old.TransportableObject(_object=packed, _object_string=str(value), _header=header)


def third_form(old: Any, value: Any) -> Any:
    """… and the last."""
    header = json.dumps({"py_version": "3.10.3", "attrs": {"doc": None, "name": None}}).encode()
    text = str(value).encode()
    front = (16 + len(header)).to_bytes(8, "big") + (16 + len(header) + len(text)).to_bytes(8, "big")
    return old.TransportableObject(_buffer=bytearray(front + header + text + cloudpickle.dumps(value)))


def plain(old: Any, value: Any) -> Any:
    """Values that were not packed at all."""
    return value


def pickled(old: Any, folder: Path, pack: Callable[[Any, Any], Any], status: str = "COMPLETED") -> Path:
    """A result with a parameter, a task and a task that waited for it."""
    graph = networkx.MultiDiGraph()
    over = {"start_time": BEGAN, "end_time": ENDED, "status": old.Status(STATUS="COMPLETED"), "error": None}
    add = {"function": first_form(old, abs), "metadata": {"executor": "dask"}, "stdout": "printed\n", "stderr": ""}
    graph.add_node(0, name="add", **add, **over, output=pack(old, 42))
    graph.add_node(1, name=":parameter:40", value=pack(old, 40), output=pack(old, 40), metadata={}, **over)
    failed = {**over, "status": status, "error": "ValueError: odd" if status == "FAILED" else None}
    graph.add_node(2, name="check", function=first_form(old, len), metadata={}, **failed, output=pack(old, None))
    graph.add_edge(1, 0, edge_name="x", param_type="arg", arg_index=0)
    graph.add_edge(0, 2, edge_name="!waiting_edge", wait_for=True)
    lattice = old.Lattice(
        transport_graph=old._TransportGraph(_graph=graph, lattice_metadata={}),
        workflow_function=pack(old, abs),
        workflow_function_string="def workflow(x): ...",
        metadata={"executor": "dask", "workflow_executor": "local"},
        **{"__name__": "workflow", "__doc__": "What it did."},
    )
    result = old.Result(
        _dispatch_id=f"old-{pack.__name__.replace('_', '-')}-{status.lower()}",
        _lattice=lattice,
        _status=old.Status(STATUS=status),
        _start_time=BEGAN,
        _end_time=ENDED,
        _inputs={"args": [pack(old, 40)], "kwargs": {"y": pack(old, [1, 2])}},
        _result=pack(old, 42),
        _error="odd" if status == "FAILED" else None,
        _results_dir="/nowhere",
    )
    path = folder / "result.pkl"
    path.write_bytes(pickle.dumps(result))
    return path


@pytest.mark.parametrize("pack", [first_form, second_form, third_form, plain])
def test_a_completed_result_is_taken_over(home: Path, run: Run, old: Any, tmp_path: Path, pack: Any) -> None:
    """Values, times, texts and the graph are there afterwards, as those of a dispatch of one's own."""
    answer = run(COMMAND, pickled(old, tmp_path, pack))
    assert (answer.exit_code, answer.stderr) == (0, "")
    dispatch_id = answer.stdout.strip()

    result = ct.get_result(dispatch_id)
    assert (result.name, result.status, result.result) == ("workflow", "COMPLETED", 42)
    assert (result.start_time, result.end_time) == (BEGAN, ENDED)
    inputs = result.inputs
    assert inputs is not None
    assert inputs.get_deserialized() == {"args": (40,), "kwargs": {"y": [1, 2]}}
    node = result.get_node_result(0)
    assert (node["node_name"], node["status"], node["stdout"]) == ("add", "COMPLETED", "printed\n")
    assert node["output"].get_deserialized() == 42
    assert node["output"].object_string == "42"
    assert [node.name for node in result.graph.nodes] == ["add", ":parameter:40", "check"]
    assert result.graph.options[result.graph.nodes[0].options].executor == "dask"
    assert {(edge.source, edge.target, edge.name) for edge in result.graph.edges} == {
        (1, 0, "x"),
        (0, 2, "!waiting_edge"),
    }
    assert result.lattice.workflow_function.get_deserialized() is abs

    again = run(COMMAND, tmp_path / "result.pkl")
    assert again.exit_code == 1
    assert "already" in again.stderr


@pytest.mark.parametrize(("status", "taken_as"), [("FAILED", "FAILED"), ("RUNNING", "CANCELLED")])
def test_a_result_that_did_not_complete(
    home: Path, run: Run, old: Any, tmp_path: Path, status: str, taken_as: str
) -> None:
    """One that was not over is over now: nobody will go on with it."""
    dispatch_id = run(COMMAND, pickled(old, tmp_path, second_form, status)).stdout.strip()

    result = ct.get_result(dispatch_id, wait=True, timeout=200)
    assert (result.status, result.result) == (taken_as, None)
    assert result.error
    assert result.get_node_result(2)["status"] == taken_as


class _Trap:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (exec, (f"import os; open({str(self.path)!r}, 'w').write(str(os.getpid()))",))


def test_a_file_that_is_no_result_is_refused(home: Path, run: Run, tmp_path: Path) -> None:
    """In one line and without a record; whatever it holds runs in another process."""
    trap = tmp_path / "trap"
    cases = {"nothing.pkl": b"", "text.pkl": b"not a pickle", "other.pkl": pickle.dumps([_Trap(trap)])}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        answer = run(COMMAND, tmp_path / name)
        assert (answer.exit_code, len(answer.stderr.splitlines())) == (1, 1)
        assert name in answer.stderr
    assert int(trap.read_text()) != os.getpid()
    assert run(COMMAND, tmp_path / "missing.pkl").exit_code == 2
    assert not (home / ".local/share/covalent_lab").exists()
