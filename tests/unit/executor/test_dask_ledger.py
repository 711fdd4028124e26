"""What becomes of the jobs of a Dask cluster, and that each start and end is told once."""

from collections import deque

import pytest
from covalent_lab_executors.dask_jobs import Job, Order
from covalent_lab_executors.dask_ledger import Ledger, lost

from covalent_lab.executor.base import JobFinished, JobIdentified, JobStarted, JobStatus, JobUpdate, Outcome
from covalent_lab.ids import AttemptId
from covalent_lab.testing.fakes import completed

ONE, TWO, THREE = AttemptId("one"), AttemptId("two"), AttemptId("three")


@pytest.fixture
def told() -> list[JobUpdate]:
    """All that was reported."""
    return []


@pytest.fixture
def ledger(told: list[JobUpdate]) -> Ledger:
    """One without jobs."""
    return Ledger(told.append)


def job_of(ledger: Ledger, first: AttemptId, *later: AttemptId) -> Job:
    """A job in an order of its own."""
    job = Job(attempt_id=first, grace_s=1.0, later=deque(later))
    Order(address="tcp://host", key=f"key-{first}", jobs=[job])
    ledger.add(job)
    return job


def ends(told: list[JobUpdate]) -> list[tuple[AttemptId, JobStatus]]:
    """How steps ended, in order."""
    return [(update.attempt_id, update.outcome.status) for update in told if isinstance(update, JobFinished)]


def test_steps_come_one_after_the_other(ledger: Ledger, told: list[JobUpdate]) -> None:
    """A start is told once, by the news of the worker or with the end."""
    job = job_of(ledger, ONE, TWO)
    assert (len(ledger), ledger.get(TWO)) == (2, job)
    assert (ledger.in_turn(ONE, job.order), ledger.in_turn(TWO, job.order)) == (job, None)
    ledger.started(job, 1.0)
    first, second = completed(started_at=2.0), completed(started_at=3.0)
    ledger.end_step(job, first)
    assert (ledger.in_turn(ONE, job.order), ledger.in_turn(TWO, job.order)) == (None, job)
    ledger.end_step(job, second)
    assert told == [
        JobStarted(attempt_id=ONE, at=1.0),
        JobFinished(attempt_id=ONE, outcome=first),
        JobStarted(attempt_id=TWO, at=3.0),
        JobFinished(attempt_id=TWO, outcome=second),
    ]
    assert (len(ledger), job.order.jobs) == (0, [])


def test_nothing_is_told_of_steps_after_one_that_failed(ledger: Ledger, told: list[JobUpdate]) -> None:
    """They are forgotten, and a late answer changes nothing."""
    job = job_of(ledger, ONE, TWO, THREE)
    ledger.end_step(job, Outcome(status=JobStatus.FAILED))
    ledger.finish(job, completed())
    assert (ends(told), len(ledger)) == ([(ONE, JobStatus.FAILED)], 0)


def test_step_that_shall_not_run_is_cancelled_in_its_turn(ledger: Ledger, told: list[JobUpdate]) -> None:
    """Whatever its worker made of it, and nothing comes after it."""
    job = job_of(ledger, ONE, TWO, THREE)
    job.stops.add(TWO)
    ledger.end_step(job, completed())
    assert job.is_cancelled
    ledger.end_step(job, completed())
    assert ends(told) == [(ONE, JobStatus.COMPLETED), (TWO, JobStatus.CANCELLED)]
    last = told[-1]
    assert isinstance(last, JobFinished)
    assert (last.outcome.output, last.outcome.failure) == (None, None)


def test_jobs_of_an_order_end_alike(ledger: Ledger, told: list[JobUpdate]) -> None:
    """But for those that were cancelled; those that travel elsewhere are not concerned."""
    one, two, three = (job_of(ledger, name) for name in (ONE, TWO, THREE))
    order = Order(address="tcp://host", key="both", jobs=[one, two])
    two.is_cancelled = True
    ledger.identify(one)
    ledger.finish_all(order, lost("its worker is gone"))
    assert told[0] == JobIdentified(attempt_id=ONE, handle={"address": "tcp://host", "key": "both"})
    assert ends(told) == [(ONE, JobStatus.LOST), (TWO, JobStatus.CANCELLED)]
    assert ledger.in_turn(THREE, three.order) is three
    assert ledger.in_turn(THREE, order) is None
