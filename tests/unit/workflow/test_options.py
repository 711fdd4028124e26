"""What nodes inherit, and that electrons never change because of it."""

from typing import Any

import pytest

from covalent_lab.graph.model import NodeOptions
from covalent_lab.workflow.deps import DepsBash, DepsPip
from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import Lattice, lattice
from covalent_lab.workflow.options import encode_metadata
from covalent_lab.workflow.transportable import TransportableObject
from tests.unit.workflow.test_electron import FakeCall, FakeExecutor

BASH = {"deps": {"bash": DepsBash("ls").to_dict()}}
LS = {**BASH, "call_before": [], "call_after": []}


def options_by_name(built: Lattice) -> dict[str, NodeOptions]:
    """Options of each node."""
    return {node.name: built.graph.options[node.options] for node in built.graph.nodes}


def built_of(body: Any, **options: Any) -> dict[str, NodeOptions]:
    """Options of each node of a workflow function."""
    made = lattice(body, **options)
    made.build_graph()
    return options_by_name(made)


def plain(x=0):
    return x


def test_without_any_option_everything_is_local() -> None:
    """All nodes share the default."""
    found = built_of(lambda: electron(plain)([1])[0] + 1)
    assert set(map(str, found.values())) == {str(NodeOptions(executor="local"))}


def test_each_key_is_inherited_by_itself() -> None:
    """An electron with an executor still takes the lattice's hooks, and the other way round."""
    with_executor = electron(lambda: 1, executor="mine")
    with_hooks = electron(plain, deps_bash="ls")
    found = built_of(lambda: [with_executor(), with_hooks()], executor=FakeExecutor(a=1), call_after=[FakeCall()])
    lattice_hooks = {"deps": {}, "call_before": [], "call_after": [FakeCall().to_dict()]}
    assert found["<lambda>"] == NodeOptions(executor="mine", hooks=lattice_hooks)
    assert found["plain"] == NodeOptions(executor="fake", executor_data=FakeExecutor(a=1).to_dict(), hooks=LS)


def test_an_electron_keeps_nothing_of_a_lattice_it_was_used_in() -> None:
    """The second lattice decides anew, and so does a re-run with other options."""
    task = electron(plain)
    first, second = lattice(task, executor="one"), lattice(task, executor="two")
    for built, name in ((first, "one"), (second, "two"), (first, "one")):
        built.build_graph()
        assert options_by_name(built)["plain"].executor == name
    first.set_metadata("executor", "three")
    first.build_graph()
    assert options_by_name(first)["plain"].executor == "three"
    assert task.electron_object.metadata == {"executor": None, "executor_data": None, "hooks": None}


def test_changing_an_electron_shows_in_the_next_call() -> None:
    """Even within one build."""
    task = electron(plain)

    def body():
        task.electron_object.executor = "early"
        task(1)
        task.electron_object.set_metadata("executor", FakeExecutor(b=2))
        task(2)

    built = lattice(body)
    built.build_graph()
    executors = [built.graph.options[n.options].executor for n in built.graph.nodes if n.name == "plain"]
    assert executors == ["early", "fake"]


def test_operators_and_postprocessing_run_on_the_workflow_executor() -> None:
    """Operators without hooks, postprocessing with the lattice's."""
    found = built_of(lambda: electron(plain)(1) + 1, executor="one", workflow_executor="two", deps_bash=["ls"])
    assert found["plain"] == NodeOptions(executor="one", hooks=LS)
    assert found["plain_+_1"] == NodeOptions(executor="two")
    assert found[":postprocess:reconstruct"] == NodeOptions(executor="two", hooks=LS)


def test_postprocessing_runs_a_function_only_for_its_hooks() -> None:
    """Otherwise the dispatcher passes the value on."""
    hooked, bare = lattice(lambda: 1, deps_bash="ls"), lattice(lambda: 1)
    hooked.build_graph()
    bare.build_graph()
    assert [function.name for function in hooked.graph.functions] == ["reconstruct"]
    assert bare.graph.functions == ()


def test_collections_run_where_their_electron_runs_without_its_hooks() -> None:
    """They only gather."""
    found = built_of(lambda: electron(plain, executor="far", deps_bash="ls")([1]))
    assert found[":electron_list:"] == NodeOptions(executor="far")
    assert found["plain"] == NodeOptions(executor="far", hooks=LS)


