"""Runs tasks on a Dask cluster: options, the five verbs, and which scheduler a job goes to.

What becomes of jobs is `dask_ledger.py`; their way to a scheduler and back is `dask_carrier.py`.
"""

import asyncio
import os
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobHandle,
    JobSpec,
    JobStatus,
    Option,
    Outcome,
    ShortName,
)
from covalent_lab.executor.completed import completed
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId, DispatchId
from covalent_lab_executors.dask_carrier import Carrier
from covalent_lab_executors.dask_jobs import Job, Order, orders
from covalent_lab_executors.dask_ledger import Ledger
from covalent_lab_executors.local_paces import Paces

__all__ = ["DaskExecutor"]


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
        self._paces = Paces()
        self._ledger: Ledger | None = None
        self._carrier: Carrier | None = None

    async def start(self, host: ExecutorHost) -> None:
        """Connect to nothing yet: addresses come with jobs."""
        try:
            share = await asyncio.to_thread(_sign, host.work_dir)
        except OSError as error:
            raise BackendError(f"The Dask executor cannot use its folder: {error}. Check its permissions.") from error
        self._ledger = Ledger(host.report)
        self._carrier = Carrier(
            ledger=self._ledger,
            paces=self._paces,
            host=host,
            share=share,
            option=self._option,
            prefix=self._prefix,
        )

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Take over jobs; connecting, and giving them to the scheduler, goes on in the background."""
        ledger, carrier = self._started()
        default = ""
        if not all(self._option(spec, "scheduler_address") for spec in specs):
            default = str(await asyncio.to_thread(_configured_address))
        new: dict[str, list[Job]] = {}
        handled: list[Job] = []
        for spec in specs:
            job = ledger.get(spec.attempt_id)
            if job is None:
                later = deque(step.attempt_id for step in spec.then)
                job = Job(attempt_id=spec.attempt_id, grace_s=self._grace_s(spec), spec=spec, later=later)
                ledger.add(job)
                new.setdefault(str(self._option(spec, "scheduler_address") or default), []).append(job)
            handled.append(job)
        for address, jobs in new.items():
            threads = carrier.threads(address)
            # enough for one thread of the cluster, so that others get some as well
            share = 1 if threads is None else len(ledger) // (2 * max(1, threads))
            for order in orders(jobs, address, self._paces, share, self._prefix):
                carrier.begin(order)
        return [job.order.handle for job in handled]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Look for jobs at their schedulers; LOST are those that no scheduler knows."""
        ledger, carrier = self._started()
        found: dict[tuple[str, str], list[Job]] = {}
        for attempt_id, handle in handles.items():
            if ledger.get(attempt_id) is None:
                job = Job(attempt_id=attempt_id, grace_s=1.0)
                ledger.add(job)
                found.setdefault((str(handle.get("address", "")), str(handle.get("key", ""))), []).append(job)
        for (address, key), jobs in found.items():
            carrier.begin(Order(address=address, key=key, jobs=jobs))

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Take queued jobs from the scheduler; ask running tasks to end, and kill them after `grace_s`."""
        ledger, carrier = self._started()
        cancelled: dict[Order, list[Job]] = {}
        left_out: dict[Order, list[AttemptId]] = {}
        for attempt_id in handles:
            job = ledger.get(attempt_id)
            if job is None or job.is_cancelled:
                continue
            if attempt_id != job.attempt_id:
                job.stops.add(attempt_id)
                left_out.setdefault(job.order, []).append(attempt_id)
                continue
            job.is_cancelled = True
            if job.order.link is not None:
                cancelled.setdefault(job.order, []).append(job)
            elif job.spec is not None:  # else it is looked for, and stopped once it is found
                ledger.finish(job, Outcome(status=JobStatus.CANCELLED))
        for order, jobs in cancelled.items():
            carrier.cancel(order, jobs)
        for order, steps in left_out.items():
            await carrier.leave_out(order, steps)

    async def printed(self, attempt_id: AttemptId, stream: str, offset: int, limit: int) -> bytes:
        """Ask the job's worker."""
        ledger, carrier = self._started()
        job = ledger.get(attempt_id)
        if job is None or attempt_id != job.attempt_id:
            return b""
        return await carrier.printed(job, stream, offset, limit)

    def dispatch_over(self, dispatch_id: DispatchId, *, is_deleted: bool) -> None:
        """Let clusters give up values that only this dispatch needed."""
        if self._carrier is not None:
            self._carrier.dispatch_over(dispatch_id)

    async def check(self) -> Health:
        """Ask the configured scheduler for its workers."""
        address = str(self.scheduler_address or await asyncio.to_thread(_configured_address))  # type: ignore[attr-defined]
        link = await self._started()[1].link(address)
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
        if self._carrier is not None:
            await self._carrier.close()

    def _started(self) -> tuple[Ledger, Carrier]:
        if self._ledger is None or self._carrier is None:
            raise BackendError("The Dask executor was not started. Await start() before any other verb.")
        return self._ledger, self._carrier

    def _option(self, spec: JobSpec, name: str) -> Any:
        given = spec.options.get(name)
        return getattr(self, name) if given in (None, "") else given

    def _prefix(self, spec: JobSpec) -> str:
        return str(self._option(spec, "key") or spec.name)

    def _grace_s(self, spec: JobSpec) -> float:
        try:
            return max(0.0, float(self._option(spec, "grace_s")))
        except (TypeError, ValueError):
            return 1.0


def _configured_address() -> Any:
    return ConfigReader().value("dask.scheduler_address")


def _sign(folder: str) -> str:
    """The file by which workers know that they see this folder; its name cannot be guessed."""
    for path in Path(folder).glob("here-*"):
        return str(path)
    made = Path(folder, f"here-{secrets.token_hex(16)}")
    made.touch()
    return str(made)
