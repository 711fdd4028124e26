"""Waiting for the end of a dispatch: in the caller's thread, or beside a running event loop.

Decides how often is asked, and what happens when the server goes away meanwhile. Whoever waits may stop at any time;
the dispatch goes on.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from covalent_lab.client.connection import Connection, connect, reconnect
from covalent_lab.client.progress import ProgressBar
from covalent_lab.client.serving import attend
from covalent_lab.client.status import Status
from covalent_lab.errors import ResultTimeoutError, ServerUnreachableError
from covalent_lab.worker import Buffer

__all__ = ["Waiting", "beside", "wait_beside", "wait_here"]

_T = TypeVar("_T")
_POLL_S = 20.0
_SUBMIT_S = 2.0
_RECONNECT_S = 60.0
_RECONNECT_PAUSE_S = 0.5


class Waiting:
    """Asks how a dispatch stands, and holds the last answer.

    Args:
        dispatch_id: Which dispatch.
        address: As for `dispatch`.
        timeout: Longest time to wait, in seconds; None for no limit.
        bundle: What is to be submitted with the first question; None if the dispatch was submitted.

    Attributes:
        dispatch_id: Which dispatch.
        connection: Where it was asked from; set by the first question.
        detail: The last answer; empty before the first.
    """

    connection: Connection

    def __init__(
        self,
        dispatch_id: str,
        address: str | None,
        timeout: float | None = None,
        bundle: Sequence[Buffer] | None = None,
    ) -> None:
        self.dispatch_id = str(dispatch_id)
        self.detail: dict[str, Any] = {}
        self._address = address
        self._timeout = timeout
        self._until = None if timeout is None else time.monotonic() + timeout
        self._bundle = bundle
        self._lost_at: float | None = None
        self._is_connected = False

    @property
    def is_over(self) -> bool:
        """Whether the dispatch has ended, as far as is known."""
        return bool(self.detail) and Status.is_terminal(self.detail["status"])

    def ask(self, wait_s: float = 0.0) -> None:
        """Ask once; the answer comes when the dispatch ends, or after `wait_s` seconds.

        Raises:
            MissingLatticeRecordError: The id is unknown.
            ServerUnreachableError: No dispatcher answers.
        """
        if not self._is_connected:
            self.connection = connect(self._address)
            self._is_connected = True
        if self._bundle is None:
            self.detail = self.connection.detail(self.dispatch_id, wait_s=wait_s)
        else:  # its id is in it, so submitting it again is safe
            self.detail = self.connection.submit_and_wait(self._bundle, min(wait_s, _SUBMIT_S))
            self._bundle = None

    def step(self, longest_s: float = _POLL_S) -> None:
        """Wait for the end, for at most so many seconds; a server that went away is waited for as well.

        Raises:
            MissingLatticeRecordError: The id is unknown.
            ResultTimeoutError: The time is up.
            ServerUnreachableError: No dispatcher answers for a minute.
        """
        left = longest_s if self._until is None else min(longest_s, self._until - time.monotonic())
        try:
            self.ask(max(0.0, left))
        except ServerUnreachableError as error:
            self._look_again(error)
            return
        self._lost_at = None
        if not self.is_over and self._is_late():
            raise ResultTimeoutError(
                f"Dispatch {self.dispatch_id} is {self.detail['status']} after {self._timeout:g} s; it goes on. "
                "Ask again later, or allow more time."
            )

    def _is_late(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def goes_on(self) -> str:
        """What becomes of a dispatch that nobody waits for any more."""
        submitted = "it" if self._bundle is None else "if it had arrived, it"
        return (
            f"Stopped waiting for dispatch {self.dispatch_id}; {submitted} goes on. "
            f"ct.get_result({self.dispatch_id!r}, wait=True) waits again, ct.cancel({self.dispatch_id!r}) ends it."
        )

    def _look_again(self, error: ServerUnreachableError) -> None:
        now = time.monotonic()
        self._lost_at = self._lost_at or now
        longest_s = _RECONNECT_S if self._bundle is None else 0.0
        if not self._is_connected or now - self._lost_at > longest_s or self._is_late():
            raise error
        time.sleep(_RECONNECT_PAUSE_S)
        with contextlib.suppress(ServerUnreachableError):
            self.connection = reconnect(self.connection, self._address)


def wait_here(waiting: Waiting, progress: bool | None) -> None:
    """Wait in this thread.

    Args:
        waiting: What to wait for.
        progress: Whether to show a bar; None to decide by the surroundings.

    Raises:
        KeyboardInterrupt: The user does not want to wait any longer; says that the dispatch goes on.
    """
    try:
        with ProgressBar.make(progress) as bar:
            while not waiting.is_over:
                attend(lambda: waiting.step(bar.interval_s or _POLL_S))
                bar.show(waiting.detail)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(waiting.goes_on()) from None


async def wait_beside(waiting: Waiting, progress: bool | None) -> None:
    """Wait without holding up the event loop.

    Args:
        waiting: What to wait for.
        progress: As for `wait_here`.

    Raises:
        CancelledError: The task that waits was cancelled; says that the dispatch goes on.
    """
    try:
        with ProgressBar.make(progress) as bar:
            while not waiting.is_over:
                await beside(lambda: waiting.step(bar.interval_s or _POLL_S))
                bar.show(waiting.detail)
    except asyncio.CancelledError as error:
        error.args = error.args or (waiting.goes_on(),)
        raise


async def beside(call: Callable[[], _T]) -> _T:
    """Run a call in a thread of its own.

    When the awaiting task is cancelled the thread is left to its call, and does not keep the process from ending; the
    threads of `asyncio.to_thread` would.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(value: Any, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)

    def run() -> None:
        value, error = None, None
        try:
            value = call()
        except Exception as caught:  # noqa: BLE001 - raised where it is awaited
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name="covalent-wait", daemon=True).start()
    return await done
