"""Runs tasks on a remote host for the process at the other end of an SSH channel.

It is copied there beside `worker.py` and `worker_surroundings.py`, and needs nothing else of the package.

`agent.py ROOT WORKERS` reads frames from standard input and writes them to standard output, in the form of
`worker.py`: `>IQ` (lengths of the next two), control (JSON), body. It ends with its channel; the tasks it started do
not. Each task is a child process with a process group of its own, and a folder `ROOT/jobs/NAME`, from which any later
agent takes it up:

    job      the frame that asked for it, from acceptance on, so that a job that waits is not forgotten
    lock     held by the task's process for as long as it lives
    pid      that process, from its start on
    out, err the task's streams
    result   a frame with the worker's answer, at the end

Orders: `run`, `watch`, `cancel`, `forget`, `need`, `print`. News: `hello`, `started`, `finished`, `died`, `cancelled`,
`unknown`, `needed`, `printed`.
"""

import contextlib
import fcntl
import io
import json
import os
import re
import select
import shutil
import signal
import struct
import sys
import time
import traceback
from typing import Any

__all__ = ["MARK", "Agent"]

MARK = b"\0covalent-lab-agent\n"
"""Comes before the first frame: what a login shell prints is in front of it."""

_FRAME = struct.Struct(">IQ")
_DIGEST = re.compile("[0-9a-f]{40}")
_TAIL, _KEPT_S = 1 << 20, 24 * 3600


