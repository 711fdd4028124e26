"""Where things are shown: below a notebook's cell, or in a terminal.

Decides which of a MIME bundle's forms a surrounding can show, and what is updated in place.
"""

import sys
from collections.abc import Mapping
from typing import Any, Protocol

from covalent_lab.notebook.report import Progress, progress_html, progress_text

__all__ = ["Board", "Screen", "board_of", "current_screen", "screen_of"]


class Screen(Protocol):
    """A place to show things."""

    def progress(self, progress: Progress) -> None:
        """Show how a dispatch stands, in place of what was shown before."""
        ...

    def write(self, text: str, *, is_error: bool) -> None:
        """Show printed text; it may be empty."""
        ...

    def show(self, bundle: Mapping[str, Any]) -> None:
        """Show one value, by its MIME types."""
        ...


class Board(Protocol):
    """A place below a cell.

    Attributes:
        is_live: Whether it can be written anew while other cells run; else it is a text that grows.
    """

    is_live: bool

    def show(self, bundle: Mapping[str, Any]) -> None:
        """Show this instead of what was shown before."""
        ...


def board_of(shell: Any) -> Board:
    """A new board below the cell that runs."""
    return _NotebookBoard() if hasattr(shell, "kernel") else _Terminal()


def screen_of(shell: Any) -> Screen:
    """The screen of an IPython shell."""
    return _Notebook() if hasattr(shell, "kernel") else _Terminal()


def current_screen() -> Screen:
    """The screen of whatever runs here; plain Python counts as a terminal. Does not load IPython."""
    ipython = sys.modules.get("IPython")
    return screen_of(ipython.get_ipython() if ipython is not None else None)


class _Text:
    def write(self, text: str, *, is_error: bool) -> None:
        if text:
            stream = sys.stderr if is_error else sys.stdout
            stream.write(text)
            stream.flush()


class _NotebookBoard:
    """One output that is updated in place."""

    is_live = True

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, bundle: Mapping[str, Any]) -> None:
        if self._handle is None:
            self._handle = _display(dict(bundle), display_id=True)
        else:
            self._handle.update(dict(bundle), raw=True)


class _Notebook(_Text):
    """One output that is updated in place, others one after the other."""

    def __init__(self) -> None:
        self._board = _NotebookBoard()
        self._last = ""

    def progress(self, progress: Progress) -> None:
        html = progress_html(progress)
        if html == self._last:
            return
        self._last = html
        self._board.show({"text/html": html, "text/plain": progress_text(progress)})

    def show(self, bundle: Mapping[str, Any]) -> None:
        _display(dict(bundle))


class _Terminal(_Text):
    """A line whenever the status changes, and the plain form of values."""

    is_live = False

    def __init__(self) -> None:
        self._last = ""

    def progress(self, progress: Progress) -> None:
        if progress.status != self._last:
            self._last = progress.status
            self.write(f"{progress_text(progress)}\n", is_error=False)

    def show(self, bundle: Mapping[str, Any]) -> None:
        self.write(f"{bundle.get('text/plain', '')}\n", is_error=False)


def _display(bundle: Mapping[str, Any], **options: Any) -> Any:
    from IPython.display import display  # heavy

    return display(bundle, raw=True, **options)  # type: ignore[no-untyped-call]
