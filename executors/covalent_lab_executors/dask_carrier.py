"""Carries orders to Dask schedulers, and brings their answers back; as often, and in as many ways, as it takes.

Decides how Dask is asked, not what becomes of a job: that is `dask_ledger.py`. What is said to Dask is `dask_link.py`,
what runs in its workers `dask_worker.py`.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import struct
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import ExecutorHost, JobSpec, JobStatus, NewPayload, Outcome
from covalent_lab.ids import AttemptId, DispatchId
from covalent_lab.worker import store_archive
from covalent_lab_executors.dask_jobs import Job, Order
from covalent_lab_executors.dask_ledger import Ledger, lost, trouble
from covalent_lab_executors.dask_link import TOPIC, DaskLink, LostError
from covalent_lab_executors.dask_messages import (
    Place,
    Reply,
    decode_reply,
    encode_collect,
    encode_order,
    encode_question,
    encode_stop,
    inlined,
    paths_of,
)
from covalent_lab_executors.local_paces import Paces

__all__ = ["Carrier"]

_FORGET_S = 5.0
_log = logging.getLogger(__name__)

_NO_ADDRESS = (
    "There is no Dask cluster to run this task: give its scheduler's address, as "
    "DaskExecutor(scheduler_address='tcp://host:8786'), or start one with `covalent-lab start --with-cluster`."
)


class Carrier:
    """Orders under way, and the connections to their schedulers.

    Args:
        ledger: The jobs.
        paces: Told how long functions take.
        host: Where payloads are.
        share: The file by which workers know that they see the host's folder.
        option: The value of an executor's option for a job.
        prefix: How the key of a job begins.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        paces: Paces,
        host: ExecutorHost,
        share: str,
        option: Callable[[JobSpec, str], Any],
        prefix: Callable[[JobSpec], str],
    ) -> None:
        self._ledger, self._paces, self._host, self._share = ledger, paces, host, share
        self._option, self._prefix = option, prefix
        self._orders: dict[str, Order] = {}
        self._links: dict[str, asyncio.Task[DaskLink]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forgetting: set[asyncio.Task[None]] = set()

    def cancel(self, order: Order, jobs: Sequence[Job]) -> None:
        """Take jobs from the scheduler that has them, in the background; running ones are stopped."""
        self._spawn(self._stop(order.link, order, jobs), self._tasks)

    async def leave_out(self, order: Order, steps: Sequence[AttemptId]) -> None:
        """Tell the worker of an order, if the scheduler has it, not to run steps that its jobs have not come to."""
        if order.link is not None:
            await order.link.stop(encode_stop(order.key, steps, order.grace_s), order.worker)

    async def printed(self, job: Job, stream: str, offset: int, limit: int) -> bytes:
        """Part of what the present step of a job has printed."""
        order = job.order
        if order.link is None:
            return b""
        question = encode_question(order.key, job.attempt_id, stream, offset, limit)
        text: bytes = await order.link.printed(question, order.worker)
        return text

    def dispatch_over(self, dispatch_id: DispatchId) -> None:
        """Let clusters give up values that only this dispatch needed."""
        for opening in self._links.values():
            if opening.done() and _is_usable(opening):
                opening.result().dispatch_over(dispatch_id)

    def threads(self, address: str) -> int | None:
        """How many tasks a cluster runs at a time; None if it is not known yet."""
        opening = self._links.get(address)
        return opening.result().threads if opening is not None and opening.done() and _is_usable(opening) else None

    async def close(self) -> None:
        """Leave the schedulers; jobs go on."""
        if self._forgetting:
            await asyncio.wait(self._forgetting, timeout=_FORGET_S)
        tasks = [*self._tasks, *self._forgetting, *self._links.values()]
        for task in tasks:
            task.cancel()
        found = await asyncio.gather(*self._links.values(), return_exceptions=True)
        await asyncio.gather(*tasks, return_exceptions=True)
        self._links.clear()
        await asyncio.gather(*(link.close() for link in found if isinstance(link, DaskLink)))

    # One order

    def begin(self, order: Order) -> None:
        """Carry an order out; what becomes of its jobs is told to the ledger."""
        self._orders[order.key] = order
        order.playing = self._spawn(self._play(order), self._tasks)
        order.playing.add_done_callback(partial(self._on_played, order))

    def _on_played(self, order: Order, playing: "asyncio.Task[None]") -> None:
        if self._orders.get(order.key) is order:
            del self._orders[order.key]
        if not playing.cancelled() and (error := playing.exception()) is not None:
            _log.error("Dask failed for %s", order.key, exc_info=error)
            reason = f"{type(error).__name__}: {error}"
            message = f"Dask failed ({reason}). See the log, and run the task again."
            self._ledger.finish_all(order, trouble(JobStatus.LOST, message))

    async def _play(self, order: Order) -> None:
        try:
            link = await self.link(order.address)
            await self._take(order, await self._run(link, order))
            self._ledger.finish_all(order, lost("its worker did not say"))
        except BackendError as error:
            status = JobStatus.FAILED if order.specs else JobStatus.LOST
            self._ledger.finish_all(order, trouble(status, str(error)))
            return
        except LostError as error:
            reason = "another worker took it over after its own was lost" if order.has_moved else str(error)
            self._ledger.finish_all(order, lost(reason))
        self._spawn(link.forget(order.key), self._forgetting)

    async def _run(self, link: DaskLink, order: Order) -> Reply:
        if not order.jobs:  # all were cancelled
            return Reply()
        specs = order.specs
        try:
            if not specs:
                order.future = await link.find(order.key)
                order.link = link
                if late := [job for job in order.jobs if job.is_cancelled]:
                    self._spawn(self._stop(link, order, late), self._tasks)
                reply = decode_reply(await link.answer(order.future))
                if reply.wants_bytes:
                    raise LostError("the worker needs its inputs, which only the dispatcher that started it had")
                return reply
            reply = await self._ask(link, order, specs)
            if reply.wants_bytes:  # the worker does not see this machine's files
                link.is_apart = True
                await self._rename(link, order, "-apart")
                reply = await self._ask(link, order, specs)
        except (KeyError, TypeError, ValueError, struct.error) as error:
            raise BackendError(f"The answer of Dask worker {order.worker or '?'} cannot be read: {error}.") from error
        except OSError as error:
            raise BackendError(f"The inputs of this task cannot be read: {error}. Run it again.") from error
        for digest in reply.kept:
            link.adopt(digest, specs[0].dispatch_id)
        return reply

    async def _ask(self, link: DaskLink, order: Order, specs: Sequence[JobSpec]) -> Reply:
        """Have an order carried out; its larger inputs as files, or else as values that stay on workers."""
        paths = {digest: path for spec in specs for digest, path in paths_of(spec).items()} if link.is_apart else {}
        values: Sequence[Any] = ()
        if paths:
            try:
                values = await link.values(paths, specs[0].dispatch_id)
            except (OSError, TimeoutError, ValueError) as error:
                _log.warning("values cannot be given to %s: %s", link.address, error)
        if values or not paths:
            if not await self._give(link, order, specs, list(paths), values):
                return Reply()
            try:
                return decode_reply(await link.answer(order.future))
            except LostError:
                if not values or order.worker:
                    raise
            await self._rename(link, order, "-bytes")  # the worker that had them was lost
        if not await self._give(link, order, await asyncio.to_thread(lambda: list(map(inlined, specs)))):
            return Reply()
        return decode_reply(await link.answer(order.future))

    async def _rename(self, link: DaskLink, order: Order, suffix: str) -> None:
        """Have an order carried out again, in another way."""
        order.link = order.future = None
        await link.forget(order.key)
        del self._orders[order.key]
        order.key += suffix
        self._orders[order.key] = order
        for job in order.jobs:
            self._ledger.identify(job)

    async def _give(
        self,
        link: DaskLink,
        order: Order,
        specs: Sequence[JobSpec],
        digests: Sequence[str] = (),
        values: Sequence[Any] = (),
    ) -> bool:
        """Let the scheduler have an order, without what was cancelled meanwhile; False if that is all of it."""
        stops = [step for job in order.jobs for step in job.stops]
        if stops:
            await link.stop(encode_stop(order.key, stops, order.grace_s))
        wanted = {job.attempt_id for job in order.jobs if not job.is_cancelled}
        specs = [spec for spec in specs if spec.attempt_id in wanted]
        if not specs:
            return False
        host, first = self._host, specs[0]
        place = Place(
            key=order.key,
            workdir=str(self._option(first, "workdir") or ""),
            is_unique=bool(self._option(first, "create_unique_workdir")),
            cache_dir=str(self._option(first, "cache_dir") or ""),
            share=self._share,
            payload_dir=host.payload_dir,
            inline_limit=host.inline_limit,
            topic=TOPIC,
        )
        try:
            order.future = link.submit(
                order.key,
                encode_order(specs, place, digests),
                values=values,
                resources=self._option(first, "resources"),
                priority=int(self._option(first, "priority") or 0),
            )
        except (TypeError, ValueError) as error:
            raise BackendError(f"Dask does not take this task: {error}. Correct the executor's options.") from error
        order.link = link
        await link.keep(order.key, order.future)
        return True

    async def _take(self, order: Order, reply: Reply) -> None:
        """Report what has ended; give again what was given back."""
        for attempt_id, answered in reply.answers:
            outcome = await self._placed(answered)
            job = self._ledger.in_turn(attempt_id, order)
            if job is not None:
                if job.spec is not None and outcome.status is JobStatus.COMPLETED and not job.later:
                    self._paces.learn(job.spec, outcome)
                self._ledger.end_step(job, outcome)
        for attempt_id in reply.returned:
            job = self._ledger.in_turn(attempt_id, order)
            if job is None:
                continue
            order.jobs.remove(job)
            if job.is_cancelled:
                self._ledger.finish(job, Outcome(status=JobStatus.CANCELLED))
            elif job.spec is None:
                self._ledger.finish(job, lost("it was given back when nobody was there to take it"))
            else:
                self.begin(Order(address=order.address, key=f"{self._prefix(job.spec)}-{attempt_id}-again", jobs=[job]))
                self._ledger.identify(job)

    async def _placed(self, outcome: Outcome) -> Outcome:
        """The outcome with a large output in its file, where the worker could not write it."""
        host, output = self._host, outcome.output
        if output is None or output.data is None or len(output.data) <= host.inline_limit:
            return outcome
        part = os.path.join(host.payload_dir, f"dask-{secrets.token_hex(8)}.part")
        await asyncio.to_thread(store_archive, [output.data], host.payload_dir, part)
        return replace(outcome, output=NewPayload(ref=output.ref))

    # News of workers

    def _on_began(self, said: Mapping[str, Any]) -> None:
        order = self._orders.get(str(said.get("key")))
        if order is None:
            return
        link, worker = order.link, str(said["worker"])
        if link is not None and order.worker and worker != order.worker:
            order.has_moved = True  # Dask tries again what a lost worker ran; that is for the task's own policy to say
            self._spawn(self._stop(link, order, list(order.jobs)), self._tasks)
        order.worker = worker
        if said["news"] and link is not None:
            self._spawn(self._collect(link, order, said), self._tasks)
        else:
            self._began(order, said)

    def _began(self, order: Order, said: Mapping[str, Any]) -> None:
        job = self._ledger.in_turn(AttemptId(str(said["job"])), order)
        if job is not None:
            self._ledger.started(job, float(said["at"]))

    async def _collect(self, link: DaskLink, order: Order, said: Mapping[str, Any]) -> None:
        """A task takes longer than others of its order can wait: report what has ended, and give them to others."""
        reply = await link.collect(encode_collect(order.key), order.worker)
        with contextlib.suppress(KeyError, TypeError, ValueError, struct.error):
            await self._take(order, decode_reply(reply) if reply else Reply())
        self._began(order, said)

    async def _stop(self, link: DaskLink, order: Order, jobs: Sequence[Job]) -> None:
        """Stop jobs at their scheduler and workers; one that has begun still answers, with what it has printed."""
        grace_s, cancelled = order.grace_s, [job for job in jobs if job.is_cancelled]
        stop = encode_stop(order.key, [job.attempt_id for job in jobs], grace_s)
        if order.has_moved:
            await self._drop(link, order)
        is_running = await link.stop(stop, "" if order.has_moved else order.worker)
        if (is_running or order.worker) and not order.has_moved:
            if cancelled and order.playing is not None:
                await asyncio.wait([order.playing], timeout=grace_s + 10)
                if not order.playing.done():
                    await self._drop(link, order)
            return
        if all(job.is_cancelled for job in order.jobs):
            await self._drop(link, order)
        for job in cancelled:
            self._ledger.finish(job, Outcome(status=JobStatus.CANCELLED))

    @staticmethod
    async def _drop(link: DaskLink, order: Order) -> None:
        if order.future is not None:  # else it is about to be given again, without what was cancelled
            await link.drop([order.future])

    # Connections

    async def link(self, address: str) -> DaskLink:
        """The open connection to a scheduler; all that need it wait for the same one.

        Raises:
            BackendError: There is no address, or nobody answers there.
        """
        if not address:
            raise BackendError(_NO_ADDRESS)
        opening = self._links.get(address)
        if opening is not None and opening.done() and not _is_usable(opening):
            if not opening.cancelled() and opening.exception() is None:  # it would try for ever to come back
                self._spawn(opening.result().close(), self._forgetting)
            opening = None
        if opening is None:
            opening = asyncio.create_task(DaskLink.open(address, self._on_began))
            self._links[address] = opening
        return await asyncio.shield(opening)

    @staticmethod
    def _spawn(work: Coroutine[Any, Any, None], tasks: "set[asyncio.Task[None]]") -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task


def _is_usable(opening: "asyncio.Task[DaskLink]") -> bool:
    return not opening.cancelled() and opening.exception() is None and opening.result().is_open
