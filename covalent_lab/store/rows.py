"""Records ↔ rows of the tables. What is written with every tick is in the order of the parameters in `prepared.py`."""

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
    "ended_row",
    "entered_row",
    "feed_record",
    "mark_row",
    "node_record",
    "payload_row",
    "transition_row",
]


Row = tuple[Any, ...]
_NONE = (None, None)


def dispatch_row(new: NewDispatch, update: DispatchUpdate | None) -> Row:
    """A new dispatch, with what has become of it already; in the order of the table, without its key."""
    now = update or DispatchUpdate(
        dispatch_id=new.dispatch_id, state="NEW_OBJECT", error="", started_at=None, ended_at=None, completed=0,
        failed=0, cancelled=0,
    )  # fmt: skip
    return (
        new.dispatch_id, new.root_dispatch_id, new.name, now.state, now.error, new.created_at, now.started_at,
        now.ended_at, new.total, now.completed, now.failed, now.cancelled, *(new.inputs or _NONE),
        *(new.lattice or _NONE), *(now.result or _NONE), new.autostart, now.cancel_requested or "", new.owner,
        new.lease_until, json.dumps(new.metadata), json.dumps(new.client), new.doc, new.source, new.parent_id,
        new.parent_node, new.redispatched_from,
    )  # fmt: skip


def dispatch_update_row(update: DispatchUpdate) -> Row:
    """The parameters that bring a dispatch up to date."""
    digest, size = update.result or (None, None)
    return (
        update.dispatch_id, update.state, update.error, update.started_at, update.ended_at, update.completed,
        update.failed, update.cancelled, digest, size, update.cancel_requested,
    )  # fmt: skip


def entered_row(update: NodeUpdate) -> Row:
    """The newest state of a node that has not ended."""
    return (
        update.dispatch_id, update.node_id, update.state, update.attempt, update.started_at, update.ended_at,
        update.error, "",
    )  # fmt: skip


def ended_row(update: NodeUpdate) -> Row:
    """The state of a node that has ended, and what it left behind."""
    digest, size = update.output or (None, None)
    usage = None if update.usage is None else json.dumps(update.usage)
    left = (digest, size, update.stdout or None, update.stderr or None, update.traceback or None, usage)
    return (*entered_row(update), *left)


def payload_row(payload: PayloadRow) -> Row:
    """A payload, or the note that it lies in a file."""
    return (payload.dispatch_id, *payload.ref, payload.data)


def transition_row(seq: int, record: FeedRecord) -> Row:
    """A transition with its number."""
    extra = None if record.extra is None else json.dumps(record.extra)
    return (seq, record.dispatch_id, record.node_id, record.status, record.attempt, record.at, record.error, extra)


def mark_row(update: NodeUpdate) -> Row:
    """The parameters that say what a node became, or whose output it took over."""
    digest, size = update.output or (None, None)
    out, err = update.stdout or None, update.stderr or None
    return (update.dispatch_id, update.node_id, update.sub_dispatch_id, update.reused_from, digest, size, out, err)


def _ref(digest: str | None, size: int | None) -> PayloadRef | None:
    return None if digest is None or size is None else PayloadRef(digest, size)


def feed_record(row: Mapping[Any, Any]) -> FeedRecord:
    """A row of the table of transitions."""
    return FeedRecord(
        seq=row["seq"],
        dispatch_id=row["dispatch_id"],
        node_id=row["node_id"],
        status=row["status"],
        at=row["at"],
        attempt=row["attempt"],
        error=row["error"],
        extra=None if row["extra"] is None else json.loads(row["extra"]),
    )


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
        usage=row[13] and json.loads(row[13]),
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
