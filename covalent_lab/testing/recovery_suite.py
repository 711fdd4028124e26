"""What an executor must do when something around a task goes wrong, and what a dispatcher needs of it for that.

Part of `executor_suite.py`. Hooks say what is particular to a backend; what a backend cannot have is said in `lacks`.
"""

import asyncio
import json
import random
import socket
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from covalent_lab import payload
from covalent_lab.executor.base import Executor, JobHandle, JobStatus, Outcome, PayloadSource
from covalent_lab.testing.dispatching import dispatched
from covalent_lab.testing.executor_base_suite import ExecutorSuite
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, job

__all__ = ["RecoveryContract", "Restartable"]

_LARGE = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Restartable:
    """An executor on a backend that no other test uses.

    Attributes:
        executor: Not started.
        restart: Ends the backend as a crash would, and starts it again at the same place; blocks.
    """

    executor: Executor
    restart: Callable[[], None]


def _waiting(port: int) -> Callable[[], str]:
    """A task that says that it runs, and waits for a word."""

    def wait() -> str:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"here\n")
            assert connection.recv(2) == b"go"
        return "went on"

    return wait


class RecoveryContract(ExecutorSuite):
    """Large values, limits, retries, restarts, lost jobs, refused credentials and another Python.

    Attributes:
        lacks: Tests that make no sense for the executor, by their names without `test_`, each with the reason. They are
            not run.
        keeps_jobs: Whether a job goes on while its backend is restarted.
        stop_s: Seconds that a cancelled task may take to be gone.
    """

    lacks: ClassVar[Mapping[str, str]] = {}
    keeps_jobs: ClassVar[bool] = False
    stop_s = 60.0

    def __init_subclass__(cls) -> None:
        """Leave out the tests that the executor lacks.

        Raises:
            TypeError: There is no such test.
        """
        super().__init_subclass__()
        for name in cls.lacks:
            if not hasattr(cls, f"test_{name}"):
                raise TypeError(f"{cls.__name__}.lacks names {name!r}, but there is no test_{name}.")
            setattr(cls, f"test_{name}", None)

    # Hooks

    @abstractmethod
    def make_restartable(self, folder: Path) -> AbstractContextManager[Restartable]:
        """For `backend_restart`: an executor whose backend can be restarted."""

    @abstractmethod
    def make_refused(self) -> tuple[Executor, str]:
        """For `refused_credentials`: an executor with credentials that its backend refuses; words of the message."""

    @abstractmethod
    def make_misled(self) -> tuple[Mapping[str, str], str]:
        """For `another_python`: a client (`JobSpec.client`) whose Python is not to be had; words of the message."""

    def lost(self, handle: JobHandle) -> JobHandle:
        """For `lost_job`: the handle of another job, as that of one which its backend does not know."""
        return handle

    # Values

    def test_large_payload_goes_there_and_back(self, executor: Executor, tmp_path: Path) -> None:
        """50 MB that nobody can compress away."""
        data = payload.encode(random.Random(1).randbytes(_LARGE))
        path = tmp_path / data.ref.digest
        path.write_bytes(data.tobytes())

        def turn(value: bytes) -> bytes:
            return value[::-1]

        async def scenario(running: Running) -> None:
            spec = replace(job(turn, None), args=(PayloadSource(ref=data.ref, path=str(path)),))
            await running.submit(spec)
            outcome = await running.host.finished(spec.attempt_id, 200)
            assert outcome.status is JobStatus.COMPLETED, outcome
            assert running.load(outcome)[::-1] == payload.decode(path.read_bytes())

        self.run(executor, tmp_path, scenario)

    # What dispatchers do with it

    def test_time_limit_stops_the_task(self, executor: Executor, tmp_path: Path) -> None:
        """The node fails with the limit as the reason, and the task is gone."""

        async def play() -> None:
            async with Beacon() as beacon:
                node = await dispatched(tmp_path, executor, self.connected, _endless(beacon.port), time_limit=1)
                assert (node["status"], node["attempt"]) == ("FAILED", 1)
                assert "time limit of 1 s" in node["error"]
                await beacon.gone(self.stop_s)

        asyncio.run(play())

    def test_retries_run_a_failed_task_again(self, executor: Executor, tmp_path: Path) -> None:
        """As often as they say, and no more once it succeeded."""
        tries = str(tmp_path / "tries")

        def fail_once() -> int:
            with open(tries, "a+") as file:
                file.write("x")
                file.seek(0)
                count = len(file.read())
            if count < 2:
                raise ValueError("not yet")
            return count

        node = asyncio.run(dispatched(tmp_path, executor, self.connected, fail_once, retries=3))
        assert (node["status"], node["attempt"], node["error"]) == ("COMPLETED", 2, "")

    # Restarts

    @pytest.mark.parametrize("is_over", [True, False])
    def test_dispatcher_restart(self, tmp_path: Path, is_over: bool) -> None:
        """The next dispatcher gets the answer of a job that can outlive the first; it ran once. Others are LOST.

        Whether the job ended meanwhile or not.
        """
        host = FakeHost(tmp_path)

        async def play() -> None:
            async with Beacon() as beacon:
                executor = self.make_executor()
                async with self.running(executor, tmp_path, host) as running:
                    spec = job(_waiting(beacon.port))
                    (handle,) = await running.submit(spec)
                    await beacon.word()
                assert host.outcomes() == {}
                handles = {spec.attempt_id: json.loads(json.dumps(dict(handle)))}
                if is_over and executor.jobs_survive:
                    beacon.answer()
                    await beacon.gone()
                async with self.running(self.make_executor(), tmp_path, host) as running:
                    await running.executor.watch(handles)
                    beacon.answer()
                    outcome = await host.finished(spec.attempt_id, 200)
                if executor.jobs_survive:
                    assert outcome.status is JobStatus.COMPLETED, outcome
                    assert running.load(outcome) == "went on"
                else:
                    _assert_lost(outcome)

        asyncio.run(play())

    def test_lost_job(self, executor: Executor, tmp_path: Path) -> None:
        """A job that the backend does not know is never taken for completed, and never watched for ever."""

        async def scenario(running: Running) -> None:
            known, unknown = job(lambda: 1), job(lambda: 1, node_id=1)
            (handle,) = await running.submit(known)
            await running.host.finished(known.attempt_id)
            await running.executor.watch({unknown.attempt_id: self.lost(handle)})
            _assert_lost(await running.host.finished(unknown.attempt_id, 200))

        self.run(executor, tmp_path, scenario)

    def test_backend_restart(self, tmp_path: Path) -> None:
        """No job waits for ever: it goes on, or counts as lost through no fault of its own; and new ones run."""

        async def scenario(running: Running, restart: Callable[[], None]) -> None:
            async with Beacon() as beacon:
                spec = job(_waiting(beacon.port))
                await running.submit(spec)
                await beacon.word()
                await asyncio.to_thread(restart)
                beacon.answer()
                outcome = await running.host.finished(spec.attempt_id, 200)
                if self.keeps_jobs:
                    assert outcome.status is JobStatus.COMPLETED, outcome
                    assert running.load(outcome) == "went on"
                else:
                    assert outcome.status in (JobStatus.LOST, JobStatus.FAILED)
                    assert outcome.failure is not None
                    assert not outcome.failure.is_user_error
                assert await running.value(job(lambda: 1, node_id=1)) == 1

        async def play(found: Restartable) -> None:
            async with self.running(found.executor, tmp_path) as running:
                await scenario(running, found.restart)

        with self.make_restartable(tmp_path) as found:
            asyncio.run(play(found))

    # What is not as it should be

    def test_refused_credentials(self, tmp_path: Path) -> None:
        """The job fails through no fault of the user's code, and the message says what to correct."""
        executor, words = self.make_refused()

        async def scenario(running: Running) -> None:
            assert words in _trouble_of(await running.outcome(job(lambda: 1)))

        self.run(executor, tmp_path, scenario)

    def test_another_python(self, executor: Executor, tmp_path: Path) -> None:
        """What another Python has pickled is not run, and the message says what to correct."""
        client, words = self.make_misled()

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(job(lambda: 1, client=client))
            assert words in _trouble_of(outcome)

        self.run(executor, tmp_path, scenario)


def _endless(port: int) -> Callable[[], None]:
    """A task that holds a connection and does not end."""

    def hang() -> None:
        with socket.create_connection(("127.0.0.1", port)):
            while True:
                time.sleep(0.01)

    return hang


def _trouble_of(outcome: Outcome) -> str:
    """Why a job failed, which must not be the user's code."""
    assert outcome.status is JobStatus.FAILED, outcome
    assert outcome.failure is not None
    assert not outcome.failure.is_user_error
    return outcome.failure.message


def _assert_lost(outcome: Outcome) -> None:
    """Nobody can tell how the job ended, and a reason is given."""
    assert outcome.status is JobStatus.LOST, outcome
    assert outcome.failure is None or outcome.failure.message
