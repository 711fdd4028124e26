"""The card of a dispatch below a cell: live where the page has JupyterLab's extension, a picture everywhere else.

The extension asks the server how the dispatch stands and needs no kernel, so a card outlives a reload of the page and a
restart of the kernel. While this kernel lives it also brings the saved forms up to date once the dispatch has ended,
for readers of the file who have no server.
"""

import contextlib
import threading
from collections.abc import Mapping
from typing import Any

from covalent_lab.client.api import get_result
from covalent_lab.client.result import Result
from covalent_lab.errors import LabError
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.notebook.display import LATTICE_MIME, graph_bundle, result_bundle
from covalent_lab.notebook.report import Progress, progress_text
from covalent_lab.notebook.screens import Screen, current_screen, screen_of

__all__ = ["FollowedCard", "card_bundle", "card_forms", "draw_result", "id_forms", "show_card"]


def card_bundle(result: Result) -> dict[str, Any]:
    """All forms of a dispatch that is followed; terminals get the report."""
    return {**card_forms(result), "text/plain": result_bundle(result)["text/plain"]}


def card_forms(result: Result) -> dict[str, Any]:
    """The forms that make an output a card: what the extension draws, and a picture."""
    forms = graph_bundle(result.graph, result.name, dispatch_id=result.dispatch_id, nodes=result.node_states())
    del forms["text/plain"]
    return forms


def id_forms(dispatch_id: str) -> dict[str, Any]:
    """The forms of a dispatch's id in addition to its text; none in a terminal, or where nothing is known of it."""
    if not current_screen().is_updated:
        return {}
    try:
        return card_forms(get_result(dispatch_id))
    except LabError:
        return {}


def show_card(shell: Any, dispatch_id: str) -> None:
    """Show a dispatch below the cell that runs; in a terminal as text.

    Raises:
        MissingLatticeRecordError: The id is unknown.
    """
    _show(screen_of(shell), get_result(dispatch_id))


def draw_result(result: Result) -> None:
    """Show a dispatch as `show_card` does; plain Python counts as a terminal."""
    _show(current_screen(), result)


def _show(screen: Screen, result: Result) -> None:
    screen.card(card_bundle(result))
    if result.status not in TERMINAL and screen.is_updated:
        threading.Thread(
            target=_finish, args=(screen, result.dispatch_id), name=f"covalent-card {result.dispatch_id}", daemon=True
        ).start()


class FollowedCard:
    """The card of a dispatch that its cell waits for; a terminal gets a line for each status.

    Args:
        screen: Where it is shown.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._result: Result | None = None
        self._shown: object = None

    def show(self, progress: Progress, nodes: Mapping[str, Any], *, is_delivered: bool = False) -> None:
        """Bring it up to date, if a status changed.

        Args:
            progress: How the dispatch stands.
            nodes: States of its nodes as the client returns them, in columns.
            is_delivered: Whether what came of the dispatch stands below the card already.
        """
        if not self._screen.is_updated:
            return self._screen.progress(progress)
        shown = (progress.status, nodes["node_id"], nodes["status"], is_delivered)
        if shown != self._shown:
            self._shown = shown
            result = self._result = self._result or get_result(progress.dispatch_id)
            forms = graph_bundle(result.graph, result.name, dispatch_id=result.dispatch_id, nodes=nodes)
            if is_delivered and LATTICE_MIME in forms:
                forms[LATTICE_MIME]["is_delivered"] = True
            self._screen.card({**forms, "text/plain": progress_text(progress)})
        return None


def _finish(screen: Screen, dispatch_id: str) -> None:
    with contextlib.suppress(LabError):  # deleted, or its dispatcher is gone: the saved forms stay as they are
        screen.card(card_bundle(get_result(dispatch_id, wait=True, progress=False)))
