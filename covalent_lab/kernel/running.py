"""One task in this process, and how it is asked to stop.

A thread cannot be killed: it gets an exception, which it sees at its next step of Python. Code that does not come back
to Python (a computation in C, a blocking read, a sleep) is interrupted in the main thread only, by a signal.
"""

import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["Stoppable", "Stopped"]


_AGAIN_S = 0.05


class Stopped(BaseException):
    """A task was asked to stop; not an `Exception`, so that tasks do not catch it by mistake."""


class Stoppable:
    """Runs one call that `stop` can break off, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_main = False
        self._is_told = False
        self.is_stopped = False

    def run(self, call: Callable[[], None]) -> None:
        """Make the call in this thread, unless it was stopped before; swallows the stop."""
        with suppress(Stopped), self._interruptible():
            with self._lock:
                if self.is_stopped:
                    return
                self._thread = threading.current_thread()
            try:
                call()
            finally:
                self._leave()

    def stop(self) -> None:
        """Break it off, or keep it from beginning."""
        with self._lock:
            self.is_stopped = True
            if self._thread is None or self._thread.ident is None:
                return
            if self._is_main:
                threading.Thread(target=self._interrupt, daemon=True).start()
            else:
                _raise_in(self._thread.ident, Stopped)

    def _interrupt(self) -> None:
        """Signal until that is seen: one that comes just before a blocking call does not interrupt it."""
        while True:
            with self._lock:
                if self._thread is None or self._thread.ident is None or self._is_told:
                    return
                signal.pthread_kill(self._thread.ident, signal.SIGINT)
            time.sleep(_AGAIN_S)

    def _leave(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None and thread.ident is not None and not self._is_main:
                _raise_in(thread.ident, None)  # what was sent too late

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """In the main thread: turn the signal of `stop` into the exception; others raise KeyboardInterrupt."""
        self._is_main = threading.current_thread() is threading.main_thread()
        if not self._is_main:
            yield
            return

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            if not self.is_stopped:
                raise KeyboardInterrupt
            if not self._is_told:
                self._is_told = True
                raise Stopped

        before = signal.signal(signal.SIGINT, on_signal)
        try:
            yield
        finally:
            is_restored = False
            while not is_restored:
                with suppress(Stopped):  # of a signal that was sent at the last moment
                    signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
                    is_restored = True


def _raise_in(ident: int, kind: type[BaseException] | None) -> None:
    argument = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), argument)
