"""Runs executors of the documented interface (`classic.py`) under the engine's five verbs.

Each job gets an instance of its own, with the attributes that travelled with it; what blocks runs in a thread, what
awaits on the dispatcher's loop. Payloads pass through as bytes.
"""

import asyncio
import contextlib
import json
import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from covalent_lab import payload, worker
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import BackendError, LabError
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
    Outcome,
    PayloadSource,
    TaskFailure,
)
from covalent_lab.executor.classic import AsyncBaseExecutor, BaseExecutor
from covalent_lab.executor.classic_base import ClassicExecutor, JobLink
from covalent_lab.executor.managed_job import ManagedJob
from covalent_lab.executor.task import TaskShell, transportable
from covalent_lab.executor.task_process import TaskPlace, TaskProcesses
from covalent_lab.ids import AttemptId, PayloadRef, split_attempt
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["ClassicBridge"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_CLOSE_S = 2.0


@dataclass(slots=True, kw_only=True)
class _Job:
    spec: JobSpec
    instance: ClassicExecutor
    processes: TaskProcesses
    handle: dict[str, Any]
    task: asyncio.Task[None] | None = None
    started_at: float | None = None
    is_cancel_requested: bool = False
    is_cancel_passed_on: bool = False
    is_cancelled: bool = False
    cancelling: asyncio.Task[None] | None = None
    ready: asyncio.Queue[Mapping[str, Any]] = field(default_factory=asyncio.Queue)

    @property
    def metadata(self) -> dict[str, Any]:
        return {"dispatch_id": str(self.spec.dispatch_id), "node_id": int(self.spec.node_id)}


class ClassicBridge(Executor):
    """One class of executors, for the dispatcher.

    Args:
        name: Short name, for messages.
        create: Makes an instance with configured values.
    """

    def __init__(self, name: str, create: Callable[[], ClassicExecutor]) -> None:
        super().__init__()
        self._name = name
        self._create = create
        self._jobs: dict[AttemptId, _Job] = {}
        self._host: ExecutorHost | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._results_dir = ""
        self._is_closed = False

    async def start(self, host: ExecutorHost) -> None:
        """Make one instance, so that a class that cannot be used fails early."""
        self._create()
        self._host, self._loop = host, asyncio.get_running_loop()
        self._results_dir = str(ConfigReader().value("sdk.results_dir"))

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Begin to run jobs, each in a task of its own; one that cannot be begun is reported FAILED."""
        return [self._begin(spec) for spec in specs]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Go on with managed jobs; of others the backend is told to stop, and they are reported LOST."""
        for attempt_id, handle in handles.items():
            if attempt_id not in self._jobs:
                job = self._revive(attempt_id, handle)
                if job is not None:
                    self._jobs[attempt_id] = job
                    job.task = asyncio.create_task(self._resume(job))

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Note the request, which instances may ask for, and pass it on; see `BaseExecutor.cancel`."""
        for attempt_id in handles:
            job = self._jobs.get(attempt_id)
            if job is not None and not job.is_cancel_requested:
                job.is_cancel_requested = True
                job.cancelling = asyncio.create_task(self._pass_cancel_on(job))

    async def notify(self, attempt_id: AttemptId, body: Mapping[str, Any]) -> bool:
        """Hand a backend's notification to the managed job that waits for it."""
        job = self._jobs.get(attempt_id)
        if job is None or not job.instance.SUPPORTS_MANAGED_EXECUTION:
            return False
        job.ready.put_nowait(body)
        return True

    async def close(self) -> None:
        """Stop jobs, except managed ones, which go on in their backends; nothing more is reported."""
        self._is_closed = True
        jobs = list(self._jobs.values())
        self._jobs.clear()
        if jobs:
            await asyncio.wait([asyncio.create_task(self._abandon(job)) for job in jobs], timeout=_CLOSE_S)

    async def _abandon(self, job: _Job) -> None:
        assert job.task is not None
        is_managed = job.instance.SUPPORTS_MANAGED_EXECUTION
        if not is_managed:
            job.is_cancel_requested = True
            await self._pass_cancel_on(job)
        if is_managed or isinstance(job.instance, AsyncBaseExecutor):
            job.task.cancel()
        await asyncio.wait([job.task])  # a thread that does not end is left; it does not keep the process from ending

    # One job

    def _begin(self, spec: JobSpec) -> JobHandle:
        if spec.attempt_id in self._jobs:
            return self._jobs[spec.attempt_id].handle
        handle: dict[str, Any] = {"options": dict(spec.options), "client": dict(spec.client)}
        try:
            job = self._job(spec, handle)
        except Exception as error:  # noqa: BLE001 - a plugin's failure becomes the node's failure
            self._finish(spec.attempt_id, self._trouble(error))
            return handle
        self._jobs[spec.attempt_id] = job
        work = self._manage(job) if job.instance.SUPPORTS_MANAGED_EXECUTION else self._execute(job)
        job.task = asyncio.create_task(self._guard(job, work), name=f"job {spec.attempt_id}")
        return handle

    def _job(self, spec: JobSpec, handle: dict[str, Any]) -> _Job:
        instance = self._create()
        job = _Job(
            spec=spec,
            instance=instance,
            handle=handle,
            processes=TaskProcesses(TaskPlace.of(spec), instance, self._work_dir),
        )
        instance.attach(
            JobLink(
                is_cancel_requested=lambda: job.is_cancel_requested,
                save_handle=lambda value: self._on_loop(self._save, job, {"job_handle": value}),
                save_status=lambda value: self._on_loop(self._save, job, {"job_status": value}),
                versions={
                    "python": spec.client.get("python_version", ""),
                    "covalent": spec.client.get("lab_version", ""),
                },
            ),
            spec.options,
        )
        return job

    async def _guard(self, job: _Job, work: Coroutine[Any, Any, Outcome]) -> None:
        """Await a job's outcome, and report it, whatever happens."""
        try:
            outcome = await work
        except asyncio.CancelledError:
            if self._is_closed:
                raise
            outcome = Outcome(status=JobStatus.CANCELLED)
        except Exception as error:  # noqa: BLE001 - a plugin's failure becomes the node's failure
            outcome = Outcome(status=JobStatus.CANCELLED) if job.is_cancelled else self._trouble(error)
        self._jobs.pop(job.spec.attempt_id, None)
        streams = {"stdout": outcome.stdout, "stderr": outcome.stderr}
        if not any(streams.values()):
            streams = {"stdout": job.instance.task_stdout.getvalue(), "stderr": job.instance.task_stderr.getvalue()}
        self._finish(job.spec.attempt_id, outcome, started_at=job.started_at, **streams)

    async def _execute(self, job: _Job) -> Outcome:
        spec, instance = job.spec, job.instance
        self._report_start(job)
        where = (str(spec.dispatch_id), self._results_dir, int(spec.node_id))
        if isinstance(instance, AsyncBaseExecutor):
            call = await asyncio.to_thread(_call, job)
            output, *_, status = await instance.execute(*call, *where)
            return await asyncio.to_thread(self._outcome, job, output, status)
        assert isinstance(instance, BaseExecutor)
        execute = instance.execute

        def blocking() -> Outcome:
            output, *_, status = execute(*_call(job), *where)
            return self._outcome(job, output, status)

        return await _in_thread(blocking, f"executor {self._name}")

    async def _manage(self, job: _Job) -> Outcome:
        managed = ManagedJob(job.spec, job.instance, self._work_dir)
        self._report_start(job)
        data = await managed.send()
        json.dumps(data)  # it is stored, so that a restarted dispatcher can poll with it
        self._save(job, {"sent": data})
        return await self._await_managed(job, managed, data)

    async def _await_managed(self, job: _Job, managed: ManagedJob, data: Any) -> Outcome:
        ended = await managed.wait(data, job.ready.get)
        outcome, archive = await asyncio.to_thread(managed.outcome, ended)
        if archive is None:
            return outcome
        completed = await asyncio.to_thread(self._completed, archive)
        return replace(outcome, output=completed.output)

    # After a restart

    def _revive(self, attempt_id: AttemptId, handle: JobHandle) -> _Job | None:
        dispatch_id, node_id, number = split_attempt(attempt_id)
        try:
            spec = JobSpec(
                attempt_id=attempt_id,
                dispatch_id=dispatch_id,
                node_id=node_id,
                attempt=number,
                name="",
                function=PayloadSource(ref=PayloadRef("", 0)),
                options=handle.get("options", {}),
                client=handle.get("client", {}),
            )
            return self._job(spec, dict(handle))
        except Exception as error:  # noqa: BLE001 - a plugin's failure becomes the node's failure
            self._finish(attempt_id, self._trouble(error))
            return None

    async def _resume(self, job: _Job) -> None:
        if "sent" in job.handle and job.instance.SUPPORTS_MANAGED_EXECUTION:
            managed = ManagedJob(job.spec, job.instance, self._work_dir)
            await self._guard(job, self._await_managed(job, managed, job.handle["sent"]))
        else:
            await self._guard(job, self._give_up(job))

    async def _give_up(self, job: _Job) -> Outcome:
        if "job_handle" in job.handle:
            await self._ask_to_cancel(job)
        message = f"The dispatcher stopped while executor {self._name!r} ran this task. Run it again."
        failure = TaskFailure(message=message, is_user_error=False, is_transient=True)
        return Outcome(status=JobStatus.LOST, failure=failure)

    # Cancellation

    async def _pass_cancel_on(self, job: _Job) -> None:
        """Ask the backend once it has told a handle; interrupt what neither asks nor can be asked."""
        if job.is_cancel_passed_on:
            return
        if "job_handle" in job.handle:
            job.is_cancel_passed_on = True
            job.is_cancelled = await self._ask_to_cancel(job)
        if job.processes.kill():
            job.is_cancelled = True
        elif job.task is not None and not job.is_cancelled and _can_be_interrupted(job.instance):
            job.task.cancel()

    async def _ask_to_cancel(self, job: _Job) -> bool:
        instance, handle = job.instance, job.handle["job_handle"]
        try:
            if isinstance(instance, AsyncBaseExecutor):
                return bool(await instance.cancel(job.metadata, handle))
            assert isinstance(instance, BaseExecutor)
            return bool(await asyncio.to_thread(instance.cancel, job.metadata, handle))
        except Exception:  # noqa: BLE001 - the job goes on, and its end will be told
            _log.exception("executor %s failed to cancel", self._name)
            return False

    # Telling the dispatcher

    def _on_loop(self, call: Callable[..., None], *args: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # it has closed
            self._loop.call_soon_threadsafe(call, *args)

    def _save(self, job: _Job, values: Mapping[str, Any]) -> None:
        job.handle = {**job.handle, **values}
        if self._host is None or self._is_closed or job.spec.attempt_id not in self._jobs:
            return
        self._host.report(JobIdentified(attempt_id=job.spec.attempt_id, handle=job.handle))
        if job.is_cancel_requested and "job_handle" in values and not job.is_cancel_passed_on:
            job.cancelling = asyncio.create_task(self._pass_cancel_on(job))

    def _report_start(self, job: _Job) -> None:
        assert self._host is not None
        job.started_at = time.time()
        self._host.report(JobStarted(attempt_id=job.spec.attempt_id, at=job.started_at))

    def _finish(self, attempt_id: AttemptId, outcome: Outcome, **fields: Any) -> None:
        assert self._host is not None
        if not self._is_closed:
            ended = replace(outcome, ended_at=time.time(), **fields)
            self._host.report(JobFinished(attempt_id=attempt_id, outcome=ended))

    def _outcome(self, job: _Job, output: Any, status: str) -> Outcome:
        match status:
            case "COMPLETED":
                return self._completed(output)
            case "CANCELLED":
                return Outcome(status=JobStatus.CANCELLED)
        if job.is_cancelled:
            return Outcome(status=JobStatus.CANCELLED)
        text = job.instance.failure_text or job.instance.task_stderr.getvalue()
        lines = text.strip().splitlines()
        message = lines[-1] if lines else "The task failed; its executor gave no reason."
        failure = TaskFailure(message=message, is_user_error=True, traceback=text)
        return Outcome(status=JobStatus.FAILED, failure=failure)

    def _completed(self, output: Any) -> Outcome:
        assert self._host is not None
        given = isinstance(output, TransportableObject)
        encoded = output.payload if given else payload.encode(output, what="what the executor returned")
        if encoded.ref.size <= self._host.inline_limit:
            return Outcome(status=JobStatus.COMPLETED, output=NewPayload(ref=encoded.ref, data=encoded.tobytes()))
        part = os.path.join(self._host.payload_dir, f"{encoded.ref.digest}-{threading.get_ident()}.part")
        worker.store_archive(encoded.pieces, self._host.payload_dir, part)
        return Outcome(status=JobStatus.COMPLETED, output=NewPayload(ref=encoded.ref))

    def _trouble(self, error: Exception) -> Outcome:
        reason = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
        failure = TaskFailure(
            message=f"Executor {self._name!r} failed: {reason}",
            is_user_error=False,
            traceback="".join(traceback.format_exception(error)),
            is_transient=isinstance(error, LabError) and error.transient,
        )
        return Outcome(status=JobStatus.FAILED, failure=failure)

    @property
    def _work_dir(self) -> str:
        if self._host is None:
            raise BackendError(f"Executor {self._name!r} was not started. Await start() before any other verb.")
        return self._host.work_dir


def _can_be_interrupted(instance: ClassicExecutor) -> bool:
    return isinstance(instance, AsyncBaseExecutor) and not instance.asked_for_cancel


def _call(job: _Job) -> tuple[TaskShell, list[TransportableObject], dict[str, TransportableObject]]:
    spec = job.spec
    return (
        TaskShell.of(transportable(spec.function), spec.hooks, job.metadata, job.processes.run),
        [transportable(source) for source in spec.args],
        {name: transportable(source) for name, source in spec.kwargs.items()},
    )


async def _in_thread(work: Callable[[], _T], name: str) -> _T:
    """Await a function in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(value: _T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, error = None, None
        try:
            value = work()
        except BaseException as raised:  # noqa: BLE001 - goes to whoever awaits it
            error = raised
        with contextlib.suppress(RuntimeError):  # it has closed
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done
