"""The tick with a fake executor: what is submitted, recorded and announced, and what a backend may do wrong."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa  # noqa: TID253 - counts statements
from dispatcher_bench import FUNCTION, VALUE, Bench, graph_of, running

from covalent_lab import payload
from covalent_lab.dispatcher import dispatcher as module
from covalent_lab.dispatcher import jobs
from covalent_lab.dispatcher.cache import PayloadCache
from covalent_lab.errors import (
    LabError,
    MissingLatticeRecordError,
    MissingNodeError,
    StoreError,
    UnknownExecutorError,
    UsageError,
)
from covalent_lab.executor.base import (
    Executor,
    JobFinished,
    JobHandle,
    JobSpec,
    JobStarted,
    JobStatus,
    NewPayload,
    Outcome,
)
from covalent_lab.ids import AttemptId, DispatchId, NodeId, PayloadRef
from covalent_lab.store import prepared
from covalent_lab.store.base import Batch, ListQuery, NewDispatch, StoredPayload
from covalent_lab.store.prepared import execute
from covalent_lab.store.sql import SqlStore
from covalent_lab.testing.fakes import FakeExecutor, completed, failed

CHAIN = graph_of(4, [(0, 1), (1, 2), (2, 3)], parameters={0}, identity=3)
PAIR = graph_of(2, [])
ONE = graph_of(1, [])


def go(folder: Path, executor: Any, work: Callable[[Bench], Coroutine[Any, Any, None]], **changes: Any) -> None:
    """Run a dispatcher, and a test within it."""

    async def inside() -> None:
        async with running(folder, executor, **changes) as bench:
            await work(bench)

    asyncio.run(inside())


def hang(_: JobSpec) -> Outcome | None:
    """A job that runs until it is stopped."""
    return None


# --- the course of a dispatch


def test_a_dispatch_runs_from_submission_to_result(tmp_path: Path) -> None:
    """Outputs become inputs, the identity hands on the last one, and every state is recorded in order."""
    executor = FakeExecutor()

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        detail = await bench.ended(name)
        assert (detail["status"], detail["total"], detail["completed"], detail["error"]) == ("COMPLETED", 3, 3, None)
        assert detail["result"]["text"] == "task_2"
        assert await bench.told(name) == [
            (None, "NEW_OBJECT", 0),
            (None, "STARTING", 0),
            (None, "RUNNING", 0),
            (1, "STARTING", 1),
            (1, "RUNNING", 1),
            (1, "COMPLETED", 1),
            (2, "STARTING", 1),
            (2, "RUNNING", 1),
            (2, "COMPLETED", 1),
            (3, "COMPLETED", 0),
            (None, "COMPLETED", 0),
        ]

    go(tmp_path, executor, work)
    first, second = executor.submitted
    assert (first.name, first.attempt, first.function.ref, first.function.data) == (
        "task_1",
        1,
        FUNCTION.ref,
        FUNCTION.tobytes(),
    )
    assert [a.ref for a in first.args] == [VALUE.ref]
    assert [payload.decode(a.data or b"") for a in second.args] == ["task_1"]
    assert (executor.running, executor.is_closed) == ({}, True)


def test_the_end_of_a_short_job_stands_for_its_start(tmp_path: Path) -> None:
    """One transition less to record and to show; it says when the job began, as does the node."""
    executor = FakeExecutor(lambda _: completed("a", started_at=5.0, ended_at=6.0))

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await bench.ended(name)
        records = await bench.dispatcher.store.transitions_after(0, 1_000)
        assert [(r.status, r.at, r.extra) for r in records if r.node_id == 0 and r.status != "STARTING"] == [
            ("COMPLETED", 6.0, {"started_at": 5.0})
        ]
        node = await bench.queries.node(name, NodeId(0))
        assert (node["started_at"], node["ended_at"]) == (5.0, 6.0)

    go(tmp_path, executor, work)


def test_a_job_that_goes_on_is_told_to_run(tmp_path: Path) -> None:
    """Its end then needs to say nothing of its start."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await executor.until(lambda: bool(executor.running))
        await bench.dispatcher.cancel(name, frozenset())  # returns once all that came before it is recorded
        executor.finish(AttemptId(f"{name}:0:1"), completed("a", started_at=5.0, ended_at=6.0))
        await bench.ended(name)
        records = await bench.dispatcher.store.transitions_after(0, 1_000)
        assert [(r.status, r.extra) for r in records if r.node_id == 0] == [
            ("STARTING", None),
            ("RUNNING", None),
            ("COMPLETED", None),
        ]

    go(tmp_path, executor, work)


