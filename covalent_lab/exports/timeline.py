"""When each task ran, as a picture: one row a task, in order of start, with a bar for each attempt.

Earlier attempts are paler than the last one, and their outline is dashed: they ran, and somebody paid for them.
"""

from html import escape

from covalent_lab.exports.outline import label_of
from covalent_lab.exports.run import Attempt, NodeRun, Run
from covalent_lab.exports.statuswords import style_of
from covalent_lab.exports.words import duration
from covalent_lab.graph.model import Node

__all__ = ["timeline_svg"]

_ROWS = 300
_ROW, _LABELS, _WIDTH, _AXIS = 18, 190, 620, 22
_TICKS = 4


def timeline_svg(run: Run) -> str:
    """Draw it; empty if nothing ran. Of more than 300 tasks, those that ran longest are shown."""
    ran = [(node, run.node(node.id)) for node in run.tasks() if run.node(node.id).first_started_at is not None]
    if not ran:
        return ""
    begin = min(_start(state) for _, state in ran)
    end = max([_end(state, run) for _, state in ran])
    shown = sorted(sorted(ran, key=lambda pair: _start(pair[1]) - _end(pair[1], run))[:_ROWS], key=_order)
    scale = _WIDTH / max(end - begin, 1e-9)
    height = _AXIS + _ROW * len(shown) + 6
    parts = [_ticks(end - begin, height)]
    for row, (node, state) in enumerate(shown):
        top = _AXIS + row * _ROW
        earlier = [_earlier(node, attempt, top, begin, scale) for attempt in state.earlier]
        last = "" if state.started_at is None else _last(node, state, run, top, begin, scale)
        parts.append(f"{_label(node, state, top)}{''.join(earlier)}{last}")
    label, width = f"timeline of {len(shown)} of {len(ran)} tasks", _LABELS + _WIDTH + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{label}" '
        f'width="{width}" height="{height}" style="max-width:100%;height:auto" font-family="system-ui, sans-serif" '
        f'font-size="11" fill="currentColor"><title>{label}</title>{"".join(parts)}</svg>'
    )


def _start(state: NodeRun) -> float:
    return state.first_started_at or 0.0


def _end(state: NodeRun, run: Run) -> float:
    """What runs goes on to the moment of the export; what waits for its next attempt ended with the last."""
    if state.started_at is None:
        return max((attempt.ended_at for attempt in state.earlier), default=_start(state))
    return max(state.started_at, state.ended_at if state.ended_at is not None else run.made_at)


def _order(pair: tuple[Node, NodeRun]) -> tuple[float, int]:
    return _start(pair[1]), pair[0].id


def _ticks(total: float, height: int) -> str:
    parts = []
    for tick in range(_TICKS + 1):
        x, anchor = _LABELS + _WIDTH * tick / _TICKS, "end" if tick == _TICKS else "middle"
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_AXIS - 4}" y2="{height}" stroke="#8a919c" stroke-opacity="0.35"/>'
            f'<text x="{x:.1f}" y="12" text-anchor="{anchor}">{duration(total * tick / _TICKS)}</text>'
        )
    return "".join(parts)


def _label(node: Node, state: NodeRun, top: int) -> str:
    return (
        f'<text x="{_LABELS - 8}" y="{top + _ROW / 2 + 4:.0f}" text-anchor="end">'
        f"{style_of(state.status).mark} {_name(node)}</text>"
    )


def _last(node: Node, state: NodeRun, run: Run, top: int, begin: float, scale: float) -> str:
    style, start = style_of(state.status), state.started_at or 0.0
    attempt = f", attempt {state.attempt}" if state.earlier else ""
    title = f"{_name(node)}{attempt}: {escape(style.word)}, {duration(_end(state, run) - start)}"
    return _bar(title, top, begin, scale, (start, _end(state, run)), f'fill="{style.fill}" stroke="{style.stroke}"')


def _earlier(node: Node, attempt: Attempt, top: int, begin: float, scale: float) -> str:
    """Nothing for one that nobody saw begin."""
    if attempt.started_at is None:
        return ""
    style = style_of("FAILED")
    title = f"{_name(node)}, attempt {attempt.number}: {style.word}, {duration(attempt.ended_at - attempt.started_at)}"
    look = f'fill="{style.stroke}" fill-opacity="0.4" stroke="{style.stroke}" stroke-dasharray="3 2"'
    return _bar(title, top, begin, scale, (attempt.started_at, attempt.ended_at), look)


def _bar(title: str, top: int, begin: float, scale: float, span: tuple[float, float], look: str) -> str:
    left, right = (_LABELS + scale * (at - begin) for at in span)
    return (
        f'<g><title>{title}</title><rect x="{left:.1f}" y="{top + 3}" width="{max(1.5, right - left):.1f}" '
        f'height="{_ROW - 6}" rx="2" {look}/></g>'
    )


def _name(node: Node) -> str:
    return escape(f"{label_of(node)} ({node.id})")
