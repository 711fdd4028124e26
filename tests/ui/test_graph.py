"""The graph of a dispatch and what lies beside it, in long looks: a browser is slow to start."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.ui import fans, gated
from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

MANY = 10_000
DISTANCE = 150
FIRST_ROW = {"x": 300, "y": 60}
COLOURS = """canvas => {
  const style = getComputedStyle(canvas);
  const read = name => {
    const probe = document.createElement('canvas').getContext('2d');
    probe.fillStyle = style.getPropertyValue(name).trim();
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  return { incoming: read('--jp-warn-color1'), outgoing: read('--jp-brand-color1') };
}"""
LINES_IN_THE_MIDDLE = """(canvas, colours) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(width / 2 - 3, 0, 6, height);
  const isNear = (place, colour) =>
    colour.every((part, channel) => Math.abs(part - data[4 * place + channel]) < 40);
  const longest = colour => {
    let [most, run] = [0, 0];
    for (let y = 0; y < height; y += 1) {
      const isLine = [0, 1, 2, 3, 4, 5].some(x => isNear(6 * y + x, colour));
      run = isLine ? run + 1 : 0;
      most = Math.max(most, run);
    }
    return most;
  };
  return Object.keys(colours).filter(name => longest(colours[name]) > 12);
}"""
CHANGES = """canvas => {
  const now = canvas.toDataURL();
  const before = canvas.dataset.before ?? now;
  canvas.dataset.before = now;
  return before !== now;
}"""
DRAWING = """import covalent_lab as ct

@ct.electron
def scale(x):
    \"\"\"Double it.\"\"\"
    return 2 * x

@ct.lattice
def drawn(x):
    return scale(scale(x))

