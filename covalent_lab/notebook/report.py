"""A dispatch as HTML and as text: what `display.py` shows for results, and the line of progress under a cell.

Decides markup and what is left out; every value is escaped here. Takes plain records and fetches nothing. Styles are
inline, with JupyterLab's `--jp-*` variables and plain fallbacks, so that both themes and exported pages look right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from covalent_lab.exports.statuswords import style_of

__all__ = [
    "NODE_LIMIT",
    "DispatchReport",
    "NodeRow",
    "Progress",
    "block_html",
    "duration",
    "line_html",
    "listing_html",
    "listing_text",
    "progress_html",
    "progress_text",
    "report_html",
    "report_text",
    "rows_html",
    "rows_text",
]

NODE_LIMIT = 100
_PREVIEW_LENGTH = 2000
_ERROR_LENGTH = 8000
_NONE_YET = "No dispatches yet."
_STATUS_ORDER = ("FAILED", "CANCELLED", "RUNNING", "STARTING", "NEW_OBJECT", "COMPLETED")
_FONT = "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px"
_COLOURS = "color:var(--jp-ui-font-color1,inherit)"
_STRONG = "color:var(--jp-ui-font-color0,inherit)"
_MUTED = "color:var(--jp-ui-font-color2,#6b7280)"
_LINE = "1px solid var(--jp-border-color2,#c8ccd2)"
_CODE = (
    "font-family:var(--jp-code-font-family,monospace);font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere;"
    "max-height:22em;overflow:auto;margin:4px 0;padding:6px 8px;"
    f"background:var(--jp-layout-color2,transparent);border:{_LINE};border-radius:3px"
)
_TONES: Mapping[str, str] = {
    "STARTING": "--jp-warn-color1",
    "DISPATCHING": "--jp-brand-color1",
    "RUNNING": "--jp-brand-color1",
    "COMPLETED": "--jp-success-color1",
    "FAILED": "--jp-error-color1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """One node in the table of a report."""

    node_id: int
    name: str
    status: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchReport:
    """What is shown of a dispatch.

    Attributes:
        dispatch_id: Which one.
        name: The workflow's name.
        status: A dispatch status.
        rows: Its nodes without parameters, in any order.
        started_at: When it began to run.
        ended_at: When it ended.
        error: Message and traceback, or empty.
        result: Text of the result, or None if there is none.
        url: Opens the graph in JupyterLab; None if no server hosts the dispatch.
    """

    dispatch_id: str
    name: str
    status: str
    rows: Sequence[NodeRow] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
    result: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One moment of a running dispatch."""

    dispatch_id: str
    name: str
    status: str
    executor: str = ""
    elapsed_s: float | None = None
    url: str | None = None


