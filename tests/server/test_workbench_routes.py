"""Configuration, log and tutorial, as the front end asks for them."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.fake_lab import FakeLab
from tests.server.replies import Call

pytestmark = pytest.mark.usefixtures("private", "fake_lab")


async def test_the_configuration_is_told_and_changed(call: Call) -> None:
    """What was written is in the answer, and what was refused changes nothing."""
    reply = await call("PUT", "config", body={"values": {"sdk.log_level": "info"}})
    refused = await call("PUT", "config", body={"values": {"sdk.log_level": "debug", "dispatcher.port": 1}})

    assert reply.status == 200
    assert (refused.status, refused.code) == (400, "config")
    fields = {field["name"]: field for field in (await call("GET", "config")).json["fields"]}
    assert fields["sdk.log_level"]["value"] == "info"
    assert fields["dispatcher.port"]["is_read_only"]


@pytest.mark.parametrize("body", [{}, {"values": []}, {"values": None}, b"[]"])
async def test_a_change_of_nonsense_is_refused(call: Call, body: Any) -> None:
    """An object of keys, or nothing happens."""
    assert (await call("PUT", "config", body=body)).code == "bad_request"


async def test_the_log_is_listed_and_downloaded(call: Call, private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, and as a file."""
    monkeypatch.setenv("COVALENT_LOGDIR", str(private))
    line = "2026-01-02 03:04:05,678 ERROR covalent_lab.store: the disk is full"
    (private / "dispatcher.log").write_text(f"{line}\n")

    page = (await call("GET", "logs", search="disk", level="ERROR")).json
    whole = await call("GET", "logs/file")

    assert [item["message"] for item in page["items"]] == ["the disk is full"]
    assert whole.body == f"{line}\n".encode()
    assert "dispatcher.log" in whole.headers["Content-Disposition"]


async def test_no_log_is_an_empty_one(call: Call) -> None:
    """Nothing has been written yet."""
    assert (await call("GET", "logs")).json["total"] == 0
    assert (await call("GET", "logs/file")).body == b""


@pytest.mark.parametrize("query", [{"level": "LOUD"}, {"sort": "colour"}, {"count": "0"}], ids=str)
async def test_a_log_page_that_cannot_be_is_refused(call: Call, query: dict[str, str]) -> None:
    """As everywhere."""
    assert (await call("GET", "logs", **query)).code == "bad_request"


async def test_the_tutorial_is_copied_once(call: Call, fake_lab: FakeLab, jp_root_dir: Path) -> None:
    """What somebody changed in the copy stays."""
    first = await call("POST", "quickstart")
    notebook = jp_root_dir / first.json["path"]
    assert "Quickstart" in notebook.read_text()
    changed = notebook.read_text().replace("Quickstart", "Mine")
    notebook.write_text(changed)
    second = await call("POST", "quickstart")

    assert (first.status, second.status, second.json) == (201, 200, first.json)
    assert notebook.read_text() == changed
