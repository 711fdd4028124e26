"""A graph as an SVG picture that works everywhere: notebooks on GitHub, exported pages, plain files.

Decides coordinates and marks. Positions come from graphviz where its `dot` program is installed, else from networkx's
layers (not from its `multipartite_layout`, which needs numpy and knows nothing of the width of a box); both are written
by the same code, so pictures look alike. Colours are fixed, as a picture inside `<img>` cannot see the page's theme:
light boxes with dark text and grey lines read well on white and on black.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from covalent_lab.exports.outline import Box, Outline, outline
from covalent_lab.exports.statuswords import style_of
from covalent_lab.graph.model import Graph, NodeKind

__all__ = ["PAGE_STYLE", "graph_svg"]

PAGE_STYLE = "max-width:100%;height:auto"
"""How a picture fits into a page; what draws pictures elsewhere may not understand it."""

_CHARACTER = 7.0
_HEIGHT = 30.0
_GAP_X = 22.0
_GAP_Y = 46.0
_MARGIN = 12.0
_POINTS = 72.0
_DOT_LINKS = 600
_DOT_TIMEOUT_S = 10.0
_WAIT_DASH = "4 3"
_PLAIN_FILL = "#f4f6f9"
_PLAIN_STROKE = "#5b6675"
_LINE = "#8a919c"
_TEXT = "#1b1f24"

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placement:
    """Centres of the boxes, and a curve for each link, in pixels with y downwards."""

    centres: Sequence[Point]
    curves: Sequence[str]
    width: float
    height: float


def graph_svg(graph: Graph, nodes: Mapping[int, str] | None = None, *, title: str = "") -> str:
    """Draw a graph.

    Graphs of more than 300 nodes, or with very wide levels, are folded: equal siblings become one box with a count,
    so that the text stays below some 200 kB whatever the graph.

    Args:
        graph: What to draw.
        nodes: Status of each node that left "pending" (`{node_id: "RUNNING"}`); None for a graph that does not run.
        title: For screen readers and as a tooltip.

    Returns:
        A complete `<svg>` element.
    """
    view = outline(graph, nodes)
    if not view.boxes:
        return _frame('<text x="12" y="22">This workflow has no nodes.</text>', 220, 34, title)
    placement = _place_by_dot(view) or _place_in_rows(view)
    curves = "".join(_link(curve, view, index) for index, curve in enumerate(placement.curves))
    parts = [f'<g fill="none" stroke="{_LINE}" marker-end="url(#tip)">{curves}</g>']
    parts += [_box(box, centre) for box, centre in zip(view.boxes, placement.centres, strict=True)]
    height = placement.height
    if view.hidden:
        parts.append(f'<text x="{_MARGIN:g}" y="{height + 8:.0f}">… and {view.hidden} more nodes</text>')
        height += 20
    return _frame("".join(parts), placement.width, height, title)


def _frame(body: str, width: float, height: float, title: str) -> str:
    label = escape(title or "workflow graph")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{label}" style="{PAGE_STYLE}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{_PLAIN_STROKE}"><title>{label}</title>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{_LINE}"/></marker></defs>{body}</svg>'
    )


def _width(box: Box) -> float:
    mark = 16 if box.status else 0
    return max(44.0, _CHARACTER * _columns(box.caption) + 22 + mark)


def _columns(text: str) -> int:
    """Width in characters; ideographs and emoji count twice."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def _box(box: Box, centre: Point) -> str:
    width = _width(box)
    left, top = centre[0] - width / 2, centre[1] - _HEIGHT / 2
    style = style_of(box.status) if box.status else None
    stroke, fill = (style.stroke, style.fill) if style else (_PLAIN_STROKE, _PLAIN_FILL)
    radius = {NodeKind.PARAMETER: 15, NodeKind.FUNCTION: 6, NodeKind.SUBLATTICE: 6}.get(box.kind, 0)
    dash = ' stroke-dasharray="5 3"' if box.kind is NodeKind.POSTPROCESS else ""
    shape = (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HEIGHT:g}" rx="{radius}" fill="{fill}" '
        f'stroke="{stroke}"{dash}/>'
    )
    if len(box.node_ids) > 1:  # a second sheet behind
        shape = (
            f'<rect x="{left + 4:.1f}" y="{top - 4:.1f}" width="{width:.1f}" height="{_HEIGHT:g}" rx="{radius}" '
            f'fill="{fill}" stroke="{stroke}"/>{shape}'
        )
    if box.kind is NodeKind.SUBLATTICE:
        shape += (
            f'<rect x="{left + 3:.1f}" y="{top + 3:.1f}" width="{width - 6:.1f}" height="{_HEIGHT - 6:g}" rx="4" '
            f'fill="none" stroke="{stroke}"/>'
        )
    middle = centre[0]
    mark = ""
    if style:
        mark = f'<text x="{left + 9:.1f}" y="{centre[1] + 4:.1f}" fill="{stroke}">{style.mark}</text>'
        middle += 8
    text = f'<text x="{middle:.1f}" y="{centre[1] + 4:.1f}" text-anchor="middle" fill="{_TEXT}">'
    return f"<g><title>{escape(box.title)}</title>{shape}{mark}{text}{escape(box.caption)}</text></g>"


