"""What all handlers share: who may come in, how JSON goes in and out, how errors are answered.

Besides Jupyter's own identities, a request may carry the token that was given to kernels; only handlers of this module
know it, so it opens covalent routes and nothing else.
"""

import asyncio
import hmac
import json
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.web import Finish, RequestHandler

from covalent_lab.errors import LabError
from covalent_lab_server.handlers.errors import ApiError, bad_request, error_body, status_of
from covalent_lab_server.handlers.route import Query
from covalent_lab_server.lifetime import LabLifetime

if TYPE_CHECKING:
    from covalent_lab.dispatcher.lab import Lab

__all__ = ["CONTEXT_KEY", "ApiHandler", "KernelIdentity", "LabHandler", "ServerContext"]

CONTEXT_KEY = "covalent_lab_context"

_AUTHORIZATION = re.compile(r"(?:token|bearer)\s+(.+)", re.IGNORECASE)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerContext:
    """What the handlers of one server share.

    Attributes:
        lifetime: Holds the lab, or says why there is none.
        kernel_token: Opens this extension's routes.
        kernel_identity: Stands in for Jupyter's identity provider where that token was given.
        openapi: The description of the routes.
    """

    lifetime: LabLifetime
    kernel_token: str
    kernel_identity: IdentityProvider
    openapi: Mapping[str, Any]


class KernelIdentity(IdentityProvider):
    """Whoever carries the kernels' token: as good as a token of Jupyter's, on the routes that accept it."""

    def get_user(self, handler: RequestHandler) -> User:
        """The one user that kernels share."""
        return User(username="covalent-lab-kernel", name="Kernel", display_name="Kernel", initials="K")

    def is_token_authenticated(self, handler: RequestHandler) -> bool:
        """Always: no cookie is involved, so no cross-site check is needed."""
        return True


class LabHandler(JupyterHandler):
    """Base of REST and WebSocket handlers."""

    auth_resource = "covalent-lab"
    accepts_token_in_url: ClassVar[bool] = False
    _is_kernel: bool | None = None

    @property
    def context(self) -> ServerContext:
        """What the handlers of this server share."""
        return cast("ServerContext", self.settings[CONTEXT_KEY])

    @property
    def lab(self) -> "Lab":
        """The open lab."""
        lab = self.context.lifetime.lab
        if lab is None:
            raise ApiError(503, "unavailable", self.context.lifetime.reason or "covalent_lab is not running.")
        return lab

    @property
    def identity_provider(self) -> IdentityProvider:
        """Jupyter's, unless the request carries the kernels' token."""
        if self._is_kernel is None:
            self._is_kernel = self._carries_kernel_token()
        return self.context.kernel_identity if self._is_kernel else super().identity_provider

    async def prepare(self, **options: Any) -> None:
        """Refuse strangers before anything is read from them, and everybody while there is no lab."""
        await super().prepare(**options)
        if self.request.method == "OPTIONS":
            return
        if self.current_user is None:
            raise ApiError(403, "forbidden", "This route needs a token or a login.")
        _ = self.lab

    def query(self, parameters: Sequence[Query]) -> dict[str, Any]:
        """The checked values of the query parameters, by name."""
        return {p.name: p.parse(self.get_query_argument(p.name, None)) for p in parameters}

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer `{"error": {"code", "message"}}`."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        status = status_of(error, status_code)
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(error_body(error, status)))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Leave the traceback out where the caller is at fault."""
        if isinstance(value, LabError) and status_of(value) < 500:
            self.log.info("%s %s: %s", self.request.method, self.request.path, value)
        else:
            super().log_exception(typ, value, tb)

    def _carries_kernel_token(self) -> bool:
        match = _AUTHORIZATION.match(self.request.headers.get("Authorization", ""))
        given = match[1].strip() if match else ""
        if not given and self.accepts_token_in_url:
            given = self.get_query_argument("token", "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.context.kernel_token.encode())


class ApiHandler(LabHandler, APIHandler):
    """Base of REST handlers."""

    _waiting: "asyncio.Future[Any] | None" = None
    is_gone = False
    _etag: str | None = None

    def answer(self, body: Mapping[str, Any], status: int = 200) -> None:
        """Send a JSON body."""
        self.set_status(status)
        self.finish(json.dumps(body, separators=(",", ":")))

    def json_body(self) -> dict[str, Any]:
        """The JSON object in the request; an empty body is an empty object."""
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise bad_request("The body is not valid JSON.") from error
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object.")
        return body

    def is_cached(self, tag: str) -> bool:
        """Mark the answer as one that never changes; True if the client has it, and was told so."""
        self._etag = f'"{tag}"'
        self.set_header("ETag", self._etag)
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        if not self.check_etag_header():
            return False
        self.set_status(304)
        self.finish()
        return True

    def compute_etag(self) -> str | None:
        """That of `is_cached` only: hashing each answer of a poll would be wasted."""
        return self._etag

    async def while_connected(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await something that may take long; it is cancelled when the client goes away."""
        waiting: asyncio.Future[_T] = asyncio.ensure_future(work)
        self._waiting = waiting
        try:
            return await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():
                raise
            if self.is_gone:
                raise Finish() from None
            raise ApiError(503, "unavailable", "covalent_lab stopped before it could answer.") from None
        finally:
            self._waiting = None

    def on_connection_close(self) -> None:
        """The client went away before it had its answer."""
        self.is_gone = True
        if self._waiting is not None:
            self._waiting.cancel()
