"""The formats there are: what each is called, and what writes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from covalent_lab.errors import UsageError
from covalent_lab.exports.diagrams import dot_text, mermaid_text
from covalent_lab.exports.page import html_page
from covalent_lab.exports.run import Run
from covalent_lab.exports.script import python_script
from covalent_lab.exports.svg import graph_svg

__all__ = ["FORMATS", "Format", "format_named"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        suffix: Of its files, without the dot; also what it is called.
        media_type: Of its text, which is UTF-8.
        write: Makes the text.
    """

    suffix: str
    media_type: str
    write: Callable[[Run], str]


def _svg(run: Run) -> str:
    return graph_svg(run.graph, run.statuses(), title=run.name)


FORMATS: Mapping[str, Format] = {
    known.suffix: known
    for known in (
        Format(suffix="svg", media_type="image/svg+xml", write=_svg),
        Format(suffix="mmd", media_type="text/plain", write=mermaid_text),
        Format(suffix="dot", media_type="text/vnd.graphviz", write=dot_text),
        Format(suffix="py", media_type="text/x-python", write=python_script),
        Format(suffix="html", media_type="text/html", write=html_page),
    )
}


def format_named(name: str) -> Format:
    """A format by its suffix.

    Raises:
        UsageError: There is none of that name.
    """
    found = FORMATS.get(name)
    if found is None:
        raise UsageError(f"Nothing can be exported as {name!r}; choose one of {', '.join(FORMATS)}.")
    return found
