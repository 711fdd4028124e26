"""Dispatches: submit, list, look at, start, cancel and delete them.

A submission is handed to the lab piece by piece as it arrives, so its size does not matter to this process.
"""

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab.errors import LabError, MissingLatticeRecordError
from covalent_lab.ids import DispatchId
from covalent_lab.scheduler.states import DispatchState
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import ApiError, bad_request
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

if TYPE_CHECKING:
    from covalent_lab.dispatcher.lab import Submission

__all__ = [
    "ROUTES",
    "SUBMIT_QUERY",
    "CancelHandler",
    "DeleteHandler",
    "DispatchHandler",
    "DispatchesHandler",
    "GraphHandler",
    "OverviewHandler",
    "RedispatchHandler",
    "StartHandler",
    "StatusHandler",
    "SublatticesHandler",
    "take_in",
]

_BODY_LIMIT = 1 << 40
_PIECE = 1 << 20
_SMALL_PIECE = 1 << 14
_START = (Query(name="start", default=True, type=bool, summary="False records the dispatch without starting it."),)
SUBMIT_QUERY = (
    *_START,
    Query(
        name="wait_s",
        default=None,
        type=float,
        minimum=0,
        maximum=300,
        summary="Answer with `detail`, when the dispatch has ended or after so many seconds.",
    ),
)
_LIST = (
    Query(name="search", default="", type=str, summary="Part of a name or the beginning of an id."),
    Query(
        name="status",
        default="",
        type=str,
        choices=("", *DispatchState),
        is_list=True,
        summary="Only dispatches that stand so; several are joined by commas.",
    ),
    Query(
        name="sort",
        default="created_at",
        type=str,
        choices=("created_at", "started_at", "ended_at", "id", "name", "status", "runtime", "total"),
        summary="What the list is ordered by.",
    ),
    Query(name="direction", default="desc", type=str, choices=("asc", "desc"), summary="Order of the list."),
    Query(name="offset", default=0, type=int, minimum=0, maximum=2**53, summary="How many to leave out."),
    Query(name="count", default=50, type=int, minimum=1, maximum=500, summary="How many at most."),
)
_WAIT = (
    Query(
        name="wait_s",
        default=0.0,
        type=float,
        minimum=0,
        maximum=300,
        summary="Answer when the dispatch has ended, or after so many seconds.",
    ),
)


async def take_in(submission: "Submission", *, start: bool, wait_s: float | None) -> tuple[int, dict[str, Any]]:
    """Record a dispatch whose bundle was fed, and wait if that is asked for; returns status and body of the answer.

    Raises:
        LabError: It cannot be taken.
    """
    if wait_s is None:
        dispatch_id, created = await submission.finish(start=start)
        body: dict[str, Any] = {"dispatch_id": dispatch_id}
    else:
        detail, created = await submission.finish_and_wait(wait_s, start=start)
        body = {"dispatch_id": detail["dispatch_id"], "detail": detail}
    return (201 if created else 200), body


class StatusHandler(ApiHandler):
    """The lab as a whole."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Say what is running."""
        self.answer(await self.lab.status())


@web.stream_request_body
class DispatchesHandler(ApiHandler):
    """All dispatches."""

    _submission: "Submission | None" = None
    _refusal: Exception | None = None
    _is_feeding = False

    async def prepare(self, **options: Any) -> None:
        """Let a body in only after its sender is known."""
        await super().prepare(**options)
        if self.request.method == "POST":
            await self._admit()

    @authorized("write")  # type: ignore[untyped-decorator]
    async def _admit(self) -> None:
        self._pending = bytearray()
        self._submission = self.lab.submission()
        self.request.connection.set_max_body_size(_BODY_LIMIT)  # type: ignore[union-attr]

    async def data_received(self, chunk: bytes) -> None:
        """Collect the body; after a refusal the rest is read and dropped, so that the answer arrives."""
        if self._submission is not None:
            self._pending += chunk
            if len(self._pending) >= _PIECE:
                await self._feed()

    def on_connection_close(self) -> None:
        """Forget a submission that was not sent to its end."""
        super().on_connection_close()
        self._abort()

    def on_finish(self) -> None:
        """Leave nothing behind after an error."""
        self._abort()

    async def _feed(self) -> None:
        """Pass on what was collected; in a thread where that takes longer, as the lab writes and flushes files."""
        piece = bytes(self._pending)
        self._pending.clear()
        self._is_feeding = True
        feed = cast("Submission", self._submission).feed
        try:
            if len(piece) <= _SMALL_PIECE:
                feed(piece)
            else:
                await asyncio.to_thread(feed, piece)
        except (LabError, OSError) as error:
            self._refusal = error
        finally:
            self._is_feeding = False
        if self._refusal is not None or self.is_gone:
            self._abort()

    def _abort(self) -> None:
        if self._submission is not None and not self._is_feeding:
            submission, self._submission = self._submission, None
            submission.abort()

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List dispatches."""
        self.answer(await self.lab.list_dispatches(**self.query(_LIST)))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Take in the dispatch whose bundle has arrived."""
        query = self.query(SUBMIT_QUERY)
        if self._submission is not None:
            await self._feed()
        submission, self._submission = self._submission, None
        if submission is None:
            raise self._refusal or web.Finish()
        work = take_in(submission, **query)
        status, body = await (work if query["wait_s"] is None else self.while_connected(work))
        self.answer(body, status)


