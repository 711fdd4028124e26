"""The cache of results, in SQL: what `SqlStore` does inside its transactions.

A kept result holds on to its payload by a row of its own in `payload`, so it outlives the dispatch that computed it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives

from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.store import schema
from covalent_lab.store.base import Batch, CachedResult, PayloadRow
from covalent_lab.store.schema import CACHE_OWNER

__all__ = ["count_hits", "files_of_nobody_else", "find", "keep", "list_kept", "pins", "purge"]

_KEPT = schema.cached_result
_REPLACED = ("dispatch_id", "node_id", "name", "digest", "size", "used_at")


def keep(connection: sa.Connection, insert: Any, results: Sequence[CachedResult]) -> None:
    """Keep results; one with a known key takes the older one's place."""
    statement = insert(_KEPT)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"], set_={name: statement.excluded[name] for name in _REPLACED}
        ),
        [
            {
                "key": r.key,
                "dispatch_id": r.dispatch_id,
                "node_id": r.node_id,
                "name": r.name,
                "digest": r.ref.digest,
                "size": r.ref.size,
                "created_at": r.created_at,
                "used_at": r.used_at,
            }
            for r in results
        ],
    )


def pins(batch: Batch) -> Sequence[PayloadRow]:
    """The rows by which kept results of a batch hold on to their payloads."""
    data = {row.ref.digest: row.data for row in batch.payloads}
    return [PayloadRow(dispatch_id=CACHE_OWNER, ref=r.ref, data=data[r.ref.digest]) for r in batch.cached]


def count_hits(connection: sa.Connection, hits: Sequence[tuple[str, float]]) -> None:
    """Note that results were taken over."""
    connection.execute(
        sa.update(_KEPT)
        .where(_KEPT.c.key == sa.bindparam("k"))
        .values(hits=_KEPT.c.hits + 1, used_at=sa.bindparam("at")),
        [{"k": key, "at": at} for key, at in hits],
    )


def find(connection: sa.Connection, key: str) -> CachedResult | None:
    """The result of a key."""
    row = connection.execute(sa.select(_KEPT).where(_KEPT.c.key == key)).mappings().first()
    return None if row is None else _result(row)


def list_kept(connection: sa.Connection, search: str, offset: int, count: int) -> tuple[Sequence[CachedResult], int]:
    """Part of the list, last used first, and how many match."""
    wanted = _KEPT.c.name.icontains(search, autoescape=True)
    total = connection.execute(sa.select(sa.func.count()).select_from(_KEPT).where(wanted)).scalar_one()
    query = sa.select(_KEPT).where(wanted).order_by(_KEPT.c.used_at.desc(), _KEPT.c.key).offset(offset).limit(count)
    return [_result(row) for row in connection.execute(query).mappings()], int(total)


def purge(
    connection: sa.Connection, keys: Collection[str] | None, used_before: float | None
) -> tuple[int, Sequence[str]]:
    """Drop results; returns how many, and the payload files that nobody needs any more."""
    statement = sa.delete(_KEPT)
    if keys is not None:
        statement = statement.where(_KEPT.c.key.in_(list(keys)))
    if used_before is not None:
        statement = statement.where(_KEPT.c.used_at < used_before)
    dropped = connection.execute(statement).rowcount
    still_kept = sa.select(_KEPT.c.digest)

    def unpinned(payload: Any) -> Any:
        return sa.and_(payload.c.dispatch_id == CACHE_OWNER, payload.c.digest.not_in(still_kept))

    orphans = files_of_nobody_else(connection, unpinned)
    connection.execute(sa.delete(schema.payload).where(unpinned(schema.payload)))
    return dropped, orphans


def files_of_nobody_else(connection: sa.Connection, going: Callable[[Any], Any]) -> Sequence[str]:
    """Digests of payload files to which only rows refer that are about to go; `going` says which, for a table."""
    payload, others = schema.payload, schema.payload.alias()
    stays = sa.exists().where(others.c.digest == payload.c.digest, others.c.data.is_(None), ~going(others))
    query = sa.select(payload.c.digest).distinct().where(going(payload), payload.c.data.is_(None), ~stays)
    return list(connection.execute(query).scalars())


def _result(row: Mapping[Any, Any]) -> CachedResult:
    return CachedResult(
        key=row["key"],
        dispatch_id=DispatchId(row["dispatch_id"]),
        node_id=NodeId(row["node_id"]),
        name=row["name"],
        ref=PayloadRef(row["digest"], row["size"]),
        created_at=row["created_at"],
        used_at=row["used_at"],
        hits=row["hits"],
    )
