"""What every module owes its reader: a docstring, a complete `__all__`, a size that one can read."""

import ast
from pathlib import Path

import pytest

LONGEST = 600
README_LINES = 10


def parsed(path: Path) -> ast.Module:
    """Read a module without running it."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def declared(tree: ast.Module) -> list[str] | None:
    """Return the literal value of `__all__`, or None where there is none."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value):
                return list(ast.literal_eval(value))
    return None


def defined(tree: ast.Module) -> set[str]:
    """Return the public functions and classes that a module itself defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")}


def bound(tree: ast.Module) -> set[str]:
    """Return every name a module binds at its top level, inside `if` and `try` as well."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update((alias.asname or alias.name).partition(".")[0] for alias in aliases)
    return names


def loads_names_on_use(tree: ast.Module) -> bool:
    """Say whether a module has a `__getattr__` of its own."""
    return any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body)


def test_module_says_what_it_is_for(module_path: Path) -> None:
    """A module with code opens with a docstring."""
    tree = parsed(module_path)

    assert not tree.body or ast.get_docstring(tree)


def test_all_lists_what_the_module_defines(public_path: Path) -> None:
    """`__all__` names every public function and class, and nothing that is not there."""
    tree = parsed(public_path)
    names = declared(tree)

    assert names is not None, "a public module lists __all__"
    assert len(names) == len(set(names))
    assert defined(tree) - set(names) == set()
    if not loads_names_on_use(tree):
        assert set(names) - bound(tree) == set()


def test_module_can_be_read_in_one_sitting(module_path: Path) -> None:
    """No module is longer than 600 lines."""
    assert len(module_path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_folder_notes_are_short(root: Path) -> None:
    """A README inside the packages states the folder's rule in ten lines at most."""
    folders = (root / "covalent_lab", root / "server_extension", root / "executors")
    lengths = {path: len(path.read_text().splitlines()) for folder in folders for path in folder.rglob("README.md")}

    assert {path: length for path, length in lengths.items() if length > README_LINES} == {}


@pytest.mark.parametrize("folder", ["graph", "scheduler"])
def test_pure_folders_state_their_rule(folder: str, root: Path) -> None:
    """The folders that may do no I/O say so where the rule would be broken."""
    assert "I/O" in (root / "covalent_lab" / folder / "README.md").read_text(encoding="utf-8")
