"""The dispatcher in this process, and those who wait for it in other threads."""

import asyncio
import threading
from pathlib import Path

import pytest

from covalent_lab.client.local import LocalConnection
from covalent_lab.errors import StoreError
from covalent_lab.settings import Settings


def test_whoever_waits_in_another_thread_is_told_of_the_end(tmp_path: Path) -> None:
    """Nobody waits without end for a connection that another thread has closed."""
    connection = LocalConnection(
        Settings(data_dir=tmp_path, database=f"sqlite:///{tmp_path / 'db.sqlite'}", workdir=tmp_path)
    )
    begun, told = threading.Event(), []

    async def without_end() -> None:
        begun.set()
        await asyncio.Event().wait()

    def wait() -> None:
        with pytest.raises(StoreError, match="stopped") as caught:
            connection._wait(without_end())
        told.append(caught)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert begun.wait(120)
    connection.close()
    thread.join(60)
    assert len(told) == 1
    with pytest.raises(StoreError, match="stopped"):
        connection.executors()
