"""Statements that run with every tick, compiled once: else SQLAlchemy costs more per call than the database."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives

from covalent_lab.store import schema

__all__ = ["Prepared", "Writes"]


class Prepared:
    """One statement for one dialect.

    Args:
        statement: Insert or update; its parameters are plain values that need no conversion.
        dialect: Whose SQL and parameter style.
        columns: Names of an insert's parameters.
    """

    def __init__(self, statement: Any, dialect: sa.Dialect, columns: Sequence[str] | None = None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self._sql = str(compiled)
        order: Sequence[str] = compiled.positiontup or ()
        self._row: Callable[[Mapping[str, Any]], Any] | None = None
        if compiled.positional:
            self._row = itemgetter(*order) if len(order) > 1 else lambda row: (row[order[0]],)

    def run(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Execute it for each row; returns the result for one row's sake."""
        given = rows if self._row is None else list(map(self._row, rows))
        return connection.exec_driver_sql(self._sql, given)


class Writes:
    """The statements of a tick.

    Args:
        dialect: Of the database.
        insert: The dialect's insert, which can be told what to do in a conflict.
    """

    def __init__(self, dialect: sa.Dialect, insert: Any) -> None:
        def prepared(statement: Any, *columns: str) -> Prepared:
            return Prepared(statement, dialect, columns or None)

        entered = ("state", "attempt", "started_at", "ended_at", "error")
        ended = (*entered, "output_digest", "output_size", "stdout", "stderr", "traceback")
        key, node = ("dispatch_id", "node_id"), schema.node.c
        of_node = (node.dispatch_id == sa.bindparam("d"), node.node_id == sa.bindparam("n"))
        self.payload = prepared(
            insert(schema.payload).on_conflict_do_nothing(index_elements=["dispatch_id", "digest"]),
            *("dispatch_id", "digest", "size", "data"),
        )
        self.node_entered = prepared(_upsert_node(insert, entered), *key, *entered, "handle")
        self.node_ended = prepared(_upsert_node(insert, ended), *key, *ended, "handle")
        self.handle = prepared(sa.update(schema.node).where(*of_node).values(handle=sa.bindparam("h")))
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
            )
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
            )
        )
        counter = schema.sequence.c
        self.count = prepared(
            sa.update(schema.sequence)
            .where(counter.name == sa.bindparam("counter"))
            .values(value=counter.value + sa.bindparam("more"))
            .returning(counter.value)
        )
        self.transition = prepared(sa.insert(schema.transition), *schema.transition.c.keys())


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
