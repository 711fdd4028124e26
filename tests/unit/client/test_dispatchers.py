"""Dispatching step by step, with a manifest."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np  # noqa: TID253 - arguments of users are arrays
import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect
from covalent_lab.client.dispatchers import LocalDispatcher
from covalent_lab.errors import GraphBuildError, MissingLatticeRecordError, ServerUnreachableError, UsageError
from covalent_lab.graph.model import Graph
from covalent_lab.testing.fakes import FakeExecutor

pytestmark = pytest.mark.usefixtures("executor")


@ct.electron(deps_bash="true")
def total(x: Any) -> Any:
    """The sum."""
    return x.sum()


@ct.electron
def negate(x: Any) -> Any:
    """The opposite."""
    return -x


@ct.lattice
def workflow(x: Any) -> Any:
    """Adds up, twice."""
    return [negate(total(x)), negate(total(x))]


def built(**replacements: Callable[..., Any]) -> ct.Lattice[..., Any]:
    """The workflow with a graph."""
    lattice = copy.deepcopy(workflow)
    lattice.replace_electrons = replacements
    lattice.build_graph(np.arange(4))
    return lattice


def resolved(graph: Graph) -> Any:
    """A graph with options and functions in the places of their numbers, which may differ."""
    nodes = [
        (
            n.name,
            n.kind,
            n.value,
            n.task_group,
            graph.options[n.options],
            (*graph.functions, None)[-1 if n.function is None else n.function],
        )
        for n in graph.nodes
    ]
    return nodes, graph.edges


def value_of(dispatch_id: str) -> Any:
    """What came of a dispatch."""
    return ct.get_result(dispatch_id, wait=True, timeout=200).result


def test_a_registered_dispatch_runs_when_it_is_started() -> None:
    """A second start does nothing."""
    dispatch_id = LocalDispatcher.register(workflow)(np.arange(3))
    assert ct.get_result(dispatch_id).status == "NEW_OBJECT"
    assert LocalDispatcher.start(dispatch_id) == dispatch_id
    assert value_of(dispatch_id) == [-3, -3]
    assert LocalDispatcher.start(dispatch_id) == dispatch_id


def test_a_manifest_becomes_the_dispatch_it_describes(tmp_path: Path, executor: FakeExecutor) -> None:
    """As JSON, and from other hands: graph, hooks, inputs and sources are those of the lattice."""
    lattice = built()
    manifest = json.loads(json.dumps(LocalDispatcher.prepare_manifest(lattice, str(tmp_path / "staged"))))
    registered = LocalDispatcher.register_manifest(manifest)
    dispatch_id = registered["metadata"]["dispatch_id"]
    assert manifest["metadata"]["dispatch_id"] == ""
    result = ct.get_result(dispatch_id)
    assert (result.status, result.name, result.detail["doc"]) == ("NEW_OBJECT", "workflow", "Adds up, twice.")
    assert resolved(result.graph) == resolved(lattice.graph)
    assert result.inputs == lattice.inputs
    assert result.detail["source"] == lattice.workflow_function_string
    LocalDispatcher.start(dispatch_id)
    assert value_of(dispatch_id) == [-6, -6]
    assert {spec.name for spec in executor.submitted if spec.hooks} == {"total"}


def test_a_manifest_has_the_documented_form() -> None:
    """Assets are files in a new folder of the cache; what has no value has no size."""
    manifest = LocalDispatcher.prepare_manifest(built())
    assert manifest.keys() == {"metadata", "assets", "lattice"}
    lattice = manifest["lattice"]
    assert lattice["assets"].keys() == {"workflow_function", "workflow_function_string", "doc", "inputs", "hooks"}
    assert lattice["assets"]["hooks"]["size"] == 0
    node = lattice["transport_graph"]["nodes"][0]
    keys = {"function", "function_string", "value", "output", "error", "stdout", "stderr", "hooks"}
    assert node["assets"].keys() == keys
    assert {key for key in keys if node["assets"][key]["size"]} == {"function", "function_string", "hooks"}
    function = node["assets"]["function"]
    path = Path(urlsplit(function["uri"]).path)
    assert path.stat().st_size == function["size"]
    assert path.is_relative_to(ct.get_config("sdk.dispatch_cache_dir"))
    assert (path.name, len(function["digest"]), function["digest_alg"]) == ("function.tobj", 40, "sha")
    assert lattice["transport_graph"]["links"][0]["metadata"].keys() == {"edge_name", "param_type", "arg_index"}


def test_registering_a_registered_manifest_changes_nothing() -> None:
    """It is the same dispatch."""
    registered = LocalDispatcher.register_manifest(LocalDispatcher.prepare_manifest(built()))
    assert LocalDispatcher.register_manifest(registered, push_assets=False) == registered
    assert connect().list_dispatches()["total"] == 1


def test_assets_are_sent_where_they_are_missing() -> None:
    """As to another server, or after the dispatch was deleted there."""
    manifest = LocalDispatcher.prepare_manifest(built())
    with pytest.raises(UsageError, match="register_manifest"):
        LocalDispatcher.upload_assets(manifest)
    manifest["metadata"]["dispatch_id"] = manifest["metadata"]["root_dispatch_id"] = "elsewhere"
    for _ in range(2):
        LocalDispatcher.upload_assets(manifest)
    LocalDispatcher.start("elsewhere")
    assert value_of("elsewhere") == [-6, -6]


def test_a_derived_manifest_takes_over_what_is_unchanged() -> None:
    """Replaced nodes are marked in the manifest, and run."""
    first = LocalDispatcher.dispatch_sync(workflow)(np.arange(4))
    manifest = LocalDispatcher.prepare_manifest(built(negate=lambda x: x + 1))
    nodes = manifest["lattice"]["transport_graph"]["nodes"]
    assert [n["metadata"]["status"] for n in nodes].count("PENDING_REPLACEMENT") == 2
    derived = LocalDispatcher.register_derived_manifest(manifest, first.dispatch_id, True)
    dispatch_id = derived["metadata"]["dispatch_id"]
    states = connect().nodes(dispatch_id)
    names = [ct.get_result(dispatch_id).graph.nodes[n].name for n in states["node_id"]]
    assert (names, set(states["status"])) == (["total", "total"], {"PENDING_REUSE"})
    LocalDispatcher.start(dispatch_id)
    assert value_of(dispatch_id) == [7, 7]
    again = LocalDispatcher.redispatch(dispatch_id)(np.arange(3))
    assert value_of(again) == [4, 4]
    with pytest.raises(MissingLatticeRecordError):
        LocalDispatcher.register_derived_manifest(manifest, "nothing", True)


def test_redispatches_can_be_registered() -> None:
    """And started later."""
    first = LocalDispatcher.dispatch(workflow)(np.arange(4))
    second = LocalDispatcher.register_redispatch(first)()
    assert ct.get_result(second).status == "NEW_OBJECT"
    LocalDispatcher.start(second)
    assert value_of(second) == [-6, -6]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.clear(),
        lambda m: m.update(lattice=[]),
        lambda m: m["lattice"]["assets"]["inputs"].update(size=0),
        lambda m: m["lattice"]["assets"]["inputs"].update(uri="https://example.org/x"),
        lambda m: m["lattice"]["assets"]["inputs"].update(uri="file:///no/such/file"),
        lambda m: m["lattice"]["transport_graph"]["nodes"].reverse(),
        lambda m: m["lattice"]["transport_graph"]["links"][0].update(target=99),
    ],
    ids=["empty", "list", "no inputs", "web", "gone", "order", "edge"],
)
def test_a_manifest_that_cannot_be_used_is_refused(spoil: Callable[[dict[str, Any]], Any]) -> None:
    """With one line that says why; nothing is recorded."""
    manifest = LocalDispatcher.prepare_manifest(built())
    spoil(manifest)
    with pytest.raises(UsageError):
        LocalDispatcher.register_manifest(manifest)
    assert connect().list_dispatches()["total"] == 0


def test_a_changed_file_is_noticed() -> None:
    """Its digest is in the manifest."""
    manifest = LocalDispatcher.prepare_manifest(built())
    Path(urlsplit(manifest["lattice"]["assets"]["inputs"]["uri"]).path).write_bytes(b"else")
    with pytest.raises(UsageError, match="changed"):
        LocalDispatcher.register_manifest(manifest)


@pytest.mark.parametrize(
    "call",
    [
        LocalDispatcher.dispatch,
        LocalDispatcher.dispatch_sync,
        LocalDispatcher.register,
        LocalDispatcher.prepare_manifest,
    ],
)
def test_only_lattices_are_dispatched(call: Callable[[Any], Any]) -> None:
    """At once, not when the arguments come."""
    with pytest.raises(TypeError, match="lattice"):
        call(total)


def test_a_lattice_has_to_be_built_for_a_manifest() -> None:
    """There is nothing to describe before."""
    with pytest.raises(GraphBuildError, match="build_graph"):
        LocalDispatcher.prepare_manifest(workflow)


def test_stopping_triggers_of_a_dispatch_without_any_does_nothing() -> None:
    """An id that nobody knows is a mistake."""
    dispatch_id = LocalDispatcher.register(workflow)(np.arange(3))
    LocalDispatcher.stop_triggers(dispatch_id)
    LocalDispatcher.stop_triggers([dispatch_id])
    with pytest.raises(MissingLatticeRecordError):
        LocalDispatcher.stop_triggers([dispatch_id, "nothing"])


@pytest.mark.parametrize("address", ["localhost:9", "http://localhost:9/", "localhost:9/user/me"])
@pytest.mark.parametrize(
    "request_",
    [
        lambda address: LocalDispatcher.register(workflow, address)(np.arange(3)),
        lambda address: LocalDispatcher.start("x", address),
        lambda address: LocalDispatcher.redispatch("x", address)(),
        lambda address: LocalDispatcher.redispatch("x", address)(3),
        lambda address: LocalDispatcher.register_manifest(LocalDispatcher.prepare_manifest(built()), address),
    ],
    ids=["register", "start", "copy", "rebuild", "manifest"],
)
def test_a_server_that_is_not_there_is_named(address: str, request_: Callable[[str], Any]) -> None:
    """Together with what to do."""
    with pytest.raises(ServerUnreachableError, match=r"localhost:9.*Start JupyterLab"):
        request_(address)
