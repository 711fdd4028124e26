"""Jobs, and the places of workers in the pool: who has what. It decides nothing."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from covalent_lab.executor.base import JobSpec, JobStatus, Outcome
from covalent_lab.ids import AttemptId
from covalent_lab_executors.fair_queue import FairQueue
from covalent_lab_executors.local_messages import FunctionShelf
from covalent_lab_executors.local_process import WorkerProcess

__all__ = ["Group", "Job", "Seat", "State"]


class State(StrEnum):
    """What a worker is at."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    LEAVING = "leaving"
    """On its way out; counts no more, and gets no more jobs."""


@dataclass(slots=True, kw_only=True)
class Job:
    """A job between `add` and its end.

    Attributes:
        spec: The step it has come to; at first what was asked for.
        grace_s: How long it may take to end when it is cancelled.
        note: A warning for its standard error.
        seat: The worker that was given it, None while it waits.
        started_at: When its step began.
        is_cancelled: Whether its end was asked for.
        later: Steps that follow.
        stops: Those of them that are not to be run.
    """

    spec: JobSpec
    grace_s: float
    note: str = ""
    seat: "Seat | None" = None
    started_at: float | None = None
    is_cancelled: bool = False
    later: deque[JobSpec] = field(init=False)
    stops: set[AttemptId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.later = deque(self.spec.then)

    def following(self, outcome: Outcome) -> JobSpec | None:
        """The step that comes after the present one, if that ended so."""
        return self.later[0] if self.later and outcome.status is JobStatus.COMPLETED else None


@dataclass(slots=True, kw_only=True, eq=False)
class Group:
    """The workers of one interpreter, and the jobs that wait for them."""

    python: str
    queue: FairQueue[Job] = field(default_factory=FairQueue)
    seats: set["Seat"] = field(default_factory=set)
    idle: list["Seat"] = field(default_factory=list)
    starting: int = 0
    failed_starts: int = 0
    waiting_since: float | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Seat:
    """A worker's place in the pool."""

    group: Group
    process: WorkerProcess
    state: State = State.STARTING
    jobs: deque[Job] = field(default_factory=deque)  # the first one is under way
    taking_back: asyncio.TimerHandle | None = None
    has_worked: bool = False
    python_version: str = ""
    shelf: FunctionShelf = field(default_factory=FunctionShelf)
