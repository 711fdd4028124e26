"""Reads the configuration: environment first, then the file, then the defaults of the table."""

import os
import re
import time
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from covalent_lab.config.keys import KEYS, Key, Kind
from covalent_lab.errors import ConfigError

__all__ = ["ConfigReader", "add_executor_defaults", "checked", "config_path", "folders", "parse", "read_text"]

_APP = "covalent_lab"
_SETTLED_NS = 2 * 10**9  # a file may be written twice within one step of its clock
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Where the configuration file is looked for: `COVALENT_CONFIG_DIR`, `XDG_CONFIG_DIR`, else `~/.config`."""
    environ = os.environ if environ is None else environ
    folder = environ.get("COVALENT_CONFIG_DIR")
    if folder:
        return Path(folder).expanduser() / "covalent.conf"
    base = environ.get("XDG_CONFIG_DIR") or environ.get("XDG_CONFIG_HOME")
    return Path(base or Path.home() / ".config") / _APP / "covalent.conf"


def folders(environ: Mapping[str, str]) -> dict[str, Path]:
    """This product's folders for configuration, data and caches."""
    return {
        "config": config_path(environ).parent,
        "data": Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / _APP,
        "cache": Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / _APP,
    }


def read_text(path: Path) -> str:
    """The file's text; empty if there is no file.

    Raises:
        ConfigError: It cannot be read, or is no UTF-8. Names the file.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    except UnicodeDecodeError as error:
        raise _corrupt(path, error) from error


def parse(text: str, path: Path) -> dict[str, Any]:
    """The file's content.

    Raises:
        ConfigError: It is not TOML. Names the file.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _corrupt(path, error) from error


def _content(path: Path) -> dict[str, Any]:
    """The file's content; a file that did not change is read once."""
    try:
        stat = path.stat()
    except OSError:  # told by whoever reads it
        return parse(read_text(path), path)
    if time.time_ns() - stat.st_mtime_ns < _SETTLED_NS:
        return parse(read_text(path), path)
    return deepcopy(_unchanged(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)))


@lru_cache(maxsize=4)
def _unchanged(path: Path, _: tuple[int, ...]) -> dict[str, Any]:
    return parse(read_text(path), path)


def _corrupt(path: Path, error: ValueError) -> ConfigError:
    return ConfigError(f"{path} is not valid TOML: {error}. Correct it, or move it away.")


def checked(key: Key, value: Any, place: str) -> Any:
    """A value of the file in the form in which it is told.

    Args:
        key: Its line in the table.
        value: The value.
        place: What an error message begins with: the file and the key, or the variable.

    Raises:
        ConfigError: It has the wrong type, or is not among the choices.
    """
    truth = isinstance(value, bool)
    answer: Any = None
    match key.kind:
        case Kind.TEXT if isinstance(value, str):
            answer = value
        case Kind.PATH if isinstance(value, str):
            answer = os.path.expanduser(value)
        case Kind.INTEGER if isinstance(value, int) and not truth:
            answer = value
        case Kind.NUMBER if isinstance(value, int | float) and not truth:
            answer = float(value)
        case Kind.FLAG | Kind.SWITCH:
            answer = value if truth else _WORDS.get(str(value).lower()) if isinstance(value, str) else None
    if answer is None:
        raise ConfigError(f"{place} is {value!r}; it must be {key.kind.value}.")
    if key.choices and answer not in key.choices:
        allowed = " or ".join(f'"{choice}"' for choice in key.choices)
        raise ConfigError(f"{place} is {value!r}; write {allowed} instead.")
    return str(answer).lower() if key.kind is Kind.FLAG else answer


_executor_defaults: dict[str, Mapping[str, Any]] = {}


def add_executor_defaults(name: str, values: Mapping[str, Any]) -> None:
    """Let the section `executors.<name>` tell a plugin's defaults where the file says nothing; for this process."""
    _executor_defaults[name] = values


