"""What hinders the suites, where that is asked for, delays and loses nothing."""

import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hindrance import pauses
from tests.hindrance.sitecustomize import delay_s, late


def test_what_is_ready_is_kept_back_for_its_time() -> None:
    """Each time it becomes ready the time is drawn anew."""
    delays = [1e9, 0.0]
    selector = late(lambda: delays[-1])()
    left, right = socket.socketpair()
    with left, right, selector:
        selector.register(left, 1)
        assert selector.select(0) == []
        right.send(b"x")
        assert [key.fileobj for key, _ in selector.select()] == [left]
        delays.reverse()
        assert selector.select(0) == []
        assert selector.select(0.01) == []


def test_most_events_are_on_time() -> None:
    """Otherwise the suites would take for ever."""
    chance = random.Random(1)
    assert sum(delay_s(chance) > 0 for _ in range(1_000)) < 300


def test_a_process_goes_on_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those below the one that is named are stopped, it is not, and all of them end."""
    stopped: list[tuple[int, int]] = []
    kill = os.kill

    def noting(pid: int, number: int) -> None:
        stopped.append((pid, number))
        kill(pid, number)
        if number == signal.SIGCONT and len(stopped) > 8:
            kill(shell.pid, signal.SIGKILL)
            shell.wait()

    shell = subprocess.Popen(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    assert shell.stdout is not None
    child = int(shell.stdout.readline())
    try:
        monkeypatch.setattr(pauses.os, "kill", noting)
        pauses.main(shell.pid, "1")
        assert stopped == [(child, signal.SIGSTOP), (child, signal.SIGCONT)] * (len(stopped) // 2)
    finally:
        kill(child, signal.SIGKILL)
        shell.stdout.close()


def test_processes_are_hindered_only_where_it_is_asked_for() -> None:
    """By one variable."""
    program = "import asyncio; print(type(asyncio.new_event_loop()._selector).__name__)"
    folder = str(Path(pauses.__file__).parent)
    for seed, is_late in ("7", True), ("", False):
        environ = {**os.environ, "PYTHONPATH": folder, "HINDRANCE": seed}
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program], env=environ, capture_output=True, text=True, check=True
        )
        assert (run.stdout.strip() == "LateSelector") is is_late
