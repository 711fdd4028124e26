"""What the Dask executor does beyond the contract: whole dispatches, trouble with the cluster, restarts."""

import asyncio
import gc
import os
import socket
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from covalent_lab_executors.dask import DaskExecutor

import covalent_lab as ct
from covalent_lab.executor.base import JobIdentified, JobSpec, JobStatus, Outcome, PayloadSource
from covalent_lab.ids import DispatchId, NodeId, attempt_id
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, job, started
from tests.backends.dask_cluster import DaskCluster, dask_cluster


def executor(address: str, **values: Any) -> DaskExecutor:
    """An executor whose keys no other test has."""
    return DaskExecutor(address, key=uuid.uuid4().hex, grace_s=0.2, **values)


def hold(port: int) -> int:
    """Say which Dask worker this runs for, and wait until the other end says something."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"%d\n" % os.getppid())
        connection.recv(1)
    return 7


hold.__module__ = "__main__"  # pickled by value


def test_dispatch_runs_on_the_cluster(dask: DaskCluster, private: Path) -> None:
    """Values, streams, hooks, context and working directory of tasks are those of the local executor."""
    on_dask = ct.executor.DaskExecutor(dask.address, workdir=str(private / "work"), create_unique_workdir=True)

    @ct.electron(executor=on_dask, call_before=[ct.DepsCall(lambda: 5, retval_keyword="more")])
    def add(x: int, more: int = 0) -> tuple[int, str, int | None]:
        print("adding")
        return x + more, os.getcwd(), ct.get_context().task_id

    @ct.lattice
    def workflow(x: int) -> Any:
        return add(x)

    dispatch_id = ct.dispatch(workflow)(1)
    result = ct.get_result(dispatch_id, wait=True)
    assert result.status == ct.status.COMPLETED
    assert result.result == (6, str(private / "work" / dispatch_id / "node_0"), 0)
    assert result.get_node_result(0)["stdout"] == "adding\n"


def test_name_takes_the_configured_cluster(dask: DaskCluster, private: Path) -> None:
    """`executor="dask"` without an address is the cluster in the configuration when the task runs."""
    ct.set_config({"dask.scheduler_address": dask.address})

    @ct.lattice
    def workflow() -> Any:
        return ct.electron(os.getpid, executor="dask")()

    result = ct.dispatch_sync(workflow)()
    assert result.status == ct.status.COMPLETED
    assert result.result != os.getpid()


@pytest.mark.parametrize(
    ("address", "words"),
    [("tcp://127.0.0.1:1", "tcp://127.0.0.1:1"), ("nonsense://", "nonsense://"), ("", "with-cluster")],
)
def test_cluster_that_is_not_there_fails_the_job(private: Path, tmp_path: Path, address: str, words: str) -> None:
    """The failure is no user error, can pass, and names the address or says how to get a cluster."""

    async def play() -> None:
        host, tried = FakeHost(tmp_path), DaskExecutor(address)
        await tried.start(host)
        outcome = await Running(executor=tried, host=host).outcome(job(lambda: 1))
        await tried.close()
        assert outcome.status is JobStatus.FAILED
        assert outcome.failure is not None
        assert words in outcome.failure.message
        assert not outcome.failure.is_user_error
        assert outcome.failure.is_transient

    asyncio.run(play())


def test_closing_gives_up_a_scheduler_that_says_nothing(private: Path, tmp_path: Path) -> None:
    """An executor that is closed while it connects closes its client; one left open complains when it is collected."""
    from distributed import Client

    async def scenario() -> None:
        async with Beacon() as silent:
            running = Running(executor=executor(f"tcp://127.0.0.1:{silent.port}"), host=FakeHost(tmp_path))
            await running.executor.start(running.host)
            await running.submit(job(hold, 1))
            await silent.called()
            await running.executor.close()

    asyncio.run(scenario())
    assert [found.status for found in gc.get_objects() if type(found) is Client and found.status != "closed"] == []


@pytest.mark.parametrize("failures", [0, 3])
def test_task_of_a_lost_worker_is_lost(tmp_path: Path, failures: int) -> None:
    """A worker that dies loses its task, whether or not Dask would try it again, and others run on."""

    async def play(address: str) -> None:
        async with Beacon() as beacon, started(executor(address), FakeHost(tmp_path)) as running:
            spec, host = job(hold, beacon.port), running.host
            await running.submit(spec)
            worker = int(await beacon.word())
            await host.start_of(spec.attempt_id)  # what a worker says last may be lost with it
            os.kill(worker, 9)
            await beacon.gone()
            outcome = await host.finished(spec.attempt_id)
            assert outcome.status is JobStatus.LOST
            assert outcome.failure is not None
            assert outcome.failure.is_transient
            assert "lost" in outcome.failure.message
            assert await running.value(job(lambda: 1, node_id=1)) == 1

    with dask_cluster(tmp_path, failures=failures) as cluster:
        asyncio.run(play(cluster.address))


def hold_back(dask_worker: Any) -> None:
    """Let a Dask worker send no more of what it sends to its scheduler in batches."""
    dask_worker.batched_stream.interval = 3600
    dask_worker.batched_stream.next_deadline = time() + 3600


hold_back.__module__ = "__main__"


def test_task_of_a_worker_that_was_lost_at_once_is_lost(tmp_path: Path) -> None:
    """A task does not begin before it is known where: one that begins again elsewhere would be taken for the first."""

    from distributed import Client

    async def play(address: str) -> None:
        host, tried = FakeHost(tmp_path), executor(address)
        await tried.start(host)
        client: Any = Client(address, asynchronous=True, set_as_default=False)  # type: ignore[no-untyped-call]
        async with client, Beacon() as beacon:
            await client.run(hold_back)
            spec = job(hold, beacon.port)
            await tried.submit([spec])
            os.kill(int(await beacon.word()), 9)
            outcome = await host.finished(spec.attempt_id, 120)
            assert outcome.status is JobStatus.LOST
        await tried.close()

    with dask_cluster(tmp_path, workers=1, failures=3) as cluster:
        asyncio.run(play(cluster.address))


def test_job_outlives_its_dispatcher(dask: DaskCluster, tmp_path: Path) -> None:
    """Closing leaves the task running; the next executor finds its answer by the handle, once."""

    async def play() -> None:
        host, first = FakeHost(tmp_path), executor(dask.address)
        await first.start(host)
        async with Beacon() as beacon:
            spec = job(hold, beacon.port)
            (handle,) = await first.submit([spec])
            await beacon.word()
            await first.close()
            assert host.outcomes() == {}
            second = DaskExecutor()
            await second.start(host)
            await second.watch({spec.attempt_id: handle})
            beacon.answer()
            outcome = await host.finished(spec.attempt_id)
            assert Running(executor=second, host=host).load(outcome) == 7
            await second.close()
        other, third = FakeHost(tmp_path / "other"), DaskExecutor()
        await third.start(other)
        await third.watch({spec.attempt_id: handle})
        lost = await other.finished(spec.attempt_id)
        assert lost.status is JobStatus.LOST
        await third.close()

    asyncio.run(play())


def large(size: int) -> tuple[int, bytes]:
    """The Dask worker this runs for, and many bytes."""
    return os.getppid(), bytes(size)


def weigh(value: tuple[int, bytes]) -> tuple[int, int]:
    """The Dask worker this runs for, and how many bytes there are."""
    return os.getppid(), len(value[1])


large.__module__ = weigh.__module__ = "__main__"


def hide(folder: Path) -> None:
    """Remove what tells a worker that it sees the server's files."""
    for path in (folder / "work").glob("here-*"):
        path.unlink()