def _from_text(key: Key, text: str, place: str) -> Any:
    value: Any = text
    try:
        if key.kind is Kind.INTEGER:
            value = int(text)
        elif key.kind is Kind.NUMBER:
            value = float(text)
    except ValueError:
        pass  # `checked` says what is wrong with it
    return checked(key, value, place)


class ConfigReader:
    """What environment and file say at this moment.

    Args:
        environ: Environment variables; None for this process's.

    Raises:
        ConfigError: The file cannot be read, or is not TOML.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.path = config_path(self.environ)
        self.file = _content(self.path)

    @cached_property
    def _folders(self) -> Mapping[str, Path]:
        return folders(self.environ)

    def value(self, name: str) -> Any:
        """The value of a key of the table.

        Raises:
            ConfigError: What environment or file say cannot be used.
        """
        key = KEYS[name]
        text = self.environ.get(key.variable) if key.variable else None
        if text:
            return _from_text(key, text, key.variable)
        found, value = self._in_file(name)
        if found and not _left_out(key, value):
            return checked(key, value, f"{self.path}: {name}")
        if isinstance(key.default, str):
            return _from_text(key, re.sub(r"\{([\w.]+)\}", self._stands_for, key.default), name)
        return key.default

    def given(self, name: str) -> bool:
        """Whether environment or file say something about a key of the table."""
        key = KEYS[name]
        found, value = self._in_file(name)
        return bool(key.variable and self.environ.get(key.variable)) or (found and not _left_out(key, value))

    def table(self, name: str) -> dict[str, dict[str, Any]]:
        """A table of tables of the file, as `executors`, with values of known keys as `value` tells them.

        Raises:
            ConfigError: It, or something in it, is no table.
        """
        found, tables = self._in_file(name)
        tables = self._a_table(name, tables) if found else {}
        return {
            part: {
                option: self.value(full) if (full := f"{name}.{part}.{option}") in KEYS else value
                for option, value in self._a_table(f"{name}.{part}", inner).items()
            }
            for part, inner in tables.items()
        }

    def get(self, entry: str) -> Any:
        """The value of a key, or all values of a section as a dictionary.

        Raises:
            KeyError: There is none. Names the entry.
        """
        value: Any = self.tree(entry)
        for part in entry.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise KeyError(entry)
            value = value[part]
        return value

    def tree(self, entry: str = "") -> dict[str, Any]:
        """File and defaults in one; with an entry, only what is needed to answer it is looked at."""
        tree = _copy(self.file)
        if not entry or entry.partition(".")[0] == "executors":
            for executor, values in _executor_defaults.items():
                _fill(tree, {"executors": {executor: values}})
        for name in KEYS:
            if not entry or name == entry or name.startswith(f"{entry}."):
                *sections, last = name.split(".")
                table = tree
                for i, section in enumerate(sections):
                    table = self._a_table(".".join(sections[: i + 1]), table.setdefault(section, {}))
                table[last] = self.value(name)
        return tree

    def _stands_for(self, match: re.Match[str]) -> str:
        name = match[1]
        match name:
            case "config_file":
                return str(self.path)
            case "cpus":
                return str(os.cpu_count() or 1)
            case "records" if self.given("dispatcher.results_dir"):
                return str(self.value("dispatcher.results_dir"))
            case "records":
                return str(self._folders["data"])
            case _:
                return str(self._folders[name] if name in self._folders else self.value(name))

    def _in_file(self, name: str) -> tuple[bool, Any]:
        value: Any = self.file
        parts = name.split(".")
        for i, part in enumerate(parts):
            table = self._a_table(".".join(parts[:i]), value)
            if part not in table:
                return False, None
            value = table[part]
        return True, value

    def _a_table(self, name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ConfigError(f"{self.path}: {name} is {value!r}; it must be a table.")
        return value


def _left_out(key: Key, value: Any) -> bool:
    return key.kind is Kind.PATH and value == ""


def _fill(tree: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for key, value in defaults.items():
        if isinstance(value, Mapping) and isinstance(tree.setdefault(key, {}), dict):
            _fill(tree[key], value)
        else:
            tree.setdefault(key, value)


def _copy(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, Mapping) else value for key, value in tree.items()}
