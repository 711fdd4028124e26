"""Commands and files on a login node; which may be this machine. Knows no jobs."""

import asyncio
import contextlib
import os
import posixpath
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from covalent_lab.errors import BackendError
from covalent_lab_executors.ssh.login import LinkLostError, said
from covalent_lab_executors.ssh.shell import TIMEOUT_S, Ran

__all__ = ["LocalShell", "Shell"]


class Shell(Protocol):
    """A login node. Paths are absolute.

    Attributes:
        address: Which it is, for messages.
        home: The folder that relative paths start from.
        is_lost: Whether it can no longer be used.
    """

    address: str
    home: str
    is_lost: bool

    async def run(self, script: str) -> Ran:
        """Run a script of bash.

        Raises:
            LinkLostError: The connection broke, or the script does not end.
        """
        ...

    async def write(self, path: str, content: bytes) -> None:
        """Write a file whole."""
        ...

    async def put(self, local: str, path: str) -> None:
        """Copy a file of this machine there, whole."""
        ...

    async def read(self, path: str, last: int | None = None) -> bytes | None:
        """A file's content, or as many of its last bytes; None if it is not there."""
        ...

    async def get(self, path: str, local: str) -> None:
        """Copy a file from there."""
        ...

    async def stage(self, folder: str, contents: Mapping[str, bytes]) -> str:
        """Bring files there unless they are; returns the path of the last."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class LocalShell:
    """This machine, which is a login node."""

    def __init__(self) -> None:
        self.address, self.home, self.is_lost = "this machine", os.path.expanduser("~"), False

    async def open(self) -> None:
        """Nothing to do."""

    async def run(self, script: str) -> Ran:
        """See `Shell`."""
        try:
            return await asyncio.to_thread(_run, script, self.home)
        except subprocess.TimeoutExpired as error:
            raise LinkLostError(f"A command on {self.address} does not end: {script}") from error

    async def write(self, path: str, content: bytes) -> None:
        """See `Shell`."""
        with _told():
            await asyncio.to_thread(_write, path, content)

    async def put(self, local: str, path: str) -> None:
        """See `Shell`."""
        with _told():
            await asyncio.to_thread(_copy, local, path)

    async def read(self, path: str, last: int | None = None) -> bytes | None:
        """See `Shell`."""
        with _told(), contextlib.suppress(FileNotFoundError):
            return await asyncio.to_thread(_read, path, last)
        return None

    async def get(self, path: str, local: str) -> None:
        """See `Shell`."""
        await self.put(path, local)

    async def stage(self, folder: str, contents: Mapping[str, bytes]) -> str:
        """See `Shell`."""
        last = posixpath.join(folder, list(contents)[-1])
        if not await asyncio.to_thread(os.path.isfile, last):
            for name, content in contents.items():
                await self.write(posixpath.join(folder, name), content)
        return last

    async def close(self) -> None:
        """Nothing to do."""


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackendError(f"A file of the queue executor cannot be read or written: {said(error)}.") from error


def _run(script: str, folder: str) -> Ran:
    ran = subprocess.run(  # in a thread: asyncio's own may hang if it is cancelled while it starts a process
        ["bash", "-c", script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
        text=True,
        errors="replace",
        check=False,
    )
    return Ran(status=ran.returncode, out=ran.stdout, err=ran.stderr)


def _write(path: str, content: bytes) -> None:
    part = Path(f"{path}.{uuid.uuid4().hex}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    part.replace(path)


def _copy(source: str, target: str) -> None:
    part = Path(f"{target}.{uuid.uuid4().hex}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, part)
    part.replace(target)


def _read(path: str, last: int | None) -> bytes:
    with open(path, "rb") as file:
        if last is not None:
            file.seek(max(0, os.fstat(file.fileno()).st_size - last))
        return file.read()
