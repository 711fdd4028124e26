"""Cards of dispatches: which forms they have, where they show, and how their saved forms end."""

import base64
import os
import re

import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect
from covalent_lab.notebook import cards
from covalent_lab.notebook.cards import FollowedCard, card_bundle, id_forms, show_card
from covalent_lab.notebook.display import LATTICE_MIME, result_bundle
from covalent_lab.notebook.report import Progress
from covalent_lab.notebook.widget import LiveLattice
from tests.unit.notebook.shells import Notebook


@ct.electron
def wait_for(path: str) -> int:
    with open(path) as pipe:
        pipe.read()
    return 1


@ct.lattice
def waiting(path: str) -> int:
    return wait_for(path)


class Page:
    """A notebook's screen that keeps what it is shown."""

    is_updated = True

    def __init__(self) -> None:
        self.bundles: list[dict[str, object]] = []

    def card(self, bundle: dict[str, object]) -> None:
        self.bundles.append(bundle)


@pytest.fixture
def pipe(tmp_path) -> str:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return str(path)


def open_pipe(path: str) -> None:
    with open(path, "w"):
        pass


def test_a_card_has_a_form_for_every_reader(notebook: Notebook, pipe: str, mime_schema) -> None:
    """The extension's names the dispatch, others show how it stood."""
    dispatch_id = ct.dispatch(waiting)(pipe)
    forms = card_bundle(ct.get_result(dispatch_id))
    mime_schema.validate(forms[LATTICE_MIME])
    assert forms[LATTICE_MIME]["dispatch_id"] == dispatch_id
    assert sorted(forms) == [LATTICE_MIME, "image/svg+xml", "text/plain"]
    assert dispatch_id in forms["text/plain"]
    open_pipe(pipe)


def test_the_saved_forms_show_the_end(notebook: Notebook, pipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of the file have no server that could tell it."""
    page = Page()
    monkeypatch.setattr(cards, "screen_of", lambda shell: page)
    dispatch_id = ct.dispatch(waiting)(pipe)
    show_card(notebook.shell, dispatch_id)
    assert "✓ Completed" not in page.bundles[0]["text/plain"]
    open_pipe(pipe)
    [thread] = [thread for thread in cards.threading.enumerate() if thread.name.endswith(dispatch_id)]
    thread.join(60)
    assert len(page.bundles) == 2
    assert "✓ Completed" in page.bundles[1]["text/plain"]
    assert set(page.bundles[1][LATTICE_MIME]["nodes"]["status"]) == {"COMPLETED"}


def test_a_dispatch_that_is_over_is_shown_once(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing will change."""
    page = Page()
    monkeypatch.setattr(cards, "screen_of", lambda shell: page)
    notebook.run("%%covalent\n1")
    dispatch_id = connect().list_dispatches(count=1)["items"][0]["dispatch_id"]
    show_card(notebook.shell, dispatch_id)
    assert len(page.bundles) == 1
    assert not [thread for thread in cards.threading.enumerate() if thread.name.endswith(dispatch_id)]


def test_an_id_is_a_card_in_notebooks_only(notebook: Notebook, pipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text stays what it is; an id that nobody knows is text and no error."""
    dispatch_id = ct.dispatch(waiting)(pipe)
    assert dispatch_id._repr_mimebundle_() == {}
    monkeypatch.setattr(cards, "current_screen", Page)
    assert sorted(dispatch_id._repr_mimebundle_()) == [LATTICE_MIME, "image/svg+xml"]
    assert id_forms("00000000") == {}
    open_pipe(pipe)


def test_the_card_of_a_cell_that_waits_follows_its_states(notebook: Notebook, pipe: str) -> None:
    """One update for each change; at the end it says that what the cell gives stands below."""
    dispatch_id = ct.dispatch(waiting)(pipe)
    page, result = Page(), ct.get_result(dispatch_id)
    card = FollowedCard(page)  # type: ignore[arg-type]
    for status in ("RUNNING", "RUNNING"):
        progress = Progress(dispatch_id=dispatch_id, name="waiting", status=status)
        card.show(progress, {"node_id": [0], "status": ["RUNNING"]})
    open_pipe(pipe)
    ct.get_result(dispatch_id, wait=True)
    progress = Progress(dispatch_id=dispatch_id, name="waiting", status="COMPLETED")
    for is_delivered in (False, True):
        card.show(progress, result.node_states(), is_delivered=is_delivered)
    views = [bundle[LATTICE_MIME] for bundle in page.bundles]
    assert [set(view["nodes"]["status"]) for view in views] == [{"RUNNING"}, {"COMPLETED"}, {"COMPLETED"}]
    assert [view.get("is_delivered", False) for view in views] == [False, False, True]
    assert "Completed: waiting" in page.bundles[-1]["text/plain"]


def test_a_result_is_a_card_until_its_end(notebook: Notebook, pipe: str) -> None:
    """Then the report says more."""
    dispatch_id = ct.dispatch(waiting)(pipe)
    assert sorted(result_bundle(ct.get_result(dispatch_id))) == [LATTICE_MIME, "text/html", "text/plain"]
    open_pipe(pipe)
    assert sorted(result_bundle(ct.get_result(dispatch_id, wait=True))) == ["text/html", "text/plain"]


@pytest.mark.parametrize(("is_of_page", "has_card"), [(True, True), (False, False)])
def test_a_watched_dispatch_is_a_card_where_the_page_has_its_server(
    notebook: Notebook, tmp_path, monkeypatch: pytest.MonkeyPatch, is_of_page: bool, has_card: bool
) -> None:
    """And a widget of this kernel everywhere."""
    module = tmp_path / "widget.js"
    module.write_text("export default { render() {} }")
    monkeypatch.setattr("covalent_lab.notebook.widget.MODULE", module)
    notebook.run("%%covalent\n1")
    dispatch_id = connect().list_dispatches(count=1)["items"][0]["dispatch_id"]
    widget = LiveLattice(dispatch_id, connect(), is_of_page=is_of_page)
    forms, _ = widget._repr_mimebundle_()
    assert (LATTICE_MIME in forms, "image/svg+xml" in forms) == (has_card, has_card)
    assert "application/vnd.jupyter.widget-view+json" in forms
    widget.close()


def test_an_exported_notebook_shows_the_picture(notebook: Notebook) -> None:
    """Without a server, a kernel or an extension."""
    import nbformat
    from nbconvert import HTMLExporter

    notebook.run("%%covalent --name pictured\n1")
    dispatch_id = connect().list_dispatches(count=1)["items"][0]["dispatch_id"]
    output = nbformat.v4.new_output("display_data", data=card_bundle(ct.get_result(dispatch_id)))
    file = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    page, _ = HTMLExporter().from_notebook_node(file)
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert picture is not None
    assert "pictured" in base64.b64decode(picture[1]).decode()


def test_a_cell_in_the_background_shows_its_card(notebook: Notebook) -> None:
    """In a terminal as text, with the line that fetches what it gives."""
    notebook.run("%%covalent --background --name later\n41 + 1")
    dispatch_id = connect().list_dispatches(count=1)["items"][0]["dispatch_id"]
    assert f"later  {dispatch_id}" in notebook.out
    assert notebook.out.endswith(f"%covalent result {dispatch_id}   brings what the cell gives.\n")
    connect().detail(dispatch_id, wait_s=60)
    assert notebook.run(f"%covalent result {dispatch_id}") == 42
