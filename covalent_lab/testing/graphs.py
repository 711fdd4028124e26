"""Graphs for tests: a few fixed shapes, random ones from a seed, and a Hypothesis strategy.

Decides shapes only. The payload references in these graphs name nothing that exists; whoever runs such a graph for
real has to put functions in.
"""

from collections.abc import Collection, Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING

from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import NodeId, PayloadRef

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["chain", "fan", "graphs", "make_graph", "random_graph"]

_FUNCTION = Function(name="task", payload=PayloadRef("f" * 40, 1))
_VALUE = PayloadRef("a" * 40, 1)


def make_graph(
    count: int,
    edges: Iterable[tuple[int, int]],
    *,
    parameters: Collection[int] = (),
    identity: int | None = None,
    lanes: Sequence[str] = ("local",),
    lane_of: Sequence[int] = (),
    group_of: Sequence[int] = (),
    function: PayloadRef | None = None,
    value: PayloadRef | None = None,
) -> Graph:
    """A graph from pairs of node numbers.

    Args:
        count: Number of nodes.
        edges: Pairs (source, target); a pair may occur more than once.
        parameters: Nodes that are values.
        identity: A postprocess node that hands on its first input; it needs at least one edge.
        lanes: Names of executors, one for each entry of `Graph.options`.
        lane_of: For each node an index into `lanes`; all 0 if empty.
        group_of: For each node its task group; its own if empty.
        function: Payload of the one function; a made-up reference if None.
        value: Payload of every parameter; a made-up reference if None.
    """
    numbers = list(edges)
    nodes = [
        Node(
            id=NodeId(i),
            name=_name(i, parameters, identity),
            kind=_kind(i, parameters, identity),
            function=None if i in parameters or i == identity else 0,
            value=(value or _VALUE) if i in parameters else None,
            options=lane_of[i] if lane_of else 0,
            task_group=group_of[i] if group_of else i,
        )
        for i in range(count)
    ]
    taken = [0] * count
    joined = []
    for source, target in numbers:
        place = taken[target]
        taken[target] += 1
        if target == identity:
            name, kind = ("retval", ParamType.ARG) if place == 0 else ("!waiting_edge", ParamType.WAIT)
        else:
            name, kind = f"arg[{place}]", ParamType.ARG
        joined.append(
            Edge(
                source=NodeId(source),
                target=NodeId(target),
                name=name,
                param_type=kind,
                arg_index=place if kind is ParamType.ARG else None,
            )
        )
    used = _FUNCTION if function is None else Function(name="task", payload=function)
    return Graph(
        nodes=tuple(nodes),
        edges=tuple(joined),
        functions=(used,),
        options=tuple(NodeOptions(executor=lane) for lane in lanes),
    )


def _name(node: int, parameters: Collection[int], identity: int | None) -> str:
    if node in parameters:
        return f":parameter:{node}"
    return ":postprocess:" if node == identity else f"task_{node}"


def _kind(node: int, parameters: Collection[int], identity: int | None) -> NodeKind:
    if node in parameters:
        return NodeKind.PARAMETER
    return NodeKind.POSTPROCESS if node == identity else NodeKind.FUNCTION


def chain(count: int) -> Graph:
    """Nodes that follow one another."""
    return make_graph(count, [(i, i + 1) for i in range(count - 1)])


def fan(width: int) -> Graph:
    """One node that feeds `width` nodes, which all feed one last identity node."""
    last = width + 1
    edges = [(0, i) for i in range(1, last)] + [(i, last) for i in range(1, last)]
    return make_graph(width + 2, edges, identity=last)


def random_graph(rng: Random, count: int, *, degree: float = 2.0, lanes: Sequence[str] = ("local",)) -> Graph:
    """A random acyclic graph, the same for the same seed.

    Args:
        rng: Source of randomness.
        count: Number of nodes.
        degree: Mean number of inputs of a node.
        lanes: Names of executors the nodes are spread over.
    """
    edges = [
        (rng.randrange(target), target) for target in range(1, count) for _ in range(min(target, _spread(rng, degree)))
    ]
    return make_graph(count, edges, lanes=lanes, lane_of=[rng.randrange(len(lanes)) for _ in range(count)])


def _spread(rng: Random, mean: float) -> int:
    return int(rng.random() * (2 * mean + 1))


def graphs(*, max_nodes: int = 8, lanes: Sequence[str] = ("local", "other")) -> "SearchStrategy[Graph]":
    """Hypothesis strategy: acyclic graphs with parameters, repeated edges and task groups.

    Sometimes there is an identity node at the end.
    """
    from hypothesis import strategies as st  # optional: only tests have it

    @st.composite
    def build(draw: "DrawFn") -> Graph:
        count = draw(st.integers(1, max_nodes))
        edges = [
            (source, target)
            for target in range(1, count)
            for source in draw(st.lists(st.integers(0, target - 1), max_size=3))
        ]
        fed = {target for _, target in edges}
        parameters = {n for n in range(count) if n not in fed and draw(st.booleans())}
        identity = count - 1 if count - 1 in fed and draw(st.booleans()) else None
        lane_of = [draw(st.integers(0, len(lanes) - 1)) for _ in range(count)]
        group_of = [draw(st.integers(0, 2)) for _ in range(count)] if draw(st.booleans()) else ()
        return make_graph(
            count, edges, parameters=parameters, identity=identity, lanes=lanes, lane_of=lane_of, group_of=group_of
        )

    return build()
