"""Two dispatches side by side, and dispatches as files, in a browser."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.ui import fans, gated
from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

SAVE_MARKDOWN = """content => window.jupyterapp.serviceManager.contents.save(
  'exported.md', { type: 'file', format: 'text', content }
).then(() => null)"""
PNG = b"\x89PNG\r\n"


def downloaded(lab: LabPage, act: Callable[[], None]) -> Path:
    """The file that the browser keeps after something was done."""
    with lab.page.expect_download(timeout=LONG_MS) as waiting:
        act()
    return Path(waiting.value.path())


def test_two_selected_dispatches_are_seen_side_by_side(lab: LabPage, ended: Callable[..., str]) -> None:
    """Where their inputs differ and what came of it, with ways to the nodes of both, in both themes."""
    left, right = ended(gated.ratio, 6, 2), ended(gated.ratio, 6, 3)
    lab.execute("covalent-lab:open-table")
    table = lab.page.locator(".cvl-DispatchTable:visible")
    for dispatch_id in (left, right):
        row = table.locator(f"[data-dispatch-id='{dispatch_id}']")
        expect(row).to_be_visible(timeout=LONG_MS)
        row.get_by_role("checkbox").check()
    table.get_by_role("button", name="Compare selected").click()

    view = lab.page.locator(".cvl-Comparison:visible")
    expect(view.get_by_role("rowheader", name="divide")).to_be_visible()
    expect(view).to_contain_text("Input denominator: 2 → 3")
    expect(view).to_contain_text("Output: 3.0 → 2.0")
    expect(view).to_contain_text("The graphs have the same form")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.settle()
        lab.screenshot(ROOT / "test-results" / f"comparison-{theme[11:].lower()}.png")

    view.get_by_title(f"Show node 0 of {right[:8]}").click()
    expect(lab.view.locator(".cvl-Panel")).to_contain_text("divide")
    expect(lab.view.locator(".cvl-Panel")).to_contain_text("CPU time")


def test_both_graphs_are_drawn_and_select_together(lab: LabPage, ended: Callable[..., str]) -> None:
    """Nodes that differ are marked; a click on one side or in the table selects in the other places, in both themes."""
    dispatch_ids = [ended(fans.lanes, 3), ended(fans.lanes, 5)]
    lab.execute("covalent-lab:compare", dispatchIds=dispatch_ids)
    view = lab.page.locator(".cvl-Comparison:visible")
    left, right = (view.get_by_role("region", name=f"{side} graph") for side in ("Left", "Right"))
    table = view.get_by_role("table")
    expect(view).to_contain_text("The graphs differ")
    expect(view).to_contain_text("Time: ")

    table.get_by_role("button", name="add_up").click()
    for side in (left, right):
        expect(side.locator("[aria-live]")).to_contain_text("add_up, Completed")
        expect(side.locator("[aria-live]")).to_contain_text("differs")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.settle()
        lab.screenshot(ROOT / "test-results" / f"comparison-graphs-{theme[11:].lower()}.png")

    lab.point_at(right.locator("canvas"), "add_up")
    assert "differs" in (right.locator("canvas").get_attribute("title") or "")
    right.locator("canvas").press("Escape")
    expect(table.get_by_role("button", pressed=True)).to_have_count(0)
    lab.page.mouse.down()
    lab.page.mouse.up()
    expect(table.get_by_role("button", pressed=True)).to_have_text("add_up")
    expect(left.locator("[aria-live]")).to_contain_text("add_up")

    right.get_by_role("button", name="Zoom in (+)").click()
    left.get_by_label("Layout").select_option("tree")
    expect(right.get_by_label("Layout")).to_have_value("tree")
    boxes = [side.bounding_box() for side in (left, right)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    lab.page.set_viewport_size({"width": 900, "height": 900})  # too narrow for two
    expect(lab.page.locator(".cvl-Comparison-graphs")).to_have_css("grid-template-columns", re.compile(r"^[\d.]+px$"))
    view.get_by_text("Graphs", exact=True).click()
    expect(left).to_be_hidden()


def test_the_other_dispatch_is_chosen_from_a_list(lab: LabPage, ended: Callable[..., str]) -> None:
    """From the context menu of a row; the newest of the same name come first."""
    left, right = ended(gated.ratio, 8, 2), ended(gated.ratio, 8, 4)
    lab.show_sidebar()
    lab.row(left).click(button="right")
    lab.page.get_by_role("menuitem", name="Compare with…").click()
    dialog = lab.page.get_by_role("dialog")
    dialog.get_by_role("combobox").fill(right)
    dialog.get_by_role("button", name="Compare").click()
    expect(lab.page.locator(".cvl-Comparison:visible")).to_contain_text("Input denominator: 2 → 4")


def test_a_dispatch_is_kept_as_a_page_that_needs_no_server(lab: LabPage, ended: Callable[..., str]) -> None:
    """From the context menu of a row; the page asks for nothing and shows all there is to tell."""
    dispatch_id = ended(gated.ratio, 6, 2)
    lab.show_sidebar()
    lab.row(dispatch_id).click(button="right")
    lab.page.get_by_role("menuitem", name="Export…").click()
    dialog = lab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("What to write")
    file = downloaded(lab, lambda: dialog.get_by_role("button", name="Export").click())

    requests: list[str] = []
    page = lab.page.context.new_page()
    page.on("request", lambda request: requests.append(request.url))
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    kept = file.rename(file.with_suffix(".html"))
    page.goto(kept.as_uri())
    expect(page.get_by_role("heading", level=1)).to_have_text("ratio")
    expect(page.get_by_role("table")).to_contain_text("divide")
    expect(page.get_by_role("img", name="ratio")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        (ROOT / "test-results").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "test-results" / f"export-page-{scheme}.png", full_page=True)
    assert requests == [kept.as_uri()]
    assert errors == []
    page.close()


def test_a_page_shows_each_attempt_at_a_task(lab: LabPage, ended: Callable[..., str], tmp_path: Path) -> None:
    """As a bar in the timeline, in the table and with its error, in light and dark; nothing stands in for waiting."""
    dispatch_id = ended(gated.stubborn, str(tmp_path / "notes"))
    file = downloaded(lab, lambda: lab.execute("covalent-lab:export", dispatchId=dispatch_id, format="html"))
    page = lab.page.context.new_page()
    page.goto(file.rename(file.with_suffix(".html")).as_uri())

    timeline = page.get_by_role("img", name="timeline of 4 of 4 tasks")
    titles = timeline.locator("title")
    expect(titles.filter(has_text=re.compile(r"succeed_at_last \(0\), attempt [12]: Failed"))).to_have_count(2)
    expect(titles.filter(has_text="attempt 3: Completed")).to_have_count(1)
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name="succeed_at_last"))
    expect(row.get_by_role("cell", name="3", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="succeed_at_last (0), attempt 2")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=ROOT / "test-results" / f"export-attempts-{scheme}.png", full_page=True)
    page.close()


def test_a_picture_is_drawn_by_the_browser(lab: LabPage, ended: Callable[..., str]) -> None:
    """The server writes SVG; the file is a PNG picture."""
    dispatch_id = ended(gated.ratio, 6, 2)
    lab.show_sidebar()
    for name, begin in (("png", PNG), ("svg", b"<svg"), ("py", b"# ratio")):
        arguments = {"dispatchId": dispatch_id, "format": name}
        file = downloaded(lab, lambda arguments=arguments: lab.execute("covalent-lab:export", **arguments))  # type: ignore[misc]
        assert file.read_bytes().startswith(begin)


def test_mermaid_draws_the_diagram(lab: LabPage, ended: Callable[..., str]) -> None:
    """In Markdown, as JupyterLab shows it."""
    dispatch_id = ended(gated.ratio, 6, 2)
    file = downloaded(lab, lambda: lab.execute("covalent-lab:export", dispatchId=dispatch_id, format="mmd"))
    lab.page.evaluate(SAVE_MARKDOWN, f"```mermaid\n{file.read_text(encoding='utf-8')}```\n")
    lab.execute("docmanager:open", path="exported.md", factory="Markdown Preview")
    picture = lab.page.locator(".jp-MarkdownViewer .jp-RenderedMermaid")
    expect(picture.locator("img")).to_be_visible(timeout=LONG_MS)
    expect(picture.locator(".jp-RenderedMermaid-Details, .jp-mod-warning")).to_have_count(0)
    lab.screenshot(ROOT / "test-results" / "mermaid.png")
