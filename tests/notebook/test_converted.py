"""An executed notebook for readers without a server: what nbconvert, and what a file on GitHub, has to show."""

import base64
import re
from pathlib import Path

import nbclient
import nbformat
from nbconvert import HTMLExporter

from covalent_lab.testing.live_server import LiveServer

CELLS = (
    """%load_ext covalent_lab
import covalent_lab as ct

@ct.electron
def double(x):
    return 2 * x

@ct.lattice
def doubling(x):
    return double(x)""",
    "doubling.draw(21)  # drawn",
    "held = ct.dispatch(doubling)(21)\nct.get_result(held, wait=True)\nheld  # dispatched",
    "%%covalent --name waited\n6 * 7",
    "%%covalent task --name marked\nmark = 1",
    "%covalent run",
)


def pictures(page: str) -> list[str]:
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    return [base64.b64decode(text).decode() for text in found]


def test_an_executed_notebook_keeps_its_pictures(server: LiveServer, tmp_path: Path) -> None:
    """One below each cell that draws or dispatches, which shows how the dispatch ended."""
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=400, resources={"metadata": {"path": str(tmp_path)}}).execute()
    nbformat.validate(notebook)

    page, _ = HTMLExporter().from_notebook_node(notebook)

    shown = pictures(page)
    names = ("double", "double", "waited", "marked")
    assert [name in picture for name, picture in zip(names, shown, strict=True)] == [True] * 4
    assert ["COMPLETED" in picture for picture in shown] == [False, True, True, True]
    assert "<pre>42</pre>" in page
