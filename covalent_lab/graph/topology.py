"""Questions about the shape of a graph: order, ancestors, cycles, the critical path.

Pure functions over `Graph`; each walks the edges a constant number of times.
"""

from collections.abc import Iterable, Mapping, Sequence

from covalent_lab.errors import GraphBuildError
from covalent_lab.graph.model import Graph
from covalent_lab.ids import NodeId

__all__ = ["ancestors", "critical_path", "descendants", "find_cycle", "predecessors", "successors", "topological_order"]


def predecessors(graph: Graph) -> list[list[NodeId]]:
    """For each node, the distinct nodes it waits for, ascending."""
    found: list[set[NodeId]] = [set() for _ in graph.nodes]
    for edge in graph.edges:
        found[edge.target].add(edge.source)
    return [sorted(ids) for ids in found]


def successors(graph: Graph) -> list[list[NodeId]]:
    """For each node, the distinct nodes that wait for it, ascending."""
    found: list[set[NodeId]] = [set() for _ in graph.nodes]
    for edge in graph.edges:
        found[edge.source].add(edge.target)
    return [sorted(ids) for ids in found]


def topological_order(graph: Graph) -> list[NodeId]:
    """All nodes, each after everything it waits for.

    Raises:
        GraphBuildError: The graph has a cycle.
    """
    after = successors(graph)
    order = _settled(graph, after)
    if len(order) != len(graph.nodes):
        cycle = find_cycle(graph) or ()
        path = " → ".join(f"{node} ({graph.nodes[node].name})" for node in (*cycle, *cycle[:1]))
        raise GraphBuildError(f"The graph has a cycle: {path}. Remove one of these dependencies.")
    return order


def find_cycle(graph: Graph) -> tuple[NodeId, ...] | None:
    """The nodes of one cycle, each waiting for the one before it (the first for the last); None if there is none."""
    after = successors(graph)
    unsettled = set(range(len(graph.nodes))) - set(_settled(graph, after))
    if not unsettled:
        return None
    before = predecessors(graph)
    path: list[NodeId] = []
    place: dict[NodeId, int] = {}
    node = NodeId(min(unsettled))
    while node not in place:
        place[node] = len(path)
        path.append(node)
        node = next(source for source in before[node] if source in unsettled)
    return tuple(reversed(path[place[node] :]))


def ancestors(graph: Graph, targets: Iterable[int]) -> frozenset[NodeId]:
    """Everything the targets depend on, without the targets themselves unless they depend on each other."""
    return _reachable(predecessors(graph), targets)


def descendants(graph: Graph, sources: Iterable[int]) -> frozenset[NodeId]:
    """Everything that depends on the sources."""
    return _reachable(successors(graph), sources)


def critical_path(graph: Graph, durations_s: Mapping[NodeId, float]) -> tuple[NodeId, ...]:
    """The chain of dependencies that takes longest; nodes without a duration count as instantaneous.

    Raises:
        GraphBuildError: The graph has a cycle.
    """
    if not graph.nodes:
        return ()
    before = predecessors(graph)
    total: dict[NodeId, float] = {}
    came_from: dict[NodeId, NodeId | None] = {}
    for node in topological_order(graph):
        best = max(before[node], key=lambda source: (total[source], -source), default=None)
        came_from[node] = best
        total[node] = durations_s.get(node, 0.0) + (0.0 if best is None else total[best])
    step: NodeId | None = max(total, key=lambda node: (total[node], node))
    path: list[NodeId] = []
    while step is not None:
        path.append(step)
        step = came_from[step]
    return tuple(reversed(path))


def _settled(graph: Graph, after: Sequence[Sequence[NodeId]]) -> list[NodeId]:
    waiting = [0] * len(graph.nodes)
    for targets in after:
        for target in targets:
            waiting[target] += 1
    order = [NodeId(i) for i, count in enumerate(waiting) if count == 0]
    for node in order:  # grows while it is read
        for target in after[node]:
            waiting[target] -= 1
            if waiting[target] == 0:
                order.append(target)
    return order


def _reachable(neighbours: Sequence[Sequence[NodeId]], starts: Iterable[int]) -> frozenset[NodeId]:
    found: set[NodeId] = set()
    stack = list(starts)
    while stack:
        for neighbour in neighbours[stack.pop()]:
            if neighbour not in found:
                found.add(neighbour)
                stack.append(neighbour)
    return frozenset(found)
