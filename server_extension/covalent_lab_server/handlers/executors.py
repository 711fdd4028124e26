"""Executors: list them, ask how they are, change their settings, let them run a test task."""

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import bad_request
from covalent_lab_server.handlers.route import Answer, Operation, Query, Route

__all__ = ["ROUTES", "ExecutorHandler", "ExecutorsHandler", "HealthHandler", "TestHandler"]

_TEST = (
    Query(
        name="wait_s",
        default=60.0,
        type=float,
        minimum=0,
        maximum=300,
        summary="Answer when the task has ended, or after so many seconds.",
    ),
)


class ExecutorsHandler(ApiHandler):
    """All executors."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        self.answer(await self.lab.executors())


class ExecutorHandler(ApiHandler):
    """One executor."""

    @web.authenticated
    @authorized
    async def put(self, executor: str) -> None:
        """Change its settings."""
        settings = self.json_body().get("settings")
        if not isinstance(settings, dict):
            raise bad_request("settings must be an object.")
        self.answer(await self.lab.configure_executor(executor, settings))


class HealthHandler(ApiHandler):
    """How an executor is."""

    @web.authenticated
    @authorized
    async def get(self, executor: str) -> None:
        """Ask it."""
        self.answer(await self.while_connected(self.lab.executor_health(executor)))


class TestHandler(ApiHandler):
    """A test task."""

    @web.authenticated
    @authorized
    async def post(self, executor: str) -> None:
        """Run it."""
        wait_s = self.query(_TEST)["wait_s"]
        self.answer(await self.while_connected(self.lab.test_executor(executor, wait_s)))


ROUTES = (
    Route(
        path="executors",
        handler=ExecutorsHandler,
        operations={
            "GET": Operation(
                summary="List executors, with their settings and how many tasks they have",
                answers={200: Answer(summary="All of them", schema="ExecutorList")},
            )
        },
    ),
    Route(
        path="executors/{executor}",
        handler=ExecutorHandler,
        operations={
            "PUT": Operation(
                summary="Change settings of an executor in the configuration file",
                body="ExecutorChange",
                answers={200: Answer(summary="The executor afterwards", schema="ExecutorView")},
            )
        },
    ),
    Route(
        path="executors/{executor}/health",
        handler=HealthHandler,
        operations={
            "GET": Operation(
                summary="Ask an executor how it is; it is started for that if need be",
                answers={200: Answer(summary="Its answer, or why there is none", schema="ExecutorHealth")},
            )
        },
    ),
    Route(
        path="executors/{executor}/test",
        handler=TestHandler,
        operations={
            "POST": Operation(
                summary="Let an executor run a small task, as a dispatch of its own",
                query=_TEST,
                answers={200: Answer(summary="What came of it", schema="ExecutorTest")},
            )
        },
    ),
)
