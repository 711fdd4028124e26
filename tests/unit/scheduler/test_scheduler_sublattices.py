"""Nodes that become dispatches of their own, one rule at a time."""

import pytest
from test_scheduler_rules import ID, OUTPUT, began, cancel, cancelled, dispatch, failed, moved, restored, running, told
from test_scheduler_rules import submit as submitted

from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.scheduler.commands import CancelSublattice, DispatchSublattice, Step
from covalent_lab.scheduler.events import NodeBuilt, SublatticeEnded, TimeLimitElapsed
from covalent_lab.scheduler.plan import NodePolicy
from covalent_lab.scheduler.scheduler import InvalidEventError, Scheduler
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.testing.graphs import chain, make_graph

BUNDLE = PayloadRef("c" * 40, 9)


def built(node: int, attempt: int = 1, at: float = 5.0) -> NodeBuilt:
    """A job returned a workflow."""
    return NodeBuilt(dispatch_id=ID, node_id=NodeId(node), attempt=attempt, at=at, output=BUNDLE)


def ended(state: DispatchState, node: int = 0, at: float = 8.0, error: str = "") -> SublatticeEnded:
    """The dispatch of a node is over."""
    output = OUTPUT if state is DispatchState.COMPLETED else None
    return SublatticeEnded(
        dispatch_id=ID, node_id=NodeId(node), attempt=1, at=at, state=state, output=output, error=error
    )


def follow(node: int = 0, attempt: int = 1) -> DispatchSublattice:
    """The command to have the dispatch of a node run."""
    return DispatchSublattice(dispatch_id=ID, node_id=NodeId(node), attempt=attempt)


def stop_sub(node: int = 0, attempt: int = 1) -> CancelSublattice:
    """The command to have the dispatch of a node stop."""
    return CancelSublattice(dispatch_id=ID, node_id=NodeId(node), attempt=attempt)


def test_a_built_workflow_is_dispatched_and_its_end_is_the_nodes_end() -> None:
    """Its output is handed on as that of a task would be."""
    scheduler, _ = running(chain(2))
    assert told(scheduler, began(0), built(0)) == Step(
        transitions=[moved(0, NodeState.DISPATCHING, 1, 5.0, output=BUNDLE)], commands=[follow()]
    )
    assert told(scheduler, ended(DispatchState.COMPLETED)) == Step(
        transitions=[moved(0, NodeState.COMPLETED, 1, 8.0, output=OUTPUT), moved(1, NodeState.STARTING, 1, 8.0)],
        commands=[submitted(1)],
    )


def test_a_node_that_is_dispatching_takes_no_place_of_its_executor() -> None:
    """Else nested sublattices would wait for each other for ever."""
    scheduler, step = running(make_graph(2, []), limits={"local": 1})
    assert step.commands == [submitted(0)]
    assert told(scheduler, built(0)).commands == [follow(), submitted(1)]


def test_a_failed_sublattice_fails_its_node_without_another_attempt() -> None:
    """Retries are for the build; the tasks of the workflow have their own."""
    scheduler, _ = running(chain(2), NodePolicy(retries=3))
    told(scheduler, failed(0))
    told(scheduler, built(0, 2))
    end = SublatticeEnded(
        dispatch_id=ID, node_id=NodeId(0), attempt=2, at=8.0, state=DispatchState.FAILED, error="its task failed"
    )
    assert told(scheduler, end) == Step(
        transitions=[
            moved(0, NodeState.FAILED, 2, 8.0, error="its task failed"),
            dispatch(DispatchState.FAILED, 8.0, "The following tasks failed:\n0: task_0"),
        ]
    )


def test_a_sublattice_that_was_cancelled_by_itself_cancels_its_node() -> None:
    """Its successors do not run."""
    scheduler, _ = running(chain(2))
    told(scheduler, built(0))
    assert told(scheduler, ended(DispatchState.CANCELLED)) == Step(
        transitions=[moved(0, NodeState.CANCELLED, 1, 8.0), dispatch(DispatchState.CANCELLED, 8.0)]
    )


@pytest.mark.parametrize("nodes", [None, [0]])
def test_cancelling_a_dispatch_or_node_cancels_the_sublattice(nodes: list[int] | None) -> None:
    """The node waits for the end of it."""
    scheduler, _ = running(chain(2))
    told(scheduler, built(0))
    assert told(scheduler, cancel(nodes)).commands == [stop_sub()]
    assert told(scheduler, ended(DispatchState.CANCELLED)).transitions[-1].state is DispatchState.CANCELLED


def test_what_was_built_after_a_cancel_is_not_dispatched() -> None:
    """The job came to its end before it heard of the cancel."""
    scheduler, _ = running(chain(1))
    told(scheduler, cancel(None))
    assert told(scheduler, built(0)) == Step(
        transitions=[moved(0, NodeState.CANCELLED, 1, 5.0), dispatch(DispatchState.CANCELLED, 5.0)]
    )


def test_news_of_the_job_are_late_once_its_workflow_is_dispatched() -> None:
    """The time limit among them: it is that of the build."""
    scheduler, _ = running(chain(1), NodePolicy(time_limit_s=7.0))
    elapsed = TimeLimitElapsed(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=10.0)
    assert told(scheduler, began(0), built(0), elapsed, built(0), began(0), cancelled(0)) == Step()
    assert scheduler.late_events == 4


def test_a_sublattice_cannot_end_in_a_state_that_is_no_end() -> None:
    """The event is refused."""
    scheduler, _ = running(chain(1))
    told(scheduler, built(0))
    with pytest.raises(InvalidEventError, match="RUNNING"):
        scheduler.handle(ended(DispatchState.RUNNING))


def test_a_repeated_end_of_a_sublattice_is_late() -> None:
    """It may be told by the tick and by the feed."""
    scheduler, _ = running(chain(2))
    assert told(scheduler, built(0), ended(DispatchState.COMPLETED), ended(DispatchState.COMPLETED)) == Step()


def test_a_restored_sublattice_is_followed_again() -> None:
    """Whether it was dispatched already is for the dispatcher to find out; no job is watched, no timer runs."""
    scheduler = Scheduler({"local": 1})
    step = told(scheduler, restored(make_graph(2, []), {0: (NodeState.DISPATCHING, 3)}))
    assert step == Step(transitions=[moved(1, NodeState.STARTING, 1, 9.0)], commands=[follow(0, 3), submitted(1)])


def test_a_restored_sublattice_whose_cancel_was_asked_for_is_stopped() -> None:
    """Without being dispatched first."""
    step = told(Scheduler(), restored(chain(1), {0: (NodeState.DISPATCHING, 1)}, cancel_all=True))
    assert step == Step(commands=[stop_sub()])
