"""Executors of queue systems keep the contract of executors, with programs that answer as each of the systems does."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from covalent_lab_executors.queues import LSFExecutor, PBSExecutor, SGEExecutor, SlurmExecutor

from covalent_lab.executor.base import Executor, JobHandle
from covalent_lab.testing.executor_suite import ExecutorContract
from tests.backends.fake_queue import FakeQueue


class QueueContract(ExecutorContract):
    """The shipped suite, on one system."""

    workdir_option = "remote_workdir"
    many = 20
    stop_s = 120.0
    kind: type[Executor]
    lacks: ClassVar[Mapping[str, str]] = {
        "backend_restart": "its programs are files; a restart is tested on a real cluster",
        "refused_credentials": "its programs ask for none; the login is that of Slurm, and tested there",
    }

    @pytest.fixture(autouse=True)
    def _given(self, queue: FakeQueue, queue_options: dict[str, Any]) -> None:
        self.given = queue_options

    def lost(self, handle: JobHandle) -> JobHandle:
        return {**handle, "stem": "none-0", "name": "none"}

    def make_executor(self) -> Executor:
        return self.kind(**self.given)

    def make_misled(self) -> tuple[Mapping[str, str], str]:
        return {"python_version": "3.9.1"}, "but the workflow was written with 3.9"


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
