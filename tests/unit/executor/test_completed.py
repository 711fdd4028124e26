"""Where the options of an executor come from that are not given."""

import os
from typing import Any

import pytest
from covalent_lab_executors.dask import DaskExecutor
from covalent_lab_executors.kernel import KernelExecutor
from covalent_lab_executors.local import LocalExecutor
from covalent_lab_executors.queues import PBSExecutor, SlurmExecutor
from covalent_lab_executors.ssh import SSHExecutor

import covalent_lab as ct
from covalent_lab.executor.base import Executor

pytestmark = pytest.mark.usefixtures("private")
OPTIONS = [
    (SSHExecutor, "poll_freq", 15, 60, 0),
    (SSHExecutor, "do_cleanup", True, False, True),
    (SSHExecutor, "retry_connect", True, False, True),
    (SSHExecutor, "max_connection_attempts", 5, 9, 1),
    (SSHExecutor, "retry_wait_time", 5, 1, 0),
    (SSHExecutor, "run_local_on_ssh_fail", False, True, False),
    (SSHExecutor, "create_unique_workdir", None, True, False),
    (SSHExecutor, "proxy_jump", "", "gate", "none"),
    (SlurmExecutor, "cleanup", True, False, True),
    (SlurmExecutor, "use_srun", True, False, True),
    (SlurmExecutor, "bashrc_path", "$HOME/.bashrc", "/etc/bashrc", ""),
    (PBSExecutor, "launcher", "", "mpiexec", "aprun"),
    (DaskExecutor, "create_unique_workdir", False, True, False),
    (DaskExecutor, "resources", None, {"GPU": 1}, {"CPU": 1}),
    (DaskExecutor, "priority", 0, 5, 0),
    (LocalExecutor, "create_unique_workdir", False, True, False),
    (KernelExecutor, "grace_s", 1.0, 3, 0),
    (KernelExecutor, "retries", 0, 2, 0),
]


def held(executor: Executor, name: str) -> Any:
    """What travels with the workflow."""
    return executor.to_dict()["attributes"][name]


@pytest.mark.parametrize(("kind", "name", "default", "configured", "given"), OPTIONS)
def test_argument_then_configuration_then_default(
    kind: type[Executor], name: str, default: Any, configured: Any, given: Any
) -> None:
    """For an instance as for the short name; no, nothing and zero are values."""
    assert held(kind(), name) == default
    ct.set_config(f"executors.{kind.short_name}.{name}", configured)
    assert held(kind(), name) == configured
    assert held(kind(**{name: None}), name) == configured
    assert held(kind(**{name: given}), name) == given


@pytest.mark.parametrize("kind", [DaskExecutor, KernelExecutor, LocalExecutor])
def test_argument_that_is_no_option_is_refused(kind: type[Executor]) -> None:
    """Whatever the configuration says."""
    ct.set_config(f"executors.{kind.short_name}.typo", 1)
    kind()
    with pytest.raises(TypeError, match="has no option 'typo'"):
        kind(typo=2)


def test_defaults_are_not_shared() -> None:
    """What one instance does to its options does not reach the next one."""
    first = SlurmExecutor()
    first.options["nodes"] = 1  # type: ignore[call-overload]
    assert held(SlurmExecutor(), "options") == {"parsable": ""}


def test_local_folder_is_no_option_of_an_instance() -> None:
    """The configured one is the server's to know."""
    assert held(LocalExecutor(), "workdir") == ""
    assert held(LocalExecutor(workdir=os.sep), "workdir") == os.sep
