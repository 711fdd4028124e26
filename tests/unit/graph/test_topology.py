"""Order, ancestors, cycles and the critical path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covalent_lab.errors import GraphBuildError
from covalent_lab.graph.model import Edge, Graph, Node, NodeKind, ParamType
from covalent_lab.graph.topology import (
    ancestors,
    critical_path,
    descendants,
    find_cycle,
    predecessors,
    successors,
    topological_order,
)
from covalent_lab.ids import NodeId


def graph(count: int, pairs: list[tuple[int, int]]) -> Graph:
    """A graph of `count` nodes with these edges."""
    return Graph(
        nodes=tuple(Node(id=NodeId(i), name=f"n{i}", kind=NodeKind.FUNCTION) for i in range(count)),
        edges=tuple(Edge(source=NodeId(a), target=NodeId(b), name="x", param_type=ParamType.WAIT) for a, b in pairs),
    )


DIAMOND = graph(5, [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (0, 3)])


def test_neighbours_are_listed_once() -> None:
    """However many edges join two nodes."""
    assert successors(DIAMOND) == [[1, 2, 3], [3], [3], [], []]
    assert predecessors(DIAMOND) == [[], [0], [0], [0, 1, 2], []]


def test_relatives_are_found_at_any_distance() -> None:
    """Without the start itself."""
    assert ancestors(DIAMOND, [3]) == {0, 1, 2}
    assert descendants(DIAMOND, [0]) == {1, 2, 3}
    assert ancestors(DIAMOND, [4]) == descendants(DIAMOND, []) == frozenset()


def test_the_critical_path_takes_longest() -> None:
    """Unknown durations count as nothing."""
    assert critical_path(DIAMOND, {NodeId(0): 1.0, NodeId(1): 5.0, NodeId(2): 2.0, NodeId(3): 1.0}) == (0, 1, 3)
    assert critical_path(DIAMOND, {NodeId(4): 9.0}) == (4,)
    assert critical_path(graph(0, []), {}) == ()


def test_a_cycle_is_reported_with_names() -> None:
    """In the order in which its nodes wait."""
    cyclic = graph(5, [(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)])
    cycle = find_cycle(cyclic)
    assert cycle is not None
    assert sorted(cycle) == [1, 2, 3]
    steps = set(zip(cycle, (*cycle[1:], cycle[0]), strict=True))
    assert steps <= {(edge.source, edge.target) for edge in cyclic.edges}
    with pytest.raises(GraphBuildError, match=r"cycle: .*\(n1\)"):
        topological_order(cyclic)
    with pytest.raises(GraphBuildError):
        critical_path(cyclic, {})
    assert find_cycle(graph(1, [(0, 0)])) == (0,)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_either_there_is_an_order_or_a_cycle(case: tuple[int, list[tuple[int, int]]]) -> None:
    """Every node after all it waits for; or a chain that closes."""
    made = graph(*case)
    cycle = find_cycle(made)
    if cycle is None:
        place = {node: i for i, node in enumerate(topological_order(made))}
        assert sorted(place) == list(range(case[0]))
        assert all(place[edge.source] < place[edge.target] for edge in made.edges)
    else:
        assert set(zip(cycle, (*cycle[1:], cycle[0]), strict=True)) <= set(case[1])
