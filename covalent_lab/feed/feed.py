"""Ordered transitions to bounded subscribers.

`publish` runs in the dispatcher's thread, `Subscription.take` in any other: a lock guards each queue, and `on_ready`
wakes the reader by whatever means it has.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from covalent_lab.transitions import FeedRecord

__all__ = ["CAPACITY", "Feed", "Reset", "Subscription"]

CAPACITY = 20_000
"""How many transitions a subscriber may lie behind."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Tells a subscriber to load a snapshot and to ignore transitions up to `seq`."""

    seq: int


class Subscription:
    """One reader's queue.

    Args:
        on_ready: Called, in the publisher's thread, whenever there is something to take.
        on_close: Called once when the reader goes.
        capacity: How many transitions it may lie behind.
    """

    def __init__(
        self, on_ready: Callable[[], None], on_close: Callable[["Subscription"], None], capacity: int = CAPACITY
    ) -> None:
        self._on_ready = on_ready
        self._on_close = on_close
        self._capacity = capacity
        self._lock = threading.Lock()
        self._queue: list[FeedRecord] = []
        self._reset: Reset | None = None
        self.is_closed = False

    def put(self, records: Sequence[FeedRecord]) -> None:
        """Add to the queue; when it overflows, replace it by a reset."""
        with self._lock:
            if self.is_closed:
                return
            if len(self._queue) + len(records) > self._capacity:
                self._queue = []
                self._reset = Reset(records[-1].seq)
            elif self._reset is not None and not self._queue and self._reset.seq >= records[-1].seq:
                return
            else:
                self._queue.extend(records)
        self._on_ready()

    def take(self) -> tuple[Reset | None, Sequence[FeedRecord]]:
        """Everything there is: a reset, if one is due, comes before the transitions."""
        with self._lock:
            reset, records = self._reset, self._queue
            self._reset, self._queue = None, []
        return reset, records

    def close(self) -> None:
        """Stop receiving. Safe to call twice."""
        with self._lock:
            if self.is_closed:
                return
            self.is_closed = True
            self._queue = []
        self._on_close(self)
        self._on_ready()


class Feed:
    """Publishes transitions to all subscriptions.

    Args:
        seq: The newest sequence number that was recorded before it began.
    """

    def __init__(self, seq: int = 0) -> None:
        self._seq = seq
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()

    @property
    def seq(self) -> int:
        """The newest published sequence number."""
        return self._seq

    @property
    def subscribers(self) -> int:
        """How many listen."""
        return len(self._subscriptions)

    def publish(self, records: Sequence[FeedRecord], first: int | None = None) -> None:
        """Hand over transitions that follow the last ones without a gap.

        Args:
            records: In order.
            first: The number of the first, if they do not have theirs yet; they only get them if somebody listens.

        Raises:
            ValueError: They do not follow.
        """
        if not records:
            return
        begin, end = (records[0].seq, records[-1].seq) if first is None else (first, first + len(records) - 1)
        if begin != self._seq + 1 or end != self._seq + len(records):
            raise ValueError(f"transitions {begin}…{end} do not follow {self._seq}")
        with self._lock:
            self._seq = end
            listening = list(self._subscriptions)
        if listening and first is not None:
            records = [record.numbered(seq) for seq, record in enumerate(records, first)]
        for subscription in listening:
            subscription.put(records)

    def subscribe(self, on_ready: Callable[[], None], capacity: int = CAPACITY) -> tuple[int, Subscription]:
        """Begin to listen; everything after the returned sequence number will arrive."""
        subscription = Subscription(on_ready, self._unsubscribe, capacity)
        with self._lock:
            self._subscriptions.add(subscription)
            return self._seq, subscription

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in list(self._subscriptions):
            subscription.close()

    def _unsubscribe(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)
