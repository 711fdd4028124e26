"""Taking over the result of an equal call in an earlier dispatch, instead of running a task."""

from covalent_lab.executor.base import JobStatus, NewPayload, Outcome
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.events import NodeSucceeded
from covalent_lab.store.base import CachedResult, Store

__all__ = ["take_over"]


async def take_over(
    store: Store, key: str, dispatch_id: DispatchId, node_id: NodeId, attempt: int, now: float
) -> tuple[NodeSucceeded, Outcome, CachedResult] | None:
    """What to tell of an attempt that need not run; None if it has to.

    The output texts of the earlier run come along while that dispatch is there.

    Args:
        store: Where results are kept.
        key: What the attempt would compute, as `Active.cache_key` says.
        dispatch_id: Of the attempt.
        node_id: Of the attempt.
        attempt: Its number.
        now: Present time.

    Raises:
        StoreError: The cache cannot be read.
    """
    found = await store.cached(key)
    if found is None:
        return None
    hit, stored = found
    stdout, stderr, _ = await store.streams(hit.dispatch_id, hit.node_id)
    outcome = Outcome(
        status=JobStatus.COMPLETED,
        output=NewPayload(ref=hit.ref, data=stored.data),
        stdout=stdout,
        stderr=stderr,
        started_at=now,
        ended_at=now,
    )
    event = NodeSucceeded(
        dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=now, output=hit.ref, started_at=now
    )
    return event, outcome, hit
