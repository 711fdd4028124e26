"""Everything around a scheduler, in miniature: a store that records, jobs that run, crashes that forget.

`World` carries out commands at once and keeps what is recorded apart from what the scheduler knows, so that a crash
can throw the scheduler away. It asserts what must hold at every step: legal transitions, attempts in order, and no
submission of a node that is recorded as over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from covalent_lab.graph.model import Graph
from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.commands import (
    CancelNode,
    CancelSublattice,
    DispatchSublattice,
    DispatchTransition,
    StartTimer,
    Step,
    SubmitNode,
)
from covalent_lab.scheduler.events import (
    CancelRequested,
    DispatchRestored,
    DispatchStarted,
    DispatchSubmitted,
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
from covalent_lab.scheduler.plan import NodePolicy, Plan, make_plan
from covalent_lab.scheduler.scheduler import Scheduler
from covalent_lab.scheduler.states import DISPATCH_SUCCESSORS, NODE_SUCCESSORS, DispatchState, NodeState

Key = tuple[DispatchId, NodeId]

OK, FAIL, HANG = "ok", "fail", "hang"
BUILD_OK, BUILD_FAIL = "build ok", "build fail"
"""The job builds a workflow, and that ends so."""


@dataclass(slots=True)
class Record:
    """What the store knows of a dispatch."""

    plan: Plan
    state: DispatchState = DispatchState.NEW_OBJECT
    nodes: dict[NodeId, tuple[NodeState, int]] = field(default_factory=dict)
    cancel_all: bool = False
    cancelled: frozenset[NodeId] = frozenset()
    error: str = ""

    def node(self, node: int) -> NodeState:
        """Recorded state, NEW_OBJECT for a node that has none."""
        if self.plan.is_parameter[node]:
            return NodeState.COMPLETED
        return self.nodes.get(NodeId(node), (NodeState.NEW_OBJECT, 0))[0]


@dataclass(slots=True)
class Job:
    """One attempt that an executor holds."""

    attempt: int
    outcome: str
    has_started: bool = False
    is_cancelled: bool = False
    has_timer: bool = False
    ran_s: float = 0.0
    then: list[NodeId] = field(default_factory=list)
    stopped: set[NodeId] = field(default_factory=set)


@dataclass(slots=True)
class Sub:
    """The dispatch a node became; it outlives crashes, like everything that is recorded."""

    attempt: int
    is_cancelled: bool = False
    end: DispatchState | None = None


class World:
    """A scheduler with its surroundings.

    Args:
        limits: As for `Scheduler`.
        scripts: For a node, what its attempts do one after the other; the last entry repeats. Default: succeed.
        is_fast: Whether jobs tell that they took no time, so that others may be taken along with the next ones.
    """

    def __init__(
        self,
        limits: Mapping[str, int] | None = None,
        scripts: Mapping[Key, Sequence[str]] | None = None,
        is_fast: bool = False,
    ) -> None:
        self.limits, self.is_fast = limits, is_fast
        self.scheduler = Scheduler(limits)
        self.scripts = dict(scripts or {})
        self.ends: dict[Key, int] = {}
        self.records: dict[DispatchId, Record] = {}
        self.jobs: dict[Key, Job] = {}
        self.built: dict[tuple[Key, int], str] = {}
        self.subs: dict[tuple[Key, int], Sub] = {}
        self.waited_for: set[Key] = set()
        self.past: list[Event] = []
        self.completions: dict[Key, int] = {}
        self.transitions = 0
        self.commands = 0
        self.now = 0.0

    # --- the tick

    def tick(self, event: Event, *, crash: str = "") -> Step:
        """Decide, record, act. `crash` names the moment ("record" or "act") before which everything stops."""
        self.now += 1
        self.past.append(event)
        step = self.scheduler.handle(event)
        self.scheduler.check_invariants()
        if crash != "record":
            self._record(step)
            if crash != "act":
                self._act(step)
        return step

    def _record(self, step: Step) -> None:
        for transition in step.transitions:
            self.transitions += 1
            record = self.records[transition.dispatch_id]
            if isinstance(transition, DispatchTransition):
                if transition.state is not DispatchState.NEW_OBJECT:
                    assert transition.state in DISPATCH_SUCCESSORS[record.state]
                record.state, record.error = transition.state, transition.error
                continue
            assert not record.state.is_terminal, "a node moved after the end of its dispatch"
            node = transition.node_id
            before, attempt = record.nodes.get(node, (NodeState.NEW_OBJECT, 0))
            assert transition.state in NODE_SUCCESSORS[before]
            assert transition.attempt == attempt + (transition.state is NodeState.STARTING)
            record.nodes[node] = (transition.state, transition.attempt)
            if transition.state is NodeState.COMPLETED:
                key = (transition.dispatch_id, node)
                self.completions[key] = self.completions.get(key, 0) + 1
        for dispatch_id, nodes in step.cancels:
            record = self.records[dispatch_id]
            if nodes is None:
                record.cancel_all = True
            else:
                record.cancelled |= nodes

    def _act(self, step: Step) -> None:
        for command in step.commands:
            self.commands += 1
            key = (command.dispatch_id, command.node_id)
            recorded = self.records[command.dispatch_id].nodes.get(command.node_id, (NodeState.NEW_OBJECT, 0))
            match command:
                case CancelNode() if recorded[0] is NodeState.NEW_OBJECT:
                    assert command.attempt == 1
                    (job,) = (j for k, j in self.jobs.items() if k[0] == key[0] and command.node_id in j.then)
                    job.stopped.add(command.node_id)
                    continue
                case SubmitNode():
                    states = [self.records[command.dispatch_id].node(later) for later in command.then]
                    assert set(states) <= {NodeState.NEW_OBJECT}
            assert recorded[1] == command.attempt
            match command:
                case SubmitNode():
                    assert recorded[0] is NodeState.STARTING, f"submitted a node that is {recorded[0]}"
                    assert key not in self.jobs, "two attempts at once"
                    self.jobs[key] = Job(command.attempt, self._outcome(key), then=list(command.then))
                case CancelNode():
                    self.jobs[key].is_cancelled = True
                case StartTimer():
                    assert recorded[0] is NodeState.RUNNING
                    self.jobs[key].has_timer = True
                case DispatchSublattice() | CancelSublattice():
                    assert recorded[0] is NodeState.DISPATCHING
                    made = self.subs.setdefault((key, command.attempt), Sub(command.attempt))
                    made.is_cancelled = made.is_cancelled or isinstance(command, CancelSublattice)
                    self.waited_for.add(key)

    def _outcome(self, key: Key) -> str:
        script = self.scripts.get(key, [OK])
        return script[min(self.ends.get(key, 0), len(script) - 1)]

    # --- what can happen

    def submit(self, dispatch_id: DispatchId, graph: Graph, policies: Sequence[NodePolicy]) -> None:
        """Accept and start a dispatch."""
        self.register(dispatch_id, graph, policies)
        self.tick(DispatchStarted(dispatch_id=dispatch_id, at=self.now))

    def register(
        self, dispatch_id: DispatchId, graph: Graph, policies: Sequence[NodePolicy], reused: Collection[NodeId] = ()
    ) -> None:
        """Accept a dispatch, some of whose nodes will take over an outcome."""
        plan = make_plan(graph, policies)
        self.records[dispatch_id] = Record(plan, nodes={node: (NodeState.PENDING_REUSE, 0) for node in reused})
        self.tick(DispatchSubmitted(dispatch_id=dispatch_id, plan=plan, at=self.now, reused=reused))

    def start_event(self, key: Key) -> Event:
        """A queued job begins."""
        job = self.jobs[key]
        job.has_started = True
        return NodeStarted(dispatch_id=key[0], node_id=key[1], attempt=job.attempt, at=self.now)

    def end_event(self, key: Key) -> Event | None:
        """A job ends as its script says, or as it was told to; None if it just hangs."""
        job = self.jobs[key]
        dispatch_id, node_id = key
        if job.is_cancelled:
            event: Event = NodeCancelled(
                dispatch_id=dispatch_id,
                node_id=node_id,
                attempt=job.attempt,
                at=self.now,
                started_at=self.now - job.ran_s,
            )
        elif job.outcome == OK:
            event = NodeSucceeded(
                dispatch_id=dispatch_id,
                node_id=node_id,
                attempt=job.attempt,
                at=self.now,
                started_at=self.now if self.is_fast else None,
            )
            if job.then:
                later, *rest = job.then
                self.jobs[dispatch_id, later] = Job(
                    1, self._outcome((dispatch_id, later)), is_cancelled=later in job.stopped, then=rest,
                    stopped=job.stopped,
                )  # fmt: skip
        elif job.outcome in (BUILD_OK, BUILD_FAIL):
            self.built[key, job.attempt] = job.outcome
            event = NodeBuilt(
                dispatch_id=dispatch_id,
                node_id=node_id,
                attempt=job.attempt,
                at=self.now,
                output=PayloadRef("b" * 40, 9),
            )
        elif job.outcome == FAIL:
            event = NodeFailed(
                dispatch_id=dispatch_id, node_id=node_id, attempt=job.attempt, at=self.now, message="ValueError: no"
            )
        else:
            return None
        del self.jobs[key]
        self.ends[key] = self.ends.get(key, 0) + 1
        return event

    def sub_event(self, key: Key) -> Event:
        """The dispatch that a node became ends, or is found to have ended."""
        self.waited_for.remove(key)
        attempt = self.records[key[0]].nodes[key[1]][1]
        made = self.subs[key, attempt]
        if made.end is None:
            works = self.built[key, attempt] == BUILD_OK
            ends = DispatchState.COMPLETED if works else DispatchState.FAILED
            made.end = DispatchState.CANCELLED if made.is_cancelled else ends
        return SublatticeEnded(
            dispatch_id=key[0], node_id=key[1], attempt=attempt, at=self.now, state=made.end, error="no"
        )

    def lose_event(self, key: Key) -> Event:
        """A job disappears."""
        job = self.jobs.pop(key)
        return NodeLost(dispatch_id=key[0], node_id=key[1], attempt=job.attempt, at=self.now)

    def timer_event(self, key: Key) -> Event:
        """The time limit of a job elapses."""
        job = self.jobs[key]
        job.has_timer = False
        job.ran_s = self.records[key[0]].plan.policy[key[1]].time_limit_s or 0.0
        return TimeLimitElapsed(dispatch_id=key[0], node_id=key[1], attempt=job.attempt, at=self.now)

    def cancel(self, dispatch_id: DispatchId, nodes: frozenset[NodeId] | None = None, *, crash: str = "") -> Step:
        """Ask for a cancel."""
        return self.tick(CancelRequested(dispatch_id=dispatch_id, node_ids=nodes, at=self.now), crash=crash)

    def restart(self, survivors: Sequence[bool] = ()) -> None:
        """Forget the scheduler, and build a new one from the record.

        Args:
            survivors: For each job in turn whether it is found again; the others, and all beyond, are lost.
        """
        self.scheduler = Scheduler(self.limits)
        self.waited_for.clear()
        for number, key in enumerate(sorted(self.jobs)):
            job = self.jobs[key]
            job.then = []  # later steps are submitted again
            if key[1] not in self.records[key[0]].nodes:  # it just took the place of a step whose end was not recorded
                del self.jobs[key]
                continue
            job.has_timer = False  # timers die with the process
            if self.records[key[0]].nodes[key[1]][0] is NodeState.STARTING:
                job.has_started = False  # its start is told again
            if number >= len(survivors) or not survivors[number]:
                del self.jobs[key]
        for dispatch_id, record in self.records.items():
            if record.state.is_terminal:
                continue
            known = dict(record.nodes)
            event = DispatchRestored(
                dispatch_id=dispatch_id,
                plan=record.plan,
                state=record.state,
                nodes=known,
                at=self.now,
                cancel_all=record.cancel_all,
                cancelled=record.cancelled,
            )
            # Jobs that are gone still take cancels and timers until their loss is told.
            gone = [
                (node, attempt)
                for node, (state, attempt) in known.items()
                if state in (NodeState.STARTING, NodeState.RUNNING) and (dispatch_id, node) not in self.jobs
            ]
            for node, attempt in gone:
                self.jobs[dispatch_id, node] = Job(attempt, HANG, has_started=True)
            self.tick(event)
            for node, _ in gone:
                self.tick(self.lose_event((dispatch_id, node)))

    def settle(self) -> None:
        """Let everything run to its end without further trouble."""
        while self.jobs or self.waited_for:
            if self.waited_for:
                self.tick(self.sub_event(min(self.waited_for)))
                continue
            key = min(self.jobs)
            job = self.jobs[key]
            if not job.has_started:
                self.tick(self.start_event(key))
                continue
            event = self.end_event(key)
            if event is None:
                assert job.has_timer, f"{key} hangs and nobody watches the clock"
                event = self.timer_event(key)
            self.tick(event)
        assert not self.scheduler.active, "nothing runs, yet a dispatch is not over"


def expected_states(graph: Graph, plan: Plan, fate: Mapping[int, NodeState]) -> list[NodeState]:
    """What rule by rule must come out without cancels: a node runs if all its inputs completed.

    Args:
        graph: The workflow; edges go from lower to higher numbers.
        plan: Its plan.
        fate: How each node ends if it runs; COMPLETED if not given.
    """
    inputs: list[list[int]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        inputs[edge.target].append(edge.source)
    states: list[NodeState] = []
    for node in graph.nodes:
        if plan.is_parameter[node.id]:
            states.append(NodeState.COMPLETED)
        elif any(states[source] is not NodeState.COMPLETED for source in inputs[node.id]):
            states.append(NodeState.NEW_OBJECT)
        elif plan.passes_on[node.id] >= 0:
            states.append(NodeState.COMPLETED)
        else:
            states.append(fate.get(node.id, NodeState.COMPLETED))
    return states
