"""Sub-commands of `%covalent` about what surrounds dispatches: the dispatcher, executors, configuration, pictures."""

import json
from collections.abc import Sequence
from typing import Any

from covalent_lab.client.connection import connect
from covalent_lab.client.executors import health_facts, test_facts
from covalent_lab.config.access import get_config, set_config
from covalent_lab.errors import ConfigError, LabError, MissingLatticeRecordError, UsageError
from covalent_lab.executor import registry
from covalent_lab.executor.base import Executor
from covalent_lab.notebook.cards import show_card
from covalent_lab.notebook.dispatchcommands import find_dispatch
from covalent_lab.notebook.grammar import Call, Parser, SubCommand
from covalent_lab.notebook.notebookcommands import draw_notebook
from covalent_lab.notebook.offers import config_keys, dispatch_ids, executors, lattices
from covalent_lab.notebook.report import duration, rows_html, rows_text
from covalent_lab.notebook.screens import screen_of
from covalent_lab.workflow.lattice import Lattice

__all__ = ["CONFIG", "DRAW", "EXECUTORS", "STATUS"]

_VERBS = ("check", "test")


def _status(call: Call) -> None:
    """Tell where the dispatcher runs, and how it is."""
    connection = connect()
    state = connection.status()
    where = connection.url or "in this process"
    screen_of(call.shell).write(
        f"covalent_lab {state['version']} {where} (process {state['pid']}), up {duration(state['uptime_s'])}\n"
        f"{state['dispatches']} dispatches, {state['running']} running; records in {state['store']}\n",
        is_error=False,
    )


def _executors(call: Call) -> None:
    """List the executors, tell the options of one, ask how it is (check), or run a small task on it (test)."""
    *verbs, name = call.options.words or [None]
    if len(verbs) > 1 or (verbs and verbs[0] not in _VERBS) or (not verbs and name in _VERBS):
        raise UsageError("Write %covalent executors, and a name, or check or test and a name.")
    if verbs == ["check"]:
        _show_rows(call, ("Executor", name), list(health_facts(connect().executor_health(name)).items()))
        return
    if verbs == ["test"]:
        _show_rows(call, ("Executor", name), list(test_facts(connect().test_executor(name)).items()))
        return
    if name is None:
        _show_rows(call, ("Executor", "Runs tasks"), [(known, _summary(known)) for known in registry.names()])
        return
    kind = registry.load(name)
    values = get_config("executors").get(name, {})
    if issubclass(kind, Executor):
        rows = [
            (option.name, "(secret)" if option.is_secret else repr(values.get(option.name, option.default)), option.doc)
            for option in kind.options
        ]
    else:
        rows = [(key, repr(value), "") for key, value in values.items()]
    _show_rows(call, ("Option", "Value", "Meaning"), rows)


def _summary(name: str) -> str:
    try:
        return (registry.load(name).__doc__ or "").strip().partition("\n")[0]
    except LabError as error:
        return error.message


def _config(call: Call) -> Any:
    """Show the configuration, a section or a key; with a value, write it to the configuration file.

    The value is read as JSON where it can be (numbers, true, false), else as text.
    """
    key, value = call.options.key, call.options.value
    if value is not None:
        set_config(key, _read_value(value))
        return None
    try:
        found = get_config(key or None)
    except KeyError as error:
        raise ConfigError(str(error.args[0])) from None
    if not isinstance(found, dict):
        return found
    rows = [(".".join(filter(None, (key, *parts))), repr(leaf)) for parts, leaf in _leaves(found, ())]
    _show_rows(call, ("Key", "Value"), rows)
    return None


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _leaves(tree: dict[str, Any], above: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            found += _leaves(value, (*above, name))
        else:
            found.append(((*above, name), value))
    return found


def _draw(call: Call) -> None:
    """Draw a workflow as it would be built with these arguments; nothing is dispatched.

    The arguments are written as in a call: %covalent draw workflow 3, steps=10. Without a name: the workflow that the
    marked cells of the notebook make. With the id of a dispatch, its beginning, or a variable that holds it: that
    dispatch, live.
    """
    name, text = call.options.lattice, " ".join(word.raw for word in call.options.arguments)
    if name is None:
        draw_notebook(call)
        return
    lattice = call.namespace.get(name)
    if not isinstance(lattice, Lattice):
        call.options.dispatch_id = name
        try:
            dispatch_id = find_dispatch(call)
        except MissingLatticeRecordError as error:
            raise UsageError(
                f"{name!r} is no workflow of this notebook, and no dispatch. Decorate a function with @ct.lattice."
            ) from error
        show_card(call.shell, dispatch_id)
        return
    try:
        args, kwargs = eval(f"_covalent_call({text})", {**call.namespace, "_covalent_call": _collected})
    except Exception as error:
        raise UsageError(f"The arguments {text!r} cannot be evaluated: {error}.") from error
    lattice.draw(*args, **kwargs)


def _collected(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def _drawable(shell: Any, words: list[str]) -> list[str]:
    return [*lattices(shell, words), *dispatch_ids(shell, words)]


def _draw_arguments(parser: Parser) -> None:
    parser.argument(
        "lattice",
        metavar="LATTICE",
        nargs="?",
        offer=_drawable,
        help="the name of a workflow, or a dispatch; default: the notebook",
    )
    parser.argument("arguments", metavar="ARGUMENTS", nargs="...", help="as in a call, e.g. 3, steps=10")


def _executor_arguments(parser: Parser) -> None:
    parser.argument(
        "words",
        metavar="[check|test] NAME",
        nargs="*",
        offer=_executor_words,
        help="tell this one's options, or how it is",
    )


def _executor_words(shell: Any, words: list[str]) -> list[str]:
    return [*executors(shell, words), *(() if words else _VERBS)]


def _config_arguments(parser: Parser) -> None:
    parser.argument("key", metavar="KEY", nargs="?", default="", offer=config_keys, help="a key, or a section")
    parser.argument("value", metavar="VALUE", nargs="?", help="write this value")


def _show_rows(call: Call, columns: tuple[str, ...], rows: Sequence[Sequence[str]]) -> None:
    screen_of(call.shell).show({"text/html": rows_html(columns, rows), "text/plain": rows_text(columns, rows)})


STATUS = SubCommand(name="status", help="where the dispatcher runs, and how it is", run=_status)
EXECUTORS = SubCommand(
    name="executors",
    help="the executors, one's options, a check or a test of it",
    run=_executors,
    arguments=_executor_arguments,
)
CONFIG = SubCommand(name="config", help="show or change the configuration", run=_config, arguments=_config_arguments)
DRAW = SubCommand(name="draw", help="a workflow, or a dispatch, live", run=_draw, arguments=_draw_arguments)
