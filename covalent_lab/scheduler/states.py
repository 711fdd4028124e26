"""States of nodes and dispatches, and which may follow which.

The names are those users see. STARTING of a node means: handed to the executor, which has not begun it yet.
DISPATCHING means: it became a dispatch of its own, whose end will be its end.
"""

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["DISPATCH_SUCCESSORS", "NODE_SUCCESSORS", "DispatchState", "NodeState"]


class NodeState(StrEnum):
    """Where a node stands."""

    NEW_OBJECT = "NEW_OBJECT"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    DISPATCHING = "DISPATCHING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """True once nothing can follow."""
        return not NODE_SUCCESSORS[self]


class DispatchState(StrEnum):
    """Where a dispatch stands."""

    NEW_OBJECT = "NEW_OBJECT"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """True once nothing can follow."""
        return not DISPATCH_SUCCESSORS[self]


_N = NodeState
_D = DispatchState

# STARTING may follow STARTING or RUNNING: that is the next attempt.
NODE_SUCCESSORS: Mapping[NodeState, frozenset[NodeState]] = {
    _N.NEW_OBJECT: frozenset({_N.STARTING, _N.COMPLETED, _N.CANCELLED}),
    _N.STARTING: frozenset({_N.STARTING, _N.RUNNING, _N.DISPATCHING, _N.COMPLETED, _N.FAILED, _N.CANCELLED}),
    _N.RUNNING: frozenset({_N.STARTING, _N.DISPATCHING, _N.COMPLETED, _N.FAILED, _N.CANCELLED}),
    _N.DISPATCHING: frozenset({_N.COMPLETED, _N.FAILED, _N.CANCELLED}),
    _N.COMPLETED: frozenset(),
    _N.FAILED: frozenset(),
    _N.CANCELLED: frozenset(),
}

DISPATCH_SUCCESSORS: Mapping[DispatchState, frozenset[DispatchState]] = {
    _D.NEW_OBJECT: frozenset({_D.STARTING, _D.CANCELLED}),
    _D.STARTING: frozenset({_D.RUNNING, _D.COMPLETED, _D.FAILED, _D.CANCELLED}),
    _D.RUNNING: frozenset({_D.COMPLETED, _D.FAILED, _D.CANCELLED}),
    _D.COMPLETED: frozenset(),
    _D.FAILED: frozenset(),
    _D.CANCELLED: frozenset(),
}
