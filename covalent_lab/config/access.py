"""`get_config`, `set_config` and `reload_config`, as users call them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from covalent_lab.config.keys import KEYS
from covalent_lab.config.reader import ConfigReader, checked, config_path
from covalent_lab.config.toml import REMOVED
from covalent_lab.config.writer import write_changes
from covalent_lab.errors import ConfigError

__all__ = ["change_section", "get_config", "reload_config", "set_config"]


def get_config(entries: str | Sequence[str] | None = None) -> Any:
    """What is configured at this moment: environment first, then the file, then defaults. Writes nothing.

    Args:
        entries: A key with its section (`"dispatcher.port"`), a section, or several of them; None for everything.

    Returns:
        The value of a key, or a section as a dictionary; for several entries a dictionary with an item for each.

    Raises:
        KeyError: There is no such key. Names it.
        ConfigError: The file, or a value in it, cannot be used. Names file and value.

    Example:
        >>> import covalent_lab as ct
        >>> sorted(ct.get_config(["sdk.task_packing", "dispatcher.lease_s"]))
        ['dispatcher.lease_s', 'sdk.task_packing']
    """
    reader = ConfigReader()
    if not entries:
        return reader.tree()
    if isinstance(entries, str):
        return reader.get(entries)
    if not all(isinstance(entry, str) for entry in entries):
        raise TypeError(f"get_config() takes a key or a list of keys, not {entries!r}.")
    if len(entries) == 1:
        return reader.get(entries[0])
    return {entry: reader.get(entry) for entry in entries}


def set_config(new_config: str | Mapping[str, Any], new_value: Any = None) -> None:
    """Write values to the configuration file, at once and all or none; everything else in it stays.

    A dispatcher reads its settings when it starts, so it takes up new ones with its next start. An environment
    variable still wins over the file.

    Args:
        new_config: A key with its section, or a dictionary of keys and values; a dictionary as value is a section.
        new_value: The value, where one key is given.

    Raises:
        ConfigError: A value has the wrong type, or the file cannot be written. Nothing was changed.
        TypeError: A key is no text.

    Example:
        >>> import covalent_lab as ct
        >>> ct.set_config("executors.slurm.username", "ada")                 # doctest: +SKIP
        >>> ct.set_config({"dispatcher.port": 9000, "sdk.no_cluster": True})  # doctest: +SKIP
    """
    given = {new_config: new_value} if isinstance(new_config, str) else new_config
    if not isinstance(given, Mapping):
        raise TypeError(f"set_config() takes a key or a dictionary of keys, not {type(given).__name__}.")
    _write(dict(_leaves(given, ())))


def change_section(section: str, values: Mapping[str, Any]) -> None:
    """Write values of one section to the configuration file, at once and all or none.

    Args:
        section: Its name, as `executors.ssh`.
        values: By key; None takes a key out of the file, so that its default holds again. A dictionary takes the
            place of what was there, with all its keys.

    Raises:
        ConfigError: As for `set_config`.
    """
    parts = tuple(section.split("."))
    before: Any = ConfigReader().file
    for part in parts:
        before = before.get(part, {}) if isinstance(before, Mapping) else {}
    _write(dict(_differences(values, before, parts)))


def _write(changes: Mapping[tuple[str, ...], Any]) -> None:
    path = config_path()
    for parts, value in changes.items():
        name = ".".join(parts)
        if value is REMOVED:
            continue
        if name in KEYS:
            checked(KEYS[name], value, f"{path}: {name}")
        elif not isinstance(value, dict) and any(key.startswith(f"{name}.") for key in KEYS):
            raise ConfigError(f"{path}: {name} is a section; name one of its keys.")
        elif above := [".".join(parts[:i]) for i in range(1, len(parts)) if ".".join(parts[:i]) in KEYS]:
            raise ConfigError(f"{path}: {name} has no place; {above[0]} is a value.")
    if changes:
        write_changes(path, changes)


def reload_config() -> None:
    """Check the configuration file.

    `get_config` always asks the file itself, so there is nothing to load again; programs written for Covalent call
    this after the file has changed.

    Raises:
        ConfigError: The file cannot be used. Names it.
    """
    ConfigReader().tree()


def _leaves(given: Mapping[Any, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in given.items():
        if not isinstance(key, str):
            raise TypeError(f"A key is a text, not {key!r}.")
        parts = (*above, *key.split("."))
        if not all(parts):
            raise ConfigError(f"{'.'.join(parts)!r} is no key; write section.name.")
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, parts)
        elif isinstance(value, Mapping):
            yield parts, {}
        elif value is None:
            raise ConfigError(f"{'.'.join(parts)} is None; the configuration file has no form for it.")
        else:
            yield parts, _plain(value)


def _differences(
    values: Mapping[str, Any], before: Any, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        parts, known = (*above, key), before.get(key) if isinstance(before, Mapping) else None
        if isinstance(value, Mapping):
            gone = dict.fromkeys(known.keys() - value.keys()) if isinstance(known, Mapping) else {}
            yield parts, {}
            yield from _differences({**value, **gone}, known, parts)
        else:
            yield parts, REMOVED if value is None else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value
