"""What the scheduler writes down: one book a dispatch, one queue an executor. It decides nothing."""

from collections import deque

from covalent_lab.ids import DispatchId
from covalent_lab.scheduler.plan import Plan
from covalent_lab.scheduler.states import DispatchState, NodeState

__all__ = ["Lane", "Run"]


class Run:
    """What is known of one unfinished dispatch."""

    __slots__ = (
        "attempts",
        "cancel_all",
        "cancelled",
        "dispatching",
        "failed",
        "failures",
        "in_flight",
        "lost",
        "out_of_time",
        "plan",
        "ready",
        "state",
        "states",
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

    def is_cancelled(self, node: int) -> bool:
        return self.cancel_all or node in self.cancelled


class Lane:
    """Ready nodes of one executor: a queue per dispatch, taken in turn."""

    __slots__ = ("in_flight", "limit", "queues", "turn")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self.queues: dict[DispatchId, deque[int]] = {}
        self.turn: deque[DispatchId] = deque()

    def push(self, dispatch_id: DispatchId, node: int) -> None:
        queue = self.queues.get(dispatch_id)
        if queue is None:
            queue = self.queues[dispatch_id] = deque()
            self.turn.append(dispatch_id)
        queue.append(node)

    def pop(self) -> tuple[DispatchId, int] | None:
        if not self.turn:
            return None
        dispatch_id = self.turn[0]
        queue = self.queues[dispatch_id]
        node = queue.popleft()
        self.turn.popleft()
        if queue:
            self.turn.append(dispatch_id)
        else:
            del self.queues[dispatch_id]
        return dispatch_id, node

    def drop(self, dispatch_id: DispatchId, nodes: set[int] | None) -> list[int]:
        """Take nodes (None: all) of a dispatch out of the queue."""
        queue = self.queues.get(dispatch_id)
        if queue is None:
            return []
        dropped = [n for n in queue if nodes is None or n in nodes]
        kept = deque(n for n in queue if not (nodes is None or n in nodes))
        if kept:
            self.queues[dispatch_id] = kept
        else:
            del self.queues[dispatch_id]
            self.turn.remove(dispatch_id)
        return dropped
