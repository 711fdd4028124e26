"""Short nodes in single file, which share a job without being asked to."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from test_scheduler_packing import PACKS, submit
from test_scheduler_rules import ID, OUTPUT, cancel, cancelled, failed, running, stop, told

from covalent_lab.graph.model import Graph, NodeKind, NodeOptions
from covalent_lab.ids import NodeId
from covalent_lab.scheduler.books import CHAIN_S, MAX_CHAIN
from covalent_lab.scheduler.commands import StartTimer
from covalent_lab.scheduler.events import NodeStarted, NodeSucceeded
from covalent_lab.scheduler.plan import NodePolicy
from covalent_lab.testing.graphs import chain, fan, make_graph

SHORT_S = 2**-9
CHAIN_STEPS = int(CHAIN_S / SHORT_S) - 1
"""How many tasks that short are taken along: with the first one they stay below the limit."""


def took(node: int, duration_s: float = SHORT_S, at: float = 5.0) -> NodeSucceeded:
    """A job returned, and says how long it took."""
    return NodeSucceeded(
        dispatch_id=ID, node_id=NodeId(node), attempt=1, at=at, output=OUTPUT, started_at=at - duration_s
    )


def second(graph: Graph, duration_s: float = SHORT_S, policy: NodePolicy = PACKS) -> list[object]:
    """What is submitted when the first of the nodes has returned."""
    scheduler, _ = running(graph, policy)
    return list(told(scheduler, took(0, duration_s)).commands)


def test_a_chain_shares_a_job_once_its_function_is_known_to_be_short() -> None:
    """The first call shows that; then up to so many follow one another, and each is recorded."""
    scheduler, step = running(chain(2 * CHAIN_STEPS + 3), PACKS)
    assert step.commands == [submit(0)]
    assert told(scheduler, took(0)).commands == [submit(1, *range(2, 2 + CHAIN_STEPS))]
    for node in range(1, 1 + CHAIN_STEPS):
        assert told(scheduler, took(node)).commands == []
    assert told(scheduler, took(1 + CHAIN_STEPS)).commands == [submit(*range(2 + CHAIN_STEPS, 2 * CHAIN_STEPS + 3))]
    told(scheduler, *(took(node) for node in range(2 + CHAIN_STEPS, 2 * CHAIN_STEPS + 3)))
    assert not scheduler.active


def test_no_more_than_so_many_are_taken_along() -> None:
    """However short they are, so that a job can be told about, cancelled and repeated in pieces."""
    assert second(chain(3 * MAX_CHAIN), 0.0) == [submit(*range(1, 2 + MAX_CHAIN))]


@pytest.mark.parametrize("duration_s", [0.6 * CHAIN_S, CHAIN_S, 60.0])
def test_longer_tasks_go_one_by_one(duration_s: float) -> None:
    """They gain nothing, and would keep others from their turn."""
    assert second(chain(4), duration_s) == [submit(1)]


def test_a_task_that_took_long_once_travels_alone_for_a_while() -> None:
    """A long one counts at once, short ones by and by."""
    scheduler, _ = running(chain(20), PACKS)
    assert told(scheduler, took(0, 0.3)).commands == [submit(1)]
    assert told(scheduler, took(1, 0.0)).commands == [submit(2)]
    assert told(scheduler, took(2, 0.0)).commands == [submit(3)]
    assert told(scheduler, took(3, 0.0)).commands == [submit(4, 5)]


@pytest.mark.parametrize(
    ("edges", "commands"),
    [
        ([(0, 1), (1, 2), (1, 3)], [submit(1)]),
        ([(0, 1), (0, 2), (1, 3), (2, 3)], [submit(1), submit(2)]),
        ([(0, 1), (0, 2), (1, 2), (1, 2), (2, 3), (0, 3)], [submit(1, 2, 3)]),
    ],
    ids=["fork", "diamond", "everything needs what came before"],
)
def test_what_can_run_side_by_side_does(edges: Iterable[tuple[int, int]], commands: list[object]) -> None:
    """Only a node that nothing else would run beside is taken along."""
    assert second(make_graph(4, edges)) == commands


def test_a_fan_stays_a_fan() -> None:
    """Also where all its nodes lead to one that only hands on."""
    assert second(fan(3)) == [submit(1), submit(2), submit(3)]


def test_the_last_of_several_inputs_takes_the_node_along() -> None:
    """The others are complete by then."""
    scheduler, step = running(make_graph(4, [(0, 3), (1, 2), (2, 3)]), PACKS)
    assert step.commands == [submit(0), submit(1)]
    told(scheduler, took(0))
    assert told(scheduler, took(1)).commands == [submit(2, 3)]


def test_only_nodes_of_one_kind_share_a_job() -> None:
    """Not those with other options, with hooks or a cache, sublattices, or where the executor takes single tasks."""
    graph = chain(4)
    kinds = (NodeKind.FUNCTION, NodeKind.FUNCTION, NodeKind.SUBLATTICE, NodeKind.FUNCTION)
    nodes = tuple(node._replace(kind=kind) for node, kind in zip(graph.nodes, kinds, strict=True))
    cached = (replace(graph.functions[0], cache_key="known"),)
    other = tuple(node._replace(options=int(node.id > 1)) for node in graph.nodes)
    assert second(graph) == [submit(1, 2, 3)]
    assert second(graph, policy=NodePolicy()) == [submit(1)]
    assert second(replace(graph, nodes=nodes)) == [submit(1)]
    assert second(replace(graph, functions=cached)) == [submit(1)]
    assert second(replace(graph, options=(NodeOptions(hooks={"call_before": [{}]}),))) == [submit(1)]
    assert second(replace(graph, nodes=other, options=2 * graph.options)) == [submit(1)]


def test_a_node_of_a_group_is_not_taken_along() -> None:
    """Groups are what the user asked for."""
    assert second(make_graph(4, [(0, 1), (1, 2), (2, 3)], group_of=[0, 1, 2, 2])) == [submit(1)]


def test_a_failed_step_is_tried_again_with_those_that_follow() -> None:
    """And without more attempts nothing follows it."""
    scheduler, _ = running(chain(4), NodePolicy(packs=True, retries=1))
    told(scheduler, took(0), took(1))
    assert told(scheduler, failed(2)).commands == [submit(2, 3, attempt=2)]
    told(scheduler, failed(2, attempt=2))
    assert not scheduler.active


def test_every_step_has_its_own_time_limit() -> None:
    """It counts from the step's own start."""
    scheduler, _ = running(chain(3), NodePolicy(packs=True, time_limit_s=9.0))
    told(scheduler, took(0), took(1))
    began = NodeStarted(dispatch_id=ID, node_id=NodeId(2), attempt=1, at=6.0)
    assert told(scheduler, began).commands == [StartTimer(dispatch_id=ID, node_id=NodeId(2), attempt=1, delay_s=9.0)]


def test_a_cancelled_node_ends_the_file() -> None:
    """Whether it was asked for before or after the job was given away."""
    scheduler, _ = running(chain(5), PACKS)
    told(scheduler, cancel([3]))
    assert told(scheduler, took(0)).commands == [submit(1, 2)]
    assert told(scheduler, cancel([2])).commands == [stop(2)]
    told(scheduler, took(1), cancelled(2))
    assert not scheduler.active
