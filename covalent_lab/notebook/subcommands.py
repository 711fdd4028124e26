"""The tables of sub-commands: add one here, and the magic, its help and its completion know it."""

from collections.abc import Mapping

from covalent_lab.notebook.cellcommand import CELL
from covalent_lab.notebook.debugging import DEBUG
from covalent_lab.notebook.dispatchcommands import CANCEL, COMPARE, EXPORT, LIST, LOGS, OPEN, REDISPATCH, RESULT, SHOW
from covalent_lab.notebook.grammar import SubCommand
from covalent_lab.notebook.notebookcommands import FORGET, RUN
from covalent_lab.notebook.setupcommands import CONFIG, DRAW, EXECUTORS, STATUS
from covalent_lab.notebook.taskcells import TASK

__all__ = ["CELL_COMMANDS", "CELL_DEFAULT", "LINE_COMMANDS", "LINE_DEFAULT"]


def _by_name(*commands: SubCommand) -> Mapping[str, SubCommand]:
    return {command.name: command for command in commands}


LINE_COMMANDS = _by_name(
    STATUS,
    LIST,
    SHOW,
    RESULT,
    LOGS,
    CANCEL,
    REDISPATCH,
    DEBUG,
    OPEN,
    EXPORT,
    COMPARE,
    DRAW,
    RUN,
    FORGET,
    EXECUTORS,
    CONFIG,
)
"""`%covalent NAME …`."""

LINE_DEFAULT = STATUS
"""What `%covalent` alone does."""

CELL_COMMANDS: Mapping[str, SubCommand] = _by_name(TASK)
"""`%%covalent NAME …`."""

CELL_DEFAULT = CELL
"""What `%%covalent` does with a line that names no sub-command."""
