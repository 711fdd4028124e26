"""The feed: a WebSocket that sends each transition once, in order.

The lab decides what is sent and when a client must reload; this module sends no faster than the client
reads, and at most twenty frames a second.
"""

import asyncio
import json
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from covalent_lab_server.handlers.base import LabHandler
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

if TYPE_CHECKING:
    from covalent_lab.dispatcher.lab import Subscription

__all__ = ["ROUTES", "FeedHandler"]

_GOING_AWAY = 1001
_INTERNAL_ERROR = 1011
_PAUSE_S = 0.05
_AFTER = (
    Query(name="after", default=None, type=int, minimum=0, maximum=2**53, summary="Send what came after this number."),
)


class FeedHandler(WebSocketMixin, WebSocketHandler, LabHandler):
    """One listener."""

    accepts_token_in_url = True
    _subscription: "Subscription | None" = None
    _sender: "asyncio.Task[None] | None" = None

    @ws_authenticated
    @authorized
    async def get(self) -> None:
        """Turn the request into a socket."""
        self._after = self.query(_AFTER)["after"]
        await super().get()

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin to send; the task belongs to this handler and ends with it."""
        super().open(*args, **kwargs)
        self._subscription = self.lab.subscribe(self._after)
        self._sender = asyncio.get_running_loop().create_task(self._send_all(self._subscription))

    def on_message(self, message: str | bytes) -> None:
        """Nothing is expected from the client."""

    def on_close(self) -> None:
        """Stop listening to the lab."""
        if self._subscription is not None:
            self._subscription.close()
        if self._sender is not None:
            self._sender.cancel()

    async def _send_all(self, subscription: "Subscription") -> None:
        try:
            async for frame in subscription:
                await self.write_message(json.dumps(frame, separators=(",", ":")))
                if frame["type"] == "transitions":
                    await asyncio.sleep(_PAUSE_S)  # what happens meanwhile comes in one frame
            self.close(_GOING_AWAY, "The feed has ended.")
        except WebSocketClosedError:
            self.log.debug("A feed's client went away.")
        except Exception:
            self.log.exception("The feed failed.")
            self.close(_INTERNAL_ERROR, "The feed failed.")
        finally:
            subscription.close()


ROUTES = (
    Route(
        path="feed",
        handler=FeedHandler,
        operations={
            "GET": Operation(
                summary="WebSocket of transitions",
                query=_AFTER,
                answers={101: Answer(summary="Text frames of this form follow", schema="FeedFrame")},
            )
        },
    ),
)
