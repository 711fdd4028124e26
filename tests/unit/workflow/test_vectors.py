"""The documented examples of graph building hold exactly."""

import copy
from collections import Counter

import pytest

from covalent_lab.graph.model import Graph, NodeKind, ParamType
from covalent_lab.workflow.lattice import Lattice
from tests.unit.workflow.interpreter import evaluate
from tests.unit.workflow.vectors import VECTORS, Vector

ALL = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector.number))


def written(graph: Graph) -> Counter[str]:
    """Edges in the notation of the vectors."""
    lines: Counter[str] = Counter()
    for edge in graph.edges:
        line = f"{edge.source}>{edge.target} "
        if edge.param_type is ParamType.WAIT:
            assert edge.name == "!waiting_edge"
            line += "w"
        else:
            line += f"{edge.name}/{edge.param_type}" + ("" if edge.arg_index is None else f"/{edge.arg_index}")
        lines[line] += 1
    return lines


@ALL
def test_nodes_and_edges_are_exactly_those_documented(vector: Vector) -> None:
    """Ids, names and every edge, none more and none less."""
    graph = vector.build().graph
    names = [node.name for node in graph.nodes]
    expected = [name if wanted == "*" else wanted for name, wanted in zip(names, vector.nodes, strict=True)]
    assert names == expected
    assert [node.id for node in graph.nodes] == list(range(len(names)))
    assert written(graph) == Counter(vector.edges)


@ALL
def test_kinds_agree_with_names(vector: Vector) -> None:
    """Each name prefix has its kind; only parameters hold values, only they and postprocessing run nothing."""
    prefixes = {
        ":parameter:": NodeKind.PARAMETER,
        ":electron_list:": NodeKind.ELECTRON_LIST,
        ":electron_dict:": NodeKind.ELECTRON_DICT,
        ":sublattice:": NodeKind.SUBLATTICE,
        ":postprocess:": NodeKind.POSTPROCESS,
    }
    for node in vector.build().graph.nodes:
        kind = next((kind for prefix, kind in prefixes.items() if node.name.startswith(prefix)), NodeKind.FUNCTION)
        assert node.kind is kind
        assert (node.value is not None) == (kind is NodeKind.PARAMETER)
        assert (node.function is None) == (kind in (NodeKind.PARAMETER, NodeKind.POSTPROCESS))
        assert node.task_group == node.id


@ALL
def test_packing_changes_groups_only(vector: Vector) -> None:
    """Same nodes and edges; parameters and sublattices stay on their own, and so does what is made around these."""
    plain, packed = vector.build().graph, vector.build()
    packed.task_packing = True
    packed.build_graph(*vector.args)
    graph = packed.graph
    assert [node.name for node in graph.nodes if "Lattice" not in node.name] == [
        node.name for node in plain.nodes if "Lattice" not in node.name
    ]
    assert written(graph) == written(plain)
    for node in graph.nodes:
        if node.kind in (NodeKind.PARAMETER, NodeKind.SUBLATTICE, NodeKind.POSTPROCESS):
            assert node.task_group == node.id
        head = graph.nodes[node.task_group]
        assert node.task_group == node.id or (head.kind, head.task_group) in (
            (NodeKind.FUNCTION, head.id),
            (NodeKind.POSTPROCESS, head.id),
        )


@ALL
def test_evaluating_the_graph_gives_what_plain_python_gives(vector: Vector) -> None:
    """The graph computes the workflow."""
    built = vector.build()
    assert evaluate(built.graph, built.payloads) == built(*vector.args)


@ALL
def test_every_payload_the_graph_refers_to_is_there(vector: Vector) -> None:
    """No reference dangles and nothing is stored that is not used."""
    built = vector.build()
    used = {node.value for node in built.graph.nodes if node.value}
    used |= {function.payload for function in built.graph.functions}
    assert set(built.payloads) == used
    assert all(len(encoded.tobytes()) == ref.size for ref, encoded in built.payloads.items())


@ALL
def test_a_built_lattice_survives_json(vector: Vector) -> None:
    """Graph, payloads and inputs come back equal."""
    built = vector.build()
    back = Lattice.deserialize_from_json(built.serialize_to_json())
    assert back.graph == built.graph
    assert evaluate(back.graph, back.payloads) == built(*vector.args)
    assert back.inputs == built.inputs
    assert back.metadata == built.metadata


@ALL
def test_building_again_gives_the_same_graph(vector: Vector) -> None:
    """Nothing is carried over from one build to the next, nor to a copy."""
    built = vector.build()
    first = built.graph
    built.build_graph(*vector.args)
    other = copy.deepcopy(built)
    other.build_graph(*vector.args)
    names = [node.name for node in first.nodes if "Lattice" not in node.name]
    assert [node.name for node in built.graph.nodes if "Lattice" not in node.name] == names
    assert built.graph.edges == first.edges == other.graph.edges
