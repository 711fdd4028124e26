"""The documented interface of Covalent, name by name: `reference_api.json` says what must be there, this finds it.

An entry of the table has a documented path, an area, and what is documented below the path. Areas that later versions
bring are left out.
"""

import ast
import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.compat.finder import resolve
from covalent_lab.compat.table import TABLE

# Backends, triggers, quantum and cloud deployment are not part of this version.
LATER_AREAS = frozenset(
    {
        "cloud",
        "executor-awsbatch",
        "executor-awslambda",
        "executor-azurebatch",
        "executor-braket",
        "executor-ec2",
        "executor-ecs",
        "executor-gcpbatch",
        "executor-remote",
        "quantum",
        "triggers",
    }
)

ENTRIES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("reference_api.json").read_text(encoding="utf-8"))
NOTHING = object()


def task(x: int) -> int:
    """A function to make electrons of."""
    return x


# How to make an object of a class whose documented attributes exist on objects only.
SAMPLES: dict[str, Callable[[], Any]] = {
    "Electron": lambda: ct.Electron(task),
    "Lattice": lambda: ct.Lattice(task),
    "TransportableObject": lambda: ct.TransportableObject(1),
}


def found(path: str) -> Any:
    """The object behind a documented path; below a class as well."""
    return resolve(path) if path.rpartition(".")[0] in TABLE or path in TABLE else _below(path)


def _below(path: str) -> Any:
    above, _, name = path.rpartition(".")
    return getattr(found(above), name)


def sample(path: str) -> Any:
    """An object of a documented class; of a subclass, where the class leaves something to be written."""
    make = SAMPLES.get(path.rpartition(".")[2])
    if make:
        return make()
    owner = found(path)
    written = dict.fromkeys(getattr(owner, "__abstractmethods__", ()), task)
    return type(owner.__name__, (owner,), written)() if written else owner()


