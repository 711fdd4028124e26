"""Nodes that become dispatches of their own: made, waited for, stopped, and found again after a crash."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dispatcher_bench import GONE, Bench, bundle_of, graph_of, running

from covalent_lab.dispatcher.ownership import new_owner
from covalent_lab.executor.base import JobSpec, Outcome
from covalent_lab.graph.model import Graph, NodeKind
from covalent_lab.ids import DispatchId
from covalent_lab.store.base import ListQuery
from covalent_lab.testing.fakes import FakeExecutor, completed, failed
from covalent_lab.workflow.sublattices import SublatticeBundle

NAME = ":sublattice:part"
INNER = graph_of(3, [(0, 1), (1, 2)], identity=2)


def with_sublattice(graph: Graph, node: int = 0) -> Graph:
    """The graph with one node that is a sublattice."""
    nodes = list(graph.nodes)
    nodes[node] = nodes[node]._replace(name=NAME, kind=NodeKind.SUBLATTICE)
    return replace(graph, nodes=tuple(nodes))


OUTER = with_sublattice(graph_of(3, [(0, 1), (1, 2)], identity=2))


def built(graph: Graph) -> SublatticeBundle:
    """What the job of a sublattice returns."""
    return SublatticeBundle(bundle_of(graph, dispatch_id="", name="part"), "a workflow")


def answering(
    tasks: Callable[[JobSpec], Outcome | None] = lambda spec: completed(spec.name),
    build: Any = None,
    **more: Any,
) -> FakeExecutor:
    """Sublattices return a workflow, tasks do as they are told."""
    answer = built(INNER) if build is None else build
    return FakeExecutor(lambda spec: completed(answer, **more) if spec.name == NAME else tasks(spec))


def hang(_: JobSpec) -> Outcome | None:
    """A job that runs until it is stopped."""
    return None


def go(folder: Path, executor: Any, work: Callable[[Bench], Coroutine[Any, Any, Any]], **changes: Any) -> Any:
    """Run a dispatcher, and a test within it."""

    async def inside() -> Any:
        async with running(folder, executor, **changes) as bench:
            return await work(bench)

    return asyncio.run(inside())


async def part_of(bench: Bench, name: DispatchId, node: int = 0) -> DispatchId:
    """The dispatch that a node became."""
    found = (await bench.queries.node(name, node))["sub_dispatch_id"]
    assert found is not None
    return DispatchId(found)


def damage(folder: Path, *statements: str) -> None:
    """Change the database behind the dispatcher's back."""
    connection = sqlite3.connect(folder / "db.sqlite", timeout=120)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_sublattice_runs_as_a_dispatch_whose_result_is_the_nodes_output(tmp_path: Path) -> None:
    """The links are there both ways, the feed tells of them, and the list shows roots only."""
    executor = answering()

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER)
        detail = await bench.ended(name)
        assert (detail["status"], detail["completed"], detail["total"]) == ("COMPLETED", 3, 3)
        part = await part_of(bench, name)
        told = await bench.told(name)
        assert [status for node, status, _ in told if node == 0] == ["STARTING", "RUNNING", "DISPATCHING", "COMPLETED"]
        records = await bench.dispatcher.store.transitions_after(0, 1_000)
        assert [r.extra for r in records if r.status == "DISPATCHING"] == [{"sub_dispatch_id": part}]
        inner = await bench.queries.detail(part)
        assert (inner["status"], inner["root_dispatch_id"]) == ("COMPLETED", name)
        assert (inner["parent_dispatch_id"], inner["parent_node_id"], inner["name"]) == (name, 0, "part")
        assert (await bench.queries.node(name, 0))["output"]["text"] == inner["result"]["text"] == "task_1"
        roots = await bench.queries.list_dispatches(ListQuery())
        parts = await bench.queries.list_dispatches(ListQuery(parent=name))
        assert ([r["dispatch_id"] for r in roots["items"]], roots["counts"]) == ([name], {"COMPLETED": 1})
        assert ([p["dispatch_id"] for p in parts["items"]], parts["counts"]) == ([part], {"COMPLETED": 1})

    go(tmp_path, executor, work)
    assert [spec.name for spec in executor.submitted] == [NAME, "task_0", "task_1", "task_1"]


