"""What tests see of an answer."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tornado.httpclient import HTTPResponse

API = ("covalent", "api", "v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Code of the error it tells."""
        error = self.json["error"]
        assert error.keys() == {"code", "message"}
        assert error["message"]
        return str(error["code"])


Call = Callable[..., Awaitable[Reply]]


def reply_of(response: HTTPResponse | None) -> Reply:
    """The parts of a response that tests look at."""
    assert response is not None, "the server did not answer"
    return Reply(status=response.code, body=response.body or b"", headers=response.headers)
