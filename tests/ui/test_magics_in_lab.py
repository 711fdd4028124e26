"""The magics as somebody types them into cells of JupyterLab: completed by Tab, explained by `?`, and run."""

from pathlib import Path

from playwright.sync_api import expect

from tests.ui.conftest import ROOT
from tests.ui.gated import open_gate
from tests.ui.lab_page import LONG_MS, LabPage

SCREENSHOTS = ROOT / "test-results"
NOTEBOOK = "magics.ipynb"
WORKFLOW = """%load_ext covalent_lab
import covalent_lab as ct

@ct.electron
def double(x):
    print(f"doubling {x}")
    return 2 * x

@ct.lattice
def doubling(x):
    return double(x)

held = ct.dispatch(doubling)(21)
ct.get_result(held, wait=True);"""
LINES = (
    ("%covalent status", "dispatches"),
    ("%covalent list -n 3", "doubling"),
    ("%covalent show held", "Completed"),
    ("%covalent draw doubling 3", "doubling"),
    ("%covalent draw held", "Completed"),
    ("%covalent result held double", "42"),
    ("%covalent logs held", "doubling 21"),
    ("again = %covalent redispatch held x=4\nct.get_result(again, wait=True).result", "8"),
    ("%covalent compare held again", "42 → 8"),
    ("%covalent cancel held", "cancelled"),
    ("%covalent export held doubling.svg", "Wrote"),
    ("%covalent open held", "Open graph"),
    ("%covalent executors local", "time_limit"),
    ("%covalent config sdk.no_cluster", "false"),
    ("%covalent forget", "no cell was marked"),
)
WAITING = """%%covalent --executor local --name area --inputs gate --outputs side --deps-pip packaging \
--time-limit 100 --retries 1 --no-cache --wait
open(gate).read()
side = 6
side * 7"""
HELD_ID = """async () => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  await kernel.requestComplete({ code: '%covalent re', cursor_pos: 12 });
  const { content } = await kernel.requestExecute(
    { code: '', silent: true, user_expressions: { id: 'str(held)' } }).done;
  return content.user_expressions.id.data['text/plain'].replaceAll("'", '');
}"""


def test_magics_are_completed_explained_and_run(lab: LabPage) -> None:
    """Sub-commands, options, ids and nodes by Tab; help by `?`; and what every line shows."""
    page, run = lab.page, "Control+Enter"
    lab.new_notebook()
    lab.add_cell(WORKFLOW, is_run=True)
    dispatch_id = page.evaluate(HELD_ID)  # the kernel is ready to complete now: JupyterLab waits a second only
    completer = page.locator(".jp-Completer:visible")

    editor = lab.type_cell("%covalent re")
    page.keyboard.press("Tab")
    expect(completer).to_contain_text("redispatch")
    completer.get_by_text("result", exact=True).click()
    expect(editor).to_have_text("%covalent result")
    for words, begun, offered in (
        ("%covalent show", dispatch_id[:8], dispatch_id),
        ("%covalent debug held", "dou", "double"),
        ("%covalent redispatch held", "--re", "--reuse"),
        ("%covalent executors", "lo", "local"),
        ("%%covalent", "--deps", "--deps-pip"),
    ):
        editor = lab.type_cell(f"{words} {begun}")
        page.keyboard.press("Tab")
        completer.get_by_text(offered, exact=True).click()
        expect(editor).to_have_text(f"{words} {offered}")

    for line, text in (
        ("%covalent?", "run a dispatch again"),
        ("%%covalent?", "--time-limit SECONDS"),
        ("%covalent debug?", "usage: %covalent debug ID NODE"),
    ):
        lab.type_cell(line)
        page.keyboard.press(run)
        expect(lab.active_cell.locator(".jp-OutputArea")).to_contain_text(text, timeout=LONG_MS)
    for line, text in LINES:
        lab.type_cell("")
        page.keyboard.insert_text(line)
        page.keyboard.press(run)
        expect(lab.active_cell.locator(".jp-OutputArea")).to_contain_text(text, timeout=LONG_MS)
    assert lab.failed_cells() == []


def test_a_cell_that_waits_for_its_task_has_a_live_card(lab: LabPage, gate: Path) -> None:
    """With progress and cancel; its value stands once below it, also after a reload. Bash and the background, too."""
    page = lab.page
    lab.save_notebook(
        NOTEBOOK,
        [f"%load_ext covalent_lab\ngate = {str(gate)!r}", WAITING, "%%covalent --name endless\nopen(gate).read()"],
    )
    lab.open_notebook(NOTEBOOK)
    lab.scroll_to_cell("%load_ext")
    page.keyboard.press("Escape")
    lab.execute("notebook:run-cell-and-select-next")
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")
    card = lab.active_cell.locator(".cvl-Mime")
    expect(card).to_contain_text("Running", timeout=LONG_MS)
    expect(card.get_by_role("button", name="Cancel")).to_be_visible()
    lab.screenshot(SCREENSHOTS / "cell-running-light.png")
    open_gate(gate)
    expect(card).to_contain_text("Completed", timeout=LONG_MS)
    expect(lab.active_cell.locator(".jp-OutputArea-executeResult")).to_have_text("[2]:42")
    expect(card.get_by_role("status")).to_be_hidden()

    lab.scroll_to_cell("endless")
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")
    endless = lab.active_cell
    endless.locator(".cvl-Mime").get_by_role("button", name="Cancel").click(timeout=LONG_MS)
    expect(endless).to_contain_text("TaskCancelledError", timeout=LONG_MS)
    expect(endless.locator(".cvl-Mime")).to_contain_text("Cancelled")

    lab.add_cell("%%covalent --bash --background -o who\nwho=$(printf nobody)", is_run=True)
    expect(lab.active_cell.locator(".cvl-Mime")).to_contain_text("Completed", timeout=LONG_MS)
    for name in ("Dark", "Light"):
        lab.set_theme(f"JupyterLab {name}")
        lab.scroll_to_cell("--time-limit")
        lab.settle()
        lab.screenshot(SCREENSHOTS / f"cell-ended-{name.lower()}.png")

    lab.execute("docmanager:save")
    lab.open()
    lab.open_notebook(NOTEBOOK)
    lab.scroll_to_cell("--time-limit")
    expect(lab.active_cell.locator(".cvl-Mime")).to_contain_text("Completed", timeout=LONG_MS)
    expect(lab.active_cell.get_by_role("status")).to_be_hidden()
    expect(lab.active_cell.locator(".jp-OutputArea-executeResult")).to_have_text("[2]:42")
