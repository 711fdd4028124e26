"""Where a dispatch comes from: a notebook and its cell, or a script. Told where it is known; never a reason to fail.

Looks only at what this process holds already: IPython is not loaded, and no server is asked.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["dispatch_origin"]

_SESSION = "JPY_SESSION_NAME"
_ROOT = "COVALENT_LAB_ROOT"
_VSCODE = "__vsc_ipynb_file__"


def dispatch_origin(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What is known of the place that dispatches.

    Args:
        environ: Environment variables; None for those of this process.

    Returns:
        Some of `notebook` (path below the Jupyter server's root folder with forward slashes; absolute if it is
        outside of it or no such server started the kernel), `cell_id` (of the notebook's cell that runs) and `script`
        (absolute path, where there is no notebook).
    """
    environ = os.environ if environ is None else environ
    shell = _shell()
    if hasattr(shell, "kernel"):
        found = {"notebook": _notebook(shell, environ), "cell_id": _cell_id(shell)}
    else:
        file = getattr(sys.modules.get("__main__"), "__file__", None)
        found = {"script": os.path.abspath(file) if isinstance(file, str) else ""}
    return {name: value for name, value in found.items() if value}


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    get = getattr(ipython, "get_ipython", None)
    return None if get is None else get()


def _notebook(shell: Any, environ: Mapping[str, str]) -> str:
    path = shell.user_ns.get(_VSCODE) or environ.get(_SESSION, "")
    if not isinstance(path, str) or not path.endswith(".ipynb"):  # a console's session has a name that is no file's
        return ""
    root = environ.get(_ROOT, "")
    if root and Path(path).is_relative_to(root):
        return Path(path).relative_to(root).as_posix()
    return path


def _cell_id(shell: Any) -> str:
    """The front end sends the id of the cell along with its text."""
    parent: Any = getattr(shell, "get_parent", dict)()
    metadata = parent.get("metadata") if isinstance(parent, Mapping) else None
    cell_id = metadata.get("cellId") if isinstance(metadata, Mapping) else None
    return cell_id if isinstance(cell_id, str) else ""
