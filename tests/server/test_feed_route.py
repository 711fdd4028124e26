"""The feed's socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection

from tests.server.fake_lab import FakeLab
from tests.server.replies import API

Listen = Callable[..., Awaitable[WebSocketClientConnection]]
ITEM = {"seq": 7, "dispatch_id": "d", "node_id": 0, "status": "RUNNING", "at": 1.0}


@pytest.fixture
def listen(jp_ws_fetch: Any) -> Iterator[Listen]:
    """Open sockets, which are closed in the end."""
    sockets: list[WebSocketClientConnection] = []

    async def connect(**options: Any) -> WebSocketClientConnection:
        sockets.append(await jp_ws_fetch(*API, "feed", **options))
        return sockets[-1]

    yield connect
    for socket in sockets:
        socket.close()


async def frame(socket: WebSocketClientConnection) -> Any:
    """The next frame, or None at the end."""
    message = await asyncio.wait_for(socket.read_message(), 120)
    return None if message is None else json.loads(message)


async def test_frames_arrive_as_the_lab_made_them(listen: Listen, fake_lab: FakeLab) -> None:
    """First the greeting, then whatever happens, in order."""
    fake_lab.seq = 6
    socket = await listen()

    greeting = await frame(socket)
    sent = [{"type": "transitions", "items": [ITEM]}, {"type": "reset", "seq": 9}]
    for each in sent:
        fake_lab.subscriptions[0].frames.put_nowait(each)

    assert greeting == {"type": "hello", "seq": 6, "version": "0.1.0"}
    assert [await frame(socket), await frame(socket)] == sent
    assert fake_lab.subscribed_after == [None]


async def test_a_client_resumes_after_a_number(listen: Listen, fake_lab: FakeLab) -> None:
    """The number reaches the lab, 0 as well."""
    for after in (12, 0):
        socket = await listen(params={"after": after})
        await frame(socket)
        socket.close()

    assert fake_lab.subscribed_after == [12, 0]


async def test_the_subscription_ends_with_the_client(listen: Listen, fake_lab: FakeLab) -> None:
    """A tab that was closed costs nothing."""
    socket = await listen()
    await frame(socket)

    socket.close()

    await asyncio.wait_for(fake_lab.subscriptions[0].closed.wait(), 120)


async def test_the_socket_ends_with_the_feed(listen: Listen, fake_lab: FakeLab) -> None:
    """When the lab stops, clients are told that the server is going away."""
    socket = await listen()
    await frame(socket)

    fake_lab.subscriptions[0].frames.put_nowait(None)

    assert await frame(socket) is None
    assert socket.close_code == 1001


async def test_a_feed_that_fails_closes_its_socket(listen: Listen, fake_lab: FakeLab) -> None:
    """The client sees an internal error and may try again."""
    socket = await listen()
    await frame(socket)

    fake_lab.subscriptions[0].frames.put_nowait(RuntimeError("broken"))

    assert await frame(socket) is None
    assert socket.close_code == 1011
    await asyncio.wait_for(fake_lab.subscriptions[0].closed.wait(), 120)


async def test_messages_from_the_client_are_ignored(listen: Listen, fake_lab: FakeLab) -> None:
    """They change nothing and break nothing."""
    socket = await listen()
    await frame(socket)

    await socket.write_message("{")
    fake_lab.subscriptions[0].frames.put_nowait({"type": "transitions", "items": [ITEM]})

    assert (await frame(socket))["items"] == [ITEM]


@pytest.mark.parametrize("after", ["-1", "soon", "1.5"])
async def test_a_number_that_is_none_is_refused(listen: Listen, fake_lab: FakeLab, after: str) -> None:
    """Before a socket is made."""
    with pytest.raises(HTTPClientError) as refusal:
        await listen(params={"after": after})

    assert refusal.value.code == 400
    assert fake_lab.subscriptions == []


async def test_other_origins_are_refused(listen: Listen, fake_lab: FakeLab, jp_serverapp: Any) -> None:
    """A page of another site cannot use a browser's cookie to listen."""
    cookie = await login_cookie(listen, jp_serverapp)

    with pytest.raises(HTTPClientError) as refusal:
        await listen(headers={"Authorization": "", "Cookie": cookie, "Origin": "http://evil.test"})

    assert refusal.value.code == 403
    assert len(fake_lab.subscriptions) == 1, "that of the login"


async def login_cookie(listen: Listen, jp_serverapp: Any) -> str:
    """What a browser would send after a login with the server's token."""
    token = jp_serverapp.identity_provider.token
    socket = await listen(headers={"Authorization": "", "Cookie": ""}, params={"token": token})
    return str(socket.headers["Set-Cookie"].split(";")[0])
