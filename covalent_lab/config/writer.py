"""Changes the configuration file, whole or not at all, one process at a time."""

import contextlib
import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from covalent_lab.config.reader import parse, read_text
from covalent_lab.config.toml import REMOVED, edited
from covalent_lab.errors import ConfigError

__all__ = ["write_changes"]

_LOCK_S = 10.0

_log = logging.getLogger(__name__)


def write_changes(path: Path, changes: Mapping[tuple[str, ...], Any]) -> None:
    """Change keys of the file; the file and its folder are made if they do not exist.

    A file that is not TOML is moved to `covalent.conf.bak` (or `.bak1`, ...), and a new one begun.

    Args:
        path: The file; where it is a link, what it points to is changed.
        changes: New values by the parts of their keys; an empty dictionary makes a section, `toml.REMOVED` drops a key.

    Raises:
        ConfigError: The file cannot be written, another process holds it, or a key or value has no place in it.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path):
            text, tree = _current(path)
            for parts, value in changes.items():
                _put(tree, parts, value, path)
            try:
                outcome = edited(text, changes, tree).encode("utf-8")
            except (TypeError, UnicodeEncodeError) as error:
                raise ConfigError(f"{path}: a value cannot be written: {error}. Nothing was changed.") from error
            _replace(path, outcome)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}. Check its permissions.") from error


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file; it lies beside it, because the file itself is replaced."""
    until = time.monotonic() + _LOCK_S
    with open(path.with_name(f".{path.name}.lock"), "a", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise ConfigError(f"{path} is held by another process since {_LOCK_S:g} s. Try again.") from error
                time.sleep(0.01)
        yield  # closing the file releases the lock


def _current(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = read_text(path)
        return text, parse(text, path)
    except ConfigError as error:
        if not path.is_file() or isinstance(error.__cause__, OSError):
            raise
        backup = _free_name(path)
        os.replace(path, backup)
        _log.warning("%s It is kept as %s; a new file is begun.", error, backup)
        return "", {}


def _free_name(path: Path) -> Path:
    number = 0
    while (backup := path.with_name(f"{path.name}.bak{number or ''}")).exists():
        number += 1
    return backup


def _put(tree: dict[str, Any], parts: tuple[str, ...], value: Any, path: Path) -> None:
    table = tree
    if value is REMOVED and not _is_there(tree, parts):
        return
    for i, part in enumerate(parts[:-1]):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {'.'.join(parts[: i + 1])} is {table!r}; it holds no further keys.")
    before = table.get(parts[-1])
    if value is REMOVED:
        del table[parts[-1]]
    elif isinstance(value, dict):
        if before is not None and not isinstance(before, dict):
            raise ConfigError(f"{path}: {'.'.join(parts)} is {before!r}; it holds no further keys.")
        table.setdefault(parts[-1], {})
    elif isinstance(before, dict):
        raise ConfigError(f"{path}: {'.'.join(parts)} is a section; name one of its keys.")
    else:
        table[parts[-1]] = value


def _is_there(tree: Any, parts: tuple[str, ...]) -> bool:
    for part in parts:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