def duration(seconds: float | None) -> str:
    """A length of time for humans: `0.31 s`, `12.5 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


# -- HTML -------------------------------------------------------------------------------------------------------------


def report_html(report: DispatchReport) -> str:
    """The whole report."""
    took = _between(report.started_at, report.ended_at)
    times = " – ".join(_clock(at) for at in (report.started_at, report.ended_at) if at is not None)
    parts = [
        '<div style="display:flex;flex-wrap:wrap;gap:6px 12px;align-items:baseline">',
        f'{_badge(report.status)}<strong style="font-size:14px">{escape(report.name)}</strong>',
        f'<code style="{_MUTED}">{escape(report.dispatch_id)}</code>',
        f'<span style="{_MUTED}">{escape(times)}{" · " if times and took else ""}{escape(took)}</span>'
        if times
        else "",
        _link(report.dispatch_id, report.url),
        "</div>",
    ]
    if report.error:
        heading, _, trace = report.error.strip().partition("\n")
        heading = escape(_head(heading, _PREVIEW_LENGTH))
        parts.append(f'<div style="margin-top:6px;color:{_tone("FAILED")}"><strong>{heading}</strong>')
        if trace:
            parts.append(f'<pre style="{_CODE};{_COLOURS}">{escape(_tail(trace, _ERROR_LENGTH))}</pre>')
        parts.append("</div>")
    if report.result is not None:
        text = escape(_head(report.result, _PREVIEW_LENGTH))
        parts.append(f'<div style="margin-top:6px">Result<pre style="{_CODE};{_COLOURS}">{text}</pre></div>')
    parts.append(_table(report.rows))
    return f'<div style="{_FONT};{_COLOURS};line-height:1.5">{"".join(parts)}</div>'


def progress_html(progress: Progress) -> str:
    """One line: badge, name, executor, time, link."""
    where = f"on {progress.executor}" if progress.executor else ""
    time = duration(progress.elapsed_s)
    note = f"{where}{' · ' if where and time else ''}{time}"
    return line_html(progress.status, progress.name, note, _link(progress.dispatch_id, progress.url))


def line_html(status: str, name: str, note: str, more: str = "") -> str:
    """One line: badge, name, and a note.

    Args:
        status: Of what the line is about.
        name: What that is called.
        note: Said of it in a weaker colour.
        more: HTML behind it.
    """
    return (
        f'<div style="{_FONT};{_COLOURS};display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline">'
        f"{_badge(status)}<span>{escape(name)}</span>"
        f'<span style="{_MUTED}">{escape(note)}</span>{more}</div>'
    )


def block_html(text: str, *, is_error: bool = False) -> str:
    """Text as it was printed, in a frame; the end of it, if it is long."""
    edge = f";border-color:{_tone('FAILED')}" if is_error else ""
    return f'<pre style="{_CODE};{_COLOURS}{edge}">{escape(_tail(text, _ERROR_LENGTH))}</pre>'


def listing_html(page: Mapping[str, Any]) -> str:
    """A page of the list of dispatches, as the client returns it, as a table."""
    if not page["items"]:
        return f'<div style="{_FONT};{_MUTED}">{_NONE_YET}</div>'
    rows = [
        (
            f'<code title="{escape(item["dispatch_id"])}">{escape(item["dispatch_id"][:8])}</code>',
            escape(_head(item["name"], 80)),
            _badge(item["status"]),
            f"{_done(item)}/{item['total']}",
            escape(_clock(_moment(item["created_at"]))),
        )
        for item in page["items"]
    ]
    note = f'<div style="{_MUTED}">{_more(page)}</div>' if _more(page) else ""
    return (
        f'<div style="{_FONT};{_COLOURS}">{_grid(("Dispatch", "Name", "Status", "Tasks", "Created"), rows)}{note}</div>'
    )


def rows_html(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as a table."""
    cells = [[escape(cell) for cell in row] for row in rows]
    return f'<div style="{_FONT};{_COLOURS};max-height:26em;overflow:auto">{_grid(columns, cells)}</div>'


def _badge(status: str) -> str:
    style = style_of(status)
    colour = _tone(status)
    return (
        f'<span style="display:inline-block;padding:0 8px;border-radius:9px;border:1px solid {colour};'
        f'background:color-mix(in srgb,{colour} 13%,transparent);{_STRONG};white-space:nowrap">'
        f'<span style="color:{colour}" aria-hidden="true">{style.mark}</span> {escape(style.word)}</span>'
    )


def _tone(status: str) -> str:
    """The theme's colour for a status; without a theme one that can be read on white and on black."""
    variable = _TONES.get(status, "--jp-ui-font-color2")
    return f"var({variable},{style_of(status).stroke})"


def _link(dispatch_id: str, url: str | None) -> str:
    """In JupyterLab a command opens the graph beside the notebook; elsewhere the address does."""
    arguments = escape(f'{{"dispatchId": "{dispatch_id}"}}')
    address = escape(url) if url and url.startswith(("http://", "https://")) else ""
    if not address:
        return ""
    return (
        f'<a href="{address}" target="_blank" rel="noopener" data-commandlinker-command="covalent-lab:open-dispatch" '
        f'data-commandlinker-args="{arguments}" style="color:var(--jp-content-link-color,#1c78d0)">Open graph</a>'
    )


def _table(rows: Sequence[NodeRow]) -> str:
    if not rows:
        return ""
    shown = _ordered(rows)[:NODE_LIMIT]
    cells = [
        (
            str(row.node_id),
            escape(_head(row.name, 80)),
            _badge(row.status),
            escape(_between(row.started_at, row.ended_at)),
            escape(_head(row.error.strip().partition("\n")[0], 200)),
        )
        for row in shown
    ]
    more = len(rows) - len(shown)
    note = f'<div style="{_MUTED}">… and {more} more nodes</div>' if more else ""
    return (
        f'<details style="margin-top:6px"{" open" if len(rows) <= 12 else ""}>'
        f"<summary>{escape(_tally(rows))}</summary>"
        f'<div style="max-height:26em;overflow:auto">{_grid(("Node", "Name", "Status", "Time", "Error"), cells)}'
        f"{note}</div></details>"
    )


