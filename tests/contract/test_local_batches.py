"""Short jobs travel to the workers of the local executor several in one message, and nobody notices."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from covalent_lab_executors import local_paces, local_pool
from covalent_lab_executors.local_process import WorkerProcess
from test_local_pool import local

from covalent_lab.executor.base import JobFinished, JobSpec, JobStarted, JobStatus
from covalent_lab.ids import AttemptId
from covalent_lab.testing.jobs import Beacon, Running, job

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests


def act(trace: str, port: int, word: str = "") -> None:
    """Leave a trace; then wait at a port, or crash, if told to."""
    with open(trace, "a", encoding="utf-8") as file:
        file.write(os.environ["COVALENT_TASK_ID"] + "\n")
    if word == "crash":
        os._exit(3)
    if port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"here\n")
            connection.recv(1)


class Acts:
    """Jobs that call one function, and what they left behind."""

    def __init__(self, folder: Path) -> None:
        self._trace = folder / "trace"

    def job(self, number: int, port: int = 0, word: str = "", **fields: Any) -> JobSpec:
        """One of them."""
        return job(act, str(self._trace), port, word, node_id=number, **fields)

    def runs(self) -> Mapping[int, int]:
        """How often each was begun."""
        lines = [int(line) for line in self._trace.read_text().splitlines()]
        return {number: lines.count(number) for number in lines}


@pytest.fixture
def acts(tmp_path: Path) -> Acts:
    """Of this test."""
    return Acts(tmp_path)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs each message to a worker brought; what counts as short does not depend on the machine."""
    sent: list[int] = []
    send = WorkerProcess.send

    def counting(process: WorkerProcess, control: Mapping[str, Any], body: Sequence[bytes]) -> None:
        sent.append(len(control["jobs"]))
        send(process, control, body)

    monkeypatch.setattr(WorkerProcess, "send", counting)
    monkeypatch.setattr(local_paces, "_BATCH_S", 60.0)
    return sent


async def ends(running: Running, specs: Sequence[JobSpec]) -> list[JobStatus]:
    """How jobs ended, in order, once all have."""
    return [(await running.host.finished(spec.attempt_id)).status for spec in specs]


