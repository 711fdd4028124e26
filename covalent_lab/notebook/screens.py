"""Where things are shown: below a notebook's cell, or in a terminal.

Decides which of a MIME bundle's forms a surrounding can show, and what is updated in place.
"""

import sys
from collections.abc import Mapping
from typing import Any, Protocol

from covalent_lab.notebook.report import Progress, progress_html, progress_text

__all__ = ["Screen", "current_screen", "screen_of"]


class Screen(Protocol):
    """A place to show things.

    Attributes:
        is_updated: Whether what was shown can be replaced later.
    """

    is_updated: bool

    def progress(self, progress: Progress) -> None:
        """Show how a dispatch stands, in place of what was shown before."""
        ...

    def card(self, bundle: Mapping[str, Any]) -> None:
        """Show a dispatch by its MIME types, in place of what was shown of it before."""
        ...

    def write(self, text: str, *, is_error: bool) -> None:
        """Show printed text; it may be empty."""
        ...

    def show(self, bundle: Mapping[str, Any]) -> None:
        """Show one value, by its MIME types."""
        ...


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


class _Notebook(_Text):
    """One output that is updated in place, others one after the other."""

    is_updated = True

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = ""

    def progress(self, progress: Progress) -> None:
        html = progress_html(progress)
        if html == self._last:
            return
        self._last = html
        self.card({"text/html": html, "text/plain": progress_text(progress)})

    def card(self, bundle: Mapping[str, Any]) -> None:
        if self._handle is None:
            self._handle = _display(dict(bundle), display_id=True)
        else:
            self._handle.update(dict(bundle), raw=True)

    def show(self, bundle: Mapping[str, Any]) -> None:
        _display(dict(bundle))


class _Terminal(_Text):
    """A line whenever the status changes, and the plain form of values."""

    is_updated = False

    def __init__(self) -> None:
        self._last = ""

    def progress(self, progress: Progress) -> None:
        if progress.status != self._last:
            self._last = progress.status
            self.write(f"{progress_text(progress)}\n", is_error=False)

    def card(self, bundle: Mapping[str, Any]) -> None:
        self.show(bundle)

    def show(self, bundle: Mapping[str, Any]) -> None:
        self.write(f"{bundle.get('text/plain', '')}\n", is_error=False)


def _display(bundle: Mapping[str, Any], **options: Any) -> Any:
    from IPython.display import display  # heavy

    return display(bundle, raw=True, **options)  # type: ignore[no-untyped-call]
