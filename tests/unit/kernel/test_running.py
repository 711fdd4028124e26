"""Stopping a task, and work for the main thread."""

import asyncio
import signal
import threading
import time
from typing import Any

import pytest

from covalent_lab.kernel.mainthread import MainThread
from covalent_lab.kernel.running import Stoppable


def test_a_thread_is_stopped_at_its_next_step() -> None:
    """Nothing after that; a stop that comes again, or too late, does nothing."""
    stoppable, begun = Stoppable(), threading.Event()
    seen: list[str] = []

    def work() -> None:
        begun.set()
        try:
            while True:
                time.sleep(0.001)
        finally:
            seen.append("cleaned up")

    thread = threading.Thread(target=lambda: (stoppable.run(work), seen.append("after")))
    thread.start()
    assert begun.wait(30)
    stoppable.stop()
    thread.join(30)
    stoppable.stop()
    assert seen == ["cleaned up", "after"]


def test_what_was_stopped_before_does_not_begin() -> None:
    stoppable = Stoppable()
    stoppable.stop()
    stoppable.run(lambda: pytest.fail("it began"))


def test_the_main_thread_is_interrupted_in_a_sleep() -> None:
    """And its signal handler is the old one again."""
    stoppable, before = Stoppable(), signal.getsignal(signal.SIGINT)
    began = threading.Event()
    threading.Thread(target=lambda: (began.wait(30), stoppable.stop())).start()

    def work() -> None:
        began.set()
        time.sleep(600)

    stoppable.run(work)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_by_the_user_is_one() -> None:
    stoppable = Stoppable()
    with pytest.raises(KeyboardInterrupt):
        stoppable.run(lambda: signal.raise_signal(signal.SIGINT))


def test_errors_of_the_task_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        Stoppable().run(lambda: 1 / 0)  # type: ignore[arg-type]


def test_whoever_waits_in_the_main_thread_does_its_work() -> None:
    main, done = MainThread(), threading.Event()
    seen: list[Any] = []

    def wait() -> str:
        main.post(lambda: (seen.append(threading.current_thread()), done.set()))  # type: ignore[func-returns-value]
        assert done.wait(30)
        return "waited"

    assert main.attend(wait) == "waited"
    assert seen == [threading.main_thread()]


def test_errors_of_a_call_that_is_attended_are_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        MainThread().attend(lambda: 1 / 0)


def test_other_threads_only_make_the_call() -> None:
    main = MainThread()
    main.post(lambda: pytest.fail("not here"))
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(main.attend(threading.current_thread)))
    thread.start()
    thread.join(30)
    assert seen == [thread]


def test_an_event_loop_does_the_work_too() -> None:
    """Once the loop was noticed."""
    main = MainThread()

    async def scenario() -> None:
        main.notice_loop()
        done = asyncio.Event()
        await asyncio.to_thread(main.post, done.set)
        await asyncio.wait_for(done.wait(), 120)

    asyncio.run(scenario())
    main.post(lambda: None)  # the loop is closed: it waits for another occasion
    main.attend(lambda: None)
