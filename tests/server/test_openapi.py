"""The description of the interface says what is served, and nothing else."""

import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from covalent_lab_server.handlers.errors import STATUS_OF_CODE
from covalent_lab_server.handlers.route import PATH_PARAMETERS
from covalent_lab_server.handlers.table import ROUTES
from tornado.websocket import WebSocketHandler

from covalent_lab.client import cluster
from tests.server.bundles import bundle, digest_of
from tests.server.fake_lab import FakeLab
from tests.server.replies import Call
from tests.server.test_access import registered, verbs

Submit = Callable[..., Awaitable[str]]


@pytest.fixture
def document(app: Any) -> dict[str, Any]:
    """The description that the server sends."""
    found: dict[str, Any] = app.settings["covalent_lab_context"].openapi
    return found


def schema_of(document: dict[str, Any], path: str, verb: str, status: int) -> dict[str, Any]:
    """JSON Schema of an answer, with everything it refers to."""
    answer = document["paths"][path][verb.lower()]["responses"][str(status)]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return {"$schema": document["jsonSchemaDialect"], **schema, "components": document["components"]}


def test_every_registered_verb_is_described(document: dict[str, Any], jp_web_app: Any) -> None:
    """From the web application to the document."""
    handlers = {route.handler: route.path for route in ROUTES}
    served = {
        (f"/{handlers[handler]}", verb.lower())
        for _, handler in registered(jp_web_app)
        if handler in handlers
        for verb in verbs(handler)
    }

    described = {(path, verb) for path, operations in document["paths"].items() for verb in operations}

    assert served == described


def test_every_described_path_is_registered(document: dict[str, Any], jp_web_app: Any) -> None:
    """From the document to the web application; the last rule is for everything unknown."""
    rules = registered(jp_web_app)

    assert len(rules) == len(document["paths"]) + 1


