"""What all strategies need where the task runs: whole files or none, trees, reports of progress, checksums, retries."""

import base64
import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any
from uuid import uuid4

__all__ = [
    "CHUNK",
    "Counted",
    "DamagedFileError",
    "check_digests",
    "check_size",
    "explain_missing",
    "inside",
    "make_file",
    "md5_of",
    "persist",
    "progress",
    "replacing",
    "walk",
]

CHUNK = 1 << 20
LARGE = 64 << 20
INTERVAL_S = 5.0
DELAYS_S = (0.5, 2.0, 8.0)


class DamagedFileError(OSError):
    """What arrived is not what was sent."""


@contextmanager
def replacing(path: str) -> Iterator[str]:
    """Give the name of a file that becomes `path` when the block ends well, and vanishes when it does not.

    The folders above are made. A link is followed, so that what it points to is replaced.
    """
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, f".{uuid4().hex}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def make_file(path: str, is_dir: bool) -> None:
    """Make an empty file, or a folder, unless it is there; and the folders above it."""
    os.makedirs(path if is_dir else os.path.dirname(path) or ".", exist_ok=True)
    if not is_dir:
        with open(path, "ab"):
            pass


def inside(folder: str, name: str) -> str:
    """Path of an object below a folder.

    Raises:
        ValueError: The name would lead out of the folder, or is not one a file can have.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise ValueError(f"The object {name!r} has a name that no file below {folder!r} can have.")
    return os.path.join(folder, *parts)


def walk(folder: str) -> Iterator[tuple[str, str]]:
    """Path, and name below the folder, of each file in it. Links are followed, unless they lead back up.

    Raises:
        NotADirectoryError: There is no such folder.
    """
    if not os.path.isdir(folder):
        raise NotADirectoryError(f"There is no folder {folder!r} to transfer.")
    for top, folders, names in os.walk(folder, followlinks=True):
        here = os.path.realpath(top)
        folders[:] = sorted(name for name in folders if not _leads_up(os.path.join(top, name), here))
        for name in sorted(names):
            path = os.path.join(top, name)
            yield path, os.path.relpath(path, folder).replace(os.sep, "/")


def _leads_up(path: str, here: str) -> bool:
    real = os.path.realpath(path)
    return os.path.commonpath([real, here]) == real


def progress(what: str, size: int | None, clock: Callable[[], float] = time.monotonic) -> Callable[[int], None]:
    """Make a function that is told how many more bytes were moved, from any thread, and now and then reports.

    Reports go to standard error, one line every five seconds; of sizes below 64 MiB there are none.

    Args:
        what: What is moved, for the report.
        size: All bytes; None if that is not known.
        clock: The time, in seconds.
    """
    lock = threading.Lock()
    done, told_at = 0, clock()

    def advance(count: int) -> None:
        nonlocal done, told_at
        with lock:
            done += count
            now = clock()
            if (size is not None and size < LARGE) or now - told_at < INTERVAL_S:
                return
            told_at = now
            whole = "" if size is None else f" of {size >> 20}"
            _say(f"{what}: {done >> 20}{whole} MiB")

    return advance


class Counted:
    """A binary file that tells how many bytes are read from it or written to it."""

    def __init__(self, file: IO[bytes], advance: Callable[[int], None]) -> None:
        self._file = file
        self._advance = advance

    def read(self, size: int = -1) -> bytes:
        """Read and tell."""
        found = self._file.read(size)
        self._advance(len(found))
        return found

    def write(self, content: bytes) -> int:
        """Write and tell."""
        self._advance(len(content))
        return self._file.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def persist(what: str, action: Callable[[], None], transient: Callable[[Exception], bool]) -> None:
    """Do something, and again after a pause when it fails for a reason that may pass, four times at most.

    Args:
        what: What is done, for the report.
        action: What is done.
        transient: Whether a failure may pass.
    """
    for delay in DELAYS_S:
        try:
            return action()
        except Exception as error:
            if not transient(error):
                raise
            _say(f"{what}: {error}; trying again in {delay:g} s")
        time.sleep(delay)
    return action()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def md5_of(path: str) -> bytes:
    """MD5 of a file's content, which services tell of what they keep."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, _md5).digest()


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def check_digests(what: str, expected: Mapping[str, bytes], found: Mapping[str, bytes]) -> None:
    """Compare checksums.

    Args:
        what: What was moved, for the message.
        expected: What the service tells, by name of the algorithm.
        found: What the bytes that arrived have.

    Raises:
        DamagedFileError: One differs: the bytes were damaged, or changed on the way.
    """
    for name, digest in expected.items():
        if found[name] != digest:
            told, has = (base64.b64encode(value).decode() for value in (digest, found[name]))
            raise DamagedFileError(f"{what} was damaged on the way: its {name} should be {told}, and is {has}.")


def check_size(what: str, expected: int, found: int) -> None:
    """Compare sizes, in bytes.

    Raises:
        DamagedFileError: They differ.
    """
    if expected != found:
        raise DamagedFileError(f"{what} is incomplete: {found} of {expected} bytes arrived.")


@contextmanager
def explain_missing(library: str, requirement: str) -> Iterator[None]:
    """Let a failing import say what to install.

    Args:
        library: What is imported, e.g. `"boto3"`.
        requirement: What pip calls it, e.g. `"covalent-lab[gcp]"`.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"This transfer needs {library}, which is not installed here ({error}). "
            f"Use: pip install '{requirement}', or deps_pip of the electron."
        ) from error
