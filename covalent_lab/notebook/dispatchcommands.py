"""Sub-commands of `%covalent` that look at dispatches or act on them. Thin: the client does, `display` shows."""

import ast
import inspect
from collections.abc import Sequence
from typing import Any

from covalent_lab.client.api import cancel as cancel_dispatch
from covalent_lab.client.api import get_result
from covalent_lab.client.connection import connect, whole_stream
from covalent_lab.client.exporting import compare, export
from covalent_lab.client.nodecall import find_node
from covalent_lab.client.repeating import redispatch as repeat
from covalent_lab.client.result import Result
from covalent_lab.errors import MissingLatticeRecordError, UsageError
from covalent_lab.exports.comparison import comparison_lines
from covalent_lab.notebook.cards import show_card
from covalent_lab.notebook.cellcommand import deliver_all
from covalent_lab.notebook.grammar import Call, Parser, SubCommand, Word
from covalent_lab.notebook.offers import dispatch_ids, named_dispatch, node_names, statuses
from covalent_lab.notebook.report import Progress, listing_html, listing_text
from covalent_lab.notebook.screens import screen_of

__all__ = [
    "CANCEL",
    "COMPARE",
    "EXPORT",
    "LIST",
    "LOGS",
    "OPEN",
    "REDISPATCH",
    "RESULT",
    "SHOW",
    "changes_of",
    "find_dispatch",
    "id_argument",
]

_ROWS = 20


def id_argument(parser: Parser, *, is_needed: bool = True) -> None:
    """Declare the argument that names a dispatch."""
    text = "a dispatch id, its beginning, or a variable that holds it"
    if is_needed:
        parser.argument("dispatch_id", metavar="ID", offer=dispatch_ids, help=text)
    else:
        parser.argument(
            "dispatch_id", metavar="ID", nargs="?", default="", offer=dispatch_ids, help=f"{text}; default: the newest"
        )


def find_dispatch(call: Call) -> str:
    """The whole id of the dispatch that a line names; the newest if it names none.

    Raises:
        MissingLatticeRecordError: None begins like that.
        UsageError: Several do, or nothing was dispatched yet.
    """
    start = named_dispatch(call.namespace, call.options.dispatch_id)
    items = connect().list_dispatches(search=start, count=_ROWS if start else 1)["items"]
    found = [item["dispatch_id"] for item in items if item["dispatch_id"].startswith(start)]
    if not found:
        if not start:
            raise UsageError("No dispatch is recorded yet.")
        raise MissingLatticeRecordError(start)
    if len(found) > 1:
        raise UsageError(f"{len(found)} dispatches begin with {start!r}. Give more of the id.")
    return str(found[0])


def _list(call: Call) -> None:
    """List dispatches, newest first."""
    options = call.options
    if options.count < 1:
        raise UsageError("-n takes a number from 1.")
    page = connect().list_dispatches(
        status=options.status.upper(), search=options.search, count=min(500, options.count)
    )
    screen_of(call.shell).show({"text/html": listing_html(page), "text/plain": listing_text(page)})


def _list_arguments(parser: Parser) -> None:
    parser.argument("-n", "--count", type=int, default=_ROWS, help=f"how many at most (default {_ROWS})")
    parser.argument(
        "-s", "--status", default="", offer=statuses, help="only those that stand so; several are joined by commas"
    )
    parser.argument("--search", default="", metavar="TEXT", help="part of a name, or the beginning of an id")


def _show(call: Call) -> None:
    """Show a dispatch as a card that stays live, also after the kernel ended; in a terminal as text."""
    show_card(call.shell, find_dispatch(call))


def _result(call: Call) -> Any:
    """Bring what came of a dispatch, of one of its nodes, or of a %%covalent cell.

    A node gives its value. A dispatch gives its Result, or with -o its value. A cell that completed gives its names
    and its value.
    """
    options = call.options
    result = get_result(find_dispatch(call))
    if options.node is not None:
        value = _node_value(result, options.node)
    else:
        value = result.result if result.status == "COMPLETED" else None
        if getattr(type(value), "covalent_cell", 0):
            value = deliver_all(call.shell, result)
        elif not options.output:
            return result
        elif result.status != "COMPLETED":
            raise UsageError(f"Dispatch {result.dispatch_id} is {result.status}: it has no value to assign.")
    if options.output:
        if not options.output.isidentifier():
            raise UsageError(f"{options.output!r}, which -o asks for, cannot be the name of a variable.")
        call.shell.push({options.output: value}, interactive=True)
        return None
    return value