def test_short_jobs_share_messages_and_are_told_one_by_one(
    tmp_path: Path, acts: Acts, messages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once their function is known; each runs once, in order, with a start and an end of its own."""
    monkeypatch.setattr(local_pool, "_TAKE_BACK_S", 60.0)  # a worker that pauses would have jobs sent twice
    specs = [acts.job(number) for number in range(200)]

    async def main() -> list[tuple[type, AttemptId]]:
        async with local(tmp_path) as running:
            await running.submit(*specs)
            assert set(await ends(running, specs)) == {JobStatus.COMPLETED}
            return [(type(update), update.attempt_id) for update in running.host.updates]

    told = asyncio.run(main())
    assert told == [(kind, spec.attempt_id) for spec in specs for kind in (JobStarted, JobFinished)]
    assert acts.runs() == dict.fromkeys(range(200), 1)
    assert messages[0] == 1
    assert sum(messages) == 200
    assert len(messages) < 40
    assert max(messages) <= 32


def test_unknown_and_longer_functions_travel_alone(
    tmp_path: Path, acts: Acts, messages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So do jobs with hooks, which may need their worker for themselves, and jobs of several steps."""
    monkeypatch.setattr(local_paces, "_BATCH_S", 0.01)

    async def main() -> None:
        async with local(tmp_path) as running:
            slow = [job(time.sleep, 0.02, node_id=number) for number in range(8)]
            await running.submit(*slow)
            await ends(running, slow)
            monkeypatch.setattr(local_paces, "_BATCH_S", 60.0)
            assert await running.value(acts.job(100)) is None
            hooked = [acts.job(101 + number, hooks={"call_before": []}) for number in range(8)]
            chains = [acts.job(200 + number, then=[acts.job(300 + number)]) for number in range(8)]
            await running.submit(*hooked, *chains)
            await ends(running, [*hooked, *chains])

    asyncio.run(main())
    assert set(messages) == {1}


def test_a_crash_fails_the_job_that_ran_and_no_other(tmp_path: Path, acts: Acts, messages: list[int]) -> None:
    """Those that waited behind it run elsewhere, once."""
    specs = [acts.job(number, word="crash" * (number == 5)) for number in range(60)]

    async def main() -> list[JobStatus]:
        async with local(tmp_path) as running:
            await running.submit(*specs)
            return await ends(running, specs)

    statuses = asyncio.run(main())
    assert [number for number, status in enumerate(statuses) if status is not JobStatus.COMPLETED] == [5]
    assert acts.runs() == dict.fromkeys(range(60), 1)
    assert max(messages) > 5


def test_jobs_behind_a_long_one_are_given_to_other_workers(tmp_path: Path, acts: Acts, messages: list[int]) -> None:
    """Nobody could know that this call would take long; the others do not wait for it."""

    async def main() -> None:
        async with Beacon() as beacon, local(tmp_path, workers=2) as running:
            assert await running.value(acts.job(100)) is None
            specs = [acts.job(number, port=beacon.port * (number == 0)) for number in range(60)]
            await running.submit(*specs)
            await beacon.word()
            assert set(await ends(running, specs[1:])) == {JobStatus.COMPLETED}
            assert specs[0].attempt_id not in running.host.outcomes()
            beacon.answer()
            assert await ends(running, specs[:1]) == [JobStatus.COMPLETED]

    asyncio.run(main())
    assert acts.runs() == dict.fromkeys([100, *range(60)], 1)
    assert max(messages) > 1


@pytest.mark.parametrize("chosen", [0, 1, 4], ids=["running", "next", "later"])
def test_one_job_of_a_message_is_cancelled(
    tmp_path: Path, acts: Acts, messages: list[int], monkeypatch: pytest.MonkeyPatch, chosen: int
) -> None:
    """While the first one runs: it is stopped, or a later one is never begun; the others run, once."""
    monkeypatch.setattr(local_pool, "_TAKE_BACK_S", 600.0)

    async def main() -> list[JobStatus]:
        async with Beacon() as beacon, local(tmp_path) as running:
            assert await running.value(acts.job(100)) is None
            specs = [acts.job(number, port=beacon.port * (number == 0)) for number in range(20)]
            await running.submit(*specs)
            await beacon.word()
            await running.cancel(specs[chosen])
            assert (await running.host.finished(specs[chosen].attempt_id)).status is JobStatus.CANCELLED
            if chosen:
                beacon.answer()
            return await ends(running, specs)

    statuses = asyncio.run(main())
    assert max(messages) > 4
    assert [number for number, status in enumerate(statuses) if status is not JobStatus.COMPLETED] == [chosen]
    assert acts.runs() == dict.fromkeys({100, *range(20)} - ({chosen} if chosen else set()), 1)


def test_dispatches_take_turns_within_messages(tmp_path: Path, acts: Acts, messages: list[int]) -> None:
    """A small dispatch comes early although a large one came first."""

    async def main() -> list[AttemptId]:
        async with local(tmp_path) as running:
            assert await running.value(acts.job(0, dispatch_id="known")) is None
            large = [acts.job(number, dispatch_id="large") for number in range(50)]
            small = [acts.job(number, dispatch_id="small") for number in range(3)]
            await running.submit(*large, *small)
            await ends(running, [*large, *small])
            return list(running.host.started())

    started = asyncio.run(main())
    assert [started.index(AttemptId(f"small:{number}:1")) for number in range(3)] == [2, 4, 6]
    assert max(messages) > 1


def test_a_working_directory_that_is_removed_is_made_again(tmp_path: Path, acts: Acts, messages: list[int]) -> None:
    """Workers make it only when it is not there."""
    folder = tmp_path / "place"

    async def main() -> None:
        async with local(tmp_path) as running:
            for number in range(2):
                assert await running.value(acts.job(number, options={"workdir": str(folder)})) is None
                folder.rmdir()

    asyncio.run(main())
    assert messages == [1, 1]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker comes to the second job of its first message before that is taken back.

    So it is where a worker was held up after an answer and before it took up the next job: all that is left is taken
    back, and nothing is under way.
    """
    withheld: dict[WorkerProcess, int] = {}
    grant, take_back = WorkerProcess.grant, WorkerProcess.take_back

    def granting(process: WorkerProcess, count: int) -> int:
        if count and process not in withheld:
            withheld[process] = count
            return grant(process, 0)
        return grant(process, count)

    def taking_back(process: WorkerProcess) -> int:
        count, withheld[process] = withheld[process], 0
        return count or take_back(process)

    monkeypatch.setattr(WorkerProcess, "grant", granting)
    monkeypatch.setattr(WorkerProcess, "take_back", taking_back)


@pytest.mark.usefixtures("between")
def test_a_worker_that_lost_all_its_jobs_gets_others(tmp_path: Path, acts: Acts, messages: list[int]) -> None:
    """They were taken back between two of them; it has nothing to answer any more."""
    specs = [acts.job(number) for number in range(60)]

    async def main() -> list[JobStatus]:
        async with local(tmp_path, workers=2) as running:
            await running.submit(*specs)
            return await ends(running, specs)

    assert set(asyncio.run(main())) == {JobStatus.COMPLETED}
    assert acts.runs() == dict.fromkeys(range(60), 1)
    assert max(messages) > 1


@pytest.mark.usefixtures("between")
@pytest.mark.parametrize("chosen", [1, 4, 28])
def test_a_job_is_cancelled_between_two_of_a_message(
    tmp_path: Path, acts: Acts, messages: list[int], monkeypatch: pytest.MonkeyPatch, chosen: int
) -> None:
    """It is never begun, and those beside it are not stopped with it."""
    monkeypatch.setattr(local_pool, "_TAKE_BACK_S", 600.0)
    specs = [acts.job(number) for number in range(60)]

    async def main() -> list[JobStatus]:
        async with local(tmp_path) as running:
            assert await running.value(acts.job(100)) is None
            await running.submit(*specs)
            await running.host.finished(specs[0].attempt_id)
            await running.cancel(specs[chosen])
            return await ends(running, specs)

    statuses = asyncio.run(main())
    assert [number for number, status in enumerate(statuses) if status is not JobStatus.COMPLETED] == [chosen]
    assert acts.runs() == dict.fromkeys({100, *range(60)} - {chosen}, 1)
    assert max(messages) > 1


def test_a_job_that_its_worker_may_not_be_denied_any_more_is_cancelled(
    tmp_path: Path, acts: Acts, messages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes after the one that runs, which is not stopped for it; the others run elsewhere, once."""
    monkeypatch.setattr(local_pool, "_TAKE_BACK_S", 600.0)
    take_back = WorkerProcess.take_back

    def all_but_one(process: WorkerProcess) -> int:
        count = take_back(process)
        if count:
            os.write(process._grants, bytes([process._message]))
        return max(0, count - 1)

    monkeypatch.setattr(WorkerProcess, "take_back", all_but_one)
    specs: list[JobSpec] = []

    async def main() -> list[JobStatus]:
        async with Beacon() as beacon, local(tmp_path) as running:
            assert await running.value(acts.job(100)) is None
            specs.extend(acts.job(number, port=beacon.port * (number == 0)) for number in range(20))
            await running.submit(*specs)
            await beacon.word()
            await running.cancel(specs[1])
            beacon.answer()
            return await ends(running, specs)

    statuses = asyncio.run(main())
    assert [number for number, status in enumerate(statuses) if status is not JobStatus.COMPLETED] == [1]
    assert statuses[1] is JobStatus.CANCELLED
    assert {number: runs for number, runs in acts.runs().items() if number != 1} == dict.fromkeys(
        {100, 0, *range(2, 20)}, 1
    )
