"""What belongs to a worker process: surroundings, put back after each task, usage, grants, loaded code, its end.

Belongs to `worker.py` and is copied together with it: it needs the standard library only, and imports nothing of its
package.
"""

import contextlib
import ctypes
import fcntl
import os
import platform
import resource
import select
import signal
import sys
import threading
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union

__all__ = ["Claims", "LoadedCode", "Surroundings", "end_with"]

_HOST = platform.node()
_STREAM_LIMIT, _KEPT_FOLDERS = 1 << 20, 8
_SIGNALS = ("SIGHUP", "SIGINT", "SIGTERM", "SIGALRM", "SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGPIPE")

_Archive = Union[bytes, bytearray, memoryview, str]


class Surroundings:
    """What a task may change of its process, and how it is put back."""

    def __init__(self) -> None:
        self.kept = (os.dup(1), os.dup(2))
        self._open_streams()
        self._flush_c = ctypes.CDLL(None).fflush
        self._environ, self._env = os.environ, dict(os.environb)
        self._umask, self._recursion = os.umask(0o022), sys.getrecursionlimit()
        self._path, self._filters, self._main = list(sys.path), list(warnings.filters), sys.modules["__main__"]
        self._handlers = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in _SIGNALS)}

    def _open_streams(self) -> None:
        self._streams = tuple(os.fdopen(n, "w", 1, "utf-8", "backslashreplace", closefd=False) for n in (1, 2))
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = self._streams  # type: ignore[misc]

    def enter(self, job: "Mapping[str, Any]") -> None:
        """Make the working directory and the environment of a job; an OSError means that it cannot be."""
        os.umask(self._umask)
        for descriptor in self.kept:  # children of an earlier task may have printed since
            self.take(descriptor)
        try:
            os.chdir(job["workdir"])
        except FileNotFoundError:  # nearly always it is there
            os.makedirs(job["workdir"], exist_ok=True)
            os.chdir(job["workdir"])
        os.environ.update(job["env"])

    def stand_in(self, function: Any) -> None:
        """Let `__main__` be the notebook a function was written in, so that multiprocessing finds its helpers."""
        if getattr(function, "__module__", None) == "__main__" and isinstance(function, types.FunctionType):
            main = types.ModuleType("__main__")
            main.__dict__.update({function.__name__: function, **function.__globals__})
            main.__dict__.pop("__file__", None)  # a spawned child would run that script again
            sys.modules["__main__"] = main

    def leave(self) -> None:
        """Put everything back except the streams' content."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for stream in (sys.stdout, sys.stderr, *self._streams):
            with contextlib.suppress(Exception):  # closed or replaced by user code
                stream.flush()
        self._flush_c(None)
        os.dup2(self.kept[0], 1)
        os.dup2(self.kept[1], 2)
        if any(stream.closed for stream in self._streams):
            self._open_streams()
        sys.stdout, sys.stderr = self._streams
        os.environ = self._environ  # noqa: B003
        for name in dict(os.environb._data.items() ^ self._env.items()):  # type: ignore[attr-defined]  # a plain dict
            os.environb.pop(name, None)
            if name in self._env:
                os.environb[name] = self._env[name]
        sys.path[:] = self._path
        sys.modules["__main__"] = self._main
        sys.setrecursionlimit(self._recursion)
        if warnings.filters != self._filters:
            warnings.simplefilter("default")  # tells the warnings module that its list changed
            warnings.filters[:] = self._filters  # type: ignore[index]
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number, handler in self._handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)

    def take(self, descriptor: int) -> bytes:
        """What was written to a stream since the last time: the end of it, if it is long."""
        size = os.fstat(descriptor).st_size
        if not size:
            return b""
        left_out = max(0, size - _STREAM_LIMIT)
        text = os.pread(descriptor, _STREAM_LIMIT, left_out)
        os.ftruncate(descriptor, 0)
        return b"[%d bytes left out]\n%s" % (left_out, text) if left_out else text

    @staticmethod
    def spent() -> "tuple[float, int]":
        """CPU seconds of this process and of children it waited for, and its highest memory in bytes."""
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = own.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, peak

    def used_since(self, begun: "tuple[float, int]", received: int, returned: int) -> "dict[str, Any]":
        """What was used since `spent` said so; memory grows only where a task needed more than the process ever had."""
        cpu, peak = self.spent()
        return {
            "cpu_s": round(cpu - begun[0], 6),
            "peak_memory": peak,
            "memory_growth": peak - begun[1],
            "input_bytes": received,
            "output_bytes": returned,
            "host": _HOST,
            "pid": os.getpid(),
        }


class Claims:
    """Grants of messages, from a pipe that both sides read."""

    def __init__(self, pipe: int) -> None:
        self._pipe, self._kept = pipe, b""

    def take(self, number: "int | None") -> bool:
        """Take a grant of a message; one of a later message is kept for that."""
        grant, self._kept = self._kept, b""
        if not grant:
            with contextlib.suppress(BlockingIOError):
                grant = os.read(self._pipe, 1)
        if not grant or grant[0] == number:
            return bool(grant)
        self._kept = grant
        return False


class LoadedCode:
    """What this process has loaded: functions by digest, and the modules beside each notebook.

    A function is unpickled once, so what it keeps in defaults or globals outlives the task. Modules of a folder are
    seen by tasks from that folder only, and until one of their files changes.

    Args:
        load: Unpickles an archive.

    Attributes:
        archives: Functions by digest: bytes of an archive, or the path of its file.
    """

    def __init__(self, load: "Callable[[_Archive], Any]") -> None:
        self.archives: "dict[str, _Archive]" = {}
        self._load = load
        self._functions: "dict[tuple[str, str], Any]" = {}
        self._common = set(sys.modules)
        self._beside: "dict[str, dict[str, tuple[Any, str, Any]]]" = {}

    def forget(self, digests: "Sequence[str]") -> None:
        """Give up functions that the other side does not count on any longer."""
        for digest in digests:
            self.archives.pop(digest, None)
        self._functions = {key: found for key, found in self._functions.items() if key[0] not in digests}

    def function(self, digest: str, folder: str) -> Any:
        """A function for tasks from a folder."""
        if (digest, folder) not in self._functions:
            self._functions[digest, folder] = self._load(self.archives[digest])
        return self._functions[digest, folder]

    def enter(self, folder: str) -> None:
        """Make a folder's modules importable, and load afresh what depends on files that changed."""
        sys.path.insert(0, folder)
        beside = self._beside.get(folder, {})
        if all(_stamp(file) == stamp for _, file, stamp in beside.values()):
            sys.modules.update({name: module for name, (module, _, _) in beside.items()})
        else:
            del self._beside[folder]
            self._functions = {key: found for key, found in self._functions.items() if key[1] != folder}

    def leave(self, folder: str) -> None:
        """Hide the folder's modules again."""
        if len(sys.modules) == len(self._common):
            return
        inside, beside = os.path.join(folder, ""), {}
        installed = tuple(os.path.join(path, "") for path in (*sys.path, sys.prefix) if path.startswith(inside))
        for name in sys.modules.keys() - self._common if folder else ():
            file = _module_file(sys.modules[name])
            if file.startswith(inside) and not file.startswith(installed):
                beside[name] = (sys.modules.pop(name), file, _stamp(file))
        self._common = set(sys.modules)
        if beside:
            self._beside.pop(folder, None)
            self._beside = dict([*self._beside.items(), (folder, beside)][-_KEPT_FOLDERS:])

    def restore(self, modules: "Mapping[str, Any]") -> bool:
        """Put all modules back; returns whether native code was among the others, which cannot be loaded twice."""
        changed = {name: module for name, module in sys.modules.items() if modules.get(name) is not module}
        own = [name for name in changed if name.partition(".")[0] not in sys.stdlib_module_names]
        for name in own:
            del sys.modules[name]
        sys.modules.update(modules)
        return any(_module_file(changed[name]).endswith((".so", ".dylib")) for name in own)


def _module_file(module: Any) -> str:
    with contextlib.suppress(Exception):  # it may have no file, or only pose as a module
        return str(getattr(module, "__file__", None) or next(iter(module.__path__)))
    return ""


def _stamp(file: str) -> "tuple[int, int] | None":
    found = os.stat(file) if os.path.isfile(file) else None
    return found and (found.st_mtime_ns, found.st_size)


def end_with(lifeline: int) -> None:
    """Let the whole process group be killed when the other end of a pipe is closed, however that process ends.

    The Linux kernel does it by itself, even while a task holds the interpreter lock; elsewhere a thread waits.
    """
    os.set_inheritable(lifeline, False)
    waiter = select.poll()
    waiter.register(lifeline, 0)
    try:
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, int(signal.SIGKILL))
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    except (AttributeError, OSError):
        threading.Thread(target=_kill_on, args=(waiter, None), daemon=True).start()
    _kill_on(waiter, 0)  # it may have been closed before the kernel was asked


def _kill_on(waiter: select.poll, timeout: "int | None") -> None:
    if waiter.poll(timeout):
        os.killpg(0, signal.SIGKILL)
