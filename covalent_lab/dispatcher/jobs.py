"""Between attempts and jobs: what a job is made of, and which event its news are."""

import json
from collections.abc import Collection, Mapping, Sequence

from covalent_lab.dispatcher.active import Active
from covalent_lab.dispatcher.cache import PayloadCache
from covalent_lab.errors import StoreError
from covalent_lab.executor.base import (
    JobFinished,
    JobHandle,
    JobSpec,
    JobStarted,
    JobStatus,
    PayloadSource,
)
from covalent_lab.graph.model import Function
from covalent_lab.ids import AttemptId, DispatchId, NodeId, PayloadRef, attempt_id, split_attempt
from covalent_lab.scheduler.events import (
    NodeCancelled,
    NodeEnded,
    NodeFailed,
    NodeLost,
    NodeStarted,
    NodeSucceeded,
)
from covalent_lab.store.base import Store, StoredPayload
from covalent_lab.store.blobs import BlobDir

__all__ = ["JobBuilder", "end_of", "handle_row", "start_of", "stored_handle"]


_NOT_YET = PayloadRef("", 0)
_CHUNK = 5_000
"""How many payloads the store is asked for at a time."""


class JobBuilder:
    """Gathers a job's inputs.

    Args:
        store: Where small payloads are that are not in the cache.
        blobs: Where large payloads are.
        cache: Small payloads of running dispatches.
        inline_limit: What is larger is in a file.
    """

    def __init__(self, store: Store, blobs: BlobDir, cache: PayloadCache, inline_limit: int) -> None:
        self._store = store
        self._blobs = blobs
        self._cache = cache
        self._inline_limit = inline_limit

    async def build(self, active: Active, node_id: NodeId, attempt: int, then: Sequence[NodeId] = ()) -> JobSpec:
        """The job for an attempt at a node whose predecessors are complete, and first attempts at others after it.

        Raises:
            StoreError: An input cannot be read.
        """
        steps = {node_id: attempt_id(active.dispatch_id, node_id, attempt)}
        steps |= {later: attempt_id(active.dispatch_id, later, 1) for later in then}
        calls = {number: active.inputs(number) for number in steps}
        needed = {_function(active, number).payload for number in steps}
        for inputs in calls.values():
            needed.update(active.output(n) for n in (*inputs.args, *inputs.kwargs.values()) if n not in steps)
        sources = await self._sources(active.dispatch_id, needed)

        def output_of(source: NodeId) -> PayloadSource:
            earlier = steps.get(source)
            return sources[active.output(source)] if earlier is None else PayloadSource(ref=_NOT_YET, step=earlier)

        def spec_of(number: NodeId, attempt: int, then: Sequence[JobSpec]) -> JobSpec:
            node, inputs = active.graph.nodes[number], calls[number]
            options = active.graph.options[node.options]
            return JobSpec(
                attempt_id=steps[number],
                dispatch_id=active.dispatch_id,
                node_id=number,
                attempt=attempt,
                name=node.name,
                function=sources[_function(active, number).payload],
                args=[output_of(source) for source in inputs.args],
                kwargs={name: output_of(source) for name, source in inputs.kwargs.items()},
                arg_nodes=inputs.args,
                kwarg_nodes=inputs.kwargs,
                hooks=options.hooks,
                options=options.executor_data.get("attributes", {}),
                client=active.client,
                then=then,
            )

        return spec_of(node_id, attempt, [spec_of(later, 1, ()) for later in then])

    def at_hand(self, dispatch_id: DispatchId, ref: PayloadRef) -> StoredPayload | None:
        """Where a payload of a dispatch is; None if only the store knows."""
        data = self._cache.get(dispatch_id, ref)
        if data is not None:
            return StoredPayload(data=data)
        return StoredPayload(path=str(self._blobs.path(ref.digest))) if ref.size > self._inline_limit else None

    async def source(self, dispatch_id: DispatchId, ref: PayloadRef) -> PayloadSource:
        """Where a payload of a dispatch is.

        Raises:
            StoreError: Nowhere.
        """
        return (await self._sources(dispatch_id, (ref,)))[ref]

    async def _sources(
        self, dispatch_id: DispatchId, refs: Collection[PayloadRef]
    ) -> Mapping[PayloadRef, PayloadSource]:
        sources: dict[PayloadRef, PayloadSource] = {}
        missing: list[PayloadRef] = []
        for ref in refs:
            stored = self.at_hand(dispatch_id, ref)
            if stored is None:
                missing.append(ref)
            else:
                sources[ref] = PayloadSource(ref=ref, data=stored.data, path=stored.path)
        for begin in range(0, len(missing), _CHUNK):
            chunk = missing[begin : begin + _CHUNK]
            found = await self._store.payloads(dispatch_id, [ref.digest for ref in chunk])
            for ref in chunk:
                stored = found.get(ref.digest)
                if stored is None:
                    raise StoreError(f"Payload {ref.digest} of dispatch {dispatch_id} is not in the store.")
                if stored.data is not None:
                    self._cache.put(dispatch_id, ref, stored.data)
                sources[ref] = PayloadSource(ref=ref, data=stored.data, path=stored.path)
        return sources


def _function(active: Active, node_id: NodeId) -> Function:
    index = active.graph.nodes[node_id].function
    assert index is not None
    return active.graph.functions[index]


def start_of(update: JobStarted) -> NodeStarted:
    """What the start of a job means to the scheduler."""
    dispatch_id, node_id, attempt = split_attempt(update.attempt_id)
    return NodeStarted(dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=update.at)


def end_of(update: JobFinished, now: float) -> NodeEnded:
    """What the end of a job means to the scheduler."""
    dispatch_id, node_id, attempt = split_attempt(update.attempt_id)
    outcome = update.outcome
    at, began = outcome.ended_at or now, outcome.started_at
    match outcome.status:
        case JobStatus.COMPLETED if outcome.output is not None:
            output = outcome.output.ref
            return NodeSucceeded(
                dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=at, output=output, started_at=began
            )
        case JobStatus.COMPLETED:
            message = "Its executor told that the task completed, but handed over no output."
            return NodeFailed(
                dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=at, message=message, started_at=began
            )
        case JobStatus.CANCELLED:
            return NodeCancelled(dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=at, started_at=began)
        case JobStatus.LOST:
            return NodeLost(dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=at, started_at=began)
        case JobStatus.FAILED:
            message = outcome.failure.message if outcome.failure else "The task failed without a reason."
            return NodeFailed(
                dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=at, message=message, started_at=began
            )


def handle_row(attempt: AttemptId, handle: JobHandle) -> tuple[DispatchId, NodeId, str]:
    """A job's handle as it is stored with its node."""
    dispatch_id, node_id, number = split_attempt(attempt)
    return dispatch_id, node_id, json.dumps({"attempt": number, "handle": dict(handle)})


def stored_handle(text: str, attempt: int) -> JobHandle:
    """The handle of this attempt, empty if none was stored before the end."""
    form = json.loads(text) if text else {}
    handle: JobHandle = form.get("handle", {}) if form.get("attempt") == attempt else {}
    return handle
