"""Whoever waits for the end of a dispatch.

Of one that runs here it is told by the tick, and the store need not be asked; that of another comes with the feed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from covalent_lab.dispatcher.active import Active
from covalent_lab.dispatcher.jobs import JobBuilder
from covalent_lab.feed.feed import Feed
from covalent_lab.ids import DispatchId
from covalent_lab.scheduler.states import DispatchState
from covalent_lab.store.base import DispatchRecord, Store, StoredPayload
from covalent_lab.transitions import FeedRecord

__all__ = ["Ending", "Endings", "end_elsewhere", "is_end"]

_ENDS = ("COMPLETED", "FAILED", "CANCELLED", "DELETED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A dispatch that is over, as it was recorded.

    Attributes:
        record: The dispatch.
        payloads: Where its inputs, its result and its lattice are, by digest.
    """

    record: DispatchRecord
    payloads: Mapping[str, StoredPayload]


class Endings:
    """Keeps those who wait; its methods belong to one event loop.

    Args:
        jobs: Knows where payloads are.
    """

    def __init__(self, jobs: JobBuilder) -> None:
        self._jobs = jobs
        self._waiting: dict[DispatchId, set[asyncio.Future[Ending | None]]] = {}

    async def wait(self, dispatch_id: DispatchId) -> Ending | None:
        """Return how a dispatch ended; None if the store has to be asked."""
        told: asyncio.Future[Ending | None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(dispatch_id, set())
        waiting.add(told)
        try:
            return await told
        finally:
            waiting.discard(told)
            if not waiting and self._waiting.get(dispatch_id) is waiting:
                del self._waiting[dispatch_id]

    def over(self, active: Active, seq: int) -> Ending | None:
        """Tell of a dispatch whose end is recorded.

        Args:
            active: The dispatch.
            seq: The newest sequence number.

        Returns:
            What is told; None if only the store can say everything.
        """
        ending = self._ending(active, seq)
        self._tell(active.dispatch_id, ending)
        return ending

    def unknown(self, dispatch_id: DispatchId) -> None:
        """Tell that only the store can say what becomes of a dispatch."""
        self._tell(dispatch_id, None)

    def close(self) -> None:
        """Keep nobody waiting."""
        for dispatch_id in list(self._waiting):
            self.unknown(dispatch_id)

    def _tell(self, dispatch_id: DispatchId, ending: Ending | None) -> None:
        for told in self._waiting.pop(dispatch_id, ()):
            if not told.done():
                told.set_result(ending)

    def _ending(self, active: Active, seq: int) -> Ending | None:
        record = active.record(seq)
        payloads: dict[str, StoredPayload] = {}
        for ref in (record.inputs, record.result, record.lattice):
            if ref is None:
                continue
            if (stored := self._jobs.at_hand(active.dispatch_id, ref)) is None:
                return None
            payloads[ref.digest] = stored
        return Ending(record=record, payloads=payloads)


async def end_elsewhere(store: Store, feed: Feed, dispatch_id: DispatchId) -> None:
    """Return when a dispatch that does not run here has ended, or when the feed does."""
    news = asyncio.Event()
    _, subscription = feed.subscribe(news.set)
    try:
        while not subscription.is_closed:
            record = await store.dispatch(dispatch_id)
            if record is None or DispatchState(record.state).is_terminal:
                return
            while True:
                await news.wait()
                news.clear()
                reset, records = subscription.take()
                if reset is not None or subscription.is_closed:
                    break
                if any(is_end(told) and told.dispatch_id == dispatch_id for told in records):
                    return
    finally:
        subscription.close()


def is_end(record: FeedRecord) -> bool:
    """Whether this is the end of a dispatch."""
    return record.node_id is None and record.status in _ENDS
