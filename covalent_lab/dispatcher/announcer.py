"""From the store to the feed, without gaps, also of what other dispatchers recorded in the same store."""

import asyncio
from collections.abc import Callable, Sequence

from covalent_lab.feed.feed import Feed
from covalent_lab.ids import DispatchId
from covalent_lab.store.base import Store
from covalent_lab.transitions import FeedRecord

__all__ = ["CANCEL_REQUESTED", "HIDDEN", "START_REQUESTED", "Announcer"]

CANCEL_REQUESTED = "CANCEL_REQUESTED"
START_REQUESTED = "START_REQUESTED"
"""Records by which one dispatcher asks another, the owner of a dispatch."""

HIDDEN = ("", CANCEL_REQUESTED, START_REQUESTED)
"""Statuses that are not for screens."""

_CHUNK = 5_000


class Announcer:
    """Publishes what was recorded, in the order of sequence numbers.

    Args:
        store: Where records of other dispatchers are read from.
        feed: Where all are published.
        on_foreign: Called with each record of another dispatcher.
    """

    def __init__(self, store: Store, feed: Feed, on_foreign: Callable[[FeedRecord], None]) -> None:
        self.feed = feed
        self._store = store
        self._on_foreign = on_foreign
        self._lock = asyncio.Lock()

    async def announce(self, records: Sequence[FeedRecord], first: int) -> None:
        """Publish own records, after whatever others recorded before them; `first` is the number of the first."""
        async with self._lock:
            if records:
                await self._catch_up(first - 1)
                known = max(0, self.feed.seq + 1 - first)
                self.feed.publish(records[known:], first + known)

    async def follow(self) -> None:
        """Publish what others have recorded by now."""
        async with self._lock:
            await self._catch_up(await self._store.last_seq())

    async def _catch_up(self, until: int) -> None:
        while self.feed.seq < until:
            found = await self._store.transitions_after(self.feed.seq, min(_CHUNK, until - self.feed.seq))
            records = self._without_gaps([record for record in found if record.seq <= until], until)
            self.feed.publish(records)
            for record in records:
                self._on_foreign(record)

    def _without_gaps(self, found: Sequence[FeedRecord], until: int) -> Sequence[FeedRecord]:
        """Records of a deleted dispatch are gone with it: put empty ones in their places."""
        by_seq = {record.seq: record for record in found}
        last = found[-1].seq if len(found) == _CHUNK else until
        return [by_seq.get(seq) or _nothing(seq) for seq in range(self.feed.seq + 1, last + 1)]


def _nothing(seq: int) -> FeedRecord:
    return FeedRecord(seq=seq, dispatch_id=DispatchId(""), node_id=None, status="", at=0.0)
