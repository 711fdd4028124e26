"""Finds executors: files in plugin folders and entry points of installed packages. Lists them without loading any.

A plugin is a class, or a module that names its class in `EXECUTOR_PLUGIN_NAME` and may give defaults of its options in
`_EXECUTOR_PLUGIN_DEFAULTS`.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from covalent_lab.config.reader import ConfigReader, add_executor_defaults
from covalent_lab.errors import ConfigError

__all__ = ["GROUP", "OLDER_GROUPS", "Plugin", "class_in", "find_files", "find_plugins"]

GROUP = "covalent_lab.executors"
OLDER_GROUPS = ("covalent.executor.executor_plugins", "covalent_lab.executor.executor_plugins")

_log = logging.getLogger(__name__)
_BUILT_IN = "covalent_lab_executors"
_FILES = "covalent_lab_plugin_files"
_FOREIGN = ("covalent", "covalent_aws_plugins", "covalent_dispatcher")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        name: Short name of its executor.
        origin: Where it is, for messages.
        module: Module of the class, or that holds it.
        class_name: Of the class; empty if only loading can tell.
        load: Imports it; returns the class or its module.
    """

    name: str
    origin: str
    module: str
    class_name: str
    load: Callable[[], Any]


def find_plugins(group: str = GROUP, environ: Mapping[str, str] | None = None) -> dict[str, Plugin]:
    """Every plugin by name. What comes with this package wins over files, and those over installed packages.

    With `COVALENT_PLUGIN_LOAD=false` there is only what comes with this package.
    """
    environ = os.environ if environ is None else environ
    entries = [_of_entry(entry) for entry in entry_points(group=group)]
    found = [plugin for plugin in entries if plugin.module.partition(".")[0] == _BUILT_IN]
    if environ.get("COVALENT_PLUGIN_LOAD", "").lower() not in ("false", "0"):
        for folder in _folders(environ):
            found += find_files(folder)
        found += entries
        found += [_of_entry(entry) for older in OLDER_GROUPS for entry in entry_points(group=older)]
    return {plugin.name: plugin for plugin in reversed(found)}


def find_files(folder: str | Path) -> list[Plugin]:
    """Plugins among the `*.py` files of a folder; those that begin with an underscore are left out."""
    paths = sorted(Path(folder).expanduser().glob("*.py"))
    return [_of_file(path) for path in paths if not path.name.startswith("_")]


def class_in(plugin: Plugin, loaded: Any) -> Any:
    """The class that a loaded plugin stands for, None if it names none; its defaults enter the configuration."""
    if not isinstance(loaded, ModuleType):
        return loaded
    name = getattr(loaded, "EXECUTOR_PLUGIN_NAME", None) or getattr(loaded, "executor_plugin_name", None)
    if name is None:
        _log.warning("%s is no executor plugin: it has no EXECUTOR_PLUGIN_NAME", plugin.origin)
        return None
    defaults = getattr(loaded, "_EXECUTOR_PLUGIN_DEFAULTS", None)
    if defaults:
        add_executor_defaults(plugin.name, defaults)
    return getattr(loaded, name)


def _loading(load: Callable[[], Any]) -> Callable[[], Any]:
    """Load a plugin; one that was written for Covalent finds its modules here, unless Covalent itself is installed."""

    def loaded() -> Any:
        try:
            return load()
        except ModuleNotFoundError as error:
            if error.name not in _FOREIGN:
                raise
        from covalent_lab import compat  # a layer above, only for plugins that need it

        compat.install()
        return load()

    return loaded


def _folders(environ: Mapping[str, str]) -> list[str]:
    try:
        configured = ConfigReader({k: v for k, v in environ.items() if k != "COVALENT_EXECUTOR_DIR"})
        folders = [str(configured.value("sdk.executor_dir"))]
    except ConfigError as error:
        _log.warning("the configured folder of executor plugins is not known: %s", error)
        folders = []
    return [*folders, *filter(None, environ.get("COVALENT_EXECUTOR_DIR", "").split(os.pathsep))]


def _of_entry(entry: Any) -> Plugin:
    return Plugin(
        name=entry.name, origin=entry.value, module=entry.module, class_name=entry.attr, load=_loading(entry.load)
    )


def _of_file(path: Path) -> Plugin:
    module = f"{_FILES}.{path.stem}"
    load = _loading(lambda: _load_file(module, path))
    return Plugin(name=path.stem, origin=str(path), module=module, class_name="", load=load)


def _load_file(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[name] = module  # classes are looked up there, as by dataclasses
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
