"""The documented way to look at executors: `ct.executor._executor_manager`."""

import sys
from collections.abc import Mapping

from covalent_lab.executor.base import Executor
from covalent_lab.executor.classic_base import ClassicExecutor
from covalent_lab.executor.registry import ExecutorClass, ExecutorRegistry, default

__all__ = ["ExecutorManager"]


class ExecutorManager:
    """Names, classes and new instances of executors.

    Example:
        >>> import covalent_lab as ct
        >>> ct.executor._executor_manager.is_plugin_name("local")
        True
    """

    def __init__(self, registry: ExecutorRegistry | None = None) -> None:
        """Look at nothing yet.

        Args:
            registry: What knows the plugins; None for the one of this process.
        """
        self._registry = registry or default()

    def get_executor(self, name: str | Executor | ClassicExecutor) -> Executor | ClassicExecutor:
        """A new instance of a named executor, with configured values; an instance is returned as it is.

        Raises:
            ValueError: No executor has this name. Names it.
            TypeError: It is neither a name nor an executor.
        """
        if isinstance(name, (Executor, ClassicExecutor)):
            return name
        if not isinstance(name, str):
            raise TypeError(f"An executor is chosen by name or instance, not by a {type(name).__name__}.")
        return self._registry.instance(name)

    def list_executors(self, regenerate: bool = False, print_names: bool = True) -> list[str]:
        """Names of all executors.

        Args:
            regenerate: Look for plugins again.
            print_names: Also print them, one a line.
        """
        if regenerate:
            self.generate_plugins_list()
        names = list(self._registry.names())
        if print_names:
            sys.stdout.writelines(f"{name}\n" for name in names)
        return names

    def generate_plugins_list(self) -> None:
        """Look for plugins again, and load them; broken ones are logged and left out."""
        self._registry.refresh()
        self._registry.load_all()

    def load_executors(self, executor_dir: str) -> None:
        """Add the plugins in a folder's `*.py` files."""
        self._registry.add_folder(executor_dir)
        self._registry.load_all()

    @property
    def executor_plugins_map(self) -> Mapping[str, ExecutorClass]:
        """Every class by name."""
        return self._registry.load_all()

    def is_plugin_name(self, name: str) -> bool:
        """Whether an executor has this name."""
        return name in self._registry.names()
