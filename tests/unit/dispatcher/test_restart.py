"""What a dispatcher makes of dispatches that an earlier one left behind, and of others that run beside it."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from dispatcher_bench import GONE, Bench, graph_of, running, settings_of

from covalent_lab.dispatcher import dispatcher as module
from covalent_lab.dispatcher.ownership import new_owner, split_owners
from covalent_lab.executor.base import JobSpec, Outcome
from covalent_lab.ids import AttemptId, DispatchId, NodeId
from covalent_lab.scheduler.states import NodeState
from covalent_lab.store.base import Batch, NewDispatch, Request
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore
from covalent_lab.testing.fakes import FakeExecutor, completed

CHAIN = graph_of(4, [(0, 1), (1, 2), (2, 3)], parameters={0})
PAIR = graph_of(2, [])
ONE = graph_of(1, [])


def hang(_: JobSpec) -> Outcome | None:
    """A job that runs until it is stopped."""
    return None


def leave_behind(folder: Path, executor: FakeExecutor, graph: Any, *, until: int = 1, **options: Any) -> DispatchId:
    """Run a dispatcher that ends while jobs are at work; returns the unfinished dispatch."""

    async def work() -> DispatchId:
        async with running(folder, executor, owner=options.pop("owner", GONE)) as bench:
            name = await bench.submit(graph, **options)
            await executor.until(lambda: len(executor.submitted) >= until)
            await handles_stored(bench, name, until)
            return name

    return asyncio.run(work())


async def handles_stored(bench: Bench, name: DispatchId, number: int) -> None:
    """Wait until so many jobs have a stored handle, or are over; the feed does not tell of handles."""
    async with asyncio.timeout(120):
        while True:
            _, nodes = await bench.dispatcher.store.nodes(name)
            if sum(bool(n.handle) or NodeState(n.state).is_terminal for n in nodes) >= number:
                return
            await asyncio.sleep(0)  # gives way to the tick


def take_up(folder: Path, executor: FakeExecutor, name: DispatchId, **options: Any) -> dict[str, Any]:
    """Start another dispatcher and let it bring the dispatch to its end."""

    async def work() -> dict[str, Any]:
        async with running(folder, executor, owner=new_owner(), **options) as bench:
            detail = await bench.ended(name)
            told = await bench.told(name)
            assert len({t for t in told if t[1] == "COMPLETED"}) == sum(t[1] == "COMPLETED" for t in told)
            return detail

    return asyncio.run(work())


def test_a_job_that_outlived_the_dispatcher_is_not_run_again(tmp_path: Path) -> None:
    """The executor gets its handle back and tells how it ended; only what follows is submitted."""
    name = leave_behind(tmp_path, FakeExecutor(hang), CHAIN)
    attempt = AttemptId(f"{name}:1:1")
    second = FakeExecutor(found={attempt: completed("found")})
    detail = take_up(tmp_path, second, name)
    assert (detail["status"], detail["completed"]) == ("COMPLETED", 3)
    assert second.watched == {attempt: {"job": attempt}}
    assert [s.name for s in second.submitted] == ["task_2", "task_3"]


def test_a_job_that_was_lost_is_run_again_as_the_next_attempt(tmp_path: Path) -> None:
    """And nothing else is."""
    name = leave_behind(tmp_path, FakeExecutor(hang), CHAIN)
    second = FakeExecutor()
    assert take_up(tmp_path, second, name)["status"] == "COMPLETED"
    assert [(s.name, s.attempt) for s in second.submitted] == [("task_1", 2), ("task_2", 1), ("task_3", 1)]


def test_completed_nodes_are_not_run_again(tmp_path: Path) -> None:
    """Their outputs are read from the store."""
    first = FakeExecutor(lambda spec: completed("kept") if spec.node_id == 1 else None)
    name = leave_behind(tmp_path, first, CHAIN, until=2)
    second = FakeExecutor()
    assert take_up(tmp_path, second, name)["status"] == "COMPLETED"
    assert [(s.name, s.attempt) for s in second.submitted] == [("task_2", 2), ("task_3", 1)]
    assert second.submitted[0].args[0].data == first_output(tmp_path, name)


def first_output(folder: Path, name: DispatchId) -> bytes | None:
    """Archive that node 1 left behind."""

    async def work() -> bytes | None:
        settings = settings_of(folder)
        store = SqlStore(settings.database, BlobDir(settings.data_dir))
        await store.open()
        try:
            _, nodes = await store.nodes(name, NodeId(1))
            assert nodes[0].output is not None
            stored = await store.payload(name, nodes[0].output.digest)
            assert stored is not None
            return stored.data
        finally:
            await store.close()

    return asyncio.run(work())


def test_a_cancel_that_was_recorded_is_carried_out_after_a_restart(tmp_path: Path) -> None:
    """The running job is stopped, the rest never starts."""

    class Stubborn(FakeExecutor):
        """Does not stop its jobs."""

        async def cancel_jobs(self, handles: Any) -> None:
            self.cancelled.extend(handles)

    async def first() -> DispatchId:
        executor = Stubborn(hang)
        async with running(tmp_path, executor) as bench:
            name = await bench.submit(CHAIN)
            await executor.until(lambda: bool(executor.running))
            await bench.dispatcher.cancel(name, None)
            return name

    name = asyncio.run(first())
    second = FakeExecutor()
    assert take_up(tmp_path, second, name)["status"] == "CANCELLED"
    assert second.submitted == []


def test_a_dispatch_whose_start_was_asked_of_a_process_that_died_is_started(tmp_path: Path) -> None:
    """The request is kept with the dispatch."""

    async def first() -> DispatchId:
        async with running(tmp_path, FakeExecutor()) as bench:
            name = await bench.submit(ONE, start=False)
            await bench.dispatcher.store.record(Batch(requests=[Request(dispatch_id=name, starts=True)]))
            return name

    assert take_up(tmp_path, FakeExecutor(), asyncio.run(first()))["status"] == "COMPLETED"


def test_a_crash_between_recording_and_submitting_submits_later(tmp_path: Path) -> None:
    """The store says STARTING, no executor has ever heard of the job."""

    class DyingStore(SqlStore):
        """Records, and is never heard of again."""

        async def create(self, dispatch: NewDispatch, batch: Batch | None = None) -> int:
            await super().create(dispatch, batch)
            recorded.set()
            await asyncio.Event().wait()
            raise AssertionError

    recorded = asyncio.Event()
    executor = FakeExecutor()
    name = DispatchId("5f0d7f52-2d3c-4d55-9d4e-6d2f3bb0f0a1")

    async def first() -> None:
        async with running(tmp_path, executor, store=DyingStore) as bench:
            submission = asyncio.create_task(bench.submit(ONE, name))
            await recorded.wait()
            submission.cancel()

    asyncio.run(first())
    assert executor.submitted == []
    second = FakeExecutor()
    assert take_up(tmp_path, second, name)["status"] == "COMPLETED"
    assert [s.attempt for s in second.submitted] == [2]


def test_a_dispatch_that_was_only_registered_stays_so(tmp_path: Path) -> None:
    """It can still be started."""

    async def first() -> DispatchId:
        async with running(tmp_path, FakeExecutor()) as bench:
            return await bench.submit(ONE, start=False)

    name = asyncio.run(first())

    async def second() -> None:
        async with running(tmp_path, FakeExecutor(), owner=new_owner()) as bench:
            assert (await bench.queries.detail(name))["status"] == "NEW_OBJECT"
            await bench.dispatcher.start(name)
            assert (await bench.ended(name))["status"] == "COMPLETED"

    asyncio.run(second())


def damage(folder: Path, statement: str, *values: Any) -> None:
    """Change the database behind everybody's back."""
    with sqlite3.connect(folder / "db.sqlite") as connection:
        connection.execute(statement, values)
    connection.close()


