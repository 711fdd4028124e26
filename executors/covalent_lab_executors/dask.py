"""Runs tasks on a Dask cluster: jobs become keys of a scheduler, and answers become outcomes.

Decides what becomes of a job; what is said to Dask is `dask_link.py`, what runs in its workers `dask_worker.py`.
"""

import asyncio
import logging
import os
import secrets
import struct
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    JobSpec,
    JobStarted,
    JobStatus,
    NewPayload,
    Option,
    Outcome,
    ShortName,
    TaskFailure,
)
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId
from covalent_lab.worker import store_archive
from covalent_lab_executors.dask_link import TOPIC, DaskLink, LostError
from covalent_lab_executors.dask_messages import Place, decode_reply, encode_order, encode_stop, has_paths, inlined

__all__ = ["DaskExecutor"]

_FORGET_S = 5.0
_log = logging.getLogger(__name__)

_NO_ADDRESS = (
    "There is no Dask cluster to run this task: give its scheduler's address, as "
    "DaskExecutor(scheduler_address='tcp://host:8786'), or start one with `covalent-lab start --with-cluster`."
)


@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    attempt_id: AttemptId
    address: str
    key: str
    grace_s: float
    spec: JobSpec | None = None  # not there if it was submitted by an earlier dispatcher
    future: Any = None
    worker: str = ""
    is_cancelled: bool = False
    is_finished: bool = False
    has_started: bool = False
    has_moved: bool = False
    playing: "asyncio.Task[None] | None" = field(default=None)


