"""When each task ran, as a picture: one bar a task, in order of start."""

from html import escape

from covalent_lab.exports.outline import label_of
from covalent_lab.exports.run import NodeRun, Run
from covalent_lab.exports.statuswords import style_of
from covalent_lab.exports.words import duration
from covalent_lab.graph.model import Node

__all__ = ["timeline_svg"]

_ROWS = 300
_ROW, _LABELS, _WIDTH, _AXIS = 18, 190, 620, 22
_TICKS = 4


def timeline_svg(run: Run) -> str:
    """Draw it; empty if nothing ran. Of more than 300 tasks, those that ran longest are shown."""
    ran = [(node, run.node(node.id)) for node in run.tasks() if run.node(node.id).started_at is not None]
    if not ran:
        return ""
    begin = min(_start(state) for _, state in ran)
    end = max([_end(state, run) for _, state in ran])
    shown = sorted(sorted(ran, key=lambda pair: _start(pair[1]) - _end(pair[1], run))[:_ROWS], key=_order)
    scale = _WIDTH / max(end - begin, 1e-9)
    height = _AXIS + _ROW * len(shown) + 6
    parts = [_ticks(end - begin, height)]
    for row, (node, state) in enumerate(shown):
        left, right = (_LABELS + scale * (at - begin) for at in (_start(state), _end(state, run)))
        parts.append(
            _bar(node, state, _AXIS + row * _ROW, left, max(1.5, right - left), _end(state, run) - _start(state))
        )
    label, width = f"timeline of {len(shown)} of {len(ran)} tasks", _LABELS + _WIDTH + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{label}" '
        f'width="{width}" height="{height}" style="max-width:100%;height:auto" font-family="system-ui, sans-serif" '
        f'font-size="11" fill="currentColor"><title>{label}</title>{"".join(parts)}</svg>'
    )


def _start(state: NodeRun) -> float:
    return state.started_at or 0.0


def _end(state: NodeRun, run: Run) -> float:
    """What has not ended goes on to the moment of the export."""
    return max(_start(state), state.ended_at if state.ended_at is not None else run.made_at)


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


def _bar(node: Node, state: NodeRun, y: int, left: float, width: float, runtime: float) -> str:
    style = style_of(state.status)
    label, middle = escape(f"{label_of(node)} ({node.id})"), y + _ROW / 2 + 4
    return (
        f"<g><title>{label}: {escape(style.word)}, {duration(runtime)}</title>"
        f'<text x="{_LABELS - 8}" y="{middle:.0f}" text-anchor="end">{style.mark} {label}</text>'
        f'<rect x="{left:.1f}" y="{y + 3}" width="{width:.1f}" height="{_ROW - 6}" rx="2" fill="{style.fill}" '
        f'stroke="{style.stroke}"/></g>'
    )