def test_a_damaged_dispatch_does_not_keep_the_others_from_going_on(tmp_path: Path) -> None:
    """Its graph is unreadable; the one beside it is finished."""
    broken = leave_behind(tmp_path, FakeExecutor(hang), ONE)
    whole = leave_behind(tmp_path, FakeExecutor(hang), ONE, owner=new_owner())

    its_key = "(select key from dispatch where id = ?)"
    damage(tmp_path, f"update graph set data = ? where dispatch_key = {its_key}", b'{"version": 99}', broken)
    damage(tmp_path, "update dispatch set owner = '' where id in (?, ?)", broken, whole)
    assert take_up(tmp_path, FakeExecutor(), whole)["status"] == "COMPLETED"
    told = take_up(tmp_path, FakeExecutor(), broken)
    assert told["status"] == "FAILED"  # nobody waits for it for ever
    assert "cannot be continued after a restart" in told["error"]


def test_a_missing_input_fails_the_node_and_not_the_dispatcher(tmp_path: Path) -> None:
    """Somebody deleted a payload from the database."""
    name = leave_behind(tmp_path, FakeExecutor(hang), CHAIN)
    damage(tmp_path, "delete from payload")
    assert take_up(tmp_path, FakeExecutor(), name)["status"] == "FAILED"


# --- owners


def test_a_process_that_runs_is_told_from_one_that_is_gone() -> None:
    """By number and start time; other machines are neither; an empty name is gone."""
    me = new_owner()
    host, pid, start, _ = me.rsplit(":", 3)
    reborn = f"{host}:{pid}:{int(start) + 1}:x"
    assert split_owners([me, GONE, reborn, "elsewhere:1:2:x", ""]) == ([me], [GONE, reborn, ""])


@pytest.mark.parametrize("owner", ["nonsense", "a:b", f"{GONE.split(':', maxsplit=1)[0]}:x:y:z"])
def test_an_owner_whose_name_cannot_be_read_does_not_stop_the_start(owner: str) -> None:
    """It is left to its lease."""
    assert split_owners([owner]) == ([], [])


