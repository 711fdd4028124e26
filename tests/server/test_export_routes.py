"""Exports are files to save, and two dispatches can be compared."""

from collections.abc import Awaitable, Callable

import pytest

from covalent_lab.exports.formats import FORMATS
from tests.server.fake_lab import FakeLab
from tests.server.replies import Call

Submit = Callable[..., Awaitable[str]]


@pytest.mark.parametrize("name", sorted(FORMATS))
async def test_an_export_is_a_file_to_save(call: Call, fake_lab: FakeLab, submitted: Submit, name: str) -> None:
    """No browser will run or render it here."""
    dispatch_id = await submitted()

    reply = await call("GET", f"dispatches/{dispatch_id}/export", format=name)

    assert (reply.status, reply.body) == (200, f"<{name}>{fake_lab.records[dispatch_id]['name']}</{name}>".encode())
    assert reply.headers["Content-Type"] == f"{FORMATS[name].media_type}; charset=utf-8"
    assert reply.headers["Content-Disposition"] == f"attachment; filename*=utf-8''{dispatch_id}.{name}"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


async def test_what_is_not_there_is_not_exported(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """Neither an unknown dispatch nor an unknown format."""
    assert (await call("GET", f"dispatches/{await submitted()}/export", format="exe")).status == 400
    assert (await call("GET", "dispatches/unknown/export")).status == 404


async def test_both_sides_of_a_comparison_must_exist(call: Call, fake_lab: FakeLab, submitted: Submit) -> None:
    """A dispatch may be compared with itself."""
    one = await submitted()

    assert (await call("GET", f"dispatches/{one}/comparison/{one}")).json["left"]["dispatch_id"] == one
    for path in (f"dispatches/{one}/comparison/unknown", f"dispatches/unknown/comparison/{one}"):
        assert (await call("GET", path)).status == 404