class DaskExecutor(Executor):
    """Runs tasks on a Dask cluster, each in a process of its own that a worker starts.

    Workers need cloudpickle and the modules that tasks import, not this package. Jobs outlive the dispatcher: the
    scheduler keeps their answers until a dispatcher has taken them.
    """

    short_name: ClassVar[ShortName] = ShortName("dask")
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

        Raises:
            TypeError: An argument is not an option of this executor.
        """
        super().__init__(
            scheduler_address=scheduler_address,
            log_stdout=log_stdout,
            log_stderr=log_stderr,
            conda_env=conda_env,
            cache_dir=os.fspath(cache_dir),
            current_env_on_conda_fail=current_env_on_conda_fail,
            workdir=os.fspath(workdir),
            create_unique_workdir=bool(create_unique_workdir),
            **values,
        )
        self._host: ExecutorHost | None = None
        self._share = ""
        self._jobs: dict[AttemptId, _Job] = {}
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
        handles = []
        for spec in specs:
            key = f"{self._option(spec, 'key') or spec.name}-{spec.attempt_id}"
            address = str(self._option(spec, "scheduler_address") or default)
            job = _Job(attempt_id=spec.attempt_id, address=address, key=key, grace_s=self._grace_s(spec), spec=spec)
            handles.append({"address": address, "key": key})
            if spec.attempt_id not in self._jobs:
                self._begin(job)
        return handles

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Look for jobs at their schedulers; LOST are those that no scheduler knows."""
        self._started()
        for attempt_id, handle in handles.items():
            if attempt_id not in self._jobs:
                address, key = str(handle.get("address", "")), str(handle.get("key", ""))
                self._begin(_Job(attempt_id=attempt_id, address=address, key=key, grace_s=1.0))

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Take queued jobs from the scheduler; ask running tasks to end, and kill them after `grace_s`."""
        jobs = [job for job in map(self._jobs.get, handles) if job is not None and not job.is_cancelled]
        for job in jobs:
            job.is_cancelled = True
        by_address: dict[str, list[_Job]] = {}
        for job in jobs:
            if job.future is None:  # the scheduler does not have it yet
                self._finish(job, Outcome(status=JobStatus.CANCELLED))
            else:
                by_address.setdefault(job.address, []).append(job)
        for address, there in by_address.items():
            self._spawn(self._stop(self._links[address].result(), there), self._tasks)

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

    # One job

    def _begin(self, job: _Job) -> None:
        self._jobs[job.attempt_id] = job
        job.playing = self._spawn(self._play(job), self._tasks)
        job.playing.add_done_callback(partial(self._on_played, job))

    def _on_played(self, job: _Job, playing: "asyncio.Task[None]") -> None:
        if not playing.cancelled() and (error := playing.exception()) is not None:
            _log.error("Dask failed for %s", job.attempt_id, exc_info=error)
            reason = f"{type(error).__name__}: {error}"
            self._finish(job, _trouble(JobStatus.LOST, f"Dask failed ({reason}). See the log, and run the task again."))

    async def _play(self, job: _Job) -> None:
        try:
            link = await self._link(job.address)
            outcome = await self._run(link, job)
        except BackendError as error:
            status = JobStatus.LOST if job.spec is None else JobStatus.FAILED
            self._finish(job, _trouble(status, str(error)))
            return
        except LostError as error:
            reason = "another worker took it over after its own was lost" if job.has_moved else str(error)
            outcome = _trouble(JobStatus.LOST, f"Nobody can tell how this task ended: {reason}. Run it again.")
        self._finish(job, outcome)
        self._spawn(link.forget(job.key), self._forgetting)

    async def _run(self, link: DaskLink, job: _Job) -> Outcome:
        if job.spec is None:
            job.future = await link.find(job.key)
        else:
            await self._give(link, job, job.spec)
        reply = await link.answer(job.future)
        try:
            outcome = decode_reply(reply)
            if outcome is None:  # the worker does not see this machine's files
                if job.spec is None or not has_paths(job.spec):
                    raise LostError("the worker needs its inputs, which only the dispatcher that started it had")
                await link.forget(job.key)
                job.key = f"{job.key}-bytes"
                await self._give(link, job, await asyncio.to_thread(inlined, job.spec))
                outcome = decode_reply(await link.answer(job.future))
            if outcome is None:
                raise ValueError("it asks for what it has")
        except (KeyError, TypeError, ValueError, struct.error) as error:
            raise BackendError(f"The answer of Dask worker {job.worker or '?'} cannot be read: {error}.") from error
        except OSError as error:
            raise BackendError(f"The inputs of this task cannot be read: {error}. Run it again.") from error
        return await self._placed(outcome)

    async def _give(self, link: DaskLink, job: _Job, spec: JobSpec) -> None:
        host = self._started()
        place = Place(
            key=job.key,
            workdir=str(self._option(spec, "workdir") or ""),
            subfolder=f"{spec.dispatch_id}/node_{spec.node_id}" if self._option(spec, "create_unique_workdir") else "",
            cache_dir=str(self._option(spec, "cache_dir") or ""),
            share=self._share,
            payload_dir=host.payload_dir,
            inline_limit=host.inline_limit,
            topic=TOPIC,
        )
        try:
            job.future = link.submit(
                job.key,
                encode_order(spec, place),
                resources=self._option(spec, "resources"),
                priority=int(self._option(spec, "priority") or 0),
            )
        except (TypeError, ValueError) as error:
            raise BackendError(f"Dask does not take this task: {error}. Correct the executor's options.") from error
        await link.keep(job.key, job.future)

    async def _placed(self, outcome: Outcome) -> Outcome:
        """The outcome with a large output in its file, where the worker could not write it."""
        host, output = self._started(), outcome.output
        if output is None or output.data is None or len(output.data) <= host.inline_limit:
            return outcome
        part = os.path.join(host.payload_dir, f"dask-{secrets.token_hex(8)}.part")
        await asyncio.to_thread(store_archive, [output.data], host.payload_dir, part)
        return replace(outcome, output=NewPayload(ref=output.ref))

    def _finish(self, job: _Job, outcome: Outcome) -> None:
        if job.is_finished:
            return
        job.is_finished = True
        del self._jobs[job.attempt_id]
        if outcome.started_at is not None:
            self._tell_start(job, outcome.started_at)
        if job.is_cancelled:
            outcome = replace(outcome, status=JobStatus.CANCELLED, output=None, failure=None)
        self._started().report(JobFinished(attempt_id=job.attempt_id, outcome=outcome))

    def _tell_start(self, job: _Job, at: float) -> None:
        if not job.has_started:
            job.has_started = True
            self._started().report(JobStarted(attempt_id=job.attempt_id, at=at))

    def _on_began(self, said: Mapping[str, Any]) -> None:
        job = self._jobs.get(AttemptId(str(said.get("job"))))
        if job is None or said.get("key") != job.key:
            return
        self._tell_start(job, float(said["at"]))
        if job.worker and said["worker"] != job.worker:
            job.has_moved = True  # Dask tries again what a lost worker ran; that is for the task's own policy to say
            self._spawn(self._stop(self._links[job.address].result(), [job]), self._tasks)
        job.worker = str(said["worker"])

    async def _stop(self, link: DaskLink, jobs: Sequence[_Job]) -> None:
        """Stop jobs at their scheduler and workers; one that has begun still answers, with what it has printed."""
        begun = [job for job in jobs if job.worker and not job.has_moved]
        waiting = [job for job in jobs if job not in begun]
        await link.drop([job.future for job in waiting])
        grace_s = max(job.grace_s for job in jobs)
        await link.stop(encode_stop([job.key for job in jobs], grace_s), "" if waiting else begun[0].worker)
        for job in waiting:
            if job.is_cancelled:
                self._finish(job, Outcome(status=JobStatus.CANCELLED))
        playing = [job.playing for job in begun if job.playing is not None]
        if playing:
            await asyncio.wait(playing, timeout=grace_s + 10)
        silent = [job for job in begun if not job.is_finished]
        if silent:
            await link.drop([job.future for job in silent])

    # Connections

    async def _link(self, address: str) -> DaskLink:
        if not address:
            raise BackendError(_NO_ADDRESS)
        opening = self._links.get(address)
        if opening is not None and opening.done() and not _is_usable(opening):
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

    def _grace_s(self, spec: JobSpec) -> float:
        try:
            return max(0.0, float(self._option(spec, "grace_s")))
        except (TypeError, ValueError):
            return 1.0


def _is_usable(opening: "asyncio.Task[DaskLink]") -> bool:
    return not opening.cancelled() and opening.exception() is None and opening.result().is_open


def _trouble(status: JobStatus, message: str) -> Outcome:
    return Outcome(status=status, failure=TaskFailure(message=message, is_user_error=False, is_transient=True))


def _configured_address() -> Any:
    return ConfigReader().value("dask.scheduler_address")


def _sign(folder: str) -> str:
    """The file by which workers know that they see this folder; its name cannot be guessed."""
    for path in Path(folder).glob("here-*"):
        return str(path)
    made = Path(folder, f"here-{secrets.token_hex(16)}")
    made.touch()
    return str(made)
