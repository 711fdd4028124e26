"""Events that cannot happen raise and leave no trace; plans that cannot run are refused."""

from typing import Any

import pytest

from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Graph, Node, NodeKind, NodeOptions
from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.events import (
    CancelRequested,
    DispatchRestored,
    DispatchStarted,
    DispatchSubmitted,
    DispatchWithdrawn,
    Event,
    NodeBuilt,
    NodeCancelled,
    NodeFailed,
    NodeLost,
    NodeStarted,
    NodeSucceeded,
    SublatticeEnded,
    TimeLimitElapsed,
)
from covalent_lab.scheduler.plan import NodePolicy, make_plan
from covalent_lab.scheduler.scheduler import InvalidEventError, Scheduler
from covalent_lab.scheduler.states import DISPATCH_SUCCESSORS, NODE_SUCCESSORS, DispatchState, NodeState
from covalent_lab.testing.graphs import chain, make_graph

ID = DispatchId("d")
OTHER = DispatchId("other")
PLAN = make_plan(make_graph(4, [(0, 2), (1, 2), (2, 3)], parameters={0}), [NodePolicy(retries=2)])


def dump(thing: Any) -> Any:
    """Everything an object holds, as plain nested values, so that two moments can be compared."""
    if isinstance(thing, dict):
        return {k: dump(v) for k, v in thing.items()}
    if hasattr(thing, "__slots__") and not isinstance(thing, str | tuple) and type(thing).__name__ in ("_Run", "_Lane"):
        return {name: dump(getattr(thing, name)) for name in type(thing).__slots__}
    if isinstance(thing, Scheduler):
        return dump(vars(thing))
    if isinstance(thing, list | set) or type(thing).__name__ == "deque":
        return [dump(v) for v in thing]
    return thing


def busy() -> Scheduler:
    """Node 1 runs its second attempt, 2 and 3 wait for it."""
    scheduler = Scheduler()
    for event in (
        DispatchSubmitted(dispatch_id=ID, plan=PLAN, at=0.0),
        DispatchStarted(dispatch_id=ID, at=0.0),
        NodeFailed(dispatch_id=ID, node_id=NodeId(1), attempt=1, at=0.0, message="no"),
        NodeStarted(dispatch_id=ID, node_id=NodeId(1), attempt=2, at=0.0),
    ):
        scheduler.handle(event)
    return scheduler


def restored(**changes: Any) -> DispatchRestored:
    """A restored dispatch, well-formed but for the changes."""
    fields: dict[str, Any] = {
        "dispatch_id": OTHER,
        "plan": PLAN,
        "state": DispatchState.RUNNING,
        "nodes": {NodeId(1): (NodeState.RUNNING, 1)},
        "at": 1.0,
    }
    return DispatchRestored(**(fields | changes))


NODE_EVENTS = (
    NodeStarted,
    NodeSucceeded,
    NodeBuilt,
    NodeFailed,
    NodeCancelled,
    NodeLost,
    SublatticeEnded,
    TimeLimitElapsed,
)
MORE: dict[Any, dict[str, Any]] = {
    NodeFailed: {"message": "no"},
    NodeBuilt: {"output": PayloadRef("b" * 40, 9)},
    SublatticeEnded: {"state": DispatchState.COMPLETED},
}


def node_event(kind: Any, node: int, attempt: int) -> Event:
    """An event about an attempt."""
    event: Event = kind(dispatch_id=ID, node_id=NodeId(node), attempt=attempt, at=1.0, **MORE.get(kind, {}))
    return event


