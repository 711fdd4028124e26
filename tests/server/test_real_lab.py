"""The extension with the real thing behind it: a store on disk and tasks that run."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from covalent_lab_server.handlers.table import ROUTES
from tornado.websocket import WebSocketClientConnection

from covalent_lab import payload
from covalent_lab.dispatcher.lab import Lab
from tests.server.bundles import bundle, digest_of
from tests.server.replies import API, Call
from tests.server.test_openapi import schema_of

Submit = Callable[..., Awaitable[str]]


@pytest.fixture
def lab(
    app: Any, start: Any, jp_asyncio_loop: asyncio.AbstractEventLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lab]:
    """A lab in a folder of its own, opened as the extension opens it."""
    for name in ("COVALENT_DATABASE", "COVALENT_DATABASE_URL", "COVALENT_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    app.data_dir = str(tmp_path / "lab")
    jp_asyncio_loop.run_until_complete(start())
    assert app.lifetime.reason is None
    yield app.lifetime.lab
    jp_asyncio_loop.run_until_complete(app.stop_extension())


async def frames(socket: WebSocketClientConnection) -> Any:
    """Frames until the socket ends."""
    while (message := await asyncio.wait_for(socket.read_message(), 120)) is not None:
        yield json.loads(message)


async def items(socket: WebSocketClientConnection, dispatch_id: str) -> list[dict[str, Any]]:
    """The transitions of a dispatch up to its end."""
    seen = []
    async with aclosing(frames(socket)) as source:
        async for frame in source:
            for item in frame.get("items", ()):
                if item["dispatch_id"] == dispatch_id:
                    seen.append(item)
                    if item["node_id"] is None and item["status"] in ("COMPLETED", "FAILED", "CANCELLED"):
                        return seen
    raise AssertionError(f"the feed ended after {seen}")


async def test_a_dispatch_runs_and_everything_about_it_can_be_read(
    call: Call, lab: Lab, jp_ws_fetch: Any, submitted: Submit, app: Any
) -> None:
    """From submission over the feed to result, output and preview; each answer as described."""
    document = app.settings["covalent_lab_context"].openapi
    socket = await jp_ws_fetch(*API, "feed")
    filling = bytes(200_000)
    one = await submitted(started=True, filling=filling)

    detail = (await call("GET", f"dispatches/{one}", wait_s=60)).json
    assert (detail["status"], detail["error"]) == ("COMPLETED", None)
    result = await call("GET", f"dispatches/{one}/payloads/{detail['result']['digest']}")
    assert payload.decode(result.body) == 200_001
    stream = (await call("GET", f"dispatches/{one}/nodes/0/streams/stdout")).json
    assert (stream["text"], stream["done"]) == ("adding 1\n", True)
    archive = await call("GET", f"dispatches/{one}/payloads/{digest_of(filling)}")
    assert payload.decode(archive.body) == filling

    told = await items(socket, one)
    socket.close()
    assert [(i["node_id"], i["status"]) for i in told if i["node_id"] == 0][-1] == (0, "COMPLETED")
    assert [i["seq"] for i in told] == sorted({i["seq"] for i in told})
    assert (told[0]["status"], told[0]["name"]) == ("NEW_OBJECT", "adder")
    jsonschema.validate({"type": "transitions", "items": told}, schema_of(document, "/feed", "GET", 101))
    for route in ROUTES:
        if "GET" in route.operations and route.path not in (
            "feed",
            "kernel",
            "submissions",
            "cluster/log",
            "logs/file",
            "dispatches/{dispatch_id}/export",
        ):
            parts = {"dispatch_id": one, "other_id": one, "node_id": 0, "stream": "stderr", "executor": "local"}
            path = route.path.format(**parts, digest=digest_of(filling))
            reply = await call("GET", path, **({"as": "path"} if "digest" in route.path else {}))
            jsonschema.validate(reply.json, schema_of(document, f"/{route.path}", "GET", 200))


async def test_a_snapshot_and_the_feed_after_it_leave_no_gap(
    call: Call, lab: Lab, jp_ws_fetch: Any, submitted: Submit
) -> None:
    """Who resumes after a snapshot's number sees the rest, once."""
    one = await submitted()
    snapshot = (await call("GET", "dispatches")).json
    two = await submitted(started=True)
    await call("GET", f"dispatches/{two}", wait_s=60)

    socket = await jp_ws_fetch(*API, "feed", params={"after": snapshot["seq"]})
    told = await items(socket, two)
    socket.close()

    assert [item["dispatch_id"] for item in snapshot["items"]] == [one]
    assert told[0]["seq"] == snapshot["seq"] + 1
    assert {i["node_id"]: i["status"] for i in told} == {None: "COMPLETED", 0: "COMPLETED", 3: "COMPLETED"}