@pytest.mark.parametrize("inline_limit", [64, 1_000_000])
def test_the_output_survives_whatever_its_size(tmp_path: Path, inline_limit: int) -> None:
    """Small ones are copied, large ones are files that both dispatches refer to; so is the workflow itself."""
    executor = answering(lambda spec: completed(list(range(500))))

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER)
        detail = await bench.ended(name)
        assert (detail["status"], detail["error"]) == ("COMPLETED", None)
        assert detail["result"]["text"].startswith("[0, 1, 2")
        assert (await bench.queries.node(name, 0))["output"]["text"].startswith("[0, 1, 2")

    go(tmp_path, executor, work, inline_limit=inline_limit)


def test_while_a_sublattice_runs_its_node_has_no_value(tmp_path: Path) -> None:
    """What was built is not its output; what the build printed is shown, then and at the end."""
    executor = answering(hang, stdout="building", stderr="warning")

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER)
        await executor.until(lambda: len(executor.submitted) == 2)
        node = await bench.queries.node(name, 0)
        assert (node["status"], node["output"], node["stdout"]) == ("DISPATCHING", None, "building")
        assert (await bench.queries.nodes(name))["output"] == [None]
        executor.finish(executor.submitted[1].attempt_id, completed("one"))
        await executor.until(lambda: len(executor.submitted) == 3)
        executor.finish(executor.submitted[2].attempt_id, completed("two"))
        await executor.until(lambda: len(executor.submitted) == 4)
        node = await bench.queries.node(name, 0)
        assert (node["status"], node["output"]["text"]) == ("COMPLETED", "two")
        assert (node["stdout"], node["stderr"]) == ("building", "warning")

    go(tmp_path, executor, work)


def test_a_failed_sublattice_fails_its_node_and_says_why(tmp_path: Path) -> None:
    """The error names the dispatch and the first error in it."""
    executor = answering(lambda spec: failed("ValueError: no"))

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER, attributes={"retries": 0})
        detail = await bench.ended(name)
        part = await part_of(bench, name)
        assert (detail["status"], detail["error"]) == ("FAILED", f"The following tasks failed:\n0: {NAME}")
        error = (await bench.queries.node(name, 0))["error"]
        assert error == f"Its dispatch {part} (part) failed: task 0: ValueError: no"

    go(tmp_path, executor, work)


DAMAGED = SublatticeBundle(b"CLB2 and nothing that follows it, whatever that may be", "a workflow")
CYCLE = graph_of(2, [(0, 1), (1, 0)])


@pytest.mark.parametrize(
    ("build", "reason"),
    [(DAMAGED, "not a bundle of this version"), (built(CYCLE), "has a cycle")],
    ids=["damaged", "cycle"],
)
def test_what_cannot_be_dispatched_fails_the_node(tmp_path: Path, build: SublatticeBundle, reason: str) -> None:
    """Other branches would go on; nothing is left of the sublattice."""
    executor = answering(build=build)

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER)
        assert (await bench.ended(name))["status"] == "FAILED"
        error = (await bench.queries.node(name, 0))["error"]
        assert error.startswith("Its workflow cannot be dispatched: ")
        assert reason in error
        assert (await bench.queries.list_dispatches(ListQuery(parent=name)))["total"] == 0

    go(tmp_path, executor, work)


def test_a_sublattice_that_returns_a_value_completes_with_it(tmp_path: Path) -> None:
    """As those did that were submitted by an earlier version."""
    executor = answering(build="a value")

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER)
        assert (await bench.ended(name))["status"] == "COMPLETED"
        assert (await bench.queries.node(name, 0))["output"]["text"] == "a value"

    go(tmp_path, executor, work)


@pytest.mark.parametrize("what", ["all", "node", "part"])
def test_cancelling_reaches_the_tasks_of_a_sublattice(tmp_path: Path, what: str) -> None:
    """Whether the whole, the node, or the sublattice itself is asked to stop, two levels down."""
    middle = built(OUTER)
    depth = iter([middle, built(INNER)])
    executor = FakeExecutor(lambda spec: completed(next(depth)) if spec.name == NAME else None)

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER)
        await executor.until(lambda: len(executor.submitted) == 3)
        part = await part_of(bench, name)
        target, nodes = {"all": (name, None), "node": (name, frozenset({0})), "part": (part, None)}[what]
        await bench.dispatcher.cancel(target, nodes)  # type: ignore[arg-type]
        assert (await bench.ended(name))["status"] == "CANCELLED"
        below = await part_of(bench, part)
        assert [await bench.states(d) for d in (name, part, below)] == [{0: "CANCELLED"}] * 3
        assert not executor.running

    go(tmp_path, executor, work)


