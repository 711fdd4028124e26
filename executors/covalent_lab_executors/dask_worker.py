"""What runs in a Dask worker: starts the process of a task, waits for its answer, stops it.

Travels to the worker as text, with `worker.py` and `worker_surroundings.py`, so that nothing of this package has to be
installed there; it needs the standard library and what every Dask worker has.

A task runs in a process of its own and not in a thread of the worker, because only a process can be ended, has a
working directory, an environment and streams that no other task of the worker sees, and does not take the worker along
when it crashes. Processes serve one task after the other, and end with the worker.
"""

import contextlib
import functools
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["collect", "printed", "run", "stop"]

_FRAME = struct.Struct(">IQ")  # lengths of control and body, as in worker.py
_TAIL = 1 << 20
_FIRST_LOOK_MS, _LOOK_MS = 50, 200  # how soon and how often a silent process is looked after
_MAX_FUNCTIONS = 64
_MAX_STOPPED = 10_000
_NO_LIMIT = 1 << 62
_TELL_S = 30.0
_KEPT_S = 60  # in which the server says that it wants a value to stay

_lock = threading.RLock()
_idle: "list[_Process]" = []
_orders: "dict[str, _Order]" = {}  # that are under way, by key
_running: "dict[str, _Process]" = {}  # by name of the step, see _Order.name
_stopped: "dict[str, float]" = {}  # steps that are not to begin, and the time they have to end if they did
_uses: "dict[str, int]" = {}  # how many orders need the file of a value, by its digest
_kept: "list[Any]" = []  # futures of values that the server has not asked for yet
_folders: "list[str]" = []  # its own, once it has one


def run(programs: "Mapping[str, bytes]", order: bytes, *values: bytes) -> bytes:
    """Run the jobs of an order one after the other.

    Args:
        programs: Compressed text of the files that task processes run, by name.
        order: A message whose control part has `jobs` as `worker.py` takes them, what they `shared`, and `place`
            (`dask_messages.py`).
        values: The payloads whose digests `place` lists as `values`, for workers that do not see the server's files.

    Returns:
        A message with `answers`, each as `worker.py` gives it, or with `is_stopped`, `trouble` (why no process could be
        started), `python` (its version, which is not the wanted one) or `death` (the exit code of a process that did
        not answer); and with those jobs, `returned`, that did not begin; and with the digests of those outputs, `kept`,
        that stay on this worker as values of Dask as well. Or one that says `wants_bytes`.
    """
    from distributed import get_worker  # where this runs it is there
    from distributed.utils import sync

    control, body = _split(order)
    place, worker = control["place"], get_worker()
    is_shared = os.path.exists(place["share"]) and os.access(place["payload_dir"], os.W_OK)
    if place["has_paths"] and not is_shared and not values:
        return _pack({"wants_bytes": True})
    jobs = [{**control["shared"], **job} for job in control["jobs"]]

    def tell(step: str, at: float, news: int, is_first: bool = False) -> None:
        said = {"key": place["key"], "job": step, "worker": worker.address, "at": at, "news": news}
        if not is_first:
            worker.log_event(place["topic"], said)
            return
        # Before anything runs: were this worker lost without having told, nobody would know that another begins again.
        with contextlib.suppress(OSError, TimeoutError):
            sync(worker.loop, worker.scheduler.log_event, topic=place["topic"], msg=said, callback_timeout=_TELL_S)

    batch = _Order(place["key"], jobs, body, tell)
    with _lock:
        _orders[place["key"]] = batch
    try:
        own = _own_folder(programs, worker.local_directory)
        with _files({} if is_shared else dict(zip(place["values"], values, strict=True)), own) as paths:
            for job in jobs:
                for step in (job, *job["then"]):
                    step["inline_limit"] = step["inline_limit"] if is_shared else _NO_LIMIT
                    _settle(step, own, paths)
            while batch.run_next(own):
                continue
    except OSError as error:
        batch.fail(str(error))
    if not is_shared:
        batch.keep(place["inline_limit"])
    with _lock:
        del _orders[place["key"]]
        return batch.report()


def collect(_programs: "Mapping[str, bytes]", order: bytes) -> bytes:
    """Take back the jobs of an order that have not begun: what `run` would return now; empty if it is over."""
    control, _ = _split(order)
    with _lock:
        batch = _orders.get(control["key"])
        return b"" if batch is None else batch.report()


def stop(_programs: "Mapping[str, bytes]", order: bytes) -> bool:
    """Ask the processes of some steps to end and kill them a little later; those that come later do not begin.

    Returns:
        Whether one of them runs here.
    """
    control, _ = _split(order)
    with _lock:
        _stopped.update(dict.fromkeys(control["steps"], control["grace_s"]))
        for name in list(_stopped)[:-_MAX_STOPPED]:
            del _stopped[name]
        running = [_running[name] for name in control["steps"] if name in _running]
        for process in running:
            process.stop(control["grace_s"])
        for process in _running.values():
            process.note_stops()
    return bool(running)