async def test_a_recorded_dispatch_starts_when_told_and_is_deleted_when_over(
    call: Call, lab: Lab, submitted: Submit
) -> None:
    """Not before."""
    one = await submitted()
    before = (await call("GET", f"dispatches/{one}")).json["status"]

    assert (await call("DELETE", f"dispatches/{one}")).code == "dispatch_active"
    assert (await call("POST", f"dispatches/{one}/start")).status == 202
    after = (await call("GET", f"dispatches/{one}", wait_s=60)).json["status"]
    assert (await call("DELETE", f"dispatches/{one}")).status == 204

    assert (before, after) == ("NEW_OBJECT", "COMPLETED")
    assert (await call("GET", f"dispatches/{one}")).code == "unknown_dispatch"


async def test_one_request_submits_and_brings_the_result(call: Call, lab: Lab) -> None:
    """Repeated, it brings the same result again, and says that the dispatch was there."""
    replies = [await call("POST", "dispatches", body=bundle("d1"), wait_s=60) for _ in range(2)]

    assert [reply.status for reply in replies] == [201, 200]
    for reply in replies:
        detail = reply.json["detail"]
        assert detail["status"] == "COMPLETED"
        assert payload.decode(base64.b64decode(detail["result"]["data"])) == 3


async def test_a_recorded_dispatch_can_be_cancelled(call: Call, lab: Lab, submitted: Submit) -> None:
    """It ends without having run."""
    one = await submitted()

    reply = await call("POST", f"dispatches/{one}/cancel", body={"task_ids": None})

    assert (reply.status, reply.json) == (202, {"message": f"Dispatch {one} cancelled."})
    assert (await call("GET", f"dispatches/{one}", wait_s=60)).json["status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("spoil", "options"),
    [
        (lambda body: body[:-1], {}),
        (lambda body: body + b"x", {}),
        (lambda body: b"CLB0" + body[4:], {}),
        (lambda body: body, {"corrupt": True}),
        (lambda body: body, {"extra": [("graph", {"version": 1})]}),
        (lambda body: body, {"extra": [("inputs", "0" * 40)]}),
        (lambda body: body, {"extra": [("dispatch_id", "../../etc")]}),
    ],
    ids=["short", "long", "magic", "digest", "graph", "inputs", "id"],
)
async def test_a_damaged_bundle_is_refused_and_leaves_nothing(
    call: Call, lab: Lab, tmp_path: Path, spoil: Callable[[bytes], bytes], options: dict[str, Any]
) -> None:
    """No dispatch, no half-written file."""
    reply = await call("POST", "dispatches", body=spoil(bundle("d1", filling=bytes(3_000_000), **options)))

    assert (reply.status, reply.json["error"]["code"] in ("bad_bundle", "usage")) == (400, True)
    assert (await call("GET", "dispatches")).json["total"] == 0
    assert list((tmp_path / "lab").rglob("new-*")) == []


async def test_an_upload_that_breaks_off_leaves_no_file(
    call: Call, lab: Lab, connect: Any, api_path: Any, jp_auth_header: dict[str, str], tmp_path: Path
) -> None:
    """What had been written is removed."""
    aborted = asyncio.Event()
    fed = asyncio.Event()
    loop = asyncio.get_running_loop()
    make = lab.submission

    def submission() -> Any:
        made = make()
        feed, abort = made.feed, made.abort

        def feed_and_tell(chunk: bytes) -> None:
            feed(chunk)
            loop.call_soon_threadsafe(fed.set)

        def abort_and_tell() -> None:
            abort()
            aborted.set()

        made.feed, made.abort = feed_and_tell, abort_and_tell  # type: ignore[method-assign]
        return made

    lab.submission = submission  # type: ignore[method-assign]
    body = bundle("d1", filling=bytes(8_000_000))
    _, writer = await connect()
    lines = "".join(f"{name}: {value}\r\n" for name, value in jp_auth_header.items())
    request = f"POST {api_path('dispatches')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    writer.write(request.encode() + body[:6_000_000])
    await asyncio.wait_for(fed.wait(), 120)

    writer.close()

    await asyncio.wait_for(aborted.wait(), 120)
    assert list((tmp_path / "lab").rglob("new-*")) == []
    assert (await call("GET", "dispatches")).json["total"] == 0


