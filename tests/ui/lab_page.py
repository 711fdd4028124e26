"""What a person does in JupyterLab, as methods: open a notebook, run it, look at a dispatch.

Every wait is for something to be seen on the page. Where a mouse would go through menus that are JupyterLab's own, the
application's commands are called instead; whatever is covalent_lab's is found by role and label, and clicked.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covalent_lab.testing.live_server import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

__all__ = ["LONG_MS", "LabPage"]

LONG_MS = 180_000
MANY_STOPS = 60
KERNEL_IS_READY = """() => {
  const kernel = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""

LAUNCHER_HAS_FOCUS = "() => document.activeElement.closest('.jp-Launcher') !== null"

ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .flatMap(cell => cell.model.type === 'code' ? cell.model.outputs.toJSON() : [])
  .filter(output => output.output_type === 'error')
  .map(output => `${output.ename}: ${output.evalue}`)
"""
SCROLL_TO_CELL = """async text => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const index = notebook.widgets.findIndex(cell => cell.model.sharedModel.source.includes(text));
  notebook.activeCellIndex = index;
  await notebook.scrollToItem(index, 'start');
}"""

SAVE = """([path, content]) => window.jupyterapp.serviceManager.contents
  .save(path, { type: 'notebook', format: 'json', content }).then(() => null)"""

ADD_CELL = """([source, isRun]) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const at = content.widgets.length;
  content.model.sharedModel.insertCell(at, { cell_type: 'code', source, metadata: {} });
  content.activeCellIndex = at;
  return isRun ? window.jupyterapp.commands.execute('notebook:run-cell').then(() => null) : null;
}"""

SPLIT_RIGHT = """() => {
  const { shell } = window.jupyterapp;
  shell.add(shell.currentWidget, 'main', { mode: 'split-right' });
}"""
IS_STILL = """canvas => new Promise(done => {
  const look = before => requestAnimationFrame(() => requestAnimationFrame(() => {
    const now = canvas.toDataURL();
    return now === before ? done(true) : look(now);
  }));
  look('');
})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPage:
    """One tab with JupyterLab.

    Attributes:
        page: The tab.
        server: What it shows.
    """

    page: "Page"
    server: LiveServer

    def open(self) -> None:
        """Load JupyterLab with no tab open, and wait until its splash screen has gone and its launcher has come.

        The launcher comes to the front and takes the focus, some time after everything else has been restored.
        """
        self.page.goto(self.server.page(is_fresh=True), wait_until="domcontentloaded")
        self.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=LONG_MS)
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=LONG_MS)
        self.page.wait_for_function(LAUNCHER_HAS_FOCUS, timeout=LONG_MS)

    def execute(self, command: str, **arguments: Any) -> None:
        """Run one of the application's commands and wait until it has ended."""
        self.page.evaluate(
            "([command, arguments]) => window.jupyterapp.commands.execute(command, arguments).then(() => null)",
            [command, arguments],
        )

    def search_commands(self, text: str) -> None:
        """Type into the command palette; it is opened anew where it was closed by a command that ended elsewhere."""
        field = self.page.locator("#modal-command-palette input")
        for _ in range(MANY_STOPS):
            self.settle()
            self.execute("apputils:activate-command-palette")
            self.settle()
            if field.is_visible():
                field.fill(text)
                return
        raise AssertionError("the command palette does not stay open")

    def open_notebook(self, name: str) -> "Locator":
        """Open a notebook with a Python kernel and return its panel."""
        self.execute("docmanager:open", path=name, factory="Notebook", kernelPreference={"name": "python3"})
        self.page.wait_for_function(KERNEL_IS_READY, timeout=LONG_MS)
        panel = self.page.locator(".jp-NotebookPanel:visible")
        panel.wait_for()
        return panel

    def save_notebook(self, path: str, cells: Sequence[str]) -> None:
        """Write a notebook with these code cells into the folder that JupyterLab shows."""
        form = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        content = {
            "cells": [{**form, "id": f"cell-{number}", "source": text} for number, text in enumerate(cells)],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        self.page.evaluate(SAVE, [path, content])

    def new_notebook(self) -> None:
        """Make a notebook with a Python kernel."""
        self.execute("notebook:create-new", kernelName="python3")
        self.page.wait_for_function(KERNEL_IS_READY, timeout=LONG_MS)

    def add_cell(self, source: str, *, is_run: bool) -> None:
        """Put a cell at the end of the notebook in front, select it, and run it if asked to."""
        self.page.evaluate(ADD_CELL, [source, is_run])

    def type_cell(self, text: str) -> "Locator":
        """Type into a new cell at the end of the notebook in front, and return its editor."""
        self.add_cell("", is_run=False)
        editor = self.active_cell.locator(".cm-content")
        editor.click()
        self.page.keyboard.type(text)
        return editor

    @property
    def active_cell(self) -> "Locator":
        """The selected cell of the notebook in front."""
        return self.page.locator(".jp-NotebookPanel:visible .jp-Cell.jp-mod-active")

    def run_all(self) -> None:
        """Run every cell of the notebook in front and wait for the last."""
        self.execute("notebook:run-all-cells")

    def failed_cells(self) -> list[str]:
        """Return the texts of all errors in the notebook in front, whether in sight or not."""
        errors: list[str] = self.page.evaluate(ERRORS)
        return errors

    def scroll_to_cell(self, text: str) -> None:
        """Bring the first cell that contains a text into sight; cells far from it are not on the page at all."""
        self.page.evaluate(SCROLL_TO_CELL, text)

    def show_sidebar(self) -> None:
        """Bring the list of dispatches to the front of the left area."""
        self.execute("covalent-lab:show-sidebar")
        self.sidebar.wait_for()

    @property
    def sidebar(self) -> "Locator":
        """The list of dispatches."""
        return self.page.locator("#covalent-lab-dispatches")

    @property
    def view(self) -> "Locator":
        """The dispatch in front of the main area."""
        return self.page.locator(".cvl-DispatchView:visible")

    def row(self, dispatch_id: str) -> "Locator":
        """A dispatch's line in the list."""
        return self.sidebar.locator(f"[role=row][data-dispatch-id='{dispatch_id}']")

    def open_dispatch(self, dispatch_id: str) -> "Locator":
        """Click a dispatch in the list and return its view."""
        self.row(dispatch_id).click()
        self.view.get_by_role("heading", level=2).wait_for()
        return self.view

    def show_nodes_as_list(self) -> None:
        """Exchange the graph of the view in front for the table of its nodes."""
        self.view.get_by_role("button", name="Show nodes as a list").click()

    def node_line(self, name: str) -> "Locator":
        """A node's line in the table."""
        return self.view.get_by_role("row").filter(has=self.page.get_by_role("button", name=name, exact=True))

    def set_theme(self, name: str) -> None:
        """Change the theme and wait until it is drawn."""
        self.execute("apputils:change-theme", theme=name)
        self.page.locator(f"body[data-jp-theme-name='{name}']").wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def tab_to(self, wanted: "Locator", *, is_back: bool = False) -> None:
        """Press Tab until something has the focus, or fail."""
        for _ in range(MANY_STOPS):
            if wanted.evaluate("element => element.contains(document.activeElement)"):
                return
            self.page.keyboard.press("Shift+Tab" if is_back else "Tab")
        raise AssertionError(f"{MANY_STOPS} tabs do not lead to {wanted}")

    def by_keyboard(self, shown: "Locator", program: str) -> Any:
        """Evaluate a program on an element as after a key, when browsers show where the focus is."""
        shown.evaluate("() => document.activeElement.blur()")
        self.page.keyboard.press("Tab")
        return shown.evaluate(program)

    def rewrite(self, pattern: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        """Let the server answer requests whose address, without its query, ends like this, and change what it says."""

        def answer(route: "Route") -> None:
            route.fulfill(json=change(route.fetch().json()))

        self.page.route(re.compile(rf"{pattern}(\?|$)"), answer)

    def point_at(self, canvas: "Locator", name: str) -> tuple[float, float]:
        """Move the mouse over a graph, down its middle, until it is on the node of that name; return where that is."""
        box = canvas.bounding_box()
        assert box is not None
        for y in range(int(box["y"]) + 4, int(box["y"] + box["height"]), 8):
            x = box["x"] + box["width"] / 2
            self.page.mouse.move(x, y)
            if (canvas.get_attribute("title") or "").startswith(name):
                return x, y
        raise AssertionError(f"no node {name!r} in the middle of the graph")

    def corner_of(self, canvas: "Locator", name: str) -> tuple[float, float]:
        """The upper right corner of the node of that name; see `point_at`."""
        x, y = self.point_at(canvas, name)
        for step_x, step_y in ((0, -1), (1, 0)):
            while (canvas.get_attribute("title") or "").startswith(name):
                x, y = x + step_x, y + step_y
                self.page.mouse.move(x, y)
            x, y = x - step_x, y - step_y
            self.page.mouse.move(x, y)
        return x, y

    def wait_until_still(self, canvas: "Locator") -> None:
        """Wait until two pictures of a graph are the same; with a running node in it they never are."""
        self.page.wait_for_function(IS_STILL, arg=canvas.element_handle())

    def split_right(self) -> None:
        """Move the tab in front beside the others."""
        self.page.evaluate(SPLIT_RIGHT)

    def settle(self) -> None:
        """Wait until two frames have been drawn, so that a picture shows what was asked for last."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.wait_for_load_state("networkidle")

    def close_kernels(self) -> None:
        """End the kernels this tab started."""
        self.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")

    def screenshot(self, path: Path) -> None:
        """Keep what the page looks like."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
