"""A graph as text that other programs draw: Mermaid's flowchart, and Graphviz' dot.

Both show the outline that pictures show, so that large graphs stay readable, and say each status in words.
"""

from collections.abc import Sequence

from covalent_lab.exports.outline import Box, Outline, outline, shorten
from covalent_lab.exports.run import Run
from covalent_lab.exports.statuswords import style_of
from covalent_lab.graph.model import NodeKind

__all__ = ["dot_text", "mermaid_text"]

_SHAPES = {
    NodeKind.PARAMETER: ("([", "])", "ellipse"),
    NodeKind.SUBLATTICE: ("[[", "]]", "box3d"),
    NodeKind.POSTPROCESS: ("{{", "}}", "hexagon"),
}
_TASK = ("[", "]", "box")
_LINE = 80


def mermaid_text(run: Run) -> str:
    """A flowchart for Mermaid, which GitHub, GitLab and JupyterLab draw in Markdown."""
    view = outline(run.graph, run.statuses())
    lines = ["---", f"title: {_mermaid(shorten(run.name, _LINE))}", "---", "flowchart TD"]
    for index, box in enumerate(view.boxes):
        left, right, _ = _SHAPES.get(box.kind, _TASK)
        lines.append(f"    n{index}{left}{_mermaid(_caption(box))}{right}")
    for link in view.links:
        arrow = "-.->" if link.is_wait else "-->"
        label = "" if link.is_wait or not link.label else f"|{_mermaid(link.label)}|"
        lines.append(f"    n{link.source} {arrow}{label} n{link.target}")
    for status in sorted({box.status for box in view.boxes if box.status}):
        style = style_of(status)
        word = style.word.lower().replace(" ", "_")
        members = ",".join(f"n{index}" for index, box in enumerate(view.boxes) if box.status == status)
        lines += [
            f"    classDef {word} fill:{style.fill},stroke:{style.stroke},color:#1b1f24",
            f"    class {members} {word}",
        ]
    return "\n".join([*lines, *_hidden(view, "    %% ")]) + "\n"


def dot_text(run: Run) -> str:
    """A directed graph for Graphviz."""
    view = outline(run.graph, run.statuses())
    lines = [
        f"digraph {_quoted(run.name or 'workflow')} {{",
        '    node [fontname="sans-serif" fontsize=11 style="filled,rounded" fillcolor="#f4f6f9" color="#5b6675"];',
        '    edge [fontname="sans-serif" fontsize=9 color="#8a919c"];',
    ]
    for index, box in enumerate(view.boxes):
        shape = _SHAPES.get(box.kind, _TASK)[2]
        style = style_of(box.status) if box.status else None
        colours = f" fillcolor={_quoted(style.fill)} color={_quoted(style.stroke)}" if style else ""
        lines.append(f"    n{index} [label={_quoted(_caption(box))} shape={shape}{colours}];")
    for link in view.links:
        marks = " style=dashed" if link.is_wait else f" label={_quoted(link.label)}" if link.label else ""
        lines.append(f"    n{link.source} -> n{link.target}{f' [{marks.strip()}]' if marks else ''};")
    return "\n".join([*lines, *_hidden(view, "    // "), "}"]) + "\n"


def _caption(box: Box) -> str:
    return f"{box.caption}: {style_of(box.status).word}" if box.status else box.caption


def _hidden(view: Outline, comment: str) -> Sequence[str]:
    return [f"{comment}and {view.hidden} more nodes"] if view.hidden else []


def _mermaid(text: str) -> str:
    """Quoted, and with everything that means something to Mermaid or to the page it is put on as a character code."""
    return (
        '"'
        + "".join(letter if letter.isalnum() or letter in " _-.,:×…" else f"#{ord(letter)};" for letter in text)
        + '"'
    )


def _quoted(text: str) -> str:
    """A string of Graphviz, whose only escapes are those of the quote and of the backslash."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
