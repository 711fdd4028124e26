"""`import covalent` for programs that were written for Covalent.

Call `install()`, start a program with `python -m covalent_lab.compat PROGRAM`, or say `%load_ext covalent_lab.compat`
in a notebook. Nothing is installed unasked, and a Covalent that is there already is only hidden when asked.
"""

import sys
from importlib.machinery import PathFinder
from typing import Any

from covalent_lab.compat.finder import AliasFinder, AliasModule
from covalent_lab.compat.table import TABLE
from covalent_lab.errors import UsageError

__all__ = ["install", "load_ipython_extension", "uninstall", "unload_ipython_extension"]

_TOPS = frozenset(path.partition(".")[0] for path in TABLE)


def install(*, hide_installed: bool = False) -> None:
    """Make `import covalent`, and every documented module below it, mean this package, in this process.

    Doing it twice is harmless. A task runs in a process of its own: code in it that imports `covalent` by itself needs
    the same there; what its function takes from the notebook or script travels as it is.

    Args:
        hide_installed: Whether to hide a Covalent that is installed in this environment, and its plugins.

    Raises:
        UsageError: Covalent is imported already, or it is installed and shall not be hidden. Nothing was changed.

    Example:
        >>> install()
        >>> import covalent as ct
        >>> ct.electron.__module__
        'covalent_lab.workflow.electron'
        >>> uninstall()
    """
    imported = sorted(top for top in _TOPS if top in sys.modules and not isinstance(sys.modules[top], AliasModule))
    if "covalent" in imported or (imported and hide_installed):
        raise UsageError(
            f"Another package is imported as {imported[0]} already. Install the aliases before it is imported, in a "
            "fresh process."
        )
    there = PathFinder.find_spec("covalent")
    if not hide_installed and there is not None and there.origin is not None:
        raise UsageError(
            "Covalent itself is installed here. Uninstall it, or say install(hide_installed=True) to hide it in this "
            "process."
        )
    if any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        return
    # A folder that happens to be called covalent is no package, but would be found as one.
    sys.meta_path.insert(len(sys.meta_path) if there is None else 0, AliasFinder())


def uninstall() -> None:
    """Undo `install`; modules that somebody holds go on working."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, AliasFinder)]
    for path in [name for name, module in sys.modules.items() if isinstance(module, AliasModule)]:
        del sys.modules[path]


def load_ipython_extension(ipython: Any) -> None:
    """Called by `%load_ext covalent_lab.compat`."""
    install()


def unload_ipython_extension(ipython: Any) -> None:
    """Called by `%unload_ext covalent_lab.compat`."""
    uninstall()
