"""Whose turn it is."""

import pytest
from covalent_lab_executors.fair_queue import FairQueue

from covalent_lab.ids import AttemptId, DispatchId

A, B = DispatchId("a"), DispatchId("b")


def filled(*entries: tuple[DispatchId, str]) -> FairQueue[str]:
    """A queue to which jobs were put in this order."""
    queue: FairQueue[str] = FairQueue()
    for dispatch_id, name in entries:
        queue.put(dispatch_id, AttemptId(name), name)
    return queue


def test_jobs_of_one_dispatch_leave_in_order() -> None:
    """First in, first out."""
    queue = filled((A, "1"), (A, "2"), (A, "3"))

    assert queue.drain() == ["1", "2", "3"]
    assert len(queue) == 0


def test_dispatches_take_turns() -> None:
    """A job of a small dispatch is second in line behind any number of others."""
    queue = filled(*((A, f"a{n}") for n in range(1000)), (B, "b0"), (B, "b1"))

    assert [queue.pop() for _ in range(5)] == ["a0", "b0", "a1", "b1", "a2"]


def test_removed_job_never_leaves() -> None:
    """Removing says whether the job was there, and the length follows."""
    queue = filled((A, "1"), (A, "2"), (B, "3"))

    assert queue.remove(A, AttemptId("1"))
    assert not queue.remove(A, AttemptId("1"))
    assert not queue.remove(DispatchId("unknown"), AttemptId("2"))
    assert queue.remove(B, AttemptId("3"))
    assert len(queue) == 1
    assert queue.drain() == ["2"]


def test_empty_queue_has_no_next() -> None:
    """Popping from it is an error."""
    with pytest.raises(KeyError):
        FairQueue[str]().pop()


def test_the_next_job_can_be_looked_at() -> None:
    """It is the one that leaves; looking takes nothing."""
    queue = filled((A, "1"), (B, "2"))

    assert [queue.peek(), queue.pop(), queue.peek(), queue.pop(), queue.peek()] == ["1", "1", "2", "2", None]


def test_a_job_that_is_put_back_is_next() -> None:
    """Before others of its dispatch and before other dispatches, whether or not more of its own wait."""
    queue = filled((A, "1"), (B, "2"), (A, "3"))
    taken = [queue.pop(), queue.pop()]

    for dispatch_id, name in zip((B, A), reversed(taken), strict=True):
        queue.put_back(dispatch_id, AttemptId(name), name)

    assert queue.drain() == ["1", "2", "3"]
