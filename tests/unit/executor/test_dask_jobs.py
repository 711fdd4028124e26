"""Which jobs of a Dask cluster share an order, and what orders and replies look like on the wire."""

import struct
from dataclasses import replace

import pytest
from covalent_lab_executors.dask_jobs import Job, orders
from covalent_lab_executors.dask_messages import Place, decode_reply, encode_order
from covalent_lab_executors.local_paces import Paces

from covalent_lab.executor.base import JobSpec, Outcome, PayloadSource
from covalent_lab.ids import PayloadRef
from covalent_lab.testing.fakes import completed
from covalent_lab.testing.jobs import job

PLACE = Place(
    key="key", workdir="", is_unique=True, cache_dir="", share="", payload_dir="", inline_limit=10, topic="topic"
)


def task(number: int, **fields: object) -> JobSpec:
    """A call of one function."""
    return replace(job(len, "", node_id=number), **fields)  # type: ignore[arg-type]


def known(taken_s: float) -> Paces:
    """Paces that know how long that function takes."""
    paces = Paces()
    paces.learn(task(0), outcome := completed(started_at=1.0, ended_at=1.0 + taken_s))
    assert isinstance(outcome, Outcome)
    return paces


def sizes(specs: list[JobSpec], paces: Paces, share: int) -> list[int]:
    """How many jobs each order has."""
    jobs = [Job(attempt_id=spec.attempt_id, grace_s=1.0, spec=spec) for spec in specs]
    made = orders(jobs, "tcp://host", paces, share, lambda spec: spec.name)
    assert sorted(job.attempt_id for order in made for job in order.jobs) == sorted(spec.attempt_id for spec in specs)
    assert len({order.key for order in made}) == len(made)
    return [len(order.jobs) for order in made]


@pytest.mark.parametrize(
    ("paces", "share", "expected"),
    [
        (Paces(), 10, [1] * 9),
        (known(0.5), 10, [1] * 9),
        (known(0.0), 1, [1] * 9),
        (known(0.0), 4, [4, 4, 1]),
        (known(0.0), 1000, [9]),
        (known(0.009), 10, [3, 3, 3]),
    ],
)
def test_jobs_share_an_order_if_they_are_known_to_be_short(paces: Paces, share: int, expected: list[int]) -> None:
    """As many as fit in a moment, and so many only that every worker gets some."""
    assert sizes([task(number) for number in range(9)], paces, share) == expected


def test_orders_hold_at_most_so_many_jobs() -> None:
    """However many there are."""
    assert max(sizes([task(number) for number in range(200)], known(0.0), 200)) == 64


def test_jobs_of_other_options_hooks_or_several_steps_travel_apart() -> None:
    """An order has one place to run, and hooks or steps take nobody knows how long."""
    first = [task(number, options={"priority": 1}) for number in range(2)]
    second = [task(number, options={"priority": 2}) for number in range(2, 5)]
    alone = [task(5, hooks={"call_before": [{}]}), task(6, then=(task(7),))]
    assert sizes(first + second, known(0.0), 10) == [2, 3]
    assert sizes(alone, known(0.0), 10) == [1, 1]


def test_order_holds_a_function_once() -> None:
    """Further jobs add their arguments only."""
    large = PayloadSource(ref=PayloadRef("f" * 40, 100_000), data=bytes(100_000))
    specs = [replace(task(number), function=large) for number in range(20)]
    assert len(encode_order(specs, PLACE)) < 130_000


@pytest.mark.parametrize("reply", [b"", struct.pack(">IQ", 2, 0) + b"{}", struct.pack(">IQ", 2, 0) + b"[", b"x" * 40])
def test_reply_that_is_none_is_refused(reply: bytes) -> None:
    """By one of the errors that are documented."""
    with pytest.raises((KeyError, TypeError, ValueError, struct.error)):
        decode_reply(reply)
