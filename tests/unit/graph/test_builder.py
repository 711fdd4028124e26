"""The builder collects columns and freezes them."""

from covalent_lab.graph.builder import GraphBuilder
from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.graph.wire import graph_from_wire, graph_to_wire
from covalent_lab.ids import NodeId, PayloadRef

REF = PayloadRef("ab" * 20, 7)


def small() -> GraphBuilder:
    """A task with one parameter, waiting for another task."""
    builder = GraphBuilder(NodeOptions())
    function = builder.add_function(Function(name="f", payload=REF))
    builder.add_node("f", NodeKind.FUNCTION, function=function)
    builder.add_node(":parameter:1", NodeKind.PARAMETER, value=REF)
    builder.add_edge(1, 0, "x", ParamType.ARG, 0)
    builder.add_node(
        "f",
        NodeKind.FUNCTION,
        function=function,
        options=builder.add_options(NodeOptions(executor="far")),
        task_group=0,
    )
    builder.add_wait(0, 2)
    builder.add_wait(0, 2)
    return builder


def test_a_finished_graph_holds_what_was_added() -> None:
    """Ids are places, groups default to ids, a wait is added once."""
    assert small().finish() == Graph(
        nodes=(
            Node(id=NodeId(0), name="f", kind=NodeKind.FUNCTION, function=0, task_group=0),
            Node(id=NodeId(1), name=":parameter:1", kind=NodeKind.PARAMETER, value=REF, task_group=1),
            Node(id=NodeId(2), name="f", kind=NodeKind.FUNCTION, function=0, options=1, task_group=0),
        ),
        edges=(
            Edge(source=NodeId(1), target=NodeId(0), name="x", param_type=ParamType.ARG, arg_index=0),
            Edge(source=NodeId(0), target=NodeId(2), name="!waiting_edge", param_type=ParamType.WAIT),
        ),
        functions=(Function(name="f", payload=REF),),
        options=(NodeOptions(), NodeOptions(executor="far")),
    )


def test_a_finished_graph_survives_the_wire() -> None:
    """JSON columns and back."""
    graph = small().finish()
    assert graph_from_wire(graph_to_wire(graph)) == graph
    known = [PayloadRef("0" * 40, 3), *(node.value for node in graph.nodes if node.value is not None)]
    assert graph_from_wire(graph_to_wire(graph, known)) == graph


def test_equal_options_are_kept_once() -> None:
    """Whatever the order of their keys."""
    builder = GraphBuilder(NodeOptions())
    first = builder.add_options(NodeOptions(executor="a", hooks={"x": 1, "y": 2}))
    assert builder.add_options(NodeOptions(executor="a", hooks={"y": 2, "x": 1})) == first
    assert builder.add_options(NodeOptions(executor="a")) != first
    assert builder.add_options(NodeOptions()) == 0
    assert builder.options_at(first).hooks == {"x": 1, "y": 2}


def test_questions_while_building_are_answered() -> None:
    """Names, options, groups, and which nodes compute something."""
    builder = small()
    assert builder.computed_nodes() == [0, 2]
    assert (builder.name_of(1), builder.options_of(2), builder.task_group_of(2)) == (":parameter:1", 1, 0)
