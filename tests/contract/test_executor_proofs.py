"""Which tests of the suite for executors do not run for which executor, and why: all of it, in one table.

A test that is not here runs, on the real backend (PBS, LSF and Grid Engine: on programs that answer as theirs do).
"""

import inspect

import pytest

from covalent_lab.testing.executor_suite import ExecutorContract
from covalent_lab.testing.recovery_suite import RecoveryContract
from tests.backends import test_dask_executor, test_queue_contracts, test_slurm_contract, test_ssh_contract
from tests.contract import test_kernel_executor, test_local_executor

FAKE_QUEUE = {"backend_restart": "real cluster", "refused_credentials": "tested there"}
TABLE: dict[type[ExecutorContract], dict[str, str]] = {
    test_local_executor.TestLocalExecutor: {
        "another_python": "server's",
        "backend_restart": "end with it",
        "refused_credentials": "own account",
    },
    test_kernel_executor.TestKernelExecutor: {
        "another_python": "process that dispatched",
        "refused_credentials": "token",
    },
    test_dask_executor.TestDaskExecutor: {},
    test_ssh_contract.TestSSHExecutor: {},
    test_slurm_contract.TestSlurmExecutor: {},
    test_queue_contracts.TestSlurm: FAKE_QUEUE,
    test_queue_contracts.TestPBS: FAKE_QUEUE,
    test_queue_contracts.TestLSF: FAKE_QUEUE,
    test_queue_contracts.TestSGE: FAKE_QUEUE,
}
"""Each contract, and what it leaves out, with a word of the reason that it gives."""
HOOKS = {
    "backend_restart": "make_restartable",
    "refused_credentials": "make_refused",
    "another_python": "make_misled",
}


@pytest.mark.parametrize("contract", TABLE, ids=lambda contract: contract.__name__)
def test_what_an_executor_leaves_out_is_in_the_table(contract: type[ExecutorContract]) -> None:
    """With its reason; and what it does not leave out, it has the means to run."""
    reasons = TABLE[contract]
    assert contract.lacks.keys() == reasons.keys()
    assert all(word in contract.lacks[name] for name, word in reasons.items())
    run = {
        test
        for test in HOOKS
        if inspect.getattr_static(contract, HOOKS[test]) is not vars(RecoveryContract)[HOOKS[test]]
    }
    assert run == HOOKS.keys() - reasons.keys()


@pytest.mark.parametrize("contract", TABLE, ids=lambda contract: contract.__name__)
def test_nothing_is_left_out_without_a_reason(contract: type[ExecutorContract]) -> None:
    """All other tests of the suite are there, and none of them is marked to be skipped."""
    for name, suite_test in inspect.getmembers(ExecutorContract, inspect.isfunction):
        if name.startswith("test_") and name.removeprefix("test_") not in contract.lacks:
            own = getattr(contract, name)
            assert callable(own)
            for test in (suite_test, own):
                assert not [mark for mark in getattr(test, "pytestmark", []) if mark.name.startswith(("skip", "xfail"))]
