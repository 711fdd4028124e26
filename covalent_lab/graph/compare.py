"""Two graphs compared: which nodes of the new one are those of the old one, with everything they depend on.

Functions, sublattices and options are not compared: a function that was stored and loaded again pickles to other bytes,
and what was replaced on purpose is told by who replaced it.
"""

from collections import Counter, deque
from collections.abc import Collection, Sequence

from covalent_lab.graph.model import Edge, Graph, Node, NodeKind
from covalent_lab.graph.topology import predecessors, topological_order
from covalent_lab.ids import NodeId

__all__ = ["matched_nodes", "reusable_nodes", "unchanged_nodes"]


def unchanged_nodes(old: Graph, new: Graph, replaced: Collection[int] = ()) -> frozenset[NodeId]:
    """Nodes of the new graph that match the old one's, and whose ancestors all do.

    Two nodes match when id, name, kind, the value of a parameter and the incoming edges are equal.

    Args:
        old: The graph that was run.
        new: The graph that is to be run.
        replaced: Nodes of the new graph with another function, which match nothing.

    Raises:
        GraphBuildError: The new graph has a cycle.
    """
    edges_before, edges_now = _incoming(old), _incoming(new)
    sublattices = {edge.source for edge in new.edges if _hands_sublattice(new, edge)}
    matching = {
        node.id
        for node, before in zip(new.nodes, old.nodes, strict=False)
        if node.id not in replaced
        and (node.name, node.kind) == (before.name, before.kind)
        and (node.value == before.value or node.id in sublattices)
        and edges_now[node.id] == edges_before[node.id]
    }
    return _closed(new, matching)


def reusable_nodes(
    old: Graph, new: Graph, completed: Collection[int], replaced: Collection[int] = ()
) -> frozenset[NodeId]:
    """Nodes whose outcome in the old graph is what they would come to in the new one; parameters are left out.

    Args:
        old: The graph that was run.
        new: The graph that is to be run.
        completed: Nodes of the old graph that completed.
        replaced: Nodes of the new graph with another function.

    Raises:
        GraphBuildError: The new graph has a cycle.
    """
    parameters = {node.id for node in new.nodes if node.kind is NodeKind.PARAMETER}
    unchanged = unchanged_nodes(old, new, replaced)
    return _closed(new, {node for node in unchanged if node in parameters or node in completed}) - parameters


def matched_nodes(left: Graph, right: Graph) -> Sequence[tuple[Node | None, Node | None]]:
    """Nodes of two graphs side by side, whatever they are: the first of a name beside the first of that name.

    Returns:
        Pairs in the order of the left graph, then what only the right one has; None where a graph has no such node.
    """
    waiting: dict[tuple[str, NodeKind], deque[Node]] = {}
    for node in right.nodes:
        waiting.setdefault((node.name, node.kind), deque()).append(node)
    pairs: list[tuple[Node | None, Node | None]] = []
    for node in left.nodes:
        found = waiting.get((node.name, node.kind))
        pairs.append((node, found.popleft() if found else None))
    rest = sorted((node for found in waiting.values() for node in found), key=lambda node: node.id)
    return [*pairs, *((None, node) for node in rest)]


def _hands_sublattice(graph: Graph, edge: Edge) -> bool:
    """Whether the edge's source is the workflow that its target, a sublattice node, runs."""
    kinds = graph.nodes[edge.source].kind, graph.nodes[edge.target].kind
    return edge.arg_index == 0 and kinds == (NodeKind.PARAMETER, NodeKind.SUBLATTICE)


def _incoming(graph: Graph) -> Sequence[Counter[Edge]]:
    """Edges by target; their order does not matter, their number does."""
    edges: list[Counter[Edge]] = [Counter() for _ in graph.nodes]
    for edge in graph.edges:
        edges[edge.target][edge] += 1
    return edges


def _closed(graph: Graph, nodes: Collection[NodeId]) -> frozenset[NodeId]:
    """Those of the nodes whose ancestors are all among them."""
    before = predecessors(graph)
    kept: set[NodeId] = set()
    for node in topological_order(graph):
        if node in nodes and kept.issuperset(before[node]):
            kept.add(node)
    return frozenset(kept)
