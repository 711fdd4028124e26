"""Connections that send a short request in one piece.

http.client sends headers and body one after the other. Each wakes the server, which then reads twice what it could have
read at once; for a small task that is felt.
"""

from typing import Any

import urllib3  # noqa: TID253 - this module is loaded by the first connection
from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: TID253

__all__ = ["pool_of"]

_MOST = 1 << 16


class _InOnePiece:
    """Holds back what is sent until the request is complete, as long as it is short."""

    _held: bytearray | None = None

    def request(self, *args: Any, **options: Any) -> None:
        self._held = bytearray()
        try:
            super().request(*args, **options)  # type: ignore[misc]
            self._flush()
        finally:
            self._held = None

    def send(self, data: Any) -> None:
        if self._held is not None and isinstance(data, bytes) and len(self._held) + len(data) <= _MOST:
            self._held += data
            return
        self._flush()
        super().send(data)  # type: ignore[misc]

    def _flush(self) -> None:
        if self._held:
            held, self._held = bytes(self._held), None
            super().send(held)  # type: ignore[misc]


class _Connection(_InOnePiece, HTTPConnection):
    pass


class _SecureConnection(_InOnePiece, HTTPSConnection):
    pass


def pool_of(url: str, kept_open: int) -> urllib3.HTTPConnectionPool:
    """Connections to the server of a URL; `kept_open` of them at most stay open. Repeats nothing by itself."""
    pool = urllib3.connection_from_url(url, maxsize=kept_open, retries=False)
    pool.ConnectionCls = _SecureConnection if isinstance(pool, urllib3.HTTPSConnectionPool) else _Connection
    return pool
