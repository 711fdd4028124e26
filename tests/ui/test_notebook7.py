"""Jupyter Notebook 7 has no tabs: cards live in the page, the list beside it, and views open in JupyterLab."""

import importlib.metadata
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.conftest import missing
from tests.ui.lab_page import LONG_MS, LabPage

CELLS = (
    """%load_ext covalent_lab
import covalent_lab as ct

@ct.electron
def double(x):
    return 2 * x

@ct.lattice
def doubling(x):
    return double(x)""",
    "ct.dispatch(doubling)(21)",
    "%%covalent --name halving\n42 / 2",
)


@pytest.fixture(scope="module")
def installed() -> None:
    """Jupyter Notebook can be had."""
    try:
        importlib.metadata.distribution("notebook")
    except importlib.metadata.PackageNotFoundError:
        missing("Jupyter Notebook is not installed (pip install 'notebook>=7.2,<8')")


@pytest.fixture
def notebook(installed: None, lab: LabPage) -> LabPage:
    """The page of a notebook in Jupyter Notebook."""
    lab.save_notebook("doubling.ipynb", CELLS)
    query = urlencode({"token": lab.server.token, "kernel_name": "python3"})
    lab.page.goto(f"{lab.server.url}notebooks/doubling.ipynb?{query}", wait_until="domcontentloaded")
    lab.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=LONG_MS)
    lab.page.evaluate("() => window.jupyterapp.restored")
    lab.page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel")
    return lab


def test_a_dispatch_is_seen_in_jupyter_notebook(notebook: LabPage) -> None:
    """Cards become complete below their cells, the list has them, and their views open in JupyterLab."""
    notebook.run_all()
    card, waited = (notebook.page.locator(".cvl-Mime").nth(place) for place in (0, 1))
    expect(card).to_contain_text("Completed", timeout=LONG_MS)
    expect(card).to_contain_text("42")
    expect(waited).to_contain_text("Completed")
    expect(waited.get_by_role("status")).to_be_hidden()
    expect(notebook.page.locator(".jp-OutputArea-executeResult").last).to_contain_text("21.0")
    notebook.show_sidebar()
    expect(notebook.sidebar.get_by_role("row").filter(has_text="doubling").first).to_be_visible()
    with notebook.page.context.expect_page() as opened:
        card.get_by_role("button", name="Open in Covalent panel").click()
    view = LabPage(page=opened.value, server=notebook.server).view
    expect(view.get_by_role("heading", level=2)).to_have_text("doubling", timeout=LONG_MS)
