"""Records ↔ rows of the tables."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab.ids import PayloadRef
from covalent_lab.store.base import DispatchRecord, DispatchUpdate, NewDispatch, NodeRecord, NodeUpdate, PayloadRow
from covalent_lab.transitions import FeedRecord

__all__ = [
    "dispatch_record",
    "dispatch_row",
    "dispatch_update_row",
    "mark_row",
    "node_record",
    "node_row",
    "payload_row",
    "transition_row",
]


def dispatch_row(new: NewDispatch) -> dict[str, Any]:
    """A new dispatch as it is inserted."""
    return {
        "id": new.dispatch_id,
        "root_id": new.root_dispatch_id,
        "name": new.name,
        "state": "NEW_OBJECT",
        "created_at": new.created_at,
        "total": new.total,
        "inputs_digest": new.inputs and new.inputs.digest,
        "inputs_size": new.inputs and new.inputs.size,
        "lattice_digest": new.lattice and new.lattice.digest,
        "lattice_size": new.lattice and new.lattice.size,
        "autostart": new.autostart,
        "owner": new.owner,
        "lease_until": new.lease_until,
        "metadata": json.dumps(new.metadata),
        "client": json.dumps(new.client),
        "doc": new.doc,
        "source": new.source,
        "graph": new.graph,
        "parent_id": new.parent_id,
        "parent_node": new.parent_node,
        "redispatched_from": new.redispatched_from,
    }


def dispatch_update_row(update: DispatchUpdate) -> dict[str, Any]:
    """The parameters that bring a dispatch up to date."""
    return {
        "d": update.dispatch_id,
        "state": update.state,
        "error": update.error,
        "started_at": update.started_at,
        "ended_at": update.ended_at,
        "completed": update.completed,
        "failed": update.failed,
        "cancelled": update.cancelled,
        "result_digest": update.result and update.result.digest,
        "result_size": update.result and update.result.size,
        "cancel_requested": update.cancel_requested,
    }


def node_row(update: NodeUpdate) -> dict[str, Any]:
    """The newest state of a node as it is written."""
    return {
        "dispatch_id": update.dispatch_id,
        "node_id": update.node_id,
        "state": update.state,
        "attempt": update.attempt,
        "started_at": update.started_at,
        "ended_at": update.ended_at,
        "error": update.error,
        "handle": "",
        "output_digest": update.output and update.output.digest,
        "output_size": update.output and update.output.size,
        "stdout": update.stdout or None,
        "stderr": update.stderr or None,
        "traceback": update.traceback or None,
    }


def payload_row(payload: PayloadRow) -> dict[str, Any]:
    """A payload, or the note that it lies in a file."""
    ref = payload.ref
    return {"dispatch_id": payload.dispatch_id, "digest": ref.digest, "size": ref.size, "data": payload.data}


def transition_row(seq: int, record: FeedRecord) -> dict[str, Any]:
    """A transition with its number."""
    return {
        "seq": seq,
        "dispatch_id": record.dispatch_id,
        "node_id": record.node_id,
        "status": record.status,
        "attempt": record.attempt,
        "at": record.at,
        "error": record.error,
        "extra": None if record.extra is None else json.dumps(record.extra),
    }


def mark_row(update: NodeUpdate) -> dict[str, Any]:
    """The parameters that say what a node became, or whose output it took over."""
    return {
        "d": update.dispatch_id,
        "n": update.node_id,
        "sub_dispatch_id": update.sub_dispatch_id,
        "reused_from": update.reused_from,
        "digest": update.output and update.output.digest,
        "size": update.output and update.output.size,
        "out": update.stdout or None,
        "err": update.stderr or None,
    }


def _ref(digest: str | None, size: int | None) -> PayloadRef | None:
    return None if digest is None or size is None else PayloadRef(digest, size)


def node_record(row: Sequence[Any]) -> NodeRecord:
    """A row of the columns that `SqlStore.nodes` selects."""
    return NodeRecord(
        node_id=row[0],
        state=row[1],
        attempt=row[2],
        started_at=row[3],
        ended_at=row[4],
        error=row[5],
        output=_ref(row[6], row[7]),
        has_stdout=bool(row[8]),
        has_stderr=bool(row[9]),
        handle=row[10],
        sub_dispatch_id=row[11],
        reused_from=row[12],
    )


def dispatch_record(row: Mapping[Any, Any], seq: int) -> DispatchRecord:
    """A row of the dispatch table, with or without its heavy columns."""
    return DispatchRecord(
        dispatch_id=row["id"],
        root_dispatch_id=row["root_id"],
        name=row["name"],
        doc=row.get("doc", ""),
        source=row.get("source", ""),
        state=row["state"],
        error=row["error"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        total=row["total"],
        completed=row["completed"],
        failed=row["failed"],
        cancelled=row["cancelled"],
        inputs=_ref(row["inputs_digest"], row["inputs_size"]),
        lattice=_ref(row["lattice_digest"], row["lattice_size"]),
        result=_ref(row["result_digest"], row["result_size"]),
        metadata=json.loads(row["metadata"]),
        client=json.loads(row["client"]),
        autostart=row["autostart"],
        owner=row["owner"],
        cancel_requested=row["cancel_requested"],
        seq=seq,
        parent_id=row["parent_id"],
        parent_node=row["parent_node"],
        redispatched_from=row["redispatched_from"],
    )
