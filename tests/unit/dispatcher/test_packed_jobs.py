"""Dispatches whose nodes travel together."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from dispatcher_bench import GONE, VALUE, Bench, graph_of, running

from covalent_lab.dispatcher.ownership import new_owner
from covalent_lab.executor.base import JobSpec, Outcome
from covalent_lab.ids import AttemptId, DispatchId, NodeId
from covalent_lab.testing.fakes import FakeExecutor, completed, failed

CHAIN = graph_of(5, [(0, 1), (1, 2), (1, 3), (2, 4)], parameters={0}, group_of=[0, 1, 1, 1, 4])
"""A value, a task, two items of its result in the task's group, and a task that needs the first item."""


def go(folder: Path, executor: FakeExecutor, work: Callable[[Bench], Awaitable[Any]], **options: Any) -> Any:
    """Run a dispatcher while a test does its work."""

    async def main() -> Any:
        async with running(folder, executor, **options) as bench:
            return await work(bench)

    return asyncio.run(main())


def stuck_at(node: int) -> Callable[[JobSpec], Outcome | None]:
    """Answers of an executor in which one node never ends by itself."""
    return lambda spec: None if spec.node_id == node else completed(spec.name)


def test_a_group_is_submitted_once_and_recorded_node_by_node(tmp_path: Path) -> None:
    """Later steps refer to earlier ones where their inputs are not there yet."""
    executor = FakeExecutor()

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        detail = await bench.ended(name)
        assert (detail["status"], detail["completed"]) == ("COMPLETED", 4)
        told = [(node, status) for node, status, _ in await bench.told(name) if node is not None]
        assert [t for t in told if t[1] == "COMPLETED"] == [(n, "COMPLETED") for n in (1, 2, 3, 4)]
        assert (await bench.queries.node(name, NodeId(2)))["output"]["text"] == "task_2"
        head, last = executor.submitted
        assert [source.ref for source in head.args] == [VALUE.ref]
        assert [(step.node_id, step.attempt) for step in head.then] == [(2, 1), (3, 1)]
        assert [source.step for step in head.then for source in step.args] == [AttemptId(f"{name}:1:1")] * 2
        assert [(source.ref, source.step) for source in last.args] == [(completed("task_2").output.ref, None)]

    go(tmp_path, executor, work)


def test_a_failed_step_is_tried_again_with_what_follows_it(tmp_path: Path) -> None:
    """The steps before it are not."""
    executor = FakeExecutor(lambda spec: failed() if (spec.node_id, spec.attempt) == (1, 1) else completed())

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN, attributes={"retries": 1})
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert [[s.attempt_id.partition(":")[2] for s in (spec, *spec.then)] for spec in executor.submitted] == [
            ["1:1", "2:1", "3:1"],
            ["1:2", "2:1", "3:1"],
            ["4:1"],
        ]

    go(tmp_path, executor, work)


def test_a_step_that_is_cancelled_before_its_turn_leaves_the_others_alone(tmp_path: Path) -> None:
    """What needs it never starts; the step after it, which does not, is submitted by itself."""
    executor = FakeExecutor(stuck_at(1))

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        await executor.until(lambda: bool(executor.running))
        await bench.dispatcher.cancel(name, frozenset({NodeId(2)}))
        await executor.until(lambda: bool(executor.cancelled))
        executor.finish(AttemptId(f"{name}:1:1"), completed())
        assert (await bench.ended(name))["status"] == "CANCELLED"
        assert await bench.states(name) == {1: "COMPLETED", 2: "CANCELLED", 3: "COMPLETED"}
        assert [spec.node_id for spec in executor.submitted] == [1, 3]

    go(tmp_path, executor, work)


def test_cancelling_the_dispatch_ends_the_job_at_the_step_that_runs(tmp_path: Path) -> None:
    """Its later steps never started."""
    executor = FakeExecutor(stuck_at(2))

    async def work(bench: Bench) -> None:
        name = await bench.submit(CHAIN)
        await executor.until(lambda: AttemptId(f"{name}:2:1") in executor.running)
        await bench.dispatcher.cancel(name, None)
        assert (await bench.ended(name))["status"] == "CANCELLED"
        assert await bench.states(name) == {1: "COMPLETED", 2: "CANCELLED", 3: "CANCELLED"}

    go(tmp_path, executor, work)


async def handle_stored(bench: Bench, name: DispatchId, node: int) -> None:
    """Wait until a node's job has a stored handle; the feed does not tell of handles."""
    async with asyncio.timeout(120):
        while True:
            _, nodes = await bench.dispatcher.store.nodes(name)
            if any(n.node_id == node and n.handle for n in nodes):
                return
            await asyncio.sleep(0)  # gives way to the tick


def left_behind(folder: Path) -> DispatchId:
    """A dispatch whose dispatcher ended while the second step of its job was at work."""
    executor = FakeExecutor(lambda _: None)

    async def work(bench: Bench) -> DispatchId:
        name = await bench.submit(CHAIN)
        await handle_stored(bench, name, 1)
        executor.finish(AttemptId(f"{name}:1:1"), completed("task_1"))
        await handle_stored(bench, name, 2)
        return name

    name = go(folder, executor, work, owner=GONE)
    assert isinstance(name, str)
    return DispatchId(name)


def test_a_restart_in_the_middle_goes_on_with_the_step_that_ran(tmp_path: Path) -> None:
    """It was lost, so that it is tried again; the step before it is not, and its value is read from the store."""
    name = left_behind(tmp_path)
    executor = FakeExecutor()

    async def work(bench: Bench) -> None:
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert (await bench.queries.node(name, NodeId(1)))["output"]["text"] == "task_1"

    go(tmp_path, executor, work, owner=new_owner())
    assert sorted(spec.attempt_id for spec in executor.submitted) == [f"{name}:2:2", f"{name}:3:1", f"{name}:4:1"]


def test_the_handle_of_a_job_is_stored_with_each_step_it_comes_to(tmp_path: Path) -> None:
    """So that a job which outlives the dispatcher is found again by whichever step is under way."""
    name = left_behind(tmp_path)
    attempt = AttemptId(f"{name}:2:1")
    executor = FakeExecutor(found={attempt: completed("found")})

    async def work(bench: Bench) -> None:
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert (await bench.queries.node(name, NodeId(2)))["output"]["text"] == "found"

    go(tmp_path, executor, work, owner=new_owner())
    assert executor.watched == {attempt: {"job": f"{name}:1:1"}}
    assert sorted(spec.attempt_id for spec in executor.submitted) == [f"{name}:3:1", f"{name}:4:1"]
