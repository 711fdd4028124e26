"""Graphs as outlines, text and SVG."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest

from covalent_lab.errors import GraphBuildError
from covalent_lab.exports import svg
from covalent_lab.exports.outline import label_of, levels, listing, outline, shorten
from covalent_lab.exports.svg import graph_svg
from covalent_lab.graph.model import Edge, Graph, Node, NodeKind, ParamType
from tests.unit.notebook.graphs import map_reduce

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=["dot", "rows"])
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, require: Callable[..., str]) -> str:
    if request.param == "dot":
        require("dot")
    else:
        monkeypatch.setattr(svg.shutil, "which", lambda name: None)
    return request.param


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SVG}text")]


def test_a_parameter_stands_right_before_its_reader() -> None:
    """A node's level is its longest way from a start."""
    assert list(levels(map_reduce(2))) == [0, 1, 0, 1, 0, 2, 3, 4]


def test_a_small_graph_is_shown_node_by_node() -> None:
    """Each box is one node; edges that repeat the return value are left out."""
    view = outline(map_reduce(2))
    assert [(box.caption, box.level) for box in view.boxes] == [
        ("load", 0), ("0.0", 0), ("0.5", 0), ("fit", 1), ("fit", 1), ("list", 2), ("select", 3), ("result", 4),
    ]  # fmt: skip
    assert (len(view.links), view.is_folded, view.hidden) == (9, False, 0)


@pytest.mark.parametrize("width", [45, 250])
def test_equal_siblings_are_folded_with_their_states_counted(width: int) -> None:
    """The state that matters most colours the box."""
    view = outline(map_reduce(width), {0: "COMPLETED", 1: "COMPLETED", 3: "FAILED"})
    box = next(box for box in view.boxes if box.label == "fit")
    assert (box.caption, box.status) == (f"fit × {width}", "FAILED")
    assert box.statuses == {"COMPLETED": 1, "FAILED": 1, "NEW_OBJECT": width - 2}
    assert (len(view.boxes), view.is_folded) == (6, True)


def test_more_different_nodes_than_fit_are_counted_as_hidden() -> None:
    """Nothing disappears without a word."""
    graph = map_reduce(400, distinct=True)
    view = outline(graph)
    assert len(view.boxes) == 300
    assert view.hidden == len(graph.nodes) - sum(len(box.node_ids) for box in view.boxes)
    assert f"… and {view.hidden} more nodes" in texts(graph_svg(graph))


def test_a_listing_names_inputs_and_states() -> None:
    """What a terminal shows."""
    assert listing(map_reduce(1), "sweep", {0: "RUNNING"}) == (
        "sweep: 5 tasks, 1 parameter, 7 edges, 5 levels\n"
        "  load(0)  [RUNNING]\n"
        "    fit(1) ← load(0), 0.0  [NEW_OBJECT]\n"
        "      list(3) ← fit(1)  [NEW_OBJECT]\n"
        "        select(4) ← list(3)  [NEW_OBJECT]\n"
        "          result(5) ← select(4)  [NEW_OBJECT]"
    )


@pytest.mark.parametrize(
    ("kind", "name", "label"),
    [
        (NodeKind.PARAMETER, ":parameter:", "''"),
        (NodeKind.PARAMETER, ":parameter:a\n\tb", "a b"),
        (NodeKind.SUBLATTICE, ":sublattice:inner", "inner"),
        (NodeKind.FUNCTION, "x" * 100, "x" * 27 + "…"),
        (NodeKind.FUNCTION, "a\x00b", "a�b"),
    ],
)
def test_labels_are_short_and_printable(kind: NodeKind, name: str, label: str) -> None:
    """Names come from users: any text, any length."""
    assert label_of(Node(id=0, name=name, kind=kind)) == label


def test_shortening_keeps_what_fits() -> None:
    """An ellipsis counts as one character."""
    assert [shorten("abcd", n) for n in (5, 4, 3)] == ["abcd", "abcd", "ab…"]


def test_a_picture_is_well_formed_with_marks_and_captions(layout: str) -> None:
    """Status has a mark of its own, colour is not all there is."""
    graph = map_reduce(3)
    shown = texts(graph_svg(graph, {0: "COMPLETED", 1: "FAILED", 3: "RUNNING"}, title="sweep"))
    assert {"load", "fit", "list", "select", "result", "0.5"} <= set(shown)
    assert (shown.count("✓"), shown.count("✗"), shown.count("▶"), shown.count("○")) == (1, 1, 1, 4)


def test_names_cannot_break_out_of_a_picture(layout: str) -> None:
    """Names and titles are text, whatever they contain."""
    evil = '"><script>alert(1)</script>\\N & <b>'
    graph = map_reduce(1, label=evil)
    picture = graph_svg(graph, title=evil)
    assert "<script" not in picture
    root = ET.fromstring(picture)
    assert root.get("aria-label") == evil
    assert any(text.startswith('"><script>') for text in texts(picture))


def test_all_boxes_lie_inside_the_picture_without_overlap(layout: str) -> None:
    """Coordinates of both layouts."""
    root = ET.fromstring(graph_svg(map_reduce(12)))
    boxes = [[float(rect.get(key, "0")) for key in ("x", "y", "width", "height")] for rect in root.iter(f"{SVG}rect")]
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in boxes)
    for i, (x, y, w, h) in enumerate(boxes):
        for u, v, s, t in boxes[i + 1 :]:
            assert x + w <= u or u + s <= x or y + h <= v or v + t <= y


@pytest.mark.parametrize("width", [1, 90, 5000])
@pytest.mark.parametrize("distinct", [False, True])
def test_a_picture_stays_small_whatever_the_graph(width: int, distinct: bool) -> None:
    """It is kept in notebooks and sent by mail."""
    assert len(graph_svg(map_reduce(width, distinct=distinct)).encode()) < 200_000


def test_a_dense_graph_stays_small() -> None:
    """Edges are what grows fastest."""
    nodes = tuple(Node(id=i, name=f"task number {i}", kind=NodeKind.FUNCTION) for i in range(200))
    edges = tuple(
        Edge(source=i, target=j, name=f"argument_{i}_{j}", param_type=ParamType.ARG, arg_index=0)
        for i in range(100)
        for j in range(100, 200)
    )
    assert len(graph_svg(Graph(nodes=nodes, edges=edges)).encode()) < 200_000


def test_an_empty_graph_says_so() -> None:
    """Better than a blank."""
    assert texts(graph_svg(Graph(nodes=(), edges=()))) == ["This workflow has no nodes."]


def test_a_broken_graphviz_does_not_cost_the_picture(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """The rows take its place."""
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho nonsense\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert "select" in texts(graph_svg(map_reduce(2)))


def test_a_cycle_is_reported() -> None:
    """No level can be given."""
    graph = map_reduce(1)
    back = graph.edges[0]._replace(source=4, target=1)
    with pytest.raises(GraphBuildError, match="cycle"):
        graph_svg(replace(graph, edges=(*graph.edges, back)))
