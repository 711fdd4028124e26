"""Dispatches that repeat others: what is taken over, and what a restart makes of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dispatcher_bench import GONE, Bench, graph_of, running

from covalent_lab.dispatcher.bundle import BadBundleError
from covalent_lab.dispatcher.intake import checked_id
from covalent_lab.dispatcher.ownership import new_owner
from covalent_lab.dispatcher.repeat import Repeat, copy_dispatch, read_repeat, with_reuse
from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.executor.base import JobSpec, Outcome
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.testing.fakes import FakeExecutor, completed, failed

# 0 is a value; 1 feeds 2, which feeds 3; 4 stands alone
GRAPH = graph_of(5, [(0, 1), (1, 2), (2, 3)], parameters={0})


def breaks(spec: JobSpec) -> Outcome | None:
    """Node 2 fails; other nodes return their name, and print it."""
    return failed("no") if spec.node_id == 2 else replace(completed(spec.name), stdout=f"{spec.name}\n")


class Breaks(FakeExecutor):
    """Does what `behaviour` says, which may change."""

    def __init__(self) -> None:
        super().__init__(self._behave)
        self.behaviour: Callable[[JobSpec], Outcome | None] = breaks

    def _behave(self, spec: JobSpec) -> Outcome | None:
        return self.behaviour(spec)


async def repeat(bench: Bench, source: str, *, start: bool = True, reuses: bool = True) -> DispatchId:
    """A copy of a dispatch, as the server makes it."""
    store, dispatcher = bench.dispatcher.store, bench.dispatcher
    new, graph = await copy_dispatch(
        store,
        DispatchId(source),
        DispatchId(f"{source}-2"),
        reuses=reuses,
        autostart=start,
        owner=dispatcher.owner,
        lease_s=15.0,
        clock=dispatcher.clock,
    )
    assert await dispatcher.submit(new, graph)
    assert not await dispatcher.submit(new, graph)
    return new.dispatch_id


def test_what_failed_and_what_never_ran_are_run_again_and_the_rest_is_taken_over(tmp_path: Path) -> None:
    """With outputs, streams and their origin; the feed tells it too."""

    async def work() -> None:
        executor = Breaks()
        async with running(tmp_path, executor) as bench:
            first = await bench.submit(GRAPH)
            assert (await bench.ended(first))["status"] == "FAILED"
            executor.behaviour = lambda spec: completed("fine")
            executor.submitted.clear()
            second = await repeat(bench, first)
            detail = await bench.ended(second)
            assert (detail["status"], detail["completed"], detail["total"]) == ("COMPLETED", 4, 4)
            assert (detail["redispatched_from"], detail["root_dispatch_id"]) == (first, second)
            assert [spec.name for spec in executor.submitted] == ["task_2", "task_3"]
            assert executor.submitted[0].args[0].data == completed("task_1").output.data
            node = await bench.queries.node(second, NodeId(1))
            assert (node["reused_from"], node["stdout"], node["attempt"]) == (f"{first}:1", "task_1\n", 0)
            assert node["started_at"] == node["ended_at"] is not None
            assert node["output"] == (await bench.queries.node(first, NodeId(1)))["output"]
            records = await bench.dispatcher.store.transitions_after(0, 1_000)
            told = {
                r.node_id: r.extra for r in records if r.dispatch_id == second and r.node_id is not None and r.extra
            }
            assert told == {1: {"reused_from": f"{first}:1"}, 4: {"reused_from": f"{first}:4"}}

            third = await repeat(bench, second)
            assert (await bench.ended(third))["status"] == "COMPLETED"
            assert len(executor.submitted) == 2

    asyncio.run(work())


def test_without_reuse_everything_runs_again(tmp_path: Path) -> None:
    """The copy has the same graph, inputs and functions."""

    async def work() -> None:
        executor = FakeExecutor()
        async with running(tmp_path, executor) as bench:
            first = await bench.submit(GRAPH)
            before = await bench.ended(first)
            second = await repeat(bench, first, reuses=False)
            after = await bench.ended(second)
            assert len(executor.submitted) == 8
            assert {k for k in before if before[k] != after[k]} <= {
                "dispatch_id", "root_dispatch_id", "redispatched_from", "created_at", "started_at", "ended_at", "seq",
            }  # fmt: skip
            assert await bench.queries.graph(first) == await bench.queries.graph(second)

    asyncio.run(work())


def test_a_reused_dispatch_does_not_need_the_old_one(tmp_path: Path) -> None:
    """It may be deleted before the new one starts."""

    async def work() -> None:
        executor = Breaks()
        async with running(tmp_path, executor) as bench:
            first = await bench.submit(GRAPH)
            await bench.ended(first)
            second = await repeat(bench, first, start=False)
            assert await bench.states(second) == {1: "PENDING_REUSE", 4: "PENDING_REUSE"}
            await bench.dispatcher.delete([first])
            executor.behaviour = lambda spec: completed("fine")
            await bench.dispatcher.start(second)
            assert (await bench.ended(second))["status"] == "COMPLETED"
            with pytest.raises(MissingLatticeRecordError):
                await repeat(bench, first)

    asyncio.run(work())


@pytest.mark.parametrize("start", [True, False])
def test_a_restart_before_the_start_keeps_what_is_reused(tmp_path: Path, start: bool) -> None:
    """The first dispatcher goes before a single tick; the second one takes over, or waits for the start."""

    async def create() -> DispatchId:
        async with running(tmp_path, Breaks(), owner=GONE) as bench:
            first = await bench.submit(GRAPH)
            await bench.ended(first)
            new, _ = await copy_dispatch(
                bench.dispatcher.store,
                first,
                DispatchId("again"),
                reuses=True,
                autostart=start,
                owner=GONE,
                lease_s=15.0,
                clock=bench.dispatcher.clock,
            )
            await bench.dispatcher.store.create(new)  # and then the process dies
            return new.dispatch_id

    async def finish(name: DispatchId) -> None:
        executor = FakeExecutor()
        async with running(tmp_path, executor, owner=new_owner()) as bench:
            if not start:
                assert await bench.states(name) == {1: "PENDING_REUSE", 4: "PENDING_REUSE"}
                await bench.dispatcher.start(name)
            assert (await bench.ended(name))["status"] == "COMPLETED"
            assert [spec.name for spec in executor.submitted] == ["task_2", "task_3"]
            assert (await bench.queries.node(name, NodeId(1)))["stdout"] == "task_1\n"

    asyncio.run(finish(asyncio.run(create())))


def test_a_restart_after_the_start_does_not_take_over_twice(tmp_path: Path) -> None:
    """Reused nodes are complete like any others; only what was in flight is run again."""

    async def create() -> DispatchId:
        executor = Breaks()
        async with running(tmp_path, executor, owner=GONE) as bench:
            first = await bench.submit(GRAPH)
            await bench.ended(first)
            executor.behaviour = lambda spec: None
            executor.submitted.clear()
            second = await repeat(bench, first)
            await executor.until(lambda: len(executor.submitted) == 1)
            return second

    async def finish(name: DispatchId) -> None:
        executor = FakeExecutor()
        async with running(tmp_path, executor, owner=new_owner()) as bench:
            detail = await bench.ended(name)
            assert (detail["status"], detail["completed"]) == ("COMPLETED", 4)
            assert [(spec.name, spec.attempt) for spec in executor.submitted] == [("task_2", 2), ("task_3", 1)]

    asyncio.run(finish(asyncio.run(create())))


def test_a_registered_copy_can_be_cancelled_before_it_starts(tmp_path: Path) -> None:
    """Nothing of it runs, and what was to be reused stays as it is."""

    async def work() -> None:
        async with running(tmp_path, Breaks()) as bench:
            first = await bench.submit(GRAPH)
            await bench.ended(first)
            second = await repeat(bench, first, start=False)
            await bench.dispatcher.cancel(second, None)
            assert (await bench.ended(second))["status"] == "CANCELLED"
            stream = await bench.queries.stream(second, NodeId(1), "stdout", 0)
            assert stream["text"] == "task_1\n"

    asyncio.run(work())


def test_a_bundle_takes_over_what_the_server_finds_unchanged(tmp_path: Path) -> None:
    """Whatever its sender claims: replaced nodes only make it less."""

    async def work() -> None:
        executor = Breaks()
        async with running(tmp_path, executor) as bench:
            store = bench.dispatcher.store
            first = await bench.submit(GRAPH)
            await bench.ended(first)
            record = await store.dispatch(first)
            assert record is not None
            new, _ = await copy_dispatch(
                store, first, DispatchId("new"), reuses=False, autostart=True, owner="", lease_s=1.0, clock=lambda: 0.0
            )
            plain = replace(new, redispatched_from=None)
            everything = await with_reuse(store, plain, GRAPH, Repeat(source=first, reuses=True))
            assert (set(everything.reused), everything.redispatched_from) == ({1, 4}, first)
            less = await with_reuse(
                store, plain, GRAPH, Repeat(source=first, reuses=True, replaced=frozenset({NodeId(1)}))
            )
            assert set(less.reused) == {4}
            nothing = await with_reuse(store, plain, GRAPH, Repeat(source=first))
            assert (nothing.reused, nothing.redispatched_from) == ({}, first)
            for reuses in (True, False):
                with pytest.raises(MissingLatticeRecordError):
                    await with_reuse(store, plain, GRAPH, Repeat(source=DispatchId("none"), reuses=reuses))

    asyncio.run(work())


@pytest.mark.parametrize(
    "form",
    [{}, {"from": 3}, {"from": "../x"}, {"from": "a", "replaced": ["x"]}, {"from": "a", "replaced": 3}, "a", [1]],
    ids=str,
)
def test_a_damaged_header_is_refused(form: Any) -> None:
    """It came from outside."""
    with pytest.raises(BadBundleError):
        read_repeat({"redispatch": form})


@pytest.mark.parametrize(
    ("header", "repeats"),
    [
        ({}, None),
        ({"redispatch": None}, None),
        ({"redispatch": {"from": "a"}}, Repeat(source=DispatchId("a"))),
        (
            {"redispatch": {"from": "a", "reuse": True, "replaced": [2]}},
            Repeat(source=DispatchId("a"), reuses=True, replaced=frozenset({NodeId(2)})),
        ),
    ],
    ids=str,
)
def test_what_a_header_says_of_a_redispatch(header: Mapping[str, Any], repeats: Repeat | None) -> None:
    """Most say nothing."""
    assert read_repeat(header) == repeats


def test_ids_that_come_from_outside_are_checked() -> None:
    """They become names of folders in other programs."""
    assert checked_id("a-1") == "a-1"
    for bad in ("", "a/b", "x" * 65):
        with pytest.raises(BadBundleError):
            checked_id(bad)