drawn.draw(1)
"""


def widened(graph: dict[str, Any]) -> Mapping[str, Any]:
    """The same graph with very many tasks more, which all need the first node."""
    nodes, edges = graph["nodes"], graph["edges"]
    first, count = nodes["kind"].index("function"), MANY - len(nodes["name"]) + 1
    more = range(len(nodes["name"]), len(nodes["name"]) + count)
    added = {name: [*values, *[values[first]] * count] for name, values in nodes.items()}
    return {
        **graph,
        "nodes": {**added, "name": [*nodes["name"], *["work"] * count], "task_group": [*nodes["task_group"], *more]},
        "edges": {
            **{name: [*values, *[values[0]] * count] for name, values in edges.items()},
            "source": [*edges["source"], *[first] * count],
            "target": [*edges["target"], *more],
        },
    }


def test_a_graph_is_arranged_searched_and_saved(lab: LabPage, ended: Callable[..., str], tmp_path: Path) -> None:
    """Layouts and directions, names in words, the search into stacks, images named after the dispatch."""
    dispatch_id = ended(fans.lanes, 12)
    lab.show_sidebar()
    view = lab.open_dispatch(dispatch_id)
    layouts = view.get_by_label("Layout")
    for layout in ("tree", "force", "rectangles", "boxes", "layered"):
        layouts.select_option(layout)
        expect(view.get_by_text("Arranging the graph…")).to_be_hidden(timeout=LONG_MS)
        expect(layouts).to_have_value(layout)

    for now, after in (("down", "up"), ("up", "right"), ("right", "left"), ("left", "down")):
        view.get_by_role("button", name=f"Flows {now}; click to flow {after}").click()
    expect(view.get_by_role("button", name="Flows down; click to flow up")).to_be_visible()

    stacks = view.get_by_role("button", name="Stack equal nodes")
    expect(stacks).to_have_attribute("aria-pressed", "false")
    stacks.click()
    expect(stacks).to_have_attribute("aria-pressed", "true")
    view.locator("canvas").first.press("/")
    search = view.get_by_role("search")
    search.get_by_label("Find nodes by name or id").fill("square")
    expect(search.get_by_role("status")).to_have_text("12 found")
    search.get_by_label("Status").select_option("FAILED")
    expect(search.get_by_role("status")).to_have_text("0 found")
    search.get_by_label("Status").select_option("COMPLETED")
    search.get_by_label("Find nodes by name or id").press("Enter")
    expect(view.get_by_role("tabpanel")).to_be_visible()  # a node of the stack is selected and shown
    view.get_by_role("button", name="End the search").click()

    view.get_by_role("button", name="Names in words").click()
    view.get_by_role("button", name="Show postprocess node").click()
    for button, ending in (("Save as PNG image", "png"), ("Save as SVG image", "svg")):
        with lab.page.expect_download() as download:
            view.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == f"{dispatch_id}.{ending}"
        download.value.save_as(tmp_path / ending)
    assert (tmp_path / "png").read_bytes().startswith(b"\x89PNG")
    assert "Square" in (tmp_path / "svg").read_text(encoding="utf-8")


def test_each_button_changes_the_picture_and_back(lab: LabPage, ended: Callable[..., str]) -> None:
    """Switches, zoom and fit; unlocked nodes are dragged one by one, and then the minimap shows where one is."""
    lab.execute("covalent-lab:open-dispatch", dispatchId=ended(fans.lanes, 1))
    view, canvas = lab.view, lab.view.locator("canvas").first
    view.get_by_role("heading", level=2).wait_for()

    def press(name: str) -> str:
        view.get_by_role("button", name=name).click()
        lab.wait_until_still(canvas)
        picture: str = canvas.evaluate("canvas => canvas.toDataURL()")
        return picture

    whole = press("Fit to view")
    for switch in ("Show parameters", "Show postprocess node", "Show edge labels", "Names in words"):
        assert (press(switch) == whole, press(switch) == whole) == (False, True), switch
    pictures = [press("Zoom in"), press("Zoom in"), press("Zoom out")]
    assert all(before != after for before, after in pairwise([whole, *pictures]))
    press("Zoom in")
    with_map, without = press("Zoom in"), press("Show minimap")
    assert with_map != without
    assert press("Show minimap") == with_map
    assert press("Fit to view") == whole

    def drag(name: str) -> None:
        x, y = lab.point_at(canvas, name)
        lab.page.mouse.down()
        lab.page.mouse.move(x + DISTANCE, y, steps=5)
        lab.page.mouse.up()
        lab.page.mouse.move(x + DISTANCE + 1, y)
        expect(canvas).to_have_attribute("title", re.compile(name))

    drag("square")  # moves the whole picture
    assert press("Fit to view") == whole
    press("Lock nodes; unlocked, they can be dragged")
    drag("square")
    lab.point_at(canvas, "load")  # stayed where it was
    assert press("Fit to view") != whole


def test_large_sublattices_unfold_inside_of_others(lab: LabPage, ended: Callable[..., str]) -> None:
    """As stacks, which are searched and opened like any; one is folded with what is in it."""
    lab.execute("covalent-lab:open-dispatch", dispatchId=ended(fans.wrapped, 500))
    view, canvas, said = lab.view, lab.view.locator("canvas").first, lab.view.locator("[aria-live]").first

    def tab_to(words: str) -> None:
        for _ in range(20):
            canvas.press("Tab")
            if words in (said.text_content() or ""):
                return
        raise AssertionError(f"20 tabs do not lead to {words!r}")

    tab_to(": halves,")
    canvas.press("u")
    expect(said).to_contain_text("halves, unfolded")
    tab_to("in halves: lanes")
    canvas.press("u")
    expect(said).to_contain_text("in halves: lanes, unfolded")
    tab_to("Stack of 500 nodes: square")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.settle()
        lab.screenshot(ROOT / "test-results" / f"unfolded-twice-{theme[11:].lower()}.png")
    canvas.press("/")
    search = view.get_by_role("search")
    search.get_by_label("Find nodes by name or id").fill("square")
    expect(search.get_by_role("status")).to_have_text("500 found")
    search.get_by_label("Find nodes by name or id").press("Enter")
    expect(said).to_contain_text("in lanes: square, Completed")
    expect(view.get_by_role("tabpanel")).to_be_visible()

    view.get_by_role("button", name="End the search").click()
    canvas.press("Escape")
    tab_to(": halves, unfolded")
    view.get_by_role("button", name="Fold (U)").click()
    expect(said).not_to_contain_text("unfolded")
    with lab.page.expect_download() as download:
        view.get_by_role("button", name="Save as SVG image").click()
    assert "square" not in Path(download.value.path()).read_text(encoding="utf-8")


def test_moved_nodes_stay_where_they_were_put(lab: LabPage, submit: Callable[..., str], gate: Path) -> None:
    """While states change, and in a view that is closed and opened again, until they are put back."""
    dispatch_id = submit(gated.gated, str(gate))
    lab.execute("covalent-lab:open-dispatch", dispatchId=dispatch_id)
    canvas, back = lab.view.locator("canvas").first, lab.view.get_by_role("button", name="Put moved nodes back")
    said = lab.view.locator("[aria-live]").first
    lab.view.get_by_role("heading", level=2).wait_for()
    expect(back).to_be_disabled()
    lab.view.get_by_role("button", name="Lock nodes; unlocked, they can be dragged").click()
    x, y = lab.point_at(canvas, "finish")
    lab.page.mouse.down()
    lab.page.mouse.move(x + DISTANCE, y, steps=5)
    lab.page.mouse.up()
    lab.page.mouse.click(*lab.point_at(canvas, "prepare"))
    for _ in range(3):
        canvas.press("Shift+ArrowLeft")

    def is_away() -> bool:
        try:
            lab.point_at(canvas, "finish")
        except AssertionError:
            return True
        return False

    gated.open_gate(gate)
    expect(lab.view).to_contain_text("Completed", timeout=LONG_MS)
    expect(said).to_contain_text("prepare")
    assert is_away()
    lab.execute("application:close")
    lab.execute("covalent-lab:open-dispatch", dispatchId=dispatch_id)
    expect(back).to_be_enabled()
    assert is_away()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.settle()
        lab.screenshot(ROOT / "test-results" / f"moved-{theme[11:].lower()}.png")

    back.click()
    expect(back).to_be_disabled()
    lab.point_at(canvas, "finish")
    lab.execute("application:close")
    lab.execute("covalent-lab:open-dispatch", dispatchId=dispatch_id)
    expect(back).to_be_disabled()
    expect(lab.view.get_by_role("button", name="Lock nodes; unlocked, they can be dragged")).to_have_attribute(
        "aria-pressed", "false"
    )


def test_edges_of_the_selected_node_or_value_stand_out(lab: LabPage, ended: Callable[..., str]) -> None:
    """One lane: what leads to it has one colour, what it leads to another; a click beside it takes them away."""
    lab.execute("covalent-lab:open-dispatch", dispatchId=ended(fans.lanes, 1))
    canvas = lab.view.locator("canvas").first
    lab.view.get_by_role("heading", level=2).wait_for()
    colours = canvas.evaluate(COLOURS)

    def click(name: str) -> None:
        lab.point_at(canvas, name)
        lab.page.mouse.down()
        lab.page.mouse.up()
        lab.settle()

    assert canvas.evaluate(LINES_IN_THE_MIDDLE, colours) == []
    click(":parameter:")
    assert canvas.evaluate(LINES_IN_THE_MIDDLE, colours) == ["outgoing"]
    click("load")
    assert canvas.evaluate(LINES_IN_THE_MIDDLE, colours) == ["incoming", "outgoing"]
    click("add_up")
    assert canvas.evaluate(LINES_IN_THE_MIDDLE, colours) == ["incoming"]
    canvas.press("Escape")
    lab.settle()
    assert canvas.evaluate(LINES_IN_THE_MIDDLE, colours) == []


def test_a_running_node_moves_and_counts_its_time(lab: LabPage, submit: Callable[..., str], gate: Path) -> None:
    """Its picture changes by itself, without anything being told."""
    lab.execute("covalent-lab:open-dispatch", dispatchId=submit(gated.gated, str(gate)))
    canvas = lab.view.locator("canvas").first
    canvas.press("/")
    lab.view.get_by_role("search").get_by_label("Status").select_option("RUNNING")
    expect(lab.view.get_by_role("search").get_by_role("status")).to_have_text("1 found")
    lab.page.wait_for_function(CHANGES, arg=canvas.element_handle())
    gated.open_gate(gate)
    expect(lab.view).to_contain_text("Completed")


def test_ten_thousand_nodes_open_and_are_found(lab: LabPage, ended: Callable[..., str]) -> None:
    """As a stack at first; each by itself, laid out beside the page, once stacks are switched off."""
    dispatch_id = ended(gated.ratio, 1, 1)
    lab.rewrite(f"/dispatches/{dispatch_id}/graph", widened)
    lab.execute("covalent-lab:open-dispatch", dispatchId=dispatch_id)
    stacks = lab.view.get_by_role("button", name="Stack equal nodes")
    expect(stacks).to_have_attribute("aria-pressed", "true")
    canvas = lab.view.locator("canvas").first
    expect(canvas).to_have_attribute("aria-label", re.compile(f"with {MANY - 1} nodes"))  # two values are no nodes
    stacks.click()
    expect(lab.view.get_by_text("Arranging the graph…")).to_be_hidden(timeout=LONG_MS)
    canvas.press("/")
    lab.view.get_by_label("Find nodes by name or id").fill(f"#{MANY}")
    lab.view.get_by_label("Find nodes by name or id").press("Enter")
    expect(lab.view.locator("[aria-live]").first).to_contain_text(f"Node {MANY}:")
    lab.settle()
    lab.screenshot(ROOT / "test-results" / "ten-thousand.png")


def test_the_timeline_says_what_the_end_waited_for(lab: LabPage, ended: Callable[..., str]) -> None:
    """It opens beside the graph; nodes are selected by clicks and keys, and shown in the graph."""
    dispatch_id = ended(fans.lanes, 3)
    lab.show_sidebar()
    view = lab.open_dispatch(dispatch_id)
    view.get_by_role("button", name="Show timeline").click()

    timeline = lab.page.locator(".cvl-Timeline:visible")
    expect(timeline).to_contain_text("Critical path: 3 nodes")
    expect(view.locator("canvas").first).to_be_visible()
    timeline.get_by_role("button", name="Next node on the critical path").click()
    expect(timeline).to_contain_text("on the critical path")
    canvas = timeline.locator("canvas")
    canvas.press("Escape")
    expect(timeline).to_contain_text("Select a node to see its times.")

    pictures = []
    for button in ("Fit to view", "Zoom in", "Zoom out", "Zoom in", "Fit to view"):
        timeline.get_by_role("button", name=button).click()
        lab.wait_until_still(canvas)
        pictures.append(canvas.evaluate("canvas => canvas.toDataURL()"))
    assert all(before != after for before, after in pairwise(pictures))
    assert pictures[0] == pictures[-1]
    canvas.click(position=FIRST_ROW)
    expect(timeline.locator(".cvl-Timeline-selected")).to_contain_text("load, Completed")
    canvas.press("Escape")
    timeline.locator("canvas").press("Tab")
    expect(timeline.locator(".cvl-Timeline-selected")).to_contain_text("ran")
    timeline.locator("canvas").press("Enter")
    expect(view.get_by_role("tabpanel")).to_be_visible()


def test_the_timeline_shows_each_attempt(lab: LabPage, ended: Callable[..., str], tmp_path: Path) -> None:
    """Those that failed are not counted as waiting."""
    dispatch_id = ended(gated.stubborn, str(tmp_path / "notes"))
    lab.execute("covalent-lab:open-timeline", dispatchId=dispatch_id)
    timeline = lab.page.locator(".cvl-Timeline:visible")
    expect(timeline).to_contain_text("in repeated attempts")
    timeline.locator("canvas").press("Tab")
    expect(timeline.locator(".cvl-Timeline-selected")).to_contain_text("succeed_at_last, Completed")
    expect(timeline.locator(".cvl-Timeline-selected")).to_contain_text("tried 2 times before")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.settle()
        lab.screenshot(ROOT / "test-results" / f"timeline-{theme[11:].lower()}.png")


def test_a_drawn_workflow_opens_as_a_preview(lab: LabPage) -> None:
    """From the output of draw(), and by command; its nodes tell what they are before anything ran."""
    lab.save_notebook("drawing.ipynb", [DRAWING])
    panel = lab.open_notebook("drawing.ipynb")
    lab.run_all()
    panel.get_by_role("button", name="Open in Covalent panel").click()

    preview = lab.page.locator(".cvl-Preview:visible")
    expect(preview.get_by_role("heading", name="drawn")).to_be_visible()
    expect(preview).to_contain_text("def drawn(x)")
    preview.locator("canvas").first.press("Tab")
    preview.locator("canvas").first.press("Tab")
    expect(preview).to_contain_text("Double it.")
    expect(preview).to_contain_text("return 2 * x")
    expect(preview.get_by_label("Layout")).to_be_visible()
    assert preview.get_by_text("Run time").count() == 0
