"""Dispatches on the screen: they appear, move, fail, are cancelled and deleted, and nobody reloads the page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

import covalent_lab as ct
from tests.ui import gated
from tests.ui.conftest import ROOT
from tests.ui.lab_page import LONG_MS, LabPage

LISTS = "**/covalent/api/v1/dispatches?*"
IS_DRAWN = """([canvas, isDark]) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const [red, green, blue, alpha] = data;
  const isGroundDark = alpha === 255 && red + green + blue < 384;
  return new Set(new Uint32Array(data.buffer)).size >= 5 && isGroundDark === isDark;
}"""


def test_nodes_change_state_on_the_screen_while_they_run(lab: LabPage, submit: Callable[..., str], gate: Path) -> None:
    """A dispatch made elsewhere appears in the list; its nodes are seen pending, running and completed."""
    lab.show_sidebar()
    dispatch_id = submit(gated.gated, str(gate))
    row = lab.row(dispatch_id)
    expect(row.get_by_role("img", name="Running")).to_be_visible(timeout=LONG_MS)

    view = lab.open_dispatch(dispatch_id)
    lab.show_nodes_as_list()
    expect(lab.node_line("prepare")).to_contain_text("Completed")
    expect(lab.node_line("wait_at_gate")).to_contain_text("Running")
    expect(lab.node_line("finish")).to_contain_text("Pending")

    gated.open_gate(gate)
    expect(lab.node_line("finish")).to_contain_text("Completed")
    expect(view.get_by_role("heading", level=2).locator("..")).to_contain_text("Completed")
    expect(row.get_by_role("img", name="Completed")).to_be_visible()


def test_a_running_task_shows_what_it_prints(lab: LabPage, submit: Callable[..., str], gate: Path) -> None:
    """Opening a node that runs shows its output so far, and the rest when it comes."""
    lab.show_sidebar()
    dispatch_id = submit(gated.gated, str(gate))
    lab.open_dispatch(dispatch_id)
    lab.show_nodes_as_list()
    expect(lab.node_line("wait_at_gate")).to_contain_text("Running")

    lab.node_line("wait_at_gate").get_by_role("button").click()
    panel = lab.view.get_by_role("tabpanel")
    expect(panel).to_contain_text("waiting at the gate")

    gated.open_gate(gate)
    lab.view.get_by_role("tab", name="Logs").click()
    expect(panel).to_contain_text("the gate is open")
    lab.view.get_by_role("tab", name="Output").click()
    expect(panel).to_contain_text("READY!")


def test_a_sublattice_is_opened_from_its_node_and_leads_back(
    lab: LabPage, submit: Callable[..., str], address: str, gate: Path
) -> None:
    """By the button of the node, and from the graph; it is not in the list."""
    lab.show_sidebar()
    dispatch_id = submit(gated.nested, str(gate))
    lab.open_dispatch(dispatch_id)
    lab.show_nodes_as_list()
    expect(lab.node_line("inner")).to_contain_text("Dispatching", timeout=LONG_MS)
    lab.node_line("inner").get_by_role("button").click()
    lab.view.get_by_role("button", name="Open sublattice").click()

    heading = lab.view.get_by_role("heading", level=2)
    expect(heading).to_have_text("inner")
    lab.show_nodes_as_list()
    expect(lab.node_line("wait_at_gate")).to_contain_text("Running")
    part = ct.get_result(dispatch_id, dispatcher_addr=address).node_details(0)["sub_dispatch_id"]
    expect(lab.row(dispatch_id)).to_be_visible()
    assert part is not None
    expect(lab.row(part)).to_have_count(0)

    gated.open_gate(gate)
    expect(heading.locator("..")).to_contain_text("Completed")
    lab.view.get_by_role("navigation").get_by_role("button", name="nested").click()
    expect(heading).to_have_text("nested")
    expect(heading.locator("..")).to_contain_text("Completed")
    expect(lab.node_line("finish")).to_contain_text("Completed")

    lab.view.get_by_role("button", name="Show graph").click()
    lab.view.locator("canvas").first.press("Enter")  # on the selected node
    expect(heading).to_have_text("inner")


def test_a_sublattice_unfolds_in_place_and_stays_so(lab: LabPage, submit: Callable[..., str], gate: Path) -> None:
    """By a key, its sign, the context menu and a button; its nodes are live, and have their panel beside the graph."""
    lab.show_sidebar()
    dispatch_id = submit(gated.nested, str(gate))
    view = lab.open_dispatch(dispatch_id)
    canvas, said = view.locator("canvas").first, view.locator(".cvl-Graph [aria-live]")
    bar = view.get_by_role("toolbar", name="Selected node")
    lab.page.mouse.click(*lab.point_at(canvas, ":sublattice:inner"))
    expect(bar.get_by_role("button", name="Unfold here (U)")).to_be_visible(timeout=LONG_MS)
    expect(said).to_contain_text("inner, Dispatching")

    canvas.press("u")
    expect(said).to_contain_text("unfolded")
    lab.page.mouse.click(*lab.point_at(canvas, "wait_at_gate"))
    expect(said).to_contain_text("wait_at_gate, Running")
    panel = view.locator(".cvl-SidePanel")
    expect(panel.get_by_role("heading", name="wait_at_gate")).to_be_visible()
    expect(panel.get_by_role("button", name="Cancel task")).to_be_visible()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.settle()
        lab.screenshot(ROOT / "test-results" / f"unfolded-{theme[11:].lower()}.png")

    lab.execute("application:close")
    expect(lab.view).to_have_count(0)
    lab.open_dispatch(dispatch_id)
    place = lab.point_at(canvas, "wait_at_gate")
    gated.open_gate(gate)
    expect(lab.row(dispatch_id).get_by_role("img", name="Completed")).to_be_visible(timeout=LONG_MS)
    lab.page.mouse.click(*place)
    expect(said).to_contain_text("wait_at_gate, Completed")
    expect(panel).to_contain_text("READY!")
    panel.get_by_role("button", name="inner").click()
    expect(said).to_contain_text("inner, unfolded, Completed")

    bar.get_by_role("button", name="Fold (U)").click()
    expect(said).not_to_contain_text("unfolded")
    lab.wait_until_still(canvas)
    lab.page.mouse.click(*lab.corner_of(canvas, ":sublattice:inner"))  # where its sign is
    expect(said).to_contain_text("unfolded")
    canvas.press("u")
    expect(said).not_to_contain_text("unfolded")
    lab.wait_until_still(canvas)
    lab.page.mouse.click(*lab.point_at(canvas, ":sublattice:inner"), button="right")
    lab.page.get_by_role("menuitem", name="Unfold Sublattice").click()
    expect(said).to_contain_text("unfolded")
    bar.get_by_role("button", name="Open sublattice").click()
    expect(lab.view.get_by_role("heading", level=2)).to_have_text("inner")


def test_a_running_dispatch_can_be_cancelled_from_its_view(
    lab: LabPage, submit: Callable[..., str], gate: Path
) -> None:
    """The button stops the task that runs; what needs it never starts."""
    lab.show_sidebar()
    dispatch_id = submit(gated.gated, str(gate))
    view = lab.open_dispatch(dispatch_id)
    lab.show_nodes_as_list()
    expect(lab.node_line("wait_at_gate")).to_contain_text("Running")

    view.get_by_role("button", name="Cancel").click()

    expect(lab.row(dispatch_id).get_by_role("img", name="Cancelled")).to_be_visible()
    expect(lab.node_line("wait_at_gate")).to_contain_text("Cancelled")
    expect(lab.node_line("prepare")).to_contain_text("Completed")
    expect(view.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_cancelled_dispatch_goes_on_from_where_it_was(lab: LabPage, submit: Callable[..., str], gate: Path) -> None:
    """The button in its view opens a new dispatch that takes over what completed; the list shows both."""
    lab.show_sidebar()
    dispatch_id = submit(gated.gated, str(gate))
    view = lab.open_dispatch(dispatch_id)
    lab.show_nodes_as_list()
    expect(lab.node_line("wait_at_gate")).to_contain_text("Running")
    view.get_by_role("button", name="Cancel").click()
    expect(lab.node_line("wait_at_gate")).to_contain_text("Cancelled")

    view.get_by_role("button", name="Run the rest").click()

    expect(view.locator(f"[title='{dispatch_id}']")).to_have_count(0)
    lab.show_nodes_as_list()
    expect(lab.node_line("prepare")).to_contain_text("Reused")
    expect(lab.node_line("wait_at_gate")).to_contain_text("Running")
    gated.open_gate(gate)
    expect(lab.node_line("finish")).to_contain_text("Completed")
    lab.node_line("prepare").get_by_role("button").click()
    expect(lab.view).to_contain_text(f"node 0 of dispatch {dispatch_id[:8]}")
    expect(lab.sidebar.get_by_role("row").filter(has_text="gated").first).not_to_have_attribute(
        "data-dispatch-id", dispatch_id
    )


def test_a_failed_task_shows_its_error_and_its_traceback(lab: LabPage, submit: Callable[..., str]) -> None:
    """From the list to the failing line of user code in two clicks."""
    lab.show_sidebar()
    dispatch_id = submit(gated.broken, 1)
    expect(lab.row(dispatch_id).get_by_role("img", name="Failed")).to_be_visible(timeout=LONG_MS)

    view = lab.open_dispatch(dispatch_id)
    view.get_by_role("button", name="Show the failed task").click()

    panel = view.get_by_role("tabpanel")
    expect(panel.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    expect(panel).to_contain_text("return numerator / denominator")


def test_a_finished_dispatch_can_be_deleted_from_the_list(lab: LabPage, submit: Callable[..., str]) -> None:
    """Deleting asks first; then the line goes, and the records with it."""
    lab.show_sidebar()
    dispatch_id = submit(gated.broken, 2)
    row = lab.row(dispatch_id)
    expect(row.get_by_role("img", name="Failed")).to_be_visible(timeout=LONG_MS)

    row.hover()
    row.get_by_role("button", name="Delete").click()
    dialog = lab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("cannot be undone")
    dialog.get_by_role("button", name="Delete").click()

    expect(row).to_have_count(0)


def test_the_list_can_be_searched(lab: LabPage, submit: Callable[..., str], address: str) -> None:
    """Typing part of an id leaves that dispatch, and nonsense leaves none."""
    wanted, other = submit(gated.broken, 3), submit(gated.broken, 4)
    for dispatch_id in (wanted, other):
        ct.get_result(dispatch_id, wait=True, dispatcher_addr=address)
    lab.show_sidebar()
    search = lab.sidebar.get_by_role("searchbox")

    search.fill(wanted)
    expect(lab.row(other)).to_have_count(0)
    expect(lab.row(wanted)).to_be_visible()

    search.fill("no dispatch is called so")
    expect(lab.sidebar).to_contain_text("No dispatch matches.")


def test_a_list_that_cannot_be_read_says_so_and_can_be_asked_again(lab: LabPage, ended: Callable[..., str]) -> None:
    """Once for a server that is gone and once for one that refuses; what was listed stays."""
    dispatch_id = ended(gated.broken, 6)
    lab.show_sidebar()
    expect(lab.row(dispatch_id)).to_be_visible(timeout=LONG_MS)
    alert = lab.sidebar.get_by_role("alert")

    lab.page.route(LISTS, lambda route: route.abort())
    lab.sidebar.get_by_role("button", name="Refresh the list").click()
    expect(alert).to_contain_text("Check that Jupyter runs")
    lab.page.unroute(LISTS)
    lab.page.route(LISTS, lambda route: route.fulfill(status=403, body="{}"))
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_contain_text("Reload the page to log in again.")
    expect(lab.row(dispatch_id)).to_be_visible()
    lab.page.unroute(LISTS)
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_graph_is_drawn_in_the_colours_of_the_theme(
    theme: str, lab: LabPage, submit: Callable[..., str], address: str
) -> None:
    """The canvas comes to show more than its ground, and a dark ground in the dark theme only."""
    dispatch_id = submit(gated.broken, 5)
    ct.get_result(dispatch_id, wait=True, dispatcher_addr=address)
    lab.show_sidebar()
    lab.set_theme(theme)
    lab.open_dispatch(dispatch_id)

    canvas = lab.view.locator("canvas").first
    expect(canvas).to_be_visible()
    lab.page.wait_for_function(IS_DRAWN, arg=[canvas.element_handle(), theme.endswith("Dark")])
