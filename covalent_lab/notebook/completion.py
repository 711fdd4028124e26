"""Tab completion of `%covalent` and `%%covalent`, from their parsers and what these offer.

Never fails and never waits for a dispatcher that is not there: a key that does nothing is better than an error. What it
offers stands alone: IPython would add names of Python that may not stand there, and take seconds to find them.
"""

import argparse
import re
import shlex
from typing import Any

from covalent_lab.notebook.grammar import Parser
from covalent_lab.notebook.subcommands import CELL_COMMANDS, CELL_DEFAULT, LINE_COMMANDS

__all__ = ["complete", "matcher_of"]

_LINE = re.compile(r"(?:.*=)?\s*(%%?covalent)\s(.*)", re.DOTALL)
_FIRST = 1000.0


def matcher_of(shell: Any) -> Any:
    """Make what IPython asks for completions before it asks others."""
    from IPython.core.completer import SimpleCompletion, context_matcher  # heavy

    @context_matcher()  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
    def match_covalent(context: Any) -> dict[str, Any]:
        begun, found = complete(shell, context.text_until_cursor)
        completions = [SimpleCompletion(text=text) for text in found]
        return {"completions": completions, "matched_fragment": begun, "ordered": True, "suppress": bool(found)}

    match_covalent.matcher_priority = _FIRST
    return match_covalent


def complete(shell: Any, text: str) -> tuple[str, list[str]]:
    """What may stand at the cursor.

    Args:
        shell: The IPython shell.
        text: The line up to the cursor.

    Returns:
        The part of a word that is there, and what it may become; nothing in lines that are not of these magics.
    """
    line = _LINE.fullmatch(text)
    if line is None:
        return "", []
    try:
        return _found(shell, *line.groups())
    except Exception:  # noqa: BLE001  no error may reach whoever types
        return "", []


def _found(shell: Any, magic: str, rest: str) -> tuple[str, list[str]]:
    begun = rest.rpartition(" ")[2]
    words = _words(rest[: len(rest) - len(begun)])
    is_cell = magic.startswith("%%")
    commands, default = (CELL_COMMANDS, CELL_DEFAULT) if is_cell else (LINE_COMMANDS, None)
    command = commands.get(words[0]) if words else None
    found: list[str] = [] if words else list(commands)
    if command is not None:
        words.pop(0)
    elif default is not None:
        command = default
    elif words:
        return begun, []
    option, assigned, begun_value = begun.partition("=")
    if command is not None:
        parser = command.parser(magic)
        if assigned and option.startswith("-"):
            words.append(option)
            begun = begun_value
        found += _of_parser(parser, shell, words, begun)
    return begun, sorted(item for item in dict.fromkeys(map(str, found)) if item.startswith(begun))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _of_parser(parser: Parser, shell: Any, words: list[str], begun: str) -> list[str]:
    options = {name: action for action in parser.actions for name in action.option_strings}
    if words and (waiting := options.get(words[-1])) is not None and waiting.nargs != 0:
        return _offered(parser, waiting, shell, words)
    if begun.startswith("-"):
        return [*options, "--help"]
    places = [action for action in parser.actions if not action.option_strings]
    given = _positional(words, options)
    if not places:
        return [*options, "--help"]
    action = places[min(len(given), len(places) - 1)]
    if len(given) >= len(places) and action.nargs not in ("*", "...", "+"):
        return []
    return _offered(parser, action, shell, given)


def _positional(words: list[str], options: dict[str, argparse.Action]) -> list[str]:
    """The words that are neither options nor their values."""
    found, is_value = [], False
    for word in words:
        if is_value:
            is_value = False
        elif word in options:
            is_value = options[word].nargs != 0
        elif not word.startswith("-"):
            found.append(word)
    return found


def _offered(parser: Parser, action: argparse.Action, shell: Any, words: list[str]) -> list[str]:
    offer = parser.offers.get(action.dest)
    return [] if offer is None else list(offer(shell, words))
