"""What there is to tell of a workflow, or of one run of it, with every value as a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from covalent_lab.graph.model import Edge, Graph, Node, NodeKind

__all__ = ["Attempt", "NodeRun", "Run", "Value", "by_target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A stored value, as it can be shown without loading it.

    Attributes:
        digest: Equal for equal bytes.
        size: Of the serialised value, in bytes.
        type: Name of its type.
        text: Its `str()`, shortened.
    """

    digest: str
    size: int
    type: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A try at a node that another one followed. Times are POSIX seconds.

    Attributes:
        number: From 1 on.
        started_at: None if nobody saw it begin.
    """

    number: int
    started_at: float | None
    ended_at: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRun:
    """How one node fared; of its attempts, times, error and usage are those of the last. Times are POSIX seconds.

    Attributes:
        earlier: The attempts before that, in order.
        sub_dispatch_id: The dispatch that it became.
        reused_from: `dispatch:node` whose output it took over.
        usage: What it used, see `executor.base.Usage`.
    """

    status: str = "NEW_OBJECT"
    attempt: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    error: str = ""
    output: Value | None = None
    sub_dispatch_id: str | None = None
    reused_from: str | None = None
    usage: Mapping[str, Any] | None = None
    earlier: Sequence[Attempt] = ()

    @property
    def runtime_s(self) -> float | None:
        """Seconds from start to end; None if it did not run to an end."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at

    @property
    def first_started_at(self) -> float | None:
        """When the first attempt began whose start is known; None if there is none."""
        starts = (*(attempt.started_at for attempt in self.earlier), self.started_at)
        return next((at for at in starts if at is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A workflow that was built, or dispatched.

    Attributes:
        name: Of the workflow.
        graph: Its calls; executors' secrets must be out of it already.
        dispatch_id: Empty for a workflow that was only built.
        status: Empty for such a one; `nodes` then holds parameters only.
        nodes: Parameters, and what left the beginning.
        parts: Workflows that nodes of this one became.
        made_at: When this was put together, in POSIX seconds.
    """

    name: str
    graph: Graph
    dispatch_id: str = ""
    status: str = ""
    doc: str = ""
    source: str = ""
    error: str = ""
    created_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    executor: str = ""
    workflow_executor: str = ""
    python_version: str = ""
    lab_version: str = ""
    redispatched_from: str | None = None
    inputs: Value | None = None
    result: Value | None = None
    nodes: Mapping[int, NodeRun] = field(default_factory=dict)
    parts: Sequence["Run"] = ()
    made_at: float = 0.0

    def node(self, node_id: int) -> NodeRun:
        """How a node stands; one that has not begun is pending."""
        return self.nodes.get(node_id, _PENDING)

    def tasks(self) -> Sequence[Node]:
        """All nodes but parameters."""
        return [node for node in self.graph.nodes if node.kind is not NodeKind.PARAMETER]

    def statuses(self) -> Mapping[int, str] | None:
        """Status of each task that has begun; None for a workflow that was only built."""
        return (
            {node.id: self.nodes[node.id].status for node in self.tasks() if node.id in self.nodes}
            if self.status
            else None
        )


_PENDING = NodeRun()


def by_target(graph: Graph) -> Mapping[int, Sequence[Edge]]:
    """Edges into each node that has some."""
    found: dict[int, list[Edge]] = {}
    for edge in graph.edges:
        found.setdefault(edge.target, []).append(edge)
    return found
