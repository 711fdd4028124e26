"""Short submissions over a WebSocket: what `POST dispatches` does, for clients that submit again and again.

A message costs half of a request, in which headers are read, users identified and lines logged. One message is the
query of that request, a newline and the bundle; the answer has its status and its JSON body. A client waits for the
answer before it sends the next.
"""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketHandler

from covalent_lab_server.handlers.base import LabHandler
from covalent_lab_server.handlers.dispatches import SUBMIT_QUERY, take_in
from covalent_lab_server.handlers.errors import error_body, status_of
from covalent_lab_server.handlers.route import Answer, Operation, Route

__all__ = ["ROUTES", "SubmissionsHandler"]

_LONGEST = 1 << 14  # taken in here and now, not in a thread
_IDLE_S = 600.0
_GOING_AWAY = 1001
_POLICY_VIOLATION = 1008


class SubmissionsHandler(WebSocketMixin, WebSocketHandler, LabHandler):
    """One client."""

    ping_interval = 0  # a client reads only while it waits for an answer; idle ones are let go instead
    max_message_size = _LONGEST
    _answering: "asyncio.Task[None] | None" = None
    _idle: "asyncio.TimerHandle | None" = None

    @ws_authenticated
    @authorized("write")  # type: ignore[untyped-decorator]
    async def get(self) -> None:  # type: ignore[override]
        """Turn the request into a socket."""
        await super().get()

    def open(self, *args: str, **kwargs: str) -> None:
        """Wait for the first message."""
        super().open(*args, **kwargs)
        self.set_nodelay(True)
        self._rest()

    def on_message(self, message: str | bytes) -> None:
        """Begin to answer; the task belongs to this handler and ends with it."""
        if isinstance(message, str) or self._answering is not None:
            self.close(_POLICY_VIOLATION, "Bundles are bytes, and come one at a time.")
            return
        if self._idle is not None:
            self._idle.cancel()
        self._answering = asyncio.get_running_loop().create_task(self._answer(message))

    def on_close(self) -> None:
        """Stop waiting for what nobody will read; what was recorded goes on."""
        for pending in (self._answering, self._idle):
            if pending is not None:
                pending.cancel()

    def _rest(self) -> None:
        self._answering = None
        self._idle = asyncio.get_running_loop().call_later(_IDLE_S, self.close, _GOING_AWAY, "Nothing was submitted.")

    async def _answer(self, message: bytes) -> None:
        query, _, bundle = message.partition(b"\n")
        try:
            status, body = await self._submit(query, bundle)
        except Exception as error:  # noqa: BLE001 - answered as tornado would
            status = status_of(error)
            self.log_exception(type(error), error, error.__traceback__)
            body = error_body(error, status)
        if self.ws_connection is not None and not self.ws_connection.is_closing():
            await self.write_message(json.dumps({"status": status, "body": body}, separators=(",", ":")))
            self._rest()

    async def _submit(self, query: bytes, bundle: bytes) -> tuple[int, dict[str, Any]]:
        given = dict(parse_qsl(query.decode("ascii", "replace")))
        options = {parameter.name: parameter.parse(given.get(parameter.name)) for parameter in SUBMIT_QUERY}
        submission = self.lab.submission()
        try:
            submission.feed(bundle)
            return await take_in(submission, **options)
        finally:
            submission.abort()


ROUTES = (
    Route(
        path="submissions",
        handler=SubmissionsHandler,
        operations={
            "GET": Operation(
                summary="WebSocket for short submissions",
                answers={
                    101: Answer(
                        summary="Binary frames of a query as for `POST dispatches`, a newline and a bundle; each is "
                        "answered by a text frame of this form",
                        schema="SubmissionAnswer",
                    )
                },
            )
        },
    ),
)
