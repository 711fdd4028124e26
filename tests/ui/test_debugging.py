"""A failed node, from its traceback to the line where it failed, in the notebook's own debugger."""

from playwright.sync_api import Locator, expect

from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

SCREENSHOTS = ROOT / "test-results"
WORKFLOW = """import covalent_lab as ct

@ct.electron
def divide(numerator, denominator):
    share = numerator / denominator
    return share

@ct.lattice
def ratio(numerator, denominator):
    return divide(numerator, denominator)

ct.get_result(ct.dispatch(ratio)(7, 0), wait=True).status"""


def answer(cell: Locator, line: str) -> None:
    """Type a line where the debugger of a cell asks for one, and wait until it has been read."""
    field = cell.locator(".jp-Stdin-input")
    expect(field).to_have_count(1, timeout=LONG_MS)
    asked = field.element_handle()
    asked.fill(line)
    asked.press("Enter")
    asked.wait_for_element_state("hidden")  # else the next line may go to this one
    expect(cell.locator(".jp-OutputArea").first).to_contain_text(f"ipdb>  {line}")


def test_a_failed_call_is_debugged_in_the_notebook(lab: LabPage) -> None:
    """One click gives a cell with the function and the very arguments; it steps, and shows where the call fails."""
    page = lab.page
    lab.show_sidebar()
    lab.new_notebook()
    lab.add_cell(WORKFLOW, is_run=True)
    row = lab.sidebar.get_by_role("row").filter(has_text="ratio").first
    expect(row.get_by_role("img", name="Failed")).to_be_visible(timeout=LONG_MS)
    row.click()
    lab.view.get_by_role("button", name="Show the failed task").click()
    panel = lab.view.get_by_role("tabpanel")
    expect(panel.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    lab.view.get_by_role("button", name="Debug in notebook").click()

    loading = page.locator(".jp-NotebookPanel:visible .jp-Cell").filter(has_text="load_call(")
    expect(loading).to_contain_text("%debug divide(*args, **kwargs)", timeout=LONG_MS)
    loading.locator(".cm-content").click()
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")
    for line, shown in (
        ("s", "divide()"),
        ("n", "share = numerator / denominator"),
        ("p numerator, denominator", "(7, 0)"),
        ("next", "ZeroDivisionError"),
    ):
        answer(loading, line)
        expect(loading.locator(".jp-OutputArea").first).to_contain_text(shown)
    answer(loading, "q")
    lab.screenshot(SCREENSHOTS / "debugging-light.png")

    lab.add_cell("divide.__name__, args, kwargs", is_run=True)
    expect(lab.active_cell.locator(".jp-OutputArea-executeResult")).to_contain_text("('divide', (7, 0), {})")
    lab.add_cell("divide(*args)", is_run=True)
    expect(lab.active_cell).to_contain_text("ZeroDivisionError")
    lab.add_cell("%debug", is_run=False)
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")
    answer(lab.active_cell, "p denominator")
    answer(lab.active_cell, "q")
    expect(lab.active_cell.locator(".jp-OutputArea").first).to_contain_text("ipdb>  p denominator\n0")
