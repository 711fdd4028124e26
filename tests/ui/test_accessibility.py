"""Every view for everybody: contrast, names and roles in all themes, and the main journey without a mouse."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import missing
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

# What has the focus by keyboard looks different; the list of dispatches marks its active row, see the journey below.
FOCUS = """element => {
  const byCode = '[role=grid], .lm-Widget[tabindex="-1"]';
  const every = `button, a[href], input, select, textarea, summary, [tabindex]:not(${byCode})`;
  const controls = [...element.querySelectorAll(every)].filter(
    each => each.checkVisibility({ checkVisibilityCSS: true }) && !each.disabled
  );
  const name = control => control.outerHTML.slice(0, 200);
  const look = control => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor } = getComputedStyle(control);
    return [outlineStyle === 'none' ? '' : outlineWidth, boxShadow, borderColor, backgroundColor].join();
  };
  const broken = [];
  const before = document.activeElement;
  for (const control of controls) {
    if (control.tabIndex < 0) {
      if (control.closest('[role=tablist], [role=grid]') === null) {
        broken.push(`not reached by Tab: ${name(control)}`);
      }
      continue;
    }
    control.blur();
    const plain = look(control);
    control.focus();
    if (!control.matches(':focus-visible') || look(control) === plain) {
      broken.push(`focus is not seen: ${name(control)}`);
    }
  }
  before.focus();
  return broken;
}"""
TABLES = """element => [...element.querySelectorAll('table.cvl-Table')].flatMap(table => {
  const sortable = table.querySelectorAll('th[aria-sort]');
  const sorted = table.querySelectorAll('th:is([aria-sort=ascending], [aria-sort=descending])');
  const isNamed = (table.caption?.textContent ?? '') !== '';
  return [
    ...(isNamed ? [] : [`no caption: ${table.textContent}`]),
    ...(sorted.length <= Math.min(1, sortable.length) ? [] : [`more than one order: ${table.textContent}`])
  ];
})"""
SPINNING = """() => document.getAnimations()
  .filter(({ effect }) => effect.target.closest('[class*=cvl-]') !== null && effect.getTiming().iterations === Infinity)
  .map(({ effect }) => effect.target.getAttribute('class'))"""


@pytest.fixture
def checked(lab: LabPage) -> LabPage:
    """JupyterLab with the checks of axe-core loaded."""
    if not AXE.exists():
        missing("axe-core is not installed (jlpm install in labextension)")
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


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("theme", THEMES)
def test_no_view_breaks_a_rule_of_accessibility(theme: str, checked: LabPage, dispatches: dict[str, str]) -> None:
    """Names, roles and contrasts of the WCAG, levels A and AA; focus that is seen; tables with names and orders."""
    checked.set_theme(THEMES[theme])
    found: dict[str, list[str]] = {}
    for stop in tour(checked, **dispatches):
        checked.settle()
        broken = stop.shown.evaluate(CHECK) + stop.shown.evaluate(TABLES)
        if stop.name != "launcher":
            broken += checked.by_keyboard(stop.shown, FOCUS)
        if broken:
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
    active = lab.sidebar.get_by_role("row", selected=True)
    expect(active).not_to_have_css("box-shadow", "none")
    keyboard.press("Tab")
    expect(active.get_by_role("button", name="Open graph")).to_be_focused()
    keyboard.press("Shift+Tab")
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


def test_a_dialog_returns_the_focus(lab: LabPage, ended: Callable[..., str]) -> None:
    """Whoever keeps a dispatch goes on where the question came up; so does whoever ends a search in a graph."""
    dispatch_id = ended(gated.broken, 1)
    lab.execute("covalent-lab:open-table")
    table = lab.page.locator(".cvl-DispatchTable:visible")
    table.locator(f"[data-dispatch-id='{dispatch_id}']").get_by_role("checkbox").check()
    delete = table.get_by_role("button", name="Delete selected (1)")
    delete.press("Enter")
    dialog = lab.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    lab.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(delete).to_be_focused()

    lab.show_sidebar()
    canvas = lab.open_dispatch(dispatch_id).locator("canvas").first
    canvas.press("/")
    expect(lab.view.get_by_label("Find nodes by name or id")).to_be_focused()
    lab.page.keyboard.press("Escape")
    expect(canvas).to_be_focused()


def test_nothing_spins_for_those_who_want_less_motion(lab: LabPage, submit: Callable[..., str], gate: Path) -> None:
    """While a dispatch runs."""
    dispatch_id = submit(gated.gated, str(gate))
    lab.show_sidebar()
    view = lab.open_dispatch(dispatch_id)
    status = view.locator(".cvl-Header .cvl-Badge")
    expect(status).to_have_text("Running", timeout=LONG_MS, use_inner_text=True)
    assert lab.page.evaluate(SPINNING) != []
    lab.page.emulate_media(reduced_motion="reduce")
    lab.settle()
    assert lab.page.evaluate(SPINNING) == []
    gated.open_gate(gate)
    expect(status).to_have_text("Completed", timeout=LONG_MS, use_inner_text=True)
