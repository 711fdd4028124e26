"""Who may come in: nobody without a token, kernels with theirs, and kernels nowhere else."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from covalent_lab_server.handlers.table import ROUTES
from tornado.httpclient import HTTPClientError
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler
from traitlets.config import Config

from tests.server.bundles import bundle
from tests.server.fake_lab import FakeLab
from tests.server.replies import API, Call

Submit = Callable[..., Awaitable[str]]
EXAMPLES = {
    "dispatch_id": "nobody",
    "other_id": "nobody",
    "node_id": "0",
    "digest": "0" * 40,
    "stream": "stdout",
    "executor": "local",
}
WRONG = ["", "token", "token ", "token wrong", "token {token}x", "token {head}", "basic {token}", "{token}"]


def registered(web_app: Any) -> list[tuple[str, type[RequestHandler]]]:
    """Example path and handler of each rule of this extension, as the web application has them."""
    found = []
    for group in web_app.default_router.rules:
        for rule in getattr(group.target, "rules", ()):
            if isinstance(rule.target, type) and rule.target.__module__.startswith("covalent_lab_server"):
                path = re.sub(r"\(\?P<(\w+)>[^()]*\)", lambda match: EXAMPLES[match[1]], rule.matcher.regex.pattern)
                found.append((path.rstrip("$").replace("(?:/.*)?", "/v0/x"), rule.target))
    return found


def verbs(handler: type[RequestHandler]) -> list[str]:
    """What a handler implements itself."""
    names = ("get", "head", "post", "put", "patch", "delete")
    return [n.upper() for n in names if getattr(handler, n) is not getattr(RequestHandler, n)]


async def test_every_registered_route_refuses_strangers(
    fake_lab: FakeLab, jp_web_app: Any, http_server_client: Any
) -> None:
    """Each verb of each handler, the socket included, whatever will be added."""
    answers = {}
    for path, handler in registered(jp_web_app):
        assert "(" not in path, path
        for verb in verbs(handler):
            response = await http_server_client.fetch(
                path, method=verb, raise_error=False, allow_nonstandard_methods=True, follow_redirects=False
            )
            answers[verb, path] = response.code

    assert len(answers) >= len(ROUTES) + 3
    assert set(answers.values()) == {403}


@pytest.mark.parametrize("path", ["feed", "kernel", "submissions"])
async def test_a_socket_is_refused_to_strangers(jp_ws_fetch: Any, fake_lab: FakeLab, path: str) -> None:
    """Also when it asks properly for a socket."""
    for params in ({}, {"token": "wrong"}, {"token": ""}):
        with pytest.raises(HTTPClientError) as refusal:
            await jp_ws_fetch(*API, path, headers={"Authorization": ""}, params=params)
        assert refusal.value.code == 403

    assert fake_lab.subscriptions == []


async def test_the_refusal_is_json(call: Call, fake_lab: FakeLab) -> None:
    """As every error of this interface."""
    reply = await call("GET", "status", headers={"Authorization": ""})

    assert (reply.status, reply.code) == (403, "forbidden")


@pytest.mark.parametrize("scheme", ["token", "Token", "Bearer"])
async def test_kernels_come_in_with_their_token(call: Call, app: Any, fake_lab: FakeLab, scheme: str) -> None:
    """In the header, read and write, and no cookie is needed or set."""
    headers = {"Authorization": f"{scheme} {app.kernel_token}"}

    read = await call("GET", "status", headers=headers)
    write = await call("POST", "dispatches", body=bundle("d1"), headers=headers)

    assert (read.status, write.status) == (200, 201)
    assert "Set-Cookie" not in read.headers


@pytest.mark.parametrize("header", WRONG)
async def test_nothing_like_the_kernels_token_is_accepted(call: Call, app: Any, fake_lab: FakeLab, header: str) -> None:
    """Only the whole token, and only announced as one."""
    text = header.format(token=app.kernel_token, head=app.kernel_token[:-1])

    assert (await call("GET", "status", headers={"Authorization": text})).status == 403


async def test_kernels_listen_to_the_feed(jp_ws_fetch: Any, app: Any, fake_lab: FakeLab) -> None:
    """With the token in the header or, as browsers must, in the URL."""
    for headers, params in (
        ({"Authorization": f"token {app.kernel_token}"}, {}),
        ({"Authorization": ""}, {"token": app.kernel_token}),
    ):
        socket = await jp_ws_fetch(*API, "feed", headers=headers, params=params)
        assert json.loads(await socket.read_message())["type"] == "hello"
        socket.close()


async def test_the_kernels_token_in_a_url_opens_the_feed_only(call: Call, app: Any, fake_lab: FakeLab) -> None:
    """URLs end up in logs; where a header is possible it is required."""
    assert (await call("GET", "status", headers={"Authorization": ""}, token=app.kernel_token)).status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "api/contents"),
        ("GET", "api/kernels"),
        ("POST", "api/kernels"),
        ("GET", "api/sessions"),
        ("GET", "api/terminals"),
        ("GET", "api/config/notebook"),
        ("GET", "files/secret"),
    ],
)
async def test_the_kernels_token_opens_nothing_of_jupyters(
    jp_fetch: Any, app: Any, fake_lab: FakeLab, method: str, path: str
) -> None:
    """A task that reads it from its environment gains no more than it has."""
    with pytest.raises(HTTPClientError) as refusal:
        await jp_fetch(
            *path.split("/"),
            method=method,
            headers={"Authorization": f"token {app.kernel_token}"},
            allow_nonstandard_methods=True,
            follow_redirects=False,
        )

    assert refusal.value.code in (302, 401, 403)


async def test_a_forged_request_with_a_browsers_cookie_is_refused(
    call: Call, fake_lab: FakeLab, jp_serverapp: Any
) -> None:
    """A form on another site can send the cookie, not the XSRF token."""
    login = await call("GET", "status", headers={"Authorization": ""}, token=jp_serverapp.identity_provider.token)
    cookie = login.headers["Set-Cookie"].split(";")[0]
    by_cookie = {"Authorization": "", "Cookie": cookie}

    read = await call("GET", "status", headers=by_cookie | {"Referer": str(login.headers.get("Location", ""))})
    write = await call("POST", "dispatches/delete", body={"dispatch_ids": []}, headers=by_cookie)
    upload = await call("POST", "dispatches", body=bundle("d1"), headers=by_cookie)
    honest = await call(
        "POST",
        "dispatches/delete",
        body={"dispatch_ids": []},
        headers={"Authorization": "", "Cookie": f"{cookie}; _xsrf=abc", "X-XSRFToken": "abc"},
    )

    assert read.status == 200
    assert [(r.status, r.code) for r in (write, upload)] == [(403, "forbidden")] * 2
    assert honest.status == 200
    assert fake_lab.submissions == []


async def test_each_route_asks_the_authorizer(
    fake_lab: FakeLab, jp_web_app: Any, jp_serverapp: Any, call: Call
) -> None:
    """With one resource name, for reading or writing."""
    asked = []

    def is_authorized(handler: Any, user: Any, action: str, resource: str) -> bool:
        asked.append((type(handler), action, resource))
        return False

    jp_serverapp.authorizer.is_authorized = is_authorized
    wanted = []
    for route in ROUTES:
        path = re.sub(r"{(\w+)}", lambda match: EXAMPLES[match[1]], route.path)
        for verb in route.operations:
            assert (await call(verb, path)).status == 403
            is_reading = verb == "GET" and route.path != "submissions"
            wanted.append((route.handler, "read" if is_reading else "write", "covalent-lab"))

    assert asked == wanted


def test_only_the_feed_takes_a_token_from_the_url() -> None:
    """Browsers, which cannot send a header, open no other socket."""
    listeners = [r.handler for r in ROUTES if getattr(r.handler, "accepts_token_in_url", False)]

    assert listeners == [r.handler for r in ROUTES if r.path == "feed"]
    assert {r.path for r in ROUTES if issubclass(r.handler, WebSocketHandler)} == {
        "feed",
        "kernel",
        "submissions",
    }


class TestClosedServer:
    """A server that lets nobody in by default."""

    @pytest.fixture
    def jp_server_config(self) -> Config:
        return Config(
            {
                "ServerApp": {
                    "jpserver_extensions": {"covalent_lab_server": True},
                    "allow_unauthenticated_access": False,
                }
            }
        )

    async def test_kernels_come_in_all_the_same(self, call: Call, app: Any, fake_lab: FakeLab) -> None:
        """And strangers do not."""
        kernel = await call("GET", "status", headers={"Authorization": f"token {app.kernel_token}"})
        stranger = await call("GET", "status", headers={"Authorization": ""})

        assert (kernel.status, stranger.status) == (200, 403)


class TestOpenServer:
    """A server whose owner switched authentication off."""

    @pytest.fixture
    def jp_server_config(self) -> Config:
        return Config(
            {
                "ServerApp": {"jpserver_extensions": {"covalent_lab_server": True}, "disable_check_xsrf": True},
                "IdentityProvider": {"token": ""},
            }
        )

    @pytest.fixture
    def jp_auth_header(self, jp_serverapp: Any) -> dict[str, str]:
        jp_serverapp.identity_provider.token = ""
        return {"Authorization": ""}

    async def test_it_is_open_here_too(self, call: Call, fake_lab: FakeLab) -> None:
        """The owner decides."""
        assert (await call("GET", "status")).status == 200
