"""Executors: `ct.executor.LocalExecutor(…)` and every other class that a plugin registers, loaded on first use.

`BaseExecutor` and `AsyncBaseExecutor` are there to be subclassed; `Executor` is the engine's own interface.
"""

from typing import TYPE_CHECKING, Any

from covalent_lab.executor import registry
from covalent_lab.executor.base import Executor
from covalent_lab.executor.classic import AsyncBaseExecutor, BaseExecutor
from covalent_lab.executor.manager import ExecutorManager

if TYPE_CHECKING:
    DaskExecutor: type[Executor]
    KernelExecutor: type[Executor]
    LSFExecutor: type[Executor]
    LocalExecutor: type[Executor]
    PBSExecutor: type[Executor]
    SGEExecutor: type[Executor]
    SlurmExecutor: type[Executor]
    SSHExecutor: type[Executor]

__all__ = [
    "AsyncBaseExecutor",
    "BaseExecutor",
    "DaskExecutor",
    "Executor",
    "KernelExecutor",
    "LSFExecutor",
    "LocalExecutor",
    "PBSExecutor",
    "SGEExecutor",
    "SSHExecutor",
    "SlurmExecutor",
]

_executor_manager = ExecutorManager()


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        found = registry.load_class(name)
        if found is not None:
            globals()[name] = found
            return found
    raise AttributeError(f"module 'covalent_lab.executor' has no attribute {name!r}")
