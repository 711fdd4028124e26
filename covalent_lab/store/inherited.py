"""What a new dispatch takes over from the one it repeats, copied inside the transaction that creates it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives

from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.ids import NodeId
from covalent_lab.store import schema
from covalent_lab.store.base import Batch, NewDispatch, NodeUpdate

__all__ = ["take_over"]

_T = TypeVar("_T")
_CHUNK = 500


def take_over(connection: sa.Connection, insert: Callable[[sa.Table], Any], new: NewDispatch, batch: Batch) -> Batch:
    """Copy payloads and nodes; a large payload is a row without bytes, so its file is shared.

    Args:
        connection: In a transaction.
        insert: The dialect's insert, which can be told what to do in a conflict.
        new: What is created.
        batch: What is recorded of it at once.

    Returns:
        What is left of the batch: nodes that are complete with what they take over are recorded by their copy.

    Raises:
        MissingLatticeRecordError: Something is not there any more.
    """
    payload, node, source = schema.payload, schema.node, new.redispatched_from
    add_payload = insert(payload).on_conflict_do_nothing(index_elements=["dispatch_id", "digest"])
    for digests in _chunks(sorted({*new.copied, *(ref.digest for ref in new.reused.values())})):
        chosen = payload.c.digest.in_(digests)
        values: dict[str, Any] = {
            "dispatch_id": sa.literal(new.dispatch_id),
            **{n: payload.c[n] for n in ("digest", "size", "data")},
        }
        found = sa.select(*values.values()).where(payload.c.dispatch_id == source, chosen)
        _copy(connection, new, add_payload.from_select(list(values), found), payload, chosen, len(digests))
    complete = {u.node_id: u for u in batch.nodes if _is_copied(new, u)}
    copied: dict[tuple[Any, ...], list[NodeId]] = {}
    for node_id in sorted(new.reused):
        update = complete.get(node_id)
        entered = ("PENDING_REUSE", 0, None, None) if update is None else _entered(update)
        copied.setdefault(entered, []).append(node_id)
    for (state, attempt, started_at, ended_at), node_ids in copied.items():
        for nodes in _chunks(node_ids):
            chosen = node.c.node_id.in_(nodes)
            values = {
                "dispatch_id": sa.literal(new.dispatch_id),
                "state": sa.literal(state),
                "attempt": sa.literal(attempt),
                "started_at": sa.literal(started_at, sa.Float),
                "ended_at": sa.literal(ended_at, sa.Float),
                "error": sa.literal(""),
                "handle": sa.literal(""),
                "reused_from": sa.literal(f"{source}:") + sa.cast(node.c.node_id, sa.String),
                **{n: node.c[n] for n in ("node_id", "output_digest", "output_size", "stdout", "stderr")},
            }
            found = sa.select(*values.values()).where(node.c.dispatch_id == source, node.c.state == "COMPLETED", chosen)
            _copy(connection, new, sa.insert(node).from_select(list(values), found), node, chosen, len(nodes))
    return replace(batch, nodes=[u for u in batch.nodes if u.node_id not in complete]) if complete else batch


def _is_copied(new: NewDispatch, update: NodeUpdate) -> bool:
    """Whether a node is complete with nothing but what it takes over."""
    return (
        update.dispatch_id == new.dispatch_id
        and update.state == "COMPLETED"
        and update.reused_from == f"{new.redispatched_from}:{update.node_id}"
        and update.output is not None
        and update.output == new.reused.get(update.node_id)
        and not (update.stdout or update.stderr or update.error)
    )


def _entered(update: NodeUpdate) -> tuple[Any, ...]:
    return update.state, update.attempt, update.started_at, update.ended_at


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Parts that fit into one statement's parameters."""
    for begin in range(0, len(items), _CHUNK):
        yield items[begin : begin + _CHUNK]


def _copy(connection: sa.Connection, new: NewDispatch, statement: Any, table: sa.Table, chosen: Any, due: int) -> None:
    """Insert rows; those that were there already are counted too, but only where the database added fewer."""
    if connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount == due:
        return
    query = sa.select(sa.func.count()).select_from(table).where(table.c.dispatch_id == new.dispatch_id, chosen)
    if connection.execute(query).scalar_one() != due:
        raise MissingLatticeRecordError(str(new.redispatched_from))
