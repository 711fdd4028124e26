"""The Dask cluster that comes with the server: what it is, start and stop, number of workers, log."""

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab.client import cluster
from covalent_lab.client.files import log_text
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import bad_request
from covalent_lab_server.handlers.route import Answer, Operation, Route

__all__ = ["ROUTES", "ClusterHandler", "ClusterLogHandler"]

_LOG_LIMIT = 200_000
_MOST_WORKERS = 10_000


class ClusterHandler(ApiHandler):
    """The cluster."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Describe it."""
        self.answer(await asyncio.to_thread(cluster.describe))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start it, stop it, start its workers anew, or have more or fewer of them."""
        body = self.json_body()
        action, workers = body.get("action"), body.get("workers")
        if action == "scale" and (type(workers) is not int or not 0 <= workers <= _MOST_WORKERS):
            raise bad_request(f"workers must be a whole number from 0 to {_MOST_WORKERS}.")
        match action:
            case "start":
                await asyncio.to_thread(cluster.start)
            case "stop":
                await asyncio.to_thread(cluster.stop)
            case "restart":
                await asyncio.to_thread(cluster.ask, "restart")
            case "scale":
                await asyncio.to_thread(cluster.ask, "scale", workers=workers)
            case _:
                raise bad_request("action must be start, stop, restart or scale.")
        self.answer(await asyncio.to_thread(cluster.describe))


class ClusterLogHandler(ApiHandler):
    """Its log."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send the end of it."""
        text = await asyncio.to_thread(log_text, cluster.log_path())
        self.answer({"path": cluster.log_path(), "text": text[-_LOG_LIMIT:]})


ROUTES = (
    Route(
        path="cluster",
        handler=ClusterHandler,
        operations={
            "GET": Operation(
                summary="The Dask cluster that comes with the server",
                answers={200: Answer(summary="Whether it runs, and its workers", schema="ClusterView")},
            ),
            "POST": Operation(
                summary="Start or stop the cluster, start its workers anew, or change their number",
                body="ClusterOrder",
                answers={200: Answer(summary="The cluster afterwards", schema="ClusterView")},
            ),
        },
    ),
    Route(
        path="cluster/log",
        handler=ClusterLogHandler,
        operations={
            "GET": Operation(
                summary="What the cluster wrote last",
                answers={200: Answer(summary="The end of its log", schema="ClusterLog")},
            )
        },
    ),
)
