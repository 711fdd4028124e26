"""Which nodes of one graph are those of another."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from covalent_lab.graph.compare import matched_nodes, reusable_nodes, unchanged_nodes
from covalent_lab.graph.model import Graph, NodeKind
from covalent_lab.graph.topology import ancestors, descendants, predecessors
from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.testing.graphs import graphs, make_graph

OTHER = PayloadRef("c" * 40, 9)
# 0 and 1 are values; 2 takes 0, 3 takes 1, 4 takes 2 and 3
TWO = make_graph(5, [(0, 2), (1, 3), (2, 4), (3, 4)], parameters={0, 1})


def changed(graph: Graph, node: int, **fields: object) -> Graph:
    """The graph with another node in this place."""
    nodes = list(graph.nodes)
    nodes[node] = nodes[node]._replace(**fields)  # type: ignore[arg-type]
    return replace(graph, nodes=tuple(nodes))


def test_a_changed_parameter_changes_what_depends_on_it() -> None:
    """And nothing else."""
    assert unchanged_nodes(TWO, changed(TWO, 0, value=OTHER)) == {1, 3}


def test_names_and_kinds_must_be_equal() -> None:
    """Whatever the node's inputs."""
    assert unchanged_nodes(TWO, changed(TWO, 2, name="another")) == {0, 1, 3}
    assert unchanged_nodes(TWO, changed(TWO, 2, kind=NodeKind.ELECTRON_LIST)) == {0, 1, 3}


def test_edges_must_be_equal_but_not_their_order() -> None:
    """An edge more, or one with another name, is a change of its target."""
    assert unchanged_nodes(TWO, replace(TWO, edges=TWO.edges[::-1])) == {0, 1, 2, 3, 4}
    assert unchanged_nodes(TWO, replace(TWO, edges=(*TWO.edges, TWO.edges[0]))) == {0, 1, 3}
    renamed = (TWO.edges[0]._replace(name="y"), *TWO.edges[1:])
    assert unchanged_nodes(TWO, replace(TWO, edges=renamed)) == {0, 1, 3}


def test_functions_and_options_do_not_matter_unless_replaced() -> None:
    """They pickle to other bytes when they were stored and loaded."""
    other = replace(TWO, functions=(replace(TWO.functions[0], payload=OTHER),))
    assert unchanged_nodes(TWO, other) == {0, 1, 2, 3, 4}
    assert unchanged_nodes(TWO, other, replaced={3}) == {0, 1, 2}


def test_the_workflow_of_a_sublattice_counts_as_a_function() -> None:
    """Its parameter is known by its place."""
    old = changed(make_graph(3, [(0, 2), (1, 2)], parameters={0, 1}), 2, kind=NodeKind.SUBLATTICE)
    assert unchanged_nodes(old, changed(old, 0, value=OTHER)) == {0, 1, 2}
    assert unchanged_nodes(old, changed(old, 1, value=OTHER)) == {0}


def test_only_what_completed_is_reusable() -> None:
    """With everything it depends on; parameters have no outcome."""
    assert reusable_nodes(TWO, TWO, {2, 4}) == {2}
    assert reusable_nodes(TWO, TWO, {2, 3, 4}) == {2, 3, 4}
    assert reusable_nodes(TWO, changed(TWO, 1, value=OTHER), {2, 3, 4}) == {2}


@given(graphs(), graphs(), st.data())
def test_what_is_reusable_is_closed_under_ancestors(old: Graph, new: Graph, data: st.DataObject) -> None:
    """Also for two graphs that have nothing to do with each other; every reusable node completed and is unchanged."""
    completed = data.draw(st.sets(st.integers(0, 9)))
    replaced = data.draw(st.sets(st.integers(0, 9)))
    unchanged = unchanged_nodes(old, new, replaced)
    reusable = reusable_nodes(old, new, completed, replaced)
    parameters = {node.id for node in new.nodes if node.kind is NodeKind.PARAMETER}
    before = predecessors(new)
    assert all(unchanged.issuperset(before[node]) for node in unchanged)
    assert all((reusable | parameters).issuperset(before[node]) for node in reusable)
    assert reusable <= unchanged & completed - replaced - parameters
    assert ancestors(new, unchanged) <= unchanged


@given(graphs(), st.data())
def test_a_change_reaches_its_descendants_and_no_others(graph: Graph, data: st.DataObject) -> None:
    """An equal graph is reusable as a whole."""
    node = NodeId(data.draw(st.integers(0, len(graph.nodes) - 1)))
    everything = frozenset(n.id for n in graph.nodes)
    assert unchanged_nodes(graph, graph) == everything
    assert unchanged_nodes(graph, graph, {node}) == everything - {node} - descendants(graph, [node])


def test_nodes_are_matched_by_name_and_order() -> None:
    """The second of a name stands beside the second of that name; what has no counterpart stands alone."""
    left, right = (
        changed(changed(changed(make_graph(4, []), 0, name=a), 1, name=b), 3, name="same")
        for a, b in (("x", "y"), ("y", "z"))
    )
    pairs = [tuple(node and node.id for node in pair) for pair in matched_nodes(left, right)]
    assert pairs == [(0, None), (1, 0), (2, 2), (3, 3), (None, 1)]


@given(graphs(), graphs())
def test_every_node_is_matched_once(left: Graph, right: Graph) -> None:
    """And a graph matches itself, node for node."""
    pairs = matched_nodes(left, right)
    assert [a for a, _ in pairs if a is not None] == list(left.nodes)
    assert sorted(b.id for _, b in pairs if b is not None) == [node.id for node in right.nodes]
    assert all(a is b for a, b in matched_nodes(left, left))
