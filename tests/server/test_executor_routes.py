"""Executors and the Dask cluster over REST, with the real lab behind it."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from covalent_lab.config.access import get_config, set_config
from covalent_lab.dispatcher.lab import Lab
from tests.server.replies import Call
from tests.server.test_openapi import schema_of
from tests.server.test_real_lab import lab

__all__ = ["lab"]


@pytest.fixture
def described(app: Any) -> Any:
    """Check an answer against the description."""
    document = app.settings["covalent_lab_context"].openapi

    def check(reply: Any, path: str, verb: str = "GET") -> Any:
        assert reply.status == 200, reply.body
        jsonschema.validate(reply.json, schema_of(document, path, verb, 200))
        return reply.json

    return check


async def test_executors_are_listed_asked_set_and_tested(call: Call, lab: Lab, described: Any) -> None:
    """Each answer as described."""
    items = {item["name"]: item for item in described(await call("GET", "executors"), "/executors")["items"]}
    assert {"local", "dask", "kernel", "slurm", "ssh"} <= items.keys()
    assert [name for name, item in items.items() if item["is_default"]] == ["local"]

    health = described(await call("GET", "executors/local/health"), "/executors/{executor}/health")
    assert health["is_usable"]
    no = described(await call("GET", "executors/ssh/health"), "/executors/{executor}/health")
    assert (no["is_usable"], "hostname" in no["summary"]) == (False, True)

    body = {"settings": {"hostname": "gpu.example.org", "max_connection_attempts": 1}}
    view = described(await call("PUT", "executors/ssh", body=body), "/executors/{executor}", "PUT")
    assert {s["name"] for s in view["settings"] if s["is_set"]} == {"hostname", "max_connection_attempts"}
    assert get_config("executors.ssh.hostname") == "gpu.example.org"

    told = described(await call("POST", "executors/local/test", wait_s=60), "/executors/{executor}/test", "POST")
    assert told["is_passed"], told
    told = described(await call("POST", "executors/kernel/test"), "/executors/{executor}/test", "POST")
    assert (told["is_passed"], told["dispatch_id"]) == (False, None)
    assert "No kernel is connected" in told["summary"]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "words"),
    [
        ("GET", "executors/nobody/health", None, 400, "No executor is named 'nobody'"),
        ("PUT", "executors/local", {"settings": [1]}, 400, "settings must be an object"),
        ("PUT", "executors/local", {"settings": {"colour": 1}}, 400, "no setting 'colour'"),
        ("PUT", "executors/local", {"settings": {"workdir": 1}}, 400, "must be a text"),
        ("POST", "cluster", {"action": "explode"}, 400, "start, stop, restart or scale"),
        ("POST", "cluster", {"action": "scale", "workers": True}, 400, "whole number"),
        ("POST", "cluster", {"action": "scale", "workers": 2}, 503, "not running"),
        ("GET", "cluster/log", None, 400, "no log"),
    ],
)
async def test_requests_that_make_no_sense_are_refused(
    call: Call, lab: Lab, verb: str, path: str, body: Any, status: int, words: str
) -> None:
    """With a message that people can read."""
    reply = await call(verb, path, **({} if body is None else {"body": body}))
    assert reply.status == status, reply.body
    assert words in reply.json["error"]["message"]


async def test_the_cluster_is_started_scaled_and_stopped(
    call: Call, lab: Lab, described: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its executor sees it, and its log can be read."""
    monkeypatch.setenv("COVALENT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COVALENT_LOG_TO_FILE", "true")
    for name, value in (("num_workers", 1), ("threads_per_worker", 1)):
        set_config(f"dask.{name}", value)
    assert described(await call("GET", "cluster"), "/cluster")["is_running"] is False
    try:
        view = described(await call("POST", "cluster", body={"action": "start"}), "/cluster", "POST")
        assert (view["is_running"], len(view["workers"]), view["trouble"]) == (True, 1, "")
        health = described(await call("GET", "executors/dask/health"), "/executors/{executor}/health")
        assert health["is_usable"], health
        assert {"name": "Workers", "value": "1"} in health["facts"]
        assert health["links"] == [{"name": "Dashboard", "url": view["dashboard_link"]}]
        view = described(await call("POST", "cluster", body={"action": "scale", "workers": 2}), "/cluster", "POST")
        assert len(view["workers"]) == 2
        assert "text" in described(await call("GET", "cluster/log"), "/cluster/log")
    finally:
        reply = await call("POST", "cluster", body={"action": "stop"})
    assert reply.json["is_running"] is False
