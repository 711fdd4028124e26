"""How lattices and results look in a notebook: MIME bundles from which every front end takes the best it knows.

JupyterLab with this extension draws the graph itself; exported pages, GitHub and other editors show the SVG; terminals
the text. Decides what goes into the bundles; the forms themselves are made in `svg.py`, `outline.py` and `report.py`.
"""

import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from covalent_lab.client.result import Result
from covalent_lab.exports.outline import label_of, listing
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.exports.svg import graph_svg
from covalent_lab.graph.model import Graph, NodeKind
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.notebook.report import DispatchReport, NodeRow, report_html, report_text
from covalent_lab.notebook.screens import current_screen
from covalent_lab.workflow.lattice import Lattice

__all__ = ["LATTICE_MIME", "draw_lattice", "graph_bundle", "result_bundle"]

LATTICE_MIME = "application/vnd.covalent.lattice+json"
_JSON_LIMIT = 2_000_000
_NOWHERE = PayloadRef("0" * 40, 0)


def draw_lattice(lattice: Lattice[..., Any]) -> None:
    """Show a lattice that has a graph: in a notebook as a picture, elsewhere as text.

    Raises:
        GraphBuildError: It has none.
    """
    bundle = graph_bundle(lattice.graph, lattice.__name__)
    view = bundle.get(LATTICE_MIME)
    if view is not None:
        view |= {"doc": inspect.cleandoc(lattice.__doc__ or ""), "source": lattice.workflow_function_string}
    current_screen().show(bundle)


def graph_bundle(
    graph: Graph, name: str, *, dispatch_id: str | None = None, nodes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The forms of a graph.

    Args:
        graph: What to show.
        name: Of the workflow.
        dispatch_id: The dispatch to follow; None for a graph that does not run.
        nodes: States as the client returns them, in columns.

    Returns:
        A MIME bundle. JSON is left out of it where it would make a notebook too large to keep.
    """
    statuses = None if nodes is None else dict(zip(nodes["node_id"], nodes["status"], strict=True))
    bundle: dict[str, Any] = {
        "image/svg+xml": graph_svg(graph, statuses, title=name),
        "text/plain": listing(graph, name, statuses),
    }
    # The server knows the sources of what it runs; of what does not run, only the output does.
    drawn = _view_of(graph, has_sources=dispatch_id is None)
    view: dict[str, Any] = {"version": 1, "name": name, "dispatch_id": dispatch_id, "graph": drawn}
    if nodes is not None:
        view["nodes"] = dict(nodes)
    if len(json.dumps(view)) <= _JSON_LIMIT:
        bundle[LATTICE_MIME] = view
    return bundle


def result_bundle(result: Result) -> dict[str, Any]:
    """The forms of a result: a report with its nodes, as HTML and as text; of one that goes on also what stays live.

    Fetches states and previews, never values.
    """
    connection = result.connection
    if connection is None:
        return {"text/plain": repr(result)}
    report = DispatchReport(
        dispatch_id=result.dispatch_id,
        name=result.name,
        status=str(result.status),
        rows=_rows(result),
        started_at=result.start_time,
        ended_at=result.end_time,
        error=_error(result),
        result=_result_text(result),
        url=connection.lab_url(result.dispatch_id),
    )
    bundle: dict[str, Any] = {"text/html": report_html(report), "text/plain": report_text(report)}
    if report.status not in TERMINAL:
        forms = graph_bundle(result.graph, result.name, dispatch_id=result.dispatch_id, nodes=result.node_states())
        bundle |= {mime: form for mime, form in forms.items() if mime == LATTICE_MIME}
    return bundle


def _view_of(graph: Graph, *, has_sources: bool) -> dict[str, Any]:
    """A graph as JSON without what a picture does not need: where values are kept, and unless wanted the sources."""
    functions = graph.functions
    if not has_sources:
        functions = tuple(replace(function, source="") for function in functions)
    bare = Graph(
        nodes=tuple(node if node.value is None else node._replace(value=_NOWHERE) for node in graph.nodes),
        edges=graph.edges,
        functions=functions,
        options=graph.options,
    )
    return graph_to_wire(bare)


def _rows(result: Result) -> list[NodeRow]:
    states = result.node_states()
    place = {node_id: index for index, node_id in enumerate(states["node_id"])}
    rows = []
    for node in result.graph.nodes:
        if node.kind is NodeKind.PARAMETER:
            continue
        index, name = place.get(node.id), label_of(node, length=80)
        if index is None:
            rows.append(NodeRow(node_id=node.id, name=name, status="NEW_OBJECT"))
            continue
        rows.append(
            NodeRow(
                node_id=node.id,
                name=name,
                status=states["status"][index],
                started_at=_time(states["started_at"][index]),
                ended_at=_time(states["ended_at"][index]),
                error=states["error"][index] or "",
            )
        )
    return rows


def _error(result: Result) -> str:
    """Why it failed, with the traceback of the first node that did."""
    if not result.error:
        return ""
    states = result.node_states()
    failed = [n for n, status in zip(states["node_id"], states["status"], strict=True) if status == "FAILED"]
    if not failed:
        return result.error
    node = result.node_details(min(failed))
    begin = node["stderr"].find("Traceback (most recent call last)")
    trace = node["stderr"][begin:] if begin >= 0 else node["error"]
    return f"{result.error}\n{trace}"


def _result_text(result: Result) -> str | None:
    view = result.detail.get("result")
    if view is None:
        return None
    return f"{view['text']}  ({view['type']})" if view["type"] not in ("str", "int", "float") else str(view["text"])


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
