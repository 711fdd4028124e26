"""Stand-ins for the parts that talk to each other: the host an executor reports to, and an executor.

They keep the real parts' contracts, and let a test wait for what happens instead of sleeping.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from covalent_lab import payload
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobFinished,
    JobHandle,
    JobSpec,
    JobStarted,
    JobStatus,
    JobUpdate,
    NewPayload,
    Option,
    Outcome,
    TaskFailure,
)
from covalent_lab.ids import AttemptId

__all__ = ["FakeExecutor", "FakeHost", "completed", "failed"]


class FakeHost:
    """An `ExecutorHost` on a folder that remembers every report.

    Attributes:
        updates: All reports in order.
    """

    def __init__(self, folder: Path, inline_limit: int = 65_536) -> None:
        """Make the folders of a host below `folder`."""
        self.updates: list[JobUpdate] = []
        self._inline_limit = inline_limit
        self._work_dir, self._payload_dir = folder / "work", folder / "payloads"
        for path in (self._work_dir, self._payload_dir):
            path.mkdir(parents=True, exist_ok=True)
        self._changed = asyncio.Event()

    @property
    def inline_limit(self) -> int:
        """See `ExecutorHost`."""
        return self._inline_limit

    @property
    def work_dir(self) -> str:
        """See `ExecutorHost`."""
        return str(self._work_dir)

    @property
    def payload_dir(self) -> str:
        """See `ExecutorHost`."""
        return str(self._payload_dir)

    def payload_path(self, digest: str) -> str:
        """See `ExecutorHost`."""
        return os.path.join(self.payload_dir, digest[:2], digest)

    def report(self, update: JobUpdate) -> None:
        """See `ExecutorHost`."""
        self.updates.append(update)
        self._changed.set()

    def outcomes(self) -> dict[AttemptId, Outcome]:
        """How each finished job ended.

        Raises:
            AssertionError: A job was reported finished twice.
        """
        found: dict[AttemptId, Outcome] = {}
        for update in self.updates:
            if isinstance(update, JobFinished):
                assert update.attempt_id not in found, f"{update.attempt_id} was reported finished twice"
                found[update.attempt_id] = update.outcome
        return found

    def started(self) -> dict[AttemptId, JobStarted]:
        """The last start of each job."""
        return {update.attempt_id: update for update in self.updates if isinstance(update, JobStarted)}

    async def start_of(self, attempt_id: AttemptId, timeout_s: float = 120.0) -> JobStarted:
        """Wait for the first word on a job: what a task does may be known before it.

        Raises:
            TimeoutError: It did not come in time.
        """
        await self.until(lambda: attempt_id in self.started(), timeout_s)
        return self.started()[attempt_id]

    async def until(self, is_reached: Callable[[], bool], timeout_s: float = 120.0) -> None:
        """Wait until a condition on the reports holds.

        Raises:
            TimeoutError: It did not in time.
        """
        async with asyncio.timeout(timeout_s):
            while not is_reached():
                self._changed.clear()
                await self._changed.wait()

    async def finished(self, attempt_id: AttemptId, timeout_s: float = 120.0) -> Outcome:
        """Wait for the last word on a job.

        Raises:
            TimeoutError: It did not come in time.
        """
        await self.until(lambda: attempt_id in self.outcomes(), timeout_s)
        return self.outcomes()[attempt_id]


def completed(value: Any = None, **more: Any) -> Outcome:
    """The outcome of a job that returned a small value."""
    archive = payload.encode(value)
    output = NewPayload(ref=archive.ref, data=archive.tobytes())
    return Outcome(status=JobStatus.COMPLETED, output=output, **more)


def failed(message: str = "ValueError: no", **more: Any) -> Outcome:
    """The outcome of a job whose function raised."""
    failure = TaskFailure(message=message, is_user_error=True, traceback=f"Traceback\n{message}")
    return Outcome(status=JobStatus.FAILED, failure=failure, **more)


class FakeExecutor(Executor):
    """An executor that runs nothing: each job ends at once as `answer` says, or when the test says so.

    Args:
        answer: How a job ends; None (returned) leaves it running. Default: it returns its name.
        found: What `watch` finds of earlier jobs; those not in it are LOST.
        values: Options.

    Attributes:
        submitted: All jobs in order; their later steps (`JobSpec.then`) run one after the other as they are answered.
        cancelled: All attempts that were asked to stop.
        watched: Handles of earlier jobs.
        running: Jobs that have not ended.
    """

    short_name: ClassVar[str] = "fake"
    packs = True
    options: ClassVar[tuple[Option, ...]] = (Option(name="retries", default=0), Option(name="time_limit", default=-1))

    def __init__(
        self,
        answer: Callable[[JobSpec], Outcome | None] | None = None,
        found: Mapping[AttemptId, Outcome] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(**values)
        self.submitted: list[JobSpec] = []
        self.cancelled: list[AttemptId] = []
        self.watched: dict[AttemptId, JobHandle] = {}
        self.running: dict[AttemptId, JobSpec] = {}
        self.is_closed = False
        self._answer = answer or (lambda spec: completed(spec.name))
        self._found = found or {}
        self._host: ExecutorHost | None = None
        self._changed = asyncio.Event()

    @property
    def host(self) -> ExecutorHost:
        """Whom it reports to, once it was started."""
        assert self._host is not None, "not started"
        return self._host

    async def start(self, host: ExecutorHost) -> None:
        """See `Executor`."""
        self._host = host

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """See `Executor`."""
        for spec in specs:
            self.submitted.append(spec)
            self._begin(spec)
        self._changed.set()
        return [{"job": spec.attempt_id} for spec in specs]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """See `Executor`."""
        self.watched.update(handles)
        for attempt_id in handles:
            self.finish(attempt_id, self._found.get(attempt_id, Outcome(status=JobStatus.LOST)))
        self._changed.set()

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """See `Executor`."""
        self.cancelled.extend(handles)
        for attempt_id in handles:
            if attempt_id in self.running:
                self.finish(attempt_id, Outcome(status=JobStatus.CANCELLED))
        self._changed.set()

    async def close(self) -> None:
        """See `Executor`."""
        self.is_closed = True

    def finish(self, attempt_id: AttemptId, outcome: Outcome) -> None:
        """End a job, or let its next step begin; on the dispatcher's event loop only."""
        ended = self.running.pop(attempt_id, None)
        self.host.report(JobFinished(attempt_id=attempt_id, outcome=outcome))
        if ended is not None and ended.then and outcome.status is JobStatus.COMPLETED:
            following = replace(ended.then[0], then=ended.then[1:])
            if following.attempt_id in self.cancelled:
                self.finish(following.attempt_id, Outcome(status=JobStatus.CANCELLED))
            else:
                self._begin(following)

    def _begin(self, spec: JobSpec) -> None:
        self.running[spec.attempt_id] = spec
        self.host.report(JobStarted(attempt_id=spec.attempt_id, at=time.time()))
        outcome = self._answer(spec)
        if outcome is not None:
            self.finish(spec.attempt_id, outcome)

    async def until(self, is_reached: Callable[[], bool], timeout_s: float = 120.0) -> None:
        """Wait until a condition on what it was asked holds.

        Raises:
            TimeoutError: It did not in time.
        """
        async with asyncio.timeout(timeout_s):
            while not is_reached():
                self._changed.clear()
                await self._changed.wait()
