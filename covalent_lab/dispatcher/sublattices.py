"""Nodes that become dispatches of their own: makes the dispatch, waits for its end, stops it.

The job of such a node hands over a bundle, as a client would; it is read from the archive, never unpickled. The
dispatch's id follows from the attempt, so that after a crash every order may simply be given again: a dispatch that is
missing is made, one that runs is waited for, one that is over is told of. Where it runs, here or in another dispatcher
on the same store, makes no difference.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from covalent_lab import payload
from covalent_lab.dispatcher.active import Active, sub_dispatch_id
from covalent_lab.dispatcher.bundle import BundleReader
from covalent_lab.dispatcher.endings import Ending
from covalent_lab.dispatcher.intake import read_dispatch
from covalent_lab.dispatcher.jobs import JobBuilder
from covalent_lab.errors import LabError, StoreError
from covalent_lab.executor.base import JobStatus, NewPayload, Outcome, PayloadSource
from covalent_lab.graph.model import Graph, NodeKind
from covalent_lab.ids import DispatchId, NodeId, attempt_id
from covalent_lab.scheduler.events import Event, NodeBuilt, NodeEnded, NodeSucceeded, SublatticeEnded
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.settings import Settings
from covalent_lab.store.base import DispatchRecord, NewDispatch, Store, StoredPayload
from covalent_lab.store.blobs import BlobDir

__all__ = ["Host", "Sublattices"]

_RETRY_S = 1.0
_REASON_LIMIT = 2_000


class Host(Protocol):
    """What it needs of the dispatcher."""

    settings: Settings
    store: Store
    blobs: BlobDir
    owner: str
    clock: Callable[[], float]

    async def submit(self, new: NewDispatch, graph: Graph) -> bool:
        """Record a dispatch, and start it."""
        ...

    async def cancel(self, dispatch_id: DispatchId, node_ids: frozenset[NodeId] | None) -> None:
        """Ask a dispatch to stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    parent: Active
    node_id: NodeId
    attempt: int
    cancels: bool
    is_new: bool = False
    ending: Ending | None = None

    @property
    def dispatch_id(self) -> DispatchId:
        return sub_dispatch_id(attempt_id(self.parent.dispatch_id, self.node_id, self.attempt))


