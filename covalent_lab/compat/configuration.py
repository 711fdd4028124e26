"""The configuration as programs for Covalent change it: a manager object, and merging of nested entries."""

from collections.abc import Iterator, Mapping
from typing import Any

from covalent_lab.config.access import get_config, reload_config, set_config
from covalent_lab.config.reader import ConfigReader, config_path

__all__ = ["ConfigManager", "update_config"]


def update_config(new_entries: Mapping[str, Any] | None = None, override_existing: bool = True) -> None:
    """Write entries to the configuration file; what they do not name stays.

    Args:
        new_entries: Sections and keys, nested or joined by dots.
        override_existing: False leaves keys alone that the file has a value for.

    Raises:
        ConfigError: A value has the wrong type, or the file cannot be written. Nothing was changed.

    Example:
        >>> update_config({"executors": {"slurm": {"username": "ada"}}}, override_existing=False)   # doctest: +SKIP
    """
    changes = dict(_leaves(new_entries or {}, ()))
    if not override_existing:
        file = ConfigReader().file
        changes = {parts: value for parts, value in changes.items() if not _holds(file, parts)}
    set_config({".".join(parts): value for parts, value in changes.items()})


class ConfigManager:
    """The configuration file as an object. It keeps nothing: each question is put to the file."""

    @property
    def config_file(self) -> str:
        """Path of the file."""
        return str(config_path())

    @property
    def config_data(self) -> dict[str, Any]:
        """Everything that holds now, as nested dictionaries."""
        return dict(get_config())

    def get(self, key: str) -> Any:
        """What holds for a key or a section.

        Raises:
            KeyError: There is no such key.
        """
        return get_config(key)

    def set(self, key: str, value: Any) -> None:
        """Write a value to the file, at once."""
        set_config(key, value)

    def update_config(self, new_entries: Mapping[str, Any] | None = None, override_existing: bool = True) -> None:
        """As the function of this name."""
        update_config(new_entries, override_existing)

    def read_config(self) -> None:
        """Check the file.

        Raises:
            ConfigError: It cannot be used.
        """
        reload_config()

    def write_config(self) -> None:
        """Check the file; what was set is in it already."""
        reload_config()


def _leaves(entries: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in entries.items():
        parts = (*above, *key.split("."))
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, parts)
        else:
            yield parts, value


def _holds(tree: Any, parts: tuple[str, ...]) -> bool:
    for part in parts:
        if not isinstance(tree, Mapping) or part not in tree:
            return False
        tree = tree[part]
    return True
