"""What is drawn, compared with pictures that are kept: nobody looks at every view after every change.

Everything that changes from run to run is frozen: the server's answers get fixed states and times, canvases a size.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.ui import fans
from tests.ui.lab_page import LONG_MS, LabPage
from tests.ui.likeness import (
    BARS_FOR_TEXTS,
    KEPT,
    PLAIN_FONT,
    Raster,
    assert_kept,
    differing_share,
    kept_picture,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
BEGAN = 1_700_000_000.0
FAILED_NODE = 9
FIXED_SIZES = """
.cvl-DispatchView .cvl-Graph { inset: 0 auto auto 0 !important; width: 640px !important; height: 420px !important; }
.cvl-Timeline-body { flex: none !important; width: 640px !important; height: 300px !important; }
.cvl-Mime, .cvl-DispatchTable { box-sizing: border-box !important; width: 1040px !important; }
"""
PAGE = Raster(cell=16, tolerance=48, share=0.02, stretch=0.03)
LARGEST = 30_000
ADD_OUTPUT = """async data => {
  const { contents } = window.jupyterapp.serviceManager;
  const { content } = await contents.get('pictured.ipynb');
  const output = { output_type: 'display_data', metadata: {}, data: JSON.parse(data) };
  content.cells[0].outputs = [output];
  await contents.save('pictured.ipynb', { type: 'notebook', format: 'json', content });
}"""
ROWS = (
    ("COMPLETED", "sweep", 5, 5),
    ("FAILED", "train_and_evaluate", 7, 3),
    ("NEW_OBJECT", "halves", 4, 0),
    ("CANCELLED", "lanes", 9, 0),
)


def frozen(columns: dict[str, Any]) -> dict[str, Any]:
    """States and times that follow from ids alone, and a task that fails."""
    nodes = columns["node_id"]
    starts = [BEGAN + 1.5 * (index % 7) + 0.5 for index in range(len(nodes))]
    return {
        **columns,
        "status": ["FAILED" if node == FAILED_NODE else "COMPLETED" for node in nodes],
        "started_at": starts,
        "ended_at": [start + 1 + node % 3 for node, start in zip(nodes, starts, strict=True)],
        "earlier_attempts": [
            {"node_id": nodes[0], "attempt": 1, "started_at": BEGAN + 0.1, "ended_at": BEGAN + 0.4, "error": "lost"}
        ],
    }


def listed(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the table."""
    return [
        {
            **summary,
            "dispatch_id": f"{number}" * 36,
            "root_dispatch_id": f"{number}" * 36,
            "name": name,
            "status": status,
            "total": total,
            "completed": completed,
            "started_at": None if status == "NEW_OBJECT" else BEGAN + 60 * number,
            "ended_at": None if status == "NEW_OBJECT" else BEGAN + 63 * number,
        }
        for number, (status, name, total, completed) in enumerate(ROWS, start=1)
    ]


def freeze(lab: LabPage, dispatch_id: str) -> None:
    """Fix what the server says of a dispatch and of the list, the sizes of canvases, and texts."""
    times = {
        "created_at": BEGAN,
        "started_at": BEGAN,
        "ended_at": BEGAN + 15,
        "status": "FAILED",
        "error": "It failed.",
    }
    counts = {"COMPLETED": 1, "FAILED": 1, "NEW_OBJECT": 1, "CANCELLED": 1}
    changes: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        f"/{dispatch_id}": lambda detail: {**detail, **times, "completed": 8, "failed": 1},
        f"/{dispatch_id}/nodes": frozen,
        "": lambda page: {**page, "items": listed(page["items"][0]), "total": 4, "counts": counts},
        "/overview": lambda told: {**told, "total": 4, "counts": counts, "runtime_s": 42.0, "latest": None},
    }
    for path, change in changes.items():
        lab.rewrite(f"/dispatches{path}", change)
    lab.page.evaluate(BARS_FOR_TEXTS)
    lab.page.add_style_tag(content=FIXED_SIZES)


