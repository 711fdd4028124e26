"""What runs in a Dask worker: starts the process of a task, waits for its answer, stops it.

Travels to the worker as text, with `worker.py` and `worker_surroundings.py`, so that nothing of this package has to be
installed there; it needs the standard library and what every Dask worker has.

A task runs in a process of its own and not in a thread of the worker, because only a process can be ended, has a
working directory, an environment and streams that no other task of the worker sees, and does not take the worker along
when it crashes. Processes serve one task after the other, and end with the worker.
"""

import contextlib
import json
import os
import platform
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["printed", "run", "stop"]

_FRAME = struct.Struct(">IQ")  # lengths of control and body, as in worker.py
_TAIL = 1 << 20
_LOOK_MS = 200  # how often a silent process is looked after
_MAX_FUNCTIONS = 64
_NO_LIMIT = 1 << 62

_lock = threading.Lock()
_idle: "list[_Process]" = []
_running: "dict[str, _Process]" = {}
_stopped: "deque[str]" = deque(maxlen=10_000)
_folders: "list[str]" = []  # its own, once it has one


def run(programs: "Mapping[str, bytes]", order: bytes) -> bytes:
    """Run one job.

    Args:
        programs: Compressed text of the files that task processes run, by name.
        order: A message as `worker.py` takes it; its control part has `place` as well (`dask_messages.py`).

    Returns:
        The message `worker.py` answers with; or one whose control part says `wants_bytes`, `is_stopped`, `trouble`
        (why no process could be started), `python` (its version, which is not the wanted one) or `death` (the exit code
        of a process that did not answer).
    """
    from distributed import get_worker  # where this runs it is there

    control, body = _split(order)
    place, started = control.pop("place"), time.time()
    name, wanted, python = place["key"], place["python"], platform.python_version()
    if wanted and wanted.split(".")[:2] != python.split(".")[:2]:
        return _pack({"python": python, "program": sys.executable, "wanted": wanted})
    is_shared = os.path.exists(place["share"]) and os.access(control["payload_dir"], os.W_OK)
    if place["has_paths"] and not is_shared:
        return _pack({"wants_bytes": True})
    if not is_shared:
        control["inline_limit"] = _NO_LIMIT
    try:
        worker = get_worker()
        own = _own_folder(programs, worker.local_directory)
        _settle(control, place, own)
        process = _take_process(own)
    except OSError as error:
        return _pack({"trouble": str(error)})
    with _lock:
        if name in _stopped:
            _idle.append(process)
            return _pack({"is_stopped": True})
        _running[name] = process
    worker.log_event(place["topic"], {"job": control["job"], "key": name, "worker": worker.address, "at": started})
    answer = process.run(control, body)
    with _lock:
        del _running[name]
        if answer is not None and not process.is_stopped:
            _idle.append(process)
            return answer
    code = process.end()
    with contextlib.suppress(OSError):
        os.unlink(control["part"])
    return answer or _pack({"death": code, "started": started, "ended": time.time()}, *process.tails())


def stop(_programs: "Mapping[str, bytes]", order: bytes) -> None:
    """Ask the processes of some jobs to end and kill them a little later; those that come later do not begin."""
    control, _ = _split(order)
    with _lock:
        _stopped.extend(control["keys"])
        for name in control["keys"]:
            if name in _running:
                _running[name].stop(control["grace_s"])


def printed(_programs: "Mapping[str, bytes]", order: bytes) -> bytes:
    """Part of what a job has printed so far; empty if it does not run here."""
    control, _ = _split(order)
    with _lock:
        process = _running.get(control["key"])
    return b"" if process is None else process.printed(control["stream"], control["offset"], control["limit"])


def _split(message: bytes) -> "tuple[dict[str, Any], bytes]":
    middle = _FRAME.size + _FRAME.unpack_from(message)[0]
    return json.loads(message[_FRAME.size : middle]), message[middle:]


def _pack(control: "Mapping[str, Any]", out: bytes = b"", err: bytes = b"") -> bytes:
    text = json.dumps({**control, "body": [0, len(out), len(err)]}).encode()
    return b"".join((_FRAME.pack(len(text), len(out) + len(err)), text, out, err))


def _own_folder(programs: "Mapping[str, bytes]", parent: str) -> str:
    with _lock:
        if not _folders:
            made = tempfile.mkdtemp(prefix="tasks-", dir=parent)
            for name, text in programs.items():
                with open(os.path.join(made, name), "wb") as file:
                    file.write(zlib.decompress(text))
            _folders.append(made)
        return _folders[0]


