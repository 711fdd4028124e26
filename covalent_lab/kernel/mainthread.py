"""Work for the main thread of a process, done when that has time: in its event loop, or while it waits for us."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

__all__ = ["MainThread"]

_T = TypeVar("_T")


class MainThread:
    """A queue that the main thread empties.

    In a kernel that happens between cells and while a cell awaits something, as soon as `notice_loop` was called there;
    in any process while the main thread is inside `attend`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._work: deque[Callable[[], None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def notice_loop(self) -> None:
        """Remember the event loop that runs now, if this is the main thread and there is one."""
        if threading.current_thread() is threading.main_thread():
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                return

    def post(self, work: Callable[[], None]) -> None:
        """Have something done, soon; it must not raise."""
        with self._changed:
            self._work.append(work)
            self._changed.notify_all()
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has closed
                loop.call_soon_threadsafe(self._do_next)

    def attend(self, call: Callable[[], _T]) -> _T:
        """Make a call that waits in another thread, and do what is posted meanwhile; elsewhere only make the call.

        Raises:
            Exception: Whatever the call raises.
        """
        if threading.current_thread() is not threading.main_thread():
            return call()
        ended: list[tuple[_T | None, BaseException | None]] = []

        def run() -> None:
            try:
                outcome: tuple[_T | None, BaseException | None] = (call(), None)
            except BaseException as error:  # noqa: BLE001 - raised where it is awaited
                outcome = (None, error)
            with self._changed:
                ended.append(outcome)
                self._changed.notify_all()

        threading.Thread(target=run, name="covalent-wait", daemon=True).start()
        while not ended:
            with self._changed:
                self._changed.wait_for(lambda: bool(ended or self._work))
            self._do_next()
        value, error = ended[0]
        if error is not None:
            raise error
        return value  # type: ignore[return-value]

    def _do_next(self) -> None:
        with self._changed:
            work = self._work.popleft() if self._work else None
        if work is not None:
            work()
