"""The least that durable tasks can cost here: a process pool, cloudpickle, and three commits a task, nothing else.

The same shapes as in `bench_dispatch.py`, so that a time can be given as a multiple of what no program can avoid.
"""

import sqlite3
import time
from concurrent import futures
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cloudpickle

__all__ = ["Floor"]


def _increment(value: int) -> int:
    return value + 1


def _make_block(size: int) -> Any:
    import numpy as np

    return np.ones(size // 8)


def _weigh(block: Any) -> float:
    return float(block.sum())


def _call(blob: bytes) -> bytes:
    function, arguments = cloudpickle.loads(blob)
    return cloudpickle.dumps(function(*arguments))


class Floor:
    """Two worker processes and a database in write-ahead mode, each state in a transaction of its own.

    Args:
        folder: Where the database is made.
    """

    def __init__(self, folder: Path) -> None:
        self._pool = futures.ProcessPoolExecutor(2)
        self._database = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
        self._database.execute("pragma journal_mode=wal")
        self._database.execute("pragma synchronous=normal")
        self._database.execute("create table task(id integer primary key, state text, at real, value blob)")
        self._next = 0

    def __enter__(self) -> Self:
        self.fan(8)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        self._database.close()

    def _submit(self, function: Any, *arguments: Any) -> tuple[int, futures.Future[bytes]]:
        self._next += 1
        self._database.execute("insert into task values(?,?,?,null)", (self._next, "NEW_OBJECT", time.time()))
        future = self._pool.submit(_call, cloudpickle.dumps((function, arguments)))
        self._database.execute("update task set state='RUNNING', at=? where id=?", (time.time(), self._next))
        return self._next, future

    def _take(self, task: int, value: bytes) -> Any:
        row = (time.time(), value, task)
        self._database.execute("update task set state='COMPLETED', at=?, value=? where id=?", row)
        return cloudpickle.loads(value)

    def fan(self, width: int) -> int:
        """Independent tasks."""
        pending = {future: task for task, future in (self._submit(_increment, i) for i in range(width))}
        return len([self._take(pending[future], future.result()) for future in futures.as_completed(pending)])

    def chain(self, length: int) -> int:
        """Tasks that each wait for the one before."""
        value = 0
        for _ in range(length):
            task, future = self._submit(_increment, value)
            value = self._take(task, future.result())
        return value

    def blocks(self, size: int) -> float:
        """One large value handed from task to task."""
        task, made = self._submit(_make_block, size)
        task, weighed = self._submit(_weigh, self._take(task, made.result()))
        return float(self._take(task, weighed.result()))
