"""Routes as data: what the web application serves, what `openapi.json` says, and how query parameters are checked.

Decides the form of paths and parameters; knows nothing of what the routes do.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tornado.web import RequestHandler

from covalent_lab_server.handlers.errors import bad_request

__all__ = ["API_ROOT", "PATH_PARAMETERS", "Answer", "Operation", "Query", "Route", "pattern"]

API_ROOT = "covalent/api/v1"

PATH_PARAMETERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "dispatch_id": (r"[0-9A-Za-z_-]{1,64}", {"type": "string"}),
    "other_id": (r"[0-9A-Za-z_-]{1,64}", {"type": "string"}),
    "node_id": (r"\d{1,9}", {"type": "integer", "minimum": 0}),
    "executor": (r"[0-9A-Za-z_.-]{1,64}", {"type": "string"}),
    "digest": (r"[0-9a-f]{40}", {"type": "string", "pattern": "^[0-9a-f]{40}$"}),
    "stream": (r"stdout|stderr", {"type": "string", "enum": ["stdout", "stderr"]}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query parameter.

    Attributes:
        name: As it is written in the URL.
        default: Its value when it is absent; also fixes the type, unless None.
        type: Type of a given value.
        choices: The only values allowed, if not empty.
        is_list: Whether several values may be given, joined by commas.
        minimum: Lowest number allowed.
        maximum: Highest number allowed.
        summary: What it does.
    """

    name: str
    default: Any
    type: type[bool] | type[int] | type[float] | type[str]
    choices: tuple[str, ...] = ()
    is_list: bool = False
    minimum: float | None = None
    maximum: float | None = None
    summary: str

    def parse(self, text: str | None) -> Any:
        """The value that a text in a URL stands for.

        Raises:
            ApiError: It stands for none.
        """
        if text is None:
            return self.default
        given = text.split(",") if self.is_list else [text]
        if self.choices and not set(given) <= set(self.choices):
            raise bad_request(f"{self.name} must be one of {', '.join(c for c in self.choices if c)}, not {text!r}.")
        if self.type is str:
            return text
        value = _number(self.type, text)
        if value is None:
            raise bad_request(f"{self.name} must be of type {self.type.__name__}, not {text!r}.")
        if not (self.minimum is None or value >= self.minimum) or not (self.maximum is None or value <= self.maximum):
            limits = f"at least {self.minimum}" + (f" and at most {self.maximum}" if self.maximum is not None else "")
            raise bad_request(f"{self.name} must be {limits}, not {text}.")
        return value

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the value."""
        names = {bool: "boolean", int: "integer", float: "number", str: "string"}
        if self.is_list:
            one = "|".join(choice for choice in self.choices if choice)
            return {"type": "string", "pattern": f"^(({one})(,({one}))*)?$", "default": self.default}
        limits = {"enum": list(self.choices) or None, "minimum": self.minimum, "maximum": self.maximum}
        schema = {"type": names[self.type], **{key: limit for key, limit in limits.items() if limit is not None}}
        return schema if self.default is None else {**schema, "default": self.default}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One possible answer.

    Attributes:
        summary: When it is given.
        schema: Name of the schema of its JSON body, or None.
        media_type: Of a body that is not JSON.
    """

    summary: str
    schema: str | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one verb on a route does.

    Attributes:
        summary: One line.
        answers: By HTTP status; errors common to all operations are left out.
        query: Query parameters.
        body: Schema name of the JSON body, or media type of another one (recognised by its slash).
    """

    summary: str
    answers: Mapping[int, Answer]
    query: Sequence[Query] = ()
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path and its handler.

    Attributes:
        path: Below the API's root, parameters in braces.
        handler: Serves it.
        operations: By verb, in capitals.
    """

    path: str
    handler: type[RequestHandler]
    operations: Mapping[str, Operation] = field(default_factory=dict)


def pattern(path: str) -> str:
    """The regular expression of a path with parameters in braces."""
    return re.sub(r"{(\w+)}", lambda match: f"(?P<{match[1]}>{PATH_PARAMETERS[match[1]][0]})", path)


def _number(kind: type, text: str) -> bool | int | float | None:
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    try:
        value = int(text) if kind is int else float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
