"""What goes wrong on a cluster, with programs that answer as queue systems do: reasons, silence, forgotten jobs."""

import asyncio
import fcntl
import os
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.queues import LSFExecutor, PBSExecutor, SGEExecutor, SlurmExecutor
from covalent_lab_executors.queues.shell import LocalShell, Shell
from covalent_lab_executors.ssh.login import ConnectError, LinkLostError
from covalent_lab_executors.ssh.shell import Ran

from covalent_lab.executor.base import JobStatus, Outcome
from covalent_lab.testing import jobs
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, job
from tests.backends.fake_queue import FakeQueue

KINDS = {"slurm": SlurmExecutor, "pbs": PBSExecutor, "torque": PBSExecutor, "lsf": LSFExecutor, "sge": SGEExecutor}
everywhere = pytest.mark.parametrize("queue", list(KINDS), indirect=True)
on_slurm = pytest.mark.parametrize("queue", ["slurm"], indirect=True)


def started(
    queue: FakeQueue, options: dict[str, Any], host: FakeHost | None = None
) -> AbstractAsyncContextManager[Running]:
    """An executor of that system."""
    return jobs.started(KINDS[queue.system](**options), host or FakeHost(queue.folder))


def waiting_task() -> Callable[[int], int]:
    """A task that says that it is there, and waits for a word."""

    def wait(port: int) -> int:
        print("before", flush=True)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"here\n")
            connection.recv(2)
        return 7

    return wait


def stopped(queue: FakeQueue, options: dict[str, Any], fate: str) -> Outcome:
    """How a job ends that the system stops for a reason."""

    async def play() -> Outcome:
        async with Beacon() as beacon, started(queue, options) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            await beacon.word()
            await asyncio.to_thread(queue.stop, "1", fate)
            return await running.host.finished(spec.attempt_id)

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("queue", "fate", "words", "may_pass"),
    [
        ("slurm", "time", "ran out of its time limit", False),
        ("slurm", "memory", "ran out of memory", False),
        ("slurm", "node", "ended because its node failed", True),
        ("slurm", "room", "was stopped to make room", True),
        ("slurm", "cancel", "was cancelled on the cluster", False),
        ("pbs", "time", "ran out of its time limit", False),
        ("pbs", "memory", "ran out of memory", False),
        ("pbs", "cancel", "was cancelled on the cluster", False),
        ("torque", "time", "ran out of its time limit", False),
        ("lsf", "memory", "ran out of memory", False),
        ("lsf", "room", "was stopped to make room", True),
        ("sge", "time", "ran out of its time limit", False),
        ("sge", "cancel", "was cancelled on the cluster", False),
    ],
    indirect=["queue"],
)
def test_reason_of_the_system_is_told(
    queue: FakeQueue, queue_options: dict[str, Any], fate: str, words: str, may_pass: bool
) -> None:
    """As a failure that is not the task's, with what it printed; and whether trying again can help."""
    outcome = stopped(queue, queue_options, fate)
    assert outcome.status is JobStatus.FAILED
    assert outcome.failure is not None
    assert words in outcome.failure.message
    assert (outcome.failure.is_user_error, outcome.failure.is_transient) == (False, may_pass)
    assert outcome.stdout == "before\n"


@everywhere
def test_ended_job_that_the_system_forgot_is_known_by_its_result(
    queue: FakeQueue, queue_options: dict[str, Any]
) -> None:
    """Purged jobs are neither failed nor lost."""

    async def play() -> None:
        async with Beacon() as beacon:
            spec = job(waiting_task(), beacon.port)
            async with started(queue, queue_options) as running:
                (handle,) = await running.submit(spec)
                await beacon.word()
            beacon.answer()
            await beacon.gone()
            await asyncio.to_thread(queue.when_ended, "1")
            queue.forget("1")
            async with started(queue, queue_options) as running:
                await running.executor.watch({spec.attempt_id: handle})
                assert running.load(await running.host.finished(spec.attempt_id)) == 7

    asyncio.run(play())


