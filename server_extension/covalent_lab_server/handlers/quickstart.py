"""The first tutorial, put where JupyterLab shows it."""

import asyncio
import json
from importlib import resources
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async
from tornado import web

import covalent_lab
from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.errors import ApiError
from covalent_lab_server.handlers.route import Answer, Operation, Route

__all__ = ["ROUTES", "QuickstartHandler"]

_NAME = "01_quickstart.ipynb"
_TARGET = "covalent_quickstart.ipynb"


class QuickstartHandler(ApiHandler):
    """The tutorial in the server's root folder."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Copy it there, unless it is there already."""
        manager: Any = self.contents_manager
        created = not await ensure_async(manager.file_exists(_TARGET))
        if created:
            content = await asyncio.to_thread(_tutorial)
            await ensure_async(manager.save({"type": "notebook", "format": "json", "content": content}, _TARGET))
        self.answer({"path": _TARGET}, 201 if created else 200)


def _tutorial() -> Any:
    """The notebook: inside the installed package, or in the folder beside it that it is made of."""
    package = resources.files(covalent_lab)
    for place in (package / "notebook" / "tutorials" / _NAME, Path(str(package)).parent / "notebooks" / _NAME):
        if place.is_file():
            return json.loads(place.read_text(encoding="utf-8"))
    raise ApiError(404, "not_found", "The tutorial is not part of this installation.")


ROUTES = (
    Route(
        path="quickstart",
        handler=QuickstartHandler,
        operations={
            "POST": Operation(
                summary="Put the first tutorial into the server's root folder",
                answers={
                    201: Answer(summary="Copied", schema="NotebookPath"),
                    200: Answer(summary="It was there", schema="NotebookPath"),
                },
            )
        },
    ),
)
