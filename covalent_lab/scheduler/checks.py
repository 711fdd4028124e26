"""What must be true: of an event before anything is changed, and of the books at any time."""

from collections.abc import Collection, Mapping

from covalent_lab.errors import InternalError
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.books import Lane, Run
from covalent_lab.scheduler.events import DispatchRestored
from covalent_lab.scheduler.plan import Plan
from covalent_lab.scheduler.states import DispatchState, NodeState

__all__ = ["InvalidEventError", "check_books", "check_restored", "check_reused"]


class InvalidEventError(InternalError):
    """An event that cannot happen; the scheduler is unchanged."""

    code = "invalid_event"


def check_restored(event: DispatchRestored) -> None:
    """Refuse a dispatch that cannot have been recorded so.

    Raises:
        InvalidEventError: Its states contradict each other, or its plan.
    """
    name, plan, nodes = event.dispatch_id, event.plan, event.nodes
    if event.state.is_terminal:
        raise InvalidEventError(f"Dispatch {name} was restored although it is {event.state}.")
    reused = [node for node, (state, _) in nodes.items() if state is NodeState.PENDING_REUSE]
    if len(nodes) > len(reused) and event.state is DispatchState.NEW_OBJECT:
        raise InvalidEventError(f"Dispatch {name} was never started, but {len(nodes)} of its nodes were.")
    missing: dict[int, int] = {}
    for node, (state, attempt) in nodes.items():
        if not 0 <= node < len(plan.names) or plan.is_parameter[node]:
            raise InvalidEventError(f"Dispatch {name} has no node {node} that could have a state.")
        waits = state is NodeState.PENDING_REUSE
        if state is NodeState.NEW_OBJECT or (attempt < 1 and not (state.is_terminal or waits)):
            raise InvalidEventError(f"Node {node} of dispatch {name} was restored as {state}, attempt {attempt}.")
        if state is NodeState.COMPLETED:
            for target in plan.successors[node]:
                missing[target] = missing.get(target, 0) + 1
    for node, (state, _) in nodes.items():
        if state is not NodeState.PENDING_REUSE and missing.get(node, 0) != plan.waits_for[node]:
            raise InvalidEventError(f"Node {node} of dispatch {name} is {state} before its predecessors.")


def check_reused(dispatch_id: DispatchId, plan: Plan, reused: Collection[NodeId]) -> None:
    """Refuse nodes that cannot take over an outcome.

    Raises:
        InvalidEventError: They are no such nodes, or not all their predecessors are among them.
    """
    fed = dict.fromkeys(reused, 0)
    for node in fed:
        if not 0 <= node < len(plan.names) or plan.is_parameter[node]:
            raise InvalidEventError(f"Dispatch {dispatch_id} has no node {node} that could take over an outcome.")
        for target in plan.successors[node]:
            if target in fed:
                fed[NodeId(target)] += 1
    for node, count in fed.items():
        if count != plan.waits_for[node]:
            raise InvalidEventError(
                f"Node {node} of dispatch {dispatch_id} cannot be reused: its predecessors are not."
            )


def check_books(runs: Mapping[DispatchId, Run], lanes: Mapping[str, Lane]) -> None:
    """Raise AssertionError if the books do not balance."""
    for name, lane in lanes.items():
        flying = 0
        for run in runs.values():
            for node, state in enumerate(run.states):
                if run.plan.policy[node].executor == name and state in (NodeState.STARTING, NodeState.RUNNING):
                    flying += 1
        assert lane.in_flight == flying, (name, lane.in_flight, flying)
        assert set(lane.turn) == set(lane.queues)
        assert lane.in_flight >= lane.limit or not lane.turn, f"{name} leaves places empty"
    for dispatch_id, run in runs.items():
        queued = [n for lane in lanes.values() for n in lane.queues.get(dispatch_id, ())]
        assert len(queued) == run.ready == len(set(queued))
        run.check_steps(queued)
        assert run.dispatching == sum(state is NodeState.DISPATCHING for state in run.states)
        assert run.state is DispatchState.NEW_OBJECT or run.in_flight + run.ready + run.dispatching > 0
        missing = list(run.plan.waits_for)
        for node, state in enumerate(run.states):
            if state is NodeState.COMPLETED and not run.plan.is_parameter[node]:
                for target in run.plan.successors[node]:
                    missing[target] -= 1
        assert missing == run.waits_for
        for node, state in enumerate(run.states):
            if state not in (NodeState.NEW_OBJECT, NodeState.PENDING_REUSE, NodeState.CANCELLED):
                assert run.waits_for[node] == 0, f"node {node} is {state} before its predecessors"
