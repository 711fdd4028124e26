"""When the tick takes events, and which."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from covalent_lab.dispatcher import inbox as module
from covalent_lab.dispatcher.inbox import Inbox
from covalent_lab.executor.base import JobStatus, Outcome
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.events import DispatchStarted, Event, NodeFailed, NodeStarted
from covalent_lab.store.blobs import BlobDir

LONG_S = 3_600.0


def event(number: int) -> Event:
    """Some event."""
    return DispatchStarted(dispatch_id=DispatchId(str(number)), at=float(number))


def start(node: int = 0) -> NodeStarted:
    """An attempt begins."""
    return NodeStarted(dispatch_id=DispatchId("d"), node_id=NodeId(node), attempt=1, at=1.0)


def end(started_at: float | None, attempt: int = 1) -> NodeFailed:
    """An attempt ends."""
    return NodeFailed(
        dispatch_id=DispatchId("d"), node_id=NodeId(0), attempt=attempt, at=2.0, message="no", started_at=started_at
    )


FAILED = Outcome(status=JobStatus.FAILED)


def go(work: Callable[[Inbox], Coroutine[Any, Any, None]]) -> None:
    """Run a test within an event loop, for at most a while."""

    async def inside() -> None:
        async with asyncio.timeout(120):
            await work(Inbox(BlobDir(Path("nowhere"))))

    asyncio.run(inside())


def test_events_that_can_wait_are_taken_with_the_first_that_cannot() -> None:
    """In the order in which they came."""

    async def work(inbox: Inbox) -> None:
        inbox.put(event(1), delay_s=LONG_S)
        inbox.put(event(2))
        await inbox.wait()
        assert [arrival.event for arrival in inbox.take()] == [event(1), event(2)]
        assert inbox.take() == []

    go(work)


def test_the_shortest_delay_counts() -> None:
    """A later event that may wait for longer does not put off the earlier one."""

    async def work(inbox: Inbox) -> None:
        for delay_s in (LONG_S, 0.002, LONG_S):
            inbox.put(event(1), delay_s=delay_s)
        await inbox.wait()
        assert len(inbox.take()) == 3

    go(work)


def test_a_tick_takes_so_many_and_comes_back_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full box does not wait, whatever is in it."""
    monkeypatch.setattr(module, "_MAX_EVENTS", 3)

    async def work(inbox: Inbox) -> None:
        for number in range(5):
            inbox.put(event(number), delay_s=LONG_S)
        await inbox.wait()
        assert [arrival.event for arrival in inbox.take()] == [event(0), event(1), event(2)]
        await inbox.wait()
        assert [arrival.event for arrival in inbox.take()] == [event(3), event(4)]

    go(work)


def test_whoever_waits_is_told_by_the_tick() -> None:
    """Not before."""

    async def work(inbox: Inbox) -> None:
        waiting = asyncio.create_task(inbox.put_and_wait(event(1)))
        await inbox.wait()
        (arrival,) = inbox.take()
        assert not waiting.done()
        assert arrival.done is not None
        arrival.done.set_result(None)
        await waiting

    go(work)


def test_an_end_stands_for_the_start_that_came_before_it() -> None:
    """If it says when that was; else both are taken, in order."""

    async def work(inbox: Inbox) -> None:
        inbox.put_start(start(), LONG_S)
        inbox.put_end(end(1.0), FAILED, 0.0)
        await inbox.wait()
        assert [arrival.event for arrival in inbox.take()] == [end(1.0)]
        inbox.put_start(start(), LONG_S)
        inbox.put_end(end(None), FAILED, 0.0)
        assert [arrival.event for arrival in inbox.take()] == [start(), end(None)]
        assert inbox.take() == []

    go(work)


def test_a_start_without_its_end_is_taken_after_what_came_meanwhile() -> None:
    """The step before may have ended then; an end of another attempt does not stand for it."""

    async def work(inbox: Inbox) -> None:
        inbox.put_start(start(), LONG_S)
        inbox.put_end(end(1.0, attempt=2), FAILED, LONG_S)
        inbox.put(event(1))
        await inbox.wait()
        assert [arrival.event for arrival in inbox.take()] == [end(1.0, attempt=2), event(1), start()]
        assert inbox.take() == []

    go(work)


def test_starts_wait_while_the_box_holds_more_than_a_tick_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has to come before them may still be in it."""
    monkeypatch.setattr(module, "_MAX_EVENTS", 2)

    async def work(inbox: Inbox) -> None:
        inbox.put_start(start(), LONG_S)
        for number in range(3):
            inbox.put(event(number))
        assert [arrival.event for arrival in inbox.take()] == [event(0), event(1)]
        await inbox.wait()
        assert [arrival.event for arrival in inbox.take()] == [event(2), start()]

    go(work)
