"""Nodes of a dispatch: their states, details and output streams."""

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab.ids import DispatchId, NodeId
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import bad_request
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

__all__ = ["ROUTES", "JobHandler", "NodeHandler", "NodesHandler", "StreamHandler"]

_JOB_STATES = ("COMPLETED", "FAILED", "CANCELLED", "READY")
_OFFSET = (Query(name="offset", default=0, type=int, minimum=0, maximum=2**53, summary="Where the last answer ended."),)


class NodesHandler(ApiHandler):
    """All nodes that have begun."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str) -> None:
        """Send their states as columns."""
        self.answer(await self.lab.nodes(DispatchId(dispatch_id)))


class NodeHandler(ApiHandler):
    """One node."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str, node_id: str) -> None:
        """Describe it."""
        self.answer(await self.lab.node(DispatchId(dispatch_id), NodeId(int(node_id))))


class StreamHandler(ApiHandler):
    """What a task printed."""

    @web.authenticated
    @authorized
    async def get(self, dispatch_id: str, node_id: str, stream: str) -> None:
        """Send what came after an offset."""
        offset = self.query(_OFFSET)["offset"]
        self.answer(await self.lab.stream(DispatchId(dispatch_id), NodeId(int(node_id)), stream, offset))


class JobHandler(ApiHandler):
    """News of a node's job from its backend."""

    @web.authenticated
    @authorized
    async def put(self, dispatch_id: str, node_id: str) -> None:
        """Hand the news to the executor that waits for them."""
        body = self.json_body()
        if body.get("status") not in _JOB_STATES:
            raise bad_request(f"status must be one of {', '.join(_JOB_STATES)}.")
        taken = await self.lab.notify(DispatchId(dispatch_id), NodeId(int(node_id)), body)
        self.answer({"taken": taken}, 202)


ROUTES = (
    Route(
        path="dispatches/{dispatch_id}/nodes",
        handler=NodesHandler,
        operations={
            "GET": Operation(
                summary="States of the nodes that have begun",
                answers={200: Answer(summary="As columns", schema="NodeColumns")},
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/nodes/{node_id}",
        handler=NodeHandler,
        operations={
            "GET": Operation(summary="Describe a node", answers={200: Answer(summary="Its state", schema="NodeDetail")})
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/nodes/{node_id}/streams/{stream}",
        handler=StreamHandler,
        operations={
            "GET": Operation(
                summary="What a task printed, also while it runs",
                query=_OFFSET,
                answers={200: Answer(summary="What came after the offset", schema="StreamChunk")},
            )
        },
    ),
    Route(
        path="dispatches/{dispatch_id}/nodes/{node_id}/job",
        handler=JobHandler,
        operations={
            "PUT": Operation(
                summary="Tell that a node's job is over, or ready to be received",
                body="JobNotice",
                answers={202: Answer(summary="Whether an executor waits for it", schema="JobNoticeResult")},
            )
        },
    ),
)