def canvas_png(canvas: "Locator") -> bytes:
    """What is drawn, without what lies over it."""
    return base64.b64decode(canvas.evaluate("canvas => canvas.toDataURL().split(',')[1]"))


def themed(lab: LabPage, name: str) -> str:
    """Change the theme, and wait until it is drawn."""
    lab.set_theme(THEMES[name])
    lab.settle()
    return name


@pytest.fixture
def pictured(lab: LabPage, ended: Callable[..., str]) -> str:
    """A dispatch of which everything is fixed but its id."""
    dispatch_id = ended(fans.lanes, 3)
    freeze(lab, dispatch_id)
    return dispatch_id


def test_graphs_and_timelines_look_as_they_did(lab: LabPage, pictured: str) -> None:
    """Two layouts with the failed node selected, and the timeline, in both themes; a node that was moved is noticed."""
    lab.execute("covalent-lab:open-dispatch", dispatchId=pictured)
    lab.view.get_by_role("heading", level=2).wait_for()
    canvas = lab.view.locator("canvas").first
    canvas.press("f")
    expect(lab.view.locator("[aria-live]").first).to_contain_text("add_up, Failed")
    lab.page.mouse.move(0, 0)
    for layout in ("tree", "layered"):
        lab.view.get_by_label("Layout").select_option(layout)
        canvas.press("0")
        for theme in THEMES:
            assert_kept(f"graph-{layout}-{themed(lab, theme)}", canvas_png(canvas))

    kept = kept_picture("graph-layered-dark")
    others = [kept_picture("graph-layered-light"), kept_picture("graph-tree-dark")]
    lab.view.get_by_role("button", name="Lock nodes; unlocked, they can be dragged").click()
    for _ in range(3):
        canvas.press("Shift+ArrowRight")
    lab.settle()
    others.append(Image.open(BytesIO(canvas_png(canvas))))
    assert [other for other in others if differing_share(kept, other, Raster()) <= 2 * Raster().share] == []

    lab.execute("covalent-lab:open-timeline", dispatchId=pictured)
    timeline = lab.page.locator(".cvl-Timeline:visible canvas")
    expect(lab.page.locator(".cvl-Timeline:visible")).to_contain_text("Critical path")
    for theme in THEMES:
        assert_kept(f"timeline-{themed(lab, theme)}", canvas_png(timeline))


def test_table_and_card_look_as_they_did(lab: LabPage, pictured: str) -> None:
    """The table of dispatches and the card below a cell, in both themes."""
    lab.page.add_style_tag(content=PLAIN_FONT)
    lab.execute("covalent-lab:open-table")
    table = lab.page.locator(".cvl-DispatchTable:visible")
    expect(table.get_by_role("row")).to_have_count(1 + len(ROWS))
    for theme in THEMES:
        assert_kept(f"table-{themed(lab, theme)}", table.get_by_role("table").screenshot(), PAGE)

    with lab.page.expect_response(re.compile(f"/dispatches/{pictured}/graph")) as graph:
        lab.execute("covalent-lab:open-dispatch", dispatchId=pictured)
    view = {"version": 1, "name": "lanes", "dispatch_id": pictured, "graph": graph.value.json()}
    lab.save_notebook("pictured.ipynb", ["'card'"])
    lab.page.evaluate(ADD_OUTPUT, json.dumps({"application/vnd.covalent.lattice+json": view}))
    card = lab.open_notebook("pictured.ipynb").locator(".cvl-Mime")
    expect(card).to_contain_text("Failed", timeout=LONG_MS)
    lab.page.mouse.move(0, 0)
    for theme in THEMES:
        assert_kept(f"card-{themed(lab, theme)}", card.screenshot(), PAGE)


def test_kept_pictures_are_small() -> None:
    """They are part of the repository for ever."""
    assert [path.name for path in KEPT.glob("*.png") if path.stat().st_size >= LARGEST] == []