def test_a_workflow_without_tasks_completes_without_an_executor(tmp_path: Path) -> None:
    """It returns its input."""
    executor = FakeExecutor()

    async def work(bench: Bench) -> None:
        detail = await bench.ended(await bench.submit(graph_of(2, [(0, 1)], parameters={0}, identity=1)))
        assert (detail["status"], detail["result"]["text"]) == ("COMPLETED", "7")

    go(tmp_path, executor, work)
    assert executor.submitted == []


def test_submitting_an_id_again_runs_nothing_again(tmp_path: Path) -> None:
    """While it runs, and after it ended."""
    executor = FakeExecutor()
    name = "5f0d7f52-2d3c-4d55-9d4e-6d2f3bb0f0a1"

    async def work(bench: Bench) -> None:
        await bench.submit(CHAIN, name)
        await bench.submit(CHAIN, name)
        await bench.ended(DispatchId(name))
        await bench.submit(CHAIN, name)
        assert (await bench.queries.list_dispatches(ListQuery()))["total"] == 1

    go(tmp_path, executor, work)
    assert len(executor.submitted) == 2


def test_a_registered_dispatch_runs_once_it_is_started(tmp_path: Path) -> None:
    """Starting it again does nothing; starting an unknown one is told."""
    executor = FakeExecutor()

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE, start=False)
        assert (await bench.queries.detail(name))["status"] == "NEW_OBJECT"
        assert executor.submitted == []
        await bench.dispatcher.start(name)
        await bench.dispatcher.start(name)
        assert (await bench.ended(name))["status"] == "COMPLETED"
        await bench.dispatcher.start(name)
        with pytest.raises(MissingLatticeRecordError):
            await bench.dispatcher.start(DispatchId("unknown"))

    go(tmp_path, executor, work)
    assert len(executor.submitted) == 1


def test_a_graph_that_cannot_run_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """A cycle is the sender's fault."""

    async def work(bench: Bench) -> None:
        with pytest.raises(UsageError, match="cycle"):
            await bench.submit(graph_of(2, [(0, 1), (1, 0)]))
        assert (await bench.queries.list_dispatches(ListQuery()))["total"] == 0

    go(tmp_path, FakeExecutor(), work)


def test_a_wide_fan_runs_completely(tmp_path: Path) -> None:
    """More nodes than an executor takes at a time, and than one tick takes."""
    executor = FakeExecutor()
    count = 1_000

    async def work(bench: Bench) -> None:
        graph = graph_of(
            count + 2, [(0, i) for i in range(1, count + 1)] + [(i, count + 1) for i in range(1, count + 1)]
        )
        detail = await bench.ended(await bench.submit(graph))
        assert (detail["status"], detail["completed"]) == ("COMPLETED", count + 2)

    go(tmp_path, executor, work)
    assert len(executor.submitted) == count + 2


# --- failures of tasks