def printed(_programs: "Mapping[str, bytes]", order: bytes) -> bytes:
    """Part of what a step has printed so far; empty if it does not run here."""
    control, _ = _split(order)
    with _lock:
        process = _running.get(control["step"])
    return b"" if process is None else process.printed(control["stream"], control["offset"], control["limit"])


class _Order:
    """Jobs that came together: which of them have begun, and what became of them.

    Args:
        key: Of the order.
        jobs: In order.
        body: What they refer to by length.
        tell: Called with a step, when it began, and how many answers and waiting jobs there are; with True as well for
            the first step, which begins once it is told.
    """

    def __init__(self, key: str, jobs: "Sequence[dict[str, Any]]", body: bytes, tell: "Callable[..., None]") -> None:
        self._key = key
        self._waiting, self._body, self._tell = deque(jobs), body, tell
        self._digests = {step["function"][0] for job in jobs for step in (job, *job["then"])}
        self._answers: list[tuple[dict[str, Any], bytes]] = []
        self._returned: list[str] = []
        self._kept: list[str] = []
        self._told = ""
        self._process: _Process | None = None

    def name(self, step: "Mapping[str, Any]") -> str:
        """What a step is called here; other orders of other servers may have steps of the same id."""
        return f"{self._key} {step['job']}"

    def report(self) -> bytes:
        """The answers so far, and all jobs that did not begin: from now on they will not."""
        self._returned += [job["job"] for job in self._waiting]
        self._waiting.clear()
        controls = [control for control, _ in self._answers]
        return _pack(
            {"answers": controls, "returned": self._returned, "kept": self._kept}, *(body for _, body in self._answers)
        )

    def keep(self, limit: int) -> None:
        """Let large outputs stay here as values of Dask, from which tasks that need them can be given them."""
        from distributed import get_client

        found = {}
        for control, body in self._answers:
            if "output" in control and control["body"][0] > limit:
                found[control["output"][0]] = body[: control["body"][0]]
        if not found:
            return
        with contextlib.suppress(OSError, TimeoutError, ValueError):  # the server has them in any case
            client: Any = get_client()
            futures = client.scatter({f"covalent-lab-{digest}": value for digest, value in found.items()})
            _kept.append(futures)
            timer = threading.Timer(_KEPT_S, _kept.remove, (futures,))
            timer.daemon = True
            timer.start()
            self._kept = list(found)

    def fail(self, reason: str) -> None:
        """No process can be had for the job whose turn it is."""
        with _lock:
            if self._waiting:
                self._answers.append(({"job": self._waiting.popleft()["job"], "trouble": reason}, b""))

    def run_next(self, own: str) -> bool:
        """Run the next job; False if there is none, or its process cannot be used for others."""
        process = self._process = self._process or _take_process(own)
        with _lock:
            job = self._waiting.popleft() if self._waiting else None
            if job is None:
                _idle.append(process)
                return False
            if self.name(job) in _stopped:
                self._answers.append(({"job": job["job"], "is_stopped": True}, b""))
                return True
            wanted, python = job["wanted_python"], platform.python_version()
            if wanted and wanted.split(".")[:2] != python.split(".")[:2]:
                said = {"python": python, "program": sys.executable, "wanted": wanted}
                self._answers.append(({"job": job["job"], **said}, b""))
                return True
            _running[self.name(job)] = process
        if not self._told:
            self._tell(job["job"], time.time(), 0, True)
            self._told = job["job"]
        if self._run_steps(process, job):
            return True
        process.end()
        return False

    def _run_steps(self, process: "_Process", job: "dict[str, Any]") -> bool:
        """Run a job whose first step is among those that run."""
        steps = deque([job, *job["then"]])
        begin, end = job["span"]
        for step in steps:
            step["at"] -= begin
        process.begin(job, self._body[begin:end], self._digests, list(map(self.name, job["then"])))
        while steps:
            step, started = steps.popleft(), time.time()
            answer = process.answer(functools.partial(self._linger, step["job"], started))
            with _lock:
                del _running[self.name(step)]
                if answer is None or answer[0].get("job") != step["job"]:
                    break
                control, body = answer
                self._answers.append((control, body))
                if not control["goes_on"]:
                    if steps and "failure" not in control:
                        self._answers.append(({"job": steps[0]["job"], "is_stopped": True}, b""))
                    return not (process.is_stopped or control.get("retire"))
                following = self.name(steps[0])
                _running[following] = process
                if following in _stopped:  # too late for the process to see
                    process.stop(_stopped[following])
        code = process.end()
        with contextlib.suppress(OSError):
            os.unlink(step["part"])
        out, err = process.tails()
        lengths = [0, len(out), len(err)]
        died = {"job": step["job"], "death": code, "started": started, "ended": time.time(), "body": lengths}
        with _lock:
            self._answers.append((died, out + err))
        return False

    def _linger(self, step: str, started: float) -> None:
        """A step takes its time: say that it began, and if others wait because of that."""
        with _lock:
            news = len(self._answers) + len(self._waiting)
        if news or step != self._told:
            self._told = step
            self._tell(step, started, news)


