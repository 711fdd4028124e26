"""JupyterLab in other languages: no text of ours stays English, and German is what it says it is."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer, private_environment
from tests.ui import fans, gated
from tests.ui.conftest import ROOT, built_here
from tests.ui.lab_page import LONG_MS, LabPage
from tests.ui.languages import BRACKETS, GERMAN, PSEUDO, install_packs, set_language
from tests.ui.tour import tour

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Texts that are seen, and names for screen readers; no code, values, paths, ids, and nothing that executors say.
WORDS = """element => {
  const data = 'style, pre, code, .cvl-Middle, .cvl-Traceback, .cvl-Header-id, [id$="-doc"], .cvl-ErrorCard pre';
  const isData = node => node.closest(`${data}, .cvl-Executor > p, .cvl-Executor dl`) !== null;
  const isSeen = node => node.checkVisibility({ checkVisibilityCSS: true }) && !isData(node);
  const found = [];
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    if (isSeen(texts.currentNode.parentElement)) {
      found.push(texts.currentNode.data.trim());
    }
  }
  for (const each of [element, ...element.querySelectorAll('*')].filter(isSeen)) {
    for (const name of ['title', 'aria-label', 'aria-description', 'placeholder', 'alt']) {
      found.push(each.getAttribute(name) ?? '');
    }
  }
  return [...new Set(found)];
}"""
COMMANDS = """() => {
  const { commands } = window.jupyterapp;
  return commands.listCommands().filter(id => id.startsWith('covalent-lab:'))
    .flatMap(id => [commands.label(id), commands.caption(id)]);
}"""
OUTPUTS = (
    """%load_ext covalent_lab
import covalent_lab as ct

@ct.electron
def double(x):
    return 2 * x

@ct.lattice
def doubling(x):
    return double(x)""",
    "doubling.draw(1)",
    "from covalent_lab.notebook.widget import watch\nwatch(ct.dispatch(doubling)(1))",
)
# What stays as it is: ids, times, sizes, files and settings, types, and the names that the workflows of the tour use.
DATA = re.compile(
    r"[\W\d]*|[0-9a-f]{1,8}|[0-9a-f-]{36}|.*[/_.:].*|(local, )?\W*[\d/. ·]+(ms|s|m|B|kB|MB|GB)"
    r"|sdk|local|kernel|dask|lsf|pbs|sge|slurm|ssh|workdir|workers|retries|progress|stdout|stderr|int|float|dict"
    r"|list|broken|halves|lanes|stretching|scale|divide|numerator|denominator|x|factor|finish|result|load|square|total|part|number"
    r"|[0-9a-f]{8} ↔ [0-9a-f]{8}|.*\((local|\d+)\)",
    re.DOTALL,
)
DOCS = frozenset(
    " ".join((lattice.__doc__ or "").split()) for lattice in (gated.broken, gated.divide, fans.halves, fans.lanes)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server whose JupyterLab has languages to choose from.

    Attributes:
        server: The server.
        settings_dir: Where it keeps what users set.
    """

    server: LiveServer
    settings_dir: Path

    def finished(self, lattice: Callable[..., object], *arguments: object) -> str:
        """Run a workflow to its end and return the id."""
        address = f"{self.server.url}?token={self.server.lab_token}"
        dispatch_id = ct.dispatch(lattice, dispatcher_addr=address)(*arguments)
        ct.get_result(dispatch_id, wait=True, dispatcher_addr=address)
        return dispatch_id


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """JupyterLab with language packs."""
    folder = tmp_path_factory.mktemp("languages")
    for name in ("packs", "notebooks"):
        (folder / name).mkdir()
    install_packs(folder / "packs")
    environ = private_environment(folder)
    environ["PYTHONPATH"] = os.pathsep.join([str(folder / "packs"), environ.get("PYTHONPATH", "")])
    with LiveServer.start(
        root_dir=folder / "notebooks",
        log=ROOT / "test-results" / "ui-languages.log",
        environ=environ,
        arguments=built_here(folder),
    ) as server:
        yield Place(server=server, settings_dir=Path(environ["JUPYTERLAB_SETTINGS_DIR"]))


@pytest.fixture
def speaking(place: Place, browser: "Browser") -> Iterator[Callable[[str], LabPage]]:
    """Open JupyterLab in a language."""
    opened: list[LabPage] = []

    def show(language: str) -> LabPage:
        set_language(place.settings_dir, language)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
        opened.append(LabPage(page=context.new_page(), server=place.server))
        opened[-1].open()
        return opened[-1]

    yield show
    for lab in opened:
        lab.close_kernels()
        lab.page.context.close()


def plain(texts: list[str]) -> list[str]:
    """Return the words that did not go through the translator."""
    return [
        text
        for text in texts
        if BRACKETS[0] not in text and not DATA.fullmatch(text) and " ".join(text.split()) not in DOCS
    ]


@pytest.mark.timeout(1200)
def test_no_text_stays_english(speaking: Callable[[str], LabPage], place: Place) -> None:
    """In a language that sets brackets around each translated text, words without brackets are none of ours."""
    lab = speaking(PSEUDO)
    found: dict[str, list[str]] = {}
    ids = {
        "failed": place.finished(gated.broken, 1),
        "nested": place.finished(fans.halves, 4),
        "wide": place.finished(fans.lanes, 12),
        "narrow": place.finished(fans.lanes, 9),
    }
    assert plain(lab.page.evaluate(COMMANDS)) == []
    for stop in tour(lab, **ids):
        lab.settle()
        if words := plain(stop.shown.evaluate(WORDS)):
            found[stop.name] = words
    assert found == {}
    assert plain(lab.page.locator(".cvl-Running").evaluate(WORDS)) == []


def test_german_in_list_view_notebook_menu_and_settings(speaking: Callable[[str], LabPage], place: Place) -> None:
    """The German that is shipped is used as soon as JupyterLab has its German pack."""
    lab = speaking(GERMAN)
    page = lab.page
    dispatch_id = place.finished(gated.broken, 1)
    lab.show_sidebar()
    expect(lab.row(dispatch_id)).to_be_visible(timeout=LONG_MS)
    expect(lab.sidebar.get_by_role("tab", name="Fehlgeschlagen")).to_be_visible()
    view = lab.open_dispatch(dispatch_id)
    expect(view).to_contain_text("Den Rest ausführen")
    expect(view.get_by_role("toolbar", name="Werkzeuge des Graphen")).to_be_visible()
    view.get_by_role("button", name="Knoten als Liste zeigen").click()
    expect(view.get_by_role("table", name="Knoten").get_by_role("columnheader", name="Laufzeit")).to_be_visible()
    expect(view).to_contain_text("3 Knoten")
    page.locator(".lm-MenuBar-item", has_text="Covalent").click()
    expect(page.get_by_role("menuitem", name="Läufe als Tabelle zeigen")).to_be_visible()
    page.keyboard.press("Escape")
    lab.save_notebook("german.ipynb", OUTPUTS)
    notebook = lab.open_notebook("german.ipynb")
    lab.run_all()
    drawn = notebook.locator(".cvl-Mime")
    expect(drawn).to_contain_text("2 Aufgaben")
    widget = notebook.locator(".cvl-Widget")
    expect(widget).to_contain_text("Fertig", timeout=LONG_MS)
    lab.execute("settingeditor:open", query="Covalent")
    editor = page.locator(".jp-SettingsPanel")
    expect(editor).to_contain_text("Richtung der Graphen", timeout=LONG_MS)