def test_a_failed_task_is_recorded_with_its_text_and_stops_its_branch(tmp_path: Path) -> None:
    """Counters, error of the dispatch, error and streams of the node; what depends on it stays untouched."""
    executor = FakeExecutor(lambda spec: failed(stdout="so far\n", stderr="hm\n") if spec.node_id == 1 else completed())

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        detail = await bench.ended(name)
        assert (detail["status"], detail["failed"], detail["completed"], detail["result"]) == ("FAILED", 1, 0, None)
        assert detail["error"] == "The following tasks failed:\n1: task_1"
        node = await bench.queries.node(name, NodeId(1))
        assert (node["status"], node["error"], node["stdout"]) == ("FAILED", "ValueError: no", "so far\n")
        assert node["stderr"] == "hm\nTraceback\nValueError: no"
        assert await bench.states(name) == {1: "FAILED"}
        assert (await bench.queries.node(name, NodeId(2)))["status"] == "NEW_OBJECT"

    go(tmp_path, executor, work)


def test_a_task_is_tried_again_as_its_executor_says(tmp_path: Path) -> None:
    """`retries` of the node's executor; each attempt has an id of its own."""
    executor = FakeExecutor(lambda spec: failed() if spec.attempt < 3 else completed("at last"))

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE, attributes={"retries": 2})
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert (await bench.queries.node(name, NodeId(0)))["attempt"] == 3
        assert [s.attempt_id for s in executor.submitted] == [f"{name}:0:{n}" for n in (1, 2, 3)]
        earlier = (await bench.queries.nodes(name))["earlier_attempts"]
        assert [(found["node_id"], found["attempt"]) for found in earlier] == [(0, 1), (0, 2)]
        assert all(found["started_at"] <= found["ended_at"] and found["error"] for found in earlier)

    go(tmp_path, executor, work)


def test_a_task_over_its_time_limit_is_stopped_and_fails(tmp_path: Path) -> None:
    """`time_limit` of the node's executor, in seconds."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE, attributes={"time_limit": 0.05})
        assert (await bench.ended(name))["status"] == "FAILED"
        assert "time limit of 0.05 s" in (await bench.queries.node(name, NodeId(0)))["error"]

    go(tmp_path, executor, work)
    assert len(executor.cancelled) == 1


def test_options_of_the_configuration_hold_where_a_node_has_none(tmp_path: Path) -> None:
    """`[executors.local] retries` in the file."""
    executor = FakeExecutor(lambda spec: failed() if spec.attempt < 2 else completed())

    async def work(bench: Bench) -> None:
        assert (await bench.ended(await bench.submit(ONE)))["status"] == "COMPLETED"

    go(tmp_path, executor, work, executors={"local": {"retries": 1}})


# --- cancel


def test_a_cancelled_dispatch_stops_its_jobs_and_starts_no_more(tmp_path: Path) -> None:
    """The request is recorded when it returns."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        await executor.until(lambda: bool(executor.running))
        await bench.dispatcher.cancel(name, None)
        record = await bench.dispatcher.store.dispatch(name)
        assert record is not None
        assert record.cancel_requested == "all"
        detail = await bench.ended(name)
        assert (detail["status"], detail["cancelled"]) == ("CANCELLED", 1)
        assert await bench.states(name) == {1: "CANCELLED"}

    go(tmp_path, executor, work)


def test_single_nodes_can_be_cancelled(tmp_path: Path) -> None:
    """The other one goes on."""
    executor = FakeExecutor(lambda spec: None if spec.node_id == 0 else completed())

    async def work(bench: Bench) -> None:
        name = await bench.submit(PAIR)
        await executor.until(lambda: len(executor.submitted) == 2)
        await bench.dispatcher.cancel(name, frozenset({NodeId(0)}))
        assert (await bench.ended(name))["status"] == "CANCELLED"
        assert await bench.states(name) == {0: "CANCELLED", 1: "COMPLETED"}

    go(tmp_path, executor, work)