def _split(message: bytes) -> "tuple[dict[str, Any], bytes]":
    middle = _FRAME.size + _FRAME.unpack_from(message)[0]
    return json.loads(message[_FRAME.size : middle]), message[middle:]


def _pack(control: "Mapping[str, Any]", *body: bytes) -> bytes:
    text = json.dumps(control).encode()
    return b"".join((_FRAME.pack(len(text), sum(map(len, body))), text, *body))


def _own_folder(programs: "Mapping[str, bytes]", parent: str) -> str:
    with _lock:
        if not _folders:
            made = tempfile.mkdtemp(prefix="tasks-", dir=parent)
            for name, text in programs.items():
                with open(os.path.join(made, name), "wb") as file:
                    file.write(zlib.decompress(text))
            _folders.append(made)
        return _folders[0]


@contextlib.contextmanager
def _files(values: "Mapping[str, bytes]", own: str) -> "Iterator[Mapping[str, str]]":
    """Files with these values, as long as somebody needs them."""
    paths = {digest: os.path.join(own, "values", digest) for digest in values}
    with _lock:
        for digest in paths:
            _uses[digest] = _uses.get(digest, 0) + 1
    try:
        for digest, path in paths.items():
            if not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                part = f"{path}.{threading.get_ident()}"
                with open(part, "wb") as file:
                    file.write(values[digest])
                os.replace(part, path)
        yield paths
    finally:
        with _lock:
            for digest, path in paths.items():
                _uses[digest] -= 1
                if not _uses[digest]:
                    del _uses[digest]
                    with contextlib.suppress(OSError):
                        os.unlink(path)


def _settle(step: "dict[str, Any]", own: str, paths: "Mapping[str, str]") -> None:
    """Turn the folders and files that a step asks for into those of this machine."""

    def here(where: Any) -> Any:
        return paths.get(os.path.basename(where), where) if isinstance(where, str) else where

    step["function"] = [step["function"][0], here(step["function"][1])]
    step["args"] = [here(where) for where in step["args"]]
    step["kwargs"] = {name: here(where) for name, where in step["kwargs"].items()}
    step["folder"] = step["folder"] if os.path.isdir(step["folder"]) else ""
    base = step["folder"] or own
    workdir = os.path.join(base, os.path.expanduser(step["workdir"] or os.path.join(own, "work")))
    step["workdir"] = os.path.join(workdir, step["subfolder"])
    cache = step["env"].get("COVALENT_CACHE_DIR") or os.path.join(own, "cache")
    step["env"]["COVALENT_CACHE_DIR"] = os.path.abspath(os.path.expanduser(cache))


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
        self._has_stops = False
        self._functions: set[str] = set()
        self._later: list[str] = []
        self._incoming = bytearray()
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
        self.answer(lambda: None)  # that it is ready

    def begin(self, job: "dict[str, Any]", body: bytes, functions: "set[str]", later: "list[str]") -> None:
        """Give it a job.

        Args:
            job: With its later steps.
            body: What it refers to by length.
            functions: Digests of those that this job and those after it call.
            later: Names of its later steps.
        """
        if len(self._functions | functions) > _MAX_FUNCTIONS:
            job["forget"] = sorted(self._functions - functions)
            self._functions.clear()
        self._functions |= functions
        self._later = later
        self.note_stops()
        for step in (job, *job["then"]):
            step["stop"] = self._path("stop")
        text = json.dumps({"jobs": [job]}).encode()
        with contextlib.suppress(OSError):  # it died, and will not answer
            self._channel.sendall(b"".join((_FRAME.pack(len(text), len(body)), text, body)))

    def note_stops(self) -> None:
        """Let it not run those later steps of its job that were stopped."""
        with _lock:
            stops = [name for name in self._later if name in _stopped]
        if stops or self._has_stops:
            with open(self._path("stop"), "w", encoding="utf-8") as file:
                file.write("".join(f"{name.rpartition(' ')[2]}\n" for name in stops))
            self._has_stops = bool(stops)

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
            if self._process.returncode is None:
                self._process.wait()
                self._channel.close()
                os.close(self._lifeline)
        return int(self._process.returncode)

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

    def answer(self, linger: "Callable[[], None]") -> "tuple[dict[str, Any], bytes] | None":
        """Its next answer, or None if there will be none; `linger` is called if that takes a while."""
        pause = _FIRST_LOOK_MS
        waiter = select.poll()
        waiter.register(self._channel, select.POLLIN)
        data = self._incoming
        while len(data) < _FRAME.size or len(data) < _FRAME.size + sum(_FRAME.unpack_from(data)):
            if not waiter.poll(pause):
                if pause == _FIRST_LOOK_MS:
                    linger()
                pause = _LOOK_MS
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
        end = _FRAME.size + sum(_FRAME.unpack_from(data))
        message = bytes(data[:end])
        del data[:end]
        with contextlib.suppress(ValueError):
            return _split(message)
        return None


def _tail(path: str) -> bytes:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        left_out = max(0, size - _TAIL)
        file.seek(left_out)
        text = file.read(_TAIL)
        return b"[%d bytes left out]\n%s" % (left_out, text) if left_out else text
    return b""
