"""Two runs side by side: which nodes stand for each other, and in what they differ.

Values are equal where their stored bytes are; equal values of some types are stored as other bytes each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from covalent_lab.exports.outline import shorten
from covalent_lab.exports.run import NodeRun, Run, Value, by_target
from covalent_lab.exports.words import duration
from covalent_lab.graph.compare import matched_nodes
from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, ParamType

__all__ = ["comparison", "comparison_lines"]

_ROWS = 2_000
_TEXT = 200
_INPUTS = 20
_NAME = 40
_Edges = Mapping[int, Sequence[Edge]]


def comparison(left: Run, right: Run) -> dict[str, Any]:
    """Compare two dispatches.

    Returns:
        JSON: both `left` and `right`, whether the graphs have the same form, `inputs` and `result`, and one row for
        each task with what differs in it. Of more than 2000 rows those with differences come first, and `hidden` says
        how many are left out.
    """
    edges = by_target(left.graph), by_target(right.graph)
    pairs = [pair for pair in matched_nodes(left.graph, right.graph) if _kind(pair) is not NodeKind.PARAMETER]
    rows = [_row(pair, (left, right), edges) for pair in pairs]
    differing = sum(bool(row["differences"]) for row in rows)
    shown = rows if len(rows) <= _ROWS else sorted(rows, key=lambda row: not row["differences"])[:_ROWS]
    return {
        "left": _summary(left),
        "right": _summary(right),
        "is_same_graph": _form(left.graph) == _form(right.graph),
        "inputs": _pair(left.inputs, right.inputs),
        "result": _pair(left.result, right.result),
        "rows": shown,
        "hidden": len(rows) - len(shown),
        "differing": differing,
    }


def comparison_lines(
    found: Mapping[str, Any], *, shows_all: bool = False
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """What `comparison` found, for readers of text.

    Args:
        found: The comparison.
        shows_all: Whether tasks without differences are listed.

    Returns:
        Lines about the whole, and rows of task, status and time left and right, and what differs.
    """
    count, left, right = found["differing"], found["left"], found["right"]
    lines = [f"{shorten(side['name'], _NAME)} {side['dispatch_id']}: {side['status']}" for side in (left, right)]
    lines.append("The graphs have the same form." if found["is_same_graph"] else "The graphs differ.")
    for what in ("inputs", "result"):
        pair = found[what]
        if not pair["is_equal"]:
            lines.append(f"{what}: {_change(pair)}")
    lines.append(f"{count} task{'' if count == 1 else 's'} differ{'s' if count == 1 else ''}.")
    return lines, [_line(row) for row in found["rows"] if shows_all or row["differences"]]


def _line(row: Mapping[str, Any]) -> Sequence[str]:
    sides = row["left"], row["right"]
    name = next(f"{shorten(side['name'], _NAME)} ({side['node_id']})" for side in sides if side is not None)
    changes = {change["name"]: _change(change) for change in row["inputs"]}
    if "output" in row["differences"]:
        changes["output"] = _change(row["output"])
    words = [word for word in row["differences"] if word not in ("inputs", "output")]
    told = [*words, *(f"{what}: {change}" for what, change in changes.items())]
    states = [side["status"] if side else "–" for side in sides]
    times = [
        duration(NodeRun(started_at=side["started_at"], ended_at=side["ended_at"]).runtime_s) if side else ""
        for side in sides
    ]
    return [name, *states, *times, "; ".join(told)]


def _change(pair: Mapping[str, Any]) -> str:
    before, after = ("–" if pair[side] is None else shorten(pair[side], _NAME) for side in ("left", "right"))
    return f"{before} → {after}" if before != after else f"{before} (other bytes)"


def _kind(pair: tuple[Node | None, Node | None]) -> NodeKind | None:
    return next((node.kind for node in pair if node is not None), None)


def _form(graph: Graph) -> tuple[Sequence[tuple[NodeKind, str]], Sequence[Edge]]:
    """What is the same whatever the values: parameters are named after theirs."""
    nodes = [(node.kind, "" if node.kind is NodeKind.PARAMETER else node.name) for node in graph.nodes]
    return nodes, sorted(graph.edges, key=repr)


def _summary(run: Run) -> dict[str, Any]:
    return {
        "dispatch_id": run.dispatch_id,
        "name": run.name,
        "status": run.status,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "error": run.error,
    }


def _pair(left: Value | None, right: Value | None) -> dict[str, Any]:
    is_equal = (left and left.digest) == (right and right.digest)
    return {"is_equal": is_equal, "left": _text(left), "right": _text(right)}


def _text(value: Value | None) -> str | None:
    if value is None:
        return None
    return value.text if len(value.text) <= _TEXT else value.text[:_TEXT] + "…"


def _row(pair: tuple[Node | None, Node | None], runs: tuple[Run, Run], edges: tuple[_Edges, _Edges]) -> dict[str, Any]:
    left, right = pair
    sides = [None if node is None else _side(node, run) for node, run in zip(pair, runs, strict=True)]
    row: dict[str, Any] = {"left": sides[0], "right": sides[1], "inputs": [], "output": None, "differences": []}
    if left is None or right is None:
        return {**row, "differences": ["missing"]}
    states = [run.node(node.id) for node, run in zip((left, right), runs, strict=True)]
    row["output"] = _pair(states[0].output, states[1].output)
    row["inputs"] = list(_changed_inputs((left, right), runs, edges))[:_INPUTS]
    found = {
        "status": states[0].status != states[1].status,
        "function": _source(left, runs[0]) != _source(right, runs[1]),
        "executor": sides[0] is not None and sides[1] is not None and sides[0]["executor"] != sides[1]["executor"],
        "inputs": bool(row["inputs"]),
        "output": not row["output"]["is_equal"],
        "error": states[0].error != states[1].error,
    }
    return {**row, "differences": [name for name, differs in found.items() if differs]}


def _side(node: Node, run: Run) -> dict[str, Any]:
    state = run.node(node.id)
    return {
        "node_id": node.id,
        "name": node.name,
        "kind": node.kind.value,
        "status": state.status,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "cpu_s": state.usage["cpu_s"] if state.usage else None,
        "executor": run.graph.options[node.options].executor,
        "error": state.error,
    }


def _source(node: Node, run: Run) -> tuple[str, str] | None:
    """What can be compared of a function; its pickled form differs each time."""
    function: Function | None = None if node.function is None else run.graph.functions[node.function]
    return None if function is None else (function.name, function.source)


def _is_input(edge: Edge) -> bool:
    """Not what only orders, nor what repeats the parts of the workflow's value beside that value."""
    return edge.param_type is not ParamType.WAIT and not edge.name.startswith("node:")


def _changed_inputs(
    pair: tuple[Node, Node], runs: tuple[Run, Run], edges: tuple[_Edges, _Edges]
) -> Iterator[dict[str, Any]]:
    """Inputs whose values differ; those that are not known yet do not."""
    given = []
    for node, run, into in zip(pair, runs, edges, strict=True):
        inputs = filter(_is_input, into.get(node.id, ()))
        given.append({edge.name: run.node(edge.source).output for edge in inputs})
    for name in sorted(given[0].keys() | given[1].keys()):
        before, after = (side.get(name) for side in given)
        is_known = before is not None and after is not None
        if (name in given[0]) != (name in given[1]) or (is_known and before.digest != after.digest):  # type: ignore[union-attr]
            yield {"name": name, "left": _text(before), "right": _text(after)}