def _link(curve: str, view: Outline, index: int) -> str:
    link = view.links[index]
    dash = f' stroke-dasharray="{_WAIT_DASH}"' if link.is_wait else ""
    count = f" × {link.count}" if link.count > 1 else ""
    name = "" if link.is_wait else link.label
    hint = f"<title>{escape(name + count)}</title>" if name or count else ""
    return f'<path d="{curve}"{dash}>{hint}</path>' if hint else f'<path d="{curve}"{dash}/>'


# -- positions from graphviz ------------------------------------------------------------------------------------------


def _place_by_dot(view: Outline) -> _Placement | None:
    """Ask graphviz, which knows how to avoid crossings; None where it is missing or takes too long."""
    if len(view.links) > _DOT_LINKS or shutil.which("dot") is None:
        return None
    import graphviz  # heavy

    drawing = graphviz.Digraph(
        graph_attr={"ranksep": "0.45", "nodesep": "0.25"}, node_attr={"shape": "box"}, edge_attr={"dir": "none"}
    )
    for index, box in enumerate(view.boxes):
        width, height = f"{_width(box) / _POINTS:.3f}", f"{_HEIGHT / _POINTS:.3f}"
        drawing.node(str(index), label="", width=width, height=height, fixedsize="true")
    for link in view.links:
        drawing.edge(str(link.source), str(link.target))
    try:
        done = subprocess.run(
            ["dot", "-Tplain"],
            input=drawing.source.encode(),
            capture_output=True,
            check=True,
            timeout=_DOT_TIMEOUT_S,
        )
        return _read_plain(done.stdout.decode(), view)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError, KeyError):
        return None  # a broken graphviz must not cost the picture


def _read_plain(text: str, view: Outline) -> _Placement:
    """Read graphviz's line-based output: `graph scale w h`, `node id x y …`, `edge from to n x1 y1 …`, in inches."""
    centres: list[Point] = [(0.0, 0.0)] * len(view.boxes)
    curves: dict[tuple[int, int], str] = {}
    total = (0.0, 0.0)

    def point(x: str, y: str) -> Point:
        return float(x) * _POINTS + _MARGIN, (total[1] - float(y)) * _POINTS + _MARGIN

    for line in text.splitlines():
        words = line.split()
        match words[0]:
            case "graph":
                total = (float(words[2]), float(words[3]))
            case "node":
                centres[int(words[1])] = point(words[2], words[3])
            case "edge":
                numbers = words[4 : 4 + 2 * int(words[3])]
                points = [point(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
                first, *others = [f"{x:.0f} {y:.0f}" for x, y in points]
                curves[int(words[1]), int(words[2])] = f"M{first}C{' '.join(others)}"
    return _Placement(
        centres=centres,
        curves=[curves[link.source, link.target] for link in view.links],
        width=total[0] * _POINTS + 2 * _MARGIN,
        height=total[1] * _POINTS + 2 * _MARGIN,
    )


# -- positions from networkx -------------------------------------------------------------------------------------------


def _place_in_rows(view: Outline) -> _Placement:
    """One row for each of networkx's topological generations; in a row, boxes stand near the middle of their inputs."""
    import networkx  # heavy

    drawing = networkx.DiGraph()
    drawing.add_nodes_from(range(len(view.boxes)))
    drawing.add_edges_from((link.source, link.target) for link in view.links)
    rows: dict[int, list[int]] = dict(enumerate(map(list, networkx.topological_generations(drawing))))
    inputs: dict[int, list[int]] = {}
    for link in view.links:
        inputs.setdefault(link.target, []).append(link.source)
    centres: list[Point] = [(0.0, 0.0)] * len(view.boxes)
    widths = {level: sum(_width(view.boxes[i]) + _GAP_X for i in row) - _GAP_X for level, row in rows.items()}
    total = max(widths.values())
    y = _MARGIN + _HEIGHT / 2
    for level in sorted(rows):
        row = rows[level]
        row.sort(key=lambda i: (_mean([centres[source][0] for source in inputs.get(i, ())]), i))
        x = _MARGIN + (total - widths[level]) / 2
        for index in row:
            width = _width(view.boxes[index])
            centres[index] = (x + width / 2, y)
            x += width + _GAP_X
        y += _HEIGHT + _GAP_Y
    curves = [_curve(centres[link.source], centres[link.target]) for link in view.links]
    return _Placement(
        centres=centres, curves=curves, width=total + 2 * _MARGIN, height=y - _GAP_Y - _HEIGHT / 2 + _MARGIN
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _curve(source: Point, target: Point) -> str:
    (x1, y1), (x2, y2) = source, target
    y1, y2 = y1 + _HEIGHT / 2, y2 - _HEIGHT / 2
    bend = max(12.0, (y2 - y1) / 2)
    return f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"