def leave_behind(folder: Path) -> tuple[DispatchId, DispatchId]:
    """A dispatcher that ends while a task of a sublattice runs; the dispatch, and the sublattice's."""
    executor = answering(hang)

    async def work(bench: Bench) -> tuple[DispatchId, DispatchId]:
        name = await bench.submit(OUTER)
        await executor.until(lambda: len(executor.submitted) == 2)
        return name, await part_of(bench, name)

    found: tuple[DispatchId, DispatchId] = go(folder, executor, work, owner=GONE)
    return found


def take_up(folder: Path, name: DispatchId, executor: FakeExecutor) -> tuple[str, Sequence[str]]:
    """Another dispatcher brings it to its end; the status, and the jobs it had to run."""

    async def work(bench: Bench) -> str:
        status: str = (await bench.ended(name))["status"]
        return status

    status = go(folder, executor, work, owner=new_owner())
    return status, [spec.name for spec in executor.submitted]


def test_a_sublattice_that_runs_is_waited_for_after_a_restart(tmp_path: Path) -> None:
    """It is not built again; its lost task is run again."""
    name, _ = leave_behind(tmp_path)
    assert take_up(tmp_path, name, answering()) == ("COMPLETED", ["task_0", "task_1", "task_1"])


def test_a_sublattice_that_was_recorded_but_not_made_is_made_after_a_restart(tmp_path: Path) -> None:
    """From what its build left behind, under the same id."""
    name, part = leave_behind(tmp_path)
    tables = (("dispatch", "id"), ("node", "dispatch_id"), ("payload", "dispatch_id"), ("transition", "dispatch_id"))
    its_graph = f"delete from graph where dispatch_key = (select key from dispatch where id = '{part}')"
    damage(tmp_path, its_graph, *(f"delete from {table} where {column} = '{part}'" for table, column in tables))
    executor = answering()
    assert take_up(tmp_path, name, executor) == ("COMPLETED", ["task_0", "task_1", "task_1"])
    assert {spec.dispatch_id for spec in executor.submitted} == {part, name}


def test_a_sublattice_that_ended_unheard_is_told_of_after_a_restart(tmp_path: Path) -> None:
    """It was recorded over, and the crash came before its parent heard of it."""
    name, part = leave_behind(tmp_path)
    damage(tmp_path, f"update dispatch set state = 'CANCELLED', ended_at = 1e9 where id = '{part}'")
    assert take_up(tmp_path, name, answering()) == ("CANCELLED", [])


def test_a_cancel_recorded_before_a_crash_reaches_the_sublattice(tmp_path: Path) -> None:
    """Even one that was never made."""
    name, part = leave_behind(tmp_path)
    damage(tmp_path, f"delete from dispatch where id = '{part}'")
    damage(tmp_path, f"update dispatch set cancel_requested = 'all' where id = '{name}'")
    assert take_up(tmp_path, name, answering()) == ("CANCELLED", [])


def test_a_sublattice_may_run_in_another_dispatcher(tmp_path: Path) -> None:
    """Its end is heard of through the store."""
    name, part = leave_behind(tmp_path)
    damage(tmp_path, f"update dispatch set owner = 'elsewhere:1:2:x', lease_until = 1e12 where id = '{part}'")
    executor = answering()

    async def work(bench: Bench) -> None:
        assert bench.dispatcher.active == {name}
        damage(tmp_path, f"update dispatch set owner = '', lease_until = 0 where id = '{part}'")
        async with running(tmp_path, answering(), owner=new_owner()) as other:
            assert other.dispatcher.active == {part}
            assert (await bench.ended(name))["status"] == "COMPLETED"

    go(tmp_path, executor, work, owner=new_owner())
    assert [spec.name for spec in executor.submitted] == ["task_1"]


def test_deleting_a_root_deletes_what_its_nodes_became(tmp_path: Path) -> None:
    """A part by itself is left alone."""

    async def work(bench: Bench) -> None:
        name = await bench.submit(OUTER)
        await bench.ended(name)
        part = await part_of(bench, name)
        assert await bench.dispatcher.delete([part]) == []
        assert sorted(await bench.dispatcher.delete([name])) == sorted([name, part])
        assert await bench.dispatcher.store.dispatch(part) is None
        assert (await bench.dispatcher.store.nodes(part))[1] == []

    go(tmp_path, answering(), work)