def _settle(control: "dict[str, Any]", place: "Mapping[str, str]", own: str) -> None:
    """Turn the folders that a job asks for into folders of this machine."""
    control["folder"] = control["folder"] if os.path.isdir(control["folder"]) else ""
    base = control["folder"] or own
    workdir = os.path.join(base, os.path.expanduser(control["workdir"] or os.path.join(own, "work")))
    control["workdir"] = os.path.join(workdir, place["subfolder"])
    cache = control["env"].get("COVALENT_CACHE_DIR") or os.path.join(own, "cache")
    control["env"]["COVALENT_CACHE_DIR"] = os.path.abspath(os.path.expanduser(cache))


def _take_process(folder: str) -> "_Process":
    while True:
        with _lock:
            process = _idle.pop() if _idle else None
        if process is None:
            return _Process(folder)
        if not process.is_dead():
            return process
        process.end()


class _Process:
    """A process that runs `worker.py`, leads its own group, and is killed by the system when this process ends."""

    def __init__(self, folder: str) -> None:
        self.is_stopped = False
        self._functions: set[str] = set()
        self._ending = threading.Lock()
        self._stem = tempfile.mkdtemp(prefix="process-", dir=folder)
        self._channel, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        try:
            with open(self._path("out"), "a+b") as out, open(self._path("err"), "a+b") as err:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-X", "faulthandler", os.path.join(folder, "worker.py")),
                        *("--serve", str(theirs.fileno()), str(lifeline)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    pass_fds=(theirs.fileno(), lifeline),
                    start_new_session=True,
                )
        except OSError:
            self._channel.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(lifeline)
        self._answer()  # that it is ready

    def run(self, control: "dict[str, Any]", body: bytes) -> "bytes | None":
        """Run a job; None if the process did not answer, and is to be given up."""
        digest = control["function"][0]
        if len(self._functions) > _MAX_FUNCTIONS:
            control["forget"] = sorted(self._functions - {digest})
            self._functions.clear()
        self._functions.add(digest)
        text = json.dumps({"jobs": [{**control, "stop": self._path("stop")}]}).encode()
        try:
            self._channel.sendall(b"".join((_FRAME.pack(len(text), len(body)), text, body)))
        except OSError:
            return None
        answer = self._answer()
        with contextlib.suppress(ValueError, KeyError, struct.error, TypeError):
            said = _split(answer or b"")[0]
            if said["job"] == control["job"]:
                self.is_stopped |= bool(said.get("retire"))
                return answer
        return None

    def stop(self, grace_s: float) -> None:
        """Ask the group to end, and kill it after a while."""
        self.is_stopped = True
        self._signal(signal.SIGTERM)
        timer = threading.Timer(grace_s, self._signal, (signal.SIGKILL,))
        timer.daemon = True
        timer.start()

    def end(self) -> int:
        """Kill the group; returns the exit code."""
        self._signal(signal.SIGKILL)
        with self._ending:
            code = self._process.wait()
        self._channel.close()
        os.close(self._lifeline)
        return code

    def printed(self, stream: str, offset: int, limit: int) -> bytes:
        """Part of what its task has written to a stream so far."""
        with contextlib.suppress(OSError), open(self._path("err" if stream == "stderr" else "out"), "rb") as file:
            file.seek(offset)
            return file.read(limit)
        return b""

    def tails(self) -> "Sequence[bytes]":
        """The end of what it wrote to its streams and did not report."""
        return [_tail(self._path(name)) for name in ("out", "err")]

    def is_dead(self) -> bool:
        """Whether it ended; its number stays its own until `end`."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _path(self, name: str) -> str:
        return os.path.join(self._stem, name)

    def _signal(self, number: int) -> None:
        with self._ending, contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process.returncode is None:  # not reaped, so the group cannot be somebody else's
                os.killpg(self._process.pid, number)

    def _answer(self) -> "bytes | None":
        data = bytearray()
        waiter = select.poll()
        waiter.register(self._channel, select.POLLIN)
        while True:
            if not waiter.poll(_LOOK_MS):
                if self.is_dead():  # a child that it left may hold the channel open
                    return None
                continue
            try:
                chunk = self._channel.recv(1 << 18)
            except OSError:
                return None
            if not chunk:
                return None
            data += chunk
            if len(data) >= _FRAME.size and len(data) >= _FRAME.size + sum(_FRAME.unpack_from(data)):
                return bytes(data)


def _tail(path: str) -> bytes:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        left_out = max(0, size - _TAIL)
        file.seek(left_out)
        text = file.read(_TAIL)
        return b"[%d bytes left out]\n%s" % (left_out, text) if left_out else text
    return b""
