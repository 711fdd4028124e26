"""Dispatches as files to be kept, and two of them side by side.

What is exported is only ever sent as a file to be saved: it holds what users wrote, and is never shown as a page here.
"""

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab.exports.formats import FORMATS
from covalent_lab.ids import DispatchId
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

__all__ = ["ROUTES", "ComparisonHandler", "ExportHandler"]

_OCTETS = "application/octet-stream"
_FORMAT = (Query(name="format", default="html", type=str, choices=tuple(FORMATS), summary="What the file is to be."),)


class ExportHandler(ApiHandler):
    """One dispatch as a file."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str) -> None:
        """Send it."""
        form = FORMATS[self.query(_FORMAT)["format"]]
        text = await self.while_connected(self.lab.export(DispatchId(dispatch_id), form.suffix))
        self.set_attachment_header(f"{dispatch_id}.{form.suffix}")
        self.finish(text.encode(), set_content_type=f"{form.media_type}; charset=utf-8")


class ComparisonHandler(ApiHandler):
    """Two dispatches."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str, other_id: str) -> None:
        """Compare them."""
        self.answer(await self.while_connected(self.lab.compare(DispatchId(dispatch_id), DispatchId(other_id))))


ROUTES = (
    Route(
        path="dispatches/{dispatch_id}/export",
        handler=ExportHandler,
        operations={
            "GET": Operation(
                summary="A dispatch as picture, diagram, script or page",
                query=_FORMAT,
                answers={200: Answer(summary="The file", media_type=_OCTETS)},
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/comparison/{other_id}",
        handler=ComparisonHandler,
        operations={
            "GET": Operation(
                summary="Two dispatches side by side",
                answers={200: Answer(summary="What differs", schema="Comparison")},
            )
        },
    ),
)
