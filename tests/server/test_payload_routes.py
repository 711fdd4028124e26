"""Payloads are files to save, never pages to show."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from covalent_lab import payload
from tests.server.bundles import digest_of
from tests.server.fake_lab import FakeLab
from tests.server.replies import Call, Reply

Submit = Callable[..., Awaitable[str]]
LARGE = bytes(range(256)) * 12_000


def assert_is_a_file_to_save(reply: Reply, digest: str) -> None:
    """No browser will run or render it."""
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.headers["Content-Disposition"] == f"attachment; filename*=utf-8''{digest}.bin"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


@pytest.mark.parametrize("value", [b"12", LARGE], ids=["in the database", "in a file"])
async def test_an_archive_is_sent_as_it_was_received(
    call: Call, fake_lab: FakeLab, submitted: Submit, value: bytes
) -> None:
    """Small or large, byte for byte."""
    dispatch_id = await submitted(filling=value)
    digest = digest_of(value)

    reply = await call("GET", f"dispatches/{dispatch_id}/payloads/{digest}")

    assert reply.status == 200
    assert payload.decode(reply.body) == value
    assert reply.headers["Content-Length"] == str(len(reply.body))
    assert_is_a_file_to_save(reply, digest)


@pytest.mark.parametrize("value", [b"12", LARGE], ids=["in the database", "in a file"])
async def test_an_archive_is_sent_only_once(call: Call, fake_lab: FakeLab, submitted: Submit, value: bytes) -> None:
    """Its content is its name, so a client that has it is told so."""
    path = f"dispatches/{await submitted(filling=value)}/payloads/{digest_of(value)}"

    first = await call("GET", path)
    again = await call("GET", path, headers={"If-None-Match": first.headers["Etag"]})

    assert first.headers["Etag"] == f'"{digest_of(value)}"'
    assert "immutable" in first.headers["Cache-Control"]
    assert (again.status, again.body) == (304, b"")


async def test_a_client_on_the_same_machine_may_ask_for_the_path(
    call: Call, fake_lab: FakeLab, submitted: Submit
) -> None:
    """Where there is a file; small ones are sent anyway."""
    dispatch_id = await submitted(filling=LARGE)

    large = await call("GET", f"dispatches/{dispatch_id}/payloads/{digest_of(LARGE)}", **{"as": "path"})
    small = await call("GET", f"dispatches/{dispatch_id}/payloads/{digest_of(1)}", **{"as": "path"})

    assert payload.decode(Path(large.json["path"]).read_bytes()) == LARGE
    assert payload.decode(small.body) == 1


async def test_other_forms_are_refused(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """There is no third way."""
    dispatch_id = await submitted()

    reply = await call("GET", f"dispatches/{dispatch_id}/payloads/{digest_of(1)}", **{"as": "html"})

    assert (reply.status, reply.code) == (400, "bad_request")


async def test_a_file_that_was_deleted_meanwhile(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """It is not found, in JSON."""
    dispatch_id = await submitted(filling=LARGE)
    path = f"dispatches/{dispatch_id}/payloads/{digest_of(LARGE)}"
    found = (await call("GET", path, **{"as": "path"})).json["path"]
    gone = Path(found)
    gone.unlink()
    gone.symlink_to("nowhere/at/all")  # so that the lab still believes in it
    fake_lab.archives[digest_of(LARGE)] = b"x" * 100_000

    async def stored(dispatch_id: str, digest: str) -> object:
        return type("Stored", (), {"path": found, "data": None})

    fake_lab.payload = stored  # type: ignore[method-assign,assignment]
    reply = await call("GET", path)

    assert (reply.status, reply.code) == (404, "unknown_node")
    assert "Content-Disposition" not in reply.headers


async def test_a_preview_is_json(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """HTML inside it is a string."""
    html = b"<script>alert(1)</script>"
    dispatch_id = await submitted(filling=html)

    reply = await call("GET", f"dispatches/{dispatch_id}/payloads/{digest_of(html)}/preview")

    assert reply.headers["Content-Type"] == "application/json"
    assert (reply.json["type"], reply.json["text"]) == ("bytes", str(html))