async def made(running: Running) -> tuple[int, Path, Callable[[int], JobSpec]]:
    """A large value: the worker that made it, its file, and jobs that need it."""
    outcome = await running.outcome(job(large, 200_000))
    assert outcome.output is not None
    assert outcome.output.data is None
    path = Path(running.host.payload_path(outcome.output.ref.digest))
    source = PayloadSource(ref=outcome.output.ref, path=str(path))
    return running.load(outcome)[0], path, lambda number: job(weigh, source, node_id=number)


def test_worker_that_does_not_see_the_files_gets_bytes(dask: DaskCluster, tmp_path: Path) -> None:
    """Large values travel through the cluster where worker and server share no folder, and stay where they are.

    They are stored as well, but not sent a second time until the dispatch is over.
    """

    async def play() -> None:
        host, tried = FakeHost(tmp_path), executor(dask.address)
        await tried.start(host)
        hide(tmp_path)
        running = Running(executor=tried, host=host)
        _, path, user = await made(running)
        content = path.read_bytes()
        path.unlink()
        for number in range(1, 5):
            assert (await running.value(user(number)))[1] == 200_000
        tried.dispatch_over(DispatchId("dispatch"), is_deleted=False)
        path.write_bytes(content)
        for number in range(5, 7):
            assert (await running.value(user(number)))[1] == 200_000  # sent once more, as a value of the next one
        await tried.close()

    asyncio.run(play())


