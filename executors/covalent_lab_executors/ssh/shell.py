"""Commands and files on a host that is logged in to, without an agent there."""

import asyncio
import contextlib
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from covalent_lab_executors.ssh import remote_files
from covalent_lab_executors.ssh.login import LinkLostError, Login, connect, said

__all__ = ["TIMEOUT_S", "Ran", "SshShell"]

TIMEOUT_S = 120.0
"""How long a command may take, in seconds."""
_MARK = "covalent-lab-begins\n"
_MARKED = f"echo {_MARK.strip()}; echo {_MARK.strip()} >&2\n{{}}"
"""What a login shell says is in front of the mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command left."""

    status: int
    out: str
    err: str


class SshShell:
    """An open connection; paths are absolute.

    Attributes:
        address: Host and account, for messages.
        home: The login folder.
        is_lost: Whether the connection broke.
    """

    def __init__(self, login: Login) -> None:
        """Connect to nothing yet; `open` does."""
        self.address, self.home, self.is_lost = login.address, "", False
        self._login = login
        self._exits = contextlib.AsyncExitStack()
        self._connection: Any = None
        self._sftp: Any = None

    async def open(self) -> None:
        """Connect.

        Raises:
            ConnectError: See `covalent_lab_executors.ssh.login.connect`.
        """
        self._connection = await self._exits.enter_async_context(await connect(self._login))
        try:
            with self._told("Files on {} cannot be reached by SFTP: {{}}."):
                self._sftp = await self._exits.enter_async_context(self._connection.start_sftp_client())
                self.home = await self._sftp.realpath(".")
        except BaseException:
            await self.close()
            raise

    async def run(self, script: str) -> Ran:
        """Run a script of bash in a login shell.

        Raises:
            LinkLostError: The connection broke, or the script does not end.
        """
        import asyncssh

        command = f"bash -l -c {shlex.quote(_MARKED.format(script))}"
        try:
            ran = await self._connection.run(command, stdin=asyncssh.DEVNULL, timeout=TIMEOUT_S, errors="replace")
        except (OSError, asyncssh.Error, TimeoutError) as error:
            self.is_lost = True
            raise LinkLostError(f"The connection to {self.address} broke: {said(error)}.") from error
        if ran.returncode is None:  # it broke without an error
            self.is_lost = True
            raise LinkLostError(f"The connection to {self.address} broke.")
        out, err = (str(text).partition(_MARK)[2] for text in (ran.stdout, ran.stderr))
        return Ran(status=int(ran.returncode), out=out, err=err)

    async def write(self, path: str, content: bytes) -> None:
        """Write a file whole."""
        with self._told("A file cannot be written on {}: {{}}. Make room there, or choose another remote_workdir."):
            await remote_files.write(self._sftp, path, content)

    async def put(self, local: str, path: str) -> None:
        """Copy a file of this machine there, whole."""
        with self._told("A file cannot be copied to {}: {{}}. Make room there, or choose another remote_workdir."):
            await remote_files.put(self._sftp, local, path)

    async def read(self, path: str, last: int | None = None) -> bytes | None:
        """A file's content, or as many of its last bytes; None if it is not there."""
        import asyncssh

        with self._told("A file on {} cannot be read: {{}}."), contextlib.suppress(asyncssh.SFTPNoSuchFile):
            async with self._sftp.open(path, "rb") as file:
                if last is not None:
                    size = (await file.stat()).size or 0
                    await file.seek(max(0, size - last))
                content: bytes = await file.read()
                return content
        return None

    async def get(self, path: str, local: str) -> None:
        """Copy a file from there."""
        with self._told("A file on {} cannot be fetched: {{}}."):
            await self._sftp.get(path, local)

    async def stage(self, folder: str, contents: Mapping[str, bytes]) -> str:
        """Bring files there unless they are; returns the path of the last."""
        with self._told("A file cannot be written on {}: {{}}. Make room there, or choose another remote_workdir."):
            return await remote_files.stage(self._sftp, folder, contents)

    async def close(self) -> None:
        """Hang up."""
        self.is_lost = True
        with contextlib.suppress(Exception):
            async with asyncio.timeout(5):
                await self._exits.aclose()

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            with remote_files.told(self.address, what.format(self.address)):
                yield
        except LinkLostError:
            self.is_lost = True
            raise
