"""Short submissions over a WebSocket that stays open, at a fraction of what a request costs both ends.

Decides when it is worth having, and when it cannot be used. Whoever asks must be able to send a request instead: a
bundle carries its id, so that it may be submitted twice.
"""

import json
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab.worker import Buffer

__all__ = ["SubmitSocket", "socket_url"]

_LONGEST = 1 << 14
_CONNECT_S = 5.0
_ANSWER_S = 10.0
# Requests do not take the system's proxy. The library looks at the second of these only where there is the first.
_NO_PROXY: Mapping[str, Any] = {"http_proxy_host": "none", "http_no_proxy": ["*"]}


def socket_url(url: str) -> str:
    """Where a WebSocket is opened, for the URL of its route."""
    scheme, _, rest = url.partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}"


class SubmitSocket:
    """Opened by the second short submission, since the first of many is not known from an only one.

    Safe to call from several threads; those that find it in use are told so.

    Args:
        url: Where the server takes such submissions.
        headers: Sent when it is opened.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = socket_url(url)
        self._headers = headers
        self._lock = threading.Lock()
        self._socket: Any = None
        self._closing: weakref.finalize[..., SubmitSocket] | None = None
        self._is_first = True
        self._is_useless = False

    def submit(self, bundle: Sequence[Buffer], query: str, wait_s: float) -> dict[str, Any] | None:
        """Submit a bundle.

        Args:
            bundle: Its pieces.
            query: As for `POST dispatches`.
            wait_s: How long the server may take by that query, in seconds.

        Returns:
            The answer to that request; None if there is none, and the request must be made.
        """
        if sum(memoryview(piece).nbytes for piece in bundle) + len(query) >= _LONGEST:
            return None
        if not self._lock.acquire(blocking=False):
            return None
        try:
            if self._is_first:
                self._is_first = False
                return None
            return self._ask(b"".join((query.encode(), b"\n", *bundle)), wait_s + _ANSWER_S)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close it for good. Safe to call twice, and while it is in use."""
        self._is_useless = True
        closing = self._closing
        if closing is not None:
            closing()

    def _ask(self, message: bytes, longest_s: float) -> dict[str, Any] | None:
        if self._is_useless:
            return None
        import websocket  # websocket-client: loaded by who submits more than once

        is_new = self._socket is None
        answer: Any = None
        try:
            if is_new:
                self._socket = websocket.create_connection(
                    self._url, header=dict(self._headers), timeout=_CONNECT_S, **_NO_PROXY
                )
                self._closing = weakref.finalize(self, self._socket.shutdown)
            self._socket.settimeout(longest_s)
            self._socket.send_binary(message)
            answer = json.loads(self._socket.recv() or "null")
        except (websocket.WebSocketException, OSError, ValueError):
            pass
        finally:
            if not isinstance(answer, dict):
                self._drop()  # it broke, or somebody stopped waiting: what comes next would be another's
        if not isinstance(answer, dict):
            self._is_useless = self._is_useless or is_new
            return None
        return answer["body"] if answer.get("status") in (200, 201) else None

    def _drop(self) -> None:
        closing, self._socket, self._closing = self._closing, None, None
        if closing is not None:
            closing()