class Agent:
    """The remote end of one connection.

    Args:
        root: Folder for everything it keeps.
        workers: Most tasks at a time; 0 for the number of CPUs.
    """

    def __init__(self, root: str, workers: int) -> None:
        self.home = os.getcwd()
        self.root = os.path.join(self.home, os.path.expanduser(root))
        self.payloads = os.path.join(self.root, "payloads")
        for folder in ("jobs", "payloads"):
            os.makedirs(os.path.join(self.root, folder), mode=0o700, exist_ok=True)
        self.workers = workers or os.cpu_count() or 1
        self.running: dict[str, int] = {}  # process of the task, or one that waits for its end
        self.waiters: set[str] = set()
        self.waiting: list[str] = []
        self.stopped: set[str] = set()
        self.kills: list[tuple[float, str]] = []
        self.channel = os.dup(1)
        os.dup2(2, 1)

    def serve(self) -> None:
        """Work until the other side goes away."""
        wake, woken = os.pipe()
        for end in (wake, woken):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._sweep()
        incoming = bytearray()
        while True:
            pause = max(0.0, min(at for at, _ in self.kills) - time.monotonic()) if self.kills else None
            ready = select.select([0, wake], [], [], pause)[0]
            if 0 in ready:
                data = os.read(0, 1 << 18)
                if not data:
                    return
                incoming += data
                while len(incoming) >= _FRAME.size:
                    middle, body = _FRAME.unpack_from(incoming)
                    end = _FRAME.size + middle + body
                    if len(incoming) < end:
                        break
                    frame = bytes(incoming[:end])
                    del incoming[:end]
                    control, data = _parsed(frame)
                    getattr(self, "on_" + control["do"])(control, frame)
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
            self._kill_late()
            self._reap()
            self._begin()

    def tell(self, control: "dict[str, Any]", body: bytes = b"") -> None:
        """Send news."""
        _write(self.channel, _frame(control, body))

    # Orders

    def on_run(self, control: "dict[str, Any]", frame: bytes) -> None:
        """Take over a job, unless it is there already."""
        path = self._path(control["job"], "job")
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(path + ".part", "wb") as file:
                file.write(frame)
            os.replace(path + ".part", path)
        self.on_watch(control, frame)

    def on_watch(self, control: "dict[str, Any]", frame: bytes) -> None:
        """Tell about a job that may be here."""
        name = control["job"]
        if name in self.running or name in self.waiting:
            return
        if not os.path.exists(self._path(name, "job")):
            self.tell({"news": "unknown", "job": name})
        elif not self._take_up(name, may_run=False):
            self.waiting.append(name)

    def on_cancel(self, control: "dict[str, Any]", frame: bytes) -> None:
        """Stop a job."""
        name = control["job"]
        if name in self.waiting:
            self.waiting.remove(name)
            shutil.rmtree(self._path(name), ignore_errors=True)
            self.tell({"news": "cancelled", "job": name, "body": [0, 0, 0]})
        elif name in self.running:
            self.stopped.add(name)
            self._signal(name, signal.SIGTERM)
            self.kills.append((time.monotonic() + control["grace_s"], name))

    def on_forget(self, control: "dict[str, Any]", frame: bytes) -> None:
        """Delete what belongs to a job that has ended."""
        shutil.rmtree(self._path(control["job"]), ignore_errors=True)

    def on_need(self, control: "dict[str, Any]", frame: bytes) -> None:
        """Say which payloads are not here; the others are kept for another while."""
        missing = []
        for digest in control["digests"]:
            try:
                os.utime(os.path.join(self.payloads, digest[:2], digest))
            except OSError:
                os.makedirs(os.path.join(self.payloads, digest[:2]), mode=0o700, exist_ok=True)
                missing.append(digest)
        self.tell({"news": "needed", "job": control["job"], "missing": missing})

    def on_print(self, control: "dict[str, Any]", frame: bytes) -> None:
        """Send part of what a job has printed so far."""
        text = b""
        with contextlib.suppress(OSError), open(self._path(control["job"], control["stream"]), "rb") as file:
            file.seek(control["offset"])
            text = file.read(control["limit"])
        self.tell({"news": "printed", "job": control["job"], "question": control["question"]}, text)

    # Tasks

    def _begin(self) -> None:
        while self.waiting and len(self.running) < self.workers:
            self._take_up(self.waiting.pop(0), may_run=True)

    def _take_up(self, name: str, may_run: bool) -> bool:
        """Tell about a job that has begun or ended, or begin it; False if it has to wait for its turn."""
        lock = os.open(self._path(name, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # an earlier agent started it
            self.running[name] = self._fork(lambda: fcntl.flock(lock, fcntl.LOCK_SH), lock)
            self.waiters.add(name)
            self._tell_started(name)
            return True
        else:
            if os.path.exists(self._path(name, "result")) or os.path.exists(self._path(name, "pid")):
                self._tell_started(name)
                self._tell_end(name, None)
            elif may_run:
                self.running[name] = self._fork(lambda: self._task(name), lock)
                self.tell({"news": "started", "job": name, "at": time.time()})
            else:
                return False
            return True
        finally:
            os.close(lock)

    def _fork(self, work: "Any", lock: int) -> int:
        """Do something in a child process that holds nothing of this one but the lock."""
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            os.closerange(3, lock)
            os.closerange(lock + 1, 256)
            work()
        except BaseException:  # noqa: BLE001  the last that is left of this process is what it prints
            traceback.print_exc()
        finally:
            os._exit(0)

    def _task(self, name: str) -> None:
        """Run a task and leave its result; in its own process."""
        import faulthandler

        me = os.getpid()
        for stream, descriptor in (("out", 1), ("err", 2)):
            opened = os.open(self._path(name, stream), os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        with open(self._path(name, "pid.part"), "w") as text:
            text.write(str(me))
        os.replace(self._path(name, "pid.part"), self._path(name, "pid"))
        faulthandler.enable()
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as text:
            text.write("500")
        import worker  # type: ignore[import-not-found]
        from worker_surroundings import LoadedCode, Surroundings  # type: ignore[import-not-found]

        here = os.path.dirname(os.path.abspath(__file__))
        sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
        sys.argv[:] = [""]
        with open(self._path(name, "job"), "rb") as file:
            control, body = _parsed(file.read())
        step = control["step"]
        for key in ("workdir", "payload_dir"):
            step[key] = os.path.join(self.home, os.path.expanduser(step[key]))
        step["env"]["COVALENT_CACHE_DIR"] = os.path.join(self.root, "modules")
        step["part"] = self._path(name, "part")
        surroundings = Surroundings()
        for reply, output in worker._run_steps(step, io.BytesIO(body), surroundings, LoadedCode(worker.load_archive)):
            if os.getpid() != me:  # the task forked, and its child came back here
                return
            streams = [surroundings.take(descriptor) for descriptor in surroundings.kept]
            reply["body"] = [len(output), len(streams[0]), len(streams[1])]
            with open(self._path(name, "result.part"), "wb") as file:
                file.write(_frame(reply, b"".join((output, *streams))))
            os.replace(self._path(name, "result.part"), self._path(name, "result"))

    def _reap(self) -> None:
        for name, pid in list(self.running.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done:
                continue
            self._signal(name, signal.SIGKILL)  # the children it left
            del self.running[name]
            self.kills = [kill for kill in self.kills if kill[1] != name]
            if name in self.waiters:
                self.waiters.remove(name)
                self.on_watch({"job": name}, b"")
            else:
                self._tell_end(name, os.waitstatus_to_exitcode(status))

    def _kill_late(self) -> None:
        late = [name for at, name in self.kills if at <= time.monotonic()]
        self.kills = [kill for kill in self.kills if kill[1] not in late]
        for name in late:
            self._signal(name, signal.SIGKILL)

    def _signal(self, name: str, number: int) -> None:
        pid = self._pid(name) or self.running[name]
        try:
            os.killpg(pid, number)
        except ProcessLookupError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)  # it leads no group yet

    def _pid(self, name: str) -> "int | None":
        try:
            with open(self._path(name, "pid")) as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def _tell_started(self, name: str) -> None:
        with contextlib.suppress(OSError):
            self.tell({"news": "started", "job": name, "at": os.stat(self._path(name, "pid")).st_mtime})

    def _tell_end(self, name: str, exit_code: "int | None") -> None:
        try:
            with open(self._path(name, "result"), "rb") as file:
                answer, body = _parsed(file.read())
            self.tell({"news": "finished", "job": name, "answer": answer}, body)
        except OSError:
            tails = [_tail(self._path(name, stream)) for stream in ("out", "err")]
            news = "cancelled" if name in self.stopped else "died"
            lengths = [0, len(tails[0]), len(tails[1])]
            self.tell({"news": news, "job": name, "exit_code": exit_code, "body": lengths}, b"".join(tails))
        self.stopped.discard(name)

    def _path(self, name: str, *more: str) -> str:
        if os.sep in name or name.startswith("."):
            raise ValueError(name)
        return os.path.join(self.root, "jobs", name, *more)

    def _sweep(self) -> None:
        """Delete payloads that nobody has asked for in a day; not those that jobs here wait for, or have made."""
        needed = self._needed()
        for folder, _, names in os.walk(self.payloads):
            for path in (os.path.join(folder, name) for name in names if name not in needed):
                with contextlib.suppress(OSError):
                    if os.stat(path).st_mtime < time.time() - _KEPT_S:
                        os.unlink(path)

    def _needed(self) -> "set[str]":
        """Digests of the payloads that jobs here name: as inputs, or as results that nobody has fetched yet."""
        found = set()
        for name in os.listdir(os.path.join(self.root, "jobs")):
            for kind in ("job", "result"):
                with contextlib.suppress(OSError, struct.error), open(self._path(name, kind), "rb") as file:
                    text = file.read(_FRAME.unpack(file.read(_FRAME.size))[0])
                    found.update(_DIGEST.findall(text.decode("utf-8", "replace")))
        return found


def _frame(control: "dict[str, Any]", body: bytes) -> bytes:
    text = json.dumps(control).encode()
    return _FRAME.pack(len(text), len(body)) + text + body


def _parsed(frame: bytes) -> "tuple[Any, bytes]":
    middle = _FRAME.size + _FRAME.unpack_from(frame)[0]
    return json.loads(frame[_FRAME.size : middle].decode()), frame[middle:]


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _tail(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.stat(path).st_size - _TAIL))
            return file.read(_TAIL)
    except OSError:
        return b""


def _main(root: str, workers: str) -> None:
    """Say what is here, and serve if that is enough."""
    agent = Agent(root, int(workers))
    hello: dict[str, object] = {
        "news": "hello",
        "python": sys.version.split()[0],
        "program": sys.executable,
        "trouble": "",
    }
    hello.update(root=agent.root, payloads=agent.payloads, workers=agent.workers)
    try:
        import worker

        hello["cloudpickle"] = worker.cloudpickle.__version__
    except Exception as error:  # noqa: BLE001  reported to the other side, whatever it is
        hello["trouble"] = f"{type(error).__name__}: {error}"
    _write(agent.channel, MARK)
    agent.tell(hello)
    if not hello["trouble"]:
        agent.serve()


if __name__ == "__main__":
    _main(*sys.argv[1:])
