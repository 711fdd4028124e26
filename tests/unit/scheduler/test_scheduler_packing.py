"""Jobs of several steps, one rule at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from test_scheduler_rules import ID, began, cancel, cancelled, dispatch, failed, moved, running, stop, succeeded, told

from covalent_lab.graph.model import Graph, NodeKind, NodeOptions
from covalent_lab.ids import NodeId
from covalent_lab.scheduler.commands import StartTimer, Step, SubmitNode
from covalent_lab.scheduler.events import DispatchRestored, NodeCancelled, NodeLost, TimeLimitElapsed
from covalent_lab.scheduler.plan import NodePolicy, make_plan
from covalent_lab.scheduler.scheduler import Scheduler
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.testing.graphs import chain, make_graph

PACKS = NodePolicy(packs=True)
NEW, STARTING, RUNNING = NodeState.NEW_OBJECT, NodeState.STARTING, NodeState.RUNNING
COMPLETED, FAILED, CANCELLED = NodeState.COMPLETED, NodeState.FAILED, NodeState.CANCELLED


def packed(count: int, edges: Iterable[tuple[int, int]], groups: Sequence[int] = ()) -> Graph:
    """A graph whose nodes share one group, unless said otherwise."""
    return make_graph(count, edges, group_of=groups or [0] * count)


def submit(node: int, *then: int, attempt: int = 1) -> SubmitNode:
    """The command to run a node and then others."""
    return SubmitNode(dispatch_id=ID, node_id=NodeId(node), attempt=attempt, then=tuple(map(NodeId, then)))


def states(scheduler: Scheduler, count: int) -> list[NodeState]:
    """State of every node."""
    return [scheduler.node_state(ID, NodeId(node)) for node in range(count)]


UNPACKING = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 5)]
"""Two collections, the task that takes them, two items of its result, and something that needs the first item."""


def test_a_group_is_one_job_and_every_step_is_recorded() -> None:
    """All ready nodes that lead on, what they lead to in order, and one node in flight at a time."""
    scheduler, step = running(packed(6, UNPACKING, [2, 2, 2, 2, 2, 5]), PACKS, {"local": 1})
    assert step.commands == [submit(0, 1, 2, 3, 4)]
    assert [t.state for t in step.transitions[2:]] == [STARTING]
    for number, at in ((0, 5.0), (1, 6.0), (2, 7.0)):
        assert told(scheduler, succeeded(number, at=at)).commands == []
    assert told(scheduler, began(3, at=7.5)) == Step(transitions=[moved(3, RUNNING, 1, 7.5, started_at=7.5)])
    step = told(scheduler, succeeded(3, at=8.0))
    assert [(t.node_id, t.state) for t in step.transitions] == [(3, COMPLETED), (4, STARTING)]
    assert step.commands == []  # the job has the only place, so that node 5 waits
    step = told(scheduler, succeeded(4, at=9.0))
    assert [(t.node_id, t.state) for t in step.transitions] == [(4, COMPLETED), (5, STARTING)]
    assert step.commands == [submit(5)]
    assert told(scheduler, succeeded(5, at=9.5)).transitions[-1] == dispatch(DispatchState.COMPLETED, 9.5)


def test_nodes_that_wait_for_others_outside_are_not_taken_along() -> None:
    """They are submitted when all their inputs are there, with what they lead to."""
    scheduler, step = running(packed(5, [(0, 2), (1, 2), (0, 3), (2, 4)], [0, 1, 0, 0, 0]), PACKS)
    assert step.commands == [submit(0, 3), submit(1)]
    told(scheduler, succeeded(1))
    step = told(scheduler, succeeded(0))
    assert step.commands == [submit(2, 4)]
    assert states(scheduler, 5) == [COMPLETED, COMPLETED, STARTING, STARTING, NEW]


def test_only_executors_that_pack_get_steps() -> None:
    """And only nodes of one policy and group; sublattices, and nodes with hooks or a cache, travel alone."""
    graph = packed(4, [(0, 1), (1, 2), (2, 3)])
    assert running(graph, NodePolicy())[1].commands == [submit(0)]
    assert running(graph, PACKS)[1].commands == [submit(0, 1, 2, 3)]
    hooks = (NodeOptions(hooks={"call_before": [{}]}),)
    kinds = (NodeKind.FUNCTION, NodeKind.SUBLATTICE, NodeKind.FUNCTION, NodeKind.FUNCTION)
    cached = (replace(graph.functions[0], cache_key="known"),)
    nodes = tuple(node._replace(kind=kind) for node, kind in zip(graph.nodes, kinds, strict=True))
    lanes = make_graph(4, [], lanes=("local", "other"), lane_of=[0, 1, 0, 1], group_of=[0, 0, 0, 1])
    other = replace(PACKS, executor="other")
    assert make_plan(graph, [PACKS]).group == [0, 0, 0, 0]
    assert make_plan(replace(graph, options=hooks), [PACKS]).group == [-1, -1, -1, -1]
    assert make_plan(replace(graph, functions=cached), [PACKS]).group == [-1, -1, -1, -1]
    assert make_plan(replace(graph, nodes=nodes), [PACKS]).group == [0, -1, 0, 0]
    assert make_plan(lanes, [PACKS, other]).group == [0, -1, 0, -1]
    assert make_plan(chain(4), [PACKS]).group == [-1, -1, -1, -1]


def test_a_failed_step_ends_its_job() -> None:
    """What it feeds never starts; what does not need it is submitted again, as an attempt that never began."""
    scheduler, _ = running(packed(5, [(0, 1), (0, 2), (1, 3), (2, 4)]), PACKS)
    told(scheduler, succeeded(0))
    assert states(scheduler, 5) == [COMPLETED, STARTING, NEW, NEW, NEW]
    step = told(scheduler, failed(1, at=6.0))
    assert step.transitions == [moved(1, FAILED, 1, 6.0, error="ValueError: no"), moved(2, STARTING, 1, 6.0)]
    assert step.commands == [submit(2, 4)]
    told(scheduler, succeeded(2), succeeded(4))
    assert not scheduler.active


def test_a_step_that_is_tried_again_takes_the_later_ones_along() -> None:
    """By failure, by loss, and by exceeding its time limit, which counts for each step by itself."""
    policy = NodePolicy(packs=True, retries=2, time_limit_s=9.0)
    scheduler, _ = running(packed(3, [(0, 1), (1, 2)]), policy)
    step = told(scheduler, began(0))
    assert step.commands == [StartTimer(dispatch_id=ID, node_id=NodeId(0), attempt=1, delay_s=9.0)]
    told(scheduler, succeeded(0))
    assert told(scheduler, failed(1)).commands == [submit(1, 2, attempt=2)]
    lost = NodeLost(dispatch_id=ID, node_id=NodeId(1), attempt=2, at=6.0)
    assert told(scheduler, lost).commands == [submit(1, 2, attempt=3)]
    step = told(scheduler, began(1, attempt=3))
    assert step.commands == [StartTimer(dispatch_id=ID, node_id=NodeId(1), attempt=3, delay_s=9.0)]
    over = TimeLimitElapsed(dispatch_id=ID, node_id=NodeId(1), attempt=3, at=7.0)
    assert told(scheduler, over).commands == [stop(1, attempt=3)]
    step = told(scheduler, NodeCancelled(dispatch_id=ID, node_id=NodeId(1), attempt=3, at=8.0))
    assert step.commands == [submit(1, 2, attempt=4)]
    late = TimeLimitElapsed(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=8.5)
    assert told(scheduler, late) == Step()
    step = told(scheduler, succeeded(1, attempt=4, at=9.0))
    assert step.transitions == [
        moved(1, COMPLETED, 4, 9.0, output=succeeded(1).output),
        moved(2, STARTING, 1, 9.0),
    ]


def test_a_step_that_is_cancelled_before_its_turn_ends_the_job_when_it_comes() -> None:
    """The executor is told at once; the step becomes CANCELLED when it would run, and others go on without it."""
    scheduler, _ = running(packed(4, [(0, 1), (0, 2), (1, 3)]), PACKS)
    step = told(scheduler, cancel([1], at=4.0))
    assert (step.transitions, step.commands) == ([], [stop(1)])
    step = told(scheduler, succeeded(0, at=5.0))
    assert [(t.node_id, t.state) for t in step.transitions] == [(0, COMPLETED), (1, STARTING)]
    step = told(scheduler, cancelled(1, at=5.0))
    assert step.transitions == [moved(1, CANCELLED, 1, 5.0), moved(2, STARTING, 1, 5.0)]
    assert step.commands == [submit(2)]
    step = told(scheduler, succeeded(2, at=6.0))
    assert step.transitions[-1] == dispatch(DispatchState.CANCELLED, 6.0)


def test_a_cancelled_node_is_not_taken_along() -> None:
    """It becomes CANCELLED once its inputs are complete, without being submitted."""
    scheduler, _ = running(packed(4, [(0, 1), (1, 2), (1, 3)], [9, 1, 1, 1]), PACKS)
    told(scheduler, cancel([2]))
    assert told(scheduler, succeeded(0)).commands == [submit(1, 3)]
    step = told(scheduler, succeeded(1, at=6.0))
    assert [(t.node_id, t.state) for t in step.transitions] == [(1, COMPLETED), (2, CANCELLED), (3, STARTING)]


def test_cancelling_a_dispatch_stops_every_step() -> None:
    """Also those that the executor may have begun in the meantime."""
    scheduler, _ = running(packed(4, [(0, 1), (0, 2), (0, 3)]), PACKS)
    assert told(scheduler, cancel(None)).commands == [stop(0), stop(1), stop(2), stop(3)]
    told(scheduler, succeeded(0))
    step = told(scheduler, cancelled(1, at=6.0))
    assert [(t.node_id, t.state) for t in step.transitions[:-1]] == [(1, CANCELLED), (2, CANCELLED), (3, CANCELLED)]
    assert step.transitions[-1] == dispatch(DispatchState.CANCELLED, 6.0)


def test_news_of_steps_that_were_given_up_are_late() -> None:
    """An executor may still tell of what it did with them."""
    scheduler, _ = running(packed(3, [(0, 1), (1, 2)]), NodePolicy(packs=True, retries=1))
    told(scheduler, cancel([1]))
    told(scheduler, failed(0))  # its second attempt does not carry the cancelled node
    assert told(scheduler, cancelled(1)) == Step()
    assert scheduler.late_events == 1


def test_a_restored_dispatch_submits_the_steps_it_finds_ready() -> None:
    """One step complete, one found again, one that needs it, and one that only needs the first."""
    graph = packed(4, [(0, 1), (1, 2), (0, 3)])
    scheduler = Scheduler()
    event = DispatchRestored(
        dispatch_id=ID,
        plan=make_plan(graph, [PACKS]),
        state=DispatchState.RUNNING,
        nodes={NodeId(0): (COMPLETED, 1), NodeId(1): (STARTING, 1)},
        at=9.0,
    )
    assert told(scheduler, event).commands == [submit(3)]
    assert told(scheduler, NodeLost(dispatch_id=ID, node_id=NodeId(1), attempt=1, at=9.5)).commands == [
        submit(1, 2, attempt=2)
    ]
