"""What the scheduler keeps of a graph: counts and successor lists, no names of functions, no payloads."""

from collections.abc import Sequence
from dataclasses import dataclass

from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Graph, Node, NodeKind

__all__ = ["DEFAULT_LIMIT", "NodePolicy", "Plan", "make_plan"]

DEFAULT_LIMIT = 256

_STEPS = frozenset({NodeKind.FUNCTION, NodeKind.ELECTRON_LIST, NodeKind.ELECTRON_DICT})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePolicy:
    """How the nodes with one set of options are treated.

    Attributes:
        executor: Short name; the lane the node waits in.
        retries: How many further attempts a failed one gets.
        time_limit_s: Longest run of one attempt in seconds; None for no limit.
        max_in_flight: How many jobs the executor gets at a time, of all dispatches together.
        packs: Whether the executor runs several nodes of one task group as one job.
    """

    executor: str = "local"
    retries: int = 0
    time_limit_s: float | None = None
    max_in_flight: int = DEFAULT_LIMIT
    packs: bool = False


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
        group: For each node the group whose nodes may share a job with it; -1 if it travels alone.
        leads: For each node whether another node of its group is fed by it.
        kin: For each node a number shared by those that may follow it in its job unasked; -1 if it travels alone.
        function: For each node a number shared by those that call the same function; -1 if it calls none.
    """

    names: Sequence[str]
    is_parameter: Sequence[bool]
    passes_on: Sequence[int]
    successors: Sequence[Sequence[int]]
    waits_for: Sequence[int]
    policy: Sequence[NodePolicy]
    group: Sequence[int]
    leads: Sequence[bool]
    kin: Sequence[int]
    function: Sequence[int]

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
    policy = [policies[node.options] for node in graph.nodes]
    group = _groups(graph, policy)
    return Plan(
        names=[node.name for node in graph.nodes],
        is_parameter=is_parameter,
        passes_on=passes_on,
        successors=successors,
        waits_for=waits_for,
        policy=policy,
        group=group,
        leads=[g >= 0 and any(group[target] == g for target in successors[n]) for n, g in enumerate(group)],
        kin=[
            node.options if group[node.id] < 0 and policy[node.id].packs and _can_be_step(graph, node) else -1
            for node in graph.nodes
        ],
        function=[-1 if node.function is None else node.function for node in graph.nodes],
    )


def _groups(graph: Graph, policy: Sequence[NodePolicy]) -> list[int]:
    """The groups that are of use: nodes with one task group and policy that can be steps of a job."""
    group = [-1] * len(graph.nodes)
    shared = {node.task_group for node in graph.nodes if node.task_group not in (node.id, -1)}
    members: dict[tuple[int, NodePolicy], list[int]] = {}
    for node in graph.nodes if shared else ():
        own = policy[node.id]
        if node.task_group in shared and own.packs and _can_be_step(graph, node):
            members.setdefault((node.task_group, own), []).append(node.id)
    for nodes in members.values():
        if len(nodes) > 1:
            for number in nodes:
                group[number] = nodes[0]
    return group


def _can_be_step(graph: Graph, node: Node) -> bool:
    """Whether a node can share a job with others.

    Sublattices become dispatches of their own. A node with hooks travels alone, because these may leave its process in
    a state that only it can bear; and so does one whose result may be cached, because that need not run at all.
    """
    is_cached = node.function is not None and graph.functions[node.function].cache_key
    return node.kind in _STEPS and not is_cached and not graph.options[node.options].hooks


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
