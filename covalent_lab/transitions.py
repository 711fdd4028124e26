"""A committed change of state, as the store keeps it and the feed publishes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from covalent_lab.ids import DispatchId, NodeId

__all__ = ["FeedRecord"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRecord:
    """A committed change of state. `seq` is 0 until it is committed; `extra` goes with the first of a dispatch."""

    seq: int = 0
    dispatch_id: DispatchId
    node_id: NodeId | None
    status: str
    at: float
    attempt: int = 0
    error: str = ""
    extra: Mapping[str, Any] | None = None

    def numbered(self, seq: int) -> "FeedRecord":
        """The same, with the number it was committed under."""
        return FeedRecord(
            seq=seq,
            dispatch_id=self.dispatch_id,
            node_id=self.node_id,
            status=self.status,
            at=self.at,
            attempt=self.attempt,
            error=self.error,
            extra=self.extra,
        )
