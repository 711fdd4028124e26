"""The pool of the local executor against workers that may be held up at any point, in every order that chance finds.

The workers here do what `worker.py` does with messages and grants, one step at a time; who comes next is drawn.
Whatever happens, every job ends once, none is forgotten, and nobody keeps a place without using it.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors import local_pool
from covalent_lab_executors.local_messages import Placement
from covalent_lab_executors.local_pool import Pool
from covalent_lab_executors.local_seats import Job
from hypothesis import example, given, settings
from hypothesis import strategies as st

from covalent_lab.executor.base import JobSpec, JobStatus, Outcome
from covalent_lab.ids import AttemptId
from covalent_lab.testing.jobs import job

KILLED, CRASHED = -9, 3


class Handle:
    """A callback that waits for its time."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.is_cancelled = at, call, False

    def cancel(self) -> None:
        """Drop it."""
        self.is_cancelled = True


class Loop:
    """As much of an event loop as a pool uses; whoever has it runs the callbacks."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ready: deque[Callable[[], None]] = deque()
        self._timers: list[Handle] = []

    def time(self) -> float:
        """Seconds since the beginning."""
        return self.now

    def call_soon(self, call: Callable[..., None], *args: Any) -> None:
        """Run it in the next turn."""
        self.ready.append(lambda: call(*args))

    def call_later(self, seconds: float, call: Callable[..., None], *args: Any) -> Handle:
        """Run it when so much time has passed, or later."""
        handle = Handle(self.now + seconds, lambda: call(*args))
        self._timers.append(handle)
        return handle

    @property
    def timers(self) -> list[Handle]:
        """Those that wait, in the order of their times."""
        self._timers = sorted((timer for timer in self._timers if not timer.is_cancelled), key=lambda timer: timer.at)
        return self._timers

    def turn(self) -> None:
        """Run the next callback."""
        self.ready.popleft()()

    def fire(self) -> None:
        """Let time pass until the next timer, and run it."""
        timer = self.timers.pop(0)
        self.now = max(self.now, timer.at)
        timer.call()


class Process:
    """A worker process, as the pool sees it, and what goes on inside."""

    def __init__(self, world: "World", owner: Pool, pid: int) -> None:
        self.pid, self.stdout_path, self.stderr_path = pid, "out", "err"
        self.part_path, self.stop_path, self.is_garbled = "part", "stop", False
        self._world, self._owner = world, owner
        self._inbox: deque[Mapping[str, Any]] = deque()
        self._outbox: deque[dict[str, Any]] = deque()
        self._grants: deque[int] = deque()
        self._kept: int | None = None
        self._number = 0
        self._is_resting = self.is_dying = False
        self.exit_code: int | None = None
        self.running: str | None = None
        self._steps = self._serve()

    # What the pool calls

    def send(self, control: Mapping[str, Any], body: Sequence[bytes]) -> None:
        self._inbox.append(control)

    def stop_steps(self, steps: object) -> None:
        assert not steps

    def grant(self, count: int) -> int:
        self._number = (self._number + 1) % 256
        self._grants.extend([self._number] * count)
        return self._number

    def take_back(self) -> int:
        count = len(self._grants)
        self._grants.clear()
        return count

    def read_now(self) -> None:
        while self._outbox:
            self.read(len(self._outbox))

    def rest(self, seconds: float) -> None:
        if not self._is_resting:
            self._is_resting = True
            self._world.loop.call_later(seconds, self._rested)

    def terminate(self, grace_s: float) -> None:
        self.is_dying = True

    def kill(self) -> None:
        self.is_dying = True

    def stdout_tail(self) -> str:
        return ""

    stderr_tail = stdout_tail

    def remove_files(self) -> None:
        return

    # What the world may do with it

    @property
    def can_be_read(self) -> bool:
        """Whether the selector would say so."""
        return bool(self._outbox) and not self._is_resting

    @property
    def can_step(self) -> bool:
        """Whether the process would do anything."""
        return self.exit_code is None and (self._is_busy or bool(self._inbox))

    def read(self, count: int) -> None:
        """The pool gets the next messages."""
        for _ in range(min(count, len(self._outbox))):
            message = self._outbox.popleft()
            self._owner.on_message(self, message, b"")  # type: ignore[arg-type]

    def read_some(self) -> None:
        """The pool gets as many messages as happened to be there."""
        self.read(self._world.chance.randint(1, 40))

    def step(self) -> None:
        """The process runs a little further."""
        next(self._steps)

    def end(self, exit_code: int) -> None:
        """It is gone; the pool learns of it when `report_end` is called."""
        self.exit_code = exit_code
        if self.running and exit_code == KILLED:
            self._world.broken_off.append(AttemptId(self.running))

    def report_end(self) -> None:
        """What it had sent is read, and then the pool is told."""
        self._is_resting = False
        self.read_now()
        self._owner.on_exit(self, self.exit_code or 0)  # type: ignore[arg-type]

    def _rested(self) -> None:
        self._is_resting = False
        self.read_some()

    def _serve(self) -> Iterator[None]:
        self._is_busy = True
        yield
        self._outbox.append({"ready": self.pid, "python_version": "3.11"})
        while True:
            self._is_busy = False
            yield
            message = self._inbox.popleft()
            goes_on = self._is_busy = True
            for place, told in enumerate(message["jobs"]):
                if place and goes_on:
                    yield
                    goes_on = self._take(message["number"])
                if not goes_on:
                    continue
                self.running = {**message["shared"], **told}["job"]
                self._world.runs.append(AttemptId(self.running))
                yield
                self._outbox.append(answer(self.running))
                self.running = None

    def _take(self, number: int) -> bool:
        """As `Claims.take`."""
        grant, self._kept = self._kept, None
        if grant is None and self._grants:
            grant = self._grants.popleft()
        if grant is None or grant == number:
            return grant is not None
        self._kept = grant
        return False

    _is_busy = True


def answer(attempt_id: str) -> dict[str, Any]:
    """What a worker says of a task that took no time."""
    told = {"job": attempt_id, "started": 1.0, "ended": 1.0001, "output": ["0" * 40, 1]}
    return {**told, "goes_on": False, "body": [0, 0, 0]}


class World:
    """A pool, its workers, and chance."""

    def __init__(self, folder: Path, seed: int, size: int) -> None:
        self.chance = random.Random(seed)
        self.loop = Loop()
        self.processes: list[Process] = []
        self.runs: list[AttemptId] = []
        self.told: dict[AttemptId, list[JobStatus]] = {}
        self.begun: list[AttemptId] = []
        self.broken_off: list[AttemptId] = []
        self.crashes = 0
        self.pool = Pool(size=size, folder=str(folder), payload_dir=str(folder), owner=self, loop=self.loop)  # type: ignore[arg-type]

    # What the pool calls

    def place(self, spec: JobSpec, part_path: str, stop_path: str, note: str) -> Placement:
        return Placement(
            workdir="", inline_limit=1, payload_dir="", part=part_path, stop=stop_path, cache_dir="", note=note
        )

    def on_started(self, spec: JobSpec, at: float, stdout_path: str, stderr_path: str) -> None:
        self.begun.append(spec.attempt_id)

    def on_finished(self, spec: JobSpec, outcome: Outcome) -> None:
        self.told.setdefault(spec.attempt_id, []).append(outcome.status)

    def spawn(self, *, owner: Pool, **_: Any) -> Process:
        """Stands for the class of worker processes."""
        self.processes.append(Process(self, owner, len(self.processes)))
        return self.processes[-1]

    # What happens

    def happenings(self) -> list[Callable[[], None]]:
        """Everything that may come next, but for the passing of time."""
        found: list[Callable[[], None]] = [self.loop.turn] if self.loop.ready else []
        for process in self.processes:
            if process.exit_code is not None:
                found.append(partial(self._bury, process))
                continue
            if process.can_be_read:
                found.append(process.read_some)
            if process.can_step:
                found.append(process.step)
            if process.is_dying:
                found.append(partial(process.end, KILLED))
        return found

    def go(self, steps: int) -> None:
        """Let so many things happen, or as many as there are."""
        for _ in range(steps):
            found = self.happenings()
            if self.loop.timers and (not found or self.chance.random() < 0.1):
                self.loop.fire()
            elif found:
                self.chance.choice(found)()
            else:
                return

    def crash(self) -> None:
        """A task takes its process with it, if any runs."""
        running = [process for process in self.processes if process.running and process.exit_code is None]
        if running:
            self.chance.choice(running).end(CRASHED)
            self.crashes += 1

    def _bury(self, process: Process) -> None:
        self.processes.remove(process)
        process.report_end()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where nothing is written."""
    return tmp_path_factory.mktemp("pool")


