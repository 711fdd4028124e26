"""What every executor of the documented interface must do, as tests: subclass, say how to make one, run pytest.

    class TestMyExecutor(ClassicExecutorContract):
        def make_executor(self) -> BaseExecutor:
            return MyExecutor(poll_freq=0)

The executor runs as the dispatcher runs it. Tasks are local functions, so that they are pickled by value.
"""

# ruff: noqa: T201  tasks print, which is what is tested

import asyncio
import inspect
import json
import os
import socket
import sys
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from covalent_lab.executor.base import JobFinished, JobHandle, JobIdentified, JobStarted, JobStatus, PayloadSource
from covalent_lab.executor.bridge import ClassicBridge
from covalent_lab.executor.classic import AsyncBaseExecutor, BaseExecutor
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, job

__all__ = ["ClassicExecutorContract"]

Made = BaseExecutor | AsyncBaseExecutor
Scenario = Callable[[Running], Awaitable[None]]


class ClassicExecutorContract:
    """The suite; `make_executor` is all that a subclass must give."""

    can_cancel: ClassVar[bool] = True
    """Whether a running task can be stopped."""

    @abstractmethod
    def make_executor(self) -> Made:
        """A new executor."""

    @pytest.fixture(autouse=True)
    def _private(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COVALENT_RESULTS_DIR", str(tmp_path / "results"))
        monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path / "config"))

    def play(self, folder: Path, scenario: Scenario, create: Callable[[], Made] | None = None) -> FakeHost:
        """Run a scenario with the executor under the dispatcher's bridge; afterwards no job may have ended twice."""

        async def play() -> FakeHost:
            host = FakeHost(folder)
            bridge = ClassicBridge("tested", create or self.make_executor)
            await bridge.start(host)
            try:
                await scenario(Running(executor=bridge, host=host))
            finally:
                await bridge.close()
            host.outcomes()
            return host

        return asyncio.run(play())

    # Values and failures

    def test_value_of_a_task_is_reported_after_its_start(self, tmp_path: Path) -> None:
        """Positional and keyword arguments arrive; the value comes back."""

        def add(x: int, y: int) -> int:
            return x + y

        async def scenario(running: Running) -> None:
            assert await running.value(job(add, 2, kwargs={"y": 3})) == 5

        host = self.play(tmp_path, scenario)
        updates = [update for update in host.updates if not isinstance(update, JobIdentified)]
        assert [type(update) for update in updates] == [JobStarted, JobFinished]

    def test_large_value_becomes_a_payload_file(self, tmp_path: Path) -> None:
        """Beyond the inline limit only the digest travels."""

        def large() -> bytes:
            return bytes(range(256)) * 1024

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(job(large))
            assert outcome.output is not None
            assert outcome.output.data is None
            assert running.load(outcome) == large()

        self.play(tmp_path, scenario)

    def test_exception_of_a_task_is_its_own_failure(self, tmp_path: Path) -> None:
        """The failure is the user's, its message the exception's, and the traceback is in the standard error."""

        def fail(x: int) -> None:
            raise ValueError(f"no {x}")

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(job(fail, 7))
            assert outcome.status is JobStatus.FAILED
            assert outcome.output is None
            assert outcome.failure is not None
            assert outcome.failure.is_user_error, outcome
            assert "ValueError: no 7" in outcome.failure.message
            assert "Traceback" in outcome.stderr
            assert outcome.stderr.count("ValueError: no 7") == 1

        self.play(tmp_path, scenario)

    def test_what_a_task_prints_is_kept(self, tmp_path: Path) -> None:
        """Standard output and error are those of the job, exactly, also where two run at a time."""

        def speak(word: str) -> None:
            print(word)
            print(word.upper(), file=sys.stderr)

        async def scenario(running: Running) -> None:
            specs = [job(speak, word, node_id=n) for n, word in enumerate(("one", "two"))]
            await running.submit(*specs)
            for spec, word in zip(specs, ("one", "two"), strict=True):
                outcome = await running.host.finished(spec.attempt_id)
                assert (outcome.stdout, outcome.stderr) == (f"{word}\n", f"{word.upper()}\n")

        self.play(tmp_path, scenario)

    def test_task_knows_its_dispatch_and_node(self, tmp_path: Path) -> None:
        """By the variables that `get_context()` reads."""

        def where() -> tuple[str | None, str | None]:
            return os.environ.get("COVALENT_DISPATCH_ID"), os.environ.get("COVALENT_TASK_ID")

        async def scenario(running: Running) -> None:
            assert await running.value(job(where, node_id=6)) == ("dispatch", "6")

        self.play(tmp_path, scenario)

    def test_streams_are_appended_to_log_files(self, tmp_path: Path) -> None:
        """Relative names are below the results folder of the dispatch."""

        def speak() -> None:
            print("logged")

        async def scenario(running: Running) -> None:
            options = {"log_stdout": "logs/out.log"}
            await running.value(job(speak, options=options))
            await running.value(job(speak, options=options, node_id=1))

        self.play(tmp_path, scenario)
        assert (tmp_path / "results" / "dispatch" / "logs" / "out.log").read_text() == "logged\nlogged\n"

    def test_input_that_is_no_archive_fails_its_job_only(self, tmp_path: Path) -> None:
        """The failure is not the user's, and names the executor."""
        good = job(lambda: 1, node_id=1)
        nonsense = PayloadSource(ref=good.function.ref._replace(digest="0" * 40), data=b"nonsense")
        bad = replace(job(lambda: 1), function=nonsense)

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(bad)
            assert outcome.failure is not None
            assert not outcome.failure.is_user_error
            assert "'tested'" in outcome.failure.message
            assert await running.value(good) == 1

        self.play(tmp_path, scenario)

    # Set-up and tear-down

    @pytest.mark.parametrize("fails", [False, True])
    def test_teardown_follows_whatever_happened(self, tmp_path: Path, fails: bool) -> None:
        """`setup`, `run`, `teardown`, each once, with the job's metadata."""
        calls: list[tuple[str, int]] = []

        def task() -> None:
            if fails:
                raise ValueError

        async def scenario(running: Running) -> None:
            await running.outcome(job(task, node_id=4))

        self.play(tmp_path, scenario, lambda: _recorded(self.make_executor(), calls))
        assert calls == [("setup", 4), ("run", 4), ("teardown", 4)]

    def test_failing_teardown_does_not_change_the_outcome(self, tmp_path: Path) -> None:
        """It is logged; the value counts."""

        def create() -> Made:
            made = self.make_executor()
            vars(made)["teardown"] = _raiser(made)
            return made

        async def scenario(running: Running) -> None:
            assert await running.value(job(lambda: 3)) == 3

        self.play(tmp_path, scenario, create)

    # Cancellation

    def test_cancelled_task_is_stopped(self, tmp_path: Path) -> None:
        """It is reported CANCELLED, its process is gone, and other tasks run."""
        if not self.can_cancel:
            pytest.skip("this executor cannot stop a task")

        def hang(port: int) -> None:
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(b"here\n")
            time.sleep(600)

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                spec = job(hang, beacon.port)
                await running.submit(spec)
                await beacon.word()
                await running.cancel(spec)
                await running.cancel(spec)
                outcome = await running.host.finished(spec.attempt_id)
                assert outcome.status is JobStatus.CANCELLED, outcome
                await beacon.gone()
                assert await running.value(job(lambda: 2, node_id=1)) == 2

        self.play(tmp_path, scenario)

    # Restart

    def test_job_of_an_earlier_dispatcher_ends_once(self, tmp_path: Path) -> None:
        """With the handle that was stored last, a new dispatcher gets an outcome; never a second one."""
        spec = job(lambda: 5)
        stored: list[JobHandle] = []

        async def first(running: Running) -> None:
            stored.extend(await running.submit(spec))
            await running.host.start_of(spec.attempt_id)
            stored.extend(u.handle for u in running.host.updates if isinstance(u, JobIdentified))

        async def second(running: Running) -> None:
            handle = json.loads(json.dumps(dict(stored[-1])))
            await running.executor.watch({spec.attempt_id: handle})
            outcome = await running.host.finished(spec.attempt_id)
            assert outcome.status in (JobStatus.LOST, JobStatus.COMPLETED)

        self.play(tmp_path / "first", first)
        self.play(tmp_path / "second", second)

    # Instances

    def test_attributes_survive_their_json_form(self) -> None:
        """`from_dict(to_dict())` makes an equal instance."""
        made = self.make_executor()
        form = json.loads(json.dumps(made.to_dict()))
        assert set(form) == {"type", "short_name", "attributes"}
        other = self.make_executor()
        assert other.from_dict(form) is other
        assert other.to_dict() == form


def _recorded(made: Made, calls: list[tuple[str, int]]) -> Made:
    """Let an instance note its calls."""

    def note(name: str) -> None:
        plain = getattr(made, name)

        def noted(*args: Any) -> Any:
            calls.append((name, args[-1]["node_id"]))
            return plain(*args)

        vars(made)[name] = noted

    for name in ("setup", "run", "teardown"):
        note(name)
    return made


def _raiser(made: Made) -> Callable[..., Any]:
    def fail(*_: Any) -> None:
        raise RuntimeError("this plugin cannot clean up")

    async def fail_later(*_: Any) -> None:
        fail()

    return fail_later if inspect.iscoroutinefunction(made.teardown) else fail
