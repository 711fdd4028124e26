"""The description of the REST interface, built from the routes and from the JSON Schemas of the package.

Decides nothing about the interface: what is not in a route or a schema is not described.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from covalent_lab_server.handlers.base import ApiHandler
from covalent_lab_server.handlers.route import API_ROOT, PATH_PARAMETERS, Answer, Operation, Route

__all__ = ["ROUTES", "OpenApiHandler", "describe"]

_COMPONENTS = "#/components/schemas/"
_ERROR: Mapping[str, Any] = {
    "description": "Refused or failed",
    "content": {"application/json": {"schema": {"$ref": f"{_COMPONENTS}ErrorBody"}}},
}


def describe(routes: Sequence[Route], *, base_url: str, version: str) -> dict[str, Any]:
    """The OpenAPI document of some routes.

    Args:
        routes: What is served.
        base_url: Of the Jupyter server.
        version: Of this distribution.
    """
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "http://json-schema.org/draft-07/schema#",
        "info": {"title": "covalent_lab", "version": version},
        "servers": [{"url": f"{base_url.rstrip('/')}/{API_ROOT}"}],
        "security": [{"token": []}],
        "paths": {
            f"/{route.path}": {
                verb.lower(): _operation(route.path, operation) for verb, operation in route.operations.items()
            }
            for route in routes
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "token <token>"}
            },
        },
    }


class OpenApiHandler(ApiHandler):
    """The description itself."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send it."""
        self.answer(self.context.openapi)


ROUTES = (
    Route(
        path="openapi.json",
        handler=OpenApiHandler,
        operations={
            "GET": Operation(
                summary="This description", answers={200: Answer(summary="OpenAPI 3.1", schema="OpenApiDocument")}
            )
        },
    ),
)


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name][1]}
        for name in re.findall(r"{(\w+)}", path)
    ]
    in_query = [
        {"name": q.name, "in": "query", "required": False, "description": q.summary, "schema": q.schema()}
        for q in operation.query
    ]
    answers: dict[str, Any] = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    document = {
        "summary": operation.summary,
        "parameters": in_path + in_query,
        "responses": {**answers, "default": _ERROR},
    }
    if operation.body is not None:
        document["requestBody"] = {"required": "/" in operation.body, "content": _content(_media(operation.body))}
    return document


def _answer(answer: Answer) -> dict[str, Any]:
    kinds: list[tuple[str, str | None]] = [("application/json", answer.schema)] if answer.schema else []
    if answer.media_type:
        kinds.append((answer.media_type, None))
    content = _content(kinds)
    return {"description": answer.summary, **({"content": content} if content else {})}


def _media(body: str) -> list[tuple[str, str | None]]:
    return [(body, None)] if "/" in body else [("application/json", body)]


def _content(kinds: Iterable[tuple[str, str | None]]) -> dict[str, Any]:
    return {media: {"schema": {"$ref": _COMPONENTS + schema}} if schema else {} for media, schema in kinds}


def _schemas() -> dict[str, Any]:
    """The definitions of the schema files under one roof."""
    components: dict[str, Any] = {"OpenApiDocument": {"type": "object", "required": ["openapi", "paths"]}}
    folder = resources.files("covalent_lab").joinpath("schemas")
    for name in ("graph.json", "feed.json", "rest.json"):
        text = folder.joinpath(name).read_text("utf-8").replace('"#/definitions/', f'"{_COMPONENTS}')
        document = json.loads(text)
        definitions = document.pop("definitions")
        title = document.pop("title")
        del document["$schema"]
        components.update(definitions)
        if document.keys() & {"type", "oneOf"}:
            components[title] = document
    return components
