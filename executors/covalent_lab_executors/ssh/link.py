"""One connection to a host and the agent that runs there: opened, spoken to, lost. Knows no jobs but their names."""

import asyncio
import contextlib
import hashlib
import json
import posixpath
import struct
import uuid
from collections.abc import Mapping, Sequence
from importlib.resources import files
from socket import gaierror
from typing import Any

from covalent_lab.errors import BackendError
from covalent_lab_executors.ssh.agent import MARK
from covalent_lab_executors.ssh.target import Target

__all__ = ["ConnectError", "Link", "LinkLostError", "News", "connect"]

_FRAME = struct.Struct(">IQ")
_START_S = 60.0
_FILES = (
    ("covalent_lab", "worker.py"),
    ("covalent_lab", "worker_surroundings.py"),
    ("covalent_lab_executors", "ssh/agent.py"),
)

News = tuple[Mapping[str, Any], bytes]
"""A frame of the agent: control and body."""


class ConnectError(BackendError):
    """The host cannot be used."""

    transient = True


class LinkLostError(BackendError):
    """The connection broke; the jobs on the host go on."""

    transient = True


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
                f"The SSH executor lost {self._target.address} while it set up: {_said(error)}."
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
        await asyncio.shield(task)

    async def download(self, digest: str, path: str) -> None:
        """Fetch a payload.

        Raises:
            LinkLostError: The connection broke.
            BackendError: The file is not there, or not what its name says.
        """
        import asyncssh

        try:
            await self._sftp.get(self.payload(digest), path)
        except asyncssh.SFTPConnectionLost as error:
            raise LinkLostError(f"The connection to {self._target.address} broke.") from error
        except (OSError, asyncssh.Error) as error:
            self._check()
            raise BackendError(f"The result cannot be fetched from {self._target.address}: {_said(error)}.") from error
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
        import asyncssh

        part = f"{remote}.{uuid.uuid4().hex}.part"
        try:
            await self._sftp.put(local, part)
            await self._sftp.posix_rename(part, remote)
        except asyncssh.SFTPConnectionLost as error:
            raise LinkLostError(f"The connection to {self._target.address} broke.") from error
        except (OSError, asyncssh.Error) as error:
            self._check()
            raise BackendError(
                f"A file cannot be copied to {self._target.address}: {_said(error)}. Make room there, or choose "
                "another remote_cache."
            ) from error

    def _check(self) -> None:
        if self.is_lost:
            raise LinkLostError(f"The connection to {self._target.address} broke.")

    async def _stage(self) -> str:
        contents = {name: (files(package) / name).read_bytes() for package, name in _FILES}
        digest = hashlib.sha256(b"".join(contents.values())).hexdigest()[:16]
        folder = posixpath.join(self._target.root, f"agent-{digest}")
        agent = posixpath.join(folder, "agent.py")
        if await self._sftp.isfile(agent):
            return agent
        await self._sftp.makedirs(folder, exist_ok=True)
        for name, content in contents.items():  # the agent itself comes last, and whole
            path = posixpath.join(folder, posixpath.basename(name))
            part = f"{path}.{uuid.uuid4().hex}"
            async with self._sftp.open(part, "wb") as file:
                await file.write(content)
            await self._sftp.posix_rename(part, path)
        return agent

    async def _greet(self) -> None:
        try:
            await self._process.stdout.readuntil(MARK)
            control, _ = await self._frame()
        except asyncio.IncompleteReadError:
            said = (await self._process.stderr.read()).decode("utf-8", "replace").strip().splitlines()[-1:]
            reason = said[0] if said else "it said nothing"
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


async def connect(target: Target) -> Any:
    """An open connection; refused and lost ones are tried again.

    Raises:
        ConnectError: The host cannot be reached, is not the one of the known hosts, or refuses the key.
    """
    import asyncssh

    options: dict[str, Any] = {"keepalive_interval": target.alive_s, "client_keys": [target.key]}
    options |= {"username": target.username} if target.username else {}
    options |= {"port": target.port} if target.port else {}
    if target.known_hosts:
        options["known_hosts"] = None if target.known_hosts == "none" else target.known_hosts
    for attempt in range(1, target.attempts + 1):
        try:
            return await asyncssh.connect(target.hostname, connect_timeout=30, **options)
        except asyncssh.HostKeyNotVerifiable as error:
            raise ConnectError(
                f"The key of {target.address} is not among the known hosts: {_said(error)}. Add it with `ssh-keyscan` "
                'after checking it, name the file as known_hosts, or accept any host with known_hosts="none".'
            ) from error
        except asyncssh.PermissionDenied as error:
            raise ConnectError(
                f"Could not connect to {target.address}: it does not accept key {target.key}. Add its public key to "
                "authorized_keys there."
            ) from error
        except (OSError, asyncssh.DisconnectError) as error:
            is_final = attempt == target.attempts or isinstance(error, TimeoutError | gaierror)
            if is_final:
                raise ConnectError(
                    f"Could not connect to {target.address} ({_said(error)}; tries: {attempt}). Check name, port and "
                    "network."
                ) from error
            await asyncio.sleep(target.wait_s)
        except (asyncssh.Error, ValueError) as error:
            raise ConnectError(f"Could not connect to {target.address}: {_said(error)}.") from error
    raise AssertionError("unreachable")


def _said(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:40]
