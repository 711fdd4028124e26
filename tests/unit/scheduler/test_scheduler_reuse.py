"""Nodes that take over an outcome instead of running."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_world import World

from covalent_lab.graph.compare import reusable_nodes
from covalent_lab.graph.model import NodeKind
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.commands import NodeTransition, SubmitNode
from covalent_lab.scheduler.events import DispatchStarted, DispatchSubmitted
from covalent_lab.scheduler.plan import NodePolicy, make_plan
from covalent_lab.scheduler.scheduler import InvalidEventError, Scheduler
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.testing.graphs import chain, graphs, make_graph

ID = DispatchId("d")
POLICIES = [NodePolicy()]


def nodes(*numbers: int) -> list[NodeId]:
    """Ids of nodes."""
    return [NodeId(n) for n in numbers]


def started(world: World) -> list[tuple[int, NodeState, bool]]:
    """Start the one dispatch; node, state and whether it was reused, of each transition of a node."""
    step = world.tick(DispatchStarted(dispatch_id=ID, at=1.0))
    return [(t.node_id, t.state, t.is_reused) for t in step.transitions if isinstance(t, NodeTransition)]


def test_reused_nodes_complete_at_the_start_and_release_the_others() -> None:
    """Without an attempt; what follows is submitted in the same step."""
    world = World()
    world.register(ID, chain(4), POLICIES, nodes(0, 1))
    assert world.scheduler.node_state(ID, NodeId(1)) is NodeState.PENDING_REUSE
    assert started(world) == [
        (0, NodeState.COMPLETED, True),
        (1, NodeState.COMPLETED, True),
        (2, NodeState.STARTING, False),
    ]
    world.settle()
    assert world.records[ID].state is DispatchState.COMPLETED
    assert [attempt for _, attempt in world.records[ID].nodes.values()] == [0, 0, 1, 1]


def test_a_dispatch_of_which_everything_is_reused_completes_without_running_anything() -> None:
    """Its start is its end."""
    world = World()
    world.register(ID, make_graph(3, [(0, 1), (1, 2)], identity=2), POLICIES, nodes(0, 1, 2))
    assert {state for _, state, _ in started(world)} == {NodeState.COMPLETED}
    assert (world.records[ID].state, world.commands) == (DispatchState.COMPLETED, 0)


def test_a_long_chain_is_taken_over_in_one_step() -> None:
    """Recursion would end long before."""
    world = World()
    world.register(ID, chain(5_000), POLICIES, nodes(*range(5_000)))
    assert len(started(world)) == 5_000


def test_a_cancelled_node_is_not_taken_over_and_neither_is_what_needs_it() -> None:
    """Other branches are."""
    world = World()
    world.register(ID, make_graph(4, [(0, 1), (1, 2), (0, 3)]), POLICIES, nodes(0, 1, 2, 3))
    world.cancel(ID, frozenset(nodes(1)))
    started(world)
    record = world.records[ID]
    assert [record.node(n).value for n in range(4)] == ["COMPLETED", "CANCELLED", "PENDING_REUSE", "COMPLETED"]
    assert record.state is DispatchState.CANCELLED


@pytest.mark.parametrize(
    "reused", [nodes(2), nodes(0, 2), nodes(7), nodes(-1), nodes(3)], ids=["child", "gap", "beyond", "below", "value"]
)
def test_a_set_that_cannot_be_reused_is_refused(reused: list[NodeId]) -> None:
    """A node without its predecessors, one that is not there, and a parameter."""
    plan = make_plan(make_graph(4, [(0, 1), (1, 2)], parameters={3}), POLICIES)
    scheduler = Scheduler()
    with pytest.raises(InvalidEventError):
        scheduler.handle(DispatchSubmitted(dispatch_id=ID, plan=plan, at=0.0, reused=reused))
    assert not scheduler.active


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_crashes_around_the_start_change_nothing(data: st.DataObject) -> None:
    """Before the start, before it is recorded, before it is acted on: reused nodes never run, all others run once."""
    graph = data.draw(graphs(lanes=("local",)))
    computed = [n.id for n in graph.nodes if n.kind is not NodeKind.PARAMETER]
    reused = reusable_nodes(graph, graph, data.draw(st.sets(st.sampled_from(computed or [NodeId(0)]))))
    world = World()
    world.register(ID, graph, POLICIES, reused)
    if data.draw(st.booleans()):
        world.restart()
    crash = data.draw(st.sampled_from(["", "record", "act"]))
    step = world.tick(DispatchStarted(dispatch_id=ID, at=1.0), crash=crash)
    assert not {c.node_id for c in step.commands if isinstance(c, SubmitNode)} & reused
    if crash:
        world.restart()
    if world.records[ID].state is DispatchState.NEW_OBJECT:
        world.tick(DispatchStarted(dispatch_id=ID, at=2.0))
    world.settle()
    record = world.records[ID]
    assert record.state is DispatchState.COMPLETED
    assert {node for node, (_, attempt) in record.nodes.items() if attempt == 0} >= reused
    assert world.completions == {(ID, node): 1 for node in computed}
