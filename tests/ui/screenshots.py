"""Make the pictures of the documents: the quickstart in JupyterLab, in the light and in the dark theme.

python -m tests.ui.screenshots
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from covalent_lab.testing.live_server import LiveServer, private_environment
from tests.ui.conftest import CHROMIUM, CHROMIUM_ARGUMENTS, ROOT
from tests.ui.lab_page import LONG_MS, LabPage
from tests.ui.test_quickstart import TUTORIAL

IMAGES = ROOT / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def arrange(lab: LabPage) -> None:
    """Run the quickstart, and put the notebook and the graph of its sweep side by side."""
    lab.show_sidebar()
    lab.open_notebook(TUTORIAL)
    lab.run_all()
    lab.scroll_to_cell(".draw(")
    lab.sidebar.get_by_role("option").filter(has_text="sweep").first.click()
    lab.view.get_by_role("heading", level=2).wait_for()
    lab.split_right()
    expect(lab.view.locator("canvas").first).to_be_visible()
    lab.view.get_by_role("button", name="Fit to view").click()


def main() -> int:
    """Write both pictures; return the exit status."""
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        print(f"{' or '.join(CHROMIUM)} is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebooks = Path(folder, "notebooks")
        shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGUMENTS))
        with LiveServer.start(
            root_dir=notebooks,
            log=ROOT / "test-results" / "screenshots-jupyterlab.log",
            environ=private_environment(Path(folder)),
            arguments=("--expose-app-in-browser",),
        ) as server:
            page = browser.new_page(viewport={"width": 1680, "height": 980})
            page.set_default_timeout(LONG_MS)
            lab = LabPage(page=page, server=server)
            lab.open()
            arrange(lab)
            for name, theme in THEMES.items():
                lab.set_theme(theme)
                lab.settle()
                lab.screenshot(IMAGES / f"workbench-{name}.png")
                print(f"{IMAGES / f'workbench-{name}.png'}")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
