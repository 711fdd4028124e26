"""What the dispatcher keeps in memory of one unfinished dispatch, beside the scheduler's own books.

Turns the scheduler's transitions into what is recorded, and a command to submit into the job's inputs.
"""

import hashlib
import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from covalent_lab.errors import LabError, UsageError
from covalent_lab.executor import registry
from covalent_lab.executor.base import Outcome
from covalent_lab.graph.model import Edge, Graph, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import AttemptId, DispatchId, NodeId, PayloadRef, attempt_id
from covalent_lab.scheduler.commands import DispatchTransition, NodeTransition
from covalent_lab.scheduler.plan import DEFAULT_LIMIT, NodePolicy, Plan, make_plan
from covalent_lab.scheduler.states import NodeState
from covalent_lab.store.base import DispatchRecord, DispatchUpdate, NodeRecord, NodeUpdate

__all__ = ["Active", "JobInputs", "policy_of", "sub_dispatch_id"]

_SUBLATTICES = uuid.UUID("b2a6ec5c-54a3-4d0b-8f3a-0d6c3f5f1c7e")


@dataclass(frozen=True, slots=True)
class JobInputs:
    """The nodes whose outputs a job's call is made of."""

    args: Sequence[NodeId]
    kwargs: Mapping[str, NodeId]


def policy_of(options: NodeOptions, configured: Mapping[str, Mapping[str, Any]]) -> NodePolicy:
    """How a node is treated: by its executor instance's own values, else the configured ones.

    Raises:
        UsageError: A value is not a number.
    """
    attributes = options.executor_data.get("attributes") or configured.get(options.executor, {})
    retries = _number(options.executor, "retries", attributes.get("retries"), 0)
    limit = _number(options.executor, "time_limit", attributes.get("time_limit"), -1)
    max_in_flight, packs = _abilities(options.executor)
    return NodePolicy(
        executor=options.executor,
        retries=max(0, int(retries)),
        time_limit_s=float(limit) if limit > 0 else None,
        max_in_flight=max_in_flight,
        packs=packs,
    )


def sub_dispatch_id(attempt: AttemptId) -> DispatchId:
    """The dispatch an attempt at a node becomes: always the same, so that making it twice makes it once."""
    return DispatchId(str(uuid.uuid5(_SUBLATTICES, attempt)))


def _number(executor: str, name: str, value: Any, default: float) -> float:
    if value is None or value == "":
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise UsageError(f"{name} of executor {executor!r} is {value!r}; it must be a number.")
    return value


def _abilities(executor: str) -> tuple[int, bool]:
    try:
        kind = registry.load(executor)
    except LabError:
        return DEFAULT_LIMIT, False  # its nodes will fail, and say why
    return kind.max_in_flight, kind.packs


