"""`await` on dispatches, and what a user who stops waiting is told."""

import asyncio
import copy
import json
import pickle
import threading
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client import waiting
from covalent_lab.errors import MissingLatticeRecordError, ResultTimeoutError, ServerUnreachableError
from covalent_lab.testing.fakes import FakeExecutor

pytestmark = pytest.mark.usefixtures("executor")


@ct.electron
def double(x: Any) -> Any:
    """Twice as much."""
    return 2 * x


@ct.electron
def hang(x: Any) -> Any:
    """Runs until it is stopped."""
    return x


@ct.lattice
def twice(x: Any) -> Any:
    """One task."""
    return double(x)


@ct.lattice
def endless(x: Any) -> Any:
    """Does not end by itself."""
    return hang(x)


def test_what_dispatch_returns_is_text_like_any_other() -> None:
    """It compares, hashes, and goes into JSON, files, dictionaries and tasks as the plain id."""
    dispatch_id = ct.dispatch(twice)(3)
    plain = str(dispatch_id)
    assert type(plain) is str
    assert isinstance(dispatch_id, str)
    assert (dispatch_id, hash(dispatch_id), repr(dispatch_id)) == (plain, hash(plain), repr(plain))
    assert json.loads(json.dumps({dispatch_id: dispatch_id})) == {plain: plain}
    for back in (pickle.loads(pickle.dumps(dispatch_id)), copy.deepcopy(dispatch_id)):
        assert (back, type(back)) == (plain, str)
    assert ct.dispatch_sync(twice)(dispatch_id).result == 2 * plain


def test_a_dispatch_can_be_awaited() -> None:
    """Several at once; the result is that of get_result."""

    async def main() -> list[Any]:
        one = await ct.dispatch(twice)(1)
        others = await asyncio.gather(ct.dispatch(twice)(2), ct.get_result_async(ct.dispatch(twice)(3)))
        return [result.result for result in (one, *others)]

    assert asyncio.run(main()) == [2, 4, 6]


def test_selectors_hold_for_awaited_results_too() -> None:
    """And without waiting, a result shows how the dispatch stands."""

    async def main() -> None:
        dispatch_id = ct.dispatch(endless)(1)
        early = await ct.get_result_async(dispatch_id, wait=False)
        assert not ct.status.is_terminal(early.status)
        with pytest.raises(ResultTimeoutError, match="it goes on"):
            await ct.get_result_async(dispatch_id, timeout=0.01)
        await asyncio.to_thread(ct.cancel, dispatch_id)
        done = await ct.get_result_async(dispatch_id, intermediate_outputs=False, results_dir="here")
        assert (str(done.status), done.results_dir) == ("CANCELLED", "here")
        assert set(done.get_all_node_outputs().values()) == {None}
        with pytest.raises(MissingLatticeRecordError):
            await ct.get_result_async("unknown")

    asyncio.run(main())


def test_the_event_loop_goes_on_while_a_dispatch_is_awaited(executor: FakeExecutor) -> None:
    """Who stops waiting is told that the dispatch goes on; it does, and can be awaited again."""

    async def main() -> None:
        dispatch_id = ct.dispatch(endless)(1)
        first = asyncio.ensure_future(dispatch_id)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await dispatch_id
        assert not first.done()
        first.cancel()
        with pytest.raises(asyncio.CancelledError, match=f"Stopped waiting for dispatch {dispatch_id}; it goes on"):
            await first
        assert executor.cancelled == []
        second = asyncio.ensure_future(dispatch_id)
        await asyncio.to_thread(ct.cancel, dispatch_id)
        assert (await second).status == "CANCELLED"

    asyncio.run(main())


def test_an_interrupt_ends_the_waiting_and_says_so(executor: FakeExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dispatch is not touched."""
    dispatch_id = ct.dispatch(endless)(1)

    def interrupt(self: waiting.Waiting, longest_s: float = 0.0) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.Waiting, "step", interrupt)
    with pytest.raises(KeyboardInterrupt, match=rf"it goes on\..*ct\.cancel\('{dispatch_id}'\) ends it"):
        ct.get_result(dispatch_id, wait=True)
    assert executor.cancelled == []


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    """Here and beside an event loop."""
    with pytest.raises(ServerUnreachableError):
        ct.get_result("some-id", wait=True, dispatcher_addr="127.0.0.1:9")
    with pytest.raises(ServerUnreachableError):
        asyncio.run(ct.get_result_async("some-id", dispatcher_addr="127.0.0.1:9"))  # type: ignore[arg-type]


def test_a_loop_that_ended_leaves_no_trace_of_the_waiting() -> None:
    """The thread that still asks finds nobody to tell, and ends."""
    asked, go_on = threading.Event(), threading.Event()

    def ask() -> None:
        asked.set()
        go_on.wait(20)

    async def main() -> None:
        task = asyncio.ensure_future(waiting.beside(ask))
        await asyncio.to_thread(asked.wait, 20)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    [thread] = [thread for thread in threading.enumerate() if thread.name == "covalent-wait"]
    go_on.set()
    thread.join(20)
    assert not thread.is_alive()
