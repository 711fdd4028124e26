"""The scheduler: decides what runs next, and nothing else.

Theory of operation. Each dispatch counts, for each node, the edges it still waits for. A node whose count reaches zero
is *ready*: it queues in the lane of its executor. Lanes take turns between dispatches and let at most a fixed number of
nodes be *in flight*. A node's end frees its place and lowers the counts of its successors. A node whose job built a
workflow is *dispatching* until that workflow ends; it takes no place then. A dispatch ends when none of its nodes is
ready, in flight or dispatching.

A node can *carry* others as later steps of its job: those of its task group for which nothing is missing once the
steps before them are complete; or else those that follow it in single file, if all of them were seen to be short. Of a
job one node is in flight at a time; when it completes, the next takes its place without being submitted. When it does
not, the job is over and the later ones are nodes like any others again.

Two rules for whoever edits this file: a state changes only in `_move` and `_move_dispatch`, which check the transition
tables and write the transition down; and an event is checked before anything is changed, so that one which raises
leaves no trace.
"""

from collections.abc import Mapping
from typing import assert_never

from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.books import Lane, Run
from covalent_lab.scheduler.checks import InvalidEventError, check_books, check_restored, check_reused
from covalent_lab.scheduler.commands import (
    CancelNode,
    CancelSublattice,
    DispatchSublattice,
    DispatchTransition,
    NodeTransition,
    StartTimer,
    Step,
    SubmitNode,
)
from covalent_lab.scheduler.events import (
    CancelRequested,
    DispatchRestored,
    DispatchStarted,
    DispatchSubmitted,
    DispatchWithdrawn,
    Event,
    NodeBuilt,
    NodeCancelled,
    NodeEnded,
    NodeFailed,
    NodeLost,
    NodeStarted,
    NodeSucceeded,
    SublatticeEnded,
    TimeLimitElapsed,
)
from covalent_lab.scheduler.states import DISPATCH_SUCCESSORS, NODE_SUCCESSORS, DispatchState, NodeState

__all__ = ["MAX_LOST", "InvalidEventError", "Scheduler"]

MAX_LOST = 20

_COMPLETED = NodeState.COMPLETED


