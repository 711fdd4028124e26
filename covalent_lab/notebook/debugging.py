"""`%covalent debug`: a new cell that loads the call of a node, so that its user can step through it."""

import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from covalent_lab.client.api import get_result
from covalent_lab.client.nodecall import find_node, node_call
from covalent_lab.notebook.dispatchcommands import find_dispatch, id_argument
from covalent_lab.notebook.grammar import Call, Parser, SubCommand
from covalent_lab.notebook.offers import node_names
from covalent_lab.notebook.screens import screen_of

__all__ = ["DEBUG", "load_call"]


def load_call(dispatch_id: str, node_id: int) -> tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any]]:
    """Load the function that a node of a dispatch runs, and the very arguments it got.

    Debuggers show the function's source as it was recorded, also where its file or cell is gone.

    Args:
        dispatch_id: The dispatch.
        node_id: The node.

    Returns:
        The function, its arguments by position and those by keyword. What hooks deliver is not among them.

    Raises:
        MissingNodeError: There is no such node.
        UsageError: It calls nothing, or an input is not there yet.
        SerializationError: It needs something that is not installed here.
    """
    call = node_call(dispatch_id, node_id)
    _remember_source(call.function, call.source)
    return call.function, call.args, call.kwargs


def _remember_source(function: Callable[..., Any], source: str) -> None:
    code = getattr(function, "__code__", None)
    if code is None or not source or linecache.getlines(code.co_filename):
        return
    lines = ["\n"] * (code.co_firstlineno - 1) + source.splitlines(keepends=True)
    linecache.cache[code.co_filename] = (sum(map(len, lines)), None, lines, code.co_filename)


def _debug(call: Call) -> None:
    """Make a new cell that loads a node's function and arguments, and steps through the call here.

    The call runs in the kernel, without what the executor and hooks did before it.
    """
    dispatch_id = find_dispatch(call)
    result = get_result(dispatch_id)
    node_id = find_node(result, call.options.node)
    node_call(dispatch_id, node_id)  # tells now, and not in the new cell, what is wrong
    name = re.sub(r"\W", "_", result.graph.nodes[node_id].name, flags=re.ASCII)
    name = name if name.isidentifier() else "function"
    call.shell.set_next_input(
        f"# Node {node_id} ({result.graph.nodes[node_id].name}) of dispatch {dispatch_id}, in this kernel.\n"
        "# In the debugger: s steps in, n to the next line, p NAME prints, c goes on, q ends.\n"
        "# Without %debug the call just runs; if it fails, %debug in the next cell goes to where it failed.\n"
        f"from {__name__} import load_call\n\n"
        f"{name}, args, kwargs = load_call({dispatch_id!r}, {node_id})\n"
        f"%debug {name}(*args, **kwargs)\n"
    )
    if not hasattr(call.shell, "kernel"):
        screen_of(call.shell).write("The next input loads the call.\n", is_error=False)


def _debug_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.argument("node", metavar="NODE", offer=node_names, help="a node id, or the name of a single node")


DEBUG = SubCommand(name="debug", help="step through the call of a node here", run=_debug, arguments=_debug_arguments)
