"""Make the pictures of the documents: the quickstart in JupyterLab, its notebook alone, and every view, in both themes.

python -m tests.ui.screenshots
"""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer, private_environment
from tests.ui import fans, gated
from tests.ui.conftest import CHROMIUM, CHROMIUM_ARGUMENTS, ROOT, built_here
from tests.ui.lab_page import LONG_MS, LabPage
from tests.ui.test_quickstart import TUTORIAL
from tests.ui.tour import THEMES, tour

IMAGES = ROOT / "docs" / "images"
SHOWN_THEMES = ("light", "dark")
COLOURS = 255
PICTURED = (
    "launcher",
    "list",
    "table",
    "comparison",
    "dispatch",
    "sublattices",
    "unfolded",
    "graph",
    "timeline",
    "node",
    "nodes",
    "settings",
    "logs",
    "executors",
    "card",
    "form",
    "preview",
    "missing",
)
SHORTEN = """paths => {
  const shorten = text => paths.reduce((short, [path, name]) => short.replaceAll(path, name), text);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { currentNode } = texts;
    const short = shorten(currentNode.nodeValue);
    if (short !== currentNode.nodeValue) {
      currentNode.nodeValue = short;
    }
  }
  for (const field of document.querySelectorAll('input[type=text]')) {
    field.value = shorten(field.value);
  }
  document.activeElement?.blur();
}"""
PLUGIN = """from annealing_client import Annealer

EXECUTOR_PLUGIN_NAME = "AnnealingExecutor"
"""
NOTEBOOK_SHARE = 0.3


def arrange(lab: LabPage) -> None:
    """Run the quickstart, and put beside the notebook the graph of its sweep, with a node that returned a figure."""
    lab.show_sidebar()
    lab.open_notebook(TUTORIAL)
    lab.run_all()
    sweep = lab.sidebar.get_by_role("row").filter(has_text="sweep").first
    sweep.click()
    lab.view.get_by_role("heading", level=2).wait_for()
    lab.split_right()
    narrow_notebook(lab)
    show_cell(lab, "def run_experiment")
    sweep.click()
    lab.show_nodes_as_list()
    lab.view.get_by_role("searchbox").fill("confusion_matrix")
    lab.node_line("confusion_matrix").get_by_role("button").click()
    expect(lab.view.get_by_role("tabpanel").locator("img")).to_be_visible()
    lab.view.get_by_role("button", name="Show graph").click()
    expect(lab.view.locator("canvas").first).to_be_visible()
    lab.view.get_by_role("button", name="Fit to view").click()


def show_cell(lab: LabPage, text: str) -> None:
    """Bring the notebook to the front, and a cell of it to its top."""
    lab.execute("docmanager:open", path=TUTORIAL)
    lab.scroll_to_cell(text)


def narrow_notebook(lab: LabPage) -> None:
    """Drag the border between notebook and graph to the left."""
    border = lab.page.locator("#jp-main-dock-panel > .lm-DockPanel-handle:not(.lm-mod-hidden)")
    dock = lab.page.locator("#jp-main-dock-panel").bounding_box()
    handle = border.bounding_box()
    assert dock is not None
    assert handle is not None
    height = handle["y"] + handle["height"] / 2
    lab.page.mouse.move(handle["x"] + handle["width"] / 2, height)
    lab.page.mouse.down()
    lab.page.mouse.move(dock["x"] + NOTEBOOK_SHARE * dock["width"], height, steps=4)
    lab.page.mouse.up()


def show_only_notebook(lab: LabPage, text: str) -> None:
    """Make the window narrow, and leave in it a cell and what follows."""
    lab.page.set_viewport_size({"width": 1100, "height": 760})
    lab.execute("application:toggle-left-area")
    lab.execute("docmanager:open", path=TUTORIAL)
    lab.execute("application:set-mode", mode="single-document")
    lab.scroll_to_cell(text)


