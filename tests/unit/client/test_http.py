"""Requests over a network that does not always work, and what is sent with them."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from covalent_lab.client.discovery import discover
from covalent_lab.client.http import HttpConnection
from covalent_lab.errors import ConfigError, ServerRejectedError, ServerUnreachableError
from covalent_lab.settings import Settings

BREAKS = 0
RUNS = b'{"status": "running", "dispatch_id": "abc", "detail": {"status": "COMPLETED"}}'


class Answers(BaseHTTPRequestHandler):
    """Gives the answers that the test put in, then 200; `BREAKS` closes the connection without a word."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The next answer."""
        server: Any = self.server
        if self.headers.get("Transfer-Encoding") == "chunked":
            size = 0
            while length := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(length))
                self.rfile.readline()
            self.rfile.readline()
        else:
            size = len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        server.asked.append((self.command, dict(self.headers), size))
        status = server.statuses.pop(0) if server.statuses else 200
        if status == BREAKS:
            self.close_connection = True
            return
        body = RUNS if status == 200 else b"<html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name http.server calls

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """A server behind a proxy with moods."""

    daemon_threads = True  # a connection that is kept alive does not keep the test from ending

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, dict[str, str], int]] = []
        self.statuses: list[int] = []

    def connect(self, **options: Any) -> HttpConnection:
        """A client that repeats without waiting."""
        return HttpConnection(self.url, "t", pauses_s=(0.0, 0.0), **options)

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
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine and its key, signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "server.pem"
    path.write_bytes(secret + made.public_bytes(pem))
    return path


@pytest.mark.parametrize("trouble", [BREAKS, 502, 503, 504])
def test_a_request_is_repeated_when_the_network_has_trouble(server: Server, trouble: int) -> None:
    """Twice here; the third answer counts."""
    server.statuses = [trouble, trouble]
    connection = server.connect()
    assert connection.status()["status"] == "running"
    assert len(server.asked) == 3
    connection.close()


def test_a_short_request_is_sent_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers and body together wake the server once; a long body follows its headers, in order and whole."""
    sent: list[int] = []
    connection = server.connect()
    port = server.server_port
    original = socket.socket.sendall

    def sendall(self: socket.socket, data: Any, *flags: Any) -> None:
        if self.getpeername()[1] == port:
            sent.append(memoryview(data).nbytes)
        original(self, data, *flags)

    monkeypatch.setattr(socket.socket, "sendall", sendall)
    for size in (0, 10, 3 << 20):
        sent.clear()
        assert connection.submit([b"x" * size]) == "abc"
        assert server.asked[-1][2] == size
        assert size < sum(sent) < size + 1000
        assert len(sent) == (1 if size < 1000 else 4)
    connection.close()


def test_a_server_with_a_certificate(server: Server, monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    """One that the system trusts is spoken to, in one piece or in parts; one that it does not is told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = server.url.replace("http:", "https:")
    with pytest.raises(ServerUnreachableError, match="certificate"):
        HttpConnection(url, "t", pauses_s=()).status()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    connection = HttpConnection(url, "t", pauses_s=())
    for size in (10, 3 << 20):
        assert connection.submit([b"x" * size]) == "abc"
        assert server.asked[-1][2] == size
    connection.close()


def test_a_submission_is_repeated_with_its_whole_body(server: Server) -> None:
    """Small ones go in one piece, large ones in parts."""
    connection = server.connect()
    for size in (10, 3 << 20):
        server.statuses = [BREAKS, 503]
        server.asked.clear()
        assert connection.submit([b"x" * size]) == "abc"
        assert [sent for _, _, sent in server.asked] == [size] * 3
        server.statuses = [BREAKS]
        assert connection.submit_and_wait([b"x" * size], 0.1) == {"status": "COMPLETED"}
    connection.close()


def test_lasting_trouble_is_told(server: Server) -> None:
    """After the last repetition, as what it was; errors that repeating cannot help are told at once."""
    connection = server.connect()
    server.statuses = [503] * 3
    with pytest.raises(ServerRejectedError, match="HTTP 503"):
        connection.status()
    server.statuses = [BREAKS] * 3
    with pytest.raises(ServerUnreachableError, match="No covalent_lab server answers"):
        connection.status()
    server.asked.clear()
    server.statuses = [500]
    with pytest.raises(ServerRejectedError, match="HTTP 500"):
        connection.status()
    assert len(server.asked) == 1
    connection.close()


@pytest.mark.usefixtures("private")
def test_extra_headers_go_with_every_request(server: Server) -> None:
    """Beside the token, or in its place."""
    extra = {"X-Team": "physics", "Authorization": "Bearer other"}
    environ = {"COVALENT_EXTRA_HEADERS": json.dumps(extra)}
    found: Any = discover(Settings.load(), server.url, environ)
    found.list_dispatches()
    assert [{name: headers[name] for name in extra} for _, headers, _ in server.asked] == [extra, extra]
    reader = found.subscribe()
    with pytest.raises(ServerUnreachableError):  # a WebSocket is more than this server can do
        next(iter(reader))
    assert server.asked[-1][1]["X-Team"] == "physics"
    found.close()


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("text", ["{", "[]", '{"X-Number": 5}', "plain"])
def test_headers_that_cannot_be_used_are_told(text: str) -> None:
    """With the variable's name, before anything is sent."""
    with pytest.raises(ConfigError, match="COVALENT_EXTRA_HEADERS"):
        discover(Settings.load(), "127.0.0.1:9", {"COVALENT_EXTRA_HEADERS": text})
