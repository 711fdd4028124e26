"""Executors of queue systems keep the contract of executors, with programs that answer as each of the systems does."""

from typing import Any

import pytest
from covalent_lab_executors.queues import LSFExecutor, PBSExecutor, SGEExecutor, SlurmExecutor

from covalent_lab.executor.base import Executor
from covalent_lab.testing.executor_suite import ExecutorContract
from tests.backends.fake_queue import FakeQueue


class QueueContract(ExecutorContract):
    """The shipped suite, on one system."""

    workdir_option = "remote_workdir"
    many = 20
    stop_s = 30.0
    kind: type[Executor]

    @pytest.fixture(autouse=True)
    def _given(self, queue: FakeQueue, queue_options: dict[str, Any]) -> None:
        self.given = {**queue_options, "ignore_versions": True}

    def make_executor(self) -> Executor:
        return self.kind(**self.given)


@pytest.mark.parametrize("queue", ["slurm"], indirect=True)
class TestSlurm(QueueContract):
    """Slurm."""

    kind = SlurmExecutor


@pytest.mark.parametrize("queue", ["pbs"], indirect=True)
class TestPBS(QueueContract):
    """PBS Professional and OpenPBS; Torque differs in its answers only."""

    kind = PBSExecutor


@pytest.mark.parametrize("queue", ["lsf"], indirect=True)
class TestLSF(QueueContract):
    """LSF."""

    kind = LSFExecutor


@pytest.mark.parametrize("queue", ["sge"], indirect=True)
class TestSGE(QueueContract):
    """Grid Engine."""

    kind = SGEExecutor
