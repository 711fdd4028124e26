"""The one connection that writes; it stays open, because to take one from a pool costs more than a small commit."""

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives

from covalent_lab.store.prepared import Writes

__all__ = ["Writer"]

_T = TypeVar("_T")


class Writer:
    """Runs transactions one after the other; all of it is called in one thread.

    Args:
        engine: Gives connections; its begin takes the write lock.
        insert: The dialect's insert, which can be told what to do in a conflict.
    """

    def __init__(self, engine: sa.Engine, insert: Any) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None
        self.writes = Writes(engine.dialect, insert)

    def transaction(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Do something and commit it; after an error nothing is left of it.

        Raises:
            DBAPIError: The database failed.
        """
        connection = self._connection = self._connection or self._engine.connect()
        try:
            with connection.begin():
                return work(connection)
        except sa.exc.SQLAlchemyError:
            self._connection = None
            connection.invalidate()
            connection.close()
            raise

    def close(self) -> None:
        """Close the connection and its engine."""
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()