class Scheduler:
    """Events in, `Step` out.

    Args:
        limits: How many nodes an executor gets at a time, where that differs from what the nodes' policies say.
    """

    def __init__(self, limits: Mapping[str, int] | None = None) -> None:
        self._limits = dict(limits or {})
        self._runs: dict[DispatchId, Run] = {}
        self._lanes: dict[str, Lane] = {}
        self.late_events = 0

    @property
    def active(self) -> frozenset[DispatchId]:
        """Dispatches that are not over."""
        return frozenset(self._runs)

    def node_state(self, dispatch_id: DispatchId, node_id: NodeId) -> NodeState:
        """State of a node of an active dispatch."""
        return self._runs[dispatch_id].states[node_id]

    def handle(self, event: Event) -> Step:
        """Decide.

        Raises:
            InvalidEventError: The event cannot happen; nothing was changed.
        """
        step = Step()
        match event:
            case NodeSucceeded() | NodeBuilt() | NodeFailed() | NodeCancelled() | NodeLost():
                self._node_ended(event, step)
            case SublatticeEnded():
                self._sublattice_ended(event, step)
            case NodeStarted():
                self._node_started(event, step)
            case DispatchSubmitted():
                self._submitted(event, step)
            case DispatchStarted():
                self._started(event, step)
            case DispatchWithdrawn():
                self._withdrawn(event, step)
            case DispatchRestored():
                self._restored(event, step)
            case TimeLimitElapsed():
                self._out_of_time(event, step)
            case CancelRequested():
                self._cancel(event, step)
            case _:
                assert_never(event)
        return step

    # --- dispatches

    def _submitted(self, event: DispatchSubmitted, step: Step) -> None:
        if event.dispatch_id in self._runs:
            raise InvalidEventError(f"Dispatch {event.dispatch_id} was submitted twice.")
        check_reused(event.dispatch_id, event.plan, event.reused)
        run = self._runs[event.dispatch_id] = Run(event.plan)
        for node in event.reused:
            run.states[node] = NodeState.PENDING_REUSE
        step.transitions.append(
            DispatchTransition(dispatch_id=event.dispatch_id, state=DispatchState.NEW_OBJECT, at=event.at)
        )

    def _started(self, event: DispatchStarted, step: Step) -> None:
        run = self._runs.get(event.dispatch_id)
        if run is None or run.state is not DispatchState.NEW_OBJECT:
            self.late_events += 1
            return
        self._move_dispatch(event.dispatch_id, run, DispatchState.STARTING, event.at, step)
        self._move_dispatch(event.dispatch_id, run, DispatchState.RUNNING, event.at, step)
        self._begin(event.dispatch_id, run, event.at, step)

    def _withdrawn(self, event: DispatchWithdrawn, step: Step) -> None:
        run = self._runs.get(event.dispatch_id)
        if run is None:
            self.late_events += 1
            return
        flying = [node for node, state in enumerate(run.states) if state is NodeState.STARTING]
        if len(flying) != run.in_flight or run.dispatching:
            raise InvalidEventError(f"Dispatch {event.dispatch_id} was withdrawn although it runs.")
        for lane in self._lanes.values():
            lane.drop(event.dispatch_id, None)
        for node in flying:
            self._lane(run, node).in_flight -= 1
        del self._runs[event.dispatch_id]
        self._fill(step, event.at)

    def _restored(self, event: DispatchRestored, step: Step) -> None:
        if event.dispatch_id in self._runs:
            raise InvalidEventError(f"Dispatch {event.dispatch_id} was restored while it is active.")
        check_restored(event)
        run = Run(event.plan)
        run.state = event.state
        run.cancel_all = event.cancel_all
        run.cancelled = set(event.cancelled)
        for node, (state, attempt) in event.nodes.items():
            run.states[node] = state
            run.attempts[node] = attempt
            if state is _COMPLETED:
                for target in run.plan.successors[node]:
                    run.waits_for[target] -= 1
            elif state is NodeState.FAILED:
                run.failed.add(node)
            elif state is NodeState.CANCELLED:
                run.cancelled.add(node)
            elif state is NodeState.DISPATCHING:
                run.dispatching += 1
                self._follow_sublattice(event.dispatch_id, run, node, step)
            elif state is not NodeState.PENDING_REUSE:
                run.in_flight += 1
                self._lane(run, node).in_flight += 1
                if run.is_cancelled(node):
                    step.commands.append(CancelNode(dispatch_id=event.dispatch_id, node_id=node, attempt=attempt))
                elif state is NodeState.RUNNING:
                    self._start_timer(event.dispatch_id, run, node, step)
        self._runs[event.dispatch_id] = run
        if run.state is DispatchState.NEW_OBJECT:
            return
        if run.state is DispatchState.STARTING:
            self._move_dispatch(event.dispatch_id, run, DispatchState.RUNNING, event.at, step)
        self._begin(event.dispatch_id, run, event.at, step)

    def _begin(self, dispatch_id: DispatchId, run: Run, at: float, step: Step) -> None:
        self._take_over(dispatch_id, run, at, step)
        # The list is made first: a node that is handed on at once may release others, which then are ready already.
        roots = [n for n, waits in enumerate(run.waits_for) if waits == 0 and run.states[n] is NodeState.NEW_OBJECT]
        for node in roots:
            self._make_ready(dispatch_id, run, node, at, step)
        self._fill(step, at)
        self._end_if_idle(dispatch_id, run, at, step)

    def _take_over(self, dispatch_id: DispatchId, run: Run, at: float, step: Step) -> None:
        """Complete the nodes that are not to run again, each after its predecessors."""
        waiting = [n for n, state in enumerate(run.states) if state is NodeState.PENDING_REUSE]
        ready = [n for n in waiting if run.waits_for[n] == 0]
        for node in ready:  # grows while it is read
            if run.is_cancelled(node):
                self._move(dispatch_id, run, node, NodeState.CANCELLED, at, step)
                continue
            self._move(dispatch_id, run, node, _COMPLETED, at, step, is_reused=True)
            for target in run.plan.successors[node]:
                run.waits_for[target] -= 1
                if run.waits_for[target] == 0 and run.states[target] is NodeState.PENDING_REUSE:
                    ready.append(target)

    def _cancel(self, event: CancelRequested, step: Step) -> None:
        run = self._runs.get(event.dispatch_id)
        if run is None:
            self.late_events += 1
            return
        if event.node_ids is not None:
            unknown = [n for n in event.node_ids if not 0 <= n < len(run.states)]
            if unknown:
                raise InvalidEventError(f"Dispatch {event.dispatch_id} has no node {min(unknown)}.")
        step.cancels.append((event.dispatch_id, event.node_ids))
        if event.node_ids is None:
            run.cancel_all = True
            asked: list[int] | None = None
        else:
            asked = sorted(event.node_ids)
            run.cancelled |= {n for n in asked if not run.states[n].is_terminal}
        if run.state is DispatchState.NEW_OBJECT:
            if asked is None:
                self._move_dispatch(event.dispatch_id, run, DispatchState.CANCELLED, event.at, step)
                del self._runs[event.dispatch_id]
            return
        for lane in self._lanes.values():
            for dropped in lane.drop(event.dispatch_id, asked):
                run.count_out(dropped)
                self._move(event.dispatch_id, run, dropped, NodeState.CANCELLED, event.at, step)
        for number in range(len(run.states)) if asked is None else asked:
            if number in run.carried or run.states[number] in (NodeState.STARTING, NodeState.RUNNING):
                attempt = run.attempts[number] + (number in run.carried)
                step.commands.append(CancelNode(dispatch_id=event.dispatch_id, node_id=NodeId(number), attempt=attempt))
            elif run.states[number] is NodeState.DISPATCHING:
                self._follow_sublattice(event.dispatch_id, run, number, step)
        self._end_if_idle(event.dispatch_id, run, event.at, step)

    # --- nodes

    def _current(self, event: NodeStarted | NodeEnded | SublatticeEnded | TimeLimitElapsed) -> Run | None:
        """The run, if the event's attempt is the current one; None if it is late."""
        run = self._runs.get(event.dispatch_id)
        if run is None:
            self.late_events += 1
            return None
        if not 0 <= event.node_id < len(run.states):
            raise InvalidEventError(f"Dispatch {event.dispatch_id} has no node {event.node_id}.")
        current = run.attempts[event.node_id]
        if event.attempt == 1 and run.may_have_been_step(event.node_id):
            self.late_events += 1
            return None
        if event.attempt > current or event.attempt < 1:
            raise InvalidEventError(
                f"{type(event).__name__} for attempt {event.attempt} of node {event.node_id} of dispatch "
                f"{event.dispatch_id}, of which {current} were submitted."
            )
        state = run.states[event.node_id]
        is_job_over = state is NodeState.DISPATCHING and not isinstance(event, SublatticeEnded)
        if event.attempt < current or state.is_terminal or is_job_over:
            self.late_events += 1
            return None
        return run

    def _node_started(self, event: NodeStarted, step: Step) -> None:
        run = self._current(event)
        if run is None:
            return
        node = event.node_id
        if run.states[node] is NodeState.RUNNING:
            self.late_events += 1
            return
        self._move(event.dispatch_id, run, node, NodeState.RUNNING, event.at, step, started_at=event.at)
        self._start_timer(event.dispatch_id, run, node, step)

    def _start_timer(self, dispatch_id: DispatchId, run: Run, node: NodeId, step: Step) -> None:
        limit = run.plan.policy[node].time_limit_s
        if limit is not None:
            attempt = run.attempts[node]
            step.commands.append(StartTimer(dispatch_id=dispatch_id, node_id=node, attempt=attempt, delay_s=limit))

    def _out_of_time(self, event: TimeLimitElapsed, step: Step) -> None:
        run = self._current(event)
        if run is None:
            return
        run.out_of_time.add(event.node_id)
        step.commands.append(CancelNode(dispatch_id=event.dispatch_id, node_id=event.node_id, attempt=event.attempt))

    def _node_ended(self, event: NodeEnded, step: Step) -> None:
        run = self._current(event)
        if run is None:
            return
        node = event.node_id
        lane = self._lane(run, node)
        lane.in_flight -= 1
        run.in_flight -= 1
        timed_out = node in run.out_of_time or _ran_too_long(run, event)
        run.out_of_time.discard(node)
        goes_on = isinstance(event, NodeSucceeded)
        loose = [] if goes_on else [later for later in run.unload(node) if run.waits_for[later] == 0]
        match event:
            case NodeSucceeded():
                if event.started_at is not None:
                    run.clock(node, event.at - event.started_at)
                self._move(
                    event.dispatch_id, run, node, _COMPLETED, event.at, step,
                    output=event.output, started_at=event.started_at,
                )  # fmt: skip
                self._release(event.dispatch_id, run, node, event.at, step)
                self._go_on(event, run, step)
            case NodeBuilt():
                self._built(event, run, step)
            case NodeCancelled() if not (timed_out and not run.is_cancelled(node)):
                run.cancelled.add(node)
                self._move(
                    event.dispatch_id, run, node, NodeState.CANCELLED, event.at, step, started_at=event.started_at
                )
            case NodeCancelled():
                limit = run.plan.policy[node].time_limit_s
                reason = f"Stopped: it exceeded its time limit of {limit:g} s."
                self._failed(event, run, reason, self._use_retry(run, node), step)
            case NodeFailed():
                self._failed(event, run, event.message, self._use_retry(run, node) and event.may_retry, step)
            case NodeLost():
                lost = run.lost[node] = run.lost.get(node, 0) + 1
                reason = "Its worker or machine disappeared while it ran."
                self._failed(event, run, reason, lost <= MAX_LOST, step)
            case _:
                assert_never(event)
        for later in loose:
            self._make_ready(event.dispatch_id, run, later, event.at, step)
        self._fill(step, event.at)
        self._end_if_idle(event.dispatch_id, run, event.at, step)

    def _built(self, event: NodeBuilt, run: Run, step: Step) -> None:
        node = event.node_id
        if run.is_cancelled(node):
            self._move(event.dispatch_id, run, node, NodeState.CANCELLED, event.at, step, started_at=event.started_at)
            return
        run.dispatching += 1
        self._move(
            event.dispatch_id, run, node, NodeState.DISPATCHING, event.at, step,
            output=event.output, started_at=event.started_at,
        )  # fmt: skip
        self._follow_sublattice(event.dispatch_id, run, node, step)

    def _follow_sublattice(self, dispatch_id: DispatchId, run: Run, node: int, step: Step) -> None:
        """Ask for the dispatch a node became to run, or to stop; either ends with the event of its end."""
        command = CancelSublattice if run.is_cancelled(node) else DispatchSublattice
        step.commands.append(command(dispatch_id=dispatch_id, node_id=NodeId(node), attempt=run.attempts[node]))

    def _sublattice_ended(self, event: SublatticeEnded, step: Step) -> None:
        run = self._current(event)
        if run is None:
            return
        node, state = event.node_id, NodeState(event.state.value)
        if run.states[node] is not NodeState.DISPATCHING or not state.is_terminal:
            raise InvalidEventError(
                f"The sublattice of node {node} of dispatch {event.dispatch_id}, which is {run.states[node]}, "
                f"was told to be {event.state}."
            )
        run.dispatching -= 1
        if state is NodeState.FAILED:
            run.failed.add(node)
        self._move(event.dispatch_id, run, node, state, event.at, step, output=event.output, error=event.error)
        if state is _COMPLETED:
            self._release(event.dispatch_id, run, node, event.at, step)
        self._fill(step, event.at)
        self._end_if_idle(event.dispatch_id, run, event.at, step)

    def _go_on(self, event: NodeSucceeded, run: Run, step: Step) -> None:
        """Let the next step of a job take the place of the one that completed."""
        following = run.next_step(event.node_id)
        if following is not None:
            self._begin_attempt(event.dispatch_id, run, following, event.at, step)

    def _use_retry(self, run: Run, node: int) -> bool:
        """Count a failure; True if it leaves another attempt."""
        failures = run.failures[node] = run.failures.get(node, 0) + 1
        return failures <= run.plan.policy[node].retries

    def _failed(self, event: NodeEnded, run: Run, reason: str, may_retry: bool, step: Step) -> None:
        node = event.node_id
        if may_retry and run.is_cancelled(node):
            run.cancelled.add(node)
            self._move(event.dispatch_id, run, node, NodeState.CANCELLED, event.at, step, started_at=event.started_at)
        elif may_retry:
            self._submit(event.dispatch_id, run, node, event.at, step, error=reason, last_began_at=event.started_at)
        else:
            run.failed.add(node)
            self._move(
                event.dispatch_id, run, node, NodeState.FAILED, event.at, step,
                error=reason, started_at=event.started_at,
            )  # fmt: skip

    def _release(self, dispatch_id: DispatchId, run: Run, node: int, at: float, step: Step) -> None:
        for target in run.plan.successors[node]:
            run.waits_for[target] -= 1
            if run.waits_for[target] == 0 and target not in run.carried:
                self._make_ready(dispatch_id, run, target, at, step)

    def _make_ready(self, dispatch_id: DispatchId, run: Run, node: int, at: float, step: Step) -> None:
        if run.is_cancelled(node):
            self._move(dispatch_id, run, node, NodeState.CANCELLED, at, step)
            return
        source = run.plan.passes_on[node]
        if source >= 0:
            self._move(dispatch_id, run, node, _COMPLETED, at, step, passes_on=NodeId(source))
            self._release(dispatch_id, run, node, at, step)
            return
        run.count_in(node)
        self._lane(run, node).push(dispatch_id, node)

    def _fill(self, step: Step, at: float) -> None:
        for lane in self._lanes.values():
            while lane.in_flight < lane.limit:
                chosen = lane.pop()
                if chosen is None:
                    break
                dispatch_id, node = chosen
                run = self._runs[dispatch_id]
                run.count_out(node)
                self._submit(dispatch_id, run, node, at, step)

    def _submit(
        self,
        dispatch_id: DispatchId,
        run: Run,
        node: int,
        at: float,
        step: Step,
        *,
        error: str = "",
        last_began_at: float | None = None,
    ) -> None:
        self._begin_attempt(dispatch_id, run, node, at, step, error=error, last_began_at=last_began_at)
        then = self._carry(dispatch_id, run, node)
        step.commands.append(
            SubmitNode(dispatch_id=dispatch_id, node_id=NodeId(node), attempt=run.attempts[node], then=then)
        )

    def _begin_attempt(
        self,
        dispatch_id: DispatchId,
        run: Run,
        node: int,
        at: float,
        step: Step,
        *,
        error: str = "",
        last_began_at: float | None = None,
    ) -> None:
        run.attempts[node] += 1
        run.in_flight += 1
        self._lane(run, node).in_flight += 1
        self._move(dispatch_id, run, node, NodeState.STARTING, at, step, error=error, started_at=last_began_at)

    def _carry(self, dispatch_id: DispatchId, run: Run, node: int) -> tuple[NodeId, ...]:
        """Load the job of a node with later steps: others that are ready and lead on, and what all of them lead to."""
        plan, group = run.plan, run.plan.group[node]
        if not plan.leads[node]:
            return self._load(run, node, run.chain(node))
        ready = list(run.leaders.get(group, ()))
        for leader in self._lane(run, node).drop(dispatch_id, ready):
            run.count_out(leader)
        steps, missing = [node, *ready], dict[int, int]()
        for number in steps:  # grows meanwhile
            for target in plan.successors[number]:
                if plan.group[target] == group and not run.is_cancelled(target):
                    missing[target] = missing.get(target, run.waits_for[target]) - 1
                    if missing[target] == 0:
                        steps.append(target)
        return self._load(run, node, steps[1:])

    @staticmethod
    def _load(run: Run, node: int, steps: list[int]) -> tuple[NodeId, ...]:
        run.load(node, steps)
        return tuple(map(NodeId, steps))

    # --- the only places where states change

    def _move(
        self,
        dispatch_id: DispatchId,
        run: Run,
        node: int,
        state: NodeState,
        at: float,
        step: Step,
        *,
        output: PayloadRef | None = None,
        passes_on: NodeId | None = None,
        error: str = "",
        started_at: float | None = None,
        is_reused: bool = False,
    ) -> None:
        if state not in NODE_SUCCESSORS[run.states[node]]:
            raise InvalidEventError(
                f"Node {node} of dispatch {dispatch_id} cannot go from {run.states[node]} to {state}."
            )
        run.states[node] = state
        if state is NodeState.CANCELLED:
            run.cancelled.add(node)
        step.transitions.append(
            NodeTransition(
                dispatch_id=dispatch_id,
                node_id=NodeId(node),
                state=state,
                attempt=run.attempts[node],
                at=at,
                output=output,
                passes_on=passes_on,
                error=error,
                started_at=started_at,
                is_reused=is_reused,
            )
        )

    def _move_dispatch(
        self, dispatch_id: DispatchId, run: Run, state: DispatchState, at: float, step: Step, error: str = ""
    ) -> None:
        if state not in DISPATCH_SUCCESSORS[run.state]:
            raise InvalidEventError(f"Dispatch {dispatch_id} cannot go from {run.state} to {state}.")
        run.state = state
        step.transitions.append(DispatchTransition(dispatch_id=dispatch_id, state=state, at=at, error=error))

    def _end_if_idle(self, dispatch_id: DispatchId, run: Run, at: float, step: Step) -> None:
        if run.in_flight or run.ready or run.dispatching or dispatch_id not in self._runs:
            return
        if run.failed:
            lines = "\n".join(f"{node}: {run.plan.names[node]}" for node in sorted(run.failed))
            error = f"The following tasks failed:\n{lines}"
            self._move_dispatch(dispatch_id, run, DispatchState.FAILED, at, step, error)
        elif any(state is NodeState.CANCELLED for state in run.states):
            self._move_dispatch(dispatch_id, run, DispatchState.CANCELLED, at, step)
        else:
            self._move_dispatch(dispatch_id, run, DispatchState.COMPLETED, at, step)
        del self._runs[dispatch_id]

    def _lane(self, run: Run, node: int) -> Lane:
        name = run.plan.policy[node].executor
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(self._limits.get(name, run.plan.policy[node].max_in_flight))
        return lane

    def check_invariants(self) -> None:
        """Raise AssertionError if the books do not balance; called after every test."""
        check_books(self._runs, self._lanes)


def _ran_too_long(run: Run, event: NodeEnded) -> bool:
    """Whether it was at its time limit: it may have been stopped for that by a dispatcher that is gone by now."""
    limit, began = run.plan.policy[event.node_id].time_limit_s, event.started_at
    return limit is not None and began is not None and event.at - began >= limit
