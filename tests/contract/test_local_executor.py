"""The local executor keeps the contract of executors."""

from collections.abc import Mapping
from typing import ClassVar

from covalent_lab.executor.base import Executor
from covalent_lab.executor.registry import load
from covalent_lab.testing.packing_suite import PackingContract


class TestLocalExecutor(PackingContract):
    """The shipped suite on two worker processes."""

    lacks: ClassVar[Mapping[str, str]] = {
        "backend_restart": "its backend are processes that end with it; a crash of one is another test",
        "another_python": "without the notebook's interpreter it runs with the server's, and says so; another test",
        "refused_credentials": "it starts processes of its own account",
    }

    def make_executor(self) -> Executor:
        return load("local")(workers=2, grace_s=0.2)