def test_cancelling_what_is_not_there_is_the_callers_fault(tmp_path: Path) -> None:
    """An unknown node or dispatch is told; nothing stops."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await executor.until(lambda: bool(executor.running))
        for wrong in (99, -1):
            with pytest.raises(MissingNodeError, match=f"no node {wrong}"):
                await bench.dispatcher.cancel(name, frozenset({NodeId(wrong)}))
        with pytest.raises(MissingLatticeRecordError):
            await bench.dispatcher.cancel(DispatchId("unknown"), None)
        assert executor.cancelled == []

    go(tmp_path, executor, work)


def test_cancelling_what_is_over_has_no_effect(tmp_path: Path) -> None:
    """The dispatch stays COMPLETED."""

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await bench.ended(name)
        await bench.dispatcher.cancel(name, None)
        await bench.dispatcher.cancel(name, frozenset({NodeId(0)}))
        assert (await bench.queries.detail(name))["status"] == "COMPLETED"

    go(tmp_path, FakeExecutor(), work)


# --- what backends do wrong


class BrokenStart(FakeExecutor):
    """Cannot be started."""

    async def start(self, host: Any) -> None:
        raise OSError("no cluster")


class BrokenSubmit(FakeExecutor):
    """Refuses jobs."""

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        raise RuntimeError("queue is closed")


class BrokenCancel(FakeExecutor):
    """Cannot stop anything, but its jobs can be ended by the test."""

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        self.cancelled.extend(handles)
        self._changed.set()
        raise RuntimeError("controller is down")


class ShortSubmit(FakeExecutor):
    """Returns fewer handles than it got jobs, which all run."""

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        return list(await super().submit(specs))[:-1]


def unknown(name: str, _: Mapping[str, Any]) -> Executor:
    """No such plugin."""
    raise UnknownExecutorError(name, ("local",))


@pytest.mark.parametrize(
    ("executor", "words"),
    [
        (unknown, "No executor is named 'local'"),
        (BrokenStart(), "no cluster"),
        (BrokenSubmit(), "queue is closed"),
    ],
)
def test_an_executor_that_cannot_be_used_fails_its_nodes_and_is_named(
    tmp_path: Path, executor: Any, words: str
) -> None:
    """The dispatcher goes on; the error says which executor and why."""

    async def work(bench: Bench) -> None:
        name = await bench.submit(PAIR)
        assert (await bench.ended(name))["status"] == "FAILED"
        for node in (0, 1):
            error = (await bench.queries.node(name, NodeId(node)))["error"]
            assert "'local'" in error
            assert words in error
        assert (await bench.ended(await bench.submit(ONE)))["status"] == "FAILED"

    go(tmp_path, executor, work)


def test_an_executor_that_works_goes_on_beside_one_that_does_not(tmp_path: Path) -> None:
    """Nodes of the other executor complete."""
    works = FakeExecutor()

    def create(name: str, configured: Mapping[str, Any]) -> Executor:
        return works if name == "works" else unknown(name, configured)

    async def work(bench: Bench) -> None:
        graph = graph_of(2, [], lanes=("works", "missing"), lane_of=[0, 1])
        name = await bench.submit(graph)
        await bench.ended(name)
        assert await bench.states(name) == {0: "COMPLETED", 1: "FAILED"}

    go(tmp_path, create, work)


def test_a_cancel_that_fails_leaves_the_job_to_its_end(tmp_path: Path) -> None:
    """When the job ends after all, that counts."""
    executor = BrokenCancel(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await executor.until(lambda: bool(executor.running))
        await bench.dispatcher.cancel(name, None)
        await executor.until(lambda: bool(executor.cancelled))
        executor.finish(executor.submitted[0].attempt_id, completed())
        assert (await bench.ended(name))["status"] == "COMPLETED"

    go(tmp_path, executor, work)


def test_an_executor_that_loses_count_of_its_handles_does_not_stop_the_dispatcher(tmp_path: Path) -> None:
    """Too few handles come back; other dispatches still run."""

    async def work(bench: Bench) -> None:
        await bench.ended(await bench.submit(PAIR))
        await bench.ended(await bench.submit(ONE))

    go(tmp_path, ShortSubmit(), work)


def test_a_success_without_output_fails_the_node(tmp_path: Path) -> None:
    """What depends on it could not run; a plugin's bug must not take the dispatcher down."""
    executor = FakeExecutor(lambda spec: Outcome(status=JobStatus.COMPLETED) if spec.node_id == 1 else completed())

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        assert (await bench.ended(name))["status"] == "FAILED"
        assert "no output" in (await bench.queries.node(name, NodeId(1)))["error"]
        assert (await bench.ended(await bench.submit(PAIR)))["failed"] == 1

    go(tmp_path, executor, work)


