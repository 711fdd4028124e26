"""What becomes of the jobs of a Dask cluster: their steps in turn, each start and end reported once. Does no I/O."""

from collections.abc import Callable
from dataclasses import replace

from covalent_lab.executor.base import (
    JobFinished,
    JobIdentified,
    JobStarted,
    JobStatus,
    JobUpdate,
    Outcome,
    TaskFailure,
)
from covalent_lab.ids import AttemptId
from covalent_lab_executors.dask_jobs import Job, Order

__all__ = ["Ledger", "lost", "trouble"]


class Ledger:
    """The jobs that have not ended.

    Args:
        report: Told about starts, ends and new handles.
    """

    def __init__(self, report: Callable[[JobUpdate], None]) -> None:
        self._report = report
        self._jobs: dict[AttemptId, Job] = {}

    def __len__(self) -> int:
        """How many steps have not ended."""
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """Take a job over, with all its steps."""
        self._jobs.update(dict.fromkeys((job.attempt_id, *job.later), job))

    def get(self, attempt_id: AttemptId) -> Job | None:
        """The job that a step belongs to, whether it has come to it or not."""
        return self._jobs.get(attempt_id)

    def in_turn(self, attempt_id: AttemptId, order: Order) -> Job | None:
        """The job that has come to a step, if it still travels in an order."""
        job = self._jobs.get(attempt_id)
        return job if job is not None and job.order is order and job.attempt_id == attempt_id else None

    def started(self, job: Job, at: float) -> None:
        """The present step began."""
        if not job.has_started:
            job.has_started = True
            self._report(JobStarted(attempt_id=job.attempt_id, at=at))

    def end_step(self, job: Job, outcome: Outcome) -> None:
        """The present step ended; come to the next one if there is one."""
        if job.is_cancelled or outcome.status is not JobStatus.COMPLETED or not job.later:
            self.finish(job, outcome)
            return
        self._report_end(job, outcome)
        del self._jobs[job.attempt_id]
        job.attempt_id, job.has_started = job.later.popleft(), False
        job.is_cancelled = job.attempt_id in job.stops

    def finish(self, job: Job, outcome: Outcome) -> None:
        """The job ended with its present step; nothing is told of those after it."""
        if self._jobs.get(job.attempt_id) is not job:
            return
        for attempt_id in (job.attempt_id, *job.later):
            del self._jobs[attempt_id]
        if job in job.order.jobs:
            job.order.jobs.remove(job)
        if job.is_cancelled:
            outcome = replace(outcome, status=JobStatus.CANCELLED, output=None, failure=None)
        self._report_end(job, outcome)

    def finish_all(self, order: Order, outcome: Outcome) -> None:
        """All jobs that are left in an order ended alike."""
        for job in list(order.jobs):
            self.finish(job, outcome)

    def identify(self, job: Job) -> None:
        """The job is known by another handle from now on."""
        self._report(JobIdentified(attempt_id=job.attempt_id, handle=job.order.handle))

    def _report_end(self, job: Job, outcome: Outcome) -> None:
        if outcome.started_at is not None:
            self.started(job, outcome.started_at)
        self._report(JobFinished(attempt_id=job.attempt_id, outcome=outcome))


def trouble(status: JobStatus, message: str) -> Outcome:
    """An end that is not the task's fault, and may pass."""
    return Outcome(status=status, failure=TaskFailure(message=message, is_user_error=False, is_transient=True))


def lost(reason: str) -> Outcome:
    """An end that nobody knows."""
    return trouble(JobStatus.LOST, f"Nobody can tell how this task ended: {reason}. Run it again.")
