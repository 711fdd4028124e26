"""Statements that run with every tick, compiled once: else SQLAlchemy costs more per call than the database."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives

from covalent_lab.store import schema

__all__ = ["Prepared", "Writes", "execute"]


class Prepared:
    """One statement for one dialect.

    Args:
        statement: Insert or update; its parameters are plain values that need no conversion.
        dialect: Whose SQL and parameter style.
        names: Of the parameters, in the order in which rows give their values.
    """

    def __init__(self, statement: Any, dialect: sa.Dialect, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=names if statement.is_insert else None)
        self._sql = str(compiled)
        self._arrange: Callable[[Sequence[Any]], Any] | None = lambda row: dict(zip(names, row, strict=True))
        if compiled.positional:
            order = [names.index(name) for name in compiled.positiontup or ()]
            self._arrange = None if order == list(range(len(names))) else lambda row: tuple(row[i] for i in order)

    def run(self, connection: sa.Connection, rows: Sequence[Sequence[Any]]) -> Any:
        """Execute it for each row, in the connection's transaction; returns the driver's cursor.

        Raises:
            DBAPIError: The database failed.
        """
        return execute(connection, self._sql, rows if self._arrange is None else list(map(self._arrange, rows)))


def execute(connection: sa.Connection, sql: str, rows: Sequence[Any] = ((),)) -> Any:
    """Ask the driver directly: what SQLAlchemy does around a statement takes longer than a small statement.

    Args:
        connection: In whose transaction.
        sql: A statement as the driver takes it.
        rows: Its parameters, as the driver takes them; it is executed for each.

    Returns:
        The driver's cursor.

    Raises:
        DBAPIError: The database failed.
    """
    driver = connection.dialect.dbapi
    assert driver is not None
    try:
        cursor = connection.connection.cursor()
        if len(rows) == 1:
            cursor.execute(sql, rows[0])
        else:
            cursor.executemany(sql, rows)
    except driver.Error as error:
        raise sa.exc.DBAPIError(sql, None, error) from error
    return cursor


class Writes:
    """The statements of a tick.

    Args:
        dialect: Of the database.
        insert: The dialect's insert, which can be told what to do in a conflict.
    """

    def __init__(self, dialect: sa.Dialect, insert: Any) -> None:
        def prepared(statement: Any, *names: str) -> Prepared:
            return Prepared(statement, dialect, names)

        entered = ("state", "attempt", "started_at", "ended_at", "error")
        left = ("output_digest", "output_size", "stdout", "stderr", "traceback", "usage")
        key, node = ("dispatch_id", "node_id"), schema.node.c
        of_node = (node.dispatch_id == sa.bindparam("d"), node.node_id == sa.bindparam("n"))
        added = insert(schema.dispatch).on_conflict_do_nothing(index_elements=["id"]).returning(schema.dispatch.c.key)
        self.created = prepared(added, *(column.name for column in schema.dispatch.c if column.name != "key"))
        self.graph = prepared(sa.insert(schema.graph), "dispatch_key", "data")
        self.payload = prepared(
            insert(schema.payload).on_conflict_do_nothing(index_elements=["dispatch_id", "digest"]),
            *("dispatch_id", "digest", "size", "data"),
        )
        self.node_entered = prepared(_upsert_node(insert, entered), *key, *entered, "handle")
        self.node_ended = prepared(_upsert_node(insert, (*entered, *left)), *key, *entered, "handle", *left)
        self.handle = prepared(sa.update(schema.node).where(*of_node).values(handle=sa.bindparam("h")), "d", "n", "h")
        # Few nodes have these, so they are written by themselves and cost the others nothing.
        self.node_mark = prepared(
            sa.update(schema.node)
            .where(*of_node)
            .values(
                sub_dispatch_id=sa.func.coalesce(
                    sa.bindparam("sub_dispatch_id", type_=sa.String), node.sub_dispatch_id
                ),
                reused_from=sa.func.coalesce(sa.bindparam("reused_from", type_=sa.String), node.reused_from),
                output_digest=sa.bindparam("digest"),
                output_size=sa.bindparam("size"),
                stdout=sa.func.coalesce(sa.bindparam("out", type_=sa.Text), node.stdout),
                stderr=sa.func.coalesce(sa.bindparam("err", type_=sa.Text), node.stderr),
            ),
            *("d", "n", "sub_dispatch_id", "reused_from", "digest", "size", "out", "err"),
        )
        same = (
            *("state", "error", "started_at", "ended_at", "completed", "failed", "cancelled"),
            *("result_digest", "result_size"),
        )
        asked = sa.bindparam("cancel_requested", type_=sa.Text)
        self.dispatch = prepared(
            sa.update(schema.dispatch)
            .where(schema.dispatch.c.id == sa.bindparam("d"))
            .values(
                **{name: sa.bindparam(name) for name in same},
                cancel_requested=sa.func.coalesce(asked, schema.dispatch.c.cancel_requested),
            ),
            *("d", *same, "cancel_requested"),
        )
        counter = schema.sequence.c
        self.count = prepared(
            sa.update(schema.sequence)
            .where(counter.name == sa.bindparam("counter"))
            .values(value=counter.value + sa.bindparam("more"))
            .returning(counter.value),
            *("counter", "more"),
        )
        self.transition = prepared(sa.insert(schema.transition), *schema.transition.c.keys())
        self.unbegun = prepared(_insert_unbegun(insert), "first", "cancelled")


def _upsert_node(insert: Any, columns: Sequence[str]) -> Any:
    statement = insert(schema.node)
    return statement.on_conflict_do_update(
        index_elements=["dispatch_id", "node_id"],
        set_={
            # Streams are written once, at the end; an end without any keeps those that were taken over.
            name: sa.func.coalesce(statement.excluded[name], schema.node.c[name])
            if name in ("stdout", "stderr")
            else statement.excluded[name]
            for name in columns
        },
    )


def _insert_unbegun(insert: Any) -> Any:
    """Nodes that were cancelled before their first attempt, from the transitions that say so."""
    told, key = schema.transition.c, ["dispatch_id", "node_id"]
    columns = {"state": told.status, "attempt": told.attempt, "ended_at": told.at, "error": told.error}
    found = sa.select(told.dispatch_id, told.node_id, *columns.values(), sa.literal_column("''")).where(
        told.seq >= sa.bindparam("first"),
        told.status == sa.bindparam("cancelled"),
        told.attempt == sa.literal_column("0"),
        told.node_id.is_not(None),
    )
    statement = insert(schema.node).from_select([*key, *columns, "handle"], found, include_defaults=False)
    changes = {name: statement.excluded[name] for name in (*columns, "output_digest", "output_size")}
    return statement.on_conflict_do_update(index_elements=key, set_=changes)
