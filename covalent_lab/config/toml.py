"""Writes TOML: a tree as text, and changes of single keys in a text that stays as its user wrote it."""

import json
import math
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

__all__ = ["REMOVED", "dump", "edited", "literal"]

REMOVED = object()
"""As a value in changes: the key goes."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?\s*")
_ENTRY = re.compile(r"""(\s*)([A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')(\s*=\s*)(.*?)\s*""")


def literal(value: Any) -> str:
    """A value as TOML writes it.

    Raises:
        TypeError: TOML has no form for it.

    Example:
        >>> literal("a b"), literal(True), literal([1, {"k": 2.0}])
        ('"a b"', 'true', '[1, {k = 2.0}]')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return repr(float(value)) if math.isfinite(value) else str(float(value))
        case str():
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case datetime() | date() | time():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
        case Mapping():
            return "{" + ", ".join(f"{_name(key)} = {literal(inner)}" for key, inner in value.items()) + "}"
        case _:
            raise TypeError(f"TOML has no form for {type(value).__name__}")


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"names are texts in TOML, not {type(key).__name__}")
    return key if _BARE.fullmatch(key) else literal(key)


def dump(tree: Mapping[str, Any]) -> str:
    """A whole file.

    Raises:
        TypeError: TOML has no form for a value.
    """
    return "\n".join(_blocks(tree, ()))


def _blocks(tree: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in tree.items() if not isinstance(value, Mapping)}
    inner = {key: value for key, value in tree.items() if isinstance(value, Mapping)}
    lines = "".join(f"{_name(key)} = {literal(value)}\n" for key, value in plain.items())
    blocks = []
    if path and (plain or not inner):
        blocks.append(f"[{'.'.join(map(_name, path))}]\n{lines}")
    elif lines:
        blocks.append(lines)
    for key, value in inner.items():
        blocks += _blocks(value, (*path, key))
    return blocks


def edited(text: str, changes: Mapping[tuple[str, ...], Any], wanted: Mapping[str, Any]) -> str:
    """The text with keys changed; comments and order stay wherever that is possible.

    Args:
        text: A file that is valid TOML.
        changes: New values by the parts of their keys; an empty dictionary makes a section, `REMOVED` drops a key.
        wanted: What the outcome shall mean. If editing lines does not lead there (inline tables, values over several
            lines), the file is written anew, without its comments.

    Raises:
        TypeError: TOML has no form for a value.
    """
    lines = _lines(text) if text else []
    for path, value in changes.items():
        if value is REMOVED:
            _remove(lines, path)
        elif value == {} and isinstance(value, Mapping):
            _section_end(lines, path)
        else:
            _set(lines, path, value)
    outcome = "".join(lines)
    try:
        if tomllib.loads(outcome) == wanted:
            return outcome
    except tomllib.TOMLDecodeError:
        pass  # a line that only looked like a key or a section
    return dump(wanted)


def _lines(text: str) -> list[str]:
    return [f"{line}\n" for line in text.replace("\r\n", "\n").removesuffix("\n").split("\n")]


def _set(lines: list[str], path: tuple[str, ...], value: Any) -> None:
    found = _entry(lines, path)
    if found is None:
        lines.insert(_section_end(lines, path[:-1]), f"{_name(path[-1])} = {literal(value)}\n")
    else:
        i, match = found
        lines[i] = f"{match[1]}{match[2]}{match[3]}{literal(value)}{_comment(match[4])}\n"


def _remove(lines: list[str], path: tuple[str, ...]) -> None:
    found = _entry(lines, path)
    if found is not None:
        del lines[found[0]]


def _entry(lines: list[str], path: tuple[str, ...]) -> tuple[int, re.Match[str]] | None:
    """The line of a key: its index, and its parts."""
    *section, name = path
    here: tuple[str, ...] | None = ()
    for i, line in enumerate(lines):
        if line.lstrip().startswith("["):
            here = _header(line)
        elif here == tuple(section) and (match := _ENTRY.fullmatch(line)) and _path(match[2]) == (name,):
            return i, match
    return None


def _section_end(lines: list[str], section: tuple[str, ...]) -> int:
    """Index of the line after the last key of a section, which is made if there is none."""
    here: tuple[str, ...] | None = ()
    end = 0 if not section else None
    for i, line in enumerate(lines):
        if line.lstrip().startswith("["):
            here = _header(line)
        if here == section and line.strip() and (section or not line.startswith("#")):
            end = i + 1
    if end is None:
        lines += ["\n"] * bool(lines) + [f"[{'.'.join(map(_name, section))}]\n"]
        end = len(lines)
    return end


def _header(line: str) -> tuple[str, ...] | None:
    match = _HEADER.fullmatch(line)
    return _path(match[1]) if match else None


def _path(key: str) -> tuple[str, ...] | None:
    try:
        tree: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return None
    parts: list[str] = []
    while isinstance(tree, dict):
        (part,) = tree
        parts.append(part)
        tree = tree[part]
    return tuple(parts)


def _comment(rest: str) -> str:
    """The comment behind a value, with what separates them."""
    for match in re.finditer("#", rest):
        try:
            tomllib.loads(f"x = {rest[: match.start()]}")
        except tomllib.TOMLDecodeError:
            continue
        value = rest[: match.start()].rstrip()
        return rest[len(value) :]
    return ""
