"""Kernels that run tasks: a WebSocket between a kernel and the executor of that name.

Messages are passed on as they are: what is in them is the affair of the two ends, and nothing is unpickled.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketHandler

from covalent_lab_server.handlers.base import LabHandler
from covalent_lab_server.handlers.route import Answer, Operation, Route

if TYPE_CHECKING:
    from covalent_lab.executor.base import Line

__all__ = ["ROUTES", "KernelHandler"]

_GOING_AWAY = 1001
_POLICY_VIOLATION = 1008
_LARGEST = 2 << 30
_EXECUTOR = "kernel"


class KernelHandler(WebSocketMixin, WebSocketHandler, LabHandler):
    """One kernel."""

    _to_executor: "Line | None" = None

    @ws_authenticated
    @authorized
    async def get(self) -> None:
        """Turn the request into a socket."""
        await super().get()

    @property
    def max_message_size(self) -> int:
        """Values of tasks come as one message, where the kernel cannot write the server's files."""
        return _LARGEST

    async def open(self, *args: str, **kwargs: str) -> None:  # tornado awaits it
        """Introduce the kernel to its executor."""
        super().open(*args, **kwargs)
        loop = asyncio.get_running_loop()

        def to_kernel(message: bytes | None) -> None:
            with contextlib.suppress(RuntimeError):  # the server has ended
                loop.call_soon_threadsafe(self._pass_on, message)

        self._to_executor = await self.lab.attach(_EXECUTOR, to_kernel)

    def on_message(self, message: str | bytes) -> None:
        """Pass on what the kernel says."""
        if isinstance(message, str) or self._to_executor is None:
            self.close(_POLICY_VIOLATION, "Messages of kernels are bytes.")
        else:
            self._to_executor(message)

    def on_close(self) -> None:
        """Tell the executor."""
        if self._to_executor is not None:
            self._to_executor(None)

    def _pass_on(self, message: bytes | None) -> None:
        if message is None:
            self.close(_GOING_AWAY, "The dispatcher has let this kernel go.")
        elif self.ws_connection is not None and not self.ws_connection.is_closing():
            self.write_message(message, binary=True)


ROUTES = (
    Route(
        path="kernel",
        handler=KernelHandler,
        operations={
            "GET": Operation(
                summary="WebSocket by which a kernel gets tasks of the executor `kernel`",
                answers={101: Answer(summary="Binary frames follow: a JSON head, and bytes")},
            )
        },
    ),
)
