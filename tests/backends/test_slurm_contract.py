"""The Slurm executor keeps the contract of executors, on a real Slurm cluster."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.queues import SlurmExecutor

from covalent_lab.executor.base import Executor, JobHandle
from covalent_lab.testing.executor_suite import ExecutorContract
from covalent_lab.testing.recovery_suite import Restartable
from tests.backends.slurm_cluster import SlurmCluster
from tests.backends.sshd import SshServer

pytestmark = pytest.mark.external


class TestSlurmExecutor(ExecutorContract):
    """The shipped suite."""

    workdir_option = "remote_workdir"
    many = 20
    stop_s = 120.0
    keeps_jobs = True

    @pytest.fixture(autouse=True)
    def _given(
        self,
        slurm: SlurmCluster,
        slurm_ssh: SshServer,
        slurm_options: dict[str, Any],
        other_key: Path,
    ) -> None:
        self.cluster, self.login, self.given, self.other_key = slurm, slurm_ssh, slurm_options, other_key

    def lost(self, handle: JobHandle) -> JobHandle:
        return {**handle, "stem": "none-0", "name": "none"}

    def make_executor(self) -> Executor:
        return SlurmExecutor(**self.given)

    @contextmanager
    def make_restartable(self, folder: Path) -> Iterator[Restartable]:
        yield Restartable(executor=self.make_executor(), restart=self.cluster.restart)

    def make_refused(self) -> tuple[Executor, str]:
        login = {**self.login.login(), "ssh_key_file": str(self.other_key), "address": self.login.host}
        return SlurmExecutor(**{**self.given, **login, "on_login_node": False}), "does not accept key"

    def make_misled(self) -> tuple[Mapping[str, str], str]:
        return {"python_version": "3.9.1"}, "but the workflow was written with 3.9"
