"""Everything that can be asked for, in the imperative; and the transitions that are recorded first."""

from dataclasses import dataclass, field

from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.states import DispatchState, NodeState

__all__ = [
    "CancelNode",
    "CancelSublattice",
    "Command",
    "DispatchSublattice",
    "DispatchTransition",
    "NodeTransition",
    "StartTimer",
    "Step",
    "SubmitNode",
    "Transition",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitNode:
    """Give this attempt to the node's executor.

    Attributes:
        then: Nodes that the same job runs afterwards, in this order, each in its first attempt. They stay NEW_OBJECT
            until the one before has completed; if it does not, they do not run.
    """

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    then: tuple[NodeId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelNode:
    """Stop this attempt, or a later step of a job before its turn; its end comes back as an event."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Say `TimeLimitElapsed` for this attempt after so many seconds."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSublattice:
    """Let the workflow that this attempt built be a dispatch, unless it is one already; its end comes as an event."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSublattice:
    """Stop the dispatch that this attempt became, if it became one; its end comes as an event."""

    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int


Command = SubmitNode | CancelNode | StartTimer | DispatchSublattice | CancelSublattice


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTransition:
    """A node changed state.

    Attributes:
        attempt: The attempt the state belongs to; 0 if it never was submitted.
        output: Of a node that completed by running; of one that is DISPATCHING what it built.
        passes_on: Of a node that completed by handing on another node's output: that node; else None.
        error: One line, for FAILED, and for a STARTING that is a new attempt: why the last one ended.
        started_at: When the attempt began to run, where this transition tells it; of a STARTING that is a new attempt:
            when the last one did.
        is_reused: Whether it completed by taking over an outcome, without an attempt.
    """

    dispatch_id: DispatchId
    node_id: NodeId
    state: NodeState
    attempt: int
    at: float
    output: PayloadRef | None = None
    passes_on: NodeId | None = None
    error: str = ""
    started_at: float | None = None
    is_reused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchTransition:
    """A dispatch changed state."""

    dispatch_id: DispatchId
    state: DispatchState
    at: float
    error: str = ""


Transition = NodeTransition | DispatchTransition


@dataclass(slots=True)
class Step:
    """The answer to an event: what to record, then what to do.

    Attributes:
        transitions: In the order in which they happened.
        commands: To be carried out once the transitions are recorded.
        cancels: Requests to cancel that have to survive a restart; None means the whole dispatch.
    """

    transitions: list[Transition] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    cancels: list[tuple[DispatchId, frozenset[NodeId] | None]] = field(default_factory=list)
