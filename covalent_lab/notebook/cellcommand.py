"""`%%covalent`: the cell as a task."""

import argparse
import contextlib
from collections.abc import Sequence
from typing import Any

from covalent_lab.client.result import Result
from covalent_lab.errors import LabError, UsageError
from covalent_lab.graph.model import NodeKind
from covalent_lab.notebook.cards import show_card
from covalent_lab.notebook.cellrun import CellRun, TaskLimits, prepare, prepare_bash, task_name
from covalent_lab.notebook.cells import FIRST_LINE
from covalent_lab.notebook.grammar import Call, Parser, SubCommand
from covalent_lab.notebook.offers import executors, variables
from covalent_lab.notebook.screens import screen_of

__all__ = ["CELL", "deliver", "deliver_all", "executor_of", "limits_of", "refuse_shell_syntax", "task_options"]


def deliver(shell: Any, outcome: Any, wanted: Sequence[str] = ()) -> Any:
    """Show and hand over what a cell left behind.

    Args:
        shell: Whose names it sets.
        outcome: See `remote.cell_task`.
        wanted: Names that were asked for; those that do not come are told.

    Returns:
        The value of the cell's last expression.
    """
    screen = screen_of(shell)
    for bundle in outcome.shown:
        screen.show(bundle)
    shell.push(outcome.names, interactive=True)
    for name, reason in outcome.lost.items():
        screen.write(f"Not brought back: {name} ({reason})\n", is_error=True)
    for name in wanted:
        if name not in outcome.names and name not in outcome.lost:
            screen.write(f"Not brought back: {name} (the cell did not assign it this time)\n", is_error=True)
    if outcome.text:
        screen.show({"text/plain": outcome.text})
    is_shown = type(outcome.value).__module__.startswith("matplotlib.") and hasattr(outcome.value, "savefig")
    return None if is_shown else outcome.value


def deliver_all(shell: Any, result: Result) -> Any:
    """Hand over what the cells of a completed dispatch left behind.

    Args:
        shell: Whose names it sets.
        result: Of one cell, or of the marked cells of a notebook.

    Returns:
        The value of the last cell's last expression.
    """
    value = None
    for node in result.graph.nodes:
        if node.kind is NodeKind.FUNCTION:
            value = deliver(shell, result.get_node_result(node.id)["output"].get_deserialized())
    return value


def _run(call: Call) -> Any:
    """Run the cell as a task.

    It takes the names it reads from the notebook, and gives back those it assigns and the value of its last
    expression. Interrupting the kernel cancels it.
    """
    options = call.options
    outputs = _names(options.outputs)
    try:
        task = (prepare_bash if options.bash else prepare)(
            call.cell,
            call.namespace,
            name=task_name(options.name or f"cell_{call.shell.displayhook.prompt_count}"),
            executor=executor_of(call),
            inputs=None if options.inputs is None else _names(options.inputs),
            outputs=outputs,
            hidden=call.shell.user_ns_hidden,
        )
    except SyntaxError:
        refuse_shell_syntax(call.cell)
        raise
    screen = screen_of(call.shell)
    run = CellRun(task, screen, limits_of(call))
    if options.background:
        show_card(call.shell, run.dispatch_id)
        screen.write(f"%covalent result {run.dispatch_id}   brings what the cell gives.\n", is_error=False)
        return None
    value = deliver(call.shell, run.follow(), outputs)
    with contextlib.suppress(LabError):  # what it gives is here, whatever became of the server
        run.show("COMPLETED", is_delivered=True)
    return value


def _names(given: Sequence[str]) -> list[str]:
    return [name for text in given for name in text.split(",") if name]


def executor_of(call: Call) -> Any:
    """The executor that a line names: an instance, by the name of its variable, or a short name."""
    named = call.options.executor
    return call.namespace[named] if hasattr(call.namespace.get(named), "to_dict") else named


def limits_of(call: Call) -> TaskLimits:
    """What `task_options` say beside the executor and the name."""
    options = call.options
    return TaskLimits(
        packages=tuple(options.deps_pip),
        time_limit_s=options.time_limit,
        retries=options.retries,
        reuses_results=options.cache,
    )


def refuse_shell_syntax(cell: str, first_line: int = FIRST_LINE) -> None:
    """Refuse what only the notebook understands.

    Raises:
        UsageError: There is a line of that kind.
    """
    for number, text in enumerate(cell.splitlines(), start=first_line):
        if text.lstrip().startswith(("%", "!")) or text.rstrip().endswith("?"):
            raise UsageError(
                f"Line {number}: {text.strip()!r} is for the notebook only and cannot run in a task. "
                "Move it to a cell of its own; use subprocess for shell commands."
            )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError
    return count


_seconds.__name__, _count.__name__ = "time in seconds", "number of retries"  # argparse tells these


def task_options(parser: Parser) -> None:
    """Declare what can be said of a cell's task."""
    parser.argument(
        "-e",
        "--executor",
        metavar="NAME",
        offer=executors,
        help="where to run: an executor's name, or a variable holding an executor",
    )
    parser.argument("--name", help="what the task is called")
    parser.argument(
        "--deps-pip",
        metavar="PACKAGE",
        action="append",
        default=[],
        help="install this before the task (may be repeated)",
    )
    parser.argument("--time-limit", metavar="SECONDS", type=_seconds, help="stop the task after this time")
    parser.argument("--retries", metavar="COUNT", type=_count, help="how often to try again if it fails")
    parser.argument(
        "--cache",
        action=argparse.BooleanOptionalAction,
        help="whether to take over the result of an equal cell that ran before",
    )


def _arguments(parser: Parser) -> None:
    task_options(parser)
    parser.argument(
        "-i",
        "--inputs",
        "--input",
        metavar="NAMES",
        action="append",
        offer=variables,
        help="take only these names from the notebook (joined by commas, or repeated); '' for none",
    )
    parser.argument(
        "-o",
        "--outputs",
        "--output",
        metavar="NAMES",
        action="append",
        default=[],
        help="give back only these names (joined by commas, or repeated)",
    )
    parser.argument(
        "--bash",
        action="store_true",
        help="the cell is a shell script: it sees the notebook's text and numbers that it mentions as $NAME, "
        "and -o gives back shell variables as text",
    )
    parser.argument("--wait", dest="background", action="store_false", default=False, help="wait for its end (default)")
    parser.argument(
        "--background",
        "--no-wait",
        dest="background",
        action="store_true",
        help="only submit, and show a card that follows it; get the outcome later by %%covalent result",
    )


CELL = SubCommand(name="", help="run the cell as a task", run=_run, arguments=_arguments)
