"""The local executor keeps the contract of executors."""

from covalent_lab.executor.base import Executor
from covalent_lab.executor.registry import load
from covalent_lab.testing.packing_suite import PackingContract


class TestLocalExecutor(PackingContract):
    """The shipped suite on two worker processes."""

    def make_executor(self) -> Executor:
        return load("local")(workers=2, grace_s=0.2)
