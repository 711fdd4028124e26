"""Executor name → class, found by `plugins.py` and loaded on first use.

Decides which names there are, and how a class becomes an executor that the dispatcher can run; never imports a plugin
only to list it.
"""

import inspect
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import BackendError, UnknownExecutorError
from covalent_lab.executor.base import Executor
from covalent_lab.executor.bridge import ClassicBridge
from covalent_lab.executor.classic_base import HOSTED, ClassicExecutor
from covalent_lab.executor.hosted import HostedExecutor
from covalent_lab.executor.plugins import GROUP, Plugin, class_in, find_files, find_plugins

__all__ = [
    "GROUP",
    "ExecutorClass",
    "ExecutorRegistry",
    "create",
    "default",
    "load",
    "load_class",
    "name_of",
    "names",
    "register",
]

ExecutorClass = type[Executor] | type[ClassicExecutor]

_log = logging.getLogger(__name__)


class ExecutorRegistry:
    """Names and classes; loaded classes are remembered."""

    def __init__(self, group: str = GROUP) -> None:
        """Look at nothing yet.

        Args:
            group: Entry-point group whose entries name executor classes.
        """
        self._group = group
        self._found: dict[str, Plugin] | None = None
        self._classes: dict[str, ExecutorClass] = {}
        self._nothing: dict[str, tuple[object, ...]] = {}  # by name, the state of plugins that hold no executor

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted; loads nothing."""
        return tuple(sorted({*self._plugins(), *self._classes}))

    def load(self, name: str) -> ExecutorClass:
        """The class of a name.

        Raises:
            UnknownExecutorError: Nothing is registered under this name.
            BackendError: The plugin cannot be imported, or holds no executor class.
        """
        if name == HOSTED:
            return HostedExecutor
        found = self._classes.get(name)
        if found is not None:
            return found
        plugin = self._plugins().get(name)
        loaded = None if plugin is None else self._loaded(plugin)
        if loaded is None:
            raise UnknownExecutorError(name, tuple(known for known in self.names() if known != name))
        self._classes[name] = loaded
        return loaded

    def load_class(self, class_name: str) -> ExecutorClass | None:
        """The class of that name, None if no plugin has one; loads others only if none says that it has.

        Raises:
            BackendError: The plugin that says so cannot be imported.
        """
        for name, plugin in self._plugins().items():
            if plugin.class_name == class_name:
                return self.load(name)
        return next((cls for cls in self.load_all().values() if cls.__name__ == class_name), None)

    def load_all(self) -> Mapping[str, ExecutorClass]:
        """Every class by name; a plugin that is broken is logged and left out."""
        for name in self.names():
            try:
                self.load(name)
            except (BackendError, UnknownExecutorError) as error:
                _log.warning("executor plugin %s is left out: %s", name, error)
                self._plugins().pop(name, None)
        return dict(sorted(self._classes.items()))

    def origin(self, name: str) -> str:
        """Where the plugin of a name is: a file, or a module and its class; empty if it was only registered here."""
        plugin = self._plugins().get(name)
        return "" if plugin is None else plugin.origin

    def name_of(self, cls: type) -> str | None:
        """The name under which a class is registered; loads only plugins of its package."""
        package = cls.__module__.partition(".")[0]
        for name, plugin in self._plugins().items():
            if plugin.module == cls.__module__ or (plugin.class_name and plugin.module.partition(".")[0] == package):
                try:
                    self.load(name)
                except (BackendError, UnknownExecutorError) as error:
                    _log.warning("executor plugin %s is left out: %s", name, error)
        return next((name for name, known in self._classes.items() if known is cls), None)

    def register(self, name: str, cls: ExecutorClass) -> None:
        """Add a class under a name, or replace the one that is there; for this process only."""
        self._classes[name] = cls

    def add_folder(self, folder: str | Path) -> None:
        """Add the plugins of one more folder."""
        for plugin in find_files(folder):
            self._plugins().setdefault(plugin.name, plugin)

    def refresh(self) -> None:
        """Look for plugins again; loaded classes stay."""
        self._found = None

    def instance(self, name: str, configured: Mapping[str, Any] | None = None) -> Executor | ClassicExecutor:
        """A new instance that holds configured values.

        Args:
            name: Short name.
            configured: Option values; None for those of the configuration.

        Raises:
            UnknownExecutorError, BackendError: See `load`.
            Exception: Whatever the class raises.
        """
        kind = self.load(name)
        given = ConfigReader().tree("executors").get("executors", {}) if configured is None else {name: configured}
        values = {
            key: value for key, value in given.get(name, {}).items() if not isinstance(key, str) or _takes(kind, key)
        }
        return kind(**values)

    def create(self, name: str, configured: Mapping[str, Any], fallbacks: Mapping[str, Any] | None = None) -> Executor:
        """An executor for the dispatcher, not started.

        Args:
            name: Short name.
            configured: Option values.
            fallbacks: Values for options of executors of the engine's own interface that are not configured.

        Raises:
            UnknownExecutorError, BackendError: See `load`.
        """
        kind = self.load(name)
        if kind is HostedExecutor:
            return HostedExecutor(self.create("local", {"workers": HostedExecutor.max_in_flight}, fallbacks))
        if not issubclass(kind, Executor):
            return ClassicBridge(name, lambda: self._classic(name, configured))
        engine = self.instance(name, {**(fallbacks or {}), **configured})
        assert isinstance(engine, Executor)
        return engine

    def _classic(self, name: str, configured: Mapping[str, Any]) -> ClassicExecutor:
        plain = self.instance(name, configured or None)
        assert isinstance(plain, ClassicExecutor)
        return plain

    def _loaded(self, plugin: Plugin) -> ExecutorClass | None:
        """What a plugin holds; one that holds nothing is run, and complained of, once for each state of its file."""
        state = _state(plugin)
        if self._nothing.get(plugin.name) == state:
            return None
        loaded = _loaded(plugin)
        if loaded is None:
            self._nothing[plugin.name] = state
        return loaded

    def _plugins(self) -> dict[str, Plugin]:
        if self._found is None:
            self._found = find_plugins(self._group)
        return self._found


def _loaded(plugin: Plugin) -> ExecutorClass | None:
    try:
        loaded = class_in(plugin, plugin.load())
    except Exception as error:
        raise BackendError(
            f"Executor {plugin.name!r} ({plugin.origin}) cannot be loaded: {type(error).__name__}: {error}. "
            "Install what it needs, or remove the plugin."
        ) from error
    if loaded is None or (isinstance(loaded, type) and issubclass(loaded, (Executor, ClassicExecutor))):
        return loaded
    raise BackendError(
        f"Executor {plugin.name!r} ({plugin.origin}) is no subclass of covalent_lab.executor.base.Executor, "
        "BaseExecutor or AsyncBaseExecutor. Correct the entry point of the plugin."
    )


def _state(plugin: Plugin) -> tuple[object, ...]:
    """What changes when a plugin may hold something else."""
    try:
        found = os.stat(plugin.origin)
    except OSError:  # it is no file
        return (plugin.origin,)
    return plugin.origin, found.st_mtime_ns, found.st_size


def _takes(kind: ExecutorClass, name: str) -> bool:
    if issubclass(kind, Executor):
        return any(option.name == name for option in kind.options)
    parameters = inspect.signature(kind).parameters.values()
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


_registry = ExecutorRegistry()


def default() -> ExecutorRegistry:
    """The registry of this process."""
    return _registry


def names() -> tuple[str, ...]:
    """Every executor name known to this process, sorted."""
    return _registry.names()


def load_class(class_name: str) -> ExecutorClass | None:
    """The executor class of that class name, None if no plugin has one."""
    return _registry.load_class(class_name)


def load(name: str) -> ExecutorClass:
    """The executor class of a name.

    Raises:
        UnknownExecutorError: Nothing is registered under this name.
        BackendError: The plugin cannot be imported, or holds no executor class.
    """
    return _registry.load(name)


def name_of(cls: type) -> str | None:
    """The name under which a class is registered, None if it is no plugin."""
    return _registry.name_of(cls)


def create(name: str, configured: Mapping[str, Any], fallbacks: Mapping[str, Any] | None = None) -> Executor:
    """An executor for the dispatcher; see `ExecutorRegistry.create`."""
    return _registry.create(name, configured, fallbacks)


def register(name: str, cls: ExecutorClass) -> None:
    """Add a class under a name, or replace the one that is there; for this process only."""
    _registry.register(name, cls)
