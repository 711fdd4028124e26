"""What an executor must do that says `packs`: the contract of executors, and jobs of several steps.

class TestMyExecutor(PackingContract):
    def make_executor(self) -> Executor:
        return MyExecutor()
"""

# ruff: noqa: T201  tasks print, which is what is tested

import os
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from covalent_lab.executor.base import Executor, JobFinished, JobStarted, JobStatus, Outcome
from covalent_lab.testing.executor_suite import ExecutorContract
from covalent_lab.testing.jobs import Beacon, Running, chained, job, output_of

__all__ = ["PackingContract"]


class PackingContract(ExecutorContract):
    """The suite; `make_executor` is all that a subclass must give."""

    def test_it_says_that_it_packs(self, executor: Executor) -> None:
        """Otherwise it would never be given such jobs."""
        assert type(executor).packs

    def test_steps_hand_on_values_and_are_told_one_by_one(self, executor: Executor, tmp_path: Path) -> None:
        """Each has its own start, end, output, streams and environment; what a step changes is seen by no other."""

        def make(size: int) -> list[Any]:
            print("made")
            return [os.environ["COVALENT_TASK_ID"], bytes(size)]

        def spoil(values: list[Any]) -> int:
            print("spoiled", file=sys.stderr)
            values.append(os.environ["COVALENT_TASK_ID"])
            return len(values)

        def look(values: list[Any], *, length: int) -> tuple[int, int]:
            return len(values), length

        async def scenario(running: Running) -> None:
            for number, size in enumerate((1, 300_000)):  # handed on as bytes, and as a file
                dispatch = f"dispatch-{number}"
                first = job(make, size, dispatch_id=dispatch)
                second = job(spoil, output_of(first), node_id=1, dispatch_id=dispatch)
                third = job(look, output_of(first), node_id=2, dispatch_id=dispatch)
                third = replace(third, kwargs={"length": output_of(second)})
                await running.submit(chained(first, second, third))
                outcomes = [await running.host.finished(spec.attempt_id) for spec in (first, second, third)]
                assert [outcome.stdout for outcome in outcomes] == ["made\n", "", ""]
                assert [outcome.stderr for outcome in outcomes] == ["", "spoiled\n", ""]
                assert running.load(outcomes[0]) == ["0", bytes(size)]
                assert [running.load(outcome) for outcome in outcomes[1:]] == [3, (2, 3)]

        host = self.run(executor, tmp_path, scenario)
        told = [(type(update), update.attempt_id.split(":")[1]) for update in host.updates]
        assert told == [(kind, n) for n in "012" for kind in (JobStarted, JobFinished)] * 2

    def test_a_step_that_fails_ends_the_job(self, executor: Executor, tmp_path: Path) -> None:
        """Nothing is told of the later ones; they can be submitted again under the same attempt ids."""

        def double(x: int) -> int:
            return 2 * x

        def fail(x: int) -> None:
            raise ValueError(x)

        async def scenario(running: Running) -> None:
            first = job(double, 2)
            second, third = job(fail, output_of(first), node_id=1), job(double, output_of(first), node_id=2)
            await running.submit(chained(first, second, third))
            outcome = await running.host.finished(second.attempt_id)
            assert outcome.failure is not None
            assert outcome.failure.message == "ValueError: 4"
            assert await running.value(job(double, 5, node_id=3)) == 10
            assert third.attempt_id not in running.host.outcomes()
            assert await running.value(job(double, 4, node_id=2)) == 8

        self.run(executor, tmp_path, scenario)

    def test_a_step_whose_process_dies_ends_the_job(self, executor: Executor, tmp_path: Path) -> None:
        """Earlier ones keep their ends; the one that ran fails with what it printed; later ones are not told of."""

        def die(text: str) -> None:
            print(text, flush=True)
            os._exit(3)

        async def scenario(running: Running) -> None:
            first = job(str, "last words")
            second, third = job(die, output_of(first), node_id=1), job(int, node_id=2)
            await running.submit(chained(first, second, third))
            outcome = await running.host.finished(second.attempt_id)
            assert (outcome.status, outcome.stdout) == (JobStatus.FAILED, "last words\n")
            assert running.load(running.host.outcomes()[first.attempt_id]) == "last words"
            assert await running.value(job(int, 1, node_id=3)) == 1
            assert third.attempt_id not in running.host.outcomes()

        self.run(executor, tmp_path, scenario)

    def test_a_step_that_is_cancelled_before_its_turn_is_not_run(self, executor: Executor, tmp_path: Path) -> None:
        """The steps before it are, and its end is told when its turn comes; later ones are not told of."""
        trace = tmp_path / "trace"

        def wait(port: int) -> int:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)
            return os.getpid()

        def leave_trace(_: int) -> None:
            trace.touch()

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                first = job(wait, beacon.port)
                second = job(str, output_of(first), node_id=1)
                third, last = job(leave_trace, output_of(first), node_id=2), job(leave_trace, 1, node_id=3)
                await running.submit(chained(first, second, third, last))
                await beacon.word()
                await running.cancel(third)
                await running.cancel(third)
                assert running.host.outcomes() == {}
                beacon.answer()
                assert (await running.host.finished(third.attempt_id)).status is JobStatus.CANCELLED
                assert {spec.attempt_id for spec in (first, second)} == set(running.host.started())
                assert running.load(await running.host.finished(second.attempt_id)).isdecimal()
                assert await running.value(job(int, 1, node_id=4)) == 1
                assert last.attempt_id not in running.host.outcomes()

        self.run(executor, tmp_path, scenario)
        assert not trace.exists()

    def test_a_step_that_is_cancelled_while_it_runs_ends_the_job(self, executor: Executor, tmp_path: Path) -> None:
        """As a job of its own would; cancelling what is over, or was given up with the job, changes nothing."""

        def hang(port: int, text: str) -> None:
            connection = socket.create_connection(("127.0.0.1", port))
            print(text)
            connection.sendall(b"here\n")
            time.sleep(600)

        outcomes: list[Outcome] = []

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                first = job(str, "begun")
                second, third = job(hang, beacon.port, output_of(first), node_id=1), job(int, node_id=2)
                await running.submit(chained(first, second, third))
                await beacon.word()
                await running.host.start_of(second.attempt_id)
                await running.cancel(first, second, third)
                outcomes.append(await running.host.finished(second.attempt_id))
                await beacon.gone()
                assert await running.value(job(int, 1, node_id=3)) == 1
                assert set(running.host.outcomes()) == {job(int, node_id=n).attempt_id for n in (0, 1, 3)}

        self.run(executor, tmp_path, scenario)
        assert (outcomes[0].status, outcomes[0].stdout) == (JobStatus.CANCELLED, "begun\n")
