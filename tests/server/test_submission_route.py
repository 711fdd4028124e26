"""The socket of short submissions: it answers as `POST dispatches` does."""

import asyncio
import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import jsonschema
import pytest
from covalent_lab_server.handlers import submissions
from tornado.httpclient import HTTPClientError

from covalent_lab.dispatcher.lab import Lab
from tests.server.bundles import bundle
from tests.server.fake_lab import FakeLab
from tests.server.replies import API, Call
from tests.server.test_real_lab import lab

__all__ = ["lab"]

SCHEMAS = json.loads((resources.files("covalent_lab") / "schemas" / "rest.json").read_text())
NewId = Callable[[], str]
UNUSABLE = [
    (b"wait_s=x\n" + bundle("d1"), "bad_request"),
    (b"wait_s=301\n" + bundle("d1"), "bad_request"),
    (b"start=perhaps\n" + bundle("d1"), "bad_request"),
    (b"\xff=\xff\n" + bundle("d1")[:-1], "bad_bundle"),
    (b"", "bad_bundle"),
    (bundle("d1"), "bad_bundle"),
]


async def asked(socket: Any, message: bytes) -> tuple[int, dict[str, Any]]:
    """Send a message; status and body of the answer."""
    await socket.write_message(message, binary=True)
    answer = json.loads(await asyncio.wait_for(socket.read_message(), 120))
    jsonschema.validate(answer, {**SCHEMAS, "$ref": "#/definitions/SubmissionAnswer"})
    return answer["status"], answer["body"]


async def test_bundles_are_taken_in_one_after_the_other(
    jp_ws_fetch: Any, app: Any, lab: Lab, call: Call, new_id: NewId
) -> None:
    """With the token of kernels: recorded, waited for, left for later, known already."""
    waited, recorded, resting = new_id(), new_id(), new_id()
    socket = await jp_ws_fetch(*API, "submissions", headers={"Authorization": f"token {app.kernel_token}"})

    status, body = await asked(socket, b"wait_s=60\n" + bundle(waited))
    assert (status, body["dispatch_id"], body["detail"]["status"]) == (201, waited, "COMPLETED")
    assert await asked(socket, b"\n" + bundle(recorded)) == (201, {"dispatch_id": recorded})
    assert await asked(socket, b"start=false\n" + bundle(resting)) == (201, {"dispatch_id": resting})
    assert await asked(socket, b"\n" + bundle(recorded)) == (200, {"dispatch_id": recorded})

    assert (await call("GET", f"dispatches/{resting}")).json["status"] == "NEW_OBJECT"
    socket.close()


@pytest.mark.parametrize(("message", "code"), UNUSABLE)
async def test_what_cannot_be_used_is_told(jp_ws_fetch: Any, lab: Lab, message: bytes, code: str) -> None:
    """As an answer: the next message is taken in."""
    socket = await jp_ws_fetch(*API, "submissions")
    for _ in range(2):
        status, body = await asked(socket, message)
        assert (status, body["error"]["code"]) == (400, code)
    assert (await asked(socket, b"\n" + bundle("d1")))[0] == 201
    socket.close()


async def test_a_closed_lab_is_told(jp_ws_fetch: Any, lab: Lab, app: Any) -> None:
    """The socket outlives it."""
    socket = await jp_ws_fetch(*API, "submissions")
    await app.stop_extension()
    status, body = await asked(socket, b"\n" + bundle("d1"))
    assert (status, body["error"]["code"]) == (503, "unavailable")
    socket.close()


@pytest.mark.parametrize(
    "messages", [["text"], [b"wait_s=60\n" + bundle("d1"), b"\n" + bundle("d2")], [bytes(1 << 14) + b"."]]
)
async def test_who_does_not_keep_to_the_rules_is_sent_away(
    jp_ws_fetch: Any, fake_lab: FakeLab, messages: list[str | bytes]
) -> None:
    """Text; a second bundle before the first was answered; more than is taken in at once."""
    socket = await jp_ws_fetch(*API, "submissions")
    for message in messages:
        await socket.write_message(message, binary=isinstance(message, bytes))
    assert await asyncio.wait_for(socket.read_message(), 120) is None
    assert "d2" not in fake_lab.records


async def test_who_leaves_ends_the_waiting_only(jp_ws_fetch: Any, fake_lab: FakeLab) -> None:
    """The dispatch goes on."""
    socket = await jp_ws_fetch(*API, "submissions")
    await socket.write_message(b"wait_s=300\n" + bundle("d1"), binary=True)
    await asyncio.wait_for(fake_lab.waiting.wait(), 120)
    socket.close()
    await asyncio.wait_for(fake_lab.wait_ended.wait(), 120)
    assert fake_lab.records["d1"]["status"] == "RUNNING"
    assert [submission.is_aborted for submission in fake_lab.submissions] == [True]


async def test_an_idle_client_is_let_go(jp_ws_fetch: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while it waits for an answer."""
    socket = await jp_ws_fetch(*API, "submissions")
    monkeypatch.setattr(submissions, "_IDLE_S", 0.0)
    assert (await asked(socket, b"wait_s=60\n" + bundle("d1")))[0] == 201
    assert await asyncio.wait_for(socket.read_message(), 120) is None


async def test_another_site_cannot_open_it(jp_ws_fetch: Any, fake_lab: FakeLab, call: Call, jp_serverapp: Any) -> None:
    """A browser would send the cookie of a user who is logged in, and where the page comes from."""
    login = await call("GET", "status", headers={"Authorization": ""}, token=jp_serverapp.identity_provider.token)
    cookie = {"Authorization": "", "Cookie": login.headers["Set-Cookie"].split(";")[0]}
    with pytest.raises(HTTPClientError) as refusal:
        await jp_ws_fetch(*API, "submissions", headers={**cookie, "Origin": "https://elsewhere.example"})
    assert refusal.value.code in (403, 404)
    assert fake_lab.submissions == []
