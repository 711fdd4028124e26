"""What the scheduler asked for, carried out: jobs for executors, timers, dispatches of sublattices.

Each command ends by putting an event into the inbox, sooner or later.
"""

import asyncio
from collections.abc import Callable, Mapping

from covalent_lab.dispatcher.active import Active
from covalent_lab.dispatcher.inbox import Inbox, files_of
from covalent_lab.dispatcher.jobs import JobBuilder
from covalent_lab.dispatcher.reuse import take_over
from covalent_lab.dispatcher.runner import Runner
from covalent_lab.dispatcher.sublattices import Sublattices
from covalent_lab.errors import StoreError
from covalent_lab.ids import DispatchId, attempt_id
from covalent_lab.scheduler.commands import (
    CancelNode,
    CancelSublattice,
    Command,
    DispatchSublattice,
    StartTimer,
    SubmitNode,
)
from covalent_lab.scheduler.events import NodeFailed, TimeLimitElapsed
from covalent_lab.store.base import Store
from covalent_lab.store.blobs import BlobDir

__all__ = ["Acting"]


class Acting:
    """Carries out commands; its methods belong to one event loop.

    Args:
        store: Where results of equal calls are.
        blobs: Where the large ones of them are.
        active: Dispatches that run; commands of others are ignored.
        jobs: Gathers what a job is made of.
        runner: Hands jobs to executors.
        sublattices: Has nodes run as dispatches of their own.
        inbox: Gets the events.
        clock: Present time in POSIX seconds.
    """

    def __init__(
        self,
        store: Store,
        blobs: BlobDir,
        active: Mapping[DispatchId, Active],
        jobs: JobBuilder,
        runner: Runner,
        sublattices: Sublattices,
        *,
        inbox: Inbox,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._active = active
        self._jobs = jobs
        self._runner = runner
        self._sublattices = sublattices
        self._inbox = inbox
        self._clock = clock
        self._timers: set[asyncio.TimerHandle] = set()

    async def carry_out(self, command: Command) -> None:
        """Do what is asked for, or set it going."""
        active = self._active.get(command.dispatch_id)
        if active is None:
            return
        node_id, attempt = command.node_id, command.attempt
        executor = active.plan.policy[node_id].executor
        match command:
            case SubmitNode():
                await self._submit(active, executor, command)
            case CancelNode():
                self._runner.cancel(executor, attempt_id(active.dispatch_id, node_id, attempt))
            case StartTimer():
                self._start_timer(command)
            case DispatchSublattice() | CancelSublattice():
                cancels = isinstance(command, CancelSublattice)
                self._sublattices.follow(active, node_id, attempt, cancels=cancels)

    def close(self) -> None:
        """Stop the timers."""
        for timer in self._timers:
            timer.cancel()

    async def _submit(self, active: Active, executor: str, command: SubmitNode) -> None:
        dispatch_id, node_id, attempt = active.dispatch_id, command.node_id, command.attempt
        try:
            key = active.cache_key(node_id)
            if key and (taken := await take_over(self._store, key, dispatch_id, node_id, attempt, self._clock())):
                event, outcome, hit = taken
                with self._blobs.holding(hit.ref.digest):
                    if not files_of(outcome) or await asyncio.to_thread(self._blobs.path(hit.ref.digest).exists):
                        self._inbox.put(event, outcome, hit)
                        return  # else the cache was purged meanwhile
            spec = await self._jobs.build(active, node_id, attempt, command.then)
        except StoreError as error:
            message = f"Its inputs cannot be read: {error}"
            self._inbox.put(
                NodeFailed(dispatch_id=dispatch_id, node_id=node_id, attempt=attempt, at=self._clock(), message=message)
            )
            return
        self._runner.submit(executor, spec)

    def _start_timer(self, command: StartTimer) -> None:
        event = TimeLimitElapsed(
            dispatch_id=command.dispatch_id,
            node_id=command.node_id,
            attempt=command.attempt,
            at=self._clock() + command.delay_s,
        )

        def elapsed() -> None:
            self._timers.discard(timer)
            self._inbox.put(event)

        timer = asyncio.get_running_loop().call_later(command.delay_s, elapsed)
        self._timers.add(timer)
