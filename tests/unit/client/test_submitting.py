"""Short submissions over a socket: an answer, or the word that a request must be made."""

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from tornado.httpserver import HTTPServer  # noqa: TID253 - the other end
from tornado.netutil import bind_sockets  # noqa: TID253 - the other end
from tornado.web import Application, HTTPError  # noqa: TID253 - the other end
from tornado.websocket import WebSocketHandler  # noqa: TID253 - the other end
from websocket import WebSocket

from covalent_lab.client.submitting import SubmitSocket

DETAIL = {"dispatch_id": "d1", "detail": {"status": "COMPLETED"}}
RECORDED = json.dumps({"status": 201, "body": DETAIL})
LONG = bytes(1 << 14)
Asking = Callable[..., Any]


class Server:
    """Gives the answers that the test put in, then that of a dispatch that has ended; None closes the socket.

    Attributes:
        url: Where it is.
        refuses: Whether sockets are refused.
        answers: What it says next.
        opened: The headers of each request for a socket.
        messages: What it was sent.
    """

    def __init__(self) -> None:
        self.refuses = False
        self.answers: list[str | bytes | Callable[[], str] | None] = []
        self.opened: list[dict[str, str]] = []
        self.messages: list[bytes] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.url = self._call(self._listen)

    def stop(self) -> None:
        """End it."""
        self._call(self._server.stop)
        self._call(self._close_all)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Callable[[], Any]) -> Any:
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001 - told to the test
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(120)

    def _close_all(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _listen(self) -> str:
        server = self

        class Handler(WebSocketHandler):
            async def get(self) -> None:
                server.opened.append(dict(self.request.headers))
                if server.refuses:
                    raise HTTPError(404)
                await super().get()

            async def on_message(self, message: str | bytes) -> None:
                assert isinstance(message, bytes)
                server.messages.append(message)
                answer = server.answers.pop(0) if server.answers else RECORDED
                if callable(answer):
                    answer = await asyncio.to_thread(answer)
                if answer is None:
                    self.close()
                else:
                    await self.write_message(answer)

        [listening] = bind_sockets(0, "127.0.0.1")
        self._server = HTTPServer(Application([("/submissions", Handler)], log_function=lambda handler: None))
        self._server.add_sockets([listening])
        return f"http://127.0.0.1:{listening.getsockname()[1]}/submissions"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in a thread."""
    found = Server()
    yield found
    found.stop()


@pytest.fixture
def submissions(server: Server) -> Iterator[SubmitSocket]:
    """A client of it."""
    found = SubmitSocket(server.url, {"Authorization": "token t"})
    yield found
    found.close()


def ask(submissions: SubmitSocket, bundle: bytes = b"bundle") -> dict[str, Any] | None:
    """Submit a bundle and wait for two seconds."""
    return submissions.submit([bundle[:3], bundle[3:]], "wait_s=2", 2.0)


def test_the_second_submission_opens_a_socket_for_all_that_follow(server: Server, submissions: SubmitSocket) -> None:
    """Who submits once pays for no socket."""
    assert [ask(submissions) for _ in range(4)] == [None, DETAIL, DETAIL, DETAIL]
    assert [headers["Authorization"] for headers in server.opened] == ["token t"]
    assert server.messages == [b"wait_s=2\nbundle"] * 3


def test_what_is_long_goes_by_a_request(server: Server, submissions: SubmitSocket) -> None:
    """The next short one does not."""
    assert [ask(submissions, bundle) for bundle in (b"short", LONG, LONG, b"short")] == [None, None, None, DETAIL]
    assert server.messages == [b"wait_s=2\nshort"]


def test_a_proxy_of_the_system_is_not_asked(
    server: Server, submissions: SubmitSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As requests do not."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert [ask(submissions) for _ in range(2)] == [None, DETAIL]


def test_a_server_without_the_socket_is_not_asked_again(server: Server, submissions: SubmitSocket) -> None:
    """It may be older, or behind a proxy that passes on requests only."""
    server.refuses = True
    assert [ask(submissions) for _ in range(4)] == [None] * 4
    assert len(server.opened) == 1


@pytest.mark.parametrize("answer", [None, "", "[]", "nonsense", b"\xff"])
def test_a_socket_that_never_worked_is_not_opened_again(
    server: Server, submissions: SubmitSocket, answer: str | bytes | None
) -> None:
    """Something between here and there does not understand it."""
    server.answers = [answer]
    assert [ask(submissions) for _ in range(4)] == [None] * 4
    assert len(server.opened) == 1


@pytest.mark.parametrize("answer", [None, "", "[]", "nonsense", b"\xff"])
def test_one_that_breaks_later_is_opened_again(
    server: Server, submissions: SubmitSocket, answer: str | bytes | None
) -> None:
    """Servers let go of clients that were idle, or are started anew."""
    server.answers = [RECORDED, answer]
    assert [ask(submissions) for _ in range(5)] == [None, DETAIL, None, DETAIL, DETAIL]
    assert len(server.opened) == 2


@pytest.mark.parametrize("status", [400, 503])
def test_a_refusal_is_left_to_the_request(server: Server, submissions: SubmitSocket, status: int) -> None:
    """Which raises it, or repeats what can be repeated; the socket stays open."""
    error = {"error": {"code": "c", "message": "m"}}
    server.answers = [json.dumps({"status": status, "body": error})]
    assert [ask(submissions) for _ in range(3)] == [None, None, DETAIL]
    assert len(server.opened) == 1


def test_several_threads_do_not_wait_for_each_other(server: Server, submissions: SubmitSocket) -> None:
    """The second makes a request."""
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        assert go_on.wait(120)
        return RECORDED

    ask(submissions)
    server.answers = [slow]
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(ask(submissions)))
    thread.start()
    assert asked.wait(120)
    assert ask(submissions) is None
    go_on.set()
    thread.join()
    assert first == [DETAIL]
    assert ask(submissions) == DETAIL


@pytest.mark.parametrize("is_new", [True, False])
def test_the_answer_to_one_that_was_given_up_is_not_taken_for_the_next(
    server: Server, submissions: SubmitSocket, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    """Somebody presses Stop while the dispatch runs, also the first one on a socket."""

    def interrupted(self: WebSocket) -> str:
        raise KeyboardInterrupt

    ask(submissions)
    if not is_new:
        ask(submissions)
    server.answers = [json.dumps({"status": 201, "body": {"dispatch_id": "other"}})]
    with monkeypatch.context() as patch:
        patch.setattr(WebSocket, "recv", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ask(submissions)
    server.answers.clear()
    assert [ask(submissions) for _ in range(2)] == [DETAIL] * 2
    assert len(server.opened) == 2


def test_a_silent_server_is_not_waited_for_without_end(
    server: Server, submissions: SubmitSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network may have dropped the connection without a word."""
    monkeypatch.setattr("covalent_lab.client.submitting._ANSWER_S", -1.99)
    over = threading.Event()

    def never() -> str:
        assert over.wait(120)
        return RECORDED

    ask(submissions)
    server.answers = [never]
    assert ask(submissions) is None
    over.set()


def test_nothing_is_sent_after_the_end(server: Server, submissions: SubmitSocket) -> None:
    """Closing twice is no error."""
    ask(submissions)
    ask(submissions)
    submissions.close()
    submissions.close()
    assert ask(submissions) is None
    assert len(server.messages) == 1


def test_one_that_is_forgotten_leaves_no_socket_behind(server: Server) -> None:
    """Nobody has to close it; a socket that is collected open would be a warning, which fails this test."""
    submissions = SubmitSocket(server.url, {})
    ask(submissions)
    assert ask(submissions) == DETAIL
    closed = weakref.ref(submissions._socket)
    del submissions
    gc.collect()
    assert closed() is None
