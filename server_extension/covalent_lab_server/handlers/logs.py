"""The log of the dispatcher."""

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab.config.logpages import LEVELS, log_page
from covalent_lab.config.serverfiles import ServerFiles
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

__all__ = ["ROUTES", "LogFileHandler", "LogsHandler"]

_PIECE = 1 << 16
_PAGE = (
    Query(name="search", default="", type=str, summary="Part of a message, or of who wrote it."),
    Query(name="level", default="", type=str, choices=("", *LEVELS), summary="Least severity."),
    Query(name="sort", default="time", type=str, choices=("time", "level"), summary="What the list is ordered by."),
    Query(name="direction", default="desc", type=str, choices=("asc", "desc"), summary="Order of the list."),
    Query(name="offset", default=0, type=int, minimum=0, maximum=2**53, summary="How many to leave out."),
    Query(name="count", default=50, type=int, minimum=1, maximum=500, summary="How many at most."),
)


class LogsHandler(ApiHandler):
    """Messages of the log."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        path = ServerFiles.load().dispatcher_log
        self.answer(await asyncio.to_thread(log_page, path, **self.query(_PAGE)))


class LogFileHandler(ApiHandler):
    """The file of the log."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send it, as long as it is at this moment."""
        path = ServerFiles.load().dispatcher_log
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="{path.name}"')
        if path.exists():
            with await asyncio.to_thread(path.open, "rb") as file:
                while piece := await asyncio.to_thread(file.read, _PIECE):
                    self.write(piece)
                    await self.flush()
        self.finish()


ROUTES = (
    Route(
        path="logs",
        handler=LogsHandler,
        operations={
            "GET": Operation(
                summary="List messages of the log",
                query=_PAGE,
                answers={200: Answer(summary="One page", schema="LogPage")},
            )
        },
    ),
    Route(
        path="logs/file",
        handler=LogFileHandler,
        operations={
            "GET": Operation(
                summary="Download the log",
                answers={200: Answer(summary="As it is", media_type="text/plain")},
            )
        },
    ),
)
