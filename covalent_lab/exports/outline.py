"""What of a graph is worth showing in little space: boxes, levels and links, equal siblings folded into one box.

Decides labels, folding and order; knows nothing of coordinates, SVG or HTML.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from covalent_lab.graph.model import Edge, Graph, Node, NodeKind, ParamType
from covalent_lab.graph.topology import predecessors, successors, topological_order

__all__ = ["BOX_LIMIT", "LINK_LIMIT", "Box", "Link", "Outline", "label_of", "levels", "listing", "outline", "shorten"]

BOX_LIMIT = 300
LINK_LIMIT = 1200
_ROW_LIMIT = 40  # more boxes side by side are too small to read on a page
_LABEL_LENGTH = 28
_TITLE_LENGTH = 200
_PENDING = "NEW_OBJECT"
_ORDER = ("FAILED", "CANCELLED", "RUNNING", "STARTING", "DISPATCHING", _PENDING, "COMPLETED")
_PREFIXES = {
    NodeKind.PARAMETER: ":parameter:",
    NodeKind.SUBLATTICE: ":sublattice:",
}
_FIXED = {NodeKind.ELECTRON_LIST: "list", NodeKind.ELECTRON_DICT: "dict", NodeKind.POSTPROCESS: "result"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One node, or several equal ones at the same level.

    Attributes:
        label: Short text to show, without the count.
        title: Longer text for a tooltip.
        kind: Decides the shape.
        level: Longest way from a node without inputs.
        node_ids: What it stands for, at least one.
        statuses: How many of them have each status; empty for parameters and for graphs that do not run.
    """

    label: str
    title: str
    kind: NodeKind
    level: int
    node_ids: tuple[int, ...]
    statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def caption(self) -> str:
        """The label, with the count where there is more than one."""
        return self.label if len(self.node_ids) == 1 else f"{self.label} × {len(self.node_ids)}"

    @property
    def status(self) -> str:
        """The one status that matters most, or an empty string."""
        return next((status for status in _ORDER if self.statuses.get(status)), next(iter(self.statuses), ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One or more edges between two boxes (places in `Outline.boxes`)."""

    source: int
    target: int
    label: str = ""
    count: int = 1
    is_wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A drawable extract of a graph.

    Attributes:
        boxes: In order of level.
        links: Between the boxes.
        is_folded: Whether some box stands for more than one node.
        hidden: How many nodes are left out because there are too many different ones.
    """

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    is_folded: bool = False
    hidden: int = 0


def outline(graph: Graph, statuses: Mapping[int, str] | None = None, *, limit: int = BOX_LIMIT) -> Outline:
    """Extract what can be shown.

    Args:
        graph: Any graph; up to `limit` nodes are shown one by one, unless a level is too wide to read.
        statuses: Status of each node that left "pending"; None for a graph that does not run.
        limit: Largest number of boxes.
    """
    depth = levels(graph)
    widest = max(Counter(depth).values(), default=0)
    fold = len(graph.nodes) > limit or len(graph.edges) > LINK_LIMIT or widest > _ROW_LIMIT
    keys: dict[object, list[int]] = {}
    for node in graph.nodes:
        key = _family(graph, node, depth[node.id]) if fold else node.id
        keys.setdefault(key, []).append(node.id)
    groups = sorted(keys.values(), key=lambda ids: (depth[ids[0]], ids[0]))
    shown = groups[:limit]
    place = {node_id: index for index, ids in enumerate(shown) for node_id in ids}
    return Outline(
        boxes=tuple(_box(graph, ids, depth[ids[0]], statuses) for ids in shown),
        links=_links(graph.edges, place)[:LINK_LIMIT],
        is_folded=fold,
        hidden=sum(len(ids) for ids in groups[limit:]),
    )


def listing(graph: Graph, name: str, statuses: Mapping[int, str] | None = None, *, limit: int = 40) -> str:
    """The graph as text: one line a box, indented by level, with where its inputs come from."""
    view = outline(graph, statuses, limit=limit)
    tasks = sum(node.kind is not NodeKind.PARAMETER for node in graph.nodes)
    depth = max((box.level for box in view.boxes), default=-1) + 1
    lines = [
        f"{name}: {_count(tasks, 'task')}, {_count(len(graph.nodes) - tasks, 'parameter')}, "
        f"{_count(len(graph.edges), 'edge')}, {_count(depth, 'level')}"
    ]
    sources: dict[int, list[str]] = {}
    for link in view.links:
        source = view.boxes[link.source]
        text = f"after {_reference(source)}" if link.is_wait else _reference(source)
        if not (link.is_wait and view.boxes[link.target].kind is NodeKind.POSTPROCESS):
            sources.setdefault(link.target, []).append(text)
    for index, box in enumerate(view.boxes):
        if box.kind is NodeKind.PARAMETER:
            continue
        inputs = sources.get(index, [])
        taken = f" ← {', '.join(inputs[:6])}{', …' if len(inputs) > 6 else ''}" if inputs else ""
        state = f"  [{_states(box.statuses)}]" if box.statuses else ""
        lines.append(f"{'  ' * box.level}  {_reference(box)}{taken}{state}")
    if view.hidden:
        lines.append(f"  … and {_count(view.hidden, 'more node')}")
    return "\n".join(lines)


def levels(graph: Graph) -> Sequence[int]:
    """Longest way from a node without inputs, for each node; a parameter stands right before its first reader."""
    before, after = predecessors(graph), successors(graph)
    depth = [0] * len(graph.nodes)
    for node_id in topological_order(graph):
        depth[node_id] = max((depth[source] + 1 for source in before[node_id]), default=0)
    for node in graph.nodes:
        if node.kind is NodeKind.PARAMETER and after[node.id]:
            depth[node.id] = max(0, min(depth[reader] for reader in after[node.id]) - 1)
    return depth


def label_of(node: Node, *, length: int = _LABEL_LENGTH) -> str:
    """What to call a node where there is little room."""
    if node.kind in _FIXED:
        return _FIXED[node.kind]
    return shorten(node.name.removeprefix(_PREFIXES.get(node.kind, "")), length) or "''"


def shorten(text: str, length: int) -> str:
    """One printable line of at most `length` characters."""
    line = " ".join(text[: 4 * length].split())
    line = "".join(letter if letter.isprintable() else "�" for letter in line)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _family(graph: Graph, node: Node, level: int) -> tuple[object, ...]:
    label = "" if node.kind is NodeKind.PARAMETER else node.name
    return (node.kind, label, level, graph.options[node.options].executor)


def _box(graph: Graph, node_ids: Sequence[int], level: int, statuses: Mapping[int, str] | None) -> Box:
    node = graph.nodes[node_ids[0]]
    is_parameter = node.kind is NodeKind.PARAMETER
    label = "values" if is_parameter and len(node_ids) > 1 else label_of(node)
    counted: dict[str, int] = {}
    if statuses is not None and not is_parameter:
        counted = dict(Counter(statuses.get(node_id, _PENDING) for node_id in node_ids))
    name = label_of(node, length=_TITLE_LENGTH)
    where = f"node {node.id}" if len(node_ids) == 1 else f"{len(node_ids)} nodes"
    executor = "" if is_parameter else f", {graph.options[node.options].executor}"
    state = f"\n{_states(counted)}" if counted else ""
    return Box(
        label=label,
        title=f"{name} ({node.kind.value}, {where}{executor}){state}",
        kind=node.kind,
        level=level,
        node_ids=tuple(node_ids),
        statuses=counted,
    )


def _links(edges: Sequence[Edge], place: Mapping[int, int]) -> tuple[Link, ...]:
    """Links between boxes; edges that only repeat what the workflow's return value is made of are left out."""
    found: dict[tuple[int, int], list[Edge]] = {}
    for edge in edges:
        source, target = place.get(edge.source), place.get(edge.target)
        if source is not None and target is not None and source != target and not edge.name.startswith("node:"):
            found.setdefault((source, target), []).append(edge)
    return tuple(
        Link(
            source=source,
            target=target,
            label=shorten(group[0].name, 18) if len({edge.name for edge in group}) == 1 else "",
            count=len(group),
            is_wait=all(edge.param_type is ParamType.WAIT for edge in group),
        )
        for (source, target), group in found.items()
    )


def _reference(box: Box) -> str:
    if box.kind is NodeKind.PARAMETER:
        return box.caption
    return f"{box.label}({box.node_ids[0]})" if len(box.node_ids) == 1 else box.caption


def _states(statuses: Mapping[str, int]) -> str:
    parts = sorted(statuses.items(), key=lambda item: _ORDER.index(item[0]) if item[0] in _ORDER else -1)
    if len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0]
    return ", ".join(f"{count} {status}" for status, count in parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