def _grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    cell = f"padding:2px 10px 2px 0;text-align:left;border-bottom:{_LINE};vertical-align:top"
    head = "".join(f'<th scope="col" style="{cell}">{word}</th>' for word in columns)
    body = "".join(
        f"<tr>{''.join(f'<td style={chr(34)}{cell}{chr(34)}>{content}</td>' for content in row)}</tr>" for row in rows
    )
    return (
        f'<table style="border-collapse:collapse;{_FONT};{_COLOURS}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


# -- text -------------------------------------------------------------------------------------------------------------


def report_text(report: DispatchReport) -> str:
    """The report for terminals."""
    took = _between(report.started_at, report.ended_at)
    style = style_of(report.status)
    lines = [f"{style.mark} {style.word}  {report.name}  {report.dispatch_id}{'  ' + took if took else ''}"]
    if report.error:
        lines.append(_tail(report.error.strip(), _ERROR_LENGTH))
    if report.result is not None:
        lines.append(f"result: {_head(report.result, _PREVIEW_LENGTH)}")
    if report.rows:
        lines.append(_tally(report.rows))
        for row in _ordered(report.rows)[:NODE_LIMIT]:
            error = f"  {_head(row.error.strip().partition(chr(10))[0], 100)}" if row.error else ""
            time = _between(row.started_at, row.ended_at)
            lines.append(f"  {style_of(row.status).mark} {row.name}({row.node_id}){'  ' + time if time else ''}{error}")
        if len(report.rows) > NODE_LIMIT:
            lines.append(f"  … and {len(report.rows) - NODE_LIMIT} more nodes")
    return "\n".join(lines)


def listing_text(page: Mapping[str, Any]) -> str:
    """A page of the list of dispatches, a line each."""
    if not page["items"]:
        return _NONE_YET
    width = max(len(item["name"][:40]) for item in page["items"])
    lines = []
    for item in page["items"]:
        style = style_of(item["status"])
        lines.append(
            f"{item['dispatch_id']}  {item['name'][:40]:{width}}  {style.mark} {style.word:9}  "
            f"{_done(item)}/{item['total']}  {_clock(_moment(item['created_at']))}"
        )
    return "\n".join(filter(None, [*lines, _more(page)]))


def rows_text(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text, in columns."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = ("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in (columns, *rows))
    return "\n".join(line.rstrip() for line in lines)


def progress_text(progress: Progress) -> str:
    """One line for terminals."""
    style = style_of(progress.status)
    where = f" on {progress.executor}" if progress.executor else ""
    time = f", {duration(progress.elapsed_s)}" if progress.elapsed_s is not None else ""
    return f"{style.mark} {style.word}: {progress.name}{where}{time} ({progress.dispatch_id})"


# -- parts ------------------------------------------------------------------------------------------------------------


def _done(item: Mapping[str, Any]) -> int:
    return int(item["completed"] + item["failed"] + item["cancelled"])


def _more(page: Mapping[str, Any]) -> str:
    hidden = page["total"] - len(page["items"])
    return f"… and {hidden} more" if hidden > 0 else ""


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _ordered(rows: Sequence[NodeRow]) -> list[NodeRow]:
    rank = {status: index for index, status in enumerate(_STATUS_ORDER)}
    return sorted(rows, key=lambda row: (rank.get(row.status, -1), row.node_id))


def _tally(rows: Sequence[NodeRow]) -> str:
    counts: dict[str, int] = {}
    for row in _ordered(rows):
        word = style_of(row.status).word.lower()
        counts[word] = counts.get(word, 0) + 1
    nodes = f"{len(rows)} node{'' if len(rows) == 1 else 's'}"
    return f"{nodes}: {', '.join(f'{count} {word}' for word, count in counts.items())}"


def _between(started_at: datetime | None, ended_at: datetime | None) -> str:
    if started_at is None or ended_at is None:
        return ""
    return duration((ended_at - started_at).total_seconds())


def _clock(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _head(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def _tail(text: str, length: int) -> str:
    return text if len(text) <= length else f"…{text[-length:]}"
