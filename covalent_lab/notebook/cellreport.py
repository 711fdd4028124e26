"""What stands below a marked cell: how its task is, what it printed and what it gave, as one MIME bundle.

One bundle, because what is below a cell can be replaced as a whole only while another cell runs. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab.exports.statuswords import style_of
from covalent_lab.notebook.report import block_html, duration, line_html

__all__ = ["CellReport", "cell_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellReport:
    """One marked cell at one moment.

    Attributes:
        name: What its task is called.
        status: Of the task; `NEW_OBJECT` before it runs.
        note: Said beside it.
        elapsed_s: How long it has run; None before.
        printed: What it printed so far.
        errors: What it wrote to standard error so far.
        traceback: Why it failed, or empty.
        shown: MIME bundles of what it displayed, its last value at the end.
    """

    name: str
    status: str = "NEW_OBJECT"
    note: str = ""
    elapsed_s: float | None = None
    printed: str = ""
    errors: str = ""
    traceback: str = ""
    shown: Sequence[Mapping[str, Any]] = ()


def cell_report(report: CellReport) -> dict[str, str]:
    """The forms of a report: HTML, and text where that is not known."""
    note = " · ".join(filter(None, (report.note, duration(report.elapsed_s))))
    html = [line_html(report.status, report.name, note)]
    style = style_of(report.status)
    text = [f"{style.mark} {style.word}: {report.name}{f' ({note})' if note else ''}"]
    for part, is_error in ((report.printed, False), (report.errors, True), (report.traceback, True)):
        if part:
            html.append(block_html(part.rstrip("\n"), is_error=is_error))
            text.append(part.rstrip("\n"))
    for bundle in report.shown:
        html.append(_html_of(bundle))
        text.append(_joined(bundle.get("text/plain", "")))
    return {"text/html": "".join(html), "text/plain": "\n".join(text)}


def _html_of(bundle: Mapping[str, Any]) -> str:
    """The best of a bundle's forms that can stand in a page. HTML and SVG are the user's own, as in any output."""
    for kind in ("text/html", "image/svg+xml"):
        if kind in bundle:
            return f'<div style="overflow-x:auto">{_joined(bundle[kind])}</div>'
    for kind in ("image/png", "image/jpeg"):
        if kind in bundle:
            data = "".join(_joined(bundle[kind]).split())
            return f'<img alt="Figure" style="max-width:100%" src="data:{kind};base64,{data}">'
    return block_html(_joined(bundle.get("text/plain", "")))


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)
