"""Executor name → class, found through entry points and loaded on first use.

Decides which names there are; never imports a plugin only to list it, and knows no executor itself.
"""

from importlib.metadata import EntryPoint, entry_points

from covalent_lab.errors import BackendError, UnknownExecutorError
from covalent_lab.executor.base import Executor

__all__ = ["GROUP", "ExecutorRegistry", "load", "load_class", "names", "register"]

GROUP = "covalent_lab.executors"


class ExecutorRegistry:
    """Names and classes; loaded classes are remembered."""

    def __init__(self, group: str = GROUP) -> None:
        """Look at nothing yet.

        Args:
            group: Entry-point group whose entries name executor classes.
        """
        self._group = group
        self._found: dict[str, EntryPoint] | None = None
        self._classes: dict[str, type[Executor]] = {}

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted; loads nothing."""
        return tuple(sorted({*self._entries(), *self._classes}))

    def load(self, name: str) -> type[Executor]:
        """The class of a name.

        Raises:
            UnknownExecutorError: Nothing is registered under this name.
            BackendError: The plugin cannot be imported, or holds no executor class.
        """
        found = self._classes.get(name)
        if found is not None:
            return found
        entry = self._entries().get(name)
        if entry is None:
            raise UnknownExecutorError(name, self.names())
        try:
            loaded = entry.load()
        except Exception as error:
            raise BackendError(
                f"Executor {name!r} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}. "
                "Install what it needs, or remove the plugin."
            ) from error
        if not (isinstance(loaded, type) and issubclass(loaded, Executor)):
            raise BackendError(
                f"Executor {name!r} ({entry.value}) is no subclass of covalent_lab.executor.base.Executor. "
                "Correct the entry point of the plugin."
            )
        self._classes[name] = loaded
        return loaded

    def load_class(self, class_name: str) -> type[Executor] | None:
        """The class of that name, None if no plugin has one; loads only the plugin that says it has.

        Raises:
            BackendError: That plugin cannot be imported.
        """
        for name, entry in self._entries().items():
            if entry.attr == class_name:
                return self.load(name)
        return next((cls for cls in self._classes.values() if cls.__name__ == class_name), None)

    def register(self, name: str, cls: type[Executor]) -> None:
        """Add a class under a name, or replace the one that is there; for this process only."""
        self._classes[name] = cls

    def _entries(self) -> dict[str, EntryPoint]:
        if self._found is None:
            self._found = {entry.name: entry for entry in entry_points(group=self._group)}
        return self._found


_registry = ExecutorRegistry()


def names() -> tuple[str, ...]:
    """Every executor name known to this process, sorted."""
    return _registry.names()


def load_class(class_name: str) -> type[Executor] | None:
    """The executor class of that class name, None if no plugin has one."""
    return _registry.load_class(class_name)


def load(name: str) -> type[Executor]:
    """The executor class of a name.

    Raises:
        UnknownExecutorError: Nothing is registered under this name.
        BackendError: The plugin cannot be imported, or holds no executor class.
    """
    return _registry.load(name)


def register(name: str, cls: type[Executor]) -> None:
    """Add a class under a name, or replace the one that is there; for this process only."""
    _registry.register(name, cls)