async def test_a_long_poll_is_answered_when_the_server_stops(
    call: Call, lab: Lab, app: Any, submitted: Submit, jp_ws_fetch: Any
) -> None:
    """Neither polls nor sockets are left hanging."""
    one = await submitted()
    socket = await jp_ws_fetch(*API, "feed")
    await socket.read_message()
    poll = asyncio.ensure_future(call("GET", f"dispatches/{one}", wait_s=60))
    for _ in range(3):
        await call("GET", "status")

    await app.stop_extension()

    reply = await asyncio.wait_for(poll, 50)
    # As it stands, if the store still answers; else with the reason.
    told = reply.json["status"] if reply.status == 200 else reply.code
    assert (reply.status, told) in {(200, "NEW_OBJECT"), (503, "unavailable"), (503, "store")}
    assert await asyncio.wait_for(socket.read_message(), 120) is None
    assert socket.close_code == 1001
    socket.close()


async def test_what_was_recorded_is_there_after_a_restart(
    call: Call, lab: Lab, app: Any, start: Any, submitted: Submit
) -> None:
    """The next lab opens the same store."""
    one = await submitted()
    await app.stop_extension()
    app.lifetime = type(app.lifetime)(app.open_lab, app.log)
    context = app.settings["covalent_lab_context"]
    app.serverapp.web_app.settings["covalent_lab_context"] = type(context)(
        lifetime=app.lifetime,
        kernel_token=context.kernel_token,
        kernel_identity=context.kernel_identity,
        openapi=context.openapi,
    )

    await start()

    assert (await call("GET", f"dispatches/{one}")).json["status"] == "NEW_OBJECT"


@pytest.mark.parametrize("content", ["not [ toml", "[dispatcher]\ndurability = 'maybe'"])
async def test_a_corrupt_configuration_leaves_jupyter_running(
    app: Any, start: Any, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Routes name file and mistake."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    (tmp_path / "covalent.conf").write_text(content)

    await start()

    reply = await call("GET", "status")
    assert (reply.status, reply.code) == (503, "unavailable")
    assert "covalent.conf" in reply.json["error"]["message"]


async def test_a_data_folder_that_cannot_be_made_leaves_jupyter_running(
    app: Any, start: Any, call: Call, tmp_path: Path
) -> None:
    """A file is in the way."""
    (tmp_path / "taken").write_text("")
    app.data_dir = str(tmp_path / "taken")

    await start()

    reply = await call("GET", "dispatches")
    assert (reply.status, reply.code) == (503, "unavailable")
    assert "taken" in reply.json["error"]["message"]


async def test_a_database_that_is_none_leaves_jupyter_running(
    app: Any, start: Any, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are somebody else's."""
    database = tmp_path / "dispatcher_db.sqlite"
    database.write_bytes(b"This is not a database. " * 100)
    monkeypatch.setenv("COVALENT_DATABASE", str(database))
    app.data_dir = str(tmp_path / "lab")

    await start()

    reply = await call("GET", "dispatches")
    assert (reply.status, reply.code) == (503, "unavailable")
    assert "\n" not in reply.json["error"]["message"]


async def test_an_unfinished_dispatch_keeps_an_idle_server_from_shutting_down(
    lab: Lab, submitted: Submit, app: Any, call: Call
) -> None:
    """Jupyter's idle shutdown asks extensions for their activity."""
    assert app.current_activity() is None
    dispatch_id = await submitted()
    assert app.current_activity() == {"unfinished_dispatches": 1}
    await call("POST", f"dispatches/{dispatch_id}/cancel", body=b"{}")
    await lab.detail(dispatch_id, wait_s=20)
    assert app.current_activity() is None


async def test_a_redispatch_takes_over_results(call: Call, lab: Lab, submitted: Submit, app: Any) -> None:
    """Through the route; every answer about the new dispatch is as described, and it does not need the old one."""
    document = app.settings["covalent_lab_context"].openapi
    old = await submitted(started=True)
    await call("GET", f"dispatches/{old}", wait_s=60)
    body = {"reuse_previous_results": True, "start": False}
    reply = await call("POST", f"dispatches/{old}/redispatches", body=body)
    new = reply.json["dispatch_id"]
    nodes = (await call("GET", f"dispatches/{new}/nodes")).json
    assert set(nodes["status"]) == {"PENDING_REUSE"}
    assert (await call("DELETE", f"dispatches/{old}")).status == 204
    assert (await call("POST", f"dispatches/{new}/start", body={})).status == 202
    detail = (await call("GET", f"dispatches/{new}", wait_s=60)).json
    assert (detail["status"], detail["redispatched_from"]) == ("COMPLETED", old)
    node = (await call("GET", f"dispatches/{new}/nodes/0")).json
    assert (node["reused_from"], node["stdout"]) == (f"{old}:0", "adding 1\n")
    for path, answer in (("dispatches/{dispatch_id}", detail), ("dispatches/{dispatch_id}/nodes/{node_id}", node)):
        jsonschema.validate(answer, schema_of(document, f"/{path}", "GET", 200))