class Sublattices:
    """Carries out orders one after the other; all its methods belong to the dispatcher's event loop.

    Args:
        host: The dispatcher.
        jobs: Finds the bundles.
        put: Takes the events.
    """

    def __init__(self, host: Host, jobs: JobBuilder, put: Callable[[Event, Outcome | None], None]) -> None:
        self._host = host
        self._jobs = jobs
        self._put = put
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()  # a few for each node that is dispatching
        self._waiting: dict[DispatchId, _Order] = {}

    def read(self, event: NodeEnded, active: Active | None, outcome: Outcome) -> NodeEnded:
        """The event itself; or, where a sublattice's job returned a workflow instead of a value, that it did."""
        if not isinstance(event, NodeSucceeded) or active is None or outcome.output is None:
            return event
        nodes, output = active.graph.nodes, outcome.output
        if not 0 <= event.node_id < len(nodes) or nodes[event.node_id].kind is not NodeKind.SUBLATTICE:
            return event
        if not _holds_bundle(output, self._host.blobs):
            return event
        return NodeBuilt(
            dispatch_id=event.dispatch_id,
            node_id=event.node_id,
            attempt=event.attempt,
            at=event.at,
            output=output.ref,
            started_at=event.started_at,
        )

    def follow(self, parent: Active, node_id: NodeId, attempt: int, *, cancels: bool) -> None:
        """Have the dispatch of a node run or, if it `cancels`, stop; either way its end becomes an event."""
        order = _Order(parent=parent, node_id=node_id, attempt=attempt, cancels=cancels)
        self._waiting[order.dispatch_id] = order
        # Nobody else can have made the dispatch of an attempt that began here.
        self._orders.put_nowait(replace(order, is_new=not (cancels or parent.is_restored)))

    def ended(self, dispatch_id: DispatchId, ending: Ending | None = None) -> None:
        """Take note that some dispatch is over; without its `ending` the store is asked."""
        order = self._waiting.get(dispatch_id)
        if order is not None:
            self._orders.put_nowait(order if ending is None else replace(order, ending=ending))

    async def run(self) -> None:
        """Work for ever."""
        while True:
            order = await self._orders.get()
            while order.dispatch_id in self._waiting:
                try:
                    await self._carry_out(order)
                except StoreError:  # the tick tells of it
                    await asyncio.sleep(_RETRY_S)
                else:
                    break

    async def _carry_out(self, order: _Order) -> None:
        if order.ending is not None:
            await self._tell(order, order.ending.record, order.ending.payloads)
            return
        record = None if order.is_new else await self._host.store.dispatch(order.dispatch_id)
        if record is None and order.cancels:
            self._end(order, DispatchState.CANCELLED)
        elif record is None:
            await self._dispatch(order)
        elif DispatchState(record.state).is_terminal:
            digests = () if record.result is None else (record.result.digest,)
            await self._tell(order, record, await self._host.store.payloads(order.dispatch_id, digests))
        elif order.cancels:
            await self._host.cancel(order.dispatch_id, None)

    async def _dispatch(self, order: _Order) -> None:
        host, parent = self._host, order.parent
        reader = BundleReader(host.blobs, host.settings.inline_limit)
        try:
            bundle = parent.outputs[order.node_id]
            if bundle is None:
                raise StoreError("What its job built is not in the store.")
            source = await self._jobs.source(parent.dispatch_id, bundle)
            await asyncio.to_thread(_feed, source, reader)
            header, payloads = reader.finish(), reader.payloads
            links = {"dispatch_id": order.dispatch_id, "root_dispatch_id": parent.root_id, "client": parent.client}
            new, graph = read_dispatch(
                {**header, **links},
                payloads,
                autostart=True,
                owner=host.owner,
                lease_s=host.settings.lease_s,
                clock=host.clock,
            )
            await host.submit(replace(new, parent_id=parent.dispatch_id, parent_node=order.node_id), graph)
        except (LabError, OSError, ValueError) as error:
            self._end(order, DispatchState.FAILED, error=f"Its workflow cannot be dispatched: {error}")
        finally:
            reader.abort()

    async def _tell(self, order: _Order, record: DispatchRecord, payloads: Mapping[str, StoredPayload]) -> None:
        state, result = DispatchState(record.state), record.result
        outcome: Outcome | None = None
        error = ""
        if state is DispatchState.FAILED:
            reason = await self._reason(record)
            error = f"Its dispatch {order.dispatch_id} ({record.name}) failed: {reason}"[:_REASON_LIMIT]
        elif state is DispatchState.COMPLETED:
            stored = None if result is None else payloads.get(result.digest)
            if result is None or stored is None:
                state, error = DispatchState.FAILED, f"Its dispatch {order.dispatch_id} ({record.name}) has no result."
            else:
                output = NewPayload(ref=result, data=stored.data)
                outcome = Outcome(status=JobStatus.COMPLETED, output=output)
        self._end(order, state, outcome, error=error, at=record.ended_at)

    async def _reason(self, record: DispatchRecord) -> str:
        """The first error of a task, for the dispatch's own says only which tasks failed."""
        _, nodes = await self._host.store.nodes(record.dispatch_id)
        failed = [node for node in nodes if node.state == NodeState.FAILED and node.error]
        return f"task {failed[0].node_id}: {failed[0].error}" if failed else " ".join(record.error.split())

    def _end(
        self,
        order: _Order,
        state: DispatchState,
        outcome: Outcome | None = None,
        *,
        error: str = "",
        at: float | None = None,
    ) -> None:
        self._waiting.pop(order.dispatch_id, None)
        output = outcome.output.ref if outcome is not None and outcome.output is not None else None
        event = SublatticeEnded(
            dispatch_id=order.parent.dispatch_id,
            node_id=order.node_id,
            attempt=order.attempt,
            at=self._host.clock() if at is None else at,
            state=state,
            output=output,
            error=error,
        )
        self._put(event, outcome)


def _holds_bundle(output: NewPayload, blobs: BlobDir) -> bool:
    try:
        archive = payload.open_file(str(blobs.path(output.ref.digest))) if output.data is None else output.data
        return payload.preview(archive).type == payload.BUNDLE_TYPE
    except (OSError, ValueError):
        return False


def _feed(source: PayloadSource, reader: BundleReader) -> None:
    archive = payload.open_file(source.path or "") if source.data is None else source.data
    for piece in payload.buffers(archive):
        reader.feed(piece)
