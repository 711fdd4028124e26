"""Modules that travel with a task."""

import hashlib
import importlib
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from covalent_lab.workflow.deps.call import DepsCall
from covalent_lab.workflow.deps.remote import provide_module

__all__ = ["DepsModule"]

_SIZE_LIMIT = 10 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


class DepsModule(DepsCall):
    """A module of yours that the task can import, although it is not installed where the task runs.

    Its source travels, as it is now on disk: the whole package with submodules and data files.
    """

    def __init__(self, module: ModuleType | str) -> None:
        """Read a module's files.

        Args:
            module: The module, or its name.

        Raises:
            ImportError: There is no module of that name.
            TypeError: It is no module, has no Python source, or belongs to the standard library.
            ValueError: It is too large to travel with a task.
        """
        if isinstance(module, str):
            module = importlib.import_module(module)
        if not isinstance(module, ModuleType):
            raise TypeError(f"DepsModule takes a module or the name of one, not {module!r}.")
        top = module.__name__.partition(".")[0]
        if top in sys.stdlib_module_names:
            raise TypeError(f"DepsModule: {top!r} belongs to the standard library, which every worker has.")
        archive = _pack(top)
        digest = hashlib.sha256(archive).hexdigest()[:40]
        super().__init__(provide_module, [module.__name__, digest, archive])


def _pack(name: str) -> bytes:
    stream, total = io.BytesIO(), 0
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, path in _files(name):
            content = path.read_bytes()
            total += len(content)
            if total > _SIZE_LIMIT:
                raise ValueError(
                    f"DepsModule: the files of {name!r} are larger than {_SIZE_LIMIT >> 20} MB. "
                    "Make it a package that can be installed, and use DepsPip."
                )
            archive.writestr(zipfile.ZipInfo(place, _EPOCH), content, zipfile.ZIP_DEFLATED)  # same files, same digest
    return stream.getvalue()


def _files(name: str) -> Iterator[tuple[str, Path]]:
    module = importlib.import_module(name)
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                yield f"{name}/{path.relative_to(folder).as_posix()}", path
    if folders:
        return
    file = Path(getattr(module, "__file__", None) or "")
    if file.suffix != ".py":
        raise TypeError(f"DepsModule: {name!r} has no Python source; install it where tasks run, or use DepsPip.")
    yield f"{name}.py", file