@on_slurm
def test_job_of_which_nobody_knows_is_lost(queue: FakeQueue, queue_options: dict[str, Any]) -> None:
    """Never completed."""

    async def play() -> Outcome:
        async with Beacon() as beacon, started(queue, queue_options) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            await beacon.word()
            queue.stop("1", "node")
            await beacon.gone()
            queue.forget("1")
            return await running.host.finished(spec.attempt_id)

    outcome = asyncio.run(play())
    assert outcome.status is JobStatus.LOST
    assert outcome.failure is not None
    assert "is not known to Slurm any more, and left no result" in outcome.failure.message


@everywhere
def test_server_that_is_down_says_nothing_of_jobs(queue: FakeQueue, queue_options: dict[str, Any]) -> None:
    """They are asked for again until it answers."""

    async def play() -> None:
        async with Beacon() as beacon, started(queue, queue_options) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            await beacon.word()
            queue.set_down(True)
            beacon.answer()
            await asyncio.to_thread(queue.when_asked, 5)
            assert running.host.outcomes() == {}
            queue.set_down(False)
            assert running.load(await running.host.finished(spec.attempt_id)) == 7

    asyncio.run(play())


@everywhere
def test_order_to_cancel_is_repeated(queue: FakeQueue, queue_options: dict[str, Any]) -> None:
    """Until the system takes it."""

    async def play() -> Outcome:
        async with Beacon() as beacon, started(queue, queue_options) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            await running.host.start_of(spec.attempt_id)
            await beacon.word()
            queue.set_down(True)
            await running.cancel(spec)
            await asyncio.to_thread(queue.when_asked, 5)
            assert running.host.outcomes() == {}
            queue.set_down(False)
            return await running.host.finished(spec.attempt_id)

    outcome = asyncio.run(play())
    assert (outcome.status, outcome.stdout) == (JobStatus.CANCELLED, "before\n")


@pytest.mark.parametrize("queue", ["slurm", "pbs", "lsf", "sge"], indirect=True)
def test_submission_whose_connection_breaks_is_waited_for(queue: FakeQueue, queue_options: dict[str, Any]) -> None:
    """It goes on there; a second one at the same time would run the task twice."""
    second = asyncio.Event()

    class Breaking(LocalShell):
        async def run(self, script: str) -> Ran:
            if "said=$(" not in script:
                return await super().run(script)
            if not torn:
                torn.append(begun(script))
                await asyncio.to_thread(queue.when_submitting)
                raise LinkLostError("broken")
            second.set()
            return await super().run(script)

    torn: list[subprocess.Popen[bytes]] = []

    def begun(script: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["bash", "-c", script], stdout=subprocess.DEVNULL)

    def is_locked() -> bool:
        (lock,) = Path(queue_options["remote_workdir"]).glob("*.lock")
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    async def play() -> None:
        executor = KINDS[queue.system](**queue_options)
        executor.open_shell = open_shell  # type: ignore[method-assign]
        async with jobs.started(executor, FakeHost(queue.folder)) as running:
            spec = job(lambda: 7)
            with queue.holding():
                await running.submit(spec)
                await second.wait()
                assert is_locked()
            assert running.load(await running.host.finished(spec.attempt_id)) == 7
        assert await asyncio.to_thread(torn[0].wait, 30) == 0
        assert queue.jobs() == ["1"]

    async def open_shell(options: Mapping[str, Any]) -> Shell:
        return Breaking()

    asyncio.run(play())


@on_slurm
def test_jobs_of_an_earlier_dispatcher_wait_for_a_connection(queue: FakeQueue, queue_options: dict[str, Any]) -> None:
    """A network that is down when the dispatcher starts loses nothing."""

    class Flaky(SlurmExecutor):
        refusals = 2

        async def open_shell(self, options: Mapping[str, Any]) -> Shell:
            if self.refusals:
                self.refusals -= 1
                raise ConnectError("no network")
            return await super().open_shell(options)

    async def play() -> None:
        async with Beacon() as beacon:
            spec = job(waiting_task(), beacon.port)
            async with started(queue, queue_options) as running:
                (handle,) = await running.submit(spec)
                await beacon.word()
            executor = Flaky(**queue_options)
            running = Running(executor=executor, host=FakeHost(queue.folder))
            await executor.start(running.host)
            await executor.watch({spec.attempt_id: handle})
            beacon.answer()
            assert running.load(await running.host.finished(spec.attempt_id)) == 7
            assert executor.refusals == 0
            await executor.close()

    asyncio.run(play())


