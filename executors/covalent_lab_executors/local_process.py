"""One worker process: started, spoken to, killed. Knows nothing of jobs, queues or other workers."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

__all__ = ["ProcessOwner", "WorkerProcess", "sweep"]

_FRAME = struct.Struct(">IQ")  # lengths of control and body, as in worker.py
_READ = 1 << 18
_MAX_CONTROL = 64 << 20
_TAIL = 1 << 20
_POLL_S = 0.1  # only where the system has no pidfd


class ProcessOwner(Protocol):
    """Who is told about a process; all calls come on the event loop."""

    def on_message(self, process: "WorkerProcess", control: Mapping[str, Any], body: bytes) -> None:
        """A whole message arrived."""
        ...

    def on_exit(self, process: "WorkerProcess", exit_code: int) -> None:
        """The process is gone, its last messages were delivered, and its children were killed. Comes once."""
        ...


class WorkerProcess:
    """A process that runs `worker.py`, leads its own process group, and ends when this process does.

    Attributes:
        pid: Of the process, and of its group.
        stdout_path: File that its standard output goes to.
        stderr_path: File that its standard error goes to.
        part_path: Where it may write a payload before the payload has a name.
        stop_path: File in which it looks for later steps of a job that are not to be run.
        is_garbled: Whether it sent something that is not a message.
    """

    def __init__(
        self, *, python: str, stem: str, part_path: str, owner: ProcessOwner, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Start the process; returns as soon as the operating system has it.

        Args:
            python: Path of the interpreter.
            stem: Path of its files without `.out`, `.err` and `.stop`.
            part_path: See above.
            owner: Told about messages and the end.
            loop: The event loop that owns this object.

        Raises:
            OSError: There is no such program, or the system has no room for another process.
        """
        self.stdout_path, self.stderr_path, self.part_path = f"{stem}.out", f"{stem}.err", part_path
        self.stop_path = f"{stem}.stop"
        self.is_garbled = self._has_stops = self._is_resting = self._is_deaf = False
        self._owner, self._loop = owner, loop
        self._incoming, self._outgoing = bytearray(), bytearray()
        self._message = 0
        self._killing: asyncio.TimerHandle | None = None
        with contextlib.ExitStack() as borrowed, contextlib.ExitStack() as owned:
            self._channel, theirs = socket.socketpair()
            owned.callback(self._channel.close)
            borrowed.callback(theirs.close)
            lifeline, self._lifeline = os.pipe()
            owned.callback(os.close, self._lifeline)
            borrowed.callback(os.close, lifeline)
            streams = []
            for path in (self.stdout_path, self.stderr_path):
                streams.append(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o600))
                borrowed.callback(os.close, streams[-1])
            self._claims, self._grants = os.pipe()
            owned.callback(os.close, self._claims)
            owned.callback(os.close, self._grants)
            os.set_blocking(self._claims, False)  # for the worker as well
            program = str(files("covalent_lab") / "worker.py")
            inherited = (theirs.fileno(), lifeline, self._claims)
            self._process = subprocess.Popen(
                [python, "-X", "faulthandler", program, "--serve", *map(str, inherited)],
                stdin=subprocess.DEVNULL,
                stdout=streams[0],
                stderr=streams[1],
                pass_fds=inherited,
                start_new_session=True,
            )
            owned.pop_all()
        self.pid = self._process.pid
        self._channel.setblocking(False)
        self._number = self._channel.fileno()  # a selector that is given the socket itself often asks who that is
        self._is_listening = True
        loop.add_reader(self._number, self._read)
        self._watch_exit()

    def send(self, control: Mapping[str, Any], body: Sequence[bytes]) -> None:
        """Queue one message and write what the socket takes at once. After the end it goes nowhere.

        Nothing bounds the queue here: the owner sends one message at a time.
        """
        text = json.dumps(control).encode()
        data = b"".join((_FRAME.pack(len(text), sum(map(len, body))), text, *body))
        if self._outgoing:
            self._outgoing += data
            return
        try:
            sent = self._channel.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it died; on_exit follows
        if sent < len(data):
            self._outgoing += memoryview(data)[sent:]
            self._loop.add_writer(self._number, self._write)

    def stop_steps(self, steps: Collection[str]) -> None:
        """Let it not run these later steps of its job; one that it has begun already it does not stop."""
        if steps or self._has_stops:
            Path(self.stop_path).write_text("".join(f"{step}\n" for step in steps), encoding="utf-8")
            self._has_stops = bool(steps)

    def grant(self, count: int) -> int:
        """Let it run so many jobs of its next message after the first one; each takes one grant when its turn comes.

        Returns the number that the message must have, by which it knows its grants.
        """
        self._message = (self._message + 1) % 256
        if count:
            os.write(self._grants, bytes([self._message]) * count)
        return self._message

    def take_back(self) -> int:
        """Take back the grants it has not used; it will not run as many of the last jobs of its message."""
        with contextlib.suppress(BlockingIOError):
            return len(os.read(self._claims, 1 << 12))
        return 0

    def read_now(self) -> None:
        """Deliver all that it has sent; a job is answered before the next one takes its grant."""
        while self._read():
            continue

    def rest(self, seconds: float) -> None:
        """Let answers gather for a moment, to be read together."""
        if not self._is_resting and not self._is_deaf:
            self._is_resting = True
            self._loop.call_later(seconds, self._rested)
            if self._is_listening:  # else one rest follows another, of which the selector need not know
                self._is_listening = False
                self._loop.remove_reader(self._number)

    def terminate(self, grace_s: float) -> None:
        """Ask the whole group to end, and kill it after a while."""
        self._signal(signal.SIGTERM)
        if self._killing is None:
            self._killing = self._loop.call_later(grace_s, self.kill)

    def kill(self) -> None:
        """Kill the process and its children."""
        self._signal(signal.SIGKILL)

    def stdout_tail(self) -> str:
        """The end of what it has printed and not yet reported."""
        return _tail(self.stdout_path)

    def stderr_tail(self) -> str:
        """The end of what it has written to standard error and not yet reported."""
        return _tail(self.stderr_path)

    def remove_files(self) -> None:
        """Delete stream files and half-written payloads."""
        for path in (self.stdout_path, self.stderr_path, self.part_path, self.stop_path):
            Path(path).unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:  # not reaped, so the group cannot be somebody else's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _write(self) -> None:
        try:
            sent = self._channel.send(self._outgoing)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._outgoing)
        del self._outgoing[:sent]
        if not self._outgoing:
            self._loop.remove_writer(self._number)

    def _rested(self) -> None:
        self._is_resting = False
        if not self._is_deaf:
            self._read()
        if not (self._is_resting or self._is_deaf):
            self._is_listening = True
            self._loop.add_reader(self._number, self._read)

    def _read(self) -> bool:
        """Take what has arrived; False if that is nothing."""
        try:
            data = self._channel.recv(_READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:  # a process that closed its channel can do no more work
            self._is_deaf = True
            self._loop.remove_reader(self._number)
            self.kill()
            return False
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        self._incoming += data
        while len(self._incoming) >= _FRAME.size and not self.is_garbled:
            middle, end = _FRAME.unpack_from(self._incoming)
            middle += _FRAME.size
            end += middle
            if middle > _MAX_CONTROL:
                self.reject()
            if len(self._incoming) < end or self.is_garbled:
                return
            message = bytes(self._incoming[:end])
            del self._incoming[:end]
            try:
                control = json.loads(message[_FRAME.size : middle])
            except ValueError:
                control = None
            if isinstance(control, dict):
                self._owner.on_message(self, control, message[middle:])
            else:
                self.reject()

    def reject(self) -> None:
        """Stop believing this process: a task wrote into its channel."""
        self.is_garbled = True
        self.kill()

    def _watch_exit(self) -> None:
        try:
            self._pidfd = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            self._loop.call_later(_POLL_S, self._poll_exit)
        else:
            self._loop.add_reader(self._pidfd, self._on_pidfd)

    def _on_pidfd(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._finish()

    def _poll_exit(self) -> None:
        if self._process.poll() is None:
            self._loop.call_later(_POLL_S, self._poll_exit)
        else:
            self._finish()

    def _finish(self) -> None:
        self._is_deaf = True
        self._loop.remove_reader(self._number)
        self._loop.remove_writer(self._number)
        with contextlib.suppress(OSError):  # BlockingIOError: everything it sent was read
            while data := self._channel.recv(_READ):
                self._take(data)
        self.kill()  # the children it left; it is a zombie until the next line, so the group id is still ours
        exit_code = self._process.wait()
        if self._killing is not None:
            self._killing.cancel()
        self._channel.close()
        for descriptor in (self._lifeline, self._claims, self._grants):
            os.close(descriptor)
        self._owner.on_exit(self, exit_code)


def _tail(path: str) -> str:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            left_out = max(0, size - _TAIL)
            file.seek(left_out)
            text = file.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    return f"[{left_out} bytes left out]\n{text}" if left_out else text


def sweep(folder: str) -> None:
    """Delete the files that workers of servers that are gone have left; names begin with the server's process id."""
    for path in Path(folder).iterdir():
        number = path.name.partition("-")[0]
        if (
            path.suffix in (".out", ".err", ".part", ".stop")
            and number.isdecimal()
            and not Path(f"/proc/{number}").exists()
        ):
            try:
                os.kill(int(number), 0)
            except ProcessLookupError:
                path.unlink(missing_ok=True)
            except PermissionError:
                continue
