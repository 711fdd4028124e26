"""The Slurm executor keeps the contract of executors, on a real Slurm cluster."""

from typing import Any

import pytest
from covalent_lab_executors.queues import SlurmExecutor

from covalent_lab.executor.base import Executor
from covalent_lab.testing.executor_suite import ExecutorContract

pytestmark = pytest.mark.external


class TestSlurmExecutor(ExecutorContract):
    """The shipped suite."""

    workdir_option = "remote_workdir"
    many = 20
    stop_s = 30.0

    @pytest.fixture(autouse=True)
    def _given(self, slurm_options: dict[str, Any]) -> None:
        self.given = slurm_options

    def make_executor(self) -> Executor:
        return SlurmExecutor(**self.given)
