"""The graph of a dispatch and what lies beside it, in long looks: a browser is slow to start."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.ui import fans, gated
from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

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


def test_the_timeline_says_what_the_end_waited_for(lab: LabPage, ended: Callable[..., str]) -> None:
    """It opens beside the graph; nodes are selected by keys, and shown in the graph."""
    dispatch_id = ended(fans.lanes, 3)
    lab.show_sidebar()
    view = lab.open_dispatch(dispatch_id)
    view.get_by_role("button", name="Show timeline").click()

    timeline = lab.page.locator(".cvl-Timeline:visible")
    expect(timeline).to_contain_text("Critical path: 3 nodes")
    expect(view.locator("canvas").first).to_be_visible()
    timeline.get_by_role("button", name="Next node on the critical path").click()
    expect(timeline).to_contain_text("on the critical path")
    timeline.locator("canvas").press("Escape")
    expect(timeline).to_contain_text("Select a node to see its times.")
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
