"""A notebook of marked cells, as somebody works with it in JupyterLab."""

from playwright.sync_api import Locator, expect

from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

SCREENSHOTS = ROOT / "test-results"
NOTEBOOK = "study.ipynb"
TOTAL = "%%covalent task --name total\ntotal = sum(numbers)\ntotal"
CELLS = (
    "%load_ext covalent_lab\nn = 4",
    "%%covalent task --name numbers\nnumbers = [k * k for k in range(n)]",
    "%%covalent task --name picture\nimport matplotlib.pyplot as plt\nplt.figure(figsize=(3, 2))\nplt.plot(numbers);",
    TOTAL,
    "%covalent draw",
    "%covalent run",
)
CHANGE = """source => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCell.model.sharedModel.setSource(source);
  return window.jupyterapp.commands.execute('notebook:run-cell').then(() => null);
}"""


def below(lab: LabPage, text: str) -> Locator:
    """What stands below the cell that contains a text, which is selected."""
    lab.scroll_to_cell(text)
    return lab.active_cell.locator(".jp-OutputArea").first


def test_marked_cells_run_as_one_workflow_and_only_changes_run_again(lab: LabPage) -> None:
    """Figures and values come back under their cells; what was taken over is marked as such, there and in the graph.

    A name that two cells assign is not guessed at.
    """
    lab.show_sidebar()
    lab.save_notebook(NOTEBOOK, CELLS)
    lab.open_notebook(NOTEBOOK)
    lab.run_all()
    assert lab.failed_cells() == []
    expect(below(lab, "--name numbers")).to_contain_text("gives numbers")
    expect(below(lab, "--name picture").get_by_role("img", name="Figure")).to_be_visible()
    expect(below(lab, "--name total")).to_contain_text("14")
    drawn = below(lab, "%covalent draw").locator(".cvl-Mime")
    expect(drawn).to_contain_text("study")
    expect(drawn.locator("canvas").first).to_be_visible()
    expect(below(lab, "%covalent run").locator(".cvl-Mime")).to_contain_text("Completed", timeout=LONG_MS)

    lab.scroll_to_cell("--name total")
    lab.page.evaluate(CHANGE, TOTAL.replace("sum(numbers)", "max(numbers)"))
    lab.scroll_to_cell("%covalent run")
    lab.execute("notebook:run-cell")
    assert lab.failed_cells() == []
    for name in ("numbers", "picture"):
        expect(below(lab, f"--name {name}")).to_contain_text("unchanged: taken over from an earlier run")
    expect(below(lab, "--name picture").get_by_role("img", name="Figure")).to_be_visible()
    total = below(lab, "--name total")
    expect(total).to_contain_text("9")
    expect(total).not_to_contain_text("unchanged")

    card = below(lab, "%covalent run").locator(".cvl-Mime")
    expect(card).to_contain_text("Completed", timeout=LONG_MS)
    for theme in ("Dark", "Light"):
        lab.set_theme(f"JupyterLab {theme}")
        lab.scroll_to_cell("--name picture")
        lab.settle()
        lab.screenshot(SCREENSHOTS / f"notebook-workflow-{theme.lower()}.png")
        lab.scroll_to_cell("%covalent run")
        lab.settle()
        lab.screenshot(SCREENSHOTS / f"notebook-workflow-card-{theme.lower()}.png")
    card.get_by_role("button", name="Open in Covalent panel").click()
    expect(lab.view.get_by_role("heading", level=2)).to_contain_text("study")
    lab.show_nodes_as_list()
    for name, word in (("numbers", "Reused"), ("picture", "Reused"), ("total", "Completed")):
        expect(lab.node_line(name)).to_contain_text(word)
    lab.node_line("total").get_by_role("button").click()
    lab.view.get_by_role("tab", name="Inputs").click()
    expect(lab.view.get_by_role("tabpanel")).to_contain_text("numbers")  # the cell that assigns what this one reads

    lab.execute("docmanager:open", path=NOTEBOOK)
    lab.scroll_to_cell("--name picture")
    lab.page.evaluate(CHANGE, "%%covalent task --name picture\nnumbers = [1]")
    lab.scroll_to_cell("%covalent draw")
    lab.execute("notebook:run-cell")
    expect(below(lab, "%covalent draw")).to_contain_text("which one is meant?")
