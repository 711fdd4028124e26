"""The store on SQLAlchemy Core: SQLite in WAL mode, one writer thread, a few readers.

Sequence numbers are taken from a counter row inside the writing transaction, which begins with the write lock, so they
follow the commit order of all processes.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives
from sqlalchemy.dialects import postgresql, sqlite  # noqa: TID253
from sqlalchemy.engine import URL, make_url  # noqa: TID253
from sqlalchemy.pool import QueuePool  # noqa: TID253

from covalent_lab.errors import StoreError
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.store import cached, inherited, rows, schema
from covalent_lab.store.base import (
    Batch,
    CachedResult,
    DispatchRecord,
    ListQuery,
    NewDispatch,
    NodeRecord,
    Page,
    PayloadRow,
    Request,
    Store,
    StoredPayload,
)
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.prepared import Writes, execute
from covalent_lab.store.schema import CACHE_OWNER
from covalent_lab.store.upgrade import upgrade
from covalent_lab.store.writer import Writer
from covalent_lab.transitions import FeedRecord

__all__ = ["SqlStore"]

_T = TypeVar("_T")
_SORTS: Mapping[str, Any] = {
    "created_at": schema.dispatch.c.created_at,
    "started_at": schema.dispatch.c.started_at,
    "ended_at": schema.dispatch.c.ended_at,
    "id": schema.dispatch.c.id,
    "name": schema.dispatch.c.name,
    "status": schema.dispatch.c.state,
    "total": schema.dispatch.c.total,
}
_CHUNK = 500
_TERMINAL = ("COMPLETED", "FAILED", "CANCELLED")
_HEAVY = ("doc", "source")


class SqlStore(Store):
    """A store in a database.

    Args:
        url: SQLAlchemy URL.
        blobs: Where large payloads are.
        durability: `"full"` or `"normal"`, see `Settings`.
    """

    def __init__(self, url: str, blobs: BlobDir, durability: str = "full") -> None:
        self._url: URL = make_url(url)
        self._blobs = blobs
        self._durability = durability
        self._writer: Writer | None = None
        self._reader: sa.Engine | None = None
        self._write_pool = ThreadPoolExecutor(1, "covalent-store-write")
        self._read_pool = ThreadPoolExecutor(3, "covalent-store-read")
        self._insert = sqlite.insert if self._url.get_backend_name() == "sqlite" else postgresql.insert

    async def open(self) -> None:
        await self._run(self._write_pool, self._open)

    async def close(self) -> None:
        if self._writer is not None:
            await self._run(self._write_pool, self._close)
        self._write_pool.shutdown(wait=True)
        self._read_pool.shutdown(wait=True)

    def _open(self) -> None:
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        upgrade(self._url)
        self._writer = Writer(self._engine(size=1, begin="BEGIN IMMEDIATE"), self._insert)
        self._reader = self._engine(size=3, begin="BEGIN")

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.dispose()
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    def _engine(self, size: int, begin: str) -> sa.Engine:
        options: dict[str, Any] = {"poolclass": QueuePool, "pool_size": size, "max_overflow": 0}
        is_sqlite = self._url.get_backend_name() == "sqlite"
        if is_sqlite:
            options["connect_args"] = {"timeout": 30, "check_same_thread": False}
        engine = sa.create_engine(self._url, **options)
        if is_sqlite:
            synchronous = "FULL" if self._durability == "full" else "NORMAL"

            def connected(connection: Any, _: Any) -> None:
                connection.isolation_level = None
                for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "temp_store=MEMORY"):
                    connection.execute(f"PRAGMA {pragma}")

            def begun(connection: sa.Connection) -> None:
                execute(connection, begin)

            sa.event.listen(engine, "connect", connected)
            sa.event.listen(engine, "begin", begun)
        return engine

    async def _run(self, pool: ThreadPoolExecutor, function: Callable[[], _T]) -> _T:
        try:
            future = asyncio.get_running_loop().run_in_executor(pool, function)
        except RuntimeError as error:  # the pool has ended
            raise self._closed() from error
        try:
            return await future
        except sa.exc.SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"The database {self._shown()} failed: {cause}. Check disk space and permissions."
            ) from error
        except OSError as error:
            raise StoreError(
                f"The database {self._shown()} failed: {error}. Check disk space and permissions."
            ) from error

    def _closed(self) -> StoreError:
        return StoreError(f"The database {self._shown()} is closed. Restart the Jupyter server.")

    def _shown(self) -> str:
        return self._url.database or self._url.render_as_string(hide_password=True)

    async def _write(self, work: Callable[[sa.Connection], _T]) -> _T:
        if self._writer is None:
            raise self._closed()
        return await self._run(self._write_pool, partial(self._writer.transaction, work))

    async def _read(self, work: Callable[[sa.Connection], _T]) -> _T:
        def transaction() -> _T:
            if self._reader is None:
                raise self._closed()
            with self._reader.connect() as connection:
                return work(connection)

        return await self._run(self._read_pool, transaction)

    # --- writing

    @property
    def _writes(self) -> Writes:
        assert self._writer is not None
        return self._writer.writes

    async def create(self, dispatch: NewDispatch, batch: Batch | None = None) -> int:
        return await self._write(lambda connection: self._create(connection, dispatch, batch or Batch()))

    def _create(self, connection: sa.Connection, new: NewDispatch, batch: Batch) -> int:
        writes = self._writes
        known = next((update for update in batch.dispatches if update.dispatch_id == new.dispatch_id), None)
        added = writes.created.run(connection, [rows.dispatch_row(new, known)]).fetchall()
        if not added:
            return 0
        writes.graph.run(connection, [(*added[0], new.graph)])
        self._add_payloads(connection, new.payloads)
        if new.redispatched_from is not None:
            batch = inherited.take_over(connection, self._insert, new, batch)
        others = [update for update in batch.dispatches if update is not known]
        first = [new.first_transition(), *batch.transitions]
        return self._record(connection, replace(batch, dispatches=others, transitions=first))

    async def record(self, batch: Batch) -> int:
        return await self._write(lambda connection: self._record(connection, batch))

    def _record(self, connection: sa.Connection, batch: Batch) -> int:
        writes = self._writes
        self._add_payloads(connection, batch.payloads)
        entered = [rows.entered_row(u) for u in batch.nodes if u.ended_at is None]
        ended = [rows.ended_row(u) for u in batch.nodes if u.ended_at is not None]
        if entered:
            writes.node_entered.run(connection, entered)
        if ended:
            writes.node_ended.run(connection, ended)
        marked = [rows.mark_row(u) for u in batch.nodes if u.sub_dispatch_id is not None or u.reused_from is not None]
        if marked:
            writes.node_mark.run(connection, marked)
        if batch.handles:
            writes.handle.run(connection, batch.handles)
        if batch.dispatches:
            writes.dispatch.run(connection, [rows.dispatch_update_row(u) for u in batch.dispatches])
        for request in batch.requests:
            _keep_request(connection, request)
        if batch.cached:
            cached.keep(connection, self._insert, batch.cached)
            self._add_payloads(connection, cached.pins(batch))
        if batch.cache_hits:
            cached.count_hits(connection, batch.cache_hits)
        first = self._add_transitions(connection, batch.transitions)
        if batch.tells_of_unbegun:
            writes.unbegun.run(connection, [(first, "CANCELLED")])
        return first

    def _add_payloads(self, connection: sa.Connection, payloads: Sequence[PayloadRow]) -> None:
        if payloads:
            self._writes.payload.run(connection, [rows.payload_row(p) for p in payloads])

    def _add_transitions(self, connection: sa.Connection, items: Sequence[FeedRecord]) -> int:
        writes = self._writes
        ((newest,),) = writes.count.run(connection, [("transition", len(items))]).fetchall()
        first = int(newest) - len(items) + 1
        if items:
            told = [rows.transition_row(first + i, item) for i, item in enumerate(items)]
            writes.transition.run(connection, told)
        return first

    async def delete(self, dispatch_ids: Sequence[DispatchId], at: float) -> Sequence[FeedRecord]:
        tombstones, orphans = await self._write(lambda connection: self._delete(connection, dispatch_ids, at))
        await self._remove(orphans)
        return tombstones

    def _delete(
        self, connection: sa.Connection, dispatch_ids: Sequence[DispatchId], at: float
    ) -> tuple[Sequence[FeedRecord], Sequence[str]]:
        # Whoever gives a root's id gets its parts as well; the id of a part is nobody's root.
        parts = sa.select(schema.dispatch.c.id).where(schema.dispatch.c.root_id.in_(dispatch_ids))
        found = list(connection.execute(parts).scalars())
        if not found:
            return (), ()
        orphans = cached.files_of_nobody_else(connection, lambda payload: payload.c.dispatch_id.in_(found))
        for table in (schema.node, schema.payload, schema.transition):
            connection.execute(sa.delete(table).where(table.c.dispatch_id.in_(found)))
        keys = sa.select(schema.dispatch.c.key).where(schema.dispatch.c.id.in_(found))
        connection.execute(sa.delete(schema.graph).where(schema.graph.c.dispatch_key.in_(keys)))
        connection.execute(sa.delete(schema.dispatch).where(schema.dispatch.c.id.in_(found)))
        tombstones = [FeedRecord(dispatch_id=d, node_id=None, status="DELETED", at=at) for d in found]
        first = self._add_transitions(connection, tombstones)
        return [tombstone.numbered(first + i) for i, tombstone in enumerate(tombstones)], orphans

    async def _remove(self, orphans: Sequence[str]) -> None:
        """Delete files that nobody refers to; nobody records anything while that is looked at once more."""

        def work(connection: sa.Connection) -> None:
            for begin in range(0, len(orphans), _CHUNK):
                chunk = orphans[begin : begin + _CHUNK]
                self._blobs.remove(set(chunk) - set(connection.execute(_referenced(chunk)).scalars()))

        if orphans:
            await self._write(work)

    # --- leases

    async def acquire(
        self, owner: str, *, protected: Sequence[str], gone: Sequence[str], now: float, lease_until: float
    ) -> Sequence[DispatchId]:
        table = schema.dispatch
        statement = (
            sa.update(table)
            .where(
                table.c.state.not_in(_TERMINAL),
                table.c.owner.not_in([owner, *protected]),
                sa.or_(table.c.lease_until < now, table.c.owner.in_(gone)),
            )
            .values(owner=owner, lease_until=lease_until)
            .returning(table.c.id)
        )
        return await self._write(lambda connection: list(connection.execute(statement).scalars()))

    async def renew(self, owner: str, lease_until: float) -> None:
        table = schema.dispatch
        await self._write(
            lambda connection: connection.execute(
                sa.update(table)
                .where(table.c.owner == owner, table.c.state.not_in(_TERMINAL))
                .values(lease_until=lease_until)
            )
        )

    async def release(self, owner: str) -> None:
        table = schema.dispatch
        statement = (
            sa.update(table)
            .where(table.c.owner == owner, table.c.state.not_in(_TERMINAL))
            .values(owner="", lease_until=0.0)
        )
        await self._write(lambda connection: connection.execute(statement))

    async def owners(self) -> Sequence[str]:
        table = schema.dispatch
        query = sa.select(table.c.owner).distinct().where(table.c.state.not_in(_TERMINAL))
        return await self._read(lambda connection: list(connection.execute(query).scalars()))

    # --- reading

    async def last_seq(self) -> int:
        return await self._read(_last_seq)

    async def dispatch(self, dispatch_id: DispatchId) -> DispatchRecord | None:
        query = sa.select(schema.dispatch).where(schema.dispatch.c.id == dispatch_id)

        def work(connection: sa.Connection) -> DispatchRecord | None:
            row = connection.execute(query).mappings().first()
            return None if row is None else rows.dispatch_record(row, _last_seq(connection))

        return await self._read(work)

    async def list_dispatches(self, query: ListQuery) -> Page:
        table = schema.dispatch
        columns = [c for c in table.c if c.name not in _HEAVY]
        if query.parent is None:
            wanted = [table.c.root_id == table.c.id]
        else:  # by the root as well, for which there is an index
            root = sa.select(table.c.root_id).where(table.c.id == query.parent).scalar_subquery()
            wanted = [table.c.root_id == root, table.c.parent_id == query.parent]
        if query.search:
            wanted.append(sa.or_(table.c.id.contains(query.search, autoescape=True), _name_contains(query.search)))
        shown = [*wanted, table.c.state.in_(query.statuses)] if query.statuses else wanted
        order = _runtime(query.now) if query.sort == "runtime" else _SORTS[query.sort]
        order = order.asc() if query.direction == "asc" else order.desc()

        def work(connection: sa.Connection) -> Page:
            counts = {
                state: number
                for state, number in connection.execute(
                    sa.select(table.c.state, sa.func.count()).where(*wanted).group_by(table.c.state)
                )
            }
            found = connection.execute(
                sa.select(*columns)
                .where(*shown)
                .order_by(order.nulls_last(), table.c.key.desc())
                .offset(query.offset)
                .limit(query.count)
            ).mappings()
            items = [rows.dispatch_record(row, 0) for row in found]
            total = sum(counts.get(state, 0) for state in query.statuses or counts)
            return Page(items=items, total=total, counts=counts, seq=_last_seq(connection))

        return await self._read(work)

    async def total_runtime(self) -> float:
        table = schema.dispatch
        query = sa.select(sa.func.sum(table.c.ended_at - table.c.started_at)).where(table.c.root_id == table.c.id)
        return await self._read(lambda connection: float(connection.execute(query).scalar_one() or 0.0))

    async def graph(self, dispatch_id: DispatchId) -> bytes | None:
        table = schema.dispatch
        query = sa.select(schema.graph.c.data).join(table, table.c.key == schema.graph.c.dispatch_key)
        query = query.where(table.c.id == dispatch_id)
        return await self._read(lambda connection: connection.execute(query).scalar_one_or_none())

    async def nodes(self, dispatch_id: DispatchId, node_id: NodeId | None = None) -> tuple[int, Sequence[NodeRecord]]:
        table = schema.node
        columns = [
            table.c.node_id, table.c.state, table.c.attempt, table.c.started_at, table.c.ended_at, table.c.error,
            table.c.output_digest, table.c.output_size, table.c.stdout.is_not(None), table.c.stderr.is_not(None),
            table.c.handle, table.c.sub_dispatch_id, table.c.reused_from, table.c.usage,
        ]  # fmt: skip
        query = sa.select(*columns).where(table.c.dispatch_id == dispatch_id).order_by(table.c.node_id)
        if node_id is not None:
            query = query.where(table.c.node_id == node_id)

        def work(connection: sa.Connection) -> tuple[int, Sequence[NodeRecord]]:
            seq = _last_seq(connection)
            return seq, [rows.node_record(row) for row in connection.execute(query)]

        return await self._read(work)

    async def streams(self, dispatch_id: DispatchId, node_id: NodeId) -> tuple[str, str, str]:
        table = schema.node
        query = sa.select(table.c.stdout, table.c.stderr, table.c.traceback).where(
            table.c.dispatch_id == dispatch_id, table.c.node_id == node_id
        )

        def work(connection: sa.Connection) -> tuple[str, str, str]:
            row = connection.execute(query).first()
            return ("", "", "") if row is None else (row[0] or "", row[1] or "", row[2] or "")

        return await self._read(work)

    async def payload(self, dispatch_id: DispatchId, digest: str) -> StoredPayload | None:
        return (await self.payloads(dispatch_id, (digest,))).get(digest)

    async def payloads(
        self, dispatch_id: DispatchId, digests: Collection[str] | None = None
    ) -> Mapping[str, StoredPayload]:
        table = schema.payload
        query = sa.select(table.c.digest, table.c.data).where(table.c.dispatch_id == dispatch_id)
        if digests is not None:
            query = query.where(table.c.digest.in_(list(digests)))

        def work(connection: sa.Connection) -> Mapping[str, StoredPayload]:
            return {
                digest: StoredPayload(path=str(self._blobs.path(digest)))
                if data is None
                else StoredPayload(data=bytes(data))
                for digest, data in connection.execute(query)
            }

        return await self._read(work)

    async def cached(self, key: str) -> tuple[CachedResult, StoredPayload] | None:
        found = await self._read(lambda connection: cached.find(connection, key))
        stored = None if found is None else await self.payload(CACHE_OWNER, found.ref.digest)
        return None if found is None or stored is None else (found, stored)

    async def list_cached(self, search: str, offset: int, count: int) -> tuple[Sequence[CachedResult], int]:
        return await self._read(lambda connection: cached.list_kept(connection, search, offset, count))

    async def purge_cached(self, keys: Collection[str] | None, used_before: float | None) -> int:
        dropped, orphans = await self._write(lambda connection: cached.purge(connection, keys, used_before))
        await self._remove(orphans)
        return dropped

    async def referenced(self, digests: Collection[str]) -> Collection[str]:
        return await self._read(lambda connection: set(connection.execute(_referenced(digests)).scalars()))

    async def transitions_after(self, seq: int, limit: int) -> Sequence[FeedRecord]:
        table = schema.transition
        query = sa.select(table).where(table.c.seq > seq).order_by(table.c.seq).limit(limit)
        return await self._transitions(query)

    async def repeated(self, dispatch_id: DispatchId) -> Sequence[FeedRecord]:
        table, node = schema.transition, schema.node
        again = sa.select(node.c.node_id).where(node.c.dispatch_id == dispatch_id, node.c.attempt > 1)
        query = sa.select(table).where(table.c.dispatch_id == dispatch_id, table.c.node_id.in_(again))
        return await self._transitions(query.order_by(table.c.seq))

    async def _transitions(self, query: sa.Select[Any]) -> Sequence[FeedRecord]:
        return await self._read(
            lambda connection: [rows.feed_record(row) for row in connection.execute(query).mappings()]
        )


def _keep_request(connection: sa.Connection, request: Request) -> None:
    table = schema.dispatch
    values: dict[str, Any] = {"autostart": True} if request.starts else {}
    if request.cancel_requested is not None:
        values["cancel_requested"] = request.cancel_requested
    connection.execute(sa.update(table).where(table.c.id == request.dispatch_id).values(values))


def _referenced(digests: Collection[str]) -> sa.Select[Any]:
    """Those of these digests whose files are needed."""
    table = schema.payload
    return sa.select(table.c.digest).distinct().where(table.c.digest.in_(list(digests)), table.c.data.is_(None))


def _last_seq(connection: sa.Connection) -> int:
    query = sa.select(schema.sequence.c.value).where(schema.sequence.c.name == "transition")
    return int(connection.execute(query).scalar_one())


def _runtime(now: float | None) -> sa.ColumnElement[float]:
    """What a dispatch has taken; NULL before its start, and while it runs unless the time is given."""
    table = schema.dispatch
    return (table.c.ended_at if now is None else sa.func.coalesce(table.c.ended_at, now)) - table.c.started_at


def _name_contains(text: str) -> Any:
    return schema.dispatch.c.name.icontains(text, autoescape=True)