IMPOSSIBLE: dict[str, Event] = {
    "submitted twice": DispatchSubmitted(dispatch_id=ID, plan=PLAN, at=1.0),
    "withdrawn although it runs": DispatchWithdrawn(dispatch_id=ID, at=1.0),
    "cancel of a node beyond the graph": CancelRequested(
        dispatch_id=ID, node_ids=frozenset({NodeId(1), NodeId(4)}), at=1.0
    ),
    "cancel of a negative node": CancelRequested(dispatch_id=ID, node_ids=frozenset({NodeId(-1)}), at=1.0),
    "restored while active": restored(dispatch_id=ID),
    "restored although over": restored(state=DispatchState.COMPLETED),
    "restored with nodes although never started": restored(state=DispatchState.NEW_OBJECT),
    "restored with a node beyond the graph": restored(
        nodes={NodeId(1): (NodeState.RUNNING, 1), NodeId(9): (NodeState.RUNNING, 1)}
    ),
    "restored with a state for a parameter": restored(nodes={NodeId(0): (NodeState.COMPLETED, 0)}),
    "restored with a node in flight but no attempt": restored(nodes={NodeId(1): (NodeState.STARTING, 0)}),
    "restored with a node that has no state": restored(nodes={NodeId(1): (NodeState.NEW_OBJECT, 0)}),
    "the end of a sublattice of a node that runs": node_event(SublatticeEnded, 1, 2),
    "restored with a node ahead of its inputs": restored(nodes={NodeId(2): (NodeState.RUNNING, 1)}),
} | {
    f"{kind.__name__}: {what}": node_event(kind, node, attempt)
    for kind in NODE_EVENTS
    for what, node, attempt in (
        ("an attempt that was never made", 1, 3),
        ("attempt zero", 1, 0),
        ("a node that was never submitted", 2, 1),
        ("a parameter", 0, 1),
        ("a node beyond the graph", 4, 1),
        ("a negative node", -1, 1),
    )
}


@pytest.mark.parametrize("event", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_an_impossible_event_raises_and_changes_nothing(event: Event) -> None:
    """Every book of the scheduler is as before."""
    scheduler = busy()
    before = dump(scheduler)
    with pytest.raises(InvalidEventError):
        scheduler.handle(event)
    assert dump(scheduler) == before
    scheduler.check_invariants()


@pytest.mark.parametrize("kind", NODE_EVENTS)
def test_an_event_of_an_earlier_attempt_is_counted_and_ignored(kind: Any) -> None:
    """Only the count of late events moves."""
    scheduler = busy()
    before = dump(scheduler)
    step = scheduler.handle(node_event(kind, 1, 1))
    assert (step.transitions, step.commands, step.cancels) == ([], [], [])
    assert dump(scheduler) == before | {"late_events": 1}


@pytest.mark.parametrize("kind", NODE_EVENTS)
def test_an_event_of_an_unknown_dispatch_is_counted_and_ignored(kind: Any) -> None:
    """It may belong to a dispatch that ended."""
    scheduler = Scheduler()
    step = scheduler.handle(node_event(kind, 1, 1))
    assert (step.transitions, step.commands, scheduler.late_events) == ([], [], 1)


def test_a_second_start_of_the_same_attempt_is_counted_and_ignored() -> None:
    """The timer is not started again."""
    scheduler = busy()
    step = scheduler.handle(node_event(NodeStarted, 1, 2))
    assert (step.transitions, step.commands, scheduler.late_events) == ([], [], 1)


def test_terminal_states_have_no_successors() -> None:
    """What `is_terminal` says and what the tables say is the same."""
    names = {"COMPLETED", "FAILED", "CANCELLED"}
    assert {s.value for s in NodeState if s.is_terminal} == names
    assert {s.value for s in DispatchState if s.is_terminal} == names
    assert set(NODE_SUCCESSORS) == set(NodeState)
    assert set(DISPATCH_SUCCESSORS) == set(DispatchState)


# --- plans


def test_a_cycle_is_refused_and_named() -> None:
    """The message lists nodes of the cycle."""
    with pytest.raises(UsageError, match=r"cycle; nodes \[1, 2\]"):
        make_plan(make_graph(3, [(0, 1), (1, 2), (2, 1)]), [NodePolicy()])


def test_a_node_that_feeds_itself_is_a_cycle() -> None:
    """Length one is a cycle as well."""
    with pytest.raises(UsageError, match="cycle"):
        make_plan(make_graph(1, [(0, 0)]), [NodePolicy()])


def test_an_identity_without_input_is_refused() -> None:
    """There is nothing it could pass on."""
    with pytest.raises(UsageError, match="nothing to pass on"):
        make_plan(make_graph(1, [], identity=0), [NodePolicy()])


def test_a_task_without_function_is_refused() -> None:
    """Only parameters and identities may lack one."""
    node = Node(id=NodeId(0), name="task", kind=NodeKind.FUNCTION)
    with pytest.raises(UsageError, match="has no function"):
        make_plan(Graph(nodes=(node,), edges=(), options=(NodeOptions(),)), [NodePolicy()])


def test_total_counts_nodes_with_a_state_of_their_own() -> None:
    """Parameters do not count."""
    assert (PLAN.total, make_plan(chain(5), [NodePolicy()]).total) == (3, 5)