def break_plugins(config: Path) -> None:
    """Put files where the server looks for executors that are none, so that its log has something."""
    plugins = config / "covalent_lab" / "executor_plugins"
    plugins.mkdir(parents=True)
    (plugins / "annealing.py").write_text(PLUGIN, encoding="utf-8")
    (plugins / "machines.py").write_text("NAMES = ['north', 'south']", encoding="utf-8")


def dispatches(server: LiveServer) -> Mapping[str, str]:
    """Run what the views show, and return the ids."""
    address = f"{server.url}?token={server.lab_token}"
    runs = {"failed": (gated.broken, 1), "nested": (fans.halves, 4), "wide": (fans.lanes, 12)}
    ids = {}
    for name, (lattice, argument) in runs.items():
        ids[name] = ct.dispatch(lattice, dispatcher_addr=address)(argument)
    ids["narrow"] = ct.redispatch(ids["wide"], dispatcher_addr=address)(9)
    for name, dispatch_id in ids.items():
        result = ct.get_result(dispatch_id, wait=True, dispatcher_addr=address)
        if (result.status == "FAILED") != (name == "failed"):
            raise RuntimeError(f"the dispatch {name!r} is {result.status}: {result.error}")
    return ids


def show_beginning(lab: LabPage) -> None:
    """Keep the list where nothing was dispatched."""
    lab.page.set_viewport_size({"width": 1280, "height": 640})
    lab.show_sidebar()
    for name in SHOWN_THEMES:
        lab.set_theme(THEMES[name])
        lab.settle()
        keep(f"first-{name}", lab.sidebar.screenshot())


def show_menu(lab: LabPage, theme: str) -> None:
    """Keep the menu, with what can be done with the node that is selected."""
    lab.page.get_by_role("menuitem", name="Covalent", exact=True).click()
    menu = lab.page.locator(".lm-Menu:visible")
    expect(menu).to_be_visible()
    keep(f"menu-{theme}", menu.screenshot())
    lab.page.keyboard.press("Escape")


def show_views(lab: LabPage, ids: Mapping[str, str], folder: Path) -> None:
    """Keep each view by itself; of the server's folder only the ends of paths are shown."""
    paths = [[str(ROOT), "~/project"], [str(folder / "home"), "~"], [str(folder), "~"], [sys.prefix, "~/project/.venv"]]
    for name in SHOWN_THEMES:
        lab.open()
        lab.set_theme(THEMES[name])
        for stop in tour(lab, **ids):
            if stop.name not in PICTURED:
                continue
            lab.page.mouse.move(0, 0)
            lab.settle()
            lab.page.evaluate(SHORTEN, paths)
            keep(f"{stop.name}-{name}", (stop.frame or stop.shown).screenshot())
            if stop.name == "node":
                show_menu(lab, name)


def keep(name: str, png: bytes) -> None:
    """Write a picture with few colours, which takes a third of the space."""
    path = IMAGES / f"{name}.png"
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(path)


def main() -> int:
    """Write the pictures; return the exit status."""
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        print(f"{' or '.join(CHROMIUM)} is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebooks = Path(folder, "notebooks")
        shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGUMENTS))
        environ = private_environment(Path(folder))
        break_plugins(Path(environ["XDG_CONFIG_HOME"]))
        with LiveServer.start(
            root_dir=notebooks,
            log=ROOT / "test-results" / "screenshots-jupyterlab.log",
            environ=environ,
            arguments=built_here(Path(folder)),
        ) as server:
            page = browser.new_page()
            page.set_default_timeout(LONG_MS)
            lab = LabPage(page=page, server=server)
            lab.open()
            show_beginning(lab)
            page.set_viewport_size({"width": 1680, "height": 1000})
            arrange(lab)
            for name in SHOWN_THEMES:
                lab.set_theme(THEMES[name])
                lab.settle()
                keep(f"workbench-{name}", page.screenshot())
            lab.set_theme(THEMES["light"])
            show_only_notebook(lab, "best = sweep_result.result")
            lab.settle()
            keep("notebook-light", page.screenshot())
            page.set_viewport_size({"width": 1280, "height": 800})
            show_views(lab, dispatches(server), Path(folder))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