def documented(signature: str) -> ast.arguments:
    """The parameters of a documented signature."""
    function = ast.parse(f"def f{signature}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.args


def default(node: ast.expr | None) -> Any:
    """A documented default; NOTHING where a value must be given."""
    if node is None:
        return NOTHING
    if isinstance(node, ast.Attribute):  # a member of an enumeration
        return getattr(found(f"covalent.fs.{ast.unparse(node.value)}"), node.attr)
    return ast.literal_eval(node)


def same(expected: Any, actual: inspect.Parameter) -> bool:
    """Whether a default is the documented one; an empty list may be an empty tuple, which nobody can change."""
    if expected is NOTHING:
        return True  # what is asked for there may have a default here
    return bool(actual.default == expected) or (expected == [] and actual.default == ())


def compare(signature: str, function: Any) -> list[str]:
    """How a callable differs from its documented signature; further keywords that have a default are no difference."""
    wanted, problems = documented(signature), []
    actual = inspect.signature(function).parameters
    kinds = {parameter.kind for parameter in actual.values()}
    by_position = [p for p in actual.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
    if by_position and by_position[0].name == "self":
        by_position = by_position[1:]
    defaults = [None] * (len(wanted.args) - len(wanted.defaults)) + list(wanted.defaults)
    for index, (argument, value) in enumerate(zip(wanted.args, defaults, strict=True)):
        here = by_position[index] if index < len(by_position) else None
        if here is None or here.name != argument.arg:
            problems.append(f"parameter {index} must be {argument.arg!r}, is {here}")
        elif not same(default(value), here):
            problems.append(
                f"the default of {argument.arg!r} must be {ast.unparse(value) if value else 'none'}: {here}"
            )
    for argument, value in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True):
        here = actual.get(argument.arg)
        if here is None or here.kind is inspect.Parameter.POSITIONAL_ONLY:
            problems.append(f"the keyword {argument.arg!r} is missing")
        elif not same(default(value), here):
            problems.append(
                f"the default of {argument.arg!r} must be {ast.unparse(value) if value else 'none'}: {here}"
            )
    if wanted.kwarg and inspect.Parameter.VAR_KEYWORD not in kinds:
        problems.append("it must take any keyword")
    if wanted.vararg and inspect.Parameter.VAR_POSITIONAL not in kinds:
        problems.append("it must take any further argument")
    unasked = [p.name for p in by_position[len(wanted.args) :] if p.default is inspect.Parameter.empty]
    return problems + [f"it must not ask for {name!r}" for name in unasked if not wanted.vararg]


def check_self(entry: dict[str, Any], _: str) -> None:
    target = found(entry["path"])
    if entry["kind"] == "class":
        assert isinstance(target, type)
    assert callable(target)
    if "signature" in entry:
        assert compare(entry["signature"], target) == []


def check_name(entry: dict[str, Any], name: str) -> None:
    assert getattr(found(entry["path"]), name) is not None
    if entry["path"] == "covalent":
        assert getattr(ct, name) is not None


def check_constant(entry: dict[str, Any], name: str) -> None:
    legacy = {"NEW_OBJ": "NEW_OBJECT", "DISPATCHING_SUBLATTICE": "DISPATCHING"}
    assert str(getattr(found(entry["path"]), name)) == legacy.get(name, name)


def check_attribute(entry: dict[str, Any], name: str) -> None:
    target = found(entry["path"])
    assert hasattr(target, name) or hasattr(sample(entry["path"]), name)


def check_method(entry: dict[str, Any], name: str) -> None:
    words, _, signature = entry["methods"][name].rpartition("(")
    owner = found(entry["path"])
    method = inspect.getattr_static(owner, name)
    assert compare(f"({signature}", getattr(owner, name)) == []
    assert ("abstract" in words) <= bool(getattr(method, "__isabstractmethod__", False))
    assert ("async" in words) <= inspect.iscoroutinefunction(method)
    assert ("static" in words) <= isinstance(method, (staticmethod, classmethod))


def check_config(_: dict[str, Any], name: str) -> None:
    assert ct.get_config(name) is not None


def check_command(entry: dict[str, Any], name: str) -> None:
    command: Any = found("covalent_dispatcher._cli.cli")
    for word in name.split():
        command = command.commands[word]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(entry["commands"][name]) <= options


PARTS = {"constants": check_constant, "attributes": check_attribute, "methods": check_method, "commands": check_command}


def cases() -> Iterator[Any]:
    """Every documented name of this version, as a test."""
    for entry in ENTRIES:
        if entry["area"] in LATER_AREAS:
            continue
        path = entry["path"]
        if entry["kind"] in ("class", "function"):
            yield pytest.param(check_self, entry, "", id=f"{entry['area']}:{path}()")
        for name in entry.get("names", ()):
            check = check_config if entry["kind"] == "config" else check_name
            yield pytest.param(check, entry, name, id=f"{entry['area']}:{path}.{name}")
        for part, check in PARTS.items():
            for name in entry.get(part, ()):
                yield pytest.param(check, entry, name, id=f"{entry['area']}:{path}.{name}")


@pytest.mark.parametrize(("check", "entry", "name"), list(cases()))
def test_documented_name_is_there(
    check: Callable[[dict[str, Any], str], None], entry: dict[str, Any], name: str
) -> None:
    """A documented class, function, method, attribute, constant, key or command exists, with its parameters."""
    check(entry, name)


def test_every_area_is_known() -> None:
    """No entry hides behind an area that nobody has heard of, and none is put off that has no entry."""
    here = {
        *(
            "cli",
            "compat",
            "config",
            "core",
            "deps",
            "dispatcher",
            "electron",
            "executor-base",
            "executor-dask",
            "executor-local",
            "executor-slurm",
            "executor-ssh",
        ),
        *("files", "lattice", "lepton", "result"),
    }
    assert {entry["area"] for entry in ENTRIES} == here | LATER_AREAS


def test_the_table_serves_what_is_documented() -> None:
    """Each documented module path is in the compatibility table, and the table's names are documented ones."""
    listed: dict[str, set[str]] = {}
    for entry in ENTRIES:
        if entry["kind"] == "module":
            listed.setdefault(entry["path"], set()).update(entry["names"])
    served = {path: names.keys() - {"*"} for path, names in TABLE.items() if names}

    assert listed.keys() == served.keys()
    assert {path: names - listed[path] for path, names in served.items() if names - listed[path]} == {}
