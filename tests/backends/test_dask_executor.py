"""The Dask executor keeps the contract of executors, on a real cluster."""

import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from covalent_lab_executors.dask import DaskExecutor

from covalent_lab.executor.base import Executor, JobStatus
from covalent_lab.ids import AttemptId
from covalent_lab.testing.jobs import Beacon, Running, job
from covalent_lab.testing.packing_suite import PackingContract
from covalent_lab.testing.recovery_suite import Restartable
from tests.backends.dask_cluster import DaskCluster, dask_cluster


class TestDaskExecutor(PackingContract):
    """The shipped suite on two workers."""

    @pytest.fixture(autouse=True)
    def _cluster(self, dask: DaskCluster) -> None:
        self.address = dask.address

    def make_executor(self) -> Executor:
        return DaskExecutor(self.address, key=uuid.uuid4().hex, grace_s=0.2)

    @contextmanager
    def make_restartable(self, folder: Path) -> Iterator[Restartable]:
        with dask_cluster(folder) as cluster:
            yield Restartable(executor=DaskExecutor(cluster.address), restart=cluster.restart)

    def make_refused(self) -> tuple[Executor, str]:
        return DaskExecutor(self.address.replace("tcp://", "tls://")), "distributed.comm.tls"

    def make_misled(self) -> tuple[Mapping[str, str], str]:
        return {"python_version": "3.9.1"}, "Start its workers with Python 3.9"

    def test_close_can_be_repeated(self, executor: Executor, tmp_path: Path) -> None:
        """Closing twice is harmless, and what runs goes on, because jobs outlive the dispatcher."""

        def wait(port: int) -> None:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)
                connection.sendall(b"still here\n")

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                await running.submit(job(wait, beacon.port))
                await beacon.word()
                await running.executor.close()
                await running.executor.close()
                beacon.answer()
                assert await beacon.word() == b"still here"
                await beacon.gone()

        self.run(executor, tmp_path, scenario)

    def test_job_that_is_listed_but_forgotten(self, executor: Executor, tmp_path: Path) -> None:
        """A scheduler that gives a job up while somebody looks for it does not keep the dispatcher waiting for ever."""
        from distributed import Client, Future

        unknown = AttemptId(uuid.uuid4().hex)

        async def scenario(running: Running) -> None:
            async with Client(self.address, asynchronous=True, set_as_default=False) as client:  # type: ignore[no-untyped-call]
                await client.publish_dataset(Future("forgotten", client), name="forgotten")
                await running.executor.watch({unknown: {"address": self.address, "key": "forgotten"}})
                outcome = await running.host.finished(unknown)
                assert outcome.status is JobStatus.LOST
                assert outcome.failure is not None
                assert "does not know it any more" in outcome.failure.message
                assert "forgotten" not in await client.list_datasets()

        self.run(executor, tmp_path, scenario)