def test_dispatches_of_a_running_neighbour_are_left_alone(tmp_path: Path) -> None:
    """Two dispatchers on one store: the second neither watches nor submits what the first runs."""

    async def work() -> None:
        first, second = FakeExecutor(hang), FakeExecutor()
        async with running(tmp_path, first, owner=new_owner()) as one:
            name = await one.submit(ONE)
            await first.until(lambda: bool(first.running))
            async with running(tmp_path, second, owner=new_owner()) as two:
                assert (two.dispatcher.active, second.watched, second.submitted) == (frozenset(), {}, [])
                assert (await two.queries.detail(name))["status"] == "RUNNING"

    asyncio.run(work())


def test_a_neighbour_is_followed_and_can_be_asked_to_cancel_and_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the store: the owner hears of it, and the one who asked sees the end."""
    monkeypatch.setattr(module, "_FOLLOW_S", 0.01)

    async def work() -> None:
        executor = FakeExecutor(hang)
        mine, other = new_owner(), new_owner()
        async with (
            running(tmp_path, executor, owner=mine) as one,
            running(tmp_path, FakeExecutor(), owner=other) as two,
        ):
            name = await one.submit(PAIR, start=False)
            await two.dispatcher.start(name)
            await executor.until(lambda: len(executor.running) == 2)
            await two.dispatcher.cancel(name, frozenset({NodeId(0)}))
            await executor.until(lambda: bool(executor.cancelled))
            assert executor.cancelled == [f"{name}:0:1"]
            await two.dispatcher.cancel(name, None)
            assert (await two.ended(name))["status"] == "CANCELLED"

    asyncio.run(work())


def test_a_neighbour_goes_on_with_what_a_dispatcher_leaves_when_it_stops(tmp_path: Path) -> None:
    """A script ends; the Jupyter server beside it finishes the script's dispatches."""

    async def work() -> None:
        async with running(tmp_path, FakeExecutor(), owner=new_owner(), lease_s=0.03) as two:
            executor = FakeExecutor(hang)
            async with running(tmp_path, executor, owner=new_owner()) as one:
                name = await one.submit(ONE)
                await executor.until(lambda: bool(executor.running))
            assert (await two.ended(name))["status"] == "COMPLETED"

    asyncio.run(work())


def test_a_lease_that_lapsed_elsewhere_is_taken_over(tmp_path: Path) -> None:
    """The other machine is silent for longer than the lease."""
    name = leave_behind(tmp_path, FakeExecutor(hang), ONE)
    damage(tmp_path, "update dispatch set owner = 'elsewhere:1:2:x', lease_until = 1.0")
    assert take_up(tmp_path, FakeExecutor(), name)["status"] == "COMPLETED"


@pytest.mark.parametrize("asked", ["cancel", "start"])
def test_what_was_asked_of_an_owner_is_not_lost_with_it(tmp_path: Path, asked: str) -> None:
    """The owner, on another machine, goes away before it hears of the request."""

    async def work() -> DispatchId:
        async with running(tmp_path, FakeExecutor(hang), owner=new_owner()) as one:
            name = await one.submit(ONE, start=False)
        damage(tmp_path, "update dispatch set owner = 'elsewhere:1:2:x', lease_until = 1e12")
        async with running(tmp_path, FakeExecutor(), owner=new_owner()) as two:
            if asked == "cancel":
                await two.dispatcher.cancel(name, None)
            else:
                await two.dispatcher.start(name)
        return name

    name = asyncio.run(work())
    damage(tmp_path, "update dispatch set owner = '', lease_until = 0")
    if asked == "cancel":
        damage(tmp_path, "update dispatch set autostart = 1")
    expected = {"cancel": "CANCELLED", "start": "COMPLETED"}[asked]
    assert take_up(tmp_path, FakeExecutor(), name)["status"] == expected


def test_a_cancel_that_comes_while_a_dispatch_is_taken_over_is_carried_out(tmp_path: Path) -> None:
    """It is recorded after the dispatch was read, and before its new owner knows it as its own."""
    reading, goes_on = asyncio.Event(), asyncio.Event()

    class SlowStore(SqlStore):
        async def nodes(self, dispatch_id: DispatchId, node_id: NodeId | None = None) -> tuple[int, Any]:
            found = await super().nodes(dispatch_id, node_id)
            reading.set()
            await goes_on.wait()
            return found

    async def work() -> None:
        heir = running(tmp_path, FakeExecutor(hang), owner=new_owner(), store=SlowStore, lease_s=0.05)
        async with heir as bench, asyncio.timeout(120):
            async with running(tmp_path, FakeExecutor(hang), owner=new_owner()) as first:
                name = await first.submit(ONE)
            await reading.wait()
            await bench.dispatcher.cancel(name, None)
            goes_on.set()
            assert (await bench.ended(name))["status"] == "CANCELLED"

    asyncio.run(work())