def test_values_of_a_lost_worker_come_from_the_store(tmp_path: Path) -> None:
    """The task that made them is not run again."""

    async def play(address: str) -> None:
        host, tried = FakeHost(tmp_path), executor(address)
        await tried.start(host)
        hide(tmp_path)
        running = Running(executor=tried, host=host)
        worker, _, user = await made(running)
        os.kill(worker, 9)
        outcomes = [await running.outcome(user(number)) for number in range(2, 7)]
        # The first ones may have been given to the worker before it was known to be dead.
        found = [running.load(outcome)[1] for outcome in outcomes if outcome.status is not JobStatus.LOST]
        assert found
        assert set(found) == {200_000}
        await tried.close()

    with dask_cluster(tmp_path) as cluster:
        asyncio.run(play(cluster.address))


def test_task_waits_for_resources(dask: DaskCluster, tmp_path: Path) -> None:
    """A task that needs what no worker has does not begin, and can be cancelled; wrong ones fail it."""

    async def play() -> None:
        host, tried = FakeHost(tmp_path), executor(dask.address)
        await tried.start(host)
        running = Running(executor=tried, host=host)
        waits = job(lambda: 1, options={"resources": {"GPU": 1}})
        await running.submit(waits)
        assert await running.value(job(lambda: 1, node_id=1)) == 1
        assert host.outcomes().keys() == {attempt_id(DispatchId("dispatch"), NodeId(1), 1)}
        await running.cancel(waits)
        assert (await host.finished(waits.attempt_id)).status is JobStatus.CANCELLED
        outcome = await running.outcome(job(lambda: 1, node_id=2, options={"resources": 7}))
        assert outcome.failure is not None
        assert "options" in outcome.failure.message
        await tried.close()

    asyncio.run(play())


def test_resources_priority_and_key_are_given_to_dask(dask: DaskCluster, tmp_path: Path) -> None:
    """Those of a task win over those of its executor; the scheduler has them as Dask does."""
    from distributed import Client

    def known(dask_scheduler: Any) -> list[tuple[str, dict[str, float], int]]:
        tasks = [task for task in dask_scheduler.tasks.values() if str(task.key).startswith("mine-")]
        return [(str(task.key), dict(task.resource_restrictions or {}), task.priority[0]) for task in tasks]

    async def play() -> None:
        host, tried = FakeHost(tmp_path), DaskExecutor(dask.address, key="mine", resources={"BENCH": 1}, priority=5)
        await tried.start(host)
        running = Running(executor=tried, host=host)
        async with Beacon() as beacon:
            specs = [
                job(hold, beacon.port),
                job(hold, beacon.port, node_id=1, options={"priority": 10, "resources": {"BENCH": 0.5}}),
            ]
            handles = await running.submit(*specs)
            for _ in specs:
                await beacon.word()
            async with Client(dask.address, asynchronous=True, set_as_default=False) as client:  # type: ignore[no-untyped-call]
                found = await client.run_on_scheduler(known)
            keys = [str(handle["key"]) for handle in handles]
            assert sorted(found) == sorted([(keys[0], {"BENCH": 1}, -5), (keys[1], {"BENCH": 0.5}, -10)])
            beacon.answer()
            for spec in specs:
                assert running.load(await host.finished(spec.attempt_id)) == 7
        await tried.close()

    asyncio.run(play())


