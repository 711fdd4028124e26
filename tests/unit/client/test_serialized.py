"""Results as manifests and files, and back."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from covalent_lab.client.manifest_model import ResultSchema
from covalent_lab.client.serialized import deserialize_result, serialize_result
from covalent_lab.errors import GraphBuildError, MissingNodeError, UsageError

pytestmark = pytest.mark.usefixtures("executor")


@ct.electron
def half(x: int) -> float:
    """Divides."""
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x / 2


@ct.lattice
def halves(x: int, y: int) -> Any:
    """Two tasks."""
    return [half(x), half(y)]


def dispatched(*args: int) -> ct.Result:
    """What came of the workflow."""
    return ct.get_result(ct.dispatch(halves)(*args), wait=True, timeout=200)


def told(result: ct.Result) -> list[Any]:
    """Everything that a result says."""
    nodes = [
        {**node, "output": None if node["output"] is None else node["output"].get_deserialized()}
        for node in result.get_all_node_results()
    ]
    return [
        (result.dispatch_id, result.root_dispatch_id, result.status, result.result, result.error, result.name),
        (result.start_time, result.end_time, result.inputs),
        nodes,
        str(result),
        len(result.lattice.transport_graph._graph),
    ]


@pytest.mark.parametrize("args", [(2, 4), (2, 3)], ids=["completed", "failed"])
def test_a_result_survives_as_json_and_files_without_its_server(tmp_path: Path, args: tuple[int, int]) -> None:
    """Also after its files are gone, once it was read."""
    result = dispatched(*args)
    expected = told(result)
    text = serialize_result(result, tmp_path / "kept").model_dump_json()
    disconnect()

    read = deserialize_result(ResultSchema.model_validate_json(text))
    shutil.rmtree(tmp_path / "kept")

    assert told(read) == expected
    assert read.get_node_result(0) == read.get_all_node_results()[0]
    with pytest.raises(MissingNodeError):
        read.get_node_result(99)


def test_a_result_that_was_read_can_be_written_again(tmp_path: Path) -> None:
    first = serialize_result(dispatched(2, 4), tmp_path / "one")
    second = serialize_result(deserialize_result(first), tmp_path / "two")
    assert told(deserialize_result(second)) == told(deserialize_result(first))


def test_files_have_the_documented_names(tmp_path: Path) -> None:
    manifest = serialize_result(dispatched(2, 3), tmp_path)
    assert manifest.assets.error is not None
    assert manifest.assets.error.uri == (tmp_path / "error.log").as_uri()
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert names >= {"function.tobj", "inputs.tobj", "function_string.txt", "function_docstring.txt", "error.log"}
    assert "node_0/results.tobj" in names
    assert "result.tobj" not in names


def test_a_lattice_that_was_never_dispatched_is_a_manifest_as_well(tmp_path: Path) -> None:
    """If it has a graph."""
    lattice = ct.lattice(lambda: half(2))
    with pytest.raises(GraphBuildError):
        serialize_result(ct.Result(lattice), tmp_path)
    lattice.build_graph()
    manifest = serialize_result(ct.Result(lattice), tmp_path)
    read = deserialize_result(manifest)
    assert (read.dispatch_id, read.status, read.result, read.inputs) == ("", "NEW_OBJECT", None, lattice.inputs)
    assert read.graph == lattice.graph


def test_a_manifest_whose_files_changed_is_refused(tmp_path: Path) -> None:
    manifest = serialize_result(dispatched(2, 4), tmp_path)
    (tmp_path / "result.tobj").write_bytes(b"else")
    with pytest.raises(UsageError, match="changed"):
        deserialize_result(manifest)
    (tmp_path / "result.tobj").unlink()
    with pytest.raises(UsageError, match="FileNotFoundError"):
        deserialize_result(manifest)
