"""One tick's decisions, gathered into what the store records in one transaction."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab import payload
from covalent_lab.dispatcher.active import Active
from covalent_lab.dispatcher.cache import PayloadCache
from covalent_lab.executor.base import Outcome
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.commands import Command, NodeTransition, Step
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.store.base import Batch, CachedResult, NodeUpdate, PayloadRow
from covalent_lab.transitions import FeedRecord

__all__ = ["Recording", "merge_cancels", "split_cancels"]


class Recording:
    """Takes steps in order.

    Args:
        active: Dispatches that run.
        cache: Gets small outputs, which successors will soon need.
    """

    def __init__(self, active: Mapping[DispatchId, Active], cache: PayloadCache) -> None:
        self._active = active
        self._cache = cache
        self._transitions: list[FeedRecord] = []
        self._nodes: dict[tuple[DispatchId, int], NodeUpdate] = {}
        self._payloads: list[PayloadRow] = []
        self._cached: dict[str, CachedResult] = {}
        self._cache_hits: list[tuple[str, float]] = []
        self._tells_of_unbegun = False
        self.touched: dict[DispatchId, Active] = {}
        self.commands: list[Command] = []

    def add(self, step: Step, outcome: Outcome | None, hit: CachedResult | None = None) -> None:
        """Take a step; `outcome` is that of the job whose end it answers, or was taken from the cache (`hit`)."""
        self.commands.extend(step.commands)
        for transition in step.transitions:
            extra: Mapping[str, Any] | None = None
            active = self._active[transition.dispatch_id]
            if isinstance(transition, NodeTransition):
                # The outcome belongs to the transition that ends its attempt, which is the step's first.
                own, outcome = outcome, None
                extra = self._move_node(active, transition, own, hit)
                hit = None
                attempt, node_id = transition.attempt, transition.node_id
            elif transition.state is DispatchState.NEW_OBJECT:
                continue  # recorded together with the dispatch itself
            else:
                active.move_dispatch(transition)
                self.touched[transition.dispatch_id] = active
                attempt, node_id = 0, None
            self._transitions.append(
                FeedRecord(
                    dispatch_id=transition.dispatch_id,
                    node_id=node_id,
                    status=transition.state.value,
                    at=transition.at,
                    attempt=attempt,
                    error=transition.error,
                    extra=extra,
                )
            )
        for dispatch_id, node_ids in step.cancels:
            if (cancelled := self._active.get(dispatch_id)) is not None:
                cancelled.cancel_requested = merge_cancels(cancelled.cancel_requested, node_ids)
                self.touched[dispatch_id] = cancelled

    def _move_node(
        self, active: Active, transition: NodeTransition, outcome: Outcome | None, hit: CachedResult | None
    ) -> Mapping[str, Any] | None:
        dispatch_id, node_id = active.dispatch_id, transition.node_id
        if transition.state is NodeState.CANCELLED and not transition.attempt:  # perhaps thousands
            active.cancel_unbegun()
            self._tells_of_unbegun = True
            self.touched[dispatch_id] = active
            return None
        started_at = None if node_id in active.started_at else transition.started_at
        update = active.move_node(transition, outcome)
        if transition.output is not None and outcome is not None and outcome.output is not None:
            ref, data = outcome.output.ref, outcome.output.data
            self._payloads.append(PayloadRow(dispatch_id=dispatch_id, ref=ref, data=data))
            if data is not None:
                self._cache.put(dispatch_id, ref, data)
            if hit is not None:
                self._cache_hits.append((hit.key, transition.at))
                source = f"{hit.dispatch_id}:{hit.node_id}"
                update = dataclasses.replace(update, reused_from=source)
            elif (key := active.cache_key(node_id)) and not (data is not None and payload.is_reference(data)):
                self._cached[key] = CachedResult(
                    key=key,
                    dispatch_id=dispatch_id,
                    node_id=node_id,
                    name=active.graph.nodes[node_id].name,
                    ref=ref,
                    created_at=transition.at,
                    used_at=transition.at,
                )
        self._nodes[dispatch_id, node_id] = update
        if transition.state.is_terminal:
            self.touched[dispatch_id] = active
        extra: dict[str, Any] = {}
        if update.sub_dispatch_id is not None:
            extra["sub_dispatch_id"] = update.sub_dispatch_id
        if update.reused_from is not None:
            extra["reused_from"] = update.reused_from
        if started_at is not None and transition.state is not NodeState.RUNNING:
            extra["started_at"] = started_at
        return extra or None

    def batch(self, handles: Sequence[tuple[DispatchId, NodeId, str]]) -> Batch:
        """What to record."""
        return Batch(
            transitions=self._transitions,
            nodes=list(self._nodes.values()),
            dispatches=[active.update() for active in self.touched.values()],
            payloads=self._payloads,
            handles=handles,
            cached=list(self._cached.values()),
            cache_hits=self._cache_hits,
            tells_of_unbegun=self._tells_of_unbegun,
        )


def merge_cancels(text: str, nodes: frozenset[NodeId] | None) -> str:
    """What is stored with a dispatch, after some more nodes, or (None) all, were asked to stop."""
    if nodes is None or text == "all":
        return "all"
    return json.dumps(sorted({*(json.loads(text) if text else ()), *nodes}))


def split_cancels(text: str) -> tuple[bool, frozenset[NodeId]]:
    """Whether the whole dispatch was asked to stop, else which nodes, from what is stored with the dispatch."""
    if text == "all":
        return True, frozenset()
    return False, frozenset(NodeId(n) for n in json.loads(text)) if text else frozenset()