class OverviewHandler(ApiHandler):
    """All dispatches in figures."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Add them up."""
        self.answer(await self.lab.overview())


class DeleteHandler(ApiHandler):
    """Deletion of many dispatches."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Delete those that can be deleted."""
        body = self.json_body()
        if len(body.keys() & {"dispatch_ids", "matching"}) != 1:
            raise bad_request("Give either dispatch_ids or matching.")
        if "matching" in body:
            self.answer(await self.lab.delete_matching(*_filter(body["matching"])))
            return
        if not _is_texts(body["dispatch_ids"]):
            raise bad_request("dispatch_ids must be a list of strings.")
        self.answer(await self.lab.delete([DispatchId(item) for item in body["dispatch_ids"]]))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _filter(given: Any) -> tuple[str, Sequence[str]]:
    """Search and statuses of a request that names dispatches by a filter; an empty one has to be written out."""
    if not isinstance(given, dict) or given.keys() != {"search", "statuses"}:
        raise bad_request("matching must have search and statuses.")
    search, statuses = given["search"], given["statuses"]
    if not isinstance(search, str) or not _is_texts(statuses) or not set(statuses) <= set(DispatchState):
        raise bad_request(f"search must be a text, and statuses a list of {', '.join(DispatchState)}.")
    return search, statuses


class DispatchHandler(ApiHandler):
    """One dispatch."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str) -> None:
        """Describe it, after waiting for its end if asked to."""
        wait_s = self.query(_WAIT)["wait_s"]
        self.answer(await self.while_connected(self.lab.detail(DispatchId(dispatch_id), wait_s=wait_s)))

    @web.authenticated
    @authorized
    async def delete(self, dispatch_id: str) -> None:
        """Delete it."""
        outcome = await self.lab.delete([DispatchId(dispatch_id)])
        if outcome["missing"]:
            raise MissingLatticeRecordError(dispatch_id)
        if outcome["active"]:
            raise ApiError(409, "dispatch_active", f"Dispatch {dispatch_id} is not over. Cancel it before deleting it.")
        self.set_status(204)
        self.finish()


class StartHandler(ApiHandler):
    """Start of a recorded dispatch."""

    @web.authenticated
    @authorized
    async def post(self, dispatch_id: str) -> None:
        """Start it."""
        self.answer(await self.lab.start(DispatchId(dispatch_id)), 202)


class RedispatchHandler(ApiHandler):
    """Repetition of a recorded dispatch."""

    @web.authenticated
    @authorized
    async def post(self, dispatch_id: str) -> None:
        """Record the new dispatch."""
        body = self.json_body()
        new_id, reuse, start = body.get("dispatch_id"), body.get("reuse_previous_results"), body.get("start")
        if not isinstance(new_id, str | None):
            raise bad_request("dispatch_id must be a string, or null.")
        if not isinstance(reuse, bool | None) or not isinstance(start, bool | None):
            raise bad_request("reuse_previous_results and start must be true or false.")
        answer, created = await self.lab.redispatch(
            DispatchId(dispatch_id),
            new_id or str(uuid.uuid4()),
            reuse_previous_results=bool(reuse),
            start=start is not False,
        )
        self.answer({"dispatch_id": answer}, 201 if created else 200)


class CancelHandler(ApiHandler):
    """Cancellation of a dispatch or of some of its tasks."""

    @web.authenticated
    @authorized
    async def post(self, dispatch_id: str) -> None:
        """Ask for the cancellation."""
        ids = self.json_body().get("task_ids")
        if ids is not None and not (isinstance(ids, list) and all(type(item) is int and item >= 0 for item in ids)):
            raise bad_request("task_ids must be a list of node numbers, or null.")
        self.answer(await self.lab.cancel(DispatchId(dispatch_id), ids), 202)


class GraphHandler(ApiHandler):
    """The graph of a dispatch."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str) -> None:
        """Send it; it never changes."""
        graph = await self.lab.graph(DispatchId(dispatch_id))
        if not self.is_cached(f"graph-{dispatch_id}"):
            self.finish(graph)


