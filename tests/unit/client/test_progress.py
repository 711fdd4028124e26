"""The bar that `get_result` shows while it waits."""

import asyncio
import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client import progress, waiting
from covalent_lab.client.progress import ProgressBar

pytestmark = pytest.mark.usefixtures("private")


class Terminal(io.StringIO):
    """A stderr that somebody looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def told(status: str, completed: int, **counts: int) -> dict[str, Any]:
    """How a dispatch of five tasks stands."""
    return {"name": "sweep", "status": status, "total": 5, "completed": completed, "failed": 0, "cancelled": 0} | counts


class Server:
    """Tells how a dispatch stands; a second passes with each question."""

    url = "http://server/"

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.waits: list[float] = []
        self.now = 0.0

    def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        """The next answer."""
        self.waits.append(wait_s)
        self.now += 1.0
        return self.answers.pop(0)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    """Let clients find a server that gives these answers."""

    def start(*answers: dict[str, Any]) -> Server:
        server = Server(*answers)
        monkeypatch.setattr(waiting, "connect", lambda address=None: server)
        monkeypatch.setattr(
            progress.ProgressBar, "make", classmethod(lambda cls, wanted: cls(bool(wanted), lambda: server.now))
        )
        return server

    return start


def test_a_bar_shows_how_many_tasks_are_done(serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]) -> None:
    """With those that failed; it is asked for once a second, by the question that waits for the end."""
    server = serve(told("RUNNING", 1), told("RUNNING", 3, failed=1), told("FAILED", 4, failed=1))
    assert ct.get_result("some-id", wait=True, progress=True).status == "FAILED"
    shown = capsys.readouterr().err
    assert "sweep:" in shown
    assert "3/5" in shown
    assert "4/5" in shown.splitlines()[-1]
    assert "failed=1" in shown
    assert server.waits == [1.0, 1.0, 1.0]


def test_awaiting_shows_the_same_bar(serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]) -> None:
    """In a notebook, `await` is a wait like any other."""
    serve(told("RUNNING", 2), told("CANCELLED", 2, cancelled=3))
    asyncio.run(ct.get_result_async("some-id", progress=True))  # type: ignore[arg-type]
    assert "cancelled=3" in capsys.readouterr().err


def test_without_a_bar_the_question_waits_longer(
    serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    """No request more than the waiting needs, and nothing is written."""
    server = serve(told("RUNNING", 2), told("COMPLETED", 5))
    ct.get_result("some-id", wait=True, progress=False)
    assert server.waits == [20.0, 20.0]
    assert capsys.readouterr().err == ""


def test_a_short_wait_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The bar comes after a second, and stays on one line."""
    now = 0.0
    with ProgressBar(True, lambda: now) as bar:
        bar.show(told("RUNNING", 1))
        now = 0.9
        bar.show(told("RUNNING", 2))
        bar.show({})
        assert capsys.readouterr().err == ""
        now = 1.0
        bar.show(told("RUNNING", 3))
        bar.show(told("COMPLETED", 5))
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bar_needs_somebody_who_looks(monkeypatch: pytest.MonkeyPatch, write_config: Callable[[str], None]) -> None:
    """A terminal or a notebook; unless the configuration or the argument say otherwise."""
    assert ProgressBar.make(None).interval_s is None
    assert ProgressBar.make(True).interval_s == 1.0
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert ProgressBar.make(None).interval_s == 1.0
    assert ProgressBar.make(False).interval_s is None
    write_config("[sdk]\nprogress = false\n")
    assert ProgressBar.make(None).interval_s is None
    monkeypatch.setattr(sys, "stderr", None)
    assert ProgressBar.make(None).interval_s is None
