"""Everything that can happen, in the past tense. Times (`at`) are POSIX seconds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.plan import Plan
from covalent_lab.scheduler.states import DispatchState, NodeState

__all__ = [
    "CancelRequested",
    "DispatchRestored",
    "DispatchStarted",
    "DispatchSubmitted",
    "DispatchWithdrawn",
    "Event",
    "NodeBuilt",
    "NodeCancelled",
    "NodeEnded",
    "NodeFailed",
    "NodeLost",
    "NodeStarted",
    "NodeSucceeded",
    "SublatticeEnded",
    "TimeLimitElapsed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSubmitted:
    """A new dispatch was accepted; it runs after `DispatchStarted`.

    Attributes:
        reused: Nodes that will take over an outcome instead of running; with a node, all that it depends on.
    """

    dispatch_id: DispatchId
    plan: Plan
    at: float
    reused: Collection[NodeId] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchStarted:
    """Its owner asked for it to run."""

    dispatch_id: DispatchId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchWithdrawn:
    """A dispatch could not be recorded: it is as if it had never been submitted. Nothing of it was carried out."""

    dispatch_id: DispatchId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRestored:
    """A dispatch was found unfinished in the store.

    Attributes:
        state: Its last recorded state.
        nodes: State and attempt of every node that is not NEW_OBJECT. STARTING and RUNNING ones are being watched
            again: their end will be told. For DISPATCHING ones that is asked for anew.
        cancel_all: Whether a cancel of the whole dispatch was requested.
        cancelled: Nodes whose cancel was requested.
    """

    dispatch_id: DispatchId
    plan: Plan
    state: DispatchState
    nodes: Mapping[NodeId, tuple[NodeState, int]]
    at: float
    cancel_all: bool = False
    cancelled: frozenset[NodeId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted:
    """A job began to run."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSucceeded:
    """A job returned. `started_at` is the job's own account, in case its start was not told."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float
    output: PayloadRef | None = None
    started_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBuilt:
    """A job returned a workflow, whose end will be the node's. `output` is what the workflow can be made of."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float
    output: PayloadRef
    started_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SublatticeEnded:
    """The dispatch that a node became is over, or (FAILED) could not be made. `output` comes with COMPLETED only."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float
    state: DispatchState
    output: PayloadRef | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFailed:
    """A job failed, or could not be run."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float
    message: str
    started_at: float | None = None
    may_retry: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCancelled:
    """A job was stopped on request."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float
    started_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLost:
    """A job is gone without an outcome, as after a restart of its machine."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float
    started_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimitElapsed:
    """The timer asked for by `StartTimer` ran out."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """Somebody asked to stop some nodes, or (None) the whole dispatch."""

    dispatch_id: DispatchId
    node_ids: frozenset[NodeId] | None
    at: float


NodeEnded = NodeSucceeded | NodeBuilt | NodeFailed | NodeCancelled | NodeLost

Event = (
    DispatchSubmitted
    | DispatchStarted
    | DispatchWithdrawn
    | DispatchRestored
    | NodeStarted
    | NodeEnded
    | SublatticeEnded
    | TimeLimitElapsed
    | CancelRequested
)
