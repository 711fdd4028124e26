"""A dispatcher inside a Jupyter server, over HTTP and WebSocket."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3  # noqa: TID253 - this module is loaded by the first connection

from covalent_lab import payload
from covalent_lab.client.sending import pool_of
from covalent_lab.client.submitting import SubmitSocket, socket_url
from covalent_lab.errors import ConfigError, LabError, ServerRejectedError, ServerUnreachableError, error_of_code
from covalent_lab.worker import Buffer

__all__ = ["HttpConnection", "extra_headers"]

_API = "covalent/api/v1/"
_TIMEOUT_S = 30.0
_EXPORT_S = 300.0
_CONNECT_S = 5.0
_ONE_BODY = 1 << 20
_PARTS = 1 << 20
_KEPT_OPEN = 64
_PAUSES_S = (0.0, 0.2, 0.8)
_BUSY = (502, 503, 504)


def extra_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """The headers that `COVALENT_EXTRA_HEADERS` adds to each request, e.g. for a proxy in front of the server.

    Raises:
        ConfigError: It is not a JSON object of texts.
    """
    given = environ.get("COVALENT_EXTRA_HEADERS")
    if not given:
        return {}
    try:
        headers = json.loads(given)
    except ValueError as error:
        raise ConfigError(f"COVALENT_EXTRA_HEADERS is not JSON: {error}.") from error
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise ConfigError('COVALENT_EXTRA_HEADERS must be a JSON object of texts, such as {"X-Team": "physics"}.')
    return headers


class HttpConnection:
    """Speaks to `<url>covalent/api/v1/`.

    Every request may be repeated safely. One whose connection breaks, or that a proxy cannot pass on at the moment
    (502, 503, 504), is sent again a few times.

    Args:
        url: Base URL of the Jupyter server, with a slash at its end.
        token: Sent with each request; empty for none.
        headers: Sent with each request as well.
        pauses_s: How long to wait before each repetition, in seconds.
        has_lab: Whether that server has JupyterLab, which shows dispatches in a browser.
    """

    url: str | None

    def __init__(
        self,
        url: str,
        token: str,
        headers: Mapping[str, str] | None = None,
        pauses_s: Sequence[float] = _PAUSES_S,
        *,
        has_lab: bool = True,
    ) -> None:
        self.url = url
        self._has_lab = has_lab
        self._base = url + _API
        self._headers = {**({"Authorization": f"token {token}"} if token else {}), **(headers or {})}
        self._pauses_s = pauses_s
        self._path = urlsplit(self._base).path
        self._pool = pool_of(self._base, _KEPT_OPEN)
        self._submissions = SubmitSocket(f"{self._base}submissions", self._headers)

    def submit(self, bundle: Sequence[Buffer], *, start: bool = True) -> str:
        return str(self._submit(bundle, {} if start else {"start": "false"})["dispatch_id"])

    def submit_and_wait(self, bundle: Sequence[Buffer], wait_s: float) -> dict[str, Any]:
        detail: dict[str, Any] = self._submit(bundle, {"wait_s": f"{wait_s:g}"})["detail"]
        return detail

    def _submit(self, bundle: Sequence[Buffer], query: Mapping[str, str]) -> dict[str, Any]:
        answer = self._submissions.submit(bundle, urlencode(query), float(query.get("wait_s", 0.0)))
        return self._post(bundle, query) if answer is None else answer

    def _post(self, bundle: Sequence[Buffer], query: Mapping[str, str]) -> dict[str, Any]:
        size = sum(memoryview(piece).nbytes for piece in bundle)
        body: Any = b"".join(bundle) if size <= _ONE_BODY else _Parts(bundle)
        headers = {"Content-Type": "application/vnd.covalent.bundle", "Content-Length": str(size)}
        return self._json("POST", "dispatches", query=query, body=body, headers=headers, read_s=600.0)

    def redispatch(
        self, dispatch_id: str, new_id: str, *, reuse_previous_results: bool = False, start: bool = True
    ) -> str:
        form = {"dispatch_id": new_id, "reuse_previous_results": reuse_previous_results, "start": start}
        return str(self._json("POST", f"dispatches/{_quoted(dispatch_id)}/redispatches", form=form)["dispatch_id"])

    def start(self, dispatch_id: str) -> dict[str, Any]:
        return self._json("POST", f"dispatches/{_quoted(dispatch_id)}/start", form={})

    def status(self) -> dict[str, Any]:
        return self._json("GET", "status")

    def list_dispatches(self, **query: Any) -> dict[str, Any]:
        return self._json("GET", "dispatches", query=query)

    def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        query = {"wait_s": f"{wait_s:g}"} if wait_s > 0 else {}
        return self._json("GET", f"dispatches/{_quoted(dispatch_id)}", query=query, read_s=_TIMEOUT_S + wait_s)

    def graph(self, dispatch_id: str) -> dict[str, Any]:
        return self._json("GET", f"dispatches/{_quoted(dispatch_id)}/graph")

    def nodes(self, dispatch_id: str) -> dict[str, Any]:
        return self._json("GET", f"dispatches/{_quoted(dispatch_id)}/nodes")

    def node(self, dispatch_id: str, node_id: int) -> dict[str, Any]:
        return self._json("GET", f"dispatches/{_quoted(dispatch_id)}/nodes/{node_id}")

    def stream(self, dispatch_id: str, node_id: int, name: str, offset: int = 0) -> dict[str, Any]:
        path = f"dispatches/{_quoted(dispatch_id)}/nodes/{node_id}/streams/{_quoted(name)}"
        return self._json("GET", path, query={"offset": offset})

    def payload(self, dispatch_id: str, digest: str) -> Buffer:
        path = f"dispatches/{_quoted(dispatch_id)}/payloads/{_quoted(digest)}"
        response = self._request("GET", path, query={"as": "path"})
        if response.headers.get("Content-Type", "").startswith("application/json"):
            try:  # the same machine: map the file instead of sending it
                return payload.open_file(json.loads(response.data)["path"])
            except OSError:
                response = self._request("GET", path, read_s=600.0)
        return response.data

    def preview(self, dispatch_id: str, digest: str) -> dict[str, Any]:
        return self._json("GET", f"dispatches/{_quoted(dispatch_id)}/payloads/{_quoted(digest)}/preview")

    def export(self, dispatch_id: str, format: str) -> str:
        path = f"dispatches/{_quoted(dispatch_id)}/export"
        return self._request("GET", path, query={"format": format}, read_s=_EXPORT_S).data.decode()

    def compare(self, left: str, right: str) -> dict[str, Any]:
        path = f"dispatches/{_quoted(left)}/comparison/{_quoted(right)}"
        return self._json("GET", path, read_s=_EXPORT_S)

    def cancel(self, dispatch_id: str, task_ids: Sequence[int] | None = None) -> str:
        form = {"task_ids": None if task_ids is None else list(task_ids)}
        return str(self._json("POST", f"dispatches/{_quoted(dispatch_id)}/cancel", form=form)["message"])

    def delete(self, dispatch_ids: Sequence[str]) -> dict[str, Any]:
        return self._json("POST", "dispatches/delete", form={"dispatch_ids": list(dispatch_ids)})

    def cached_results(self, search: str = "", offset: int = 0, count: int = 50) -> dict[str, Any]:
        return self._json("GET", "cached_results", query={"search": search, "offset": offset, "count": count})

    def purge_cached_results(self, keys: Sequence[str] | None = None, unused_s: float | None = None) -> int:
        form = {"keys": None if keys is None else list(keys), "unused_s": unused_s}
        return int(self._json("POST", "cached_results/purge", form=form)["purged"])

    def executors(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._json("GET", "executors")["items"]
        return items

    def executor_health(self, name: str) -> dict[str, Any]:
        return self._json("GET", f"executors/{_quoted(name)}/health", read_s=2 * _TIMEOUT_S)

    def test_executor(self, name: str, wait_s: float = 60.0) -> dict[str, Any]:
        query = {"wait_s": f"{wait_s:g}"}
        return self._json(
            "POST", f"executors/{_quoted(name)}/test", query=query, form={}, read_s=2 * _TIMEOUT_S + wait_s
        )

    def subscribe(self, after: int | None = None) -> "_Frames":
        query = "" if after is None else f"?{urlencode({'after': after})}"
        return _Frames(f"{self._base}feed{query}", self._headers)

    def attach(self) -> "_Socket":
        return _Socket(f"{self._base}kernel", self._headers)

    def lab_url(self, dispatch_id: str) -> str | None:
        return f"{self.url}lab?covalent={_quoted(dispatch_id)}" if self._has_lab else None

    def close(self) -> None:
        self._submissions.close()
        self._pool.close()

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._request(method, path, **options)
        try:
            answer = json.loads(response.data)
        except ValueError as error:
            raise ServerRejectedError(
                f"{self.url} answered with something that is not JSON; is it a Jupyter server with covalent-lab?"
            ) from error
        if not isinstance(answer, dict):
            raise ServerRejectedError(f"{self.url} answered {type(answer).__name__} where an object was due.")
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        form: Any = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        read_s: float = _TIMEOUT_S,
    ) -> urllib3.BaseHTTPResponse:
        target = self._path + path + (f"?{urlencode(query)}" if query else "")
        sent = {**self._headers, **(headers or {})}
        if form is not None:
            body = json.dumps(form).encode()
            sent["Content-Type"] = "application/json"
        timeout = urllib3.Timeout(connect=_CONNECT_S, read=read_s)
        pauses = iter(self._pauses_s)
        while True:
            pause_s = next(pauses, None)
            try:
                response = self._pool.urlopen(method, target, body=body, headers=sent, timeout=timeout)
            except urllib3.exceptions.ProtocolError as error:
                if pause_s is None:
                    raise ServerUnreachableError(str(self.url), _reason(error)) from error
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise ServerUnreachableError(str(self.url), _reason(error)) from error
            else:
                if response.status < 400:
                    return response
                if pause_s is None or response.status not in _BUSY:
                    raise _rejected(response, str(self.url))
            time.sleep(pause_s)


def _quoted(part: str) -> str:
    return quote(part, safe="")


class _Parts:
    """Pieces of a body, in parts that a socket likes; iterated anew when a request is repeated."""

    def __init__(self, pieces: Sequence[Buffer]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[memoryview]:
        for piece in self._pieces:
            view = memoryview(piece).cast("B")
            for begin in range(0, view.nbytes, _PARTS):
                yield view[begin : begin + _PARTS]


def _reason(error: BaseException) -> str:
    text = str(error.__cause__ or error)
    return text.rpartition(": ")[2][:200]


def _rejected(response: urllib3.BaseHTTPResponse, url: str) -> LabError:
    """The error a server told, as the class it had there."""
    try:
        told = json.loads(response.data)["error"]
        code, message = str(told["code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        if response.status in (401, 403):
            return ServerRejectedError(f"{url} refused the token (HTTP {response.status}).", response.status)
        return ServerRejectedError(
            f"{url} answered HTTP {response.status}; is it a Jupyter server with covalent-lab?", response.status
        )
    return error_of_code(code, message) or ServerRejectedError(message, response.status)


class _Socket:
    """Messages of a WebSocket."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = socket_url(url)
        self._headers = headers
        self._lock = threading.Lock()
        self._socket: Any = None
        self._is_closed = False

    def __iter__(self) -> Iterator[Any]:
        import websocket  # websocket-client: loaded by who follows the feed

        try:
            socket = websocket.create_connection(self._url, header=dict(self._headers), timeout=_CONNECT_S)
        except (websocket.WebSocketException, OSError) as error:
            raise ServerUnreachableError(self._url, str(error)) from error
        with self._lock:
            self._socket = socket
            if self._is_closed:
                socket.close()
        socket.settimeout(None)
        while not self._is_closed:
            try:
                message = socket.recv()
            except (websocket.WebSocketException, OSError) as error:
                if self._is_closed:
                    return
                raise ServerUnreachableError(self._url, str(error)) from error
            if not message:
                if self._is_closed:
                    return
                raise ServerUnreachableError(self._url, "the connection was closed")
            yield message

    def send(self, message: bytes) -> None:
        """Send a message, once the iteration has begun.

        Raises:
            ServerUnreachableError: The connection is broken.
        """
        import websocket  # as above

        try:
            self._socket.send_binary(message)
        except (websocket.WebSocketException, OSError) as error:
            raise ServerUnreachableError(self._url, str(error)) from error

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._socket is not None:
                self._socket.shutdown()


class _Frames:
    """Frames of the feed."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._socket = _Socket(url, headers)
        self.close = self._socket.close

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._socket)
