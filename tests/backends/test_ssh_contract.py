"""The SSH executor keeps the contract of executors, through a real OpenSSH server."""

from typing import Any

import pytest
from covalent_lab_executors.ssh import SSHExecutor

from covalent_lab.executor.base import Executor
from covalent_lab.testing.executor_suite import ExecutorContract

pytestmark = pytest.mark.external


class TestSSHExecutor(ExecutorContract):
    """The shipped suite."""

    workdir_option = "remote_workdir"

    @pytest.fixture(autouse=True)
    def _given(self, ssh_options: dict[str, Any]) -> None:
        self.given = ssh_options

    def make_executor(self) -> Executor:
        return SSHExecutor(**self.given)
