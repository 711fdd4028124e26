"""What the scheduler writes down: one book a dispatch, one queue an executor. It decides nothing."""

from collections import OrderedDict, deque
from collections.abc import Collection

from covalent_lab.ids import DispatchId
from covalent_lab.scheduler.plan import Plan
from covalent_lab.scheduler.states import DispatchState, NodeState

__all__ = ["CHAIN_S", "MAX_CHAIN", "Lane", "Run"]

CHAIN_S = 0.1
"""How long the tasks of one job may take in all for further ones to be taken along unasked."""
MAX_CHAIN = 100
"""How many are taken along at most."""


class Run:
    """What is known of one unfinished dispatch."""

    __slots__ = (
        "attempts",
        "cancel_all",
        "cancelled",
        "carried",
        "dispatching",
        "failed",
        "failures",
        "in_flight",
        "leaders",
        "lost",
        "out_of_time",
        "pace",
        "plan",
        "ready",
        "state",
        "states",
        "then",
        "waits_for",
    )

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = DispatchState.NEW_OBJECT
        self.states = [NodeState.COMPLETED if p else NodeState.NEW_OBJECT for p in plan.is_parameter]
        self.attempts = [0] * len(plan.names)
        self.waits_for = list(plan.waits_for)
        self.in_flight = 0
        self.ready = 0
        self.dispatching = 0
        self.failed: set[int] = set()
        self.cancelled: set[int] = set()  # asked to, not yet necessarily so
        self.cancel_all = False
        self.out_of_time: set[int] = set()
        self.failures: dict[int, int] = {}  # these two count since the last restart: a restart renews the retries
        self.lost: dict[int, int] = {}
        self.then: dict[int, list[int]] = {}  # of a node in flight: the later steps of its job, the next one last
        self.carried: set[int] = set()  # all these steps
        self.pace: dict[int, float] = {}  # of a function: the seconds its next call is expected to take
        self.leaders: dict[int, dict[int, None]] = {}  # of a group: its ready nodes that lead to others of it

    def is_cancelled(self, node: int) -> bool:
        return self.cancel_all or node in self.cancelled

    def count_in(self, node: int) -> None:
        """A node is ready now."""
        self.ready += 1
        if self.plan.leads[node]:
            self.leaders.setdefault(self.plan.group[node], {})[node] = None

    def count_out(self, node: int) -> None:
        """A node does not wait in its lane any longer."""
        self.ready -= 1
        if self.plan.leads[node]:
            del self.leaders[self.plan.group[node]][node]

    def load(self, node: int, steps: list[int]) -> None:
        """Give the job of a node later steps, in order."""
        if steps:
            self.then[node] = steps[::-1]
            self.carried.update(steps)

    def next_step(self, node: int) -> int | None:
        """Hand a node's job over to its next step; returns that, if there is one."""
        steps = self.then.pop(node, None)
        if steps is None:
            return None
        following = steps.pop()
        self.carried.discard(following)
        if steps:
            self.then[following] = steps
        return following

    def unload(self, node: int) -> list[int]:
        """Take the later steps off the job of a node; returns them, in order."""
        steps = self.then.pop(node, [])[::-1]
        self.carried.difference_update(steps)
        return steps

    def may_have_been_step(self, node: int) -> bool:
        """Whether a node that was not begun could be known to an executor, from a job that was given up."""
        can_be = self.plan.group[node] >= 0 or self.plan.kin[node] >= 0
        return self.attempts[node] == 0 and can_be and node not in self.carried

    def clock(self, node: int, duration_s: float) -> None:
        """Note how long a node's task took: longer than expected counts at once, shorter by and by."""
        function = self.plan.function[node]
        self.pace[function] = max(duration_s, (self.pace.get(function, duration_s) + duration_s) / 2)

    def chain(self, node: int) -> list[int]:
        """The nodes that follow this one in single file, while they are short: nothing else could run beside them.

        Long ones gain nothing, and as steps of one job would keep other dispatches, and cancels, from their turn.
        """
        plan, steps, missing = self.plan, list[int](), dict[int, int]()
        kin, left_s = plan.kin[node], CHAIN_S - self._expected_s(node)
        while kin >= 0 and left_s > 0 and len(steps) < MAX_CHAIN:
            released = []
            for target in plan.successors[node]:
                missing[target] = missing.get(target, self.waits_for[target]) - 1
                if missing[target] == 0 and (plan.passes_on[target] < 0 or plan.successors[target]):
                    released.append(target)
            if len(released) != 1 or plan.kin[released[0]] != kin or self.is_cancelled(released[0]):
                break
            (node,) = released
            left_s -= self._expected_s(node)
            if left_s > 0:
                steps.append(node)
        return steps

    def _expected_s(self, node: int) -> float:
        return self.pace.get(self.plan.function[node], CHAIN_S)

    def check_steps(self, queued: Collection[int]) -> None:
        """Raise AssertionError if the books about jobs with several steps do not balance."""
        plan, states = self.plan, self.states
        assert self.carried == {n for steps in self.then.values() for n in steps}
        assert len(self.carried) == sum(map(len, self.then.values()))
        assert self.carried.isdisjoint(queued)
        for node, steps in self.then.items():
            assert steps
            assert states[node] in (NodeState.STARTING, NodeState.RUNNING)
            before = [node]
            for later in reversed(steps):
                assert states[later] is NodeState.NEW_OBJECT
                assert (plan.group[later], plan.policy[later]) == (plan.group[node], plan.policy[node])
                known = sum(plan.successors[n].count(later) for n in before)
                assert known == self.waits_for[later], f"step {later} waits for what is not in its job"
                before.append(later)
        assert {n for nodes in self.leaders.values() for n in nodes} == {n for n in queued if plan.leads[n]}
        if self.state is DispatchState.RUNNING:
            ready = {n for n, waits in enumerate(self.waits_for) if not waits and states[n] is NodeState.NEW_OBJECT}
            assert ready == {*queued, *(n for n in self.carried if not self.waits_for[n])}, "a ready node waits nowhere"


class Lane:
    """Ready nodes of one executor: a queue per dispatch, taken in turn."""

    __slots__ = ("in_flight", "limit", "queues", "turn")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self.queues: dict[DispatchId, OrderedDict[int, None]] = {}
        self.turn: deque[DispatchId] = deque()

    def push(self, dispatch_id: DispatchId, node: int) -> None:
        queue = self.queues.get(dispatch_id)
        if queue is None:
            queue = self.queues[dispatch_id] = OrderedDict()
            self.turn.append(dispatch_id)
        queue[node] = None

    def pop(self) -> tuple[DispatchId, int] | None:
        if not self.turn:
            return None
        dispatch_id = self.turn[0]
        queue = self.queues[dispatch_id]
        node, _ = queue.popitem(last=False)
        self.turn.popleft()
        if queue:
            self.turn.append(dispatch_id)
        else:
            del self.queues[dispatch_id]
        return dispatch_id, node

    def drop(self, dispatch_id: DispatchId, nodes: Collection[int] | None) -> list[int]:
        """Take nodes (None: all) of a dispatch out of the queue; returns those that were in it."""
        queue = self.queues.get(dispatch_id)
        if queue is None:
            return []
        dropped = list(queue) if nodes is None else [n for n in nodes if n in queue]
        for node in dropped:
            del queue[node]
        if not queue:
            del self.queues[dispatch_id]
            self.turn.remove(dispatch_id)
        return dropped
