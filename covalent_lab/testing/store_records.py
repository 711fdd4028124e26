"""Short ways to write what goes into a store and what must come out, for its tests."""

from typing import Any

from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.store.base import DispatchUpdate, NewDispatch, NodeRecord, NodeUpdate, PayloadRow
from covalent_lab.transitions import FeedRecord

__all__ = [
    "LARGE",
    "SMALL",
    "A",
    "B",
    "C",
    "dispatch_update",
    "moved",
    "new_dispatch",
    "node_record",
    "node_update",
    "payload_row",
]

A = DispatchId("aaaa")
B = DispatchId("bbbb")
C = DispatchId("cccc")
SMALL = PayloadRef("5" * 40, 5)
LARGE = PayloadRef("1" * 40, 100_000)


def new_dispatch(dispatch_id: DispatchId = A, **changes: Any) -> NewDispatch:
    """A dispatch as submitted; any field can be changed."""
    fields: dict[str, Any] = {
        "dispatch_id": dispatch_id,
        "root_dispatch_id": dispatch_id,
        "name": "sweep",
        "doc": "What it does.",
        "source": "def sweep(): …",
        "graph": b'{"version": 1, "name": "\xc3\xa9"}',
        "total": 3,
        "inputs": None,
        "lattice": None,
        "metadata": {"executor": "local", "hooks": {}},
        "client": {"python_version": "3.11.4"},
        "created_at": 10.0,
        "autostart": True,
        "payloads": (),
        "owner": "me",
        "lease_until": 100.0,
    }
    return NewDispatch(**(fields | changes))


def dispatch_update(dispatch_id: DispatchId = A, state: str = "RUNNING", **changes: Any) -> DispatchUpdate:
    """The newest state of a dispatch; any field can be changed."""
    fields: dict[str, Any] = {
        "dispatch_id": dispatch_id,
        "state": state,
        "started_at": None,
        "ended_at": None,
        "error": "",
        "completed": 0,
        "failed": 0,
        "cancelled": 0,
    }
    return DispatchUpdate(**(fields | changes))


def node_update(node: int, state: str, attempt: int = 1, dispatch_id: DispatchId = A, **changes: Any) -> NodeUpdate:
    """The newest state of a node; any field can be changed."""
    return NodeUpdate(dispatch_id=dispatch_id, node_id=NodeId(node), state=state, attempt=attempt, **changes)


def moved(node: int | None, status: str, dispatch_id: DispatchId = A, **changes: Any) -> FeedRecord:
    """A transition; any field can be changed."""
    node_id = None if node is None else NodeId(node)
    return FeedRecord(**({"dispatch_id": dispatch_id, "node_id": node_id, "status": status, "at": 20.0} | changes))


def node_record(node: int, state: str, attempt: int = 1, **changes: Any) -> NodeRecord:
    """A node as it must come out."""
    fields: dict[str, Any] = {
        "node_id": NodeId(node),
        "state": state,
        "attempt": attempt,
        "started_at": None,
        "ended_at": None,
        "error": "",
        "output": None,
        "has_stdout": False,
        "has_stderr": False,
    }
    return NodeRecord(**(fields | changes))


def payload_row(ref: PayloadRef, data: bytes | None, dispatch_id: DispatchId = A) -> PayloadRow:
    """A payload of a dispatch."""
    return PayloadRow(dispatch_id=dispatch_id, ref=ref, data=data)
