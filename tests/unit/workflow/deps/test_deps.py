"""How dependencies are built and written, and what of them reaches the nodes."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.workflow.deps import Deps, DepsBash, DepsCall, DepsModule, DepsPip
from covalent_lab.workflow.transportable import TransportableObject

PACKAGE = "deps_sample_package"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of two modules and a data file that only this process can import."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "part.py").write_text("VALUE = 7\n")
    (folder / "notes.txt").write_text("hello")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield PACKAGE
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def hooks_of(task: Any) -> Any:
    """What an electron carries."""
    return task.electron_object.metadata["hooks"]


def test_apply_gives_what_is_to_be_called() -> None:
    """Function and arguments are transportable, the keyword is text."""
    function, args, kwargs, keyword = DepsCall(max, [1, 2], {"key": abs}, retval_keyword="top").apply()
    assert (function.get_deserialized(), args.get_deserialized(), kwargs.get_deserialized(), keyword) == (
        max,
        [1, 2],
        {"key": abs},
        "top",
    )


def test_every_class_survives_its_json_form(tmp_path: Path, package: str) -> None:
    """And the object that reads it returns itself."""
    listed = tmp_path / "requirements.txt"
    listed.write_text("attrs\n")
    pairs: list[tuple[Deps, Deps]] = [
        (Deps(len, ["ab"], retval_keyword="k"), Deps()),
        (DepsBash(["a", "b"]), DepsBash()),
        (DepsPip("numpy", listed), DepsPip()),
        (DepsCall(len, ["ab"], retval_keyword="k"), DepsCall()),
        (DepsModule(package), DepsModule(f"{package}.part")),
    ]
    for made, other in pairs:
        form = json.loads(json.dumps(made.to_dict()))
        assert (form["type"], form["short_name"]) == (type(made).__name__, "covalent_lab")
        assert other != made
        assert other.from_dict(form) is other
        assert other == made


def test_requirements_are_read_at_construction(tmp_path: Path) -> None:
    """The file may be gone later."""
    listed = tmp_path / "requirements.txt"
    listed.write_text("attrs\n")
    made = DepsPip(reqs_path=str(listed))
    listed.unlink()
    assert (made.packages, made.reqs_path, made.requirements_content) == ([], str(listed), "attrs\n")
    with pytest.raises(FileNotFoundError):
        DepsPip(reqs_path=str(listed))


@pytest.mark.parametrize("bad", [None, {}, {"type": "DepsPip", "attributes": {}}, {"type": "DepsBash"}])
def test_other_forms_are_refused(bad: Any) -> None:
    """And the object stays as it was."""
    made = DepsBash("ls")
    with pytest.raises(ValueError, match="DepsBash"):
        made.from_dict(bad)
    assert made == DepsBash("ls")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: DepsBash(3), TypeError, "DepsBash: commands"),  # type: ignore[arg-type]
        (lambda: DepsPip(["a", 1]), TypeError, "DepsPip: packages"),  # type: ignore[list-item]
        (lambda: DepsModule(3), TypeError, "module"),  # type: ignore[arg-type]
        (lambda: DepsModule(math), TypeError, "standard library"),
        (lambda: DepsModule("no_such_module_here"), ImportError, "no_such_module_here"),
        (lambda: DepsCall(len, retval_keyword="files"), RuntimeError, "files"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    """At construction, with the class's name or what is wrong."""
    with pytest.raises(error, match=message):
        make()


def test_the_reserved_keyword_can_be_had_on_demand() -> None:
    """For those who deliver files by themselves."""
    assert DepsCall(len, retval_keyword="files", override_reserved_retval_keys=True).retval_keyword == "files"


def test_texts_lists_and_modules_become_objects(package: str) -> None:
    """With a function to apply, as if the classes had been written out."""
    short = ct.electron(lambda: 1, deps_bash="a", deps_pip=["b"], deps_module=package, call_before=DepsBash("c"))
    long = ct.electron(
        lambda: 1,
        deps_bash=DepsBash(["a"]),
        deps_pip=DepsPip("b"),
        deps_module=[DepsModule(sys.modules[package])],
        call_before=[DepsBash("c")],
    )
    assert hooks_of(short) == hooks_of(long)
    assert set(hooks_of(short)["deps"]) == {"bash", "pip"}
    assert [call["type"] for call in hooks_of(short)["call_before"]] == ["DepsModule", "DepsBash"]
    for form in hooks_of(short)["deps"].values():
        assert callable(TransportableObject.from_dict(form["attributes"]["apply_fn"]).get_deserialized())


def test_own_hooks_replace_those_of_the_lattice() -> None:
    """Wholly: an electron with a call keeps nothing of the lattice's commands."""
    call = DepsCall(len, ["x"], retval_keyword="size")
    with_own = ct.electron(lambda x, size=0: x, call_before=call)
    without = ct.electron(lambda y: y)
    workflow = ct.lattice(lambda: [with_own(1, size=5), without(2)], deps_bash="ls")
    workflow.build_graph()
    graph = workflow.graph
    found = [dict(graph.options[node.options].hooks) for node in graph.nodes if node.name == "<lambda>"]
    assert found == [
        {"deps": {}, "call_before": [call.to_dict()], "call_after": []},
        {"deps": {"bash": DepsBash("ls").to_dict()}, "call_before": [], "call_after": []},
    ]
    first = next(index for index, node in enumerate(graph.nodes) if node.name == "<lambda>")
    assert [edge.name for edge in graph.edges if edge.target == first] == ["x"]


def test_a_call_tells_its_function_and_arguments() -> None:
    """`func`, `args` and `kwargs` are copies: changing them changes no call."""
    call = DepsCall(max, [1, 2], {"key": abs})
    call.args.append(3)

    assert (call.func, call.args, call.kwargs) == (max, [1, 2], {"key": abs})
    assert (DepsCall().func, DepsCall().args, DepsCall().kwargs) == (None, [], {})
