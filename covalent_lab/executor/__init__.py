"""Executors: `ct.executor.LocalExecutor(…)` and every other class that a plugin registers, loaded on first use."""

from typing import TYPE_CHECKING, Any

from covalent_lab.executor import registry
from covalent_lab.executor.base import Executor

if TYPE_CHECKING:
    LocalExecutor: type[Executor]

__all__ = ["Executor", "LocalExecutor"]


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        found = registry.load_class(name)
        if found is not None:
            globals()[name] = found
            return found
    raise AttributeError(f"module 'covalent_lab.executor' has no attribute {name!r}")