def short(number: int) -> int:
    """Take no time."""
    return number + 1


short.__module__ = "__main__"  # pickled by value


async def many(running: Running, specs: Sequence[JobSpec]) -> Sequence[tuple[str, Outcome]]:
    """Run a first call of each function, so that it is known to be short, then all jobs; returns their Dask keys."""
    for number, function in enumerate({spec.function.ref.digest: spec for spec in specs}.values()):
        await running.outcome(replace(function, attempt_id=attempt_id(DispatchId("first"), NodeId(number), 1)))
    handles = await running.submit(*specs)
    return [
        (str(handle["key"]), await running.host.finished(spec.attempt_id))
        for spec, handle in zip(specs, handles, strict=True)
    ]


def test_short_jobs_travel_together(dask: DaskCluster, tmp_path: Path) -> None:
    """Once a function was seen to be short, several calls share a message, and each is told by itself."""

    async def play() -> None:
        host, tried = FakeHost(tmp_path), executor(dask.address)
        await tried.start(host)
        running = Running(executor=tried, host=host)
        found = await many(running, [job(short, number, node_id=number) for number in range(200)])
        assert [running.load(outcome) for _, outcome in found] == list(range(1, 201))
        assert len({key for key, _ in found}) < 100
        await tried.close()

    asyncio.run(play())


def test_job_that_takes_its_time_does_not_hold_up_others(dask: DaskCluster, tmp_path: Path) -> None:
    """Those before it are told, those after it go to another worker, and their handles change; so do cancelled ones."""

    def mixed(port: int) -> int:
        if port:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)
        return port

    async def play() -> None:
        host, tried = FakeHost(tmp_path), executor(dask.address)
        await tried.start(host)
        running = Running(executor=tried, host=host)
        async with Beacon() as beacon:
            specs = [job(mixed, beacon.port if number == 10 else 0, node_id=number) for number in range(60)]
            await many(running, [replace(specs[0], attempt_id=attempt_id(DispatchId("zero"), NodeId(0), 1))])
            await running.submit(*specs)
            await beacon.word()
            for spec in specs[:10] + specs[11:]:
                assert running.load(await host.finished(spec.attempt_id)) == 0
            await host.start_of(specs[10].attempt_id)
            assert specs[10].attempt_id not in host.outcomes()
            assert any(isinstance(update, JobIdentified) for update in host.updates)
            beacon.answer()
            assert running.load(await host.finished(specs[10].attempt_id)) == beacon.port
        await tried.close()

    asyncio.run(play())


def test_crash_and_cancel_concern_one_of_those_that_travel_together(dask: DaskCluster, tmp_path: Path) -> None:
    """One dies, one is stopped while it runs, one before its turn; the others of the message end as ever."""

    def mixed(what: int) -> int:
        if what == 1:
            os._exit(3)
        if what > 1:
            with socket.create_connection(("127.0.0.1", what)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)
        return what

    async def play() -> None:
        host, tried = FakeHost(tmp_path), executor(dask.address)
        await tried.start(host)
        running = Running(executor=tried, host=host)
        async with Beacon() as beacon:
            whats = {5: 1, 20: beacon.port}
            specs = [job(mixed, whats.get(number, 0), node_id=number) for number in range(60)]
            await many(running, [replace(specs[0], attempt_id=attempt_id(DispatchId("zero"), NodeId(0), 1))])
            await running.submit(*specs)
            await running.cancel(specs[59])
            await beacon.word()
            await host.start_of(specs[20].attempt_id)
            await running.cancel(specs[20])
            outcomes = [await host.finished(spec.attempt_id) for spec in specs]
            cancelled = [n for n, outcome in enumerate(outcomes) if outcome.status is JobStatus.CANCELLED]
            failed = [n for n, outcome in enumerate(outcomes) if outcome.status is JobStatus.FAILED]
            assert (cancelled, failed) == ([20, 59], [5])
            await beacon.gone()
        await tried.close()

    asyncio.run(play())