class SublatticesHandler(ApiHandler):
    """What nodes of a dispatch became."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str) -> None:
        """List them."""
        self.answer(await self.lab.list_dispatches(**self.query(_LIST), parent=dispatch_id))


_BUNDLE = "application/vnd.covalent.bundle"

ROUTES = (
    Route(
        path="status",
        handler=StatusHandler,
        operations={
            "GET": Operation(summary="State of the lab", answers={200: Answer(summary="Running", schema="StatusBody")})
        },
    ),
    Route(
        path="dispatches",
        handler=DispatchesHandler,
        operations={
            "GET": Operation(
                summary="List dispatches that no other dispatch started",
                query=_LIST,
                answers={200: Answer(summary="One page", schema="DispatchPage")},
            ),
            "POST": Operation(
                summary="Submit a dispatch",
                query=SUBMIT_QUERY,
                body=_BUNDLE,
                answers={
                    201: Answer(summary="Recorded", schema="SubmitResult"),
                    200: Answer(summary="Recorded before; nothing changed", schema="SubmitResult"),
                },
            ),
        },
    ),
    Route(
        path="dispatches/overview",
        handler=OverviewHandler,
        operations={
            "GET": Operation(
                summary="All dispatches that no other dispatch started, in figures",
                answers={200: Answer(summary="Counts, the newest, run time", schema="Overview")},
            )
        },
    ),
    Route(
        path="dispatches/delete",
        handler=DeleteHandler,
        operations={
            "POST": Operation(
                summary="Delete dispatches",
                body="DeleteRequest",
                answers={200: Answer(summary="What became of each", schema="DeleteResult")},
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}",
        handler=DispatchHandler,
        operations={
            "GET": Operation(
                summary="Describe a dispatch",
                query=_WAIT,
                answers={200: Answer(summary="Its present state", schema="Detail")},
            ),
            "DELETE": Operation(
                summary="Delete a dispatch",
                answers={
                    204: Answer(summary="Deleted, with what its nodes became"),
                    409: Answer(summary="It is not over, or part of another", schema="ErrorBody"),
                },
            ),
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/start",
        handler=StartHandler,
        operations={
            "POST": Operation(
                summary="Start a dispatch that was only recorded",
                answers={202: Answer(summary="It will start", schema="StartResult")},
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/redispatches",
        handler=RedispatchHandler,
        operations={
            "POST": Operation(
                summary="Repeat a dispatch, with the same inputs",
                body="RedispatchRequest",
                answers={
                    201: Answer(summary="Recorded", schema="SubmitResult"),
                    200: Answer(summary="Recorded before; nothing changed", schema="SubmitResult"),
                },
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/cancel",
        handler=CancelHandler,
        operations={
            "POST": Operation(
                summary="Cancel a dispatch, or some of its tasks",
                body="CancelRequest",
                answers={202: Answer(summary="It will stop", schema="CancelResult")},
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/sublattices",
        handler=SublatticesHandler,
        operations={
            "GET": Operation(
                summary="List dispatches that nodes of this one became",
                query=_LIST,
                answers={200: Answer(summary="One page", schema="DispatchPage")},
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/graph",
        handler=GraphHandler,
        operations={
            "GET": Operation(
                summary="Graph of a dispatch",
                answers={
                    200: Answer(summary="It never changes", schema="GraphWire"),
                    304: Answer(summary="Known already"),
                },
            )
        },
    ),
)
