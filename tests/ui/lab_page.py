"""What a person does in JupyterLab, as methods: open a notebook, run it, look at a dispatch.

Every wait is for something to be seen on the page. Where a mouse would go through menus that are JupyterLab's own, the
application's commands are called instead; whatever is covalent_lab's is found by role and label, and clicked.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covalent_lab.testing.live_server import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

__all__ = ["LONG_MS", "LabPage"]

LONG_MS = 60_000


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
        """Load JupyterLab with no tab open, and wait until its splash screen has gone."""
        self.page.goto(self.server.page(is_fresh=True), wait_until="domcontentloaded")
        self.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=LONG_MS)
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=LONG_MS)

    def execute(self, command: str, **arguments: Any) -> None:
        """Run one of the application's commands and wait until it has ended."""
        self.page.evaluate(
            "([command, arguments]) => window.jupyterapp.commands.execute(command, arguments).then(() => null)",
            [command, arguments],
        )

    def open_notebook(self, name: str) -> "Locator":
        """Open a notebook with a Python kernel and return its panel."""
        self.execute("docmanager:open", path=name, factory="Notebook", kernelPreference={"name": "python3"})
        panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=LONG_MS)
        return panel

    def run_all(self) -> None:
        """Run every cell of the notebook in front and wait for the last."""
        self.execute("notebook:run-all-cells")

    def set_theme(self, name: str) -> None:
        """Change the theme and wait until it is drawn."""
        self.execute("apputils:change-theme", theme=name)
        self.page.locator(f"body[data-jp-theme-name='{name}']").wait_for()

    def close_kernels(self) -> None:
        """End the kernels this tab started."""
        self.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")

    def screenshot(self, path: Path) -> None:
        """Keep what the page looks like."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
