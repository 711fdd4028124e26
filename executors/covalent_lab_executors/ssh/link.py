"""One connection to a host and the agent that runs there: opened, spoken to, lost. Knows no jobs but their names."""

import asyncio
import contextlib
import hashlib
import json
import posixpath
import struct
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from covalent_lab.errors import BackendError
from covalent_lab_executors.ssh.agent import MARK
from covalent_lab_executors.ssh.login import ConnectError, LinkLostError, connect, said
from covalent_lab_executors.ssh.remote_files import put, stage, told
from covalent_lab_executors.ssh.target import Target

__all__ = ["Link", "News"]

_FRAME = struct.Struct(">IQ")
_START_S = 60.0
_FILES = (
    ("covalent_lab", "worker.py"),
    ("covalent_lab", "worker_surroundings.py"),
    ("covalent_lab_executors", "ssh/agent.py"),
)

News = tuple[Mapping[str, Any], bytes]
"""A frame of the agent: control and body."""


class Link:
    """An open connection with an agent at its end.

    Attributes:
        hello: What the agent said of itself: `python` (version), `program`, `root`, `payloads`.
        is_lost: Whether it broke.
    """

    def __init__(self, target: Target) -> None:
        """Connect to nothing yet; `open` does."""
        self.hello: Mapping[str, Any] = {}
        self.is_lost = False
        self._target = target
        self._exits = contextlib.AsyncExitStack()
        self._inboxes: dict[str, asyncio.Queue[News | None]] = {}
        self._uploads: dict[str, asyncio.Task[None]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._process: Any = None
        self._sftp: Any = None

    async def open(self) -> None:
        """Connect, copy the agent there if it is not there yet, and start it.

        Raises:
            ConnectError: See `connect`; or the agent does not start.
        """
        import asyncssh

        try:
            connection = await self._exits.enter_async_context(await connect(self._target))
            self._sftp = await self._exits.enter_async_context(connection.start_sftp_client())
            agent = await self._stage()
            self._process = await self._exits.enter_async_context(
                connection.create_process(self._target.command(agent), encoding=None)
            )
            async with asyncio.timeout(_START_S):
                await self._greet()
        except (OSError, asyncssh.Error, TimeoutError) as error:
            await self.close()
            raise ConnectError(
                f"The SSH executor lost {self._target.address} while it set up: {said(error)}."
            ) from error
        except BaseException:
            await self.close()
            raise
        self._reader = asyncio.create_task(self._read(), name=f"ssh {self._target.hostname}")

    async def close(self) -> None:
        """Hang up. Tasks go on."""
        self._lose()
        for task in (self._reader, *self._uploads.values()):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                await asyncio.wait([task])
        with contextlib.suppress(Exception):
            if self._process is not None:
                self._process.close()
            async with asyncio.timeout(5):
                await self._exits.aclose()

    def inbox(self, name: str) -> asyncio.Queue[News | None]:
        """News about one job from now on; None once the connection is lost. Bounded by the few news a job has."""
        found = self._inboxes[name] = asyncio.Queue()
        if self.is_lost:
            found.put_nowait(None)
        return found

    def drop(self, name: str) -> None:
        """Hear no more of a job."""
        self._inboxes.pop(name, None)

    async def send(self, control: Mapping[str, Any], body: Sequence[bytes] = ()) -> None:
        """Give the agent an order.

        Raises:
            LinkLostError: The connection broke.
        """
        import asyncssh

        text = json.dumps(control).encode()
        try:
            self._process.stdin.write(b"".join((_FRAME.pack(len(text), sum(map(len, body))), text, *body)))
            await self._process.stdin.drain()
        except (OSError, asyncssh.Error, BrokenPipeError) as error:
            raise LinkLostError(f"The connection to {self._target.address} broke.") from error

    async def upload(self, path: str, digest: str) -> None:
        """Bring a payload there; several jobs that need one wait for the same transfer.

        Raises:
            LinkLostError: The connection broke.
            BackendError: The host refuses the file.
        """
        task = self._uploads.get(digest)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._uploads[digest] = asyncio.create_task(self._put(path, self.payload(digest)))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if task.cancelled() and not (waiting is not None and waiting.cancelling()):  # whoever reconnects hung up
                raise LinkLostError(f"The connection to {self._target.address} broke.") from None
            raise

    async def download(self, digest: str, path: str) -> None:
        """Fetch a payload.

        Raises:
            LinkLostError: The connection broke.
            BackendError: The file is not there, or not what its name says.
        """
        with self._told("The result cannot be fetched from {address}: {{}}."):
            await self._sftp.get(self.payload(digest), path)
        if await asyncio.to_thread(_digest, path) != digest:
            raise BackendError(f"The result from {self._target.address} is not what the task wrote. Run it again.")

    @property
    def address(self) -> str:
        """Host and account, for messages."""
        return self._target.address

    def payload(self, digest: str) -> str:
        """Where a payload is on the host."""
        return posixpath.join(self.hello["payloads"], digest[:2], digest)

    async def _put(self, local: str, remote: str) -> None:
        with self._told("A file cannot be copied to {address}: {{}}. Make room there, or choose another remote_cache."):
            await put(self._sftp, local, remote)

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            with told(self.address, what.format(address=self.address)):
                yield
        except BackendError as error:
            if self.is_lost and not isinstance(error, LinkLostError):
                raise LinkLostError(f"The connection to {self.address} broke.") from error
            raise

    async def _stage(self) -> str:
        contents = {posixpath.basename(name): (files(package) / name).read_bytes() for package, name in _FILES}
        digest = hashlib.sha256(b"".join(contents.values())).hexdigest()[:16]
        return await stage(self._sftp, posixpath.join(self._target.root, f"agent-{digest}"), contents)

    async def _greet(self) -> None:
        try:
            await self._process.stdout.readuntil(MARK)
            control, _ = await self._frame()
        except asyncio.IncompleteReadError:
            words = (await self._process.stderr.read()).decode("utf-8", "replace").strip().splitlines()[-1:]
            reason = words[0] if words else "it said nothing"
            await self._process.wait_closed()
            if self._process.exit_status == 91:
                raise ConnectError(
                    f"Conda environment {self._target.conda_env!r} cannot be used on {self._target.address}: {reason}. "
                    "Create it there, or set conda_env to one of `conda env list`."
                ) from None
            raise ConnectError(
                f"Python {self._target.python!r} does not start on {self._target.address}: {reason}. Set python_path "
                "to a Python 3 there that has cloudpickle."
            ) from None
        self.hello = control

    async def _frame(self) -> News:
        head = await self._process.stdout.readexactly(_FRAME.size)
        middle, end = _FRAME.unpack(head)
        control = json.loads(await self._process.stdout.readexactly(middle))
        return control, await self._process.stdout.readexactly(end)

    async def _read(self) -> None:
        import asyncssh

        try:
            while True:
                control, body = await self._frame()
                inbox = self._inboxes.get(control.get("job", ""))
                if inbox is not None:
                    inbox.put_nowait((control, body))
        except (asyncio.IncompleteReadError, OSError, asyncssh.Error, ValueError):
            pass
        finally:
            self._lose()

    def _lose(self) -> None:
        self.is_lost = True
        for inbox in self._inboxes.values():
            inbox.put_nowait(None)


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:40]