def test_parts_of_a_result_inherit_but_do_not_repeat_deliveries() -> None:
    """Hooks that deliver an argument would break `getattr`."""
    task = electron(plain, executor="far", deps_bash="ls", call_before=[FakeCall("x"), FakeCall()])
    found = built_of(lambda: task()[0])
    assert found[":plain.__getitem__"] == NodeOptions(
        executor="far", hooks={**LS, "call_before": [FakeCall().to_dict()]}
    )


class FakeTransfer:
    """A file transfer of two harmless calls."""

    def __init__(self, order: str) -> None:
        self.order = order

    def cp(self) -> Any:
        """What to do before, and the copy."""
        return (lambda: ("a", "b")), (lambda: None)


def test_file_transfers_come_first_and_are_not_repeated_for_parts() -> None:
    """Before: prepare, copy; after: copy after; then the user's calls."""
    task = electron(plain, files=[FakeTransfer("before"), FakeTransfer("after")], call_before=FakeCall("k"))
    found = built_of(lambda: task()[0])
    hooks = found["plain"].hooks
    assert [call["attributes"]["retval_keyword"] for call in hooks["call_before"]] == ["files", "", "files", "k"]
    assert [call["attributes"]["retval_keyword"] for call in hooks["call_after"]] == [""]
    prepare = TransportableObject.from_dict(hooks["call_before"][0]["attributes"]["apply_fn"])
    assert prepare.get_deserialized()() == ("a", "b")
    assert found[":plain.__getitem__"].hooks == {}


def test_parts_of_a_result_keep_what_is_not_a_transfer() -> None:
    """A module that came along is needed to load the result."""
    task = electron(
        plain, files=[FakeTransfer("before"), FakeTransfer("after")], call_before=FakeCall(), call_after=FakeCall()
    )
    own = FakeCall().to_dict()
    assert built_of(lambda: task()[0])[":plain.__getitem__"].hooks == {
        "deps": {},
        "call_before": [own],
        "call_after": [own],
    }


@pytest.mark.parametrize("files", ["s3://bucket/name", ["s3://bucket/name"], FakeTransfer("before"), 1])
def test_files_is_a_list_of_transfers(files: Any) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(TypeError, match="TransferFromRemote"):
        electron(plain, files=files)


def test_sublattices_are_built_on_the_workflow_executor() -> None:
    """Unless they name an executor of their own."""
    inner = lattice(lambda: 1)
    inner.__name__ = "inner"
    found = built_of(electron(inner), executor="one", workflow_executor="two", deps_bash="ls")
    assert found[":sublattice:inner"] == NodeOptions(executor="two")
    found = built_of(electron(inner, executor="own"), executor="one", deps_bash="ls")
    assert found[":sublattice:inner"] == NodeOptions(executor="own")


def test_manifest_metadata_is_resolved_json() -> None:
    """Executors have names, triggers are dictionaries."""
    made = lattice(lambda: 1, executor=FakeExecutor(a=1), triggers=FakeCall(), deps_pip=["numpy"])
    assert made.manifest_metadata() == {
        "executor": "fake",
        "executor_data": FakeExecutor(a=1).to_dict(),
        "workflow_executor": "fake",
        "workflow_executor_data": FakeExecutor(a=1).to_dict(),
        "hooks": {
            "deps": {"pip": DepsPip(["numpy"]).to_dict()},
            "call_before": [],
            "call_after": [],
        },
        "cache": None,
        "triggers": [FakeCall().to_dict()],
    }
    assert lattice(lambda: 1).manifest_metadata() == {
        "executor": "local",
        "executor_data": {},
        "workflow_executor": "local",
        "workflow_executor_data": {},
        "hooks": {},
        "cache": None,
        "triggers": None,
    }


def test_lattice_metadata_has_the_documented_keys() -> None:
    """None where nothing was set."""
    assert set(lattice(lambda: 1).metadata.items()) == {
        ("executor", None),
        ("executor_data", None),
        ("workflow_executor", None),
        ("workflow_executor_data", None),
        ("hooks", None),
        ("triggers", None),
    }


def test_encode_metadata_replaces_instances_by_their_json_form() -> None:
    """Executor instances become name and data; everything else is checked and kept."""
    metadata = {"executor": FakeExecutor(size=3), "workflow_executor": "local", "hooks": None}

    assert encode_metadata(metadata) == {
        "executor": "fake",
        "executor_data": FakeExecutor(size=3).to_dict(),
        "workflow_executor": "local",
        "workflow_executor_data": {},
        "hooks": None,
    }
    with pytest.raises(KeyError, match="colour"):
        encode_metadata({"colour": "red"})
