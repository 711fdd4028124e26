"""The table of dispatches, and what the buttons write into notebooks, in a browser."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.ui import gated
from tests.ui.lab_page import LONG_MS, LabPage

WORKFLOW = """import covalent_lab as ct

@ct.electron
def scale(x, factor):
    return [factor * value for value in x]

@ct.lattice
def scaling(x, factor=2):
    return scale(x, factor)

dispatch_id = ct.dispatch(scaling)([1, 2, 3])
ct.get_result(dispatch_id, wait=True).result"""
SOURCES = """() => [...window.jupyterapp.shell.widgets('main')]
  .filter(widget => widget.hasClass('jp-NotebookPanel'))
  .flatMap(widget => widget.content.widgets.map(cell => cell.model.sharedModel.source))"""
OUTPUTS = """() => [...window.jupyterapp.shell.widgets('main')]
  .find(widget => widget.hasClass('jp-NotebookPanel')).content.widgets
  .flatMap(cell => cell.model.type === 'code' ? cell.model.outputs.toJSON() : [])
  .map(output => output.data?.['text/plain'] ?? output.evalue ?? output.text ?? '')"""

RENAME = """async name => {
  const { context } = window.jupyterapp.shell.currentWidget;
  await context.save();
  await context.rename(name);
}"""


def test_dispatches_are_counted_sorted_selected_and_deleted_in_the_table(
    lab: LabPage, ended: Callable[..., str]
) -> None:
    """Figures and pages follow what happens; deleting all that match leaves what does not."""
    ids = [ended(gated.broken, number) for number in range(12)]
    lab.execute("covalent-lab:open-table")
    table = lab.page.locator(".cvl-DispatchTable:visible")
    expect(table.get_by_role("button", name="Failed: ")).to_be_visible()
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(10)
    table.get_by_role("button", name="Next page").click()
    expect(table).to_contain_text("Page 2 of")
    table.get_by_role("button", name="First page").click()

    table.get_by_role("button", name="Started").click()
    expect(table.get_by_role("columnheader", name="Started")).to_have_attribute("aria-sort", "descending")
    expect(rows.first).to_have_attribute("data-dispatch-id", ids[-1])

    rows.first.get_by_role("checkbox").check()
    table.get_by_role("button", name="Delete selected (1)").click()
    lab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(table.locator(f"[data-dispatch-id='{ids[-1]}']")).to_have_count(0)

    table.get_by_role("searchbox").fill(ids[0])
    expect(rows).to_have_count(1)
    table.get_by_role("button", name="Delete all 1 that match").click()
    expect(lab.page.get_by_role("dialog")).to_contain_text("All pages are meant")
    lab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(table).to_contain_text("No dispatch matches.")
    table.get_by_role("button", name="Dispatches: ").click()
    expect(rows).to_have_count(10)


def test_a_dispatch_runs_again_from_the_notebook_with_changes(lab: LabPage) -> None:
    """With other arguments from a form, then with another function from a cell; a cell, or what is copied, loads it."""
    page = lab.page
    lab.new_notebook()
    lab.add_cell(WORKFLOW, is_run=True)
    lab.show_sidebar()
    row = lab.sidebar.get_by_role("row").filter(has_text="scaling").first
    expect(row.get_by_role("img", name="Completed")).to_be_visible(timeout=LONG_MS)
    row.click()
    view = lab.view

    expect(view.get_by_role("button", name="Open notebook cell")).to_be_visible()
    view.get_by_role("button", name="With changes…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("x", exact=True)).to_have_value("[1, 2, 3]", timeout=LONG_MS)
    dialog.get_by_label("factor").fill("10 *")
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("alert")).to_contain_text("no value")
    dialog.get_by_label("factor").fill("10")
    dialog.get_by_role("button", name="Run").click()
    expect(lab.sidebar.get_by_role("row").filter(has_text="scaling")).to_have_count(2, timeout=LONG_MS)
    row = lab.sidebar.get_by_role("row").filter(has_text="scaling").first
    expect(row.get_by_role("img", name="Completed")).to_be_visible(timeout=LONG_MS)

    row.click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.get_by_role("button", name="Copy Python").first.click()
    view.get_by_role("button", name="Load result in notebook").click()
    page.wait_for_function(f"() => ({OUTPUTS})().includes('[10, 20, 30]')", timeout=LONG_MS)
    lab.add_cell(page.evaluate("() => navigator.clipboard.readText()"), is_run=True)
    expect(lab.active_cell.locator(".jp-OutputArea-executeResult")).to_contain_text("[10, 20, 30]", timeout=LONG_MS)

    lab.add_cell("def scale(x, factor):\n    return sum(x)", is_run=False)
    row.click()
    lab.show_nodes_as_list()
    lab.node_line("scale").get_by_role("button").click()
    view.get_by_role("button", name="Run with active cell").click()
    expect(lab.sidebar.get_by_role("row").filter(has_text="scaling")).to_have_count(3, timeout=LONG_MS)
    row = lab.sidebar.get_by_role("row").filter(has_text="scaling").first
    expect(row.get_by_role("img", name="Completed")).to_be_visible(timeout=LONG_MS)
    row.click()
    expect(view.locator(".cvl-Payload-text").first).to_have_text("6")

    view.get_by_role("button", name="Open notebook cell").click()
    expect(lab.active_cell).to_contain_text("replace_electrons")
    page.evaluate(RENAME, "renamed.ipynb")
    lab.execute("application:close")
    row.click()
    view.get_by_role("button", name="Open notebook cell").click()
    expect(lab.active_cell).to_contain_text("replace_electrons", timeout=LONG_MS)


def test_menu_status_bar_settings_log_and_tutorial_are_at_hand(lab: LabPage) -> None:
    """Each is found where one looks for it; settings are not left with unsaved changes unasked."""
    page = lab.page
    page.get_by_role("button", name="Covalent: 0 running").click()
    expect(lab.sidebar).to_be_visible()

    page.get_by_role("menuitem", name="Covalent", exact=True).click()
    page.get_by_role("menuitem", name="Settings of Covalent").click()
    settings = page.locator(".cvl-Settings:visible")
    settings.get_by_role("searchbox").fill("log_level")
    settings.get_by_label("log_level").fill("info")
    page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon").last.click()
    page.get_by_role("dialog").get_by_role("button", name="Stay").click()
    settings.get_by_role("button", name="Save").click()
    expect(settings.get_by_role("button", name="Save")).to_be_disabled()
    expect(settings.get_by_label("log_level")).to_have_value("info")
    settings.get_by_role("searchbox").fill("")
    settings.get_by_role("tab", name="Server").click()
    expect(settings.get_by_label("durability")).to_be_disabled()

    lab.execute("covalent-lab:open-logs")
    logs = page.locator(".cvl-Logs:visible")
    expect(logs.get_by_role("heading", name="Log of Covalent")).to_be_visible()
    with page.expect_download() as download:
        logs.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "dispatcher.log"

    lab.execute("launcher:create")
    page.locator(".jp-LauncherCard:visible", has_text="Quickstart").click()
    expect(page.locator(".jp-NotebookPanel:visible")).to_contain_text("Quickstart", timeout=LONG_MS)

    lab.execute("covalent-lab:open-dispatch", dispatchId="00000000-0000-0000-0000-000000000000")
    expect(lab.view.get_by_role("heading", name="There is no such dispatch")).to_be_visible()
    expect(lab.view.get_by_role("toolbar")).to_be_hidden()
    lab.view.get_by_role("button", name="Search again").click()
    expect(lab.view.get_by_role("status")).to_contain_text("Tried again")
    lab.sidebar.get_by_role("searchbox").fill("no dispatch is called so")
    expect(lab.sidebar).to_contain_text("No dispatch matches.")
    lab.view.get_by_role("button", name="Show all dispatches").click()
    expect(lab.sidebar.get_by_role("searchbox")).to_have_value("")


def test_context_menus_act_on_what_is_under_the_pointer(lab: LabPage, ended: Callable[..., str]) -> None:
    """Of a line in the list, a line of the node table, and a node in the graph; the ground has no node."""
    page = lab.page
    dispatch_id = ended(gated.broken, 1)
    lab.show_sidebar()
    menu = page.locator(".lm-Menu:visible")
    lab.row(dispatch_id).click(button="right")
    expect(menu.get_by_role("menuitem", name="Run Again, Reusing Results")).to_be_visible()
    menu.get_by_role("menuitem", name="Open Graph").click()
    view = lab.view
    canvas = view.locator("canvas").first
    expect(canvas).to_be_visible()
    debug = menu.get_by_role("menuitem", name="Debug in Notebook")

    lab.point_at(canvas, "divide")
    page.mouse.down(button="right")
    page.mouse.up(button="right")
    expect(debug).to_be_visible()
    expect(menu.get_by_role("menuitem", name="Load Output in Notebook")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(view.get_by_role("tabpanel").get_by_role("alert")).to_contain_text("ZeroDivisionError")
    canvas.click(button="right", position={"x": 4, "y": 200})
    expect(menu.get_by_role("menuitem", name="Export…")).to_be_visible()
    expect(debug).to_have_count(0)
    page.keyboard.press("Escape")

    lab.show_nodes_as_list()
    lab.node_line("divide").click(button="right")
    menu.get_by_role("menuitem", name="Debug in Notebook").click()
    page.wait_for_function(f"() => ({SOURCES})().some(text => text.includes('%covalent debug'))", timeout=LONG_MS)


def test_cancel_is_offered_for_what_can_still_be_cancelled_and_for_nothing_else(
    lab: LabPage, ended: Callable[..., str], submit: Callable[..., str], gate: Path
) -> None:
    """In the context menu, the menu and the palette; these two are about the view in front, whatever was pointed at."""
    page = lab.page
    over, running = ended(gated.broken, 8), submit(gated.gated, str(gate))
    lab.show_sidebar()
    cancel = page.locator(".lm-Menu:visible").get_by_role("menuitem", name="Cancel Dispatch")
    rest = page.locator(".lm-Menu:visible").get_by_role("menuitem", name="Run Again, Reusing Results")
    in_palette = page.locator("#modal-command-palette .lm-CommandPalette-item", has_text="Cancel Dispatch")

    def look_up() -> None:
        expect(page.locator(".lm-Menu:visible")).to_have_count(0)
        lab.search_commands("cancel dispatch")

    view = lab.open_dispatch(running)
    view.locator("canvas").first.wait_for()
    lab.row(over).click(button="right")
    expect(rest).to_be_visible()
    expect(cancel).to_have_count(0)
    page.keyboard.press("Escape")
    lab.row(running).click(button="right")
    expect(cancel).to_be_visible()
    expect(rest).to_have_count(0)
    page.keyboard.press("Escape")
    lab.row(over).click(button="right")
    page.keyboard.press("Escape")

    page.get_by_role("menuitem", name="Covalent", exact=True).click()
    expect(cancel).to_be_enabled()
    expect(rest).to_be_disabled()
    page.keyboard.press("Escape")
    look_up()
    expect(in_palette).to_have_class(re.compile("lm-mod-active"))
    page.keyboard.press("Enter")
    expect(lab.row(running).get_by_role("img", name="Cancelled")).to_be_visible(timeout=LONG_MS)

    look_up()
    expect(in_palette).to_have_class(re.compile("lm-mod-disabled"))
    page.keyboard.press("Escape")
    page.get_by_role("menuitem", name="Covalent", exact=True).click()
    expect(cancel).to_be_disabled()
    expect(rest).to_be_enabled()
