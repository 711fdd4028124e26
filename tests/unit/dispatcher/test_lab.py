"""The lab: a dispatcher in a thread of its own, asked from other event loops and threads."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dispatcher_bench import PAYLOADS, bundle_of, graph_of, settings_of

from covalent_lab.dispatcher import lab as module
from covalent_lab.dispatcher.bundle import BadBundleError
from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.dispatcher.lab import Lab
from covalent_lab.dispatcher.ownership import new_owner
from covalent_lab.errors import MissingLatticeRecordError, StoreError, UsageError
from covalent_lab.executor.base import JobSpec, Outcome, Usage
from covalent_lab.graph.model import Graph
from covalent_lab.scheduler.states import DispatchState
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore
from covalent_lab.testing.fakes import FakeExecutor, completed

ONE = graph_of(1, [])


def hang(_: JobSpec) -> Outcome | None:
    """A job that runs until it is stopped."""
    return None


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Open a lab on the test's folder, with a fake executor."""

    @contextmanager
    def open_lab(executor: FakeExecutor | None = None, **changes: Any) -> Iterator[Lab]:
        fake = executor or FakeExecutor()

        def build(settings: Settings) -> Dispatcher:
            blobs = BlobDir(settings.data_dir / "payloads")
            store = SqlStore(settings.database, blobs, settings.durability)
            return Dispatcher(settings, store, blobs, new_owner(), create=lambda name, configured: fake)

        monkeypatch.setattr(module, "build", build)
        lab = Lab.open(settings_of(tmp_path, **changes))
        try:
            yield lab
        finally:
            lab.close()

    return open_lab


async def submit(lab: Lab, graph: Graph, *, start: bool = True, **changes: Any) -> str:
    """Hand in a bundle; returns the id."""
    submission = lab.submission()
    submission.feed(bundle_of(graph, **changes))
    return (await submission.finish(start))[0]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run in a loop that is not the dispatcher's."""

    async def limited() -> Any:
        async with asyncio.timeout(120):
            return await work

    return asyncio.run(limited())


def test_a_bundle_fed_in_pieces_becomes_a_dispatch(opened: Callable[..., Any]) -> None:
    """A repeated bundle answers with the same id, and False."""

    async def work(lab: Lab) -> None:
        whole = bundle_of(ONE)
        answers = []
        for _ in range(2):
            submission = lab.submission()
            for begin in range(0, len(whole), 100):
                submission.feed(whole[begin : begin + 100])
            answers.append(await submission.finish())
            submission.abort()
        assert answers[0] == (answers[1][0], True)
        assert answers[1][1] is False
        detail = await lab.detail(answers[0][0], 20.0)
        assert (detail["status"], detail["name"], detail["python_version"]) == ("COMPLETED", "sweep", "3.11.4")
        assert json.loads(await lab.graph(answers[0][0]))["nodes"]["name"] == ["task_0"]

    with opened() as lab:
        run(work(lab))


def test_a_damaged_bundle_leaves_nothing(opened: Callable[..., Any]) -> None:
    """Neither when it is fed nor when it is finished too early."""

    async def work(lab: Lab) -> None:
        with pytest.raises(BadBundleError):
            lab.submission().feed(b"GET / HTTP/1.1")
        submission = lab.submission()
        submission.feed(bundle_of(ONE)[:-1])
        with pytest.raises(BadBundleError):
            await submission.finish()
        with pytest.raises(UsageError, match="cycle"):
            await submit(lab, graph_of(2, [(0, 1), (1, 0)]))
        assert (await lab.list_dispatches())["total"] == 0

    with opened() as lab:
        run(work(lab))


