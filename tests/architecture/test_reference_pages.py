"""The documentation site: it builds without a warning, and nothing public is missing from it."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import covalent_lab as ct
from covalent_lab import compat, executor
from covalent_lab.cli.commands import _commands
from covalent_lab.testing.classic_suite import ClassicExecutorContract
from covalent_lab.testing.executor_suite import ExecutorContract
from covalent_lab.testing.packing_suite import PackingContract
from covalent_lab.testing.store_suite import StoreSuite

ENTRY = re.compile(r"^::: (\S+)", re.MULTILINE)
# Modules and functions that a page describes in words.
IN_WORDS = {
    "__version__",
    "executor",
    "fs",
    "fs_strategies",
    "leptons",
    "load_ipython_extension",
}


def entries(root: Path) -> set[str]:
    """Everything the reference pages describe, by full name."""
    pages = (root / "docs" / "reference").glob("*.md")
    return {name for page in pages for name in ENTRY.findall(page.read_text(encoding="utf-8"))}


def full_name(name: str) -> str:
    """Where a public name is defined."""
    if name == "status":
        name = "Status"
    return f"covalent_lab.{ct._HOMES[name]}.{name}"


def test_every_public_name_has_an_entry(root: Path) -> None:
    assert {full_name(name) for name in set(ct.__all__) - IN_WORDS} - entries(root) == set()


def test_every_public_name_of_the_modules_has_an_entry(root: Path) -> None:
    """`ct.leptons.x`, `ct.fs.X`, `ct.executor.X`, what installs the compatibility layer, and the suites for plugins."""
    modules = (ct.leptons, ct.fs, ct.fs_strategies, executor, compat)
    public = [getattr(module, name) for module in modules for name in module.__all__ if "ipython" not in name]
    public += [ClassicExecutorContract, ExecutorContract, PackingContract, StoreSuite]
    assert {f"{value.__module__}.{value.__name__}" for value in public} - entries(root) == set()


def test_every_command_is_in_the_guide(root: Path) -> None:
    text = (root / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in commands(_commands) if not re.search(rf"(`|covalent-lab ){name}\b(?!-)", text)] == []


def commands(group: click.Group, above: str = "") -> Iterator[str]:
    """Names of commands, those of groups included."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{above}{name} ")
        else:
            yield above + name


def test_every_entry_is_defined(root: Path) -> None:
    """An entry names something at the place where it is written, not where it is imported."""
    for entry in entries(root):
        parts = entry.split(".")
        places = [p for folder in ("", "executors", "server_extension") for p in _files(root / folder, parts)]
        assert places, entry


def _files(folder: Path, parts: list[str]) -> list[Path]:
    whole = folder.joinpath(*parts)
    if whole.with_suffix(".py").is_file() or (whole / "__init__.py").is_file():
        return [whole]
    module = folder.joinpath(*parts[:-1]).with_suffix(".py")
    if not module.is_file():
        module = folder.joinpath(*parts[:-1], "__init__.py")
    if not module.is_file():
        return []
    defined = ast.parse(module.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [module] if any(isinstance(node, kinds) and node.name == parts[-1] for node in defined) else []


def test_the_site_builds_without_a_warning(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    assert (tmp_path / "site" / "reference" / "workflow" / "index.html").is_file()
