"""Each view of the workbench in turn, with something to see in it, for whoever looks at all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.ui.lab_page import LONG_MS, LabPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator

__all__ = ["THEMES", "Stop", "tour"]

THEMES = {
    "light": "JupyterLab Light",
    "dark": "JupyterLab Dark",
    "high-contrast": "JupyterLab Dark High Contrast",
}
NOTEBOOK = "tour.ipynb"
CELLS = (
    """%load_ext covalent_lab
import covalent_lab as ct

@ct.electron
def scale(x, factor):
    \"\"\"Multiply every value.\"\"\"
    return [factor * value for value in x]

@ct.lattice
def stretching(x, factor=2):
    return scale(scale(x, factor), factor)""",
    "stretching.draw([1, 2, 3])",
    "ct.dispatch(stretching)([1, 2, 3])",
)


MANY_TABS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A view that is on the screen now.

    Attributes:
        name: Short name, fit for a file.
        shown: The view.
        frame: What a picture of it shows, if not the view alone.
    """

    name: str
    shown: "Locator"
    frame: "Locator | None" = None


def tour(lab: LabPage, *, failed: str, nested: str, wide: str, narrow: str) -> Iterator[Stop]:
    """Show one view after the other; each stays until the next is asked for.

    Args:
        lab: JupyterLab with no tab open.
        failed: Id of a dispatch with a failed task.
        nested: Id of one with sublattices.
        wide: Id of one with many nodes.
        narrow: Id of one that repeats it with another argument; both are the newest.
    """
    page = lab.page
    lab.execute("launcher:create")
    card = page.locator(".jp-LauncherCard:visible", has_text="Quickstart")
    yield Stop(name="launcher", shown=card, frame=page.locator(".jp-Launcher-section").filter(has=card))

    lab.show_sidebar()
    expect(lab.row(narrow)).to_be_visible(timeout=LONG_MS)
    yield Stop(name="list", shown=lab.sidebar)

    lab.execute("covalent-lab:open-table")
    table = page.locator(".cvl-DispatchTable:visible")
    expect(table.locator("tbody tr").first).to_be_visible()
    for dispatch_id in (wide, narrow):
        table.locator(f"[data-dispatch-id='{dispatch_id}']").get_by_role("checkbox").check()
    yield Stop(name="table", shown=table)

    table.get_by_role("button", name="Compare selected").click()
    comparison = page.locator(".cvl-Comparison:visible")
    expect(comparison.get_by_role("rowheader").first).to_be_visible()
    yield Stop(name="comparison", shown=comparison)

    view = lab.open_dispatch(nested)
    expect(view.locator("canvas").first).to_be_visible()
    yield Stop(name="dispatch", shown=view)
    view.get_by_role("tab", name="Sublattices").click()
    yield Stop(name="sublattices", shown=view)
    canvas = view.locator("canvas").first
    for _ in range(MANY_TABS):
        canvas.press("Tab")
        if view.locator(".cvl-Selection").is_visible():
            break
    canvas.press("u")
    lab.settle()
    yield Stop(name="unfolded", shown=view)
    canvas.press("u")

    lab.open_dispatch(wide)
    view.locator("canvas").first.press("/")
    view.get_by_role("search").get_by_label("Find nodes by name or id").fill("square")
    yield Stop(name="graph", shown=view)
    view.get_by_role("button", name="End the search").click()
    view.get_by_role("button", name="Show timeline").click()
    timeline = page.locator(".cvl-Timeline:visible")
    timeline.get_by_role("button", name="Next node on the critical path").click()
    lab.execute("application:set-mode", mode="single-document")
    yield Stop(name="timeline", shown=timeline)
    lab.execute("application:set-mode", mode="multiple-document")
    lab.execute("application:close")

    lab.open_dispatch(failed)
    view.get_by_role("button", name="Show the failed task").click()
    expect(view.get_by_role("tabpanel").get_by_role("alert")).to_be_visible()
    yield Stop(name="node", shown=view)
    tabs = view.get_by_role("tab")
    for tab in tabs.all_inner_texts():
        tabs.filter(has_text=tab).click()
        yield Stop(name=f"node-{tab.split()[0].lower()}", shown=view)
    lab.show_nodes_as_list()
    yield Stop(name="nodes", shown=view)

    lab.execute("covalent-lab:open-executors")
    executors = page.locator(".cvl-Executors:visible")
    local = executors.get_by_role("region", name="local", exact=True)
    local.get_by_role("button", name="Check local").click()
    expect(local.get_by_role("status")).not_to_be_empty(timeout=LONG_MS)
    local.locator("summary", has_text="Settings").click()
    yield Stop(name="executors", shown=executors)

    for name, place in (("settings", ".cvl-Settings"), ("logs", ".cvl-Logs")):
        lab.execute(f"covalent-lab:open-{name}")
        shown = page.locator(f"{place}:visible")
        expect(shown.get_by_role("heading").first).to_be_visible()
        yield Stop(name=name, shown=shown)

    lab.save_notebook(NOTEBOOK, CELLS)
    notebook = lab.open_notebook(NOTEBOOK)
    lab.run_all()
    expect(notebook.locator(".jp-OutputArea-output[data-mime-type*=stderr]")).to_have_count(0)
    lab.scroll_to_cell("ct.dispatch")
    card = notebook.locator(".jp-Cell").filter(has_text="ct.dispatch").locator(".cvl-Mime")
    expect(card).to_contain_text("Completed", timeout=LONG_MS)
    yield Stop(name="card", shown=card)
    lab.sidebar.get_by_role("row").filter(has_text="stretching").first.click()
    view.get_by_role("button", name="With changes…").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("factor")).to_have_value("2", timeout=LONG_MS)
    yield Stop(name="form", shown=form.locator(".jp-Dialog-content"))
    form.get_by_role("button", name="Cancel").click()
    lab.execute("covalent-lab:show-preview")
    yield Stop(name="preview", shown=page.locator(".cvl-Preview:visible"))

    lab.execute("covalent-lab:open-dispatch", dispatchId="00000000-0000-0000-0000-000000000000")
    expect(view).to_contain_text("There is no such dispatch")
    yield Stop(name="missing", shown=view)
    lab.sidebar.get_by_role("searchbox").fill("no dispatch is called so")
    expect(lab.sidebar).to_contain_text("No dispatch matches.")
    yield Stop(name="empty", shown=lab.sidebar)
