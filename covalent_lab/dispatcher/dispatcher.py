"""The tick, and what feeds it.

Events come in through the inbox; one task drains them in batches, asks the scheduler, records, acts and announces.
Events that nobody waits for do not hurry the tick, so that many are recorded in one transaction: starts of jobs (a
short job's start is then told by its end alone), and ends of jobs while their dispatch has many others under way.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from covalent_lab.dispatcher.acting import Acting
from covalent_lab.dispatcher.active import Active
from covalent_lab.dispatcher.announcer import CANCEL_REQUESTED, START_REQUESTED, Announcer
from covalent_lab.dispatcher.cache import PayloadCache
from covalent_lab.dispatcher.endings import Ending, Endings, end_elsewhere, is_end
from covalent_lab.dispatcher.inbox import Inbox
from covalent_lab.dispatcher.jobs import JobBuilder, end_of, handle_row, start_of
from covalent_lab.dispatcher.ownership import split_owners
from covalent_lab.dispatcher.recording import Recording, merge_cancels
from covalent_lab.dispatcher.restoring import given_up, restored
from covalent_lab.dispatcher.runner import Runner, StreamPart
from covalent_lab.dispatcher.sublattices import Sublattices
from covalent_lab.errors import LabError, MissingLatticeRecordError, MissingNodeError, StoreError
from covalent_lab.executor.base import Executor, JobFinished, JobHandle, JobStarted
from covalent_lab.feed.feed import Feed
from covalent_lab.graph.model import Graph
from covalent_lab.ids import AttemptId, DispatchId, NodeId
from covalent_lab.scheduler.commands import (
    Command,
)
from covalent_lab.scheduler.events import (
    CancelRequested,
    DispatchStarted,
    DispatchSubmitted,
    DispatchWithdrawn,
)
from covalent_lab.scheduler.scheduler import InvalidEventError, Scheduler
from covalent_lab.scheduler.states import DispatchState
from covalent_lab.settings import Settings
from covalent_lab.store.base import Batch, NewDispatch, Request, Store
from covalent_lab.store.blobs import BlobDir
from covalent_lab.transitions import FeedRecord

__all__ = ["Dispatcher"]

_log = logging.getLogger(__name__)

_LONGEST_DELAY_S = 0.02
_SHORTEST_TASK_S = 50e-6
_FOLLOW_S = 0.5
_RETRY_S = 1.0
_SWEEP_AGE_S = 86_400.0
_SWEEP_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Admission:
    new: NewDispatch
    active: Active
    done: asyncio.Future[bool]


class Dispatcher:
    """Runs dispatches; all its methods belong to one event loop.

    Args:
        settings: Folders, limits, options of executors.
        store: Opened by `run`.
        blobs: Where large payloads are.
        owner: Its name in the store.
        clock: Present time in POSIX seconds.
        create: Makes executors; replaced in tests.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        blobs: BlobDir,
        owner: str,
        clock: Callable[[], float] = time.time,
        create: Callable[[str, Mapping[str, Any]], Executor] | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.blobs = blobs
        self.owner = owner
        self.feed = Feed()
        self.trouble = ""
        self.clock = clock
        self._scheduler = Scheduler()
        self._runner = Runner(settings, blobs, self._job_updated, self._job_accepted, create)
        self.attach = self._runner.attach
        self.check_executor = self._runner.check
        self.load_of = self._runner.load
        self._active: dict[DispatchId, Active] = {}
        self._cache = PayloadCache()
        self._inbox = Inbox(blobs)
        self._admissions: list[_Admission] = []
        self._handles: list[tuple[DispatchId, NodeId, str]] = []
        self._live: dict[tuple[DispatchId, int], JobStarted] = {}
        self._restoring: dict[DispatchId, list[FeedRecord]] = {}  # what was asked meanwhile
        self._jobs = JobBuilder(store, blobs, self._cache, settings.inline_limit)
        self._sublattices = Sublattices(self, self._jobs, self._inbox.put)
        self._acting = Acting(
            store, blobs, self._active, self._jobs, self._runner, self._sublattices, inbox=self._inbox, clock=clock
        )
        self._announcer = Announcer(store, self.feed, self._asked_by_others)
        self._endings = Endings(self._jobs)
        self._stop = asyncio.Event()

    def configure_executor(self, name: str, values: Mapping[str, Any]) -> None:
        """Let an executor have other option values; what it runs goes on with the earlier ones."""
        self.settings = replace(self.settings, executors={**self.settings.executors, name: values})
        self._runner.configure(name, values)

    # --- lifetime

    async def run(self, ready: Callable[[], None]) -> None:
        """Open the store, take up unfinished dispatches, and turn until `stop`.

        Args:
            ready: Called once it accepts work.

        Raises:
            StoreError: The store cannot be opened.
        """
        await self.store.open()
        try:
            self.feed = Feed(await self.store.last_seq())
            self._announcer = Announcer(self.store, self.feed, self._asked_by_others)
            async with asyncio.TaskGroup() as group:
                self._runner.start(group)
                self._runner.warm_up(self.settings.default_executor)
                await self._take_over()
                tasks = [
                    group.create_task(self._turn(), name="tick"),
                    group.create_task(self._keep_leases(), name="leases"),
                    group.create_task(self._follow(), name="follow"),
                    group.create_task(self._sweep(), name="sweep"),
                    group.create_task(self._sublattices.run(), name="sublattices"),
                ]
                ready()
                await self._stop.wait()
                for task in tasks:
                    task.cancel()
                if self._handles:  # what jobs told last lets the next dispatcher find them again
                    with contextlib.suppress(StoreError):
                        await self.store.record(Batch(handles=self._handles))
                await self._runner.close()
        finally:
            self._acting.close()
            self.feed.close()
            self._endings.close()
            with contextlib.suppress(StoreError):  # then whoever comes sees that this process is gone
                await self.store.release(self.owner)
            await self.store.close()

    def stop(self) -> None:
        """End `run`; unfinished dispatches go on with the next dispatcher, or with one that runs beside this one."""
        self._stop.set()

    @property
    def active(self) -> frozenset[DispatchId]:
        """Dispatches it runs."""
        return frozenset(self._active)

    async def wait_for_end(self, dispatch_id: DispatchId, timeout_s: float) -> Ending | None:
        """Return when a dispatch has ended, wherever it runs, or after `timeout_s` seconds.

        Returns:
            How it ended, if it ended here meanwhile; None if the store has to be asked.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                if dispatch_id in self._active:
                    return await self._endings.wait(dispatch_id)
                await end_elsewhere(self.store, self.feed, dispatch_id)
        return None

    async def printed(self, dispatch_id: DispatchId, node_id: NodeId, part: StreamPart) -> bytes | None:
        """What a running node has printed so far, None if it does not run here."""
        active, started = self._active.get(dispatch_id), self._live.get((dispatch_id, node_id))
        if active is None or not 0 <= node_id < len(active.graph.nodes):
            return None
        path = started and (started.stdout_path if part.stream == "stdout" else started.stderr_path)
        if path:
            return await asyncio.to_thread(_read_part, path, part)
        return await self._runner.printed(active.plan.policy[node_id].executor, dispatch_id, node_id, part)

    # --- what users ask for

    async def submit(self, new: NewDispatch, graph: Graph) -> bool:
        """Record a dispatch, and start it if it is to start at once; False if its id is known already.

        Raises:
            MissingLatticeRecordError: The dispatch it takes results from is not there any more.
            StoreError: It could not be recorded; nothing is left of it.
            UsageError: The graph cannot be scheduled.
        """
        active = Active(new.first_record(), graph, self.settings.executors)
        if new.redispatched_from is not None:
            active.reuse(new.reused, new.redispatched_from)
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._admissions.append(_Admission(new=new, active=active, done=done))
        self._inbox.hurry()
        return await done

    async def start(self, dispatch_id: DispatchId) -> None:
        """Start a dispatch that was only registered; later requests do nothing."""
        if dispatch_id in self._active:
            await self._inbox.put_and_wait(DispatchStarted(dispatch_id=dispatch_id, at=self.clock()))
        else:
            await self._ask_owner(dispatch_id, START_REQUESTED, None)

    async def cancel(self, dispatch_id: DispatchId, node_ids: frozenset[NodeId] | None) -> None:
        """Ask for nodes, or all of a dispatch, to stop; returns once the request is recorded.

        Raises:
            MissingLatticeRecordError: There is no such dispatch.
            MissingNodeError: It has no such node.
        """
        active = self._active.get(dispatch_id)
        if active is not None:
            unknown = [node for node in node_ids or () if not 0 <= node < len(active.graph.nodes)]
            if unknown:
                raise MissingNodeError(f"Dispatch {dispatch_id} has no node {min(unknown)}.")
            event = CancelRequested(dispatch_id=dispatch_id, node_ids=node_ids, at=self.clock())
            await self._inbox.put_and_wait(event)
        else:
            await self._ask_owner(dispatch_id, CANCEL_REQUESTED, node_ids)

    async def notify(self, dispatch_id: DispatchId, node_id: NodeId, body: Mapping[str, Any]) -> bool:
        """Tell a node's executor that its backend says the job is ready; False if it does not wait for that here.

        Raises:
            MissingLatticeRecordError: There is no such dispatch.
            MissingNodeError: It has no such node.
        """
        active = self._active.get(dispatch_id)
        if active is None:
            if await self.store.dispatch(dispatch_id) is None:
                raise MissingLatticeRecordError(dispatch_id)
            return False
        if not 0 <= node_id < len(active.graph.nodes):
            raise MissingNodeError(f"Dispatch {dispatch_id} has no node {node_id}.")
        return await self._runner.notify(active.plan.policy[node_id].executor, dispatch_id, node_id, body)

    async def delete(self, dispatch_ids: Sequence[DispatchId]) -> Sequence[DispatchId]:
        """Delete root dispatches that are over, with all that their nodes became; returns all that are gone."""
        tombstones = await self.store.delete(dispatch_ids, self.clock())
        for tombstone in tombstones:
            self._runner.dispatch_over(tombstone.dispatch_id, is_deleted=True)
        await self._announcer.announce(tombstones, tombstones[0].seq if tombstones else 0)
        return [tombstone.dispatch_id for tombstone in tombstones]

    async def _ask_owner(self, dispatch_id: DispatchId, status: str, node_ids: frozenset[NodeId] | None) -> None:
        record = await self.store.dispatch(dispatch_id)
        if record is None:
            raise MissingLatticeRecordError(dispatch_id)
        if DispatchState(record.state).is_terminal:
            return
        extra = None if node_ids is None else {"node_ids": sorted(node_ids)}
        asked = FeedRecord(dispatch_id=dispatch_id, node_id=None, status=status, at=self.clock(), extra=extra)
        if status == START_REQUESTED:
            kept = Request(dispatch_id=dispatch_id, starts=True)
        else:
            kept = Request(dispatch_id=dispatch_id, cancel_requested=merge_cancels(record.cancel_requested, node_ids))
        await self._announce_batch(Batch(transitions=[asked], requests=[kept]))
        self._asked(asked)  # it may have been taken over meanwhile

    # --- events

    def _job_updated(self, update: JobStarted | JobFinished) -> None:
        if isinstance(update, JobStarted):
            start = start_of(update)
            self._live[start.dispatch_id, start.node_id] = update
            self._inbox.put_start(start, _LONGEST_DELAY_S)
            return
        end = end_of(update, self.clock())
        self._live.pop((end.dispatch_id, end.node_id), None)
        active = self._active.get(end.dispatch_id)
        # The others keep the executor busy for a while.
        delay_s = 0.0 if active is None else min(_LONGEST_DELAY_S, active.in_flight * _SHORTEST_TASK_S)
        self._inbox.put_end(self._sublattices.read(end, active, update.outcome), update.outcome, delay_s)

    def _job_accepted(self, attempt: AttemptId, handle: JobHandle) -> None:
        self._handles.append(handle_row(attempt, handle))
        self._inbox.hurry()

    # --- the tick

    async def _turn(self) -> None:
        while True:
            await self._inbox.wait()
            await self._tick()

    async def _tick(self) -> None:
        admissions, self._admissions = self._admissions, []
        for admission in admissions:
            await self._admit(admission)
        arrivals = self._inbox.take()
        handles, self._handles = self._handles, []
        recording = Recording(self._active, self._cache)
        for arrival in arrivals:
            try:
                step = self._scheduler.handle(arrival.event)
            except InvalidEventError as error:
                if arrival.done is None:
                    _log.exception("an event was refused")
                elif not arrival.done.done():  # else whoever asked has gone
                    arrival.done.set_exception(error)
            else:
                recording.add(step, arrival.outcome, arrival.hit)
        batch = recording.batch(handles)
        if batch.transitions or batch.handles or batch.dispatches or recording.commands:
            first = await self._record(batch)
            self._inbox.recorded(arrivals)
            await self._carry_out(recording.commands, batch.transitions, first)
        else:
            self._inbox.recorded(arrivals)
        for arrival in arrivals:
            if arrival.done is not None and not arrival.done.done():
                arrival.done.set_result(None)
        self._forget_ended(recording)

    async def _admit(self, admission: _Admission) -> None:
        """Record a new dispatch together with its start, so that it is there as a whole or not at all."""
        new, done = admission.new, admission.done
        dispatch_id = new.dispatch_id
        if dispatch_id in self._active:
            _settle(done, False)
            return
        recording = Recording(self._active, self._cache)
        self._active[dispatch_id] = admission.active
        try:
            submitted = DispatchSubmitted(
                dispatch_id=dispatch_id, plan=admission.active.plan, at=new.created_at, reused=tuple(new.reused)
            )
            recording.add(self._scheduler.handle(submitted), None)
            if new.autostart:
                started = DispatchStarted(dispatch_id=dispatch_id, at=self.clock())
                recording.add(self._scheduler.handle(started), None)
            batch = recording.batch(())
            first = await self.store.create(new, batch)
        except LabError as error:
            self._withdraw(dispatch_id)
            _settle(done, error)
            return
        if first == 0:
            self._withdraw(dispatch_id)
            _settle(done, False)
            return
        _settle(done, True)
        for row in new.payloads:
            if row.data is not None:
                self._cache.put(dispatch_id, row.ref, row.data)
        await self._carry_out(recording.commands, [new.first_transition(), *batch.transitions], first)
        self._forget_ended(recording)

    def _withdraw(self, dispatch_id: DispatchId) -> None:
        del self._active[dispatch_id]
        self._endings.unknown(dispatch_id)
        self._scheduler.handle(DispatchWithdrawn(dispatch_id=dispatch_id, at=self.clock()))

    def _forget_ended(self, recording: Recording) -> None:
        for dispatch_id, active in recording.touched.items():
            if dispatch_id not in self._scheduler.active:
                ending = self._endings.over(active, self.feed.seq)
                self._active.pop(dispatch_id, None)
                self._cache.forget(dispatch_id)
                self._sublattices.ended(dispatch_id, ending)
                self._runner.dispatch_over(dispatch_id, is_deleted=False)

    async def _announce_batch(self, batch: Batch) -> None:
        await self._announcer.announce(batch.transitions, await self._record(batch))

    async def _carry_out(self, commands: Sequence[Command], recorded: Sequence[FeedRecord], first: int) -> None:
        """Act, announce."""
        for command in commands:
            await self._acting.carry_out(command)
        await self._announcer.announce(recorded, first)

    async def _record(self, batch: Batch) -> int:
        while True:
            try:
                first = await self.store.record(batch)
            except StoreError as error:
                if not self.trouble:
                    _log.error("cannot record, trying again every %g s: %s", _RETRY_S, error)
                self.trouble = str(error)
                await asyncio.sleep(_RETRY_S)
            else:
                if self.trouble:
                    _log.warning("recording works again")
                self.trouble = ""
                return first

    # --- other dispatchers on the same store

    def _asked_by_others(self, record: FeedRecord) -> None:
        if is_end(record):
            self._sublattices.ended(record.dispatch_id)
        self._asked(record)

    def _asked(self, record: FeedRecord) -> None:
        if record.dispatch_id in self._restoring:
            self._restoring[record.dispatch_id].append(record)
        if record.dispatch_id not in self._active:
            return
        if record.status == START_REQUESTED:
            self._inbox.put(DispatchStarted(dispatch_id=record.dispatch_id, at=record.at))
        elif record.status == CANCEL_REQUESTED:
            nodes = None if record.extra is None else frozenset(NodeId(n) for n in record.extra["node_ids"])
            self._inbox.put(CancelRequested(dispatch_id=record.dispatch_id, node_ids=nodes, at=record.at))

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_S)
            try:
                await self._announcer.follow()
            except StoreError as error:
                self.trouble = self.trouble or str(error)

    async def _sweep(self) -> None:
        """Remove payload files that nobody refers to: what a crash left between a file and its record."""
        try:
            forgotten = await asyncio.to_thread(self.blobs.older_than, self.clock() - _SWEEP_AGE_S)
            for begin in range(0, len(forgotten), _SWEEP_CHUNK):
                chunk = set(forgotten[begin : begin + _SWEEP_CHUNK])
                unused = chunk - set(await self.store.referenced(chunk))
                await asyncio.to_thread(self.blobs.remove, sorted(unused))
        except (OSError, StoreError) as error:
            _log.warning("payload files that nobody refers to were not removed: %s", error)

    # --- ownership

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self.settings.lease_s / 3)
            try:
                await self.store.renew(self.owner, self.clock() + self.settings.lease_s)
                await self._take_over()
            except StoreError as error:
                self.trouble = self.trouble or str(error)

    async def _take_over(self) -> None:
        now = self.clock()
        owners = [owner for owner in await self.store.owners() if owner != self.owner]
        if not owners:
            return
        running, gone = split_owners(owners)
        taken = await self.store.acquire(
            self.owner, protected=running, gone=gone, now=now, lease_until=now + self.settings.lease_s
        )
        for dispatch_id in taken:
            try:
                await self._restore(dispatch_id)
            except (LabError, ValueError, KeyError) as error:
                _log.exception("dispatch %s cannot be continued", dispatch_id)
                await self._give_up(dispatch_id, f"It cannot be continued after a restart: {error}")

    async def _give_up(self, dispatch_id: DispatchId, reason: str) -> None:
        """End a dispatch that cannot be restored, so that nobody waits for it for ever."""
        record = await self.store.dispatch(dispatch_id)
        if record is None:
            return
        await self._announce_batch(given_up(record, reason, self.clock()))
        self._active.pop(dispatch_id, None)
        self._endings.unknown(dispatch_id)
        self._sublattices.ended(dispatch_id)

    async def _restore(self, dispatch_id: DispatchId) -> None:
        asked = self._restoring[dispatch_id] = []
        try:
            found = await restored(self.store, dispatch_id, self.settings.executors, self.clock())
        finally:
            del self._restoring[dispatch_id]
        self._active[dispatch_id] = found.active
        for event in found.events:
            self._inbox.put(event)
        for record in asked:  # perhaps after the dispatch was read
            self._asked(record)
        for executor, handles in found.watched.items():
            self._runner.watch(executor, handles)


def _read_part(path: str, part: StreamPart) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(part.offset)
            return file.read(part.limit)
    except OSError:
        return b""


def _settle(done: asyncio.Future[bool], outcome: bool | LabError) -> None:
    if done.done():  # whoever asked has gone
        return
    if isinstance(outcome, bool):
        done.set_result(outcome)
    else:
        done.set_exception(outcome)
