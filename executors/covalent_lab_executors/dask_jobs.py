"""Jobs of a Dask cluster, and which of them travel together in one order. Decides nothing else; does no I/O."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from covalent_lab.executor.base import JobHandle, JobSpec
from covalent_lab.ids import AttemptId
from covalent_lab_executors.local_paces import Paces

__all__ = ["Job", "Order", "orders"]

_ORDER_S = 0.02
"""How long the jobs of one order may take in all, by what their functions took before."""
_MAX_ORDER = 64


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A job between `submit` or `watch` and its end.

    Attributes:
        attempt_id: The step it has come to.
        grace_s: How long it may take to end when it is cancelled.
        spec: What was asked for; None if it was submitted by an earlier dispatcher.
        later: Steps that follow the present one.
        stops: Those of them that are not to be run.
        is_cancelled: Whether the end of its present step was asked for.
        has_started: Whether the start of its present step was told.
        order: What it travels in.
    """

    attempt_id: AttemptId
    grace_s: float
    spec: JobSpec | None = None
    later: deque[AttemptId] = field(default_factory=deque)
    stops: set[AttemptId] = field(default_factory=set)
    is_cancelled: bool = False
    has_started: bool = False
    order: "Order" = field(init=False)


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """Jobs that a Dask worker runs one after the other, under one key.

    Attributes:
        address: Of the scheduler.
        key: At the scheduler.
        jobs: Those that have not ended.
        future: Of its answer, once the scheduler has it.
        link: The connection that it was given by, once the scheduler has it.
        worker: The worker that has begun it.
        has_moved: Whether Dask let another worker begin it again.
        playing: What waits for its answer.
    """

    address: str
    key: str
    jobs: list[Job]
    future: Any = None
    link: Any = None
    worker: str = ""
    has_moved: bool = False
    playing: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        for job in self.jobs:
            job.order = self

    @property
    def specs(self) -> Sequence[JobSpec]:
        """What its jobs were asked for."""
        return [job.spec for job in self.jobs if job.spec is not None]

    @property
    def grace_s(self) -> float:
        """How long its jobs may take to end."""
        return max((job.grace_s for job in self.jobs), default=0.0)

    @property
    def handle(self) -> JobHandle:
        """By which a later dispatcher finds it."""
        return {"address": self.address, "key": self.key}


def orders(
    jobs: Sequence[Job], address: str, paces: Paces, share: int, prefix: Callable[[JobSpec], str]
) -> Sequence[Order]:
    """Put jobs into orders: those with equal options whose functions were short so far travel together.

    Args:
        jobs: With specs, for one scheduler.
        address: Of that scheduler.
        paces: What functions took before.
        share: Most jobs in one order, so that every worker gets some.
        prefix: How the key of a job begins.
    """
    made: list[Order] = []
    alike: dict[int, str] = {}  # options of one node set are one object, and are compared as text once

    def options_of(spec: JobSpec) -> str:
        if id(spec.options) not in alike:
            alike[id(spec.options)] = repr(sorted(spec.options.items()))
        return alike[id(spec.options)]

    def begin(together: Sequence[Job]) -> None:
        spec = together[0].spec
        assert spec is not None
        made.append(Order(address=address, key=f"{prefix(spec)}-{spec.attempt_id}", jobs=list(together)))

    waiting: dict[str, tuple[list[Job], float]] = {}
    for job in jobs:
        assert job.spec is not None
        expected_s = _ORDER_S if job.spec.then or job.spec.hooks else paces.of(job.spec, _ORDER_S)
        if expected_s >= _ORDER_S or share < 2:
            begin([job])
            continue
        text = options_of(job.spec)
        together, taken_s = waiting.pop(text, ([], 0.0))
        together.append(job)
        if len(together) >= min(share, _MAX_ORDER) or taken_s + expected_s >= _ORDER_S:
            begin(together)
        else:
            waiting[text] = together, taken_s + expected_s
    for together, _ in waiting.values():
        begin(together)
    return made