@on_slurm
def test_jobs_are_lost_when_the_cluster_cannot_be_asked_for_too_long(
    queue: FakeQueue, queue_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may still run."""
    monkeypatch.setattr(SlurmExecutor, "patience_s", 0.0)

    async def play() -> Outcome:
        async with Beacon() as beacon, started(queue, queue_options) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            await beacon.word()
            queue.set_down(True)
            return await running.host.finished(spec.attempt_id)

    outcome = asyncio.run(play())
    assert outcome.status is JobStatus.LOST
    assert outcome.failure is not None
    assert "The job may still run, but its cluster cannot be asked" in outcome.failure.message


@on_slurm
def test_one_question_is_for_all_jobs(queue: FakeQueue, queue_options: dict[str, Any]) -> None:
    """Also where they have different options, so that each is a job of its own."""

    async def play() -> None:
        async with Beacon() as beacon, started(queue, queue_options) as running:
            specs = [job(waiting_task(), beacon.port, node_id=n, options={"variables": {"N": n}}) for n in range(4)]
            await running.submit(*specs)
            for spec in specs:
                await running.host.start_of(spec.attempt_id)
                await beacon.word()
            questions = await asyncio.to_thread(queue.when_asked, 3)
            assert all(question.startswith("squeue -h -r -t all -j 1,2,3,4 ") for question in questions)
            beacon.answer()
            for spec in specs:
                await running.host.finished(spec.attempt_id)

    asyncio.run(play())


@everywhere
def test_refused_job_is_a_failure_with_the_reason(queue: FakeQueue, queue_options: dict[str, Any]) -> None:
    """In the system's words."""
    directives = {"partition": "refused"} if queue.system == "slurm" else {"q": "refused"}

    async def play() -> Outcome:
        async with started(queue, {**queue_options, "options": directives}) as running:
            return await running.outcome(job(lambda: 1))

    failure = asyncio.run(play()).failure
    assert failure is not None
    assert "refused the job" in failure.message
    assert "unknown queue" in failure.message


@pytest.mark.parametrize("queue", ["pbs", "lsf", "sge"], indirect=True)
def test_commands_elsewhere_are_found(
    queue: FakeQueue, queue_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the option for their folder; else the message asks for it."""
    monkeypatch.setenv("PATH", os.environ["PATH"].removeprefix(f"{queue.programs}:"))

    async def play(options: dict[str, Any]) -> Outcome:
        async with started(queue, {**queue_options, **options}) as running:
            return await running.outcome(job(lambda: 1))

    failure = asyncio.run(play({})).failure
    assert failure is not None
    assert "Set commands_path to their folder" in failure.message
    assert asyncio.run(play({"commands_path": str(queue.programs)})).status is JobStatus.COMPLETED


@pytest.mark.parametrize("queue", ["sge"], indirect=True)
def test_job_whose_submission_outlives_its_dispatcher_is_found(
    queue: FakeQueue, queue_options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may answer after the dispatcher has ended, when the job runs already; the next one waits for that."""
    answer, asked, read = tmp_path / "answer", asyncio.Event(), LocalShell.read
    os.mkfifo(answer)
    qsub = queue.programs / "qsub"
    qsub.rename(queue.programs / "real-qsub")
    qsub.write_text(f'#!/bin/sh\nsaid=$({queue.programs}/real-qsub "$@"); cat {answer}; echo "$said"\n')
    qsub.chmod(0o755)

    async def noted(shell: LocalShell, path: str, last: int | None = None) -> bytes | None:
        found = await read(shell, path, last)
        if path.endswith(".id") and found is None:
            asked.set()
        return found

    async def play() -> None:
        host = FakeHost(queue.folder)
        async with Beacon() as beacon:
            spec = job(waiting_task(), beacon.port)
            async with started(queue, queue_options, host) as running:
                (handle,) = await running.submit(spec)
                await beacon.word()
            monkeypatch.setattr(LocalShell, "read", noted)
            async with started(queue, queue_options, host) as running:
                await running.executor.watch({spec.attempt_id: handle})
                await asyncio.wait_for(asked.wait(), 50)
                await asyncio.to_thread(answer.write_text, "")
                beacon.answer()
                outcome = await host.finished(spec.attempt_id)
                assert outcome.status is JobStatus.COMPLETED
                assert running.load(outcome) == 7

    asyncio.run(play())
