"""The Dask executor when things happen between two messages to the scheduler."""

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from covalent_lab_executors.dask_link import DaskLink

from covalent_lab.ids import DispatchId
from tests.backends.dask_cluster import DaskCluster


async def while_it_is_read(pipe: Path, data: bytes, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do something between the opening of a named pipe by its reader and the end of its text."""
    writer = await asyncio.to_thread(open, pipe, "wb")
    try:
        await act()
    finally:
        await asyncio.to_thread(writer.write, data)
        await asyncio.to_thread(writer.close)


def test_what_is_asked_is_said_although_nobody_waits_for_it(dask: DaskCluster) -> None:
    """A call that was begun reaches the scheduler before its client leaves, and leaves no connection open."""

    async def play() -> None:
        link, witness = [await DaskLink.open(dask.address, lambda said: None) for _ in range(2)]
        keys = [uuid.uuid4().hex for _ in range(20)]
        for key in keys:
            await witness.keep(key, witness._wanted(key))
        asked = [asyncio.create_task(link.forget(key)) for key in keys]
        await asyncio.sleep(0)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await link.close()
        assert set(await witness._client.list_datasets()).isdisjoint(keys)
        await witness.close()

    asyncio.run(play())


def test_value_outlives_another_dispatch_that_ends_meanwhile(dask: DaskCluster, tmp_path: Path) -> None:
    """Values that are there already stay for a job that waits until the others are there too."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"first")
    os.mkfifo(second)

    async def play() -> None:
        link = await DaskLink.open(dask.address, lambda said: None)
        one, two = DispatchId("one"), DispatchId("two")
        prefix = uuid.uuid4().hex
        paths = {f"{prefix}-{path.name}": str(path) for path in (first, second)}
        await link.values(dict([*paths.items()][:1]), one)

        async def end() -> None:
            link.dispatch_over(one)

        found = asyncio.create_task(link.values(paths, two))
        await while_it_is_read(second, b"second", end)
        assert [await future for future in await found] == [b"first", b"second"]
        await link.close()

    asyncio.run(play())
