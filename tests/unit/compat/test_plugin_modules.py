"""What plugins take from Covalent: small functions, the active lattice and dispatch, configuration, the API client."""

import http.server
import importlib
import json
import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client.manifest_model import AssetSchema, ResultSchema
from covalent_lab.compat import logger
from covalent_lab.compat.activity import active_dispatch_info_manager, active_lattice_manager
from covalent_lab.compat.apiclient import CovalentAPIClient
from covalent_lab.compat.configuration import ConfigManager, update_config
from covalent_lab.compat.plugin_functions import (
    format_server_url,
    get_named_params,
    get_serialized_function_str,
    get_timedelta,
)
from covalent_lab.errors import ConfigError, GraphBuildError, ServerRejectedError, ServerUnreachableError
from covalent_lab.executor.classic_base import DispatchInfo


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file of the test's own."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    for name in ("COVALENT_DISPATCHER_ADDR", "COVALENT_SVC_PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "covalent.conf"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what was asked; a path that begins with /bad is refused."""

    def do_GET(self) -> None:
        """Tell the request as JSON."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        told = {"method": self.command, "path": self.path, "body": body, "extra": self.headers.get("X-Extra")}
        answer = json.dumps(told).encode()
        self.send_response(418 if self.path.startswith("/bad") else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names http.server calls

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """URL of a server that tells what it was asked."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as echo:
        thread = threading.Thread(target=echo.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{echo.server_port}"
        echo.shutdown()
        thread.join()


def test_the_active_lattice_is_the_one_being_built() -> None:
    """Inside a build it is that lattice, inside a claim the claimed one, elsewhere None."""
    seen: list[Any] = []

    @ct.lattice
    def workflow() -> int:
        seen.append(active_lattice_manager.get_active_lattice())
        with pytest.raises(GraphBuildError, match="active already"), active_lattice_manager.claim(workflow):
            pass
        return 1

    workflow.build_graph()
    with active_lattice_manager.claim(workflow):
        seen.append(active_lattice_manager.get_active_lattice())
    seen.append(active_lattice_manager.get_active_lattice())

    assert seen == [workflow, workflow, None]


def test_the_active_dispatch_ends_with_its_block_even_after_an_error() -> None:
    """Claims nest, and an error inside ends them."""
    outer, inner = DispatchInfo("a"), DispatchInfo(dispatch_id="b")
    with active_dispatch_info_manager.claim(outer):
        with pytest.raises(ZeroDivisionError), active_dispatch_info_manager.claim(inner):
            _ = 1 / len(active_dispatch_info_manager.get_active_dispatch_info().dispatch_id[1:])
        assert active_dispatch_info_manager.get_active_dispatch_info() is outer
    assert active_dispatch_info_manager.get_active_dispatch_info() is None


def test_the_source_of_tasks_and_workflows_is_that_of_their_functions() -> None:
    """Functions, electrons and lattices give their source; a builtin gives a comment."""

    def task(x: int) -> int:
        return x

    expected = "def task(x: int) -> int:\n    return x\n\n\n"
    assert [get_serialized_function_str(f) for f in (task, ct.electron(task), ct.Electron(task), ct.lattice(task))] == [
        expected
    ] * 4
    assert get_serialized_function_str(len) == "# len was not inspectable\n\n"


def test_arguments_get_the_names_of_their_parameters() -> None:
    """Positional, surplus and keyword arguments; wrong ones are refused."""

    def task(a: int, *more: int, key: int = 0) -> None: ...

    assert get_named_params(task, [1, 2], {"key": 3}) == ({"a": 1, "arg[1]": 2}, {"key": 3})
    with pytest.raises(ValueError, match="keys"):
        get_named_params(task, [1], {"keys": 3})


@pytest.mark.parametrize("text", ["", "1", "12:30:00", "1-2:3", "x-1:2:3"])
def test_a_duration_that_is_written_otherwise_is_refused(text: str) -> None:
    """The message says how to write it."""
    assert get_timedelta("02-01:00:30") == timedelta(days=2, hours=1, seconds=30)
    with pytest.raises(ValueError, match="days-hours:minutes:seconds"):
        get_timedelta(text)


def test_the_server_url_comes_from_the_configuration(config_file: Path) -> None:
    """What is not given is read from `dispatcher.address` and `dispatcher.port`."""
    config_file.write_text('[dispatcher]\naddress = "https://lab.example.org"\nport = 9\n')

    assert format_server_url() == "https://lab.example.org:9"
    assert format_server_url("other") == "http://other"


def test_entries_are_merged_into_the_configuration(config_file: Path) -> None:
    """Nested and dotted keys are written; `override_existing=False` only adds."""
    config_file.write_text('[executors.slurm]\nusername = "ada"\n')

    update_config({"executors": {"slurm": {"username": "bob", "cleanup": True}}}, override_existing=False)
    manager = ConfigManager()
    assert (manager.config_file, manager.get("executors.slurm")) == (
        str(config_file),
        {"username": "ada", "cleanup": True},
    )
    manager.update_config({"executors.slurm.username": "bob"})
    manager.set("dispatcher.port", 7)
    manager.write_config()
    assert (manager.config_data["executors"]["slurm"]["username"], manager.get("dispatcher.port")) == ("bob", 7)


def test_a_broken_configuration_is_told(config_file: Path) -> None:
    """Reading the file again says what is wrong with it, and a wrong value is not written."""
    with pytest.raises(ConfigError, match="port"):
        update_config({"dispatcher": {"port": "many"}})
    assert not config_file.exists()
    config_file.write_text("[")
    with pytest.raises(ConfigError, match="TOML"):
        ConfigManager().read_config()


@pytest.mark.parametrize(
    ("text", "level"), [('[sdk]\nlog_level = "debug"\n', "DEBUG"), ("", "WARNING"), ("[", "WARNING")]
)
def test_plugins_log_below_this_package(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, text: str, level: str
) -> None:
    """Whoever listens to this package hears its plugins, at the configured level; a broken file changes nothing."""
    monkeypatch.delenv("LOGLEVEL", raising=False)
    config_file.write_text(text)

    app_log = importlib.reload(logger).app_log

    assert app_log.name.startswith("covalent_lab.")
    assert logging.getLevelName(app_log.level) == level


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_the_client_sends_what_it_is_told(server: str, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verb, query, body and extra header fields arrive, and the answer is read."""
    monkeypatch.setenv("COVALENT_EXTRA_HEADERS", '{"X-Extra": "yes"}')

    answer = getattr(CovalentAPIClient(server), verb)("/api", params={"id": [1, 2]}, json={"a": 1})

    body = {"method": verb.upper(), "path": "/api?id=1&id=2", "body": '{"a":1}', "extra": "yes"}
    assert (answer.status_code, answer.ok, answer.json()) == (200, True, body)


def test_the_client_tells_errors(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error status raises unless that is switched off; nobody there and bad headers are told as such."""
    with pytest.raises(ServerRejectedError, match="HTTP 418") as refused:
        CovalentAPIClient(server).get("/bad")
    assert refused.value.http_status == 418
    assert CovalentAPIClient(server, auto_raise=False).get("/bad").ok is False
    with pytest.raises(ServerUnreachableError):
        CovalentAPIClient("http://127.0.0.1:1", adapter=NoRetries()).get("/")
    monkeypatch.setenv("COVALENT_EXTRA_HEADERS", "[1]")
    with pytest.raises(ConfigError, match="COVALENT_EXTRA_HEADERS"):
        CovalentAPIClient(server).get("/")


class NoRetries:
    """An adapter, as `requests` has them."""

    max_retries = 0


NODE = {"id": 0, "metadata": {"task_group_id": 0, "name": "f", "executor": "local", "status": "COMPLETED"}}
MANIFEST = {
    "metadata": {"dispatch_id": "d", "root_dispatch_id": "d", "start_time": "2026-01-02T03:04:05+00:00", "new": 1},
    "assets": {"result": {"size": 3, "digest": "ab", "uri": "file:///x"}},
    "lattice": {
        "metadata": {"name": "w", "executor": "local", "workflow_executor": "local"},
        "transport_graph": {"nodes": [NODE], "links": [{"source": 0, "target": 0, "metadata": {"edge_name": "x"}}]},
    },
}


def test_a_manifest_survives_json() -> None:
    """Unknown keys are dropped, missing assets are None, times and statuses are objects; it can be reset."""
    manifest = ResultSchema.model_validate(MANIFEST)
    assert manifest.metadata.start_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert manifest.assets.result == AssetSchema(size=3, digest="ab", uri="file:///x")
    assert (manifest.assets.error, manifest.lattice.transport_graph.nodes[0].assets.function) == (None, None)
    assert ResultSchema.model_validate_json(manifest.model_dump_json()) == manifest

    manifest.reset_metadata()

    assert manifest.lattice.transport_graph.nodes[0].metadata.status is ct.Status.NEW_OBJECT
    assert manifest.metadata.start_time is None


@pytest.mark.parametrize(
    ("place", "form"),
    [
        ("ResultSchema lacks metadata, lattice.", {}),
        ("ResultSchema.metadata cannot be 'x'", {**MANIFEST, "metadata": "x"}),
        ("ResultSchema.metadata.status: ", {**MANIFEST, "metadata": {**MANIFEST["metadata"], "status": "LOST"}}),
        ("ResultSchema.assets.result.size cannot be True", {**MANIFEST, "assets": {"result": {"size": True}}}),
        ("ResultSchema.lattice lacks transport_graph.", {**MANIFEST, "lattice": {"metadata": {}}}),
    ],
)
def test_a_manifest_with_a_mistake_is_refused(place: str, form: Any) -> None:
    """The message says where the mistake is."""
    with pytest.raises(ValueError, match=re.escape(place)):
        ResultSchema.model_validate(form)
