"""Starts and stops the lab without ever holding up the Jupyter server.

Decides what happens when the lab cannot be opened: the reason is kept, and the server runs on without it. Knows
nothing of HTTP.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from logging import Logger
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from covalent_lab.dispatcher.lab import Lab

__all__ = ["LabLifetime"]

_T = TypeVar("_T")


class LabLifetime:
    """Owns the lab of one Jupyter server.

    Args:
        opener: Opens the lab; may block and may fail in any way.
        log: Where failures are reported.

    Attributes:
        lab: The open lab, or None.
        reason: Why there is no lab, in one line; None while there is one.
    """

    def __init__(self, opener: Callable[[], "Lab"], log: Logger) -> None:
        self.opener = opener
        self.lab: Lab | None = None
        self.reason: str | None = "covalent_lab is starting. Try again in a moment."
        self._log = log
        self._lock = asyncio.Lock()
        self._is_over = False

    async def open(self) -> bool:
        """Open the lab; False (and a logged reason) if that is impossible."""
        async with self._lock:
            try:
                lab = await _in_thread(self.opener, "covalent-lab-open")
            except Exception as error:  # noqa: BLE001  whatever it is, Jupyter must go on
                self.reason = f"covalent_lab could not start: {_one_line(error)}"
                self._log.error("%s", self.reason, exc_info=error)
                return False
            if self._is_over:  # `close` gave up waiting for us
                await _in_thread(lab.close, "covalent-lab-close")
                return False
            self.lab, self.reason = lab, None
            return True

    async def close(self, timeout_s: float) -> None:
        """Close the lab if there is one; gives up waiting, and logs so, after `timeout_s`."""
        self._is_over = True
        try:
            async with asyncio.timeout(timeout_s), self._lock:
                lab, self.lab = self.lab, None
                self.reason = self.reason or "covalent_lab has stopped. Restart the Jupyter server."
                if lab is not None:
                    await _in_thread(lab.close, "covalent-lab-close")
        except TimeoutError:
            self._log.warning("covalent_lab did not stop within %s s; leaving it behind.", timeout_s)
        except Exception as error:  # noqa: BLE001  whatever it is, Jupyter must stop
            self._log.error("covalent_lab did not stop cleanly.", exc_info=error)


def _in_thread(function: Callable[[], _T], name: str) -> "asyncio.Future[_T]":
    """Run a blocking function in a daemon thread: unlike a pool's, it cannot keep the process alive."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]
        else:
            future.set_exception(error)

    def run() -> None:
        try:
            outcome: tuple[_T | None, BaseException | None] = (function(), None)
        except Exception as error:  # noqa: BLE001  carried to the caller
            outcome = (None, error)
        with contextlib.suppress(RuntimeError):  # it has closed
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