class Active:
    """One unfinished dispatch.

    Args:
        record: The dispatch as stored.
        graph: Its workflow.
        configured: Option values per executor name, from the settings.
    """

    def __init__(self, record: DispatchRecord, graph: Graph, configured: Mapping[str, Mapping[str, Any]]) -> None:
        self._record = record
        self.dispatch_id: DispatchId = record.dispatch_id
        self.root_id = record.root_dispatch_id
        self.graph = graph
        self.client = record.client
        self.plan: Plan = make_plan(graph, [policy_of(options, configured) for options in graph.options])
        self.outputs: list[PayloadRef | None] = [node.value for node in graph.nodes]
        self.started_at: dict[int, float] = {}
        self.cancel_requested = record.cancel_requested
        self.is_restored = False
        self._under_way: set[int] = set()
        self._reused_from: dict[int, str] = {}
        self._incoming: dict[int, list[Edge]] = {}
        for edge in graph.edges:
            self._incoming.setdefault(edge.target, []).append(edge)
        self._state = record.state
        self._error = record.error
        self._dispatch_started_at = record.started_at
        self._ended_at = record.ended_at
        self._completed = record.completed
        self._failed = record.failed
        self._cancelled = record.cancelled

    def restore(self, nodes: Sequence[NodeRecord]) -> None:
        """Take over what an earlier dispatcher recorded."""
        self.is_restored = True
        for node in nodes:
            if node.output is not None:
                self.outputs[node.node_id] = node.output
            if node.reused_from is not None:
                self._reused_from[node.node_id] = node.reused_from
            if node.started_at is not None:
                self.started_at[node.node_id] = node.started_at

    def reuse(self, outputs: Mapping[NodeId, PayloadRef], source: DispatchId) -> None:
        """Note which nodes will take over an output instead of running."""
        for node, ref in outputs.items():
            self.outputs[node] = ref
            self._reused_from[node] = f"{source}:{node}"

    @property
    def in_flight(self) -> int:
        """How many nodes were handed to executors since it was taken up, and have not ended."""
        return len(self._under_way)

    def inputs(self, node_id: NodeId) -> JobInputs:
        """What the call of a node is made of."""
        args: list[tuple[int, NodeId]] = []
        kwargs: dict[str, NodeId] = {}
        incoming = self.incoming(node_id)
        is_postprocess = self.graph.nodes[node_id].kind is NodeKind.POSTPROCESS
        only_value = is_postprocess and any(edge.name == "retval" for edge in incoming)
        for edge in incoming:
            if edge.param_type is ParamType.WAIT or (only_value and edge.name != "retval"):
                continue
            if edge.param_type is ParamType.ARG:
                args.append((edge.arg_index or 0, edge.source))
            else:
                kwargs[edge.name] = edge.source
        args.sort(key=lambda pair: pair[0])
        return JobInputs([node for _, node in args], kwargs)

    def output(self, node_id: NodeId) -> PayloadRef:
        """What a complete node left behind."""
        ref = self.outputs[node_id]
        assert ref is not None, f"node {node_id} has no output"
        return ref

    def cache_key(self, node_id: NodeId) -> str:
        """What a node computes and of which inputs, as a digest; empty if its result is not to be cached."""
        node = self.graph.nodes[node_id]
        function = "" if node.function is None else self.graph.functions[node.function].cache_key
        if not function:
            return ""
        inputs = self.inputs(node_id)
        named = sorted((name, self.output(source).digest) for name, source in inputs.kwargs.items())
        hooks = self.graph.options[node.options].hooks
        values = [self.output(source).digest for source in inputs.args]
        whole = json.dumps([function, values, named, hooks], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()

    def incoming(self, node_id: NodeId) -> Sequence[Edge]:
        """Edges into a node."""
        return self._incoming.get(node_id, ())

    def move_node(self, transition: NodeTransition, outcome: Outcome | None) -> NodeUpdate:
        """Follow a node's transition; returns what to record."""
        node, state = transition.node_id, transition.state
        output = transition.output
        if transition.passes_on is not None:
            output = self.outputs[transition.passes_on]
        elif transition.is_reused:
            output = self.outputs[node]
        match state:
            case NodeState.COMPLETED:
                self._completed += 1
                self.outputs[node] = output
            case NodeState.DISPATCHING:
                self.outputs[node] = output
            case NodeState.FAILED:
                self._failed += 1
            case NodeState.CANCELLED:
                self._cancelled += 1
            case NodeState.STARTING:
                self.started_at.pop(node, None)
                self._under_way.add(node)
            case _:
                pass
        if state.is_terminal or state is NodeState.DISPATCHING:
            self._under_way.discard(node)
        if transition.started_at is not None and state is not NodeState.STARTING:
            self.started_at.setdefault(node, transition.started_at)
        if not state.is_terminal:
            entered = NodeUpdate(
                dispatch_id=self.dispatch_id,
                node_id=node,
                state=state.value,
                attempt=transition.attempt,
                started_at=self.started_at.get(node),
                error=transition.error,
            )
            if state is not NodeState.DISPATCHING:
                return entered
            return replace(
                entered,
                output=output,
                sub_dispatch_id=sub_dispatch_id(attempt_id(self.dispatch_id, node, transition.attempt)),
                stdout=outcome.stdout if outcome else "",
                stderr=outcome.stderr if outcome else "",
            )
        ran = self.started_at.pop(node, None)
        if ran is None and state is NodeState.COMPLETED:
            ran = transition.at
        failure = outcome.failure if outcome else None
        return NodeUpdate(
            dispatch_id=self.dispatch_id,
            node_id=node,
            state=state.value,
            attempt=transition.attempt,
            started_at=ran,
            ended_at=transition.at,
            error=transition.error,
            output=output,
            stdout=outcome.stdout if outcome else "",
            stderr=outcome.stderr if outcome else "",
            traceback=failure.traceback if failure else "",
            reused_from=self._reused_from[node] if transition.is_reused else None,
            usage=outcome.usage.to_json() if outcome and outcome.usage else None,
        )

    def cancel_unbegun(self) -> None:
        """Follow the cancellation of a node that had no attempt: nothing of it is to be recorded but the transition."""
        self._cancelled += 1

    def move_dispatch(self, transition: DispatchTransition) -> None:
        """Follow a transition of the dispatch itself."""
        self._state = transition.state.value
        self._error = transition.error
        if self._dispatch_started_at is None and self._state != "NEW_OBJECT":
            self._dispatch_started_at = transition.at
        if transition.state.is_terminal:
            self._ended_at = transition.at

    def update(self) -> DispatchUpdate:
        """State and counters to record."""
        return DispatchUpdate(
            dispatch_id=self.dispatch_id,
            state=self._state,
            started_at=self._dispatch_started_at,
            ended_at=self._ended_at,
            error=self._error,
            completed=self._completed,
            failed=self._failed,
            cancelled=self._cancelled,
            result=self._result() if self._state == "COMPLETED" else None,
            cancel_requested=self.cancel_requested or None,
        )

    def record(self, seq: int) -> DispatchRecord:
        """The dispatch as it stands; `seq` is the newest number that is in it."""
        now = self.update()
        return replace(
            self._record,
            state=now.state,
            started_at=now.started_at,
            ended_at=now.ended_at,
            error=now.error,
            completed=now.completed,
            failed=now.failed,
            cancelled=now.cancelled,
            result=now.result,
            cancel_requested=self.cancel_requested,
            seq=seq,
        )

    def _result(self) -> PayloadRef | None:
        for node in reversed(self.graph.nodes):
            if node.kind is NodeKind.POSTPROCESS:
                return self.outputs[node.id]
        return None
