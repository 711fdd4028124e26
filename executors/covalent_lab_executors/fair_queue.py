"""A queue that serves its dispatches in turn, first in, first out within each.

Decides who is next; does not know what waits in it.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

from covalent_lab.ids import AttemptId, DispatchId

__all__ = ["FairQueue"]

JobT = TypeVar("JobT")


class FairQueue(Generic[JobT]):
    """Round robin over dispatches, so that a small one does not wait for a fan of 10,000; all verbs are O(1)."""

    def __init__(self) -> None:
        self._dispatches: OrderedDict[DispatchId, OrderedDict[AttemptId, JobT]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, dispatch_id: DispatchId, attempt_id: AttemptId, job: JobT) -> None:
        """Append a job to the line of its dispatch; its attempt id must be new."""
        self._dispatches.setdefault(dispatch_id, OrderedDict())[attempt_id] = job
        self._length += 1

    def pop(self) -> JobT:
        """Take the first job of the dispatch whose turn it is.

        Raises:
            KeyError: Nobody waits.
        """
        dispatch_id, jobs = next(iter(self._dispatches.items()), (None, None))
        if dispatch_id is None or jobs is None:
            raise KeyError("the queue is empty")
        _, job = jobs.popitem(last=False)
        self._length -= 1
        if jobs:
            self._dispatches.move_to_end(dispatch_id)
        else:
            del self._dispatches[dispatch_id]
        return job

    def peek(self) -> JobT | None:
        """The job that `pop` would take, None if nobody waits."""
        jobs = next(iter(self._dispatches.values()), None)
        return None if jobs is None else next(iter(jobs.values()))

    def put_back(self, dispatch_id: DispatchId, attempt_id: AttemptId, job: JobT) -> None:
        """Return a job that was taken to the head of the line of its dispatch, and let it be that dispatch's turn."""
        self.put(dispatch_id, attempt_id, job)
        self._dispatches[dispatch_id].move_to_end(attempt_id, last=False)
        self._dispatches.move_to_end(dispatch_id, last=False)

    def remove(self, dispatch_id: DispatchId, attempt_id: AttemptId) -> bool:
        """Drop one job; False if it does not wait here."""
        jobs = self._dispatches.get(dispatch_id)
        if jobs is None or attempt_id not in jobs:
            return False
        del jobs[attempt_id]
        self._length -= 1
        if not jobs:
            del self._dispatches[dispatch_id]
        return True

    def drain(self) -> list[JobT]:
        """Take everything, in the order in which `pop` would."""
        return [self.pop() for _ in range(self._length)]