def test_news_that_make_no_sense_are_ignored(tmp_path: Path) -> None:
    """Of unknown dispatches, future attempts, nodes beyond the graph, and ends told twice."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await executor.until(lambda: bool(executor.running))
        for attempt in (f"{name}:0:7", f"{name}:9:1", "unknown:0:1", f"{name}:0:0"):
            executor.host.report(JobStarted(attempt_id=AttemptId(attempt), at=1.0))
            executor.host.report(JobFinished(attempt_id=AttemptId(attempt), outcome=completed("wrong")))
        executor.finish(AttemptId(f"{name}:0:1"), completed("right"))
        executor.finish(AttemptId(f"{name}:0:1"), failed())
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert (await bench.queries.node(name, NodeId(0)))["output"]["text"] == "right"

    go(tmp_path, executor, work)


def test_a_large_output_is_a_file_that_the_next_job_gets_the_path_of(tmp_path: Path) -> None:
    """Its bytes never pass through the dispatcher."""
    archive = payload.encode("x" * 200_000)

    def answer(spec: JobSpec) -> Outcome:
        if spec.node_id != 1:
            return completed()
        path = Path(executor.host.payload_path(archive.ref.digest))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.tobytes())
        return Outcome(status=JobStatus.COMPLETED, output=NewPayload(ref=archive.ref))

    executor = FakeExecutor(answer)

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert (await bench.queries.node(name, NodeId(1)))["output"]["type"] == "str"

    go(tmp_path, executor, work)
    (argument,) = executor.submitted[1].args
    assert (argument.ref, argument.data) == (archive.ref, None)
    assert argument.path == str(tmp_path / "data/payloads" / archive.ref.digest[:2] / archive.ref.digest)


def test_an_output_that_is_missing_fails_the_preview_only(tmp_path: Path) -> None:
    """The page of the node is still shown."""
    missing = PayloadRef("0" * 40, 100_000)
    executor = FakeExecutor(lambda _: Outcome(status=JobStatus.COMPLETED, output=NewPayload(ref=missing)))

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await bench.ended(name)
        assert "cannot be shown" in (await bench.queries.node(name, NodeId(0)))["output"]["text"]

    go(tmp_path, executor, work)


# --- a store that fails for a while


class FlakyStore(SqlStore):
    """Cannot record while `is_full`."""

    is_full = False
    was_refused = asyncio.Event()

    async def record(self, batch: Batch) -> int:
        if FlakyStore.is_full:
            FlakyStore.was_refused.set()
            raise StoreError("disk is full")
        return await super().record(batch)


def test_a_full_disk_holds_the_tick_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is announced or submitted meanwhile; the status tells; afterwards all goes on."""
    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        await executor.until(lambda: bool(executor.running))
        FlakyStore.is_full = True
        try:
            executor.finish(executor.submitted[0].attempt_id, completed())
            async with asyncio.timeout(120):
                await FlakyStore.was_refused.wait()
            status = await bench.queries.status()
            assert (status["status"], status["trouble"]) == ("degraded", "disk is full")
            assert len(executor.submitted) == 1
            assert (1, "COMPLETED", 1) not in await bench.told(name)
        finally:
            FlakyStore.is_full = False
        await executor.until(lambda: len(executor.submitted) == 2)
        executor.finish(executor.submitted[1].attempt_id, completed())
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert (await bench.queries.status())["status"] == "running"

    go(tmp_path, executor, work, store=FlakyStore)


