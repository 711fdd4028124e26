"""`%%covalent` and `%covalent`: parse a line, call `cellrun` or the client, show what comes back.

Decides the grammar and how errors look in a notebook. Loaded by `%load_ext covalent_lab`.
"""

import argparse
import shlex
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn

from covalent_lab.client.api import cancel, get_result
from covalent_lab.client.connection import connect
from covalent_lab.errors import LabError, MissingLatticeRecordError, TaskRuntimeError, UsageError
from covalent_lab.notebook.cellrun import CellRun, prepare, prepare_bash, task_name
from covalent_lab.notebook.report import Progress, duration
from covalent_lab.notebook.screens import screen_of
from covalent_lab.notebook.statuswords import style_of

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

_NAME = "covalent"
_ROWS = 20


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics; called by `%load_ext covalent_lab`."""
    from IPython.core.magic import output_can_be_silenced

    magics = _Magics(ipython)
    ipython.register_magic_function(output_can_be_silenced(magics.cell), "cell", _NAME)
    ipython.register_magic_function(magics.line, "line", _NAME)


def unload_ipython_extension(ipython: Any) -> None:
    """Remove the magics; called by `%unload_ext covalent_lab`."""
    for kind in ("cell", "line"):
        ipython.magics_manager.magics[kind].pop(_NAME, None)


class _Magics:
    """The magics of one shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

        def run_cell(line: str, cell: str) -> Any:
            return self._shortly(lambda: self._run_cell(line, cell))

        def run_line(line: str) -> Any:
            return self._shortly(lambda: self._run_line(line))

        run_cell.__doc__ = _cell_parser().format_help()
        run_line.__doc__ = _line_parser().format_help()
        self.cell, self.line = run_cell, run_line

    def _shortly(self, action: Callable[[], Any]) -> Any:
        """Let errors of the user's show as their message, without the frames of this package."""
        from IPython.core.error import UsageError as ShellUsageError

        try:
            return action()
        except argparse.ArgumentError as error:
            raise ShellUsageError(error.message) from None
        except TaskRuntimeError as error:
            trace = getattr(error, "traceback", "") or f"{type(error).__name__}: {error}"
            raise _shown(error, trace.rstrip().split("\n")) from None
        except (LabError, NameError, KeyboardInterrupt) as error:
            text = f": {error}" if str(error) else ""
            raise _shown(error, [f"{type(error).__name__}{text}"]) from None
        except SyntaxError as error:
            lines = "".join(traceback.format_exception_only(error)).rstrip().split("\n")
            raise _shown(UsageError(f"The cell is not Python: {error}"), lines) from None

    # -- %%covalent -----------------------------------------------------------------------------------------------

    def _run_cell(self, line: str, cell: str) -> Any:
        options = _cell_parser().parse_args(shlex.split(line))
        namespace = self._shell.user_ns
        executor = options.executor
        if executor is not None and hasattr(namespace.get(executor), "to_dict"):
            executor = namespace[executor]  # an executor instance, by the name of its variable
        try:
            task = (prepare_bash if options.bash else prepare)(
                cell,
                namespace,
                name=task_name(options.name or f"cell_{self._shell.displayhook.prompt_count}"),
                executor=executor,
                outputs=options.output,
                hidden=self._shell.user_ns_hidden,
            )
        except SyntaxError:
            self._refuse_shell_syntax(cell)
            raise
        screen = screen_of(self._shell)
        run = CellRun(task, screen)
        screen.progress(run.progress("NEW_OBJECT"))
        if options.no_wait:
            screen.write(f"%{_NAME} result {run.dispatch_id}   brings what the cell gives.\n", is_error=False)
            return None
        return self._deliver(run.follow(), options.output)

    def _refuse_shell_syntax(self, cell: str) -> None:
        for number, text in enumerate(cell.splitlines(), start=2):
            if text.lstrip().startswith(("%", "!")) or text.rstrip().endswith("?"):
                raise UsageError(
                    f"Line {number}: {text.strip()!r} is for the notebook only and cannot run in a task. "
                    "Move it to a cell of its own; use subprocess for shell commands."
                )

    def _deliver(self, outcome: Any, wanted: Sequence[str] = ()) -> Any:
        """Show and hand over what a cell left behind."""
        screen = screen_of(self._shell)
        for bundle in outcome.shown:
            screen.show(bundle)
        self._shell.push(outcome.names, interactive=True)
        for name, reason in outcome.lost.items():
            screen.write(f"Not brought back: {name} ({reason})\n", is_error=True)
        for name in wanted:
            if name not in outcome.names and name not in outcome.lost:
                screen.write(f"Not brought back: {name} (the cell did not assign it this time)\n", is_error=True)
        if outcome.text:
            screen.show({"text/plain": outcome.text})
        is_shown = type(outcome.value).__module__.startswith("matplotlib.") and hasattr(outcome.value, "savefig")
        return None if is_shown else outcome.value

    # -- %covalent ------------------------------------------------------------------------------------------------

    def _run_line(self, line: str) -> Any:
        options = _line_parser().parse_args(shlex.split(line) or ["status"])
        match options.command:
            case "status":
                return self._status()
            case "list":
                return self._list()
            case "cancel":
                self._say(cancel(_find(options.dispatch_id)))
            case "result":
                return self._result(_find(options.dispatch_id))
            case _:
                return self._open(_find(options.dispatch_id) if options.dispatch_id else "")
        return None

    def _say(self, text: str) -> None:
        screen_of(self._shell).write(f"{text}\n", is_error=False)

    def _status(self) -> None:
        connection = connect()
        state = connection.status()
        where = connection.url or "in this process"
        self._say(
            f"covalent_lab {state['version']} {where} (process {state['pid']}), up {duration(state['uptime_s'])}\n"
            f"{state['dispatches']} dispatches, {state['running']} running; records in {state['store']}"
        )

    def _list(self) -> None:
        found = connect().list_dispatches(count=_ROWS)
        width = max([len(item["name"][:40]) for item in found["items"]], default=4)
        for item in found["items"]:
            style = style_of(item["status"])
            done = item["completed"] + item["failed"] + item["cancelled"]
            at = datetime.fromtimestamp(item["created_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
            self._say(
                f"{item['dispatch_id']}  {item['name'][:40]:{width}}  {style.mark} {style.word:9}  "
                f"{done}/{item['total']}  {at}"
            )
        hidden = found["total"] - len(found["items"])
        if hidden > 0 or not found["items"]:
            self._say(f"… and {hidden} more" if hidden > 0 else "No dispatches yet.")

    def _result(self, dispatch_id: str) -> Any:
        result = get_result(dispatch_id)
        if result.status == "COMPLETED":
            value = result.result
            if getattr(type(value), "covalent_cell", 0):
                return self._deliver(value)
        return result

    def _open(self, dispatch_id: str) -> None:
        connection = connect()
        if not dispatch_id:
            items = connection.list_dispatches(count=1)["items"]
            if not items:
                raise UsageError("There is nothing to open: no dispatch is recorded yet.")
            dispatch_id = items[0]["dispatch_id"]
        detail = connection.detail(dispatch_id)
        url = connection.lab_url(dispatch_id)
        if url is None:
            raise UsageError(
                "No Jupyter server shows this dispatch: its dispatcher runs in this process, or without JupyterLab. "
                "Start JupyterLab with covalent-lab installed to see its graph."
            )
        screen_of(self._shell).progress(
            Progress(dispatch_id=dispatch_id, name=detail["name"], status=detail["status"], url=url)
        )


def _find(start: str) -> str:
    """A whole dispatch id by its beginning."""
    items = connect().list_dispatches(search=start, count=_ROWS)["items"]
    found = [item["dispatch_id"] for item in items if item["dispatch_id"].startswith(start)]
    if not found:
        raise MissingLatticeRecordError(start)
    if len(found) > 1:
        raise UsageError(f"{len(found)} dispatches begin with {start!r}. Give more of the id.")
    return str(found[0])


def _shown(error: BaseException, lines: list[str]) -> BaseException:
    """An error that notebooks show as these lines: IPython asks for this method."""
    error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    return error.with_traceback(None)


# -- grammar ----------------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the kernel."""

    def error(self, message: str) -> NoReturn:
        raise argparse.ArgumentError(None, f"{message}\n{self.format_usage().strip()}")


def _cell_parser() -> _Parser:
    parser = _Parser(
        prog=f"%%{_NAME}",
        add_help=False,
        description="Run the cell as a task. It takes the names it reads from the notebook, and gives back those it "
        "assigns. Interrupting the kernel cancels it.",
    )
    parser.add_argument(
        "-e", "--executor", metavar="NAME", help="where to run: an executor's name, or a variable holding an executor"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="NAME",
        action="append",
        default=[],
        help="give back only this name (may be repeated)",
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="only submit; get the outcome later by %%covalent result"
    )
    parser.add_argument("--name", help="what the task is called")
    parser.add_argument(
        "--bash",
        action="store_true",
        help="the cell is a shell script: it sees the notebook's text and numbers that it mentions as $NAME, "
        "and -o gives back shell variables as text",
    )
    return parser


def _line_parser() -> _Parser:
    parser = _Parser(prog=f"%{_NAME}", add_help=False, description="Look after dispatches.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser, metavar="COMMAND")
    commands.add_parser("status", add_help=False, help="where the dispatcher runs, and how it is")
    commands.add_parser("list", add_help=False, help="the newest dispatches")
    for name, text in (("cancel", "stop a dispatch"), ("result", "what came of a dispatch, or of a cell")):
        commands.add_parser(name, add_help=False, help=text).add_argument(
            "dispatch_id", metavar="ID", help="a dispatch id, or its beginning"
        )
    commands.add_parser("open", add_help=False, help="a link to the graph").add_argument(
        "dispatch_id", metavar="ID", nargs="?", help="default: the newest"
    )
    return parser
