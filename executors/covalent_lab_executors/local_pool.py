"""A pool of warm worker processes, one sub-pool for each interpreter, at most `size` at work in total.

Decides which job runs where and when processes come and go. Does not know what is inside a job, nor of its host: what
happens to jobs is told to a `PoolOwner`.
"""

import asyncio
import itertools
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from covalent_lab.executor.base import JobSpec, JobStatus, Outcome, TaskFailure
from covalent_lab.ids import AttemptId
from covalent_lab_executors.local_messages import (
    Placement,
    decode_answer,
    encode_job,
    encode_message,
    explain_death,
)
from covalent_lab_executors.local_paces import Paces, draw
from covalent_lab_executors.local_process import WorkerProcess, sweep
from covalent_lab_executors.local_seats import Group, Job, Seat, State

__all__ = ["Pool", "PoolOwner"]

_log = logging.getLogger(__name__)

_MAX_FAILED_STARTS = 3
_MAX_WARM = 4
_RETRY_S = 30.0
"""How long an interpreter that could not be used is left alone."""
_CLOSE_S = 5.0
"""How long killed processes may take to disappear."""
_TURN_S = 1.0
"""How long an interpreter without any worker waits before a busier one must give one up."""
_TAKE_BACK_S = 0.05
"""When jobs of a message that did not get their turn are given to others: one of them takes longer than before."""
_GATHER_S = 0.001
"""How long answers of such jobs gather, to be read together."""


class PoolOwner(Protocol):
    """Who is told about jobs."""

    def place(self, spec: JobSpec, part_path: str, stop_path: str, note: str) -> Placement:
        """Where a step of a job runs.

        Raises:
            TypeError, ValueError: Its options make no sense.
        """
        ...

    def on_started(self, spec: JobSpec, at: float, stdout_path: str, stderr_path: str) -> None:
        """A step of a job was begun; the first one is when an idle process gets the job."""
        ...

    def on_finished(self, spec: JobSpec, outcome: Outcome) -> None:
        """The last word on a step; comes once for each up to the first that does not complete."""
        ...