@pytest.mark.parametrize("cause", [StoreError("disk is full"), MissingLatticeRecordError("gone")])
def test_a_dispatch_that_cannot_be_recorded_leaves_nothing_behind(tmp_path: Path, cause: LabError) -> None:
    """Its caller is told; nothing was submitted; the same id can be submitted later, and others have its places."""
    is_full = True

    class FullStore(SqlStore):
        async def create(self, dispatch: NewDispatch, batch: Batch | None = None) -> int:
            if is_full:
                raise cause
            return await super().create(dispatch, batch)

    executor = FakeExecutor()
    name = "5f0d7f52-2d3c-4d55-9d4e-6d2f3bb0f0a1"

    async def work(bench: Bench) -> None:
        nonlocal is_full
        with pytest.raises(type(cause)):
            await bench.submit(PAIR, name)
        assert (bench.dispatcher.active, executor.submitted) == (frozenset(), [])
        assert await bench.dispatcher.store.last_seq() == 0
        is_full = False
        await bench.submit(PAIR, name)
        assert (await bench.ended(DispatchId(name)))["status"] == "COMPLETED"

    go(tmp_path, executor, work, store=FullStore)
    assert len(executor.submitted) == 2


# --- waiting for the end


def test_whoever_waits_is_told_by_the_tick_what_the_store_would_say(tmp_path: Path) -> None:
    """The same record and the same payloads, once everything is recorded; the store is not asked."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        dispatcher = bench.dispatcher
        name = await bench.submit(CHAIN)
        waiting = [asyncio.create_task(dispatcher.wait_for_end(name, 20.0)) for _ in range(2)]
        answered = asyncio.create_task(bench.queries.detail(name, 20.0))
        for count in (1, 2):
            await executor.until(lambda count=count: len(executor.submitted) == count)  # type: ignore[misc]
            executor.finish(executor.submitted[-1].attempt_id, completed(count))
        ending, other = await asyncio.gather(*waiting)
        assert ending is not None
        assert (ending, ending.record) == (other, await dispatcher.store.dispatch(name))
        refs = (ending.record.inputs, ending.record.result)
        assert ending.payloads == await dispatcher.store.payloads(name, {ref.digest for ref in refs if ref})
        assert await answered == await bench.queries.detail(name)

    go(tmp_path, executor, work)


def test_waiting_for_what_is_over_or_takes_too_long_leaves_the_answer_to_the_store(tmp_path: Path) -> None:
    """Nothing is kept of either."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        assert await bench.dispatcher.wait_for_end(name, 0.001) is None
        await executor.until(lambda: bool(executor.running))
        executor.finish(executor.submitted[0].attempt_id, completed())
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert await bench.dispatcher.wait_for_end(name, 20.0) is None

    go(tmp_path, executor, work)


def test_stopping_keeps_nobody_waiting(tmp_path: Path) -> None:
    """The dispatch goes on with the next dispatcher."""
    waiting: list[asyncio.Task[Any]] = []

    async def inside() -> None:
        async with running(tmp_path, FakeExecutor(hang)) as bench:
            name = await bench.submit(ONE)
            waiting.append(asyncio.create_task(bench.dispatcher.wait_for_end(name, 20.0)))
            await asyncio.sleep(0)
        assert await waiting[0] is None

    asyncio.run(inside())


# --- what a dispatch costs


class CountingStore(SqlStore):
    """Counts transactions that write, and questions about payloads."""

    transactions = 0
    asked = 0

    async def payloads(
        self, dispatch_id: DispatchId, digests: Collection[str] | None = None
    ) -> Mapping[str, StoredPayload]:
        self.asked += 1
        return await super().payloads(dispatch_id, digests)

    async def _write(self, work: Callable[[sa.Connection], Any]) -> Any:
        self.transactions += 1
        return await super()._write(work)


