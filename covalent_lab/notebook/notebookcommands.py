"""`%covalent run`, `%covalent forget`, and `%covalent draw` without a name: the notebook as a workflow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from covalent_lab.notebook.cards import show_card
from covalent_lab.notebook.cellcommand import executor_of
from covalent_lab.notebook.cellworkflow import CellWorkflow, cell_workflow
from covalent_lab.notebook.dispatchcommands import changes_of
from covalent_lab.notebook.display import graph_bundle
from covalent_lab.notebook.grammar import Call, Parser, SubCommand
from covalent_lab.notebook.notebookrun import NotebookRun
from covalent_lab.notebook.offers import executors, variables
from covalent_lab.notebook.screens import screen_of
from covalent_lab.notebook.taskcells import CellBook
from covalent_lab.workflow.origin import dispatch_origin

__all__ = ["FORGET", "RUN", "draw_notebook"]


def draw_notebook(call: Call) -> None:
    """Show the workflow that the marked cells make.

    Raises:
        UsageError: There are none, or they are ambiguous.
    """
    workflow = _workflow(call, {})
    workflow.lattice.build_graph(**workflow.inputs)
    screen_of(call.shell).show(graph_bundle(workflow.lattice.graph, workflow.lattice.__name__))


def _run(call: Call) -> Any:
    """Run the marked cells as one workflow.

    What each cell prints, shows and gives appears below it, and the names that the cells assign come back to the
    notebook. A cell runs again only if its code, or what it takes, has changed. NAME=VALUE gives the cells another
    value than the notebook has; the value is a Python expression. Interrupting the kernel cancels the run.
    """
    options = call.options
    workflow = _workflow(
        call,
        changes_of(call),
        executor=executor_of(call),
        reuses_results=not options.again,
    )
    screen, book = screen_of(call.shell), CellBook.of(call.shell)
    for text in workflow.plan.warnings:
        screen.write(f"Warning: {text}\n", is_error=True)
    run = NotebookRun(workflow, book.cells, screen, lambda value: _bundle_of(call.shell, value))
    if options.background:
        show_card(call.shell, run.dispatch_id)
        screen.write(f"%covalent result {run.dispatch_id}   brings what the cells give.\n", is_error=False)
        return
    try:
        run.follow()
    finally:
        for place in workflow.plan.order:
            if place in run.outcomes:
                call.shell.push(run.outcomes[place].names, interactive=True)


def _workflow(call: Call, parameters: Mapping[str, Any], **options: Any) -> CellWorkflow:
    book = CellBook.of(call.shell)
    return cell_workflow(
        [cell.task for cell in book.cells],
        _own_names(call),
        name=_name_of_notebook(),
        parameters=parameters,
        is_ordered=book.is_ordered,
        **options,
    )


def _own_names(call: Call) -> Mapping[str, Any]:
    """What the user assigned, without the machinery of the shell."""
    hidden = call.shell.user_ns_hidden
    return {name: value for name, value in call.namespace.items() if name not in hidden or hidden[name] is not value}


def _name_of_notebook() -> str:
    """The name of its file, where that is known."""
    return Path(dispatch_origin().get("notebook", "")).stem or "notebook"


def _bundle_of(shell: Any, value: Any) -> Mapping[str, Any]:
    bundle, _ = shell.display_formatter.format(value)
    return dict(bundle)


def _arguments(parser: Parser) -> None:
    parser.argument(
        "-e",
        "--executor",
        metavar="NAME",
        offer=executors,
        help="where cells run that do not say it: an executor's name, or a variable holding an executor",
    )
    parser.argument("--again", action="store_true", help="run cells again that have not changed")
    parser.argument(
        "--background",
        action="store_true",
        help="only submit, and show a card that follows it; get the names later by %%covalent result",
    )
    parser.argument("arguments", metavar="NAME=VALUE", nargs="*", offer=_inputs, help="values for this run only")


def _inputs(shell: Any, words: list[str]) -> list[str]:
    return [f"{name}=" for name in variables(shell, words)]


def _forget(call: Call) -> None:
    """Unmark cells, by the names of their tasks; without a name, all of them.

    A cell that is deleted from the notebook, or whose first line is changed, stays marked until then or until it runs
    without the mark.
    """
    gone = CellBook.of(call.shell).forget(call.options.names)
    screen_of(call.shell).write(f"Unmarked: {', '.join(gone) or 'no cell was marked'}.\n", is_error=False)


def _forget_arguments(parser: Parser) -> None:
    parser.argument("names", metavar="TASK", nargs="*", offer=_marked, help="the names of tasks")


def _marked(shell: Any, words: list[str]) -> list[str]:
    return [cell.task.name for cell in CellBook.of(shell).cells]


RUN = SubCommand(name="run", help="run the marked cells as one workflow", run=_run, arguments=_arguments)
FORGET = SubCommand(name="forget", help="unmark cells", run=_forget, arguments=_forget_arguments)
