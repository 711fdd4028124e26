"""The grammar of `%covalent` and `%%covalent`: what a sub-command is, and the parser of its line.

Decides how lines are split and how mistakes in them are told. Knows no sub-command; the table is `subcommands.py`.
"""

import argparse
import inspect
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

from covalent_lab.errors import UsageError

__all__ = ["Call", "HelpWantedError", "Offer", "Parser", "SubCommand", "Word", "overview", "parse_words", "split_line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One use of a magic.

    Attributes:
        shell: The IPython shell.
        options: What its line says.
        cell: The text below the line; empty for a line magic.
    """

    shell: Any
    options: argparse.Namespace
    cell: str = ""

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's names."""
        names: dict[str, Any] = self.shell.user_ns
        return names


_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+""")

Offer = Callable[[Any, list[str]], Iterable[str]]
"""What may stand for an argument, for completion: called with the shell and the words before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubCommand:
    """The first word after a magic's name, and what follows it.

    Attributes:
        name: The word.
        help: One line for the list of all sub-commands.
        run: Does it; what it returns is the value of the magic.
        arguments: Declares the rest of the line.
    """

    name: str
    help: str
    run: Callable[[Call], Any]
    arguments: Callable[["Parser"], None] = field(default=lambda parser: None)

    def parser(self, magic: str) -> "Parser":
        """The parser of its line; the docstring of `run` is the description.

        Args:
            magic: What stands before the sub-command, e.g. `%covalent`.
        """
        parser = Parser(prog=f"{magic} {self.name}".strip(), description=inspect.getdoc(self.run) or self.help)
        self.arguments(parser)
        return parser


class HelpWantedError(Exception):
    """The line asks for help; its text is the help."""


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the kernel, and knows what may stand for its arguments.

    Attributes:
        offers: What may stand for an argument, by its `dest`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            add_help=False, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options
        )
        self.offers: dict[str, Offer] = {}

    def argument(self, *names: str, offer: Offer | None = None, **options: Any) -> None:
        """Like `add_argument`, with what completion offers for it."""
        action = self.add_argument(*names, **options)
        if offer is not None:
            self.offers[action.dest] = offer

    @property
    def actions(self) -> list[argparse.Action]:
        """What was declared, in order."""
        return list(self._actions)

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Read a line; options may stand anywhere, except among words that are taken as they are."""
        if any(action.nargs == argparse.REMAINDER for action in self._actions):
            return self.parse_args(words)
        self.usage = (
            self.format_usage().removeprefix("usage: ").strip().replace("%", "%%")
        )  # argparse forgets the latter
        return self.parse_intermixed_args(words)

    def error(self, message: str) -> NoReturn:
        """Tell a mistake in the line.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{message}\n{self.format_usage().strip()}\n{self.prog} --help tells more.")


class Word(str):
    """A word of a line without its quotes; it is pickled as plain text, as workers do not know this class.

    Attributes:
        raw: As it was written: what a Python expression needs.
    """

    __slots__ = ("raw",)

    raw: str

    def __new__(cls, text: str, raw: str) -> Self:
        made = super().__new__(cls, text)
        made.raw = raw
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


def split_line(line: str) -> list[Word]:
    """A line's words, split as a shell does.

    Raises:
        UsageError: A quotation is not closed.
    """
    try:
        return [Word(word, raw) for word, raw in zip(shlex.split(line), _WORD.findall(line), strict=True)]
    except ValueError as error:
        raise UsageError(f"{line.strip()!r} cannot be read: {error}. Close the quotation.") from error


def parse_words(
    words: Sequence[str], commands: Mapping[str, SubCommand], *, magic: str, default: SubCommand
) -> tuple[SubCommand, argparse.Namespace]:
    """Find the sub-command of a line, and read the rest of it.

    Args:
        words: The line.
        commands: The sub-commands there are; the first word names one, unless it is an option.
        magic: What stands before the line.
        default: What a line means that names none.

    Raises:
        HelpWantedError: The line asks for help.
        UsageError: It is wrong.
    """
    is_named = bool(words) and not words[0].startswith("-")
    command = commands.get(words[0]) if is_named else default
    if command is None:
        known = f"It has {', '.join(commands)}; {magic}? tells more." if commands else f"{magic}? tells what it takes."
        raise UsageError(f"{magic} has no sub-command {words[0]!r}. {known}")
    if words and words[-1] in ("--help", "-h"):
        raise HelpWantedError(command.parser(magic).format_help() if is_named else overview(commands, magic, default))
    return command, command.parser(magic).read(words[1:] if is_named else words)


def overview(commands: Mapping[str, SubCommand], magic: str, default: SubCommand | None = None) -> str:
    """The help of a magic: what it does by itself, and its sub-commands."""
    parts = [] if default is None else [default.parser(magic).format_help()]
    if commands:
        width = max(map(len, commands)) + 2
        rows = "\n".join(f"  {command.name:{width}}{command.help}" for command in commands.values())
        parts.append(f"sub-commands ({magic} NAME --help tells more):\n{rows}\n")
    return "\n".join(parts)
