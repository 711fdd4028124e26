"""Payloads: download an archive, or see a preview of it.

Archives are only ever sent as files to be saved. They are never unpickled here and never shown as a page.
"""

import asyncio
from pathlib import Path
from typing import BinaryIO

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from covalent_lab.errors import MissingNodeError
from covalent_lab.ids import DispatchId
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

__all__ = ["ROUTES", "PayloadHandler", "PreviewHandler"]

_OCTETS = "application/octet-stream"
_PIECE = 1 << 20
_AS = (
    Query(
        name="as",
        default="bytes",
        type=str,
        choices=("bytes", "path"),
        summary="`path` asks for the path of the file where there is one, for clients on the same machine.",
    ),
)


class PayloadHandler(ApiHandler):
    """One archive."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str, digest: str) -> None:
        """Send the archive, or say where it lies."""
        wanted = self.query(_AS)["as"]
        stored = await self.lab.payload(DispatchId(dispatch_id), digest)
        if stored.path is not None and wanted == "path":
            self.answer({"path": stored.path})
        elif not self.is_cached(digest):
            self.set_attachment_header(f"{digest}.bin")
            if stored.path is not None:
                await self._send_file(Path(stored.path), digest)
            else:
                self.finish(stored.data or b"", set_content_type=_OCTETS)

    async def _send_file(self, path: Path, digest: str) -> None:
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError as error:
            raise MissingNodeError(f"The file of payload {digest} is gone; was its dispatch deleted?") from error
        try:
            await self._send_pieces(file)
        except StreamClosedError:
            self.log.debug("The client left before payload %s was sent.", digest)
        finally:
            file.close()

    async def _send_pieces(self, file: BinaryIO) -> None:
        size = await asyncio.to_thread(file.seek, 0, 2)
        file.seek(0)
        self.set_header("Content-Type", _OCTETS)
        self.set_header("Content-Length", str(size))
        while piece := await asyncio.to_thread(file.read, _PIECE):
            self.write(piece)
            await self.flush()
        self.finish(set_content_type=_OCTETS)


class PreviewHandler(ApiHandler):
    """What can be shown of a payload."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str, digest: str) -> None:
        """Send text and pictures that the worker stored beside the value."""
        self.answer(await self.lab.preview(DispatchId(dispatch_id), digest))


ROUTES = (
    Route(
        path="dispatches/{dispatch_id}/payloads/{digest}",
        handler=PayloadHandler,
        operations={
            "GET": Operation(
                summary="Download a payload",
                query=_AS,
                answers={
                    200: Answer(summary="The archive; or its path", schema="PayloadPath", media_type=_OCTETS),
                    304: Answer(summary="Known already"),
                },
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/payloads/{digest}/preview",
        handler=PreviewHandler,
        operations={
            "GET": Operation(
                summary="What can be shown of a payload",
                answers={200: Answer(summary="Text and pictures", schema="Preview")},
            )
        },
    ),
)
