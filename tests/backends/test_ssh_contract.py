"""The SSH executor keeps the contract of executors, through a real OpenSSH server."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.ssh import SSHExecutor

from covalent_lab.executor.base import Executor
from covalent_lab.testing.executor_suite import ExecutorContract
from covalent_lab.testing.recovery_suite import Restartable
from tests.backends.sshd import ssh_server

pytestmark = pytest.mark.external


class TestSSHExecutor(ExecutorContract):
    """The shipped suite."""

    workdir_option = "remote_workdir"
    keeps_jobs = True

    @pytest.fixture(autouse=True)
    def _given(self, ssh_options: dict[str, Any], other_key: Path, require: Callable[..., str]) -> None:
        self.given, self.other_key, self.require = ssh_options, other_key, require

    def make_executor(self) -> Executor:
        return SSHExecutor(**self.given)

    @contextmanager
    def make_restartable(self, folder: Path) -> Iterator[Restartable]:
        with ssh_server(folder, self.require("/usr/sbin/sshd", "sshd"), self.require("ssh")) as server:
            patient = {"max_connection_attempts": 100, "retry_wait_time": 0.2}
            executor = SSHExecutor(**{**self.given, **server.login(), **patient})
            yield Restartable(executor=executor, restart=server.restart)

    def make_refused(self) -> tuple[Executor, str]:
        return SSHExecutor(**{**self.given, "ssh_key_file": str(self.other_key)}), "does not accept key"

    def make_misled(self) -> tuple[Mapping[str, str], str]:
        return {"python_version": "3.9.1"}, "Set python_path or conda_env to a Python 3.9 there"
