"""Names of things: identifiers that travel through every stage.

Each is its own type for the type checker and a plain string or integer at run time.
"""

from typing import NamedTuple, NewType

__all__ = ["AttemptId", "DispatchId", "NodeId", "PayloadRef", "attempt_id", "split_attempt"]

DispatchId = NewType("DispatchId", str)
NodeId = NewType("NodeId", int)
AttemptId = NewType("AttemptId", str)


class PayloadRef(NamedTuple):
    """Where a serialised value can be found: the digest of its bytes, and how many there are.

    Attributes:
        digest: The first 40 hexadecimal digits of the SHA-256 of the archive.
        size: Length of the archive in bytes.
    """

    digest: str
    size: int


def attempt_id(dispatch_id: DispatchId, node_id: NodeId, attempt: int) -> AttemptId:
    """Name one try at one node; backends that can, use it to recognise a repeated submission."""
    return AttemptId(f"{dispatch_id}:{node_id}:{attempt}")


def split_attempt(attempt: AttemptId) -> tuple[DispatchId, NodeId, int]:
    """Dispatch, node and number of an attempt."""
    dispatch_id, node_id, number = attempt.rsplit(":", 2)
    return DispatchId(dispatch_id), NodeId(int(node_id)), int(number)
