"""Which dispatcher a process talks to: explicit, from the environment, from a runtime file, or its own."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from covalent_lab.client.discovery import discover, running_servers, split_address
from covalent_lab.client.http import HttpConnection
from covalent_lab.client.local import LocalConnection
from covalent_lab.config.background import write_record
from covalent_lab.errors import (
    MissingLatticeRecordError,
    ServerRejectedError,
    ServerUnreachableError,
)
from covalent_lab.settings import Settings


class Answers(BaseHTTPRequestHandler):
    """Answers every request with what the test put into the server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell who asked what."""
        server: Any = self.server
        server.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name http.server calls

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """A server that is not ours."""

    daemon_threads = True  # a connection that is kept alive does not keep the test from ending
    answer: tuple[int, bytes] = (200, b'{"status": "running"}')

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_port}/"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in a thread."""
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def found_by(private: Path) -> Callable[..., Any]:
    """Discover with the test's settings and some environment variables."""

    def find(address: str | None = None, *, may_start: bool = True, **environ: str) -> Any:
        return discover(Settings.load(), address, {**os.environ, **environ}, may_start=may_start)

    return find


def announce(folder: Path, url: str, name: int = 0, **changes: Any) -> None:
    """Leave a runtime file as a server does."""
    form = {
        "url": url,
        "token": "secret",
        "pid": os.getpid(),
        "data_dir": str(folder / "data"),
        "started_at": 1.0,
    } | changes
    (folder / f"runtime/covalent-lab-{os.getpid() + name}.json").write_text(json.dumps(form))


def test_an_explicit_address_wins(server: Server, found_by: Callable[..., Any]) -> None:
    """Over the environment, even if nothing answers there."""
    found = found_by(server.url, COVALENT_LAB_URL="http://127.0.0.1:9/")
    assert found.url == server.url
    with pytest.raises(ServerUnreachableError):
        found_by("127.0.0.1:9", COVALENT_LAB_URL=server.url)
    found.close()


def test_a_configured_address_is_as_good_as_an_explicit_one(
    server: Server, found_by: Callable[..., Any], write_config: Callable[[str], None]
) -> None:
    """From the file."""
    write_config(f'[dispatcher]\nlab_address = "{server.url}"\n')
    found = found_by()
    assert found.url == server.url
    found.close()


def test_a_kernel_finds_its_own_server(server: Server, found_by: Callable[..., Any]) -> None:
    """With the token the server gave it."""
    found = found_by(COVALENT_LAB_URL=server.url, COVALENT_LAB_TOKEN="mine")
    assert found.url == server.url
    assert server.asked == [("GET", "/covalent/api/v1/status", "token mine")]
    found.close()


def test_a_script_finds_the_server_with_the_same_data(
    server: Server, found_by: Callable[..., Any], private: Path
) -> None:
    """From its runtime file; servers with other data, and those that are gone, are passed over."""
    announce(private, "http://127.0.0.1:9/", 1, data_dir="/elsewhere")
    announce(private, "http://127.0.0.1:9/", 2, started_at=99.0)
    announce(private, server.url)
    (private / "runtime/covalent-lab-x.json").write_text("{half")
    (private / "runtime/covalent-lab-y.json").write_text("[]")
    found = found_by()
    assert found.url == server.url
    assert server.asked[-1][2] == "token secret"
    found.close()


def test_a_runtime_file_of_a_process_that_is_gone_is_ignored(private: Path) -> None:
    """Killed servers leave theirs behind."""
    announce(private, "http://127.0.0.1:9/", pid=2**22 + 7)
    announce(private, "http://127.0.0.1:9/", 1, start="another process had this number")
    assert list(running_servers()) == []


def test_a_script_finds_the_server_of_the_command_line(
    server: Server, found_by: Callable[..., Any], private: Path
) -> None:
    """Wherever Jupyter's runtime folder is; a server named by the environment comes first all the same."""
    form = {"url": server.url, "token": "ours", "data_dir": str(private / "data"), "started_at": 1.0, "has_lab": False}
    write_record(private / "cache/covalent_lab/ui.json", form)
    found = found_by(JUPYTER_RUNTIME_DIR=str(private / "another"))
    assert found.url == server.url
    assert found.lab_url("id") is None
    assert server.asked[-1][2] == "token ours"
    found.close()
    by_port = found_by(f"localhost:{server.server_port}")
    assert server.asked[-1][2] == "token ours"
    assert by_port.lab_url("id") is None
    by_port.close()

    kernels_own = found_by(COVALENT_LAB_URL=f"{server.url}kernel/", COVALENT_LAB_TOKEN="mine")
    assert (kernels_own.url, server.asked[-1][2]) == (f"{server.url}kernel/", "token mine")
    assert kernels_own.lab_url("id") == f"{server.url}kernel/lab?covalent=id"
    kernels_own.close()


@pytest.mark.usefixtures("executor")
def test_without_a_server_a_dispatcher_is_started_here(found_by: Callable[..., Any]) -> None:
    """Also when the kernel's server is gone; but not when it may not."""
    for environ in ({}, {"COVALENT_LAB_URL": "http://127.0.0.1:9/"}):
        found = found_by(**environ)
        assert isinstance(found, LocalConnection)
        assert found.url is None
        found.close()
        found.close()
    with pytest.raises(ServerUnreachableError):
        found_by(may_start=False)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("localhost:8888", ("http://localhost:8888/", "")),
        ("http://h:1/lab?token=t", ("http://h:1/", "t")),
        ("https://hub.org/user/me/lab", ("https://hub.org/user/me/", "")),
        ("https://hub.org/user/me", ("https://hub.org/user/me/", "")),
    ],
)
def test_addresses_are_taken_as_users_write_them(address: str, expected: tuple[str, str]) -> None:
    """As they stand in the browser, with or without a token."""
    assert split_address(address) == expected


@pytest.mark.parametrize("address", ["ftp://h", "http://", "://", "file:///etc"])
def test_what_is_no_address_is_told(address: str) -> None:
    """Before anything is tried."""
    with pytest.raises(ServerUnreachableError, match="neither host:port nor"):
        split_address(address)


# --- answers of servers


def error(code: str, message: str) -> bytes:
    """An error as the REST documentation says."""
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((404, error("unknown_dispatch", "No dispatch 'x'.")), MissingLatticeRecordError, "No dispatch 'x'."),
        ((418, error("teapot", "short and stout")), ServerRejectedError, "short and stout"),
        ((403, b"<html>"), ServerRejectedError, "refused the token"),
        ((404, b"<html>"), ServerRejectedError, "is it a Jupyter server with covalent-lab"),
        ((500, b'{"error": "text"}'), ServerRejectedError, "HTTP 500"),
        ((200, b"<html>"), ServerRejectedError, "not JSON"),
        ((200, b"[]"), ServerRejectedError, "list where an object was due"),
    ],
    ids=str,
)
def test_an_answer_that_is_no_answer_becomes_the_right_error(
    server: Server, answer: tuple[int, bytes], kind: type[Exception], words: str
) -> None:
    """Errors the server tells keep their class; everything else says what to look at."""
    server.answer = answer
    connection = HttpConnection(server.url, "t")
    with pytest.raises(kind, match=words):
        connection.detail("x")
    connection.close()


def test_names_in_paths_are_quoted(server: Server) -> None:
    """An id with a slash does not reach another route."""
    connection = HttpConnection(server.url, "")
    connection.detail("../../evil?x=1")
    assert server.asked == [("GET", "/covalent/api/v1/dispatches/..%2F..%2Fevil%3Fx%3D1", "")]
    connection.close()
