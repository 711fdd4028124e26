"""How long calls of a function take, and which jobs are so short that they travel together."""

from covalent_lab.executor.base import JobSpec, Outcome
from covalent_lab_executors.fair_queue import FairQueue
from covalent_lab_executors.local_seats import Job

__all__ = ["Paces", "draw"]

_BATCH_S = 0.01
"""How long the jobs of one message may take in all, by what their functions took before."""
_MAX_BATCH = 32
_MAX_PACES = 10_000


class Paces:
    """The seconds that the next call of a function is expected to take."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def expected_s(self, job: Job) -> float:
        """How long a job will take; more than fits where that is not known, or it needs its worker for itself."""
        if job.later or job.spec.hooks:
            return _BATCH_S
        return self.of(job.spec, _BATCH_S)

    def of(self, spec: JobSpec, otherwise: float) -> float:
        """How long the function of a task takes, if that is known."""
        return self._seconds.get(spec.function.ref.digest, otherwise)

    def learn(self, spec: JobSpec, outcome: Outcome) -> None:
        """Note how long a function took: longer than expected counts at once, shorter by and by."""
        if outcome.started_at is not None and outcome.ended_at is not None:
            taken_s, digest = outcome.ended_at - outcome.started_at, spec.function.ref.digest
            if len(self._seconds) >= _MAX_PACES:
                self._seconds.clear()
            self._seconds[digest] = max(taken_s, (self._seconds.get(digest, taken_s) + taken_s) / 2)


def draw(queue: FairQueue[Job], paces: Paces, workers: int) -> list[Job]:
    """Take the next job, and with it others if all were seen to be short; as many remain for every other worker."""
    jobs = [queue.pop()]
    most = min(_MAX_BATCH, len(queue) // (2 * workers))
    left_s = _BATCH_S - paces.expected_s(jobs[0])
    while len(jobs) < most and left_s > 0:
        following = queue.peek()
        if following is not None:
            left_s -= paces.expected_s(following)
        if following is None or left_s <= 0:
            break
        jobs.append(queue.pop())
    return jobs
