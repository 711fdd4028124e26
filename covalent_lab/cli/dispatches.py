"""`list`, `show`, `result`, `cancel`, `redispatch`."""

import json
from typing import Any, TypeVar

import click

from covalent_lab.cli.output import json_option, moment, print_json, say, show_fields, show_table
from covalent_lab.errors import TaskError

__all__ = [
    "address_option",
    "cancel",
    "connection_to",
    "list_dispatches",
    "reachable",
    "redispatch",
    "result",
    "show",
]

_T = TypeVar("_T", list[Any], dict[str, Any])
_WAIT_S = 30.0

address_option = click.option(
    "--address", metavar="HOST:PORT", help="Server to ask; by default the one a dispatch here would go to."
)


@click.command("list")
@click.option("-s", "--status", default="", help="Only those that stand so; several are joined by commas.")
@click.option("--search", default="", help="Part of a name, or the beginning of an id.")
@click.option("-n", "--count", default=20, show_default=True, type=click.IntRange(1, 500), help="How many at most.")
@address_option
@json_option
def list_dispatches(*, status: str, search: str, count: int, address: str | None, as_json: bool) -> None:
    """List dispatches, newest first."""
    page = connection_to(address).list_dispatches(status=status.upper(), search=search, count=count)
    if as_json:
        print_json(page["items"])
        return
    rows = [
        (
            item["dispatch_id"],
            item["name"],
            item["status"],
            f"{item['completed']}/{item['total']}",
            moment(item["created_at"]),
            moment(item["ended_at"]),
        )
        for item in page["items"]
    ]
    show_table(("Dispatch", "Name", "Status", "Nodes", "Created", "Ended"), rows)


@click.command()
@click.argument("dispatch_id")
@address_option
@json_option
def show(*, dispatch_id: str, address: str | None, as_json: bool) -> None:
    """Show a dispatch and its nodes."""
    from covalent_lab.graph.model import NodeKind
    from covalent_lab.graph.wire import graph_from_wire

    connection = connection_to(address)
    detail = connection.detail(dispatch_id)
    columns = connection.nodes(dispatch_id)
    graph = graph_from_wire(connection.graph(dispatch_id))
    names = {node.id: node.name for node in graph.nodes if node.kind is not NodeKind.PARAMETER}
    fields = ("status", "attempt", "started_at", "ended_at", "error")
    started = {
        node_id: dict(zip(fields, values, strict=True))
        for node_id, *values in zip(columns["node_id"], *(columns[field] for field in fields), strict=True)
    }
    idle = {"status": "NEW_OBJECT", "attempt": 0, "started_at": None, "ended_at": None, "error": ""}
    nodes = [{"node_id": i, "name": name, **started.get(i, idle)} for i, name in names.items()]
    if as_json:
        print_json({**detail, "nodes": nodes})
        return
    show_fields(
        dispatch_id,
        {
            "name": detail["name"],
            "status": detail["status"],
            "nodes": f"{detail['completed']}/{detail['total']}",
            "created": moment(detail["created_at"]),
            "started": moment(detail["started_at"]),
            "ended": moment(detail["ended_at"]),
            "executor": detail["executor"],
            "result": _text(detail),
            "error": detail["error"],
        },
    )
    show_table(
        ("Node", "Name", "Status", "Started", "Ended", "Error"),
        [
            (n["node_id"], n["name"], n["status"], moment(n["started_at"]), moment(n["ended_at"]), n["error"])
            for n in nodes
        ],
    )


@click.command()
@click.argument("dispatch_id")
@click.option("-w", "--wait", is_flag=True, help="Wait for its end.")
@address_option
@json_option
def result(*, dispatch_id: str, wait: bool, address: str | None, as_json: bool) -> None:
    """Print what a dispatch returned, as text; fails if it failed, or has not ended.

    The value is not loaded: what is printed is the text that was kept with it.
    """
    from covalent_lab.client.status import Status

    connection = connection_to(address)
    detail = connection.detail(dispatch_id, wait_s=_WAIT_S if wait else 0.0)
    while wait and not Status.is_terminal(detail["status"]):
        detail = connection.detail(dispatch_id, wait_s=_WAIT_S)
    if as_json:
        kind = (detail["result"] or {}).get("type")
        form = {"status": detail["status"], "result": _text(detail), "type": kind, "error": detail["error"]}
        print_json({"dispatch_id": dispatch_id, **form})
    if detail["status"] != Status.COMPLETED:
        hint = "" if Status.is_terminal(detail["status"]) else " Use --wait to wait for its end."
        reason = f" {detail['error']}" if detail["error"] else ""
        raise TaskError(f"Dispatch {dispatch_id} is {detail['status']}.{reason}{hint}")
    if not as_json:
        click.echo(_text(detail) or "")


@click.command()
@click.argument("dispatch_id")
@click.option("-t", "--task", "tasks", type=click.IntRange(0), multiple=True, help="Only this node; may be repeated.")
@address_option
def cancel(*, dispatch_id: str, tasks: tuple[int, ...], address: str | None) -> None:
    """Ask a dispatch, or some of its tasks, to stop."""
    say(connection_to(address).cancel(dispatch_id, tasks or None))


@click.command()
@click.argument("dispatch_id")
@click.option("-r", "--reuse", is_flag=True, help="Take over what completed, instead of running it again.")
@click.option("--args", "args_json", metavar="JSON", default="[]", help="New positional arguments, as a JSON list.")
@click.option("--kwargs", "kwargs_json", metavar="JSON", default="{}", help="New keyword arguments, as a JSON object.")
@address_option
def redispatch(*, dispatch_id: str, reuse: bool, args_json: str, kwargs_json: str, address: str | None) -> None:
    """Run a recorded dispatch again, and print the id of the new one.

    New arguments, of either kind, replace all of the old ones; the workflow is then loaded here and built again.
    """
    from covalent_lab.client.repeating import redispatch as repeat

    args, kwargs = _of_kind(args_json, list, "--args"), _of_kind(kwargs_json, dict, "--kwargs")
    reachable(address)
    click.echo(repeat(dispatch_id, address, reuse_previous_results=reuse)(*args, **kwargs))


def reachable(address: str | None) -> None:
    """Fail where no server answers, before something starts a dispatcher here.

    Raises:
        ServerUnreachableError: None does.
    """
    connection_to(address).close()


def _of_kind(text: str, kind: type[_T], option: str) -> _T:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not JSON: {error}.", param_hint=option) from error
    if not isinstance(value, kind):
        raise click.BadParameter(f"{text!r} is no JSON {kind.__name__}.", param_hint=option)
    return value


def _text(detail: dict[str, Any]) -> str | None:
    view = detail["result"]
    return None if view is None else str(view["text"])


def connection_to(address: str | None) -> Any:
    from covalent_lab.client.discovery import discover  # urllib3
    from covalent_lab.settings import Settings

    return discover(Settings.load(), address, may_start=False)
