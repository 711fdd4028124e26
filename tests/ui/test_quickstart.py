"""The first tutorial, as a reader goes through it."""

from playwright.sync_api import expect

from tests.ui.lab_page import LONG_MS, LabPage

TUTORIAL = "01_quickstart.ipynb"


def test_the_quickstart_runs_and_its_dispatches_can_be_looked_at(lab: LabPage) -> None:
    """Cells run without an error, a drawn graph is live, the list fills, and a node shows the figure it returned."""
    lab.show_sidebar()
    notebook = lab.open_notebook(TUTORIAL)

    lab.run_all()

    assert lab.failed_cells() == []
    lab.scroll_to_cell(".draw(")
    drawn = notebook.locator(".cvl-Mime")
    expect(drawn.first.locator("canvas").first).to_be_visible()
    expect(drawn.first.get_by_role("toolbar", name="Graph controls")).to_be_visible()

    rows = lab.sidebar.get_by_role("row")
    for name in ("run_experiment", "sweep", "train_final"):
        row = rows.filter(has_text=name).first
        expect(row.get_by_role("img", name="Completed")).to_be_visible(timeout=LONG_MS)

    rows.filter(has_text="sweep").first.click()
    expect(lab.view).to_contain_text("accuracy")
    lab.show_nodes_as_list()
    lab.view.get_by_role("searchbox").fill("confusion_matrix")
    lab.node_line("confusion_matrix").get_by_role("button").click()
    expect(lab.view.get_by_role("tabpanel").locator("img")).to_be_visible()
