"""Events on their way to the tick, and when the tick is to take them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from covalent_lab.executor.base import Outcome
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.events import Event, NodeEnded, NodeStarted
from covalent_lab.store.base import CachedResult
from covalent_lab.store.blobs import BlobDir

__all__ = ["Arrival", "Inbox", "files_of"]

_MAX_EVENTS = 2_000
_TIMER_STEP_S = 1e-3


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event, and what came with it.

    Attributes:
        event: What happened.
        outcome: That of the job whose end it tells.
        hit: The cached result that stands in for a job.
        done: Told once the event is recorded, if somebody waits for that.
    """

    event: Event
    outcome: Outcome | None = None
    hit: CachedResult | None = None
    done: asyncio.Future[None] | None = None


class Inbox:
    """Holds events until the tick takes them, and the files of their outputs; its methods belong to one event loop.

    Args:
        blobs: Where large outputs are: not removed between an arrival and its `recorded`.
    """

    def __init__(self, blobs: BlobDir) -> None:
        self._blobs = blobs
        self._arrivals: list[Arrival] = []
        self._starts: dict[tuple[DispatchId, NodeId, int], NodeStarted] = {}
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def put(
        self, event: Event, outcome: Outcome | None = None, hit: CachedResult | None = None, delay_s: float = 0.0
    ) -> None:
        """Let the tick take an event now, or after at most so many seconds, with all that comes until then."""
        if files := files_of(outcome):
            self._blobs.hold(files)
        self._arrivals.append(Arrival(event, outcome, hit))
        self._come(delay_s)

    def put_start(self, event: NodeStarted, delay_s: float) -> None:
        """Let the tick take the start of an attempt, unless its end comes before that and says it as well."""
        self._starts[event.dispatch_id, event.node_id, event.attempt] = event
        self._come(delay_s)

    def put_end(self, event: NodeEnded, outcome: Outcome, delay_s: float) -> None:
        """Like `put`, for the end of an attempt, which stands for a start that was not taken yet."""
        start = self._starts.pop((event.dispatch_id, event.node_id, event.attempt), None)
        if start is not None and event.started_at is None:
            self._arrivals.append(Arrival(start))
        self.put(event, outcome, delay_s=delay_s)

    def _come(self, delay_s: float) -> None:
        if delay_s < _TIMER_STEP_S or len(self._arrivals) >= _MAX_EVENTS:
            self.hurry()
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_s
        if self._timer is None or due < self._timer.when():
            self._stop_timer()
            self._timer = loop.call_at(due, self._wake.set)

    async def put_and_wait(self, event: Event) -> None:
        """Return once an event is recorded."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals.append(Arrival(event, done=done))
        self.hurry()
        await done

    def hurry(self) -> None:
        """Have the tick turn now."""
        self._wake.set()

    async def wait(self) -> None:
        """Return when it is time for a tick."""
        await self._wake.wait()
        self._wake.clear()
        self._stop_timer()

    def take(self) -> Sequence[Arrival]:
        """Events for one tick, in order."""
        taken, self._arrivals = self._arrivals[:_MAX_EVENTS], self._arrivals[_MAX_EVENTS:]
        if self._arrivals:
            self.hurry()
        else:  # a step can start once the one before has ended, and is told afterwards
            taken.extend(map(Arrival, self._starts.values()))
            self._starts.clear()
        return taken

    def recorded(self, arrivals: Sequence[Arrival]) -> None:
        """What these events led to is recorded, if they led to anything."""
        for arrival in arrivals:
            if files := files_of(arrival.outcome):
                self._blobs.release(files)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def files_of(outcome: Outcome | None) -> Sequence[str]:
    """Digests of outputs that are files."""
    output = None if outcome is None else outcome.output
    return () if output is None or output.data is not None else (output.ref.digest,)
