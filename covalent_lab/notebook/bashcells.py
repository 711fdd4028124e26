"""A cell in the shell's language: which notebook variables it mentions, and the function that runs it.

The function travels by value, as those of `remote` do, and leaves the same outcome behind.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.notebook.remote import RUNNER_FILE, outcome_maker, shown_as
from covalent_lab.workflow.lepton_shell import is_variable, shell_runner

__all__ = ["bash_cell_task", "check_outputs", "exported"]

_MENTIONED = re.compile(r"\$(?:\{[#!]?)?([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)


def exported(source: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook's text and numbers that a cell mentions as `$name` or `${name}`."""
    names = dict.fromkeys(_MENTIONED.findall(source))
    return {name: namespace[name] for name in names if isinstance(namespace.get(name), (str, int, float))}


def check_outputs(names: Sequence[str]) -> None:
    """Refuse outputs that no shell variable can be.

    Raises:
        UsageError: There is such a one.
    """
    for name in names:
        if not is_variable(name):
            raise UsageError(f"{name!r}, which -o asks for, cannot be the name of a shell variable.")


def bash_cell_task(source: str, *, name: str, takes: Sequence[str], gives: Sequence[str]) -> Callable[..., Any]:
    """Make the task of one cell.

    Args:
        source: The text below the magic's line.
        name: What the task is called.
        takes: Environment variables it is called with the values of, in order.
        gives: Shell variables that come back as text, if they are set when the cell ends.

    Returns:
        A function of the values of `takes`; it returns an outcome as a cell in Python does.
    """
    run = _runner(source, tuple(takes), tuple(gives))
    run.__code__ = run.__code__.replace(co_filename=RUNNER_FILE)
    run.__name__ = run.__qualname__ = name
    run.__wrapped__ = shown_as(source, name, takes)  # type: ignore[attr-defined]
    run.covalent_source = source  # type: ignore[attr-defined]
    return run


def _runner(source: str, takes: tuple[str, ...], gives: tuple[str, ...]) -> Callable[..., Any]:
    run_shell, make_outcome = shell_runner(), outcome_maker()

    def run(*values: Any) -> Any:
        try:
            found = run_shell(source, (), dict(zip(takes, values)), gives)  # noqa: B905  as many as there are names
        except RuntimeError as error:
            raise RuntimeError(str(error)) from None  # without the frames of what runs it
        outcome = make_outcome()
        outcome.names = {name: text for name, text in found.items() if text is not None}
        return outcome

    return run
