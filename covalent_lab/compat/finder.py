"""Makes the paths of the table importable: a finder for `sys.meta_path`, and modules that look names up when asked.

The finder stands at the end of `sys.meta_path`, so that whatever is really installed under such a name wins.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from covalent_lab.compat.table import TABLE

__all__ = ["AliasFinder", "AliasModule", "resolve"]

_PACKAGES = frozenset(path.rpartition(".")[0] for path in TABLE)


class AliasModule(ModuleType):
    """A module path of Covalent; its names come from their homes in this package, each when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_")]
        value = _find(self.__name__, name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, AliasModule) and name in TABLE[self.__name__]:
            return  # the import system binds submodules; `covalent._workflow.electron` is the decorator all the same
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        names = TABLE[self.__name__]
        others = dir(import_module(names["*"])) if "*" in names else []
        below = [path.rpartition(".")[2] for path in TABLE if path.rpartition(".")[0] == self.__name__]
        return sorted({*super().__dir__(), *(names.keys() - {"*"}), *others, *below})

    def __reduce__(self) -> tuple[Any, ...]:
        return (_load, (self.__name__,))  # by value, because tasks run where no finder was installed


class AliasFinder(MetaPathFinder, Loader):
    """Finds and makes the modules of the table."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """The spec of a path of the table; None for any other."""
        if fullname not in TABLE:
            return None
        return ModuleSpec(fullname, self, origin="covalent_lab.compat", is_package=fullname in _PACKAGES)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An alias module; it knows itself what is in it."""
        return AliasModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


def resolve(path: str) -> Any:
    """The object behind a documented path, without installing anything.

    Args:
        path: A module path of the table, or such a path with a name behind it.

    Raises:
        AttributeError: There is no such path, or what it needs is not installed.

    Example:
        >>> resolve("covalent._workflow.electron.Electron").__name__
        'Electron'
    """
    if path in TABLE:
        return _load(path)
    module, _, name = path.rpartition(".")
    if module not in TABLE:
        raise AttributeError(f"Covalent has no documented path {path!r}.")
    return _find(module, name)


def _find(module: str, name: str) -> Any:
    names, below = TABLE[module], f"{module}.{name}"
    home, _, attribute = names.get(name, "").partition(":")
    if not home and below in TABLE:
        return sys.modules.get(below) or _load(below)
    if not home and "*" in names and not name.startswith("__"):
        home, attribute = names["*"], name
    if not home:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    try:
        return getattr(import_module(home), attribute)
    except ModuleNotFoundError as error:
        raise AttributeError(f"{module}.{name} is not here: {error}") from error


def _load(path: str) -> AliasModule:
    return AliasModule(path)
