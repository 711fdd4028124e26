"""What the tasks of one process print, kept apart by task, while everybody else's prints go where they always went."""

import contextlib
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import IO, Any

__all__ = ["Printed", "capturing"]

_LIMIT = 1 << 20
_NAMES = ("stdout", "stderr")


class _Tail:
    """Text, of which the end is kept once it is long, and a file of all of it, or none."""

    def __init__(self, path: str) -> None:
        self._file: IO[str] | None = None
        if path:
            with contextlib.suppress(OSError):
                self._file = open(path, "a", buffering=1, encoding="utf-8", errors="replace")  # noqa: SIM115
        self._pieces: deque[str] = deque()
        self._size = 0
        self._left_out = 0
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        with self._lock:
            if self._file is not None:
                with contextlib.suppress(OSError):
                    self._file.write(text)
            self._pieces.append(text)
            self._size += len(text)
            while self._size > _LIMIT:
                first = self._pieces.popleft()
                cut = min(len(first), self._size - _LIMIT)
                if cut < len(first):
                    self._pieces.appendleft(first[cut:])
                self._size -= cut
                self._left_out += cut

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                with contextlib.suppress(OSError):
                    self._file.close()
            self._file = None

    def text(self) -> str:
        with self._lock:
            note = f"[{self._left_out} characters left out]\n" if self._left_out else ""
            return note + "".join(self._pieces)


class Printed:
    """What one task printed so far. Safe to use from several threads.

    Args:
        paths: Files for standard output and standard error that grow meanwhile, for those who watch; none if empty.
    """

    def __init__(self, paths: Sequence[str] = ()) -> None:
        self._tails = {name: _Tail(path) for name, path in zip(_NAMES, paths or ("", ""), strict=True)}

    def add(self, name: str, text: str) -> None:
        """Take what was written to `stdout` or `stderr`."""
        self._tails[name].add(text)

    def close(self) -> None:
        """Leave the files as they are; text is kept all the same."""
        for tail in self._tails.values():
            tail.close()

    def texts(self) -> tuple[bytes, bytes]:
        """Standard output and standard error."""
        out, err = (tail.text().encode("utf-8", "backslashreplace") for tail in self._tails.values())
        return out, err


_task: ContextVar[Printed | None] = ContextVar("covalent_lab_task_prints", default=None)


class _Shared:
    """Stands in for `sys.stdout` or `sys.stderr`: text of a task goes to the task's record, all else to the stream."""

    def __init__(self, name: str, under: Any) -> None:
        self._name = name
        self._under = under

    def write(self, text: str) -> int:
        printed = _task.get()
        if printed is None:
            return int(self._under.write(text) or 0)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        printed.add(self._name, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _task.get() is None:
            self._under.flush()

    def isatty(self) -> bool:
        return _task.get() is None and bool(self._under.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)


_installing = threading.Lock()
_users = 0


@contextlib.contextmanager
def capturing(printed: Printed) -> Iterator[None]:
    """Within the block, what this thread (and what asyncio starts in it) prints goes to `printed`."""
    _install()
    token = _task.set(printed)
    try:
        yield
    finally:
        _task.reset(token)
        _uninstall()


def _install() -> None:
    global _users  # noqa: PLW0603 - the streams are the process's
    with _installing:
        _users += 1
        for name in _NAMES:
            if not isinstance(getattr(sys, name), _Shared):
                setattr(sys, name, _Shared(name, getattr(sys, name)))


def _uninstall() -> None:
    global _users  # noqa: PLW0603 - as above
    with _installing:
        _users -= 1
        for name in _NAMES if not _users else ():
            stream = getattr(sys, name)
            if isinstance(stream, _Shared):  # else somebody has put another in its place
                setattr(sys, name, stream._under)
