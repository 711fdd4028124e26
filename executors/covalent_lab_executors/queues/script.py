"""The batch script of a job: directives of its system, then the same steps everywhere. Pure."""

import shlex
from collections.abc import Mapping
from typing import Any

from covalent_lab_executors.queues.system import Order, QueueSystem

__all__ = ["directive", "file_name", "plain_directives", "render"]

_CONDA = """\
command -v conda >/dev/null && eval "$(conda shell.bash hook)"
if ! conda activate{name}; then
    echo "Conda environment {shown} cannot be activated on the compute node. Create it, or correct conda_env." >&2
    exit 99
fi"""


def render(system: QueueSystem, order: Order) -> str:
    """The whole script.

    Raises:
        ValueError: An option would end its line.
    """
    options = order.options
    python = str(options.get("python_path") or "python")
    suffix = f'-"${system.index_variable}"' if order.indices else ""
    files = [_in(order.folder, f"{name}-{order.stem}", suffix, end) for name, end in _FILES]
    lines = ["#!/bin/bash", *system.directives(order), ""]
    for line in lines:
        if "\n" in line:
            raise ValueError(f"{line!r} has more than one line")
    if system.redirects:
        lines.append(f"cd {shlex.quote(order.folder)} || exit 1")
        lines.append("exec >{} 2>{}".format(*map(shlex.quote, system.streams(order, "", None))))
    if bashrc := str(options.get("bashrc_path") or ""):
        lines.append(f'[ ! -f "{bashrc}" ] || source "{bashrc}"')
    lines += [f"export {name}={_quoted(value)}" for name, value in (options.get("variables") or {}).items()]
    if env := str(options.get("conda_env") or ""):
        lines.append(_CONDA.format(name="" if env == "base" else f" {shlex.quote(env)}", shown=env))
    if order.versions:
        lines.append(f"{python} {shlex.quote(order.runner)} check {shlex.join(order.versions)} || exit $?")
    lines += ["", *_lines(options, "prerun_commands")]
    lines += ["", system.launch(options, " ".join([python, shlex.quote(order.runner), *files])), ""]
    lines += [*_lines(options, "postrun_commands"), "", "wait"]
    return "\n".join(lines) + "\n"


_FILES = (("func", ".pkl"), ("result", ".pkl"), ("begun", ".txt"))


def file_name(kind: str, stem: str, index: int | None, end: str) -> str:
    """The name of one of a task's files, as scripts have it."""
    return f"{kind}-{stem}{end}" if index is None else f"{kind}-{stem}-{index}{end}"


def directive(mark: str, name: str, value: Any) -> str:
    """One line: a short option, a long one, or one without a value."""
    dashes = "-" if len(name) == 1 else "--"
    if value is None or value is True or value == "":
        return f"{mark} {dashes}{name}".strip()
    joint = " " if len(name) == 1 else "="
    return f"{mark} {dashes}{name}{joint}{_plain(value)}".strip()


def plain_directives(mark: str, order: Order, ours: Mapping[str, str], quotes: bool = False) -> list[str]:
    """Lines of one dash: the user's, then ours that they did not give; a list is a line for each of its values.

    Args:
        mark: Beginning of each line.
        order: The job; its `options` have the user's directives.
        ours: Others, by name.
        quotes: Whether the system reads a value as a shell does; else it is written as it is.
    """
    given = dict(order.options.get("options") or {})
    lines = []
    for name, found in {**given, **{name: value for name, value in ours.items() if name not in given}}.items():
        for value in found if isinstance(found, list | tuple) else [found]:
            has_none = value is None or value is True or value == ""
            lines.append(f"{mark} -{name}" + ("" if has_none else f" {_plain(value) if quotes else value}"))
    return lines


def _in(folder: str, stem: str, suffix: str, end: str) -> str:
    return shlex.quote(f"{folder}/{stem}") + suffix + end


def _lines(options: Mapping[str, Any], name: str) -> list[str]:
    return [str(line) for line in options.get(name) or ()]


def _plain(value: Any) -> str:
    return shlex.quote(str(value))


def _quoted(value: Any) -> str:
    text = str(value).replace('"', '\\"')
    return f'"{text}"'
