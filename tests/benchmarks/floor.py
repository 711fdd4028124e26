"""The least that durable tasks can cost here: a process pool, cloudpickle, and three commits a task, nothing else.

It runs the shapes of `shapes.py`, so that a time can be given as a multiple of what no program can avoid. Large values
go to a file.
"""

import queue
import sqlite3
import time
from collections.abc import Sequence
from concurrent import futures
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cloudpickle
from timing import MEBIBYTE

__all__ = ["Floor"]


def _add(*values: int) -> int:
    return sum(values) + 1


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
        self._pool = futures.ProcessPoolExecutor(2, get_context("spawn"))
        self._database = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
        self._database.execute("pragma journal_mode=wal")
        self._database.execute("pragma synchronous=normal")
        self._database.execute("create table task(id integer primary key, state text, at real, value blob)")
        self._file = folder / "floor.bin"
        self._next = 0

    def __enter__(self) -> Self:
        self.graph([()] * 8)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        self._database.close()

    def graph(self, parents: Sequence[Sequence[int]]) -> int:
        """Tasks that each add up the values of their parents; returns the value of the last one.

        Args:
            parents: Of each task, the numbers of the tasks it waits for.
        """
        missing = [len(before) for before in parents]
        children: list[list[int]] = [[] for _ in parents]
        for number, before in enumerate(parents):
            for parent in before:
                children[parent].append(number)
        ready = [number for number, count in enumerate(missing) if not count]
        ended: queue.SimpleQueue[tuple[int, int, futures.Future[bytes]]] = queue.SimpleQueue()
        values: dict[int, int] = {}
        while len(values) < len(parents):
            for number in ready:
                row, future = self._submit(_add, *(values[parent] for parent in parents[number]))
                future.add_done_callback(lambda done, number=number, row=row: ended.put((number, row, done)))
            number, row, future = ended.get()
            values[number] = self._take(row, future.result())
            ready = []
            for child in children[number]:
                missing[child] -= 1
                if not missing[child]:
                    ready.append(child)
        return values[len(parents) - 1]

    def blocks(self, size: int, consumers: int) -> float:
        """One large value of so many bytes handed to tasks that read it."""
        row, made = self._submit(_make_block, size)
        block = self._take(row, made.result())
        pending = [self._submit(_weigh, block) for _ in range(consumers)]
        return sum(self._take(row, future.result()) for row, future in pending)

    def _submit(self, function: Any, *arguments: Any) -> tuple[int, futures.Future[bytes]]:
        self._next += 1
        self._database.execute("insert into task values(?,?,?,null)", (self._next, "NEW_OBJECT", time.time()))
        future = self._pool.submit(_call, cloudpickle.dumps((function, arguments)))
        self._database.execute("update task set state='RUNNING', at=? where id=?", (time.time(), self._next))
        return self._next, future

    def _take(self, row: int, value: bytes) -> Any:
        if len(value) > MEBIBYTE:
            self._file.write_bytes(value)
            stored = str(self._file).encode()
        else:
            stored = value
        state = (time.time(), stored, row)
        self._database.execute("update task set state='COMPLETED', at=?, value=? where id=?", state)
        return cloudpickle.loads(value)