class Pool:
    """Runs jobs on warm processes; every method is called on the event loop and returns at once."""

    def __init__(
        self, *, size: int, folder: str, payload_dir: str, owner: PoolOwner, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Prepare an empty pool; `warm` or the first job fills it.

        Args:
            size: Most workers at a time.
            folder: For stream files; may be shared with pools of other processes.
            payload_dir: For payloads being written; on the file system of the finished ones.
            owner: Told about jobs.
            loop: The event loop that owns the pool.
        """
        self._size, self._owner, self._loop = size, owner, loop
        self._folder, self._payload_dir = folder, payload_dir
        self._jobs: dict[AttemptId, Job] = {}
        self._groups: dict[str, Group] = {}
        self._own = self._group(sys.executable)
        self._unusable: dict[str, tuple[str, float]] = {}
        self._seats: dict[WorkerProcess, Seat] = {}
        self._paces = Paces()
        self._numbers = itertools.count(1)
        self._is_pumping = False
        self._is_closed = False
        self._all_gone = asyncio.Event()
        for place in (folder, payload_dir):
            sweep(place)

    def warm(self) -> None:
        """Start a few workers in advance."""
        self._schedule()

    def add(self, job: Job) -> None:
        """Queue a job. One that is known already (same attempt) is not run twice."""
        attempt_id = job.spec.attempt_id
        if attempt_id in self._jobs:
            return
        self._jobs.update(dict.fromkeys((attempt_id, *(step.attempt_id for step in job.later)), job))
        self._queue(job, job.spec.client.get("python") or sys.executable)
        self._schedule()

    def knows(self, attempt_id: AttemptId) -> bool:
        """Whether a job, or a step of one, waits or runs here."""
        return attempt_id in self._jobs

    @property
    def free(self) -> int:
        """How many more jobs could run at this moment."""
        return self._size - sum(bool(seat.jobs) for seat in self._seats.values())

    def cancel(self, attempt_id: AttemptId) -> None:
        """Stop a job, or let it end before a later step; unknown ones are ignored."""
        job = self._jobs.get(attempt_id)
        if job is not None and job.seat is not None and len(job.seat.jobs) > 1:
            self._take_back(job.seat, unwanted=job)
            job = self._jobs.get(attempt_id)
        if job is None or job.is_cancelled:
            return
        if attempt_id != job.spec.attempt_id:
            job.stops.add(attempt_id)
            if job.seat is not None:
                job.seat.process.stop_steps(job.stops)
            return
        job.is_cancelled = True
        if job.seat is None:
            for group in self._groups.values():
                group.queue.remove(job.spec.dispatch_id, attempt_id)
            self._finish(job, Outcome(status=JobStatus.CANCELLED))
            return
        if job is job.seat.jobs[0]:
            self._stop(job.seat)  # another one is stopped when its worker comes to it

    def _stop(self, seat: Seat) -> None:
        """End the job that a worker has come to; the place is filled at once."""
        seat.process.terminate(seat.jobs[0].grace_s)
        self._vacate(seat)
        self._schedule()

    async def close(self, grace_s: float) -> None:
        """Stop all workers; what they were doing is reported no more."""
        if not self._is_closed:
            self._is_closed = True
            self._jobs.clear()
            for seat in self._seats.values():
                if seat.jobs:
                    seat.process.terminate(grace_s)
                else:
                    seat.process.kill()
                self._vacate(seat)
        if self._seats:
            try:
                await asyncio.wait_for(self._all_gone.wait(), grace_s + _CLOSE_S)
            except TimeoutError:
                _log.warning("Workers do not end: %s", ", ".join(str(process.pid) for process in self._seats))

    # Messages and ends of processes

    def on_message(self, process: WorkerProcess, control: Mapping[str, Any], body: bytes) -> None:
        """See `ProcessOwner`."""
        seat = self._seats[process]
        if "ready" in control and seat.state is State.STARTING:
            seat.python_version = str(control.get("python_version", ""))
            seat.group.starting -= 1
            self._release(seat)
            return
        job = seat.jobs[0] if seat.jobs else None
        if job is None or self._is_closed or (job.is_cancelled and len(seat.jobs) == 1):
            return
        try:
            if control["job"] != job.spec.attempt_id:
                raise ValueError("an answer about another job")
            outcome = decode_answer(control, body)
            goes_on, following = bool(control["goes_on"]), job.following(outcome)
            if goes_on if following is None else not (goes_on or following.attempt_id in job.stops):
                raise ValueError("an answer that does not agree with the steps of its job")
        except (KeyError, TypeError, ValueError) as error:
            _log.warning("Worker %d sent an answer that cannot be read: %s", process.pid, error)
            process.reject()
            return
        if seat.state is State.LEAVING:
            self._hear_out(seat, outcome)
            return
        self._paces.learn(job.spec, outcome)
        if following is None:
            self._finish(job, outcome)
        else:
            self._go_on(seat, job, outcome, goes_on)
        if goes_on:
            return
        seat.jobs.popleft()
        if seat.jobs:
            self._begin(seat, outcome.ended_at or time.time())
            if seat.jobs[0].is_cancelled:
                self._stop(seat)
            else:
                process.rest(_GATHER_S)
            return
        if control.get("retire"):  # native code of packages that only this task wanted
            self._retire(seat)
            self._schedule()
            return
        self._release(seat)

    def _hear_out(self, seat: Seat, outcome: Outcome) -> None:
        """A worker ended a job although it was told to stop, and may come to the next, for which it holds the grant."""
        if seat.jobs[0].is_cancelled:
            outcome = Outcome(status=JobStatus.CANCELLED, stdout=outcome.stdout, stderr=outcome.stderr)
        else:
            self._begin(seat, outcome.started_at or time.time())
        self._finish(seat.jobs.popleft(), outcome)

    def _go_on(self, seat: Seat, job: Job, outcome: Outcome, is_begun: bool) -> None:
        """Come to the next step of a job, which its worker has begun, or else saw that it is not to be run."""
        self._jobs.pop(job.spec.attempt_id)
        self._owner.on_finished(job.spec, outcome)
        job.spec = job.later.popleft()
        if not is_begun:
            self._finish(job, Outcome(status=JobStatus.CANCELLED))
            return
        self._begin(seat, outcome.ended_at or time.time())
        if job.spec.attempt_id in job.stops:  # too late for the worker to see
            self.cancel(job.spec.attempt_id)

    def on_exit(self, process: WorkerProcess, exit_code: int) -> None:
        """See `ProcessOwner`."""
        seat = self._seats.pop(process)
        was_expected = seat.state is State.LEAVING
        job, *others = seat.jobs or (None,)
        seat.jobs.clear()
        self._vacate(seat)
        stdout, stderr = process.stdout_tail(), process.stderr_tail()
        process.remove_files()
        if self._is_closed:
            if not self._seats:
                self._all_gone.set()
            return
        if job is not None and was_expected and not job.is_cancelled:
            self._put_back([job, *others])  # the end was meant for the one before it
        elif job is not None:
            message = explain_death(exit_code)
            if process.is_garbled:
                message = "The task's process was stopped: something wrote into its channel to the server."
            outcome = Outcome(
                status=JobStatus.CANCELLED if job.is_cancelled else JobStatus.FAILED,
                failure=None if job.is_cancelled else TaskFailure(message=message, is_user_error=False),
                stdout=stdout,
                stderr=stderr,
                started_at=job.started_at,
                ended_at=time.time(),
            )
            self._finish(job, outcome)
            self._put_back(others)
        elif not (was_expected or seat.has_worked):
            self._on_failed_start(seat.group, stderr.strip() or explain_death(exit_code))
        self._schedule()

    def _on_failed_start(self, group: Group, reason: str) -> None:
        group.failed_starts += 1
        if group.failed_starts < _MAX_FAILED_STARTS:
            return
        last = reason.splitlines()[-1]
        _log.warning("Workers of %s do not start: %s", group.python, last)
        jobs = group.queue.drain()
        if group is not self._own:
            self._unusable[group.python] = (last, self._loop.time())
            self._groups.pop(group.python, None)
            for seat in tuple(group.idle):
                self._retire(seat)
            for job in jobs:
                self._queue(job, group.python)
            return
        message = f"No worker process can be started with {group.python}: {last}. Check that it can import cloudpickle."
        for job in jobs:
            failure = TaskFailure(message=message, is_user_error=False)
            self._finish(job, Outcome(status=JobStatus.FAILED, failure=failure, stderr=reason))

    # Who works where

    def _group(self, python: str) -> Group:
        if python not in self._groups:
            self._groups[python] = Group(python=python)
        return self._groups[python]

    def _queue(self, job: Job, python: str, *, is_first: bool = False) -> None:
        now = self._loop.time()
        reason, since = self._unusable.get(python, ("", 0.0))
        if python not in self._groups and (not reason or now - since > _RETRY_S):
            reason = "" if os.access(python, os.X_OK) else "there is no such program on this machine"
            self._unusable.pop(python, None)
            if reason:
                self._unusable[python] = (reason, now)
        if reason:
            job.note = (
                f"covalent-lab: cannot use the interpreter of the notebook, {python} ({reason}); "
                f"the task runs with {sys.executable}."
            )
            python = sys.executable
        group = self._group(python)
        put = group.queue.put_back if is_first else group.queue.put
        put(job.spec.dispatch_id, job.spec.attempt_id, job)
        if group.failed_starts >= _MAX_FAILED_STARTS:
            group.failed_starts = 0
        if group.waiting_since is None:
            group.waiting_since = now

    def _schedule(self) -> None:
        if not self._is_pumping and not self._is_closed:
            self._is_pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._is_pumping = False
        if self._is_closed:
            return
        for group in tuple(self._groups.values()):
            while group.queue and group.idle:
                self._assign(group.idle.pop())
        if self._grow():
            self._schedule()  # one process for each turn of the loop, so that nothing else waits for all of them

    def _grow(self) -> bool:
        wanting = [group for group in self._groups.values() if len(group.queue) > group.starting]
        wanting.sort(key=lambda group: len(group.seats))
        at_work = sum(len(group.seats) for group in self._groups.values())
        if not wanting:
            is_cold = len(self._own.seats) < _MAX_WARM and self._own.failed_starts < _MAX_FAILED_STARTS
            return at_work < self._size and is_cold and self._spawn(self._own)
        if at_work < self._size:
            return self._spawn(wanting[0])
        for group in self._groups.values():
            if group.idle:  # then nobody waits for this interpreter
                self._retire(group.idle[-1])
                return self._spawn(wanting[0])
        return False

    def _spawn(self, group: Group) -> bool:
        stem = f"{os.getpid()}-{next(self._numbers)}"
        try:
            process = WorkerProcess(
                python=group.python,
                stem=str(Path(self._folder, stem)),
                part_path=str(Path(self._payload_dir, f"{stem}.part")),
                owner=self,
                loop=self._loop,
            )
        except OSError as error:
            self._on_failed_start(group, f"{type(error).__name__}: {error}")
            return True
        seat = Seat(group=group, process=process)
        group.seats.add(seat)
        group.starting += 1
        self._seats[process] = seat
        return True

    def _retire(self, seat: Seat) -> None:
        self._vacate(seat)
        seat.process.kill()

    def _vacate(self, seat: Seat) -> None:
        """Count a worker no more."""
        group = seat.group
        self._end_batch(seat)
        if seat.state is State.STARTING:
            group.starting -= 1
        if seat in group.idle:
            group.idle.remove(seat)
        group.seats.discard(seat)
        seat.state = State.LEAVING

    def _release(self, seat: Seat) -> None:
        """A worker has nothing to do: give it the next job, or its place to another interpreter."""
        group = seat.group
        self._end_batch(seat)
        if seat.state is State.LEAVING:
            return
        seat.state = State.IDLE
        is_orphan = self._groups.get(group.python) is not group
        if is_orphan or (len(self._groups) > 1 and self._has_claimant(group)):
            self._retire(seat)
            self._schedule()
        elif group.queue:
            self._assign(seat)
        else:
            group.idle.append(seat)
            if len(self._groups) > 1:
                self._schedule()

    def _has_claimant(self, giver: Group) -> bool:
        """Whether another interpreter has fewer workers than its share, and this one more, or more than patience."""
        active = [group for group in self._groups.values() if group.queue or group is giver]
        share = max(1, self._size // len(active))
        now = self._loop.time()
        return any(
            len(group.seats) < share
            and (
                len(giver.seats) > share
                or (not group.seats and group.waiting_since is not None and now - group.waiting_since > _TURN_S)
            )
            for group in active
            if group is not giver
        )

    def _assign(self, seat: Seat) -> None:
        """Give an idle worker what is next in its line."""
        group, process = seat.group, seat.process
        controls: list[dict[str, Any]] = []
        body: list[bytes] = []
        at = 0
        for job in draw(group.queue, self._paces, self._size):
            try:
                control, pieces = self._encode(job, seat, at)
            except (TypeError, ValueError) as error:
                failure = TaskFailure(
                    message=f"Task {job.spec.name!r} cannot be started: {error}.", is_user_error=False
                )
                self._finish(job, Outcome(status=JobStatus.FAILED, failure=failure))
                continue
            controls.append(control)
            body += pieces
            at += sum(map(len, pieces))
            seat.jobs.append(job)
            job.seat = seat
        group.waiting_since = self._loop.time() if group.queue else None
        if not seat.jobs:
            self._release(seat)
            return
        seat.state, seat.has_worked = State.BUSY, True
        group.failed_starts = 0
        job = seat.jobs[0]
        if job.later:
            process.stop_steps(job.stops)
        number, began_at = process.grant(len(controls) - 1), time.time()  # it may have ended before send returns
        process.send({**encode_message(controls), "number": number}, body)
        if len(controls) > 1:
            seat.taking_back = self._loop.call_later(_TAKE_BACK_S, self._take_back, seat)
            process.rest(_GATHER_S)
        self._begin(seat, began_at)

    def _encode(self, job: Job, seat: Seat, at: int) -> tuple[dict[str, Any], list[bytes]]:
        spec, process = job.spec, seat.process
        version = spec.client.get("python_version", "")
        if version.split(".")[:2] != seat.python_version.split(".")[:2] and version and not job.note:
            job.note = (
                f"covalent-lab: written with Python {version}, runs with Python {seat.python_version}; "
                "functions may not load there."
            )
        steps = [
            (step, self._owner.place(step, process.part_path, process.stop_path, job.note))
            for step in (spec, *job.later)
        ]
        return encode_job(*steps[0], seat.shelf, steps[1:], at)

    def _begin(self, seat: Seat, at: float) -> None:
        """The step that a worker has come to is under way."""
        job, process = seat.jobs[0], seat.process
        job.started_at = at
        self._owner.on_started(job.spec, job.started_at, process.stdout_path, process.stderr_path)

    @staticmethod
    def _end_batch(seat: Seat) -> None:
        if seat.taking_back is not None:
            seat.taking_back.cancel()
            seat.taking_back = None

    def _take_back(self, seat: Seat, unwanted: Job | None = None) -> None:
        """Queue the jobs again that a worker has not come to; afterwards it has one, which is under way, or none.

        It may also have one for which it holds the grant already. An unwanted job is not queued but cancelled: the
        worker may be given others here and now, and that one could be among them.
        """
        self._end_batch(seat)
        others = [seat.jobs.pop() for _ in range(seat.process.take_back())][::-1]
        for job in others:
            job.is_cancelled = job.is_cancelled or job is unwanted
        self._put_back(others)
        if seat.jobs:
            seat.process.read_now()
        else:  # it has answered one and not taken up the next, so nothing more comes from it
            self._loop.call_soon(self._release, seat)
        self._schedule()

    def _put_back(self, jobs: Sequence[Job]) -> None:
        for job in reversed(jobs):
            job.seat = None
            if job.is_cancelled:
                self._finish(job, Outcome(status=JobStatus.CANCELLED))
            else:
                self._queue(job, job.spec.client.get("python") or sys.executable, is_first=True)

    def _finish(self, job: Job, outcome: Outcome) -> None:
        if self._jobs.pop(job.spec.attempt_id, None) is not None:
            job.seat = None
            for step in job.later:
                self._jobs.pop(step.attempt_id, None)
            self._owner.on_finished(job.spec, outcome)
