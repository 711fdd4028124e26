"""Submissions: streamed, refused early, given up when the client goes away."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from covalent_lab.errors import StoreError
from tests.server.bundles import bundle
from tests.server.fake_lab import FakeLab, FakeSubmission
from tests.server.replies import Call

NewId = Callable[[], str]
DEFAULT_LIMIT = 100 * 1024 * 1024  # tornado's, for bodies it was not told to stream


def head(path: str, length: int, headers: dict[str, str]) -> bytes:
    """The beginning of an upload."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{lines}\r\n".encode()


async def status_line(reader: asyncio.StreamReader) -> str:
    """First line of an answer."""
    return (await asyncio.wait_for(reader.readline(), 120)).decode()


async def test_an_upload_may_be_larger_than_any_buffer(
    fake_lab: FakeLab, connect: Any, api_path: Any, jp_auth_header: dict[str, str], new_id: NewId
) -> None:
    """It arrives in small pieces, beyond the limit of ordinary bodies."""
    dispatch_id = new_id()
    body = bundle(dispatch_id, filling=bytes(DEFAULT_LIMIT))
    reader, writer = await connect()

    writer.write(head(api_path("dispatches", start="false"), len(body), jp_auth_header))
    view = memoryview(body)
    for begin in range(0, len(body), 1 << 20):
        writer.write(view[begin : begin + (1 << 20)])
        await writer.drain()

    assert "201" in await status_line(reader)
    [submission] = fake_lab.submissions
    assert submission.received == len(body) > DEFAULT_LIMIT
    assert submission.largest <= 1 << 21
    assert dispatch_id in fake_lab.records
    writer.close()


async def test_start_can_be_left_for_later(call: Call, fake_lab: FakeLab, new_id: NewId) -> None:
    """`start=false` records only; the default is to start."""
    resting, running = new_id(), new_id()

    await call("POST", "dispatches", body=bundle(resting), start="false")
    await call("POST", "dispatches", body=bundle(running))

    states = [fake_lab.records[i]["status"] for i in (resting, running)]
    assert states == ["NEW_OBJECT", "RUNNING"]


async def test_an_upload_in_chunks_of_unknown_number(
    fake_lab: FakeLab, connect: Any, api_path: Any, jp_auth_header: dict[str, str], new_id: NewId
) -> None:
    """Clients need not know the length beforehand."""
    dispatch_id = new_id()
    body = bundle(dispatch_id)
    lines = "".join(f"{name}: {value}\r\n" for name, value in jp_auth_header.items())
    reader, writer = await connect()

    request = f"POST {api_path('dispatches')} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n{lines}\r\n"
    writer.write(request.encode())
    for piece in (body[:5], body[5:40], body[40:]):
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    writer.write(b"0\r\n\r\n")

    assert "201" in await status_line(reader)
    assert dispatch_id in fake_lab.records
    writer.close()


async def test_strangers_are_refused_before_their_body_is_read(fake_lab: FakeLab, connect: Any, api_path: Any) -> None:
    """The refusal comes although nothing of the announced gigabyte was sent."""
    reader, writer = await connect()

    writer.write(head(api_path("dispatches"), 1 << 30, {"Authorization": "token wrong"}))

    assert "403" in await status_line(reader)
    assert fake_lab.submissions == []
    writer.close()


