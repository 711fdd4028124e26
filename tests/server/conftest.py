"""A Jupyter server with the extension in it, and short ways to talk to it."""

import asyncio
import json
import urllib.parse
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403  fixtures and hooks, for this folder only
from tornado.httpclient import HTTPClientError
from traitlets.config import Config

from tests.server.bundles import bundle
from tests.server.fake_lab import FakeLab
from tests.server.replies import API, Call, Reply, reply_of


@pytest.fixture
def jp_server_config() -> Config:
    """Only this extension."""
    return Config({"ServerApp": {"jpserver_extensions": {"covalent_lab_server": True}}})


@pytest.fixture(autouse=True)
def _no_log_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What servers under test log stays out of the log of whoever runs the tests."""
    monkeypatch.setenv("COVALENT_LOG_TO_FILE", "false")


@pytest.fixture
def app(jp_serverapp: Any) -> Any:
    """The extension, loaded and not started."""
    return jp_serverapp.extension_manager.extension_points["covalent_lab"].app


@pytest.fixture
def start(jp_serverapp: Any) -> Callable[[], Awaitable[None]]:
    """Call the extensions' start hooks, which pytest-jupyter does not."""

    async def start_all() -> None:
        await jp_serverapp.extension_manager.start_all_extensions()

    return start_all


@pytest.fixture
def fake_lab(app: Any, start: Any, jp_asyncio_loop: asyncio.AbstractEventLoop, tmp_path: Path) -> FakeLab:
    """The server runs with this lab."""
    folder = tmp_path / "payloads"
    folder.mkdir()
    lab = FakeLab(folder)
    app.lifetime.opener = lambda: lab
    jp_asyncio_loop.run_until_complete(start())
    return lab


@pytest.fixture
def call(jp_fetch: Any) -> Call:
    """`await call("GET", "dispatches", count=3)`: path below the API's root; answers of any status are returned."""

    async def send(
        method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> Reply:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        try:
            response = await jp_fetch(
                *API,
                *path.split("/"),
                method=method,
                body=content,
                headers=dict(headers or {}),
                params=query,
                allow_nonstandard_methods=True,
            )
        except HTTPClientError as error:
            return reply_of(error.response)
        return reply_of(response)

    return send


@pytest.fixture
def api_path(jp_base_url: str) -> Callable[..., str]:
    """Path and query of a route, for requests written by hand."""

    def build(path: str, **query: Any) -> str:
        return f"{jp_base_url}{'/'.join(API)}/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")

    return build


@pytest.fixture
def connect(http_server: Any, http_server_port: Any) -> Any:
    """Open a bare connection to the server."""

    async def open_connection() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", http_server_port[1])

    return open_connection


@pytest.fixture
def new_id() -> Callable[[], str]:
    """Dispatch ids as clients make them."""
    return lambda: str(uuid.uuid4())


@pytest.fixture
def submitted(call: Call, new_id: Callable[[], str]) -> Callable[..., Awaitable[str]]:
    """Submit a dispatch without starting it; returns its id."""

    async def submit(*, started: bool = False, **options: Any) -> str:
        dispatch_id = new_id()
        body = bundle(dispatch_id, **options)
        reply = await call("POST", "dispatches", body=body, start=str(started).lower())
        assert (reply.status, reply.json) == (201, {"dispatch_id": dispatch_id})
        return dispatch_id

    return submit
