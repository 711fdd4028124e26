"""The card below a cell that dispatches, through what happens to a notebook."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.ui import gated
from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

NOTEBOOK = "card.ipynb"
SCREENSHOTS = ROOT / "test-results"
WORKFLOW = """
import covalent_lab as ct

@ct.electron
def prepare(text):
    return text.upper()

@ct.electron
def wait_at_gate(gate, text):
    with open(gate) as pipe:
        pipe.read()
    return text

@ct.electron
def finish(text):
    return f"finished: {text}"

@ct.lattice
def gated(gate):
    return finish(wait_at_gate(gate, prepare("ready")))
"""


@pytest.fixture
def gates(tmp_path: Path) -> tuple[Path, Path]:
    """Two named pipes that tasks wait at."""
    made = (tmp_path / "first", tmp_path / "second")
    for path in made:
        os.mkfifo(path)
    return made


def write_notebook(lab: LabPage, gates: tuple[Path, Path]) -> None:
    """A notebook that dispatches twice in the background, and draws both while they run."""
    cells = [
        f"%load_ext covalent_lab\n{WORKFLOW}",
        f"first = ct.dispatch(gated)({str(gates[0])!r})\n%covalent show first",
        f"ct.get_result(ct.dispatch(gated)({str(gates[1])!r})).draw()  # second",
    ]
    lab.save_notebook(NOTEBOOK, cells)


def card(lab: LabPage, cell: str) -> Locator:
    """The card below the cell that contains a text."""
    lab.scroll_to_cell(cell)
    return lab.page.locator(".jp-NotebookPanel:visible .jp-Cell").filter(has_text=cell).locator(".cvl-Mime")


def test_a_card_outlives_the_page_and_the_kernel(lab: LabPage, gates: tuple[Path, Path]) -> None:
    """Live again after a reload and a restart of the kernel, it shows the result, cancels, and opens the view."""
    write_notebook(lab, gates)
    lab.open_notebook(NOTEBOOK)
    lab.run_all()
    assert lab.failed_cells() == []
    shown = card(lab, "show first")
    expect(shown).to_contain_text("Running")
    expect(shown).to_contain_text("1/4")
    expect(shown.get_by_role("button", name="Cancel")).to_be_visible()
    for name in ("Light", "Dark"):
        lab.set_theme(f"JupyterLab {name}")
        lab.settle()
        lab.screenshot(SCREENSHOTS / f"card-running-{name.lower()}.png")
    lab.execute("docmanager:save")

    lab.open()
    lab.open_notebook(NOTEBOOK)
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    shown = card(lab, "show first")
    expect(shown).to_contain_text("Running", timeout=LONG_MS)
    gated.open_gate(gates[0])
    expect(shown.get_by_role("status")).to_contain_text("finished: READY", timeout=LONG_MS)
    expect(shown).to_contain_text("Completed")
    expect(shown.get_by_role("button", name="Cancel")).to_be_hidden()

    second = card(lab, "# second")
    second.get_by_role("button", name="Cancel").click()
    expect(second).to_contain_text("Cancelled", timeout=LONG_MS)
    for name in ("Light", "Dark"):
        lab.set_theme(f"JupyterLab {name}")
        lab.scroll_to_cell("show first")
        lab.settle()
        lab.screenshot(SCREENSHOTS / f"card-ended-{name.lower()}.png")
    lab.set_theme("JupyterLab Light")

    shown = card(lab, "show first")
    shown.get_by_role("button", name="Open in Covalent panel").click()
    expect(lab.view.get_by_role("heading", level=2)).to_contain_text("gated")
