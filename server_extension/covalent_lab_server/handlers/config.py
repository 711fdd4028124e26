"""The configuration file as a form."""

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab.config.form import change, form
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import bad_request
from covalent_lab_server.handlers.route import Answer, Operation, Route

__all__ = ["ROUTES", "ConfigHandler"]


class ConfigHandler(ApiHandler):
    """Every key of the configuration."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Tell them; secrets stay here."""
        self.answer(await asyncio.to_thread(form))

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Write some."""
        values = self.json_body().get("values")
        if not isinstance(values, dict):
            raise bad_request("values must be an object of keys and values.")
        await asyncio.to_thread(change, values)
        self.answer(await asyncio.to_thread(form))


ROUTES = (
    Route(
        path="config",
        handler=ConfigHandler,
        operations={
            "GET": Operation(
                summary="Every key of the configuration file",
                answers={200: Answer(summary="Without secrets", schema="ConfigForm")},
            ),
            "PUT": Operation(
                summary="Write keys of the sections sdk and executors",
                body="ConfigChange",
                answers={200: Answer(summary="Written; the keys as they are now", schema="ConfigForm")},
            ),
        },
    ),
)