def _node_value(result: Result, text: str) -> Any:
    node_id = find_node(result, text)
    node = result.get_node_result(node_id)
    if node["output"] is None:
        reason = f" {node['error']}" if node["error"] else ""
        raise UsageError(f"Node {node_id} ({node['node_name']}) has no value: it is {node['status']}.{reason}")
    return node["output"].get_deserialized()


def _result_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.argument("node", metavar="NODE", nargs="?", offer=node_names, help="a node id, or the name of a single node")
    parser.argument("-o", "--output", metavar="NAME", default="", help="assign the value to this name")


def _logs(call: Call) -> None:
    """Show what the tasks of a dispatch printed; standard error goes to standard error."""
    options = call.options
    result = get_result(find_dispatch(call))
    connection, screen = connect(), screen_of(call.shell)
    states = result.node_states()
    rows = zip(states["node_id"], states["stdout"], states["stderr"], strict=True)
    printed = {node_id: {"stdout": out, "stderr": err} for node_id, out, err in rows}
    wanted = sorted(printed) if options.node is None else [find_node(result, options.node)]
    streams = [options.only] if options.only else ["stdout", "stderr"]
    is_empty = True
    for node_id in wanted:
        is_titled = options.node is not None
        for stream in streams:
            if not printed.get(node_id, {}).get(stream):
                continue
            text = whole_stream(connection, result.dispatch_id, node_id, stream)
            if not is_titled:
                screen.write(f"[{result.graph.nodes[node_id].name}({node_id})]\n", is_error=False)
                is_titled = True
            screen.write(_last_lines(text, options.lines), is_error=stream == "stderr")
            is_empty = False
    if is_empty:
        screen.write("Nothing was printed.\n", is_error=False)


def _last_lines(text: str, count: int | None) -> str:
    lines = text.splitlines(keepends=True)
    kept = "".join(lines if count is None else lines[max(0, len(lines) - count) :])
    return kept if kept.endswith("\n") or not kept else f"{kept}\n"


def _logs_arguments(parser: Parser) -> None:
    id_argument(parser, is_needed=False)
    parser.argument("node", metavar="NODE", nargs="?", offer=node_names, help="a node id, or the name of a single node")
    parser.argument(
        "--stdout", dest="only", action="store_const", const="stdout", default="", help="standard output only"
    )
    parser.argument("--stderr", dest="only", action="store_const", const="stderr", help="standard error only")
    parser.argument("-n", "--lines", type=int, metavar="COUNT", help="the last lines of each only")


def _cancel(call: Call) -> None:
    """Stop a dispatch, or some of its tasks."""
    dispatch_id = find_dispatch(call)
    result = get_result(dispatch_id) if call.options.nodes else None
    nodes = [] if result is None else [find_node(result, text) for text in call.options.nodes]
    screen_of(call.shell).write(f"{cancel_dispatch(dispatch_id, nodes)}\n", is_error=False)


def _cancel_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.argument("nodes", metavar="NODE", nargs="*", offer=node_names, help="only these: ids or names of nodes")


def _redispatch(call: Call) -> Any:
    """Run a dispatch again; gives the id of the new one.

    NAME=VALUE changes an argument of the workflow: the value is a Python expression of the notebook. Arguments that
    are not named stay as they were.
    """
    dispatch_id = find_dispatch(call)
    again = repeat(dispatch_id, reuse_previous_results=call.options.reuse)
    changes = changes_of(call)
    if not changes:
        return again()
    result = get_result(dispatch_id)
    given = result.inputs
    inputs = {"args": (), "kwargs": {}} if given is None else given.get_deserialized()
    signature = inspect.signature(result.lattice.plain_function())
    arguments = signature.bind(*inputs["args"], **inputs["kwargs"])
    others = {p.name for p in signature.parameters.values() if p.kind is inspect.Parameter.VAR_KEYWORD}
    for name, value in changes.items():
        if name in signature.parameters:
            arguments.arguments[name] = value
        elif others:
            arguments.arguments.setdefault(next(iter(others)), {})[name] = value
        else:
            known = ", ".join(signature.parameters) or "none"
            raise UsageError(f"The workflow {result.name} takes no argument {name!r}. It takes: {known}.")
    return again(*arguments.args, **arguments.kwargs)


