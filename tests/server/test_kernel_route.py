"""The socket by which kernels get tasks."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.websocket import WebSocketClientConnection

from covalent_lab.dispatcher.lab import Lab
from covalent_lab.kernel.identity import describe
from covalent_lab.kernel.messages import pack, unpack
from tests.server.replies import API
from tests.server.test_real_lab import lab

__all__ = ["lab"]


@pytest.fixture
def sockets() -> Iterator[list[WebSocketClientConnection]]:
    """Closed in the end."""
    found: list[WebSocketClientConnection] = []
    yield found
    for socket in found:
        socket.close()


async def told(socket: WebSocketClientConnection) -> Any:
    """The next message's head; None at the end."""
    message = await asyncio.wait_for(socket.read_message(), 120)
    return None if message is None else unpack(message)[0]


async def test_a_kernel_is_welcome_and_then_known(
    jp_ws_fetch: Any, app: Any, lab: Lab, sockets: list[WebSocketClientConnection]
) -> None:
    """With the token of kernels in the header."""
    socket = await jp_ws_fetch(*API, "kernel", headers={"Authorization": f"token {app.kernel_token}"})
    sockets.append(socket)
    welcome = await told(socket)
    assert (welcome["do"], sorted(welcome)) == ("welcome", ["do", "share"])
    hello = {"news": "hello", **describe("name"), "jobs": [], "has_files": True}
    await socket.write_message(pack(hello), binary=True)
    assert await told(socket) == {"do": "known"}
    await socket.write_message(pack({"news": "began", "job": "unknown:1:1", "at": 1.0}), binary=True)
    await socket.write_message(pack({**hello, "name": "other"}), binary=True)
    assert await told(socket) == {"do": "known"}


@pytest.mark.parametrize("nonsense", ["text", b"", b"\0\0\0\2[]", pack({"news": "hello"}), pack({"job": 1})])
async def test_nonsense_ends_the_connection(
    jp_ws_fetch: Any, lab: Lab, sockets: list[WebSocketClientConnection], nonsense: str | bytes
) -> None:
    """And nothing else: the next kernel is welcome."""
    for _ in range(2):
        socket = await jp_ws_fetch(*API, "kernel")
        sockets.append(socket)
        assert (await told(socket))["do"] == "welcome"
        await socket.write_message(nonsense, binary=isinstance(nonsense, bytes))
        assert await told(socket) is None
