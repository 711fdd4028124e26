"""The Dask executor when things happen between two messages to the scheduler."""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.dask import DaskExecutor
from covalent_lab_executors.dask_link import DaskLink

from covalent_lab.executor.base import JobStatus, PayloadSource
from covalent_lab.ids import DispatchId, PayloadRef
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, job, started
from tests.backends.dask_cluster import DaskCluster


def executor(address: str) -> DaskExecutor:
    """An executor whose keys no other test has."""
    return DaskExecutor(address, key=uuid.uuid4().hex, grace_s=0.2)


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


def test_job_that_is_cancelled_while_its_inputs_are_read_does_not_begin(
    dask: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler is not given what was told to be cancelled."""
    pipe, given = tmp_path / "pipe", []
    os.mkfifo(pipe)
    submit = DaskLink.submit

    def recorded(link: DaskLink, key: str, *args: Any, **kwargs: Any) -> Any:
        given.append(key)
        return submit(link, key, *args, **kwargs)

    monkeypatch.setattr(DaskLink, "submit", recorded)

    async def play() -> None:
        async with started(executor(dask.address), FakeHost(tmp_path)) as running:
            for path in (tmp_path / "work").glob("here-*"):
                path.unlink()  # then workers think that they do not see the server's files
            value = PayloadSource(ref=PayloadRef(uuid.uuid4().hex, 1), path=str(pipe))
            spec = job(len, value)
            await running.submit(spec)
            await while_it_is_read(pipe, b"", lambda: running.cancel(spec))
            assert (await running.host.finished(spec.attempt_id)).status is JobStatus.CANCELLED
            assert await running.value(job(lambda: 1, node_id=1)) == 1
        assert len([key for key in given if str(spec.attempt_id) in key]) == 1  # whose worker said that it needs bytes

    asyncio.run(play())


def test_job_that_is_cancelled_while_it_is_looked_for_is_stopped(dask: DaskCluster, tmp_path: Path) -> None:
    """A dispatcher that comes back and is to cancel a job at once does not leave it running."""

    def hold(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"here\n")
            connection.recv(1)

    async def play() -> None:
        async with Beacon() as beacon:
            spec = job(hold, beacon.port)
            async with started(executor(dask.address), FakeHost(tmp_path / "first")) as running:
                (handle,) = await running.submit(spec)
                await beacon.word()
            async with started(DaskExecutor(), FakeHost(tmp_path / "second")) as running:
                await running.executor.watch({spec.attempt_id: handle})
                await running.executor.cancel_jobs({spec.attempt_id: handle})
                assert (await running.host.finished(spec.attempt_id)).status is JobStatus.CANCELLED
                await beacon.gone()

    asyncio.run(play())
