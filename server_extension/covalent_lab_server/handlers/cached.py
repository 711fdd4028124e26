"""Results that equal calls of later dispatches take over: list them, drop them."""

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import bad_request
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

__all__ = ["ROUTES", "CachedHandler", "PurgeHandler"]

_LIST = (
    Query(name="search", default="", type=str, summary="Part of a task's name."),
    Query(name="offset", default=0, type=int, minimum=0, maximum=2**53, summary="How many to leave out."),
    Query(name="count", default=50, type=int, minimum=1, maximum=500, summary="How many at most."),
)


class CachedHandler(ApiHandler):
    """The cache of results."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        self.answer(await self.lab.cached_results(**self.query(_LIST)))


class PurgeHandler(ApiHandler):
    """Removal from the cache of results."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Drop some, or all."""
        body = self.json_body()
        keys, unused_s = body.get("keys"), body.get("unused_s")
        if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            raise bad_request("keys must be a list of strings, or null for all.")
        if unused_s is not None and (isinstance(unused_s, bool) or not isinstance(unused_s, (int, float))):
            raise bad_request("unused_s must be a number of seconds, or null.")
        self.answer(await self.lab.purge_cached_results(keys, unused_s))


ROUTES = (
    Route(
        path="cached_results",
        handler=CachedHandler,
        operations={
            "GET": Operation(
                summary="List results that equal calls take over",
                query=_LIST,
                answers={200: Answer(summary="One page, last used first", schema="CachedResults")},
            )
        },
    ),
    Route(
        path="cached_results/purge",
        handler=PurgeHandler,
        operations={
            "POST": Operation(
                summary="Drop cached results",
                body="PurgeRequest",
                answers={200: Answer(summary="How many there were", schema="PurgeResult")},
            )
        },
    ),
)
