"""Listing, describing, starting, cancelling and deleting dispatches."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.server.bundles import bundle, digest_of
from tests.server.fake_lab import FakeLab
from tests.server.replies import Call, Reply

Submit = Callable[..., Awaitable[str]]


async def test_status_tells_what_is_running(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """The counts are the lab's."""
    await submitted(started=True)
    await submitted()

    reply = await call("GET", "status")

    assert reply.status == 200
    assert (reply.json["dispatches"], reply.json["running"]) == (2, 1)


async def test_the_list_passes_its_parameters_on(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Search, order, offset and count reach the lab."""
    for name in ("fit b", "fit a", "draw", "fit c"):
        await submitted(name=name)

    reply = await call(
        "GET", "dispatches", search="fit", status="NEW_OBJECT", sort="name", direction="asc", offset=1, count=1
    )

    assert [item["name"] for item in reply.json["items"]] == ["fit b"]
    assert (reply.json["total"], reply.json["counts"]) == (3, {"NEW_OBJECT": 3})


@pytest.mark.parametrize(
    "query",
    [
        {"count": "0"},
        {"count": "501"},
        {"count": "many"},
        {"count": ""},
        {"offset": "-1"},
        {"offset": "1e3"},
        {"offset": "9" * 40},
        {"sort": "colour"},
        {"direction": "sideways"},
        {"status": "SLEEPING"},
    ],
    ids=str,
)
async def test_a_list_that_cannot_be_is_refused(call: Call, fake_lab: FakeLab, query: dict[str, str]) -> None:
    """Bad parameters are the caller's fault, and named."""
    reply = await call("GET", "dispatches", **query)

    assert (reply.status, reply.code) == (400, "bad_request")
    assert next(iter(query)) in reply.json["error"]["message"]


async def test_a_dispatch_is_described(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """The detail is the lab's answer."""
    dispatch_id = await submitted(name="adder")

    reply = await call("GET", f"dispatches/{dispatch_id}")

    assert (reply.status, reply.json["name"], reply.json["total"]) == (200, "adder", 2)


async def test_a_long_poll_answers_when_the_dispatch_has_ended(
    call: Call, fake_lab: FakeLab, submitted: Submit
) -> None:
    """With `wait_s` the answer comes with the end, not before."""
    dispatch_id = await submitted()
    answer = asyncio.ensure_future(call("GET", f"dispatches/{dispatch_id}", wait_s=20))
    await fake_lab.waiting.wait()
    assert not answer.done()

    fake_lab.records[dispatch_id]["status"] = "COMPLETED"
    fake_lab.terminal.set()

    assert (await answer).json["status"] == "COMPLETED"


async def test_a_long_poll_ends_with_its_client(
    fake_lab: FakeLab, submitted: Submit, connect: Any, api_path: Any, jp_auth_header: dict[str, str]
) -> None:
    """Nobody waits for an answer that nobody will read."""
    dispatch_id = await submitted()
    _, writer = await connect()
    path = api_path(f"dispatches/{dispatch_id}", wait_s=20)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{header_lines(jp_auth_header)}\r\n".encode())
    await fake_lab.waiting.wait()

    writer.close()

    await asyncio.wait_for(fake_lab.wait_ended.wait(), 120)
    assert not fake_lab.terminal.is_set()


async def test_a_submission_can_be_answered_when_the_dispatch_has_ended(
    call: Call, fake_lab: FakeLab, new_id: Callable[[], str]
) -> None:
    """With `wait_s` one request is enough for a short workflow."""
    dispatch_id = new_id()
    answer = asyncio.ensure_future(call("POST", "dispatches", body=bundle(dispatch_id), wait_s=20))
    await fake_lab.waiting.wait()
    assert not answer.done()

    fake_lab.records[dispatch_id]["status"] = "COMPLETED"
    fake_lab.terminal.set()

    reply = await answer
    assert (reply.status, reply.json["dispatch_id"], reply.json["detail"]["status"]) == (201, dispatch_id, "COMPLETED")


async def test_a_submission_whose_client_leaves_while_it_waits_stays(
    fake_lab: FakeLab, new_id: Callable[[], str], connect: Any, api_path: Any, jp_auth_header: dict[str, str]
) -> None:
    """Only the waiting ends."""
    dispatch_id = new_id()
    body = bundle(dispatch_id)
    _, writer = await connect()
    lines = f"Host: localhost\r\nContent-Length: {len(body)}\r\n{header_lines(jp_auth_header)}"
    writer.write(f"POST {api_path('dispatches', wait_s=20)} HTTP/1.1\r\n{lines}\r\n".encode() + body)
    await fake_lab.waiting.wait()

    writer.close()

    await asyncio.wait_for(fake_lab.wait_ended.wait(), 120)
    assert fake_lab.records[dispatch_id]["status"] == "RUNNING"


@pytest.mark.parametrize("wait_s", ["-1", "301", "nan", "inf", "soon"])
async def test_a_wait_without_sense_is_refused(call: Call, fake_lab: FakeLab, submitted: Submit, wait_s: str) -> None:
    """Only finite times up to five minutes."""
    dispatch_id = await submitted()

    assert (await call("GET", f"dispatches/{dispatch_id}", wait_s=wait_s)).code == "bad_request"


async def test_a_recorded_dispatch_can_be_started(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """It is accepted, and begins later."""
    dispatch_id = await submitted()

    reply = await call("POST", f"dispatches/{dispatch_id}/start")

    assert (reply.status, reply.json) == (202, {"dispatch_id": dispatch_id, "status": "STARTING"})


@pytest.mark.parametrize("body", [None, b"", {}, {"task_ids": None}])
async def test_a_dispatch_is_cancelled_as_a_whole(call: Call, fake_lab: FakeLab, submitted: Submit, body: Any) -> None:
    """No list of tasks, or null, means all."""
    dispatch_id = await submitted(started=True)

    reply = await call("POST", f"dispatches/{dispatch_id}/cancel", body=body)

    assert (reply.status, reply.json) == (202, {"message": f"Dispatch {dispatch_id} cancelled."})


async def test_some_tasks_are_cancelled(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """The list of tasks reaches the lab."""
    dispatch_id = await submitted(started=True)

    reply = await call("POST", f"dispatches/{dispatch_id}/cancel", body={"task_ids": [0, 3]})

    assert reply.json["message"].startswith("Tasks [0, 3]")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", {"task_ids": "0"}, {"task_ids": [True]}, {"task_ids": [-1]}])
async def test_a_cancellation_of_nonsense_is_refused(
    call: Call, fake_lab: FakeLab, submitted: Submit, body: Any
) -> None:
    """Node numbers only."""
    dispatch_id = await submitted(started=True)

    reply = await call("POST", f"dispatches/{dispatch_id}/cancel", body=body)

    assert (reply.status, reply.code) == (400, "bad_request")
    assert fake_lab.records[dispatch_id]["status"] == "RUNNING"


async def test_many_are_deleted_at_once(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Running ones stay and are listed as active."""
    running, resting = await submitted(started=True), await submitted()

    reply = await call("POST", "dispatches/delete", body={"dispatch_ids": [running, resting, "nobody"]})

    assert (reply.status, reply.json) == (200, {"deleted": [resting], "missing": ["nobody"], "active": [running]})


@pytest.mark.parametrize("body", [b"", {}, {"dispatch_ids": "all"}, {"dispatch_ids": [1]}, b"null"])
async def test_a_deletion_of_nonsense_is_refused(call: Call, fake_lab: FakeLab, body: Any) -> None:
    """A list of ids, or nothing happens."""
    assert (await call("POST", "dispatches/delete", body=body)).code == "bad_request"


async def test_what_a_filter_shows_is_deleted_with_one_request(
    call: Call, fake_lab: FakeLab, submitted: Submit
) -> None:
    """Search and statuses reach the lab; what is unfinished stays and is told."""
    other, running = await submitted(name="draw"), await submitted(name="fit", started=True)
    over = await submitted(name="fit")

    reply = await call("POST", "dispatches/delete", body={"matching": {"search": "fit", "statuses": []}})

    assert (reply.status, reply.json) == (200, {"deleted": [over], "missing": [], "active": [running]})
    assert set(fake_lab.records) == {other, running}


@pytest.mark.parametrize(
    "body",
    [
        {"dispatch_ids": [], "matching": {"search": "", "statuses": []}},
        {"matching": {}},
        {"matching": "everything"},
        {"matching": {"search": "", "statuses": ["SLEEPING"]}},
        {"matching": {"search": None, "statuses": []}},
        {"matching": {"search": "", "statuses": [], "name": "x"}},
    ],
    ids=str,
)
async def test_an_unclear_filter_deletes_nothing(
    call: Call, fake_lab: FakeLab, submitted: Submit, body: dict[str, Any]
) -> None:
    """Deleting everything takes a filter that says so in full."""
    dispatch_id = await submitted()

    assert (await call("POST", "dispatches/delete", body=body)).code == "bad_request"
    assert dispatch_id in fake_lab.records


async def test_the_overview_is_the_labs(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Counts by status and the newest dispatch."""
    await submitted(started=True)
    newest = await submitted()

    reply = await call("GET", "dispatches/overview")

    assert (reply.json["total"], reply.json["counts"]) == (2, {"RUNNING": 1, "NEW_OBJECT": 1})
    assert reply.json["latest"]["dispatch_id"] == newest


async def test_one_is_deleted(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Once; then it is unknown."""
    dispatch_id = await submitted()

    first = await call("DELETE", f"dispatches/{dispatch_id}")
    second = await call("DELETE", f"dispatches/{dispatch_id}")

    assert (first.status, first.body) == (204, b"")
    assert (second.status, second.code) == (404, "unknown_dispatch")


async def test_a_running_dispatch_is_not_deleted(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """The caller is told to cancel it first."""
    dispatch_id = await submitted(started=True)

    reply = await call("DELETE", f"dispatches/{dispatch_id}")

    assert (reply.status, reply.code) == (409, "dispatch_active")


async def test_a_graph_is_sent_as_stored_and_only_once(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """It never changes, so a client that has it is told so."""
    dispatch_id = await submitted()

    first = await call("GET", f"dispatches/{dispatch_id}/graph")
    again = await call("GET", f"dispatches/{dispatch_id}/graph", headers={"If-None-Match": first.headers["Etag"]})

    assert first.json == fake_lab.records[dispatch_id]["graph"]
    assert first.headers["Content-Type"].startswith("application/json")
    assert "immutable" in first.headers["Cache-Control"]
    assert (again.status, again.body) == (304, b"")


async def test_nodes_come_as_columns(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """None has begun, so the columns are empty."""
    dispatch_id = await submitted()

    reply = await call("GET", f"dispatches/{dispatch_id}/nodes")

    assert reply.json["node_id"] == reply.json["output"] == []


async def test_a_node_and_its_streams(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Streams continue where the last answer ended."""
    dispatch_id = await submitted()

    node = await call("GET", f"dispatches/{dispatch_id}/nodes/0")
    stream = await call("GET", f"dispatches/{dispatch_id}/nodes/0/streams/stderr", offset=10)

    assert (node.json["name"], node.json["kind"]) == ("add", "function")
    assert stream.json == {"text": "node 0\n", "offset": 17, "done": True}


async def test_news_of_a_job_reach_the_lab(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """The whole body does; one without a known status is refused."""
    dispatch_id = await submitted()
    body = {"status": "READY", "detail": [1]}

    reply = await call("PUT", f"dispatches/{dispatch_id}/nodes/0/job", body=body)
    refused = await call("PUT", f"dispatches/{dispatch_id}/nodes/0/job", body={"status": "RUNNING"})
    missing = await call("PUT", f"dispatches/{dispatch_id}/nodes/99/job", body=body)

    assert (reply.status, reply.json) == (202, {"taken": True})
    assert fake_lab.notices == [(dispatch_id, 0, body)]
    assert (refused.status, refused.code) == (400, "bad_request")
    assert (missing.status, missing.code) == (404, "unknown_node")


@pytest.mark.parametrize(
    ("method", "rest", "code"),
    [
        ("GET", "", "unknown_dispatch"),
        ("POST", "/start", "unknown_dispatch"),
        ("POST", "/cancel", "unknown_dispatch"),
        ("GET", "/graph", "unknown_dispatch"),
        ("GET", "/nodes", "unknown_dispatch"),
        ("GET", "/nodes/0", "unknown_dispatch"),
        ("GET", "/nodes/0/streams/stdout", "unknown_dispatch"),
        ("GET", f"/payloads/{'0' * 40}", "unknown_dispatch"),
        ("GET", f"/payloads/{'0' * 40}/preview", "unknown_dispatch"),
        ("GET", "/nodes/-1", "not_found"),
        ("GET", "/nodes/first", "not_found"),
        ("GET", "/nodes/0/streams/stdin", "not_found"),
        ("GET", f"/payloads/{'0' * 39}", "not_found"),
        ("GET", "/payloads/..%2F..%2Fetc%2Fpasswd", "not_found"),
        ("GET", "/shape", "not_found"),
    ],
)
async def test_what_is_not_there_is_not_found(call: Call, fake_lab: FakeLab, method: str, rest: str, code: str) -> None:
    """Unknown dispatches, and paths that are no route, answer 404 in JSON."""
    reply = await call(method, f"dispatches/nobody{rest}")

    assert (reply.status, reply.code) == (404, code)


async def test_unknown_parts_of_a_known_dispatch(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Nodes and payloads of other dispatches are not found."""
    dispatch_id = await submitted()

    replies: list[Reply] = [
        await call("GET", f"dispatches/{dispatch_id}/nodes/99"),
        await call("GET", f"dispatches/{dispatch_id}/payloads/{digest_of('not in it')}"),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(404, "unknown_node")] * 2


async def test_a_negative_offset_is_refused(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Streams begin at 0."""
    dispatch_id = await submitted()

    assert (await call("GET", f"dispatches/{dispatch_id}/nodes/0/streams/stdout", offset=-1)).code == "bad_request"


async def test_a_verb_that_a_route_does_not_know(call: Call, fake_lab: FakeLab) -> None:
    """It is told apart from an unknown route."""
    reply = await call("PUT", "dispatches/delete", body={})

    assert (reply.status, reply.code) == (405, "method_not_allowed")


async def test_a_list_is_json_that_browsers_do_not_guess_about(call: Call, fake_lab: FakeLab) -> None:
    """The type is stated and not to be sniffed."""
    reply = await call("GET", "dispatches")

    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def header_lines(headers: dict[str, str]) -> str:
    """Headers of a request written by hand."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


async def test_a_second_post_of_a_dispatch_changes_nothing(
    call: Call, fake_lab: FakeLab, new_id: Callable[[], str]
) -> None:
    """Clients may repeat a submission of which they saw no answer."""
    dispatch_id = new_id()

    first = await call("POST", "dispatches", body=bundle(dispatch_id, name="first"))
    second = await call("POST", "dispatches", body=bundle(dispatch_id, name="second"))

    assert [(r.status, json.loads(r.body)) for r in (first, second)] == [
        (201, {"dispatch_id": dispatch_id}),
        (200, {"dispatch_id": dispatch_id}),
    ]
    assert fake_lab.records[dispatch_id]["name"] == "first"


@pytest.mark.parametrize(
    ("body", "status", "reuses"),
    [
        ({}, "RUNNING", False),
        ({"reuse_previous_results": True, "start": False}, "NEW_OBJECT", True),
        ({"dispatch_id": None, "start": True}, "RUNNING", False),
    ],
    ids=str,
)
async def test_a_redispatch_gets_an_id_of_its_own(
    call: Call, fake_lab: FakeLab, submitted: Submit, body: dict[str, Any], status: str, reuses: bool
) -> None:
    """It starts unless told not to, and runs everything unless told to reuse."""
    old = await submitted()
    reply = await call("POST", f"dispatches/{old}/redispatches", body=body)
    assert reply.status == 201
    new = reply.json["dispatch_id"]
    assert new != old
    assert (fake_lab.records[new]["status"], fake_lab.records[new]["reuses"]) == (status, reuses)


async def test_a_repeated_redispatch_with_the_same_id_changes_nothing(
    call: Call, fake_lab: FakeLab, submitted: Submit
) -> None:
    """A client may send it again after a connection broke."""
    old = await submitted()
    replies = [await call("POST", f"dispatches/{old}/redispatches", body={"dispatch_id": "new-one"}) for _ in range(2)]
    assert [(reply.status, reply.json) for reply in replies] == [
        (201, {"dispatch_id": "new-one"}),
        (200, {"dispatch_id": "new-one"}),
    ]


@pytest.mark.parametrize(
    "body", [[], b"{", {"start": 1}, {"dispatch_id": 3}, {"reuse_previous_results": "yes"}], ids=str
)
async def test_a_redispatch_that_cannot_be_is_refused(
    call: Call, fake_lab: FakeLab, submitted: Submit, body: Any
) -> None:
    """Nothing is recorded."""
    old = await submitted()
    reply = await call("POST", f"dispatches/{old}/redispatches", body=body)
    assert (reply.status, reply.code) == (400, "bad_request")
    assert list(fake_lab.records) == [old]


async def test_what_is_not_there_cannot_be_repeated(call: Call, fake_lab: FakeLab) -> None:
    """As for any other question about it."""
    reply = await call("POST", "dispatches/none/redispatches", body={})
    assert (reply.status, reply.code) == (404, "unknown_dispatch")
