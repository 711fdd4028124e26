"""The feed: order, bounded queues, resets, and what goes over the wire."""

import json
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covalent_lab.feed.feed import Feed, Reset, Subscription
from covalent_lab.feed.wire import hello_frame, item_to_wire, reset_frame, transitions_frame
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.transitions import FeedRecord


def records(first: int, last: int) -> list[FeedRecord]:
    """Transitions with these sequence numbers."""
    return [
        FeedRecord(seq=n, dispatch_id=DispatchId("d"), node_id=NodeId(n), status="RUNNING", at=1.0)
        for n in range(first, last + 1)
    ]


def nothing() -> None:
    """For those who do not wait."""


def test_a_subscriber_gets_what_follows_its_subscription() -> None:
    """Exactly that, once, in order."""
    feed = Feed(5)
    feed.publish(records(6, 7))
    seq, subscription = feed.subscribe(nothing)
    feed.publish(records(8, 9))
    feed.publish(records(10, 10))
    assert seq == 7
    assert subscription.take() == (None, records(8, 10))
    assert subscription.take() == (None, [])


def test_numbers_are_given_to_what_has_none_yet() -> None:
    """Whether somebody listens or not, the next ones have to follow."""
    feed = Feed(5)
    unnumbered = [replace(record, seq=0) for record in records(6, 7)]
    feed.publish(unnumbered, first=6)
    _, subscription = feed.subscribe(nothing)
    with pytest.raises(ValueError, match="6…7 do not follow 7"):
        feed.publish(unnumbered, first=6)
    feed.publish([replace(record, seq=0) for record in records(8, 9)], first=8)
    assert subscription.take() == (None, records(8, 9))


def test_readiness_is_told_for_each_publication_and_for_the_end() -> None:
    """A reader that waits is woken."""
    told: list[str] = []
    feed = Feed()
    _, subscription = feed.subscribe(lambda: told.append("ready"))
    feed.publish(records(1, 3))
    feed.publish([])
    subscription.close()
    assert told == ["ready", "ready"]


def test_a_slow_subscriber_is_reset_and_goes_on_from_there() -> None:
    """What it missed is dropped; what comes after the reset is complete."""
    feed = Feed()
    _, subscription = feed.subscribe(nothing, capacity=3)
    feed.publish(records(1, 2))
    feed.publish(records(3, 4))
    feed.publish(records(5, 6))
    assert subscription.take() == (Reset(4), records(5, 6))
    feed.publish(records(7, 7))
    assert subscription.take() == (None, records(7, 7))


def test_a_slow_subscriber_does_not_disturb_another() -> None:
    """Each has a queue of its own."""
    feed = Feed()
    _, slow = feed.subscribe(nothing, capacity=1)
    _, quick = feed.subscribe(nothing)
    feed.publish(records(1, 3))
    assert slow.take() == (Reset(3), [])
    assert quick.take() == (None, records(1, 3))


def test_a_gap_or_a_repetition_is_refused_and_reaches_nobody() -> None:
    """The publisher has a bug then."""
    feed = Feed(5)
    _, subscription = feed.subscribe(nothing)
    for wrong in (records(7, 7), records(5, 6), [*records(6, 6), *records(8, 8)]):
        with pytest.raises(ValueError, match="do not follow 5"):
            feed.publish(wrong)
    assert (feed.seq, subscription.take()) == (5, (None, []))


def test_a_closed_subscription_receives_nothing_and_is_forgotten() -> None:
    """Closing twice does no harm."""
    feed = Feed()
    _, subscription = feed.subscribe(nothing)
    feed.publish(records(1, 1))
    subscription.close()
    subscription.close()
    feed.publish(records(2, 2))
    assert subscription.take() == (None, [])
    assert (subscription.is_closed, feed.subscribers) == (True, 0)


def test_closing_the_feed_ends_all_subscriptions() -> None:
    """Readers see that nothing will follow."""
    feed = Feed()
    several = [feed.subscribe(nothing)[1] for _ in range(3)]
    feed.close()
    assert [s.is_closed for s in several] == [True] * 3
    assert feed.subscribers == 0


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=30), st.integers(1, 10))
def test_what_a_reader_takes_has_no_gaps_except_before_a_reset(steps: list[tuple[int, bool]], capacity: int) -> None:
    """Whatever the pace: after each reset the numbers follow on from it, and nothing is told twice."""
    feed = Feed()
    seq, subscription = feed.subscribe(nothing, capacity)
    for number, is_taken in steps:
        feed.publish(records(feed.seq + 1, feed.seq + number))
        if is_taken:
            seq = followed(subscription, seq)
    assert followed(subscription, seq) == feed.seq


def followed(subscription: Subscription, seq: int) -> int:
    """Apply what is there as a screen does; returns the number it knows then."""
    reset, found = subscription.take()
    if reset is not None:
        assert reset.seq > seq
        seq = reset.seq
    assert [r.seq for r in found] == list(range(seq + 1, seq + 1 + len(found)))
    return seq + len(found)


def test_readers_in_other_threads_get_everything() -> None:
    """One publishes, three read and block until they are told; nobody misses anything."""
    feed = Feed()
    wakes = [threading.Event() for _ in range(3)]
    subscriptions = [feed.subscribe(wake.set)[1] for wake in wakes]
    seen: list[list[int]] = [[], [], []]

    def read(index: int) -> None:
        while len(seen[index]) < 2_000:
            assert wakes[index].wait(10)
            wakes[index].clear()
            seen[index] += [r.seq for r in subscriptions[index].take()[1]]

    threads = [threading.Thread(target=read, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for first in range(1, 2_001, 5):
        feed.publish(records(first, first + 4))
    for thread in threads:
        thread.join(20)
    assert seen == [list(range(1, 2_001))] * 3


# --- wire


def test_an_item_carries_only_what_it_has() -> None:
    """Attempt, error and the description of a new dispatch are left out where empty."""
    bare = FeedRecord(seq=3, dispatch_id=DispatchId("d"), node_id=None, status="RUNNING", at=1.5)
    full = FeedRecord(
        seq=4, dispatch_id=DispatchId("d"), node_id=NodeId(0), status="FAILED", at=1.5, attempt=2, error="no",
        extra={"name": "sweep"},
    )  # fmt: skip
    assert item_to_wire(bare) == {"seq": 3, "dispatch_id": "d", "node_id": None, "status": "RUNNING", "at": 1.5}
    assert item_to_wire(full) == {
        "seq": 4, "dispatch_id": "d", "node_id": 0, "status": "FAILED", "at": 1.5, "attempt": 2, "error": "no",
        "name": "sweep",
    }  # fmt: skip


def test_frames_are_json() -> None:
    """As the contract says."""
    frames = [hello_frame(7, "0.1.0"), reset_frame(Reset(9)), transitions_frame(records(1, 2))]
    assert json.loads(json.dumps(frames)) == [
        {"type": "hello", "seq": 7, "version": "0.1.0"},
        {"type": "reset", "seq": 9},
        {"type": "transitions", "items": [item_to_wire(r) for r in records(1, 2)]},
    ]
