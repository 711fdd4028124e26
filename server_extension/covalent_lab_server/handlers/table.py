"""All routes of the extension, in the order in which they are tried."""

from collections.abc import Sequence

from tornado import web

from covalent_lab_server.handlers import (
    cached,
    cluster,
    config,
    dispatches,
    executors,
    exports,
    feed,
    kernels,
    logs,
    nodes,
    openapi,
    payloads,
    quickstart,
    submissions,
)
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import ApiError
from covalent_lab_server.handlers.route import API_ROOT, Route, pattern

__all__ = ["ROUTES", "UnknownRouteHandler", "url_rules"]

ROUTES: Sequence[Route] = (
    *dispatches.ROUTES,
    *nodes.ROUTES,
    *payloads.ROUTES,
    *cached.ROUTES,
    *config.ROUTES,
    *logs.ROUTES,
    *quickstart.ROUTES,
    *exports.ROUTES,
    *executors.ROUTES,
    *cluster.ROUTES,
    *openapi.ROUTES,
    *feed.ROUTES,
    *kernels.ROUTES,
    *submissions.ROUTES,
)


class UnknownRouteHandler(ApiHandler):
    """Everything below the API's root that is no route: other versions' clients get an error they can read."""

    @web.authenticated
    def get(self) -> None:
        """Refuse."""
        raise ApiError(404, "not_found", f"{self.request.path} is no route of covalent_lab.")

    @web.authenticated
    def post(self) -> None:
        """Refuse."""
        self.get()

    @web.authenticated
    def put(self) -> None:
        """Refuse."""
        self.get()

    @web.authenticated
    def delete(self) -> None:
        """Refuse."""
        self.get()


def url_rules() -> list[tuple[str, type[web.RequestHandler]]]:
    """The routes as a Jupyter extension registers them."""
    rules = [(f"/{API_ROOT}/{pattern(route.path)}", route.handler) for route in ROUTES]
    return [*rules, (r"/covalent/api(?:/.*)?", UnknownRouteHandler)]
