"""Runs tasks on a Dask cluster: jobs become keys of a scheduler, and answers become outcomes.

Decides what becomes of a job; what is said to Dask is `dask_link.py`, what runs in its workers `dask_worker.py`.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import struct
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobFinished,
    JobHandle,
    JobIdentified,
    JobSpec,
    JobStarted,
    JobStatus,
    NewPayload,
    Option,
    Outcome,
    ShortName,
    TaskFailure,
)
from covalent_lab.executor.completed import completed
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId, DispatchId
from covalent_lab.worker import store_archive
from covalent_lab_executors.dask_jobs import Job, Order, orders
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

__all__ = ["DaskExecutor"]

_FORGET_S = 5.0
_log = logging.getLogger(__name__)

_NO_ADDRESS = (
    "There is no Dask cluster to run this task: give its scheduler's address, as "
    "DaskExecutor(scheduler_address='tcp://host:8786'), or start one with `covalent-lab start --with-cluster`."
)


class DaskExecutor(Executor):
    """Runs tasks on a Dask cluster, each in a process of its own that a worker starts.

    Workers need cloudpickle and the modules that tasks import, not this package. Jobs outlive the dispatcher: the
    scheduler keeps their answers until a dispatcher has taken them.
    """

    short_name: ClassVar[ShortName] = ShortName("dask")
    max_in_flight = 1024
    packs = True
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            name="scheduler_address", default="", doc="Of the Dask scheduler; that of the bundled cluster if empty."
        ),
        Option(name="log_stdout", default="stdout.log", doc="File for standard output in the results folder."),
        Option(name="log_stderr", default="stderr.log", doc="File for standard error in the results folder."),
        Option(name="conda_env", default="", doc="Accepted for old programs; has no effect."),
        Option(
            name="cache_dir", default="", doc="Folder, on the worker's machine, of packages that tasks bring along."
        ),
        Option(name="current_env_on_conda_fail", default=False, doc="Accepted for old programs; has no effect."),
        Option(name="workdir", default="", doc="Working directory on the worker's machine; a temporary one if empty."),
        Option(name="create_unique_workdir", default=False, doc="Give each task a folder of its own in workdir."),
        Option(name="grace_s", default=1.0, doc="Seconds between asking a cancelled task to end and killing it."),
        Option(name="time_limit", default=-1, doc="Seconds after which a task is stopped; -1 for never."),
        Option(name="retries", default=0, doc="How often a failed task is tried again."),
        Option(name="resources", default=None, doc="Dask resources that a task needs of its worker, as {'GPU': 1}."),
        Option(name="priority", default=0, doc="Dask priority; tasks with a higher one go first."),
        Option(name="key", default="", doc="Beginning of the tasks' Dask keys; the name of the task if empty."),
    )

    def __init__(
        self,
        scheduler_address: str = "",
        log_stdout: str = "stdout.log",
        log_stderr: str = "stderr.log",
        conda_env: str = "",
        cache_dir: str = "",
        current_env_on_conda_fail: bool = False,
        workdir: str = "",
        create_unique_workdir: bool | None = None,
        **values: Any,
    ) -> None:
        """Hold option values; see `options` for their meaning, and for the others.

        Those that are empty or not given come from the section `executors.dask` of the configuration.

        Raises:
            TypeError: An argument is not an option of this executor.
        """
        given = {
            "scheduler_address": scheduler_address,
            "log_stdout": log_stdout,
            "log_stderr": log_stderr,
            "conda_env": conda_env,
            "cache_dir": os.fspath(cache_dir),
            "current_env_on_conda_fail": current_env_on_conda_fail,
            "workdir": os.fspath(workdir),
            "create_unique_workdir": create_unique_workdir,
        }
        super().__init__(**completed(type(self), {**given, **values}))
        self._host: ExecutorHost | None = None
        self._share = ""
        self._jobs: dict[AttemptId, Job] = {}
        self._orders: dict[str, Order] = {}
        self._paces = Paces()
        self._links: dict[str, asyncio.Task[DaskLink]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forgetting: set[asyncio.Task[None]] = set()

    async def start(self, host: ExecutorHost) -> None:
        """Connect to nothing yet: addresses come with jobs."""
        try:
            self._share = await asyncio.to_thread(_sign, host.work_dir)
        except OSError as error:
            raise BackendError(f"The Dask executor cannot use its folder: {error}. Check its permissions.") from error
        self._host = host

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Take over jobs; connecting, and giving them to the scheduler, goes on in the background."""
        self._started()
        default = ""
        if not all(self._option(spec, "scheduler_address") for spec in specs):
            default = str(await asyncio.to_thread(_configured_address))
        new: dict[str, list[Job]] = {}
        for spec in specs:
            if spec.attempt_id not in self._jobs:
                later = deque(step.attempt_id for step in spec.then)
                job = Job(attempt_id=spec.attempt_id, grace_s=self._grace_s(spec), spec=spec, later=later)
                self._jobs.update(dict.fromkeys((job.attempt_id, *later), job))
                new.setdefault(str(self._option(spec, "scheduler_address") or default), []).append(job)
        for address, jobs in new.items():
            for order in orders(jobs, address, self._paces, self._share_of_a_worker(address), self._prefix):
                self._begin(order)
        return [self._jobs[spec.attempt_id].order.handle for spec in specs]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Look for jobs at their schedulers; LOST are those that no scheduler knows."""
        self._started()
        found: dict[tuple[str, str], list[Job]] = {}
        for attempt_id, handle in handles.items():
            if attempt_id not in self._jobs:
                job = self._jobs[attempt_id] = Job(attempt_id=attempt_id, grace_s=1.0)
                found.setdefault((str(handle.get("address", "")), str(handle.get("key", ""))), []).append(job)
        for (address, key), jobs in found.items():
            self._begin(Order(address=address, key=key, jobs=jobs))

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Take queued jobs from the scheduler; ask running tasks to end, and kill them after `grace_s`."""
        cancelled: dict[Order, list[Job]] = {}
        stopped: dict[Order, list[AttemptId]] = {}
        for attempt_id in handles:
            job = self._jobs.get(attempt_id)
            if job is None or job.is_cancelled:
                continue
            if attempt_id != job.attempt_id:
                job.stops.add(attempt_id)
                stopped.setdefault(job.order, []).append(attempt_id)
                continue
            job.is_cancelled = True
            if job.order.future is not None:
                cancelled.setdefault(job.order, []).append(job)
            else:  # the scheduler does not have it yet
                self._finish(job, Outcome(status=JobStatus.CANCELLED))
        for order, jobs in cancelled.items():
            self._spawn(self._stop(self._links[order.address].result(), order, jobs), self._tasks)
        for order, steps in stopped.items():
            if order.future is not None:
                link, stop = self._links[order.address].result(), encode_stop(order.key, steps, order.grace_s)
                await link.stop(stop, order.worker)

    async def printed(self, attempt_id: AttemptId, stream: str, offset: int, limit: int) -> bytes:
        """Ask the job's worker."""
        job = self._jobs.get(attempt_id)
        if job is None or job.order.future is None or attempt_id != job.attempt_id:
            return b""
        link = await self._links[job.order.address]
        return await link.printed(encode_question(job.order.key, attempt_id, stream, offset, limit), job.order.worker)

    def dispatch_over(self, dispatch_id: DispatchId, *, is_deleted: bool) -> None:
        """Let clusters give up values that only this dispatch needed."""
        for opening in self._links.values():
            if opening.done() and _is_usable(opening):
                opening.result().dispatch_over(dispatch_id)

    async def check(self) -> Health:
        """Ask the configured scheduler for its workers."""
        address = str(self.scheduler_address or await asyncio.to_thread(_configured_address))  # type: ignore[attr-defined]
        link = await self._link(address)
        said = await link.describe()
        facts = {
            "Scheduler": address,
            "Workers": said["workers"],
            "Threads": said["threads"],
            "Memory": f"{said['memory'] / 2**30:.1f} GiB",
            "Python": said["python"],
            "cloudpickle": said["cloudpickle"],
            "distributed": said["version"],
        }
        return Health(
            is_usable=bool(said["workers"]),
            summary=f"Connected; workers: {said['workers']}, threads: {said['threads']}."
            if said["workers"]
            else "The scheduler answers, but it has no workers; tasks would wait. Start some, or scale the cluster.",
            facts=facts,
            links={"Dashboard": link.dashboard} if link.dashboard else {},
        )

    async def close(self) -> None:
        """Leave the schedulers; jobs go on, and the next dispatcher watches them."""
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

    def _begin(self, order: Order) -> None:
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
            self._finish_all(order, _trouble(JobStatus.LOST, message))

    async def _play(self, order: Order) -> None:
        try:
            link = await self._link(order.address)
            await self._take(order, await self._run(link, order))
            self._finish_all(order, _lost("its worker did not say"))
        except BackendError as error:
            status = JobStatus.FAILED if order.specs else JobStatus.LOST
            self._finish_all(order, _trouble(status, str(error)))
            return
        except LostError as error:
            reason = "another worker took it over after its own was lost" if order.has_moved else str(error)
            self._finish_all(order, _lost(reason))
        self._spawn(link.forget(order.key), self._forgetting)

    async def _run(self, link: DaskLink, order: Order) -> Reply:
        if not order.jobs:  # all were cancelled
            return Reply()
        specs = order.specs
        try:
            if not specs:
                order.future = await link.find(order.key)
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
            await self._give(link, order, specs, list(paths), values)
            try:
                return decode_reply(await link.answer(order.future))
            except LostError:
                if not values or order.worker:
                    raise
            await self._rename(link, order, "-bytes")  # the worker that had them was lost
        await self._give(link, order, await asyncio.to_thread(lambda: list(map(inlined, specs))))
        return decode_reply(await link.answer(order.future))

    async def _rename(self, link: DaskLink, order: Order, suffix: str) -> None:
        """Have an order carried out again, in another way."""
        await link.forget(order.key)
        del self._orders[order.key]
        order.key += suffix
        self._orders[order.key] = order
        for job in order.jobs:
            self._identify(job)

    async def _give(
        self,
        link: DaskLink,
        order: Order,
        specs: Sequence[JobSpec],
        digests: Sequence[str] = (),
        values: Sequence[Any] = (),
    ) -> None:
        host, first = self._started(), specs[0]
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
        stops = [step for job in order.jobs for step in job.stops]
        if stops:
            await link.stop(encode_stop(order.key, stops, order.grace_s))
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
        await link.keep(order.key, order.future)

    async def _take(self, order: Order, reply: Reply) -> None:
        """Report what has ended; give again what was given back."""
        for attempt_id, answered in reply.answers:
            outcome = await self._placed(answered)
            job = self._jobs.get(attempt_id)
            if job is not None and job.order is order and job.attempt_id == attempt_id:
                if job.spec is not None and outcome.status is JobStatus.COMPLETED and not job.later:
                    self._paces.learn(job.spec, outcome)
                self._end_step(job, outcome)
        for attempt_id in reply.returned:
            job = self._jobs.get(attempt_id)
            if job is None or job.order is not order or job.attempt_id != attempt_id:
                continue
            order.jobs.remove(job)
            if job.is_cancelled:
                self._finish(job, Outcome(status=JobStatus.CANCELLED))
            elif job.spec is None:
                self._finish(job, _lost("it was given back when nobody was there to take it"))
            else:
                self._begin(
                    Order(address=order.address, key=f"{self._prefix(job.spec)}-{attempt_id}-again", jobs=[job])
                )
                self._identify(job)

    async def _placed(self, outcome: Outcome) -> Outcome:
        """The outcome with a large output in its file, where the worker could not write it."""
        host, output = self._started(), outcome.output
        if output is None or output.data is None or len(output.data) <= host.inline_limit:
            return outcome
        part = os.path.join(host.payload_dir, f"dask-{secrets.token_hex(8)}.part")
        await asyncio.to_thread(store_archive, [output.data], host.payload_dir, part)
        return replace(outcome, output=NewPayload(ref=output.ref))

    def _end_step(self, job: Job, outcome: Outcome) -> None:
        """Report the end of a step, and come to the next one if there is one."""
        if job.is_cancelled or outcome.status is not JobStatus.COMPLETED or not job.later:
            self._finish(job, outcome)
            return
        self._report_end(job, outcome)
        del self._jobs[job.attempt_id]
        job.attempt_id, job.has_started = job.later.popleft(), False
        job.is_cancelled = job.attempt_id in job.stops

    def _finish(self, job: Job, outcome: Outcome) -> None:
        if self._jobs.get(job.attempt_id) is not job:
            return
        for attempt_id in (job.attempt_id, *job.later):
            del self._jobs[attempt_id]
        if job in job.order.jobs:
            job.order.jobs.remove(job)
        if job.is_cancelled:
            outcome = replace(outcome, status=JobStatus.CANCELLED, output=None, failure=None)
        self._report_end(job, outcome)

    def _finish_all(self, order: Order, outcome: Outcome) -> None:
        for job in list(order.jobs):
            self._finish(job, outcome)

    def _report_end(self, job: Job, outcome: Outcome) -> None:
        if outcome.started_at is not None:
            self._tell_start(job, outcome.started_at)
        self._started().report(JobFinished(attempt_id=job.attempt_id, outcome=outcome))

    def _tell_start(self, job: Job, at: float) -> None:
        if not job.has_started:
            job.has_started = True
            self._started().report(JobStarted(attempt_id=job.attempt_id, at=at))

    def _identify(self, job: Job) -> None:
        self._started().report(JobIdentified(attempt_id=job.attempt_id, handle=job.order.handle))

    # News of workers

    def _on_began(self, said: Mapping[str, Any]) -> None:
        order = self._orders.get(str(said.get("key")))
        if order is None:
            return
        link = self._links[order.address].result()
        if order.worker and said["worker"] != order.worker:
            order.has_moved = True  # Dask tries again what a lost worker ran; that is for the task's own policy to say
            self._spawn(self._stop(link, order, list(order.jobs)), self._tasks)
        order.worker = str(said["worker"])
        if said["news"]:
            self._spawn(self._collect(link, order, said), self._tasks)
        else:
            self._began(order, said)

    def _began(self, order: Order, said: Mapping[str, Any]) -> None:
        job = self._jobs.get(AttemptId(str(said["job"])))
        if job is not None and job.order is order and job.attempt_id == said["job"]:
            self._tell_start(job, float(said["at"]))

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
            await link.drop([order.future])
        is_running = await link.stop(stop, "" if order.has_moved else order.worker)
        if (is_running or order.worker) and not order.has_moved:
            if cancelled and order.playing is not None:
                await asyncio.wait([order.playing], timeout=grace_s + 10)
                if not order.playing.done():
                    await link.drop([order.future])
            return
        if all(job.is_cancelled for job in order.jobs):
            await link.drop([order.future])
        for job in cancelled:
            self._finish(job, Outcome(status=JobStatus.CANCELLED))

    # Connections

    async def _link(self, address: str) -> DaskLink:
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

    def _started(self) -> ExecutorHost:
        if self._host is None:
            raise BackendError("The Dask executor was not started. Await start() before any other verb.")
        return self._host

    def _option(self, spec: JobSpec, name: str) -> Any:
        given = spec.options.get(name)
        return getattr(self, name) if given in (None, "") else given

    def _prefix(self, spec: JobSpec) -> str:
        return str(self._option(spec, "key") or spec.name)

    def _share_of_a_worker(self, address: str) -> int:
        """How many of the jobs here are enough for one thread of a cluster, so that others get some as well."""
        opening = self._links.get(address)
        if opening is None or not opening.done() or not _is_usable(opening):
            return 1
        return len(self._jobs) // (2 * max(1, opening.result().threads))

    def _grace_s(self, spec: JobSpec) -> float:
        try:
            return max(0.0, float(self._option(spec, "grace_s")))
        except (TypeError, ValueError):
            return 1.0


def _is_usable(opening: "asyncio.Task[DaskLink]") -> bool:
    return not opening.cancelled() and opening.exception() is None and opening.result().is_open


def _trouble(status: JobStatus, message: str) -> Outcome:
    return Outcome(status=status, failure=TaskFailure(message=message, is_user_error=False, is_transient=True))


def _lost(reason: str) -> Outcome:
    return _trouble(JobStatus.LOST, f"Nobody can tell how this task ended: {reason}. Run it again.")


def _configured_address() -> Any:
    return ConfigReader().value("dask.scheduler_address")


def _sign(folder: str) -> str:
    """The file by which workers know that they see this folder; its name cannot be guessed."""
    for path in Path(folder).glob("here-*"):
        return str(path)
    made = Path(folder, f"here-{secrets.token_hex(16)}")
    made.touch()
    return str(made)