def test_path_parameters_are_described_and_taken(document: dict[str, Any]) -> None:
    """Each brace has a parameter, each parameter reaches the verb."""
    for route in ROUTES:
        names = re.findall(r"{(\w+)}", route.path)
        assert set(names) <= PATH_PARAMETERS.keys()
        for verb in route.operations:
            described = document["paths"][f"/{route.path}"][verb.lower()]["parameters"]
            assert [p["name"] for p in described if p["in"] == "path"] == names
            if not issubclass(route.handler, WebSocketHandler):
                function = inspect.unwrap(getattr(route.handler, verb.lower()))
                assert [*inspect.signature(function).parameters][1:] == names


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No schema refers to one that is missing."""

    def references(value: Any) -> set[str]:
        match value:
            case {"$ref": str() as ref}:
                return {ref}
            case dict():
                return set().union(*map(references, value.values()), set())
            case list():
                return set().union(*map(references, value), set())
        return set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known
    assert {name for name in document["components"]["schemas"] if "." in name} == set()


async def test_the_description_is_served_with_the_servers_address(
    call: Call, fake_lab: FakeLab, jp_base_url: str
) -> None:
    """Base URL and version included."""
    reply = await call("GET", "openapi.json")

    assert reply.json["servers"] == [{"url": f"{jp_base_url}covalent/api/v1"}]
    assert reply.json["openapi"].startswith("3.1")


@pytest.mark.usefixtures("private")
async def test_answers_have_the_described_form(
    call: Call,
    fake_lab: FakeLab,
    submitted: Submit,
    document: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One answer of each JSON route is validated against its schema."""
    for name in ("COVALENT_CACHE_DIR", "COVALENT_CONFIG_DIR", "COVALENT_LOGDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    Path(cluster.log_path()).write_text("Started.\n")
    large = bytes(200_000)
    one = await submitted(filling=large)
    digest = digest_of(large)
    requests: list[tuple[str, str, int, dict[str, Any]]] = [
        ("GET", "status", 200, {}),
        ("GET", "openapi.json", 200, {}),
        ("GET", "dispatches", 200, {}),
        ("POST", "dispatches", 201, {"body": bundle("d2"), "start": "false"}),
        ("POST", "dispatches", 200, {"body": bundle("d2")}),
        ("POST", "dispatches", 201, {"body": bundle("d4"), "wait_s": "0"}),
        ("GET", "dispatches/{dispatch_id}", 200, {}),
        ("GET", "dispatches/{dispatch_id}/sublattices", 200, {}),
        ("GET", "dispatches/{dispatch_id}/graph", 200, {}),
        ("GET", "dispatches/{dispatch_id}/nodes", 200, {}),
        ("GET", "dispatches/{dispatch_id}/nodes/{node_id}", 200, {}),
        ("GET", "dispatches/{dispatch_id}/nodes/{node_id}/streams/{stream}", 200, {}),
        ("GET", "dispatches/{dispatch_id}/payloads/{digest}", 200, {"as": "path"}),
        ("GET", "dispatches/{dispatch_id}/payloads/{digest}/preview", 200, {}),
        ("GET", "dispatches/{dispatch_id}/comparison/{other_id}", 200, {}),
        ("POST", "dispatches/{dispatch_id}/start", 202, {}),
        ("PUT", "dispatches/{dispatch_id}/nodes/{node_id}/job", 202, {"body": {"status": "READY"}}),
        ("POST", "dispatches/{dispatch_id}/redispatches", 201, {"body": {"dispatch_id": "d3", "start": False}}),
        ("POST", "dispatches/{dispatch_id}/redispatches", 200, {"body": {"dispatch_id": "d3"}}),
        ("POST", "dispatches/{dispatch_id}/cancel", 202, {}),
        ("GET", "cached_results", 200, {}),
        ("POST", "cached_results/purge", 200, {"body": {"unused_s": 60.0}}),
        ("GET", "dispatches/overview", 200, {}),
        ("GET", "config", 200, {}),
        ("PUT", "config", 200, {"body": {"values": {"executors.slurm.nodes": 2}}}),
        ("GET", "logs", 200, {}),
        ("POST", "quickstart", 201, {}),
        ("POST", "quickstart", 200, {}),
        ("GET", "executors", 200, {}),
        ("PUT", "executors/{executor}", 200, {"body": {"settings": {"workers": 2}}}),
        ("GET", "executors/{executor}/health", 200, {}),
        ("POST", "executors/{executor}/test", 200, {"wait_s": "1"}),
        ("GET", "cluster", 200, {}),
        ("POST", "cluster", 200, {"body": {"action": "stop"}}),
        ("GET", "cluster/log", 200, {}),
        ("POST", "dispatches/delete", 200, {"body": {"dispatch_ids": [one]}}),
    ]
    for verb, path, status, options in requests:
        parts = {"dispatch_id": one, "other_id": "d2", "node_id": 0, "stream": "stdout", "digest": digest}
        filled = path.format(**parts, executor="local")
        reply = await call(verb, filled, **options)
        assert reply.status == status, (verb, path, reply.body)
        jsonschema.validate(reply.json, schema_of(document, f"/{path}", verb, status))

    refused = await call("DELETE", f"dispatches/{await submitted(started=True)}")
    assert refused.status == 409
    jsonschema.validate(refused.json, schema_of(document, "/dispatches/{dispatch_id}", "DELETE", 409))
    tried = {(path, verb) for verb, path, _, _ in requests}
    assert {(r.path, v) for r in ROUTES for v in r.operations} - tried == {
        ("dispatches/{dispatch_id}", "DELETE"),
        ("dispatches/{dispatch_id}/export", "GET"),
        ("feed", "GET"),
        ("kernel", "GET"),
        ("submissions", "GET"),
        ("logs/file", "GET"),
    }


def test_frames_have_the_described_form(document: dict[str, Any]) -> None:
    """Greeting, transitions and reset; nothing else."""
    schema = schema_of(document, "/feed", "GET", 101)
    item = {"seq": 1, "dispatch_id": "d", "node_id": None, "status": "DELETED", "at": 1.0}
    for frame in (
        {"type": "hello", "seq": 0, "version": "0.1.0"},
        {"type": "transitions", "items": [item]},
        {"type": "reset", "seq": 3},
    ):
        jsonschema.validate(frame, schema)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"type": "gossip"}, schema)


async def test_parameters_are_checked_as_described(call: Call, fake_lab: FakeLab, document: dict[str, Any]) -> None:
    """The limits in the description are those that are applied."""
    parameters = {p["name"]: p["schema"] for p in document["paths"]["/dispatches"]["get"]["parameters"]}

    assert parameters["count"] == {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
    for count, status in ((0, 400), (1, 200), (500, 200), (501, 400)):
        assert (await call("GET", "dispatches", count=count)).status == status
    for choice in parameters["sort"]["enum"]:
        assert (await call("GET", "dispatches", sort=choice)).status == 200


def test_codes_have_http_statuses_of_errors() -> None:
    """Nothing that went wrong is answered with a success."""
    assert {status // 100 for status in STATUS_OF_CODE.values()} == {4, 5}
