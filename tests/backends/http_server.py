"""A real HTTP server of files in memory, which can be told to answer badly."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Answer", "WebServer", "web_server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer that is not what a good server would say.

    Attributes:
        status: HTTP status.
        headers: Headers beside or instead of the usual ones.
        content: The body.
        length: Content-Length, when it is to differ from the body's.
        hold: What to wait for when the body was sent.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    length: int | None = None
    hold: threading.Event | None = None


@dataclass(slots=True, kw_only=True)
class WebServer:
    """What it holds and what it was asked.

    Attributes:
        url: Its address, without a slash at the end.
        files: Content by path with query; PUT adds to it.
        answers: Told one after the other before anything else is.
        requests: Method, path and headers of each request.
        holding: Set when an answer begins to wait.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    holding: threading.Event = field(default_factory=threading.Event)


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Serve until the block ends."""
    served = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.note()
            content = served.files.get(self.path)
            self.tell(Answer(status=404) if content is None else Answer(content=content))

        def do_PUT(self) -> None:
            self.note()
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if not served.answers:
                served.files[self.path] = content
            self.tell(Answer(status=201))

        def note(self) -> None:
            served.requests.append((self.command, self.path, dict(self.headers)))

        def tell(self, answer: Answer) -> None:
            if served.answers:
                answer = served.answers.pop(0)
            self.send_response(answer.status)
            length = len(answer.content) if answer.length is None else answer.length
            for name, value in {"Content-Length": str(length), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)
            if answer.hold is not None:
                served.holding.set()
                answer.hold.wait(60)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
