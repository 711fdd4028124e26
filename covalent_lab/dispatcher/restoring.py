"""What the store knows of a dispatch that nobody runs any more → what goes on with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab.dispatcher.active import Active
from covalent_lab.dispatcher.jobs import stored_handle
from covalent_lab.dispatcher.recording import split_cancels
from covalent_lab.executor.base import JobHandle
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import AttemptId, DispatchId, attempt_id
from covalent_lab.scheduler.events import DispatchRestored, DispatchStarted, Event
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.store.base import Batch, DispatchRecord, DispatchUpdate, Store
from covalent_lab.transitions import FeedRecord

__all__ = ["Restored", "given_up", "restored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A dispatch to go on with.

    Attributes:
        active: What is kept of it.
        events: What the scheduler has to know of it, in order.
        watched: For each executor, the handles of jobs that it had when the last dispatcher stopped.
    """

    active: Active
    events: Sequence[Event]
    watched: Mapping[str, Mapping[AttemptId, JobHandle]]


async def restored(
    store: Store, dispatch_id: DispatchId, configured: Mapping[str, Mapping[str, Any]], now: float
) -> Restored:
    """Read a dispatch back.

    Args:
        store: Where it is.
        dispatch_id: An unfinished one.
        configured: Option values per executor name, from the settings.
        now: Present time.

    Raises:
        LabError: It cannot be scheduled here.
        ValueError, KeyError: What is stored cannot be read.
    """
    record = await store.dispatch(dispatch_id)
    text = await store.graph(dispatch_id)
    assert record is not None
    assert text is not None
    active = Active(record, graph_from_wire(json.loads(text)), configured)
    _, nodes = await store.nodes(dispatch_id)
    active.restore(nodes)
    cancel_all, cancelled = split_cancels(active.cancel_requested)
    events: list[Event] = [
        DispatchRestored(
            dispatch_id=dispatch_id,
            plan=active.plan,
            state=DispatchState(record.state),
            nodes={n.node_id: (NodeState(n.state), n.attempt) for n in nodes},
            cancel_all=cancel_all,
            cancelled=cancelled,
            at=now,
        )
    ]
    if record.state == DispatchState.NEW_OBJECT and record.autostart:
        events.append(DispatchStarted(dispatch_id=dispatch_id, at=now))
    watched: dict[str, dict[AttemptId, JobHandle]] = {}
    for node in nodes:
        if node.state not in (NodeState.STARTING, NodeState.RUNNING):
            continue
        handle = stored_handle(node.handle, node.attempt)
        executor = active.plan.policy[node.node_id].executor
        watched.setdefault(executor, {})[attempt_id(dispatch_id, node.node_id, node.attempt)] = handle
    return Restored(active=active, events=events, watched=watched)


def given_up(record: DispatchRecord, reason: str, now: float) -> Batch:
    """What is recorded of a dispatch that cannot be restored: that it failed, and why."""
    failed = DispatchState.FAILED.value
    update = DispatchUpdate(
        dispatch_id=record.dispatch_id,
        state=failed,
        started_at=record.started_at,
        ended_at=now,
        error=reason,
        completed=record.completed,
        failed=record.failed,
        cancelled=record.cancelled,
    )
    told = FeedRecord(dispatch_id=record.dispatch_id, node_id=None, status=failed, at=now, error=reason)
    return Batch(transitions=[told], dispatches=[update])
