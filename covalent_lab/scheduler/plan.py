"""What the scheduler keeps of a graph: counts and successor lists, no names of functions, no payloads."""

from collections.abc import Sequence
from dataclasses import dataclass

from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Graph, NodeKind

__all__ = ["DEFAULT_LIMIT", "NodePolicy", "Plan", "make_plan"]

DEFAULT_LIMIT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePolicy:
    """How the nodes with one set of options are treated.

    Attributes:
        executor: Short name; the lane the node waits in.
        retries: How many further attempts a failed one gets.
        time_limit_s: Longest run of one attempt in seconds; None for no limit.
        max_in_flight: How many nodes the executor gets at a time, of all dispatches together.
    """

    executor: str = "local"
    retries: int = 0
    time_limit_s: float | None = None
    max_in_flight: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A graph as the scheduler needs it.

    Attributes:
        names: Node names, for the error text of a failed dispatch.
        is_parameter: Nodes that are complete from the start.
        passes_on: For nodes that only hand on one input: that input's node id; else -1.
        successors: For each node the nodes fed by it, once per edge.
        waits_for: For each node the number of edges from nodes that are not parameters.
        policy: For each node its policy.
    """

    names: Sequence[str]
    is_parameter: Sequence[bool]
    passes_on: Sequence[int]
    successors: Sequence[Sequence[int]]
    waits_for: Sequence[int]
    policy: Sequence[NodePolicy]

    @property
    def total(self) -> int:
        """Number of nodes that have a state of their own."""
        return len(self.names) - sum(self.is_parameter)


def make_plan(graph: Graph, policies: Sequence[NodePolicy]) -> Plan:
    """Reduce a graph to what scheduling needs.

    Args:
        graph: The workflow.
        policies: One for each entry of `graph.options`.

    Raises:
        UsageError: The graph has a cycle, or a node without anything to run.
    """
    count = len(graph.nodes)
    is_parameter = [node.kind is NodeKind.PARAMETER for node in graph.nodes]
    successors: list[list[int]] = [[] for _ in range(count)]
    waits_for = [0] * count
    passes_on = [-1] * count
    for edge in graph.edges:
        source, target = edge.source, edge.target
        if graph.nodes[target].kind is NodeKind.POSTPROCESS and edge.name == "retval":
            passes_on[target] = source
        if is_parameter[source]:
            continue
        successors[source].append(target)
        waits_for[target] += 1
    for node in graph.nodes:
        if node.kind is NodeKind.POSTPROCESS and node.function is None:
            if passes_on[node.id] < 0:
                raise UsageError(f"Node {node.id} ({node.name}) has nothing to pass on.")
        else:
            passes_on[node.id] = -1
            if node.kind is not NodeKind.PARAMETER and node.function is None:
                raise UsageError(f"Node {node.id} ({node.name}) has no function.")
    _check_acyclic(successors, waits_for)
    return Plan(
        names=[node.name for node in graph.nodes],
        is_parameter=is_parameter,
        passes_on=passes_on,
        successors=successors,
        waits_for=waits_for,
        policy=[policies[node.options] for node in graph.nodes],
    )


def _check_acyclic(successors: Sequence[Sequence[int]], waits_for: Sequence[int]) -> None:
    waiting = list(waits_for)
    ready = [node for node, number in enumerate(waiting) if number == 0]
    seen = 0
    while ready:
        node = ready.pop()
        seen += 1
        for target in successors[node]:
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    if seen != len(waiting):
        stuck = [node for node, number in enumerate(waiting) if number][:5]
        raise UsageError(f"The graph has a cycle; nodes {stuck} wait for each other.")