def changes_of(call: Call) -> dict[str, Any]:
    """What a line's `arguments` assign, as NAME=VALUE; the values are Python expressions of the notebook.

    Raises:
        UsageError: Something is not written like that, or cannot be evaluated.
    """
    changes: dict[str, Any] = {}
    for text in _assignments(call.options.arguments):
        name, is_change, expression = text.partition("=")
        if not is_change or not name.isidentifier():
            raise UsageError(f"{text!r} is no change of an argument; write NAME=VALUE.")
        try:
            changes[name] = eval(expression, call.namespace)
        except Exception as error:
            raise UsageError(f"The value of {name}, {expression!r}, cannot be evaluated: {error}.") from error
    return changes


def _assignments(words: Sequence[Word]) -> list[str]:
    """The words joined to assignments: an expression may contain spaces, and a comma may follow it."""
    found: list[str] = []
    begun = ""
    for word in words:
        begun = f"{begun} {word.raw}".lstrip()
        if _is_whole(begun.removesuffix(",")):
            found.append(begun.removesuffix(","))
            begun = ""
    return [*found, begun] if begun else found


def _is_whole(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _redispatch_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.argument("-r", "--reuse", action="store_true", help="take over what completed instead of running it again")
    parser.argument("arguments", metavar="NAME=VALUE", nargs="*", help="arguments of the workflow to change")


def _open(call: Call) -> None:
    """Give a link that opens the graph in JupyterLab."""
    dispatch_id = find_dispatch(call)
    connection = connect()
    detail = connection.detail(dispatch_id)
    url = connection.lab_url(dispatch_id)
    if url is None:
        raise UsageError(
            "No Jupyter server shows this dispatch: its dispatcher runs in this process, or without JupyterLab. "
            "Start JupyterLab with covalent-lab installed to see its graph."
        )
    screen_of(call.shell).progress(
        Progress(dispatch_id=dispatch_id, name=detail["name"], status=detail["status"], url=url)
    )


def _export(call: Call) -> None:
    """Write a dispatch into a file; its suffix chooses the format: .svg, .png, .mmd, .dot, .py or .html."""
    file = export(find_dispatch(call), call.options.file)
    screen_of(call.shell).write(f"Wrote {file}.\n", is_error=False)


def _export_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.argument("file", metavar="FILE", help="the file to write")


def _compare(call: Call) -> None:
    """Show in which tasks two dispatches differ."""
    left = find_dispatch(call)
    call.options.dispatch_id = call.options.other
    found = compare(left, find_dispatch(call))
    heading, rows = comparison_lines(found, shows_all=call.options.all)
    lines = [*heading, *("  ".join(filter(None, row)) for row in rows)]
    screen_of(call.shell).write("\n".join(lines) + "\n", is_error=False)


def _compare_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.argument("other", metavar="OTHER", offer=dispatch_ids, help="the dispatch to compare with")
    parser.argument("-a", "--all", action="store_true", help="list tasks without differences, too")


LIST = SubCommand(name="list", help="the newest dispatches", run=_list, arguments=_list_arguments)
SHOW = SubCommand(
    name="show", help="a dispatch as a live card", run=_show, arguments=lambda p: id_argument(p, is_needed=False)
)
RESULT = SubCommand(
    name="result", help="what came of a dispatch, a node or a cell", run=_result, arguments=_result_arguments
)
LOGS = SubCommand(name="logs", help="what tasks printed", run=_logs, arguments=_logs_arguments)
CANCEL = SubCommand(name="cancel", help="stop a dispatch, or some tasks", run=_cancel, arguments=_cancel_arguments)
REDISPATCH = SubCommand(
    name="redispatch", help="run a dispatch again", run=_redispatch, arguments=_redispatch_arguments
)
EXPORT = SubCommand(name="export", help="a dispatch as a file", run=_export, arguments=_export_arguments)
COMPARE = SubCommand(name="compare", help="two dispatches side by side", run=_compare, arguments=_compare_arguments)
OPEN = SubCommand(
    name="open", help="a link to the graph", run=_open, arguments=lambda p: id_argument(p, is_needed=False)
)
