"""The graph as introspection code sees it."""

import datetime

import pytest

from covalent_lab.workflow.electron import BoundElectron, electron
from covalent_lab.workflow.lattice import Lattice, lattice
from covalent_lab.workflow.transport_graph import _TransportGraph
from covalent_lab.workflow.transportable import TransportableObject


@electron
def add(a, b):
    return a + b


@pytest.fixture
def built() -> Lattice:
    """A small built lattice."""
    made = lattice(lambda: add(1, [2, add(3, 4)]), executor="fake")
    made.build_graph()
    return made


def test_nodes_and_edges_are_those_of_the_graph(built: Lattice) -> None:
    """With the documented attributes."""
    graph = built.transport_graph
    node = graph._graph.nodes[0]
    assert (node["name"], node["task_group_id"], node["status"]) == ("add", 0, "NEW_OBJECT")
    assert node["metadata"] == {"executor": "fake", "executor_data": {}, "hooks": {}}
    assert node["function"].get_deserialized()(1, 2) == 3
    assert "return a + b" in node["function_string"]
    assert graph.get_node_value(1, "value").get_deserialized() == 3
    assert graph.get_node_value(1, "output") == graph.get_node_value(1, "value")
    assert graph.get_dependencies(0) == [1, 2]
    assert graph.get_edge_data(1, 0) == {0: {"edge_name": "a", "param_type": "arg", "arg_index": 0}}
    assert graph.get_edge_data(0, 7) == {0: {"edge_name": "!waiting_edge"}}
    assert graph.lattice_metadata == built.manifest_metadata()
    assert built.transport_graph is graph


def test_unknown_nodes_and_keys_are_key_errors(built: Lattice) -> None:
    """For reading and writing."""
    graph = built.transport_graph
    for node, key in ((99, "name"), (0, "colour")):
        with pytest.raises(KeyError):
            graph.get_node_value(node, key)
        with pytest.raises(KeyError):
            graph.set_node_value(node, key, 1)


def test_resetting_restores_run_time_attributes(built: Lattice) -> None:
    """Of one node, or of everything."""
    graph = built.transport_graph
    graph.set_node_value(0, "status", "FAILED")
    graph.reset_node(0)
    assert graph.get_node_value(0, "status") == "NEW_OBJECT"
    graph.reset_node(1)
    assert graph.get_node_value(1, "output").get_deserialized() == 3
    copied = graph.get_internal_graph_copy()
    graph.reset()
    assert (len(graph._graph), len(copied)) == (0, 8)


@pytest.mark.parametrize("is_binary", [False, True])
def test_serialised_graphs_come_back_equal(built: Lattice, is_binary: bool) -> None:
    """As JSON text and as bytes, times included."""
    graph = built.transport_graph
    graph.set_node_value(0, "start_time", datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC))
    twin = _TransportGraph()
    if is_binary:
        twin.deserialize(graph.serialize())
    else:
        twin.deserialize_from_json(graph.serialize_to_json())
    assert dict(twin._graph.nodes(data=True)) == dict(graph._graph.nodes(data=True))
    assert list(twin._graph.edges(keys=True, data=True)) == list(graph._graph.edges(keys=True, data=True))
    assert twin.lattice_metadata == graph.lattice_metadata


def test_metadata_only_leaves_functions_and_values_out(built: Lattice) -> None:
    """What is left is small and harmless."""
    twin = _TransportGraph()
    twin.deserialize(built.transport_graph.serialize(metadata_only=True))
    for _, node in twin._graph.nodes(data=True):
        assert not {"function", "function_string", "value", "output"} & set(node)


def test_an_unbuilt_lattice_shows_an_empty_graph_or_one_made_by_hand() -> None:
    """The constructor takes one."""
    assert len(lattice(lambda: 1).transport_graph._graph) == 0
    graph = _TransportGraph()
    graph.add_node("task", add, {})
    assert Lattice(lambda: 1, graph).transport_graph is graph


def test_arguments_can_be_added_by_hand() -> None:
    """The documented methods of an electron work on such a graph."""
    graph = _TransportGraph()
    node = graph.add_node("task", add, {})
    made = add.electron_object
    made.connect_node_with_others(node, "a", {"k": [1, 2]}, "arg", 0, graph)
    made.connect_node_with_others(node, "b", 5, "kwarg", None, graph)
    names = [name for _, name in graph._graph.nodes(data="name")]
    assert names == [
        "task",
        ":electron_dict:",
        ":electron_list:",
        ":parameter:k",
        ":electron_list:",
        ":electron_list:",
        ":parameter:1",
        ":parameter:2",
        ":parameter:5",
    ]
    assert graph.get_edge_data(8, 0) == {0: {"edge_name": "b", "param_type": "kwarg", "arg_index": None}}
    assert graph.get_node_value(8, "value") == TransportableObject(5)


def test_results_in_arguments_become_edges_of_a_graph_made_by_hand() -> None:
    """A future value is known by its node."""
    graph = _TransportGraph()
    seen: list[BoundElectron] = []
    lattice(lambda: seen.append(add(1, 2))).build_graph()
    graph.add_node("first", None, {})
    node = graph.add_node("second", add, {})
    add.electron_object.connect_node_with_others(node, "a", seen[0], "arg", 0, graph)
    assert graph.get_dependencies(node) == [0]