@pytest.mark.parametrize("width", [1, 20, 400])
def test_transactions_and_statements_do_not_grow_with_the_number_of_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """One creates a dispatch and starts its tasks; what ends together is recorded together."""
    statements: list[str] = []

    def executed(connection: sa.Connection, sql: str, *rows: Any) -> Any:
        statements.append(sql)
        return execute(connection, sql, *rows)

    def compiled(_: Any, __: Any, sql: str, *___: Any) -> None:
        statements.append(sql)

    monkeypatch.setattr(prepared, "execute", executed)
    sa.event.listen(sa.Engine, "before_cursor_execute", compiled)

    async def work(bench: Bench) -> None:
        store = bench.dispatcher.store
        assert isinstance(store, CountingStore)
        store.transactions = 0
        statements.clear()
        await bench.ended(await bench.submit(graph_of(width, [])))
        assert store.transactions <= 3
        written = [sql for sql in statements if not sql.lower().startswith("select")]
        assert 0 < len(written) <= 21

    try:
        go(tmp_path, FakeExecutor(), work, store=CountingStore)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", compiled)


def test_inputs_that_are_not_in_memory_are_read_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job with many of them asks the store once for each chunk."""
    monkeypatch.setattr(jobs, "_CHUNK", 10)
    width = 25
    graph = graph_of(width + 1, [(index, width) for index in range(width)])
    executor = FakeExecutor(lambda spec: completed(spec.node_id))

    async def work(bench: Bench) -> None:
        store = bench.dispatcher.store
        assert isinstance(store, CountingStore)
        monkeypatch.setattr(PayloadCache, "get", lambda self, dispatch_id, ref: None)
        name = await bench.submit(graph)
        await executor.until(lambda: len(executor.submitted) == width)
        store.asked = 0
        await bench.ended(name)
        assert store.asked <= 4

    go(tmp_path, executor, work, store=CountingStore)
    assert [payload.decode(source.data or b"") for source in executor.submitted[-1].args] == list(range(width))


# --- questions


def test_live_text_of_a_running_task_is_read_from_its_file(tmp_path: Path) -> None:
    """From an offset on, never half a character; after the end the recorded text is read."""
    executor = FakeExecutor(hang)
    out = tmp_path / "out"
    out.write_bytes("aé".encode()[:2])

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await executor.until(lambda: bool(executor.running))
        attempt = executor.submitted[0].attempt_id
        executor.host.report(JobStarted(attempt_id=attempt, at=1.0, stdout_path=str(out)))
        ask = bench.queries.stream
        assert await ask(name, NodeId(0), "stdout", 0) == {"text": "a", "offset": 1, "done": False}
        out.write_bytes("aéz".encode())
        assert await ask(name, NodeId(0), "stdout", 1) == {"text": "éz", "offset": 4, "done": False}
        executor.finish(attempt, completed(stdout="aéz!"))
        await bench.ended(name)
        assert await ask(name, NodeId(0), "stdout", 4) == {"text": "!", "offset": 5, "done": True}
        assert await ask(name, NodeId(0), "stderr", 0) == {"text": "", "offset": 0, "done": True}
        for wrong in (("stdin", 0), ("stdout", -1)):
            with pytest.raises(MissingNodeError):
                await ask(name, NodeId(0), *wrong)

    go(tmp_path, executor, work)


class Talkative(FakeExecutor):
    """Says what its tasks have printed so far, too much at a time, or fails at it."""

    async def printed(self, attempt_id: AttemptId, stream: str, offset: int, limit: int) -> bytes:
        if stream == "stderr":
            raise ConnectionError("gone")
        return b"x" * (limit + 1)


def test_live_text_without_a_file_is_asked_of_the_executor(tmp_path: Path) -> None:
    """At most as much as was asked for; an executor that fails at it disturbs nobody."""
    executor = Talkative(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        await executor.until(lambda: bool(executor.running))
        ask = bench.queries.stream
        found = await ask(name, NodeId(0), "stdout", 3)
        assert (set(found["text"]), found["offset"], found["done"]) == ({"x"}, 3 + len(found["text"]), False)
        assert len(found["text"]) == 65_536
        assert await ask(name, NodeId(0), "stderr", 5) == {"text": "", "offset": 5, "done": False}
        executor.finish(executor.submitted[0].attempt_id, completed(stdout="over"))
        await bench.ended(name)
        assert (await ask(name, NodeId(0), "stdout", 0))["text"] == "over"

    go(tmp_path, executor, work)


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "size"},
        {"direction": "up"},
        {"statuses": ("RUNNING", "DONE")},
        {"count": 0},
        {"count": 501},
        {"offset": -1},
    ],
    ids=str,
)
def test_a_list_that_cannot_be_made_is_the_callers_fault(tmp_path: Path, query: dict[str, Any]) -> None:
    """Never a KeyError."""

    async def work(bench: Bench) -> None:
        with pytest.raises(UsageError):
            await bench.queries.list_dispatches(ListQuery(**query))

    go(tmp_path, FakeExecutor(), work)


def test_questions_about_what_is_not_there_say_so(tmp_path: Path) -> None:
    """Unknown dispatch, node, payload."""

    async def work(bench: Bench) -> None:
        ask, nobody = bench.queries, DispatchId("unknown")
        for question in (
            ask.detail(nobody),
            ask.graph(nobody),
            ask.nodes(nobody),
            ask.node(nobody, NodeId(0)),
            ask.stream(nobody, NodeId(0), "stdout", 0),
            ask.payload(nobody, VALUE.ref.digest),
            ask.preview(nobody, VALUE.ref.digest),
        ):
            with pytest.raises(MissingLatticeRecordError):
                await question
        name = await bench.submit(ONE)
        for question in (
            ask.node(name, NodeId(1)),
            ask.node(name, NodeId(-1)),
            ask.payload(name, "0" * 40),
            ask.preview(name, "0" * 40),
        ):
            with pytest.raises(MissingNodeError):
                await question

    go(tmp_path, FakeExecutor(), work)


def test_waiting_returns_the_present_state_when_time_is_up(tmp_path: Path) -> None:
    """And at once for what is over."""
    executor = FakeExecutor(hang)

    async def work(bench: Bench) -> None:
        name = await bench.submit(ONE)
        assert (await bench.queries.detail(name, 0.01))["status"] in ("NEW_OBJECT", "RUNNING")
        await executor.until(lambda: bool(executor.running))
        executor.finish(executor.submitted[0].attempt_id, completed())
        await bench.ended(name)
        async with asyncio.timeout(120):
            assert (await bench.queries.detail(name, 1_000.0))["status"] == "COMPLETED"

    go(tmp_path, executor, work)


def test_inputs_of_a_node_are_shown_by_name_with_previews(tmp_path: Path) -> None:
    """A preview of the value once it exists, None before."""
    executor = FakeExecutor(lambda spec: None if spec.node_id == 2 else completed("first"))

    async def work(bench: Bench) -> None:
        name = await bench.submit(graph_of(4, [(0, 2), (1, 2), (2, 3)], parameters={0}))
        await executor.until(lambda: len(executor.submitted) == 2)
        inputs = (await bench.queries.node(name, NodeId(2)))["inputs"]
        assert [(i["name"], i["source"], i["source_name"], i["payload"]["text"]) for i in inputs] == [
            ("arg[0]", 0, ":parameter:0", "7"),
            ("arg[1]", 1, "task_1", "first"),
        ]
        assert [i["payload"] for i in (await bench.queries.node(name, NodeId(3)))["inputs"]] == [None]
        parameter = await bench.queries.node(name, NodeId(0))
        assert (parameter["status"], parameter["output"]["text"]) == ("COMPLETED", "7")

    go(tmp_path, executor, work)
