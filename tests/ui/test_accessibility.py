"""Every view for everybody: contrast, names and roles in all themes, and the main journey without a mouse."""

import os
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.ui import fans, gated
from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage
from tests.ui.tour import THEMES, tour

AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """async element => {
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await axe.run(element, { runOnly, resultTypes: ['violations'] });
  const told = (id, node) => `${id}: ${node.html.slice(0, 300)} ${node.failureSummary}`;
  return violations.flatMap(({ id, nodes }) => nodes.map(node => told(id, node)));
}"""


@pytest.fixture
def checked(lab: LabPage) -> LabPage:
    """JupyterLab with the checks of axe-core loaded."""
    if not AXE.exists():
        reason = "axe-core is not installed (jlpm install in labextension)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI=true means that everything must run")
        pytest.skip(reason)
    lab.page.evaluate(AXE.read_text(encoding="utf-8"))
    return lab


@pytest.fixture
def dispatches(ended: Callable[..., str]) -> dict[str, str]:
    """Dispatches for every view."""
    return {
        "failed": ended(gated.broken, 1),
        "nested": ended(fans.halves, 4),
        "wide": ended(fans.lanes, 12),
        "narrow": ended(fans.lanes, 9),
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", THEMES)
def test_no_view_breaks_a_rule_of_accessibility(theme: str, checked: LabPage, dispatches: dict[str, str]) -> None:
    """Names, roles and contrasts of the WCAG, levels A and AA."""
    checked.set_theme(THEMES[theme])
    found: dict[str, list[str]] = {}
    for stop in tour(checked, **dispatches):
        checked.settle()
        if broken := stop.shown.evaluate(CHECK):
            found[stop.name] = broken
    assert found == {}


def test_the_main_journey_needs_no_mouse(lab: LabPage, ended: Callable[..., str]) -> None:
    """From the list to a dispatch, to a node of its graph, its panel, and back, by keys alone."""
    keyboard = lab.page.keyboard
    dispatch_id = ended(gated.broken, 1)
    lab.show_sidebar()
    expect(lab.row(dispatch_id)).to_be_visible(timeout=LONG_MS)
    keyboard.press("Control+Alt+c")
    expect(lab.sidebar.get_by_role("grid")).to_be_focused()
    keyboard.press("Home")
    keyboard.press("Enter")
    canvas = lab.view.locator("canvas").first
    expect(canvas).to_be_focused()
    expect(canvas).to_have_attribute("aria-label", re.compile("with 3 nodes"))

    keyboard.press("f")
    panel = lab.view.get_by_role("tabpanel")
    expect(panel.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    lab.tab_to(lab.view.get_by_role("tab", selected=True))
    keyboard.press("ArrowRight")
    expect(lab.view.get_by_role("tab", selected=True)).to_be_focused()

    lab.tab_to(canvas, is_back=True)
    keyboard.press("Escape")
    expect(lab.view.get_by_role("tab", name="Error")).to_have_count(0)
    keyboard.press("Control+Alt+c")
    expect(lab.sidebar.get_by_role("grid")).to_be_focused()
