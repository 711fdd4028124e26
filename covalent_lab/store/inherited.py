"""What a new dispatch takes over from the one it repeats, copied inside the transaction that creates it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives

from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.store import schema
from covalent_lab.store.base import NewDispatch

__all__ = ["take_over"]

_T = TypeVar("_T")
_CHUNK = 500


def take_over(connection: sa.Connection, insert: Callable[[sa.Table], Any], new: NewDispatch) -> None:
    """Copy payloads and nodes; a large payload is a row without bytes, so its file is shared.

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
        connection.execute(add_payload.from_select(list(values), found))
        _check_count(connection, new, payload, chosen, len(digests))
    for nodes in _chunks(sorted(new.reused)):
        chosen = node.c.node_id.in_(nodes)
        values = {
            "dispatch_id": sa.literal(new.dispatch_id),
            "state": sa.literal("PENDING_REUSE"),
            "attempt": sa.literal(0),
            "error": sa.literal(""),
            "handle": sa.literal(""),
            "reused_from": sa.literal(f"{source}:") + sa.cast(node.c.node_id, sa.String),
            **{n: node.c[n] for n in ("node_id", "output_digest", "output_size", "stdout", "stderr")},
        }
        found = sa.select(*values.values()).where(node.c.dispatch_id == source, node.c.state == "COMPLETED", chosen)
        connection.execute(sa.insert(node).from_select(list(values), found))
        _check_count(connection, new, node, chosen, len(nodes))


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Parts that fit into one statement's parameters."""
    for begin in range(0, len(items), _CHUNK):
        yield items[begin : begin + _CHUNK]


def _check_count(connection: sa.Connection, new: NewDispatch, table: sa.Table, chosen: Any, due: int) -> None:
    query = sa.select(sa.func.count()).select_from(table).where(table.c.dispatch_id == new.dispatch_id, chosen)
    if connection.execute(query).scalar_one() != due:
        raise MissingLatticeRecordError(str(new.redispatched_from))