async def test_those_without_permission_are_refused_before_their_body_is_read(
    fake_lab: FakeLab, connect: Any, api_path: Any, jp_serverapp: Any, jp_auth_header: dict[str, str]
) -> None:
    """The authorizer is asked first, for the right to write."""
    asked = []

    def is_authorized(handler: Any, user: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    jp_serverapp.authorizer.is_authorized = is_authorized
    reader, writer = await connect()

    writer.write(head(api_path("dispatches"), 1 << 30, jp_auth_header))

    assert "403" in await status_line(reader)
    assert asked == [("write", "covalent-lab")]
    assert fake_lab.submissions == []
    writer.close()


async def test_an_upload_that_breaks_off_leaves_nothing(
    fake_lab: FakeLab, connect: Any, api_path: Any, jp_auth_header: dict[str, str], new_id: NewId
) -> None:
    """The submission is aborted when the client goes away in the middle."""
    body = bundle(new_id(), filling=bytes(6_000_000))
    _, writer = await connect()
    submission = await first_submission(fake_lab, writer, head(api_path("dispatches"), len(body), jp_auth_header), body)

    writer.close()

    await asyncio.wait_for(submission.ended.wait(), 120)
    assert submission.is_aborted
    assert fake_lab.records == {}


async def first_submission(lab: FakeLab, writer: asyncio.StreamWriter, header: bytes, body: bytes) -> FakeSubmission:
    """Send half of an upload and wait until the lab has seen some of it."""
    made = asyncio.Event()
    make = lab.submission

    def submission() -> FakeSubmission:
        made.set()
        return make()

    lab.submission = submission  # type: ignore[method-assign]
    writer.write(header + body[: len(body) // 2])
    await asyncio.wait_for(made.wait(), 120)
    await asyncio.wait_for(lab.submissions[0].begun.wait(), 120)
    return lab.submissions[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: b"",
        lambda body: b"no bundle at all",
        lambda body: body[:-1],
        lambda body: body[:6],
    ],
    ids=["empty", "something else", "end missing", "header missing"],
)
async def test_what_is_no_bundle_is_refused(
    call: Call, fake_lab: FakeLab, new_id: NewId, spoil: Callable[[bytes], bytes]
) -> None:
    """The answer names the reason, and nothing is recorded."""
    reply = await call("POST", "dispatches", body=spoil(bundle(new_id())))

    assert (reply.status, reply.code) == (400, "bad_bundle")
    assert fake_lab.records == {}


async def test_a_wrong_digest_is_refused_after_the_whole_body(call: Call, fake_lab: FakeLab, new_id: NewId) -> None:
    """The refusal reaches clients that send everything before they read; what follows it is not kept."""
    body = bundle(new_id(), corrupt=True, filling=bytes(6_000_000))
    reply = await call("POST", "dispatches", body=body)

    assert (reply.status, reply.code) == (400, "bad_bundle")
    [submission] = fake_lab.submissions
    assert submission.is_aborted
    assert submission.received < len(body) - 4_000_000


async def test_a_full_disk_is_not_the_callers_fault(call: Call, fake_lab: FakeLab, new_id: NewId) -> None:
    """It is a 5xx, and the submission is aborted."""

    def feed(submission: FakeSubmission, chunk: bytes) -> None:
        raise OSError("No space left on device")

    FakeSubmission.feed, original = feed, FakeSubmission.feed  # type: ignore[method-assign,assignment]
    try:
        reply = await call("POST", "dispatches", body=bundle(new_id()))
    finally:
        FakeSubmission.feed = original  # type: ignore[method-assign]

    assert (reply.status, reply.code) == (500, "internal")
    assert fake_lab.submissions[0].is_aborted


async def test_a_lab_that_takes_no_submissions(call: Call, fake_lab: FakeLab, new_id: NewId) -> None:
    """An error before the body is answered like any other."""
    fake_lab.failure = StoreError("The database is locked.")

    reply = await call("POST", "dispatches", body=bundle(new_id()))

    assert (reply.status, reply.code) == (503, "store")


async def test_a_parameter_that_cannot_be_is_refused(call: Call, fake_lab: FakeLab, new_id: NewId) -> None:
    """`start` is true or false; nothing is recorded otherwise."""
    reply = await call("POST", "dispatches", body=bundle(new_id()), start="perhaps")

    assert (reply.status, reply.code) == (400, "bad_request")
    assert fake_lab.records == {}
    assert fake_lab.submissions[0].is_aborted