def test_several_event_loops_ask_at_once(opened: Callable[..., Any]) -> None:
    """Each thread has a loop of its own, and all get their answers."""
    failures: list[BaseException] = []

    async def work(lab: Lab) -> None:
        for _ in range(5):
            name = await submit(lab, ONE)
            assert (await lab.detail(name, 20.0))["status"] == "COMPLETED"

    def ask(lab: Lab) -> None:
        try:
            run(work(lab))
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    with opened() as lab:
        threads = [threading.Thread(target=ask, args=(lab,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failures == []
        assert run(lab.list_dispatches())["counts"] == {"COMPLETED": 20}


def test_what_a_task_used_is_shown_with_its_node(opened: Callable[..., Any]) -> None:
    """All of it with the node, the two that are compared with the table of nodes."""
    used = Usage(cpu_s=1.5, peak_memory=9_000, memory_growth=0, input_bytes=10, output_bytes=20, host="here", pid=7)

    async def work(lab: Lab) -> None:
        dispatch_id = await submit(lab, ONE)
        await lab.detail(dispatch_id, 20.0)
        assert (await lab.node(dispatch_id, 0))["usage"] == used.to_json()
        columns = await lab.nodes(dispatch_id)
        assert (columns["cpu_s"], columns["peak_memory"]) == ([1.5], [9_000])

    with opened(FakeExecutor(lambda spec: completed(1, usage=used))) as lab:
        run(work(lab))


def test_status_tells_who_and_how(opened: Callable[..., Any], tmp_path: Path) -> None:
    """What a monitoring page needs."""
    with opened() as lab:
        status = run(lab.status())
    assert (status["status"], status["dispatches"], status["running"], status["pid"]) == ("running", 0, 0, os.getpid())
    assert status["store"] == f"sqlite:///{tmp_path}/db.sqlite"
    assert Path(status["results_dir"]).name == "results"


def test_all_that_a_filter_matches_is_deleted(opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Over as many pages and transactions as it takes; what is not over stays, and is counted in the overview."""
    monkeypatch.setattr("covalent_lab.dispatcher.queries._MANY", 2)
    monkeypatch.setattr("covalent_lab.dispatcher.lab._DELETED_AT_ONCE", 2)

    executor = FakeExecutor(lambda spec: None if spec.name == "task_1" else FakeExecutor()._answer(spec))

    async def work(lab: Lab) -> None:
        over = [await submit(lab, ONE) for _ in range(5)]
        for dispatch_id in over:
            await lab.detail(dispatch_id, 20.0)
        active = await submit(lab, graph_of(2, []))
        assert (await lab.overview())["latest"]["dispatch_id"] == active
        answer = await lab.delete_matching("", [state.value for state in DispatchState])
        assert set(answer["deleted"]) == set(over)
        assert (answer["missing"], answer["active"]) == ([], [active])
        overview = await lab.overview()
        assert (overview["total"], sum(overview["counts"].values()), overview["runtime_s"]) == (1, 1, 0.0)

    with opened(executor) as lab:
        run(work(lab))


def test_what_runs_is_not_deleted(opened: Callable[..., Any]) -> None:
    """The answer sorts ids into deleted, missing and active; a repeated id counts once."""
    executor = FakeExecutor(lambda spec: None if spec.name == "task_1" else FakeExecutor()._answer(spec))

    async def work(lab: Lab) -> None:
        over, active = await submit(lab, ONE), await submit(lab, graph_of(2, []))
        await lab.detail(over, 20.0)
        answer = await lab.delete([over, active, "unknown", over])
        assert answer == {"deleted": [over], "missing": ["unknown"], "active": [active]}
        with pytest.raises(MissingLatticeRecordError):
            await lab.detail(over)
        assert await lab.delete([]) == {"deleted": [], "missing": [], "active": []}

    with opened(executor) as lab:
        run(work(lab))


def test_cancel_says_what_was_asked_for(opened: Callable[..., Any]) -> None:
    """With the words users know."""

    async def work(lab: Lab) -> None:
        name = await submit(lab, graph_of(2, []))
        assert await lab.cancel(name, [0]) == {"message": f"Cancelled tasks [0] in dispatch {name}."}
        assert await lab.cancel(name) == {"message": f"Dispatch {name} cancelled."}
        assert (await lab.detail(name, 20.0))["status"] == "CANCELLED"

    with opened(FakeExecutor(hang)) as lab:
        run(work(lab))


def test_a_registered_dispatch_is_started_by_its_id(opened: Callable[..., Any]) -> None:
    """The answer says how it stands."""

    async def work(lab: Lab) -> None:
        name = await submit(lab, ONE, start=False)
        assert (await lab.detail(name))["status"] == "NEW_OBJECT"
        answer = await lab.start(name)
        assert answer["dispatch_id"] == name
        assert answer["status"] != "NEW_OBJECT"
        assert (await lab.detail(name, 20.0))["status"] == "COMPLETED"

    with opened() as lab:
        run(work(lab))


# --- the feed


async def frames_until(lab: Lab, after: int | None, is_last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Frames up to the one with the wanted item."""
    subscription = lab.subscribe(after)
    frames = []
    async for frame in subscription:
        frames.append(frame)
        if any(is_last(item) for item in frame.get("items", ())):
            subscription.close()
            break
    return frames


def is_end(item: dict[str, Any]) -> bool:
    """The dispatch is over."""
    return item["node_id"] is None and item["status"] in ("COMPLETED", "DELETED")


def test_a_subscriber_with_a_number_gets_everything_since(opened: Callable[..., Any]) -> None:
    """Hello first, then all items in order; the first one describes the dispatch."""

    async def work(lab: Lab) -> None:
        name = await submit(lab, ONE)
        await lab.detail(name, 20.0)
        hello, *rest = await frames_until(lab, 0, is_end)
        items = [item for frame in rest for item in frame["items"]]
        assert hello == {"type": "hello", "seq": items[-1]["seq"], "version": hello["version"]}
        assert [i["seq"] for i in items] == list(range(1, len(items) + 1))
        assert [(i["node_id"], i["status"]) for i in items] == [
            (None, "NEW_OBJECT"),
            (None, "STARTING"),
            (None, "RUNNING"),
            (0, "STARTING"),
            (0, "RUNNING"),
            (0, "COMPLETED"),
            (None, "COMPLETED"),
        ]
        first = {"name": "sweep", "total": 1, "root_dispatch_id": name}
        assert {k: items[0][k] for k in first} == first

    with opened() as lab:
        run(work(lab))


def test_a_subscriber_without_a_number_gets_what_follows(opened: Callable[..., Any]) -> None:
    """Live, while it waits; a deletion is told as well."""

    async def work(lab: Lab) -> None:
        old = await submit(lab, ONE)
        await lab.detail(old, 20.0)
        subscription = lab.subscribe()
        frames = aiter(subscription)
        seq = (await anext(frames))["seq"]
        await lab.delete([old])
        frame = await anext(frames)
        assert frame == {
            "type": "transitions",
            "items": [{**frame["items"][0], "seq": seq + 1, "dispatch_id": old, "node_id": None, "status": "DELETED"}],
        }
        subscription.close()
        assert [f async for f in frames] == []

    with opened() as lab:
        run(work(lab))


def test_a_subscriber_too_far_behind_is_reset(opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a number that makes no sense."""
    monkeypatch.setattr(module, "CAPACITY", 3)

    async def work(lab: Lab) -> None:
        name = await submit(lab, ONE)
        await lab.detail(name, 20.0)
        for after in (0, -5):
            subscription = lab.subscribe(after)
            frames = aiter(subscription)
            hello, reset = await anext(frames), await anext(frames)
            assert reset == {"type": "reset", "seq": hello["seq"]}
            subscription.close()

    with opened() as lab:
        run(work(lab))


def test_requests_between_dispatchers_are_not_shown(opened: Callable[..., Any]) -> None:
    """A number from the future, or the newest one, brings nothing old."""

    async def work(lab: Lab) -> None:
        name = await submit(lab, ONE)
        seq = (await lab.detail(name, 20.0))["seq"]
        for after in (seq, seq + 1_000):
            subscription = lab.subscribe(after)
            frames = aiter(subscription)
            assert (await anext(frames))["type"] == "hello"
            subscription.close()
            assert [f async for f in frames] == []

    with opened() as lab:
        run(work(lab))


def test_a_subscription_is_closed_from_another_thread(opened: Callable[..., Any]) -> None:
    """The waiting reader ends; closing again, or before reading, does no harm."""

    async def work(lab: Lab) -> None:
        subscription = lab.subscribe()
        frames = aiter(subscription)
        await anext(frames)
        threading.Thread(target=subscription.close).start()
        assert [f async for f in frames] == []
        subscription.close()
        early = lab.subscribe()
        early.close()
        assert [f["type"] async for f in early] == ["hello"]

    with opened() as lab:
        run(work(lab))


def test_readers_end_when_the_lab_closes(opened: Callable[..., Any]) -> None:
    """So do those who wait for a dispatch; nobody hangs."""

    async def work(lab: Lab) -> None:
        name = await submit(lab, ONE)
        subscription = lab.subscribe()
        frames = aiter(subscription)
        await anext(frames)
        waiting = asyncio.ensure_future(lab.detail(name, 1_000.0))
        reading = asyncio.ensure_future(drain(frames))
        await asyncio.sleep(0)
        await asyncio.to_thread(lab.close)
        await reading
        done, _ = await asyncio.wait({waiting})
        # The answer may come just before the store closes, or not at all; it is never that the dispatch is over.
        assert done == {waiting}
        assert waiting.cancelled() or waiting.exception() or waiting.result()["ended_at"] is None

    async def drain(frames: Any) -> None:
        async for _ in frames:
            pass

    with opened(FakeExecutor(hang)) as lab:
        run(work(lab))


def test_a_file_that_was_just_uploaded_is_not_deleted_with_an_older_dispatch(opened: Callable[..., Any]) -> None:
    """Both have the same value; the second dispatch is not recorded yet."""

    async def bring_again(lab: Lab) -> tuple[str, list[str]]:
        older = await submit(lab, ONE)
        await lab.detail(older, 100.0)
        submission = lab.submission()
        submission.feed(bundle_of(ONE))
        await lab.delete([older])
        newer, _ = await submission.finish()
        assert (await lab.detail(newer, 100.0))["status"] == "COMPLETED"
        return newer, [str((await lab.payload(newer, ref.digest)).path) for ref in PAYLOADS]

    with opened(inline_limit=8) as lab:
        name, paths = run(bring_again(lab))
        assert [Path(path).exists() for path in paths] == [True, True]
        run(lab.delete([name]))
        assert [Path(path).exists() for path in paths] == [False, False]


# --- opening and closing


def test_what_is_asked_while_the_loop_ends_is_refused(opened: Callable[..., Any]) -> None:
    """The dispatcher has stopped, its event loop has not closed yet: nobody is to wait for an answer."""
    begun, is_ending, goes_on = threading.Event(), threading.Event(), threading.Event()

    def linger() -> None:
        begun.set()
        goes_on.wait(120)

    async def lingering() -> None:
        try:
            await asyncio.to_thread(linger)
        finally:
            is_ending.set()

    with opened(FakeExecutor(hang)) as lab:
        name = run(submit(lab, ONE, start=False))
        asking = asyncio.run_coroutine_threadsafe(lingering(), lab._loop)
        assert begun.wait(120)
        closing = threading.Thread(target=lab.close)
        closing.start()
        try:
            assert is_ending.wait(120)
            with pytest.raises(StoreError, match="stopped"):
                run(lab.start(name))
        finally:
            goes_on.set()
            closing.join()
        assert asking.cancelled()


def test_a_lab_closes_twice_and_then_says_so(opened: Callable[..., Any]) -> None:
    """Later questions are answered with an error at once."""
    with opened() as lab:
        lab.close()
        lab.close()
        with pytest.raises(StoreError, match="has stopped"):
            run(lab.status())


def test_a_lab_that_cannot_open_its_store_says_why(tmp_path: Path) -> None:
    """The error of the thread reaches the one who opens."""
    (tmp_path / "db.sqlite").mkdir()
    with pytest.raises(StoreError, match="unable to open"):
        Lab.open(settings_of(tmp_path))


def test_unfinished_work_goes_on_in_the_next_lab(opened: Callable[..., Any]) -> None:
    """In the same process, one after the other."""
    with opened(FakeExecutor(hang)) as lab:
        name = run(submit(lab, ONE))
    with opened() as lab:
        assert run(lab.detail(name, 20.0))["status"] == "COMPLETED"
