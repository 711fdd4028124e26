"""Values of many kinds as a notebook would show them: in the panel of a node and in the card of a dispatch."""

from playwright.sync_api import expect

from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

SCREENSHOTS = ROOT / "test-results"
NOTEBOOK = "gallery.ipynb"
WORKFLOW = '''%load_ext covalent_lab
import covalent_lab as ct

class Table:
    """Shows itself as data frames do."""
    def _repr_html_(self):
        rows = "".join(f"<tr><th>{n}</th><td>{name}</td></tr>" for n, name in enumerate(["Ada", "Emmy"]))
        return f'<table border="1" class="dataframe"><thead><tr><th></th><th>name</th></tr></thead>{rows}</table>'

class Plot:
    """Shows itself as libraries for plots do: by data that the page draws, and a text."""
    def _repr_mimebundle_(self, include=None, exclude=None):
        values = [{"kind": kind, "count": 3 + n} for n, kind in enumerate("abc")]
        axes = {"x": {"field": "kind", "type": "nominal"}, "y": {"field": "count", "type": "quantitative"}}
        form = {"data": {"values": values}, "mark": "bar", "encoding": axes, "width": 160, "height": 90}
        form["$schema"] = "https://vega.github.io/schema/vega-lite/v5.json"
        return {"application/vnd.vegalite.v5+json": form, "text/plain": "Plot()"}

@ct.electron
def table():
    try:
        import pandas
    except ImportError:
        return Table()
    return pandas.DataFrame({"name": ["Ada", "Emmy"]})

@ct.electron
def figure():
    from matplotlib.figure import Figure
    drawn = Figure(figsize=(3, 2))
    drawn.subplots().plot([1, 4, 9])
    return drawn

@ct.electron
def plot():
    return Plot()

@ct.electron
def picture():
    from PIL import Image
    return Image.new("RGB", (60, 40), "teal")

@ct.electron
def last(first, *others):
    return first

@ct.lattice
def gallery(order):
    makers = {"table": table, "figure": figure, "plot": plot, "picture": picture}
    return last(*[makers[name]() for name in order])
'''
KINDS = {"table": "iframe", "figure": "img", "plot": ".vega-embed", "picture": "img"}


def test_outputs_are_shown_as_a_notebook_shows_them(lab: LabPage) -> None:
    """Tables, figures, plots and images, although no kernel and no server has the values."""
    page = lab.page
    lab.show_sidebar()
    orders = [["table", "figure", "plot", "picture"], ["plot"], ["figure"]]
    lab.save_notebook(NOTEBOOK, [WORKFLOW, *(f"ct.dispatch(gallery)({order})" for order in orders)])
    lab.open_notebook(NOTEBOOK)
    lab.run_all()
    assert lab.failed_cells() == []
    for order in orders:
        lab.scroll_to_cell(f"({order})")
        tail = lab.active_cell.locator(".cvl-Mime").get_by_role("status")
        expect(tail.locator(KINDS[order[0]])).to_be_visible(timeout=LONG_MS)
    for theme in ("Dark", "Light"):
        lab.set_theme(f"JupyterLab {theme}")
        lab.scroll_to_cell(f"({orders[0]})")
        lab.settle()
        lab.screenshot(SCREENSHOTS / f"outputs-cards-{theme.lower()}.png")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")

    lab.scroll_to_cell(f"({orders[0]})")
    lab.active_cell.locator(".cvl-Mime").get_by_role("button", name="Open in Covalent panel").click()
    expect(lab.view.get_by_role("heading", level=2)).to_have_text("gallery")
    lab.show_nodes_as_list()
    panel = lab.view.get_by_role("tabpanel")
    for name, shown in KINDS.items():
        lab.node_line(name).get_by_role("button").click()
        expect(panel.locator(f".cvl-Rich {shown}")).to_be_visible(timeout=LONG_MS)
        for theme in ("Dark", "Light"):
            lab.set_theme(f"JupyterLab {theme}")
            lab.settle()
            lab.screenshot(SCREENSHOTS / f"output-{name}-{theme.lower()}.png")
    lab.node_line("table").get_by_role("button").click()
    expect(panel.frame_locator("iframe").get_by_role("cell", name="Emmy")).to_be_visible()
