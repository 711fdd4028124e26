"""How a status is called, coloured and marked wherever notebooks show one; colour never stands alone.

Knows nothing of HTML or SVG.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["TERMINAL", "StatusStyle", "style_of"]

TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusStyle:
    """How to show one status.

    Attributes:
        word: For users.
        mark: One character that differs from status to status.
        stroke: Strong colour, readable on white and on black.
        fill: Light colour behind dark text.
    """

    word: str
    mark: str
    stroke: str
    fill: str


_PENDING = StatusStyle(word="Pending", mark="○", stroke="#7a828e", fill="#eceff3")
_STYLES: Mapping[str, StatusStyle] = {
    "NEW_OBJECT": _PENDING,
    "STARTING": StatusStyle(word="Starting", mark="◔", stroke="#a9760b", fill="#fdf1d6"),
    "DISPATCHING": StatusStyle(word="Dispatching", mark="◔", stroke="#a9760b", fill="#fdf1d6"),
    "PENDING_REUSE": StatusStyle(word="Pending reuse", mark="○", stroke="#7a828e", fill="#eceff3"),
    "RUNNING": StatusStyle(word="Running", mark="▶", stroke="#1c78d0", fill="#deeefc"),
    "COMPLETED": StatusStyle(word="Completed", mark="✓", stroke="#2f8f46", fill="#e0f4e4"),
    "FAILED": StatusStyle(word="Failed", mark="✗", stroke="#d0342c", fill="#fde4e2"),
    "CANCELLED": StatusStyle(word="Cancelled", mark="⊘", stroke="#8a5cb8", fill="#f1e8fa"),
}


def style_of(status: str) -> StatusStyle:
    """The style of a status; an unknown one shows its own word."""
    known = _STYLES.get(str(status))
    if known is not None:
        return known
    word = str(status).replace("_", " ").capitalize() or "Unknown"
    return StatusStyle(word=word, mark="?", stroke=_PENDING.stroke, fill=_PENDING.fill)
