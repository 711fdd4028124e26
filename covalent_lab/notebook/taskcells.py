"""`%%covalent task`: marks a cell; the marked cells of a shell, and what stands below each.

Decides which cell replaces which when cells run again, and what is refused when a cell is marked.
"""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.notebook.cellcommand import executor_of, limits_of, refuse_shell_syntax, task_options
from covalent_lab.notebook.cellfacts import CellFacts, read_cell
from covalent_lab.notebook.cellreport import CellReport, cell_report
from covalent_lab.notebook.cellrun import task_name
from covalent_lab.notebook.cells import FIRST_LINE
from covalent_lab.notebook.cellworkflow import TaskCell
from covalent_lab.notebook.grammar import Call, Parser, SubCommand
from covalent_lab.notebook.screens import Screen, screen_of
from covalent_lab.workflow.origin import dispatch_origin

__all__ = ["TASK", "CellBook", "MarkedCell"]

_KEY = "covalent_cells"
_MARK = re.compile(r"\s*%%covalent\s+task\b")


@dataclass(slots=True, kw_only=True)
class MarkedCell:
    """A marked cell, and the place below it.

    Attributes:
        task: The cell.
        screen: The place.
        report: What stands there.
        is_quiet: Whether its last value is not shown, because a semicolon follows it.
    """

    task: TaskCell
    screen: Screen
    report: CellReport
    is_quiet: bool = False

    def show(self, **changes: Any) -> None:
        """Change what stands below it; a terminal is told the end."""
        report = dataclasses.replace(self.report, **changes)
        if report != self.report and (self.screen.is_updated or report.status in TERMINAL):
            self.screen.card(cell_report(report))
        self.report = report


class CellBook:
    """The marked cells of one shell, in the order in which they were marked first.

    Attributes:
        is_ordered: Whether their order is that of a document, so that it counts.
    """

    def __init__(self) -> None:
        self.is_ordered = False
        self._cells: dict[str, MarkedCell] = {}

    @classmethod
    def of(cls, shell: Any) -> "CellBook":
        """The book of a shell; it is kept with the shell."""
        book: CellBook | None = shell.meta.get(_KEY)
        if book is None:
            book = shell.meta[_KEY] = cls()
            shell.events.register("pre_run_cell", book._notice)
        return book

    def _notice(self, info: Any) -> None:
        """A cell that runs without its mark is not marked any more."""
        if not _MARK.match(info.raw_cell or ""):
            self.unmark(str(getattr(info, "cell_id", None) or ""))

    @property
    def cells(self) -> Sequence[MarkedCell]:
        """All of them."""
        return tuple(self._cells.values())

    def mark(self, key: str, cell: MarkedCell) -> None:
        """Add a cell; one of the same key is replaced, where it stood."""
        self._cells[key] = cell

    def forget(self, names: Sequence[str] = ()) -> Sequence[str]:
        """Unmark cells by the names of their tasks, or all; returns the names of those that were unmarked.

        Raises:
            UsageError: No marked cell has such a name; nothing was unmarked.
        """
        known = [cell.task.name for cell in self.cells]
        for name in names:
            if name not in known:
                raise UsageError(f"No marked cell is called {name!r}. There are: {', '.join(known) or 'none'}.")
        gone = [name for name in known if not names or name in names]
        self._cells = {key: cell for key, cell in self._cells.items() if cell.task.name not in gone}
        return gone

    def unmark(self, key: str) -> None:
        """Unmark a cell, if it is marked."""
        self._cells.pop(key, None)


def _mark(call: Call) -> None:
    """Mark the cell as a task of the workflow that the notebook is; it does not run yet.

    The cell takes the names it reads from the marked cells that assign them, else from the notebook. %covalent draw
    shows the workflow, %covalent run runs it; what the cell prints, shows and gives then appears below it.
    """
    shell, options = call.shell, call.options
    first_line = 1 if options.whole else FIRST_LINE
    count = shell.displayhook.prompt_count
    book = CellBook.of(shell)
    cell_id = dispatch_origin().get("cell_id")
    key = cell_id or (f"name {options.name}" if options.name else f"source {call.cell}")
    try:
        facts = read_cell(call.cell, first_line=first_line)
    except SyntaxError:
        book.unmark(key)
        refuse_shell_syntax(call.cell, first_line)
        raise
    except UsageError:
        book.unmark(key)
        raise
    name = task_name(options.name or "_".join(facts.gives[:2]) or f"cell_{count}")
    note = _note(facts)
    report = CellReport(name=name, note=f"marked · {note}" if note else "marked")
    cell = MarkedCell(
        task=TaskCell(
            name=name,
            label=f"cell [{count}] {name}",
            source=call.cell,
            first_line=first_line,
            facts=facts,
            executor=executor_of(call),
            limits=limits_of(call),
        ),
        screen=screen_of(shell),
        report=report,
        is_quiet=shell.displayhook.semicolon_at_end_of_expression(call.cell),
    )
    book.is_ordered = options.whole
    book.mark(key, cell)
    cell.screen.card(cell_report(report))


def _note(facts: CellFacts) -> str:
    takes, gives = facts.names.required, facts.gives
    parts = [f"takes {', '.join(takes)}" if takes else "", f"gives {', '.join(gives)}" if gives else ""]
    return " · ".join(filter(None, parts))


def _arguments(parser: Parser) -> None:
    task_options(parser)
    parser.argument(
        "--whole",
        action="store_true",
        help="this line was put above a cell of a document whose cells are all marked, in order: it has no number",
    )


TASK = SubCommand(
    name="task", help="mark the cell as a task of the notebook's workflow", run=_mark, arguments=_arguments
)