@example(seed=2193, size=1)  # a worker that holds a grant is told to stop, and goes on for a while
@given(seed=st.integers(0, 2**32), size=st.integers(1, 3))
@settings(max_examples=300)
def test_every_job_ends_once_and_no_worker_is_lost(folder: Path, seed: int, size: int) -> None:
    """With cancels and crashes at any moment."""
    with pytest.MonkeyPatch.context() as patch:
        world = World(folder, seed, size)
        patch.setattr(local_pool, "WorkerProcess", world.spawn)
        chance, pool = world.chance, world.pool
        pool.warm()
        asked: list[AttemptId] = []
        cancelled: set[AttemptId] = set()
        for _ in range(chance.randint(1, 12)):
            for _ in range(chance.choice([1, 3, 60])):
                spec = job(abs, 1, dispatch_id=chance.choice("ab"), node_id=len(asked))
                asked.append(spec.attempt_id)
                pool.add(Job(spec=spec, grace_s=1.0))
            world.go(chance.randint(0, 80))
            match chance.randint(0, 5):
                case 0 | 1:
                    cancelled.add(chance.choice(asked))
                    pool.cancel(sorted(cancelled)[-1])
                case 2:
                    world.crash()
        world.go(100_000)

    assert sorted(world.told) == sorted(asked)
    assert {attempt: ends for attempt, ends in world.told.items() if len(ends) != 1} == {}
    ends = {attempt: told[0] for attempt, told in world.told.items()}
    assert {attempt for attempt, status in ends.items() if status is JobStatus.CANCELLED} <= cancelled
    assert sum(status is JobStatus.FAILED for status in ends.values()) <= world.crashes
    assert {attempt for attempt, status in ends.items() if status is JobStatus.COMPLETED} <= set(world.runs)
    assert {attempt for attempt in world.runs if world.runs.count(attempt) > 1} <= set(world.broken_off)
    assert pool.free == size
    assert {seat.state for seat in pool._seats.values()} == {local_pool.State.IDLE}
