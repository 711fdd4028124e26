"""The configuration as a form: every key with what may be written there; and changes that come from one.

Secrets are never told: a form shows that there is one, and a change that leaves it out keeps it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from covalent_lab.config.access import set_config
from covalent_lab.config.keys import KEYS, Kind
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import ConfigError

__all__ = ["EDITABLE", "change", "form", "is_secret"]

EDITABLE = ("sdk", "executors")
_FIXED = ("sdk.config_file",)
_SECRET = ("password", "secret", "token", "access_key")
_FORMS = {
    Kind.TEXT: "text",
    Kind.PATH: "text",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.FLAG: "boolean",
    Kind.SWITCH: "boolean",
}


def is_secret(name: str) -> bool:
    """Whether the value of a key is not to be shown."""
    return any(word in name.rpartition(".")[2].lower() for word in _SECRET)


def form() -> dict[str, Any]:
    """Every key and its value at this moment.

    Returns:
        `path` of the file, and `fields`, each with `name, section, type` (`text`, `integer`, `number`, `boolean` or
        `json`), `value` (None for a secret), `choices`, `is_secret`, `is_set` (whether file or environment say
        something), `variable` (the one that overrides the file at this moment, or empty) and `is_read_only`.

    Raises:
        ConfigError: The file cannot be used. Names it.
    """
    reader = ConfigReader()
    fields = [_field(reader, name, value) for name, value in _leaves(reader.tree())]
    return {"path": str(reader.path), "fields": fields}


def change(values: Mapping[str, Any]) -> None:
    """Write values of keys into the file, all or none.

    Args:
        values: By name with sections; only of sections that may be edited.

    Raises:
        ConfigError: A name has no section that may be edited, or a value is not what it must be. Nothing was changed.
    """
    for name in values:
        parts = name.split(".")
        if len(parts) < 2 or not all(parts):
            raise ConfigError(f"{name!r} is no key; write section.name.")
        if parts[0] not in EDITABLE or name in _FIXED:
            raise ConfigError(f"{name} cannot be changed here. Change it in the file while nothing runs.")
    set_config(dict(values))


def _field(reader: ConfigReader, name: str, value: Any) -> dict[str, Any]:
    key, secret = KEYS.get(name), is_secret(name)
    section = name.partition(".")[0]
    kind = _type_of(value) if key is None else _FORMS[key.kind]
    overriding = key.variable if key is not None and key.variable and reader.environ.get(key.variable) else ""
    return {
        "name": name,
        "section": section,
        "type": kind,
        "value": None if secret else _shown(kind, value),
        "choices": [] if key is None else list(key.choices),
        "is_secret": secret,
        "is_set": bool(value) if key is None else reader.given(name),
        "variable": overriding,
        "is_read_only": section not in EDITABLE or name in _FIXED,
    }


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "text"
        case _:
            return "json"


def _shown(kind: str, value: Any) -> Any:
    if kind == "boolean":
        return value if isinstance(value, bool) else value == "true"
    if isinstance(value, str | int | float | list) or value is None:
        return value
    return str(value)


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value
