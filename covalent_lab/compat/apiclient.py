"""A thin HTTP client for programs that talk to a server of Covalent by themselves."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from covalent_lab.client.http import extra_headers
from covalent_lab.errors import ServerRejectedError, ServerUnreachableError

__all__ = ["ApiResponse", "CovalentAPIClient"]

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse:
    """What a server answered.

    Attributes:
        status_code: The HTTP status.
        url: What was asked.
        content: The body.
        headers: The header fields.
    """

    status_code: int
    url: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it is no error."""
        return self.status_code < 400

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body's JSON value.

        Raises:
            ValueError: It is no JSON.
        """
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Nothing, if it is no error.

        Raises:
            ServerRejectedError: It is one. Carries the server's text.
        """
        if not self.ok:
            message = f"{self.url} answered HTTP {self.status_code}: {self.text[:500] or 'without a reason'}"
            raise ServerRejectedError(message, self.status_code)


class CovalentAPIClient:
    """Requests to one server; `COVALENT_EXTRA_HEADERS`, a JSON object, goes with each.

    Args:
        dispatcher_addr: URL that endpoints are appended to.
        adapter: Something with `max_retries`, e.g. an adapter of `requests`; None for urllib3's usual retries.
        auto_raise: Whether an error status raises.

    Example:
        >>> client = CovalentAPIClient("http://localhost:8888")
        >>> client.get("/api/status").json()                     # doctest: +SKIP
        {'started': '2026-11-22T05:31:00Z', 'kernels': 0}
    """

    def __init__(self, dispatcher_addr: str, adapter: Any = None, auto_raise: bool = True) -> None:
        self.dispatcher_addr = dispatcher_addr
        self.adapter = adapter
        self.auto_raise = auto_raise

    def get(self, endpoint: str, **kwargs: Any) -> ApiResponse:
        """Ask for something; keywords are those of `request`."""
        return self.request("GET", endpoint, **kwargs)

    def post(self, endpoint: str, **kwargs: Any) -> ApiResponse:
        """Make something."""
        return self.request("POST", endpoint, **kwargs)

    def put(self, endpoint: str, **kwargs: Any) -> ApiResponse:
        """Replace something."""
        return self.request("PUT", endpoint, **kwargs)

    def patch(self, endpoint: str, **kwargs: Any) -> ApiResponse:
        """Change something."""
        return self.request("PATCH", endpoint, **kwargs)

    def delete(self, endpoint: str, **kwargs: Any) -> ApiResponse:
        """Delete something."""
        return self.request("DELETE", endpoint, **kwargs)

    def request(
        self,
        method: str,
        endpoint: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = _TIMEOUT_S,
    ) -> ApiResponse:
        """Send a request.

        Args:
            method: The verb.
            endpoint: What is appended to the address.
            params: The query; a list gives a name several values.
            json: A value that is sent as JSON.
            data: A body of bytes, text or a readable object.
            headers: Header fields.
            timeout: Longest time to wait for an answer, in seconds.

        Raises:
            ServerUnreachableError: Nothing answers.
            ServerRejectedError: The answer is an error, and `auto_raise` is set.
            ConfigError: `COVALENT_EXTRA_HEADERS` is no JSON object.
        """
        import urllib3  # only who sends requests needs it

        url = self.dispatcher_addr + endpoint
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        with urllib3.PoolManager(headers={**(headers or {}), **extra_headers(os.environ)}) as pool:
            retries = getattr(self.adapter, "max_retries", None)
            options: dict[str, Any] = {"timeout": timeout, **({} if retries is None else {"retries": retries})}
            options |= {"body": data} if json is None else {"json": json}
            try:
                answer = pool.request(method, url, **options)
            except urllib3.exceptions.HTTPError as error:
                raise ServerUnreachableError(url, str(error)[:200]) from error
        response = ApiResponse(
            status_code=answer.status, url=url, content=answer.data, headers=dict(answer.headers.items())
        )
        if self.auto_raise:
            response.raise_for_status()
        return response
