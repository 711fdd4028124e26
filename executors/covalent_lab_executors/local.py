"""Runs tasks in warm processes on this machine: the default executor.

Decides how options become a place to run; processes and turns are the pool's (`local_pool.py`).
"""

import asyncio
import functools
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any, ClassVar

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobFinished,
    JobHandle,
    JobSpec,
    JobStarted,
    JobStatus,
    Option,
    Outcome,
    ShortName,
    TaskFailure,
)
from covalent_lab.executor.classic import AsyncBaseExecutor
from covalent_lab.executor.completed import completed
from covalent_lab.executor.health import Health
from covalent_lab.executor.task_process import TaskPlace, TaskProcesses
from covalent_lab.ids import AttemptId
from covalent_lab_executors.local_messages import Placement
from covalent_lab_executors.local_pool import Pool
from covalent_lab_executors.local_seats import Job

__all__ = ["LocalExecutor"]

_LEGACY = ("conda_env", "current_env_on_conda_fail")


class LocalExecutor(Executor, AsyncBaseExecutor):
    """Runs tasks in warm processes that can be killed, with the interpreter of the notebook.

    A crash fails its task only. Standard output and error, those of child processes included, are captured. What a
    task does to its environment, working directory or signal handlers ends with it; modules and functions stay loaded.

    The dispatcher uses it by the engine's verbs. An instance in other hands has the documented methods as well, and
    then runs each task in a process of its own.
    """

    short_name: ClassVar[ShortName] = ShortName("local")
    jobs_survive = False
    packs = True
    options: ClassVar[tuple[Option, ...]] = (
        Option(name="workdir", default="", doc="Working directory of tasks; relative to the notebook's folder."),
        Option(name="create_unique_workdir", default=False, doc="Give each task a folder of its own in workdir."),
        Option(name="workers", default=None, doc="Most tasks at a time; the number of CPUs if empty."),
        Option(name="grace_s", default=1.0, doc="Seconds between asking a cancelled task to end and killing it."),
        Option(name="log_stdout", default="stdout.log", doc="File for standard output in the results folder."),
        Option(name="log_stderr", default="stderr.log", doc="File for standard error in the results folder."),
        Option(name="cache_dir", default="", doc="Folder of packages and modules that tasks bring along."),
        Option(name="time_limit", default=-1, doc="Seconds after which a task is stopped; -1 for never."),
        Option(name="retries", default=0, doc="How often a failed task is tried again."),
    )

    def __init__(self, workdir: str = "", create_unique_workdir: bool | None = None, **values: Any) -> None:
        """Hold option values; those not given come from the section `executors.local` of the configuration.

        Args:
            workdir: See `options`.
            create_unique_workdir: See `options`.
            values: The other options; `conda_env` and `current_env_on_conda_fail` are accepted and ignored.

        Raises:
            TypeError: An argument is not an option of this executor.
            ValueError: `workers` is neither empty nor a whole number.
        """
        try:
            int(values.get("workers") or 1)
        except (TypeError, ValueError):
            raise ValueError(f"workers must be a whole number, or empty, not {values['workers']!r}.") from None
        kept = {name: value for name, value in values.items() if name not in _LEGACY}
        given = {"workdir": os.fspath(workdir), "create_unique_workdir": create_unique_workdir, **kept}
        super().__init__(**completed(type(self), given))
        self._pool: Pool | None = None
        self._host: ExecutorHost | None = None
        self._folder = ""
        self._size = 0

    async def start(self, host: ExecutorHost) -> None:
        """Start the first workers in the background."""
        self._host, self._folder = host, host.work_dir
        self._size = int(getattr(self, "workers", None) or os.cpu_count() or 1)
        try:
            os.makedirs(host.payload_dir, exist_ok=True)
            self._pool = Pool(
                size=self._size,
                folder=self._folder,
                payload_dir=host.payload_dir,
                owner=self,
                loop=asyncio.get_running_loop(),
            )
        except OSError as error:
            raise BackendError(f"The local executor cannot use its folder: {error}. Check its permissions.") from error
        self._pool.warm()

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Queue jobs; dispatches are served in turn."""
        pool, _ = self._started()
        for spec in specs:
            pool.add(Job(spec=spec, grace_s=self._grace_s(spec)))
        return [{"server_pid": os.getpid()} for _ in specs]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Report every job LOST that is not at work here: workers never outlive the process that started them."""
        pool, host = self._started()
        failure = TaskFailure(
            message="The server stopped while this task ran, and its process with it. Run it again.",
            is_user_error=False,
            is_transient=True,
        )
        for attempt_id in handles:
            if not pool.knows(attempt_id):
                outcome = Outcome(status=JobStatus.LOST, failure=failure)
                host.report(JobFinished(attempt_id=attempt_id, outcome=outcome))

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Drop queued jobs; ask running ones to end, with their children, and kill them after `grace_s`."""
        pool, _ = self._started()
        for attempt_id in handles:
            pool.cancel(attempt_id)

    async def check(self) -> Health:
        """Tell this machine and its free places."""
        pool, _ = self._started()
        return Health(
            is_usable=True,
            summary=f"Ready: {pool.free} of {self._size} places are free.",
            facts={
                "Host": platform.node(),
                "Free places": f"{pool.free} of {self._size}",
                "Python": f"{platform.python_version()}, or that of the notebook which dispatches",
                "Program": sys.executable,
                "cloudpickle": metadata.version("cloudpickle"),
            },
        )

    async def close(self) -> None:
        """Stop all workers. Jobs still at work are not reported: the next `watch` says that they are LOST."""
        if self._pool is not None:
            await self._pool.close(min(1.0, self._seconds(getattr(self, "grace_s", 1.0))))

    async def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        """Run a task in a process of this interpreter; see `BaseExecutor.run`.

        Raises:
            TaskRuntimeError: The task raised; with its traceback.
            BackendError: Its process ended otherwise.
        """
        place = TaskPlace(
            dispatch_id=str(task_metadata["dispatch_id"]),
            node_id=int(task_metadata["node_id"]),
            cwd=await asyncio.to_thread(_made, getattr(self, "workdir", "")),
        )
        processes = TaskProcesses(place, self, tempfile.gettempdir())
        try:
            return await asyncio.to_thread(processes.run, function, args, kwargs)
        finally:
            processes.kill()  # of a coroutine that was cancelled

    # Called by the pool

    def place(self, spec: JobSpec, part_path: str, stop_path: str, note: str) -> Placement:
        """See `PoolOwner`."""
        _, host = self._started()
        folder = self._folder
        workdir = _path(str(self._option(spec, "workdir") or _path("tasks", folder)), spec.client.get("cwd") or folder)
        if self._option(spec, "create_unique_workdir"):
            workdir = os.path.join(workdir, spec.dispatch_id, f"node_{spec.node_id}")
        return Placement(
            workdir=workdir,
            inline_limit=host.inline_limit,
            payload_dir=host.payload_dir,
            part=part_path,
            stop=stop_path,
            cache_dir=os.path.abspath(_path(str(self._option(spec, "cache_dir") or _path("cache", folder)), "")),
            note=note,
        )

    def on_started(self, spec: JobSpec, at: float, stdout_path: str, stderr_path: str) -> None:
        """See `PoolOwner`."""
        _, host = self._started()
        host.report(JobStarted(attempt_id=spec.attempt_id, at=at, stdout_path=stdout_path, stderr_path=stderr_path))

    def on_finished(self, spec: JobSpec, outcome: Outcome) -> None:
        """See `PoolOwner`."""
        _, host = self._started()
        host.report(JobFinished(attempt_id=spec.attempt_id, outcome=outcome))

    def _started(self) -> tuple[Pool, ExecutorHost]:
        if self._pool is None or self._host is None:
            raise BackendError("The local executor was not started. Await start() before any other verb.")
        return self._pool, self._host

    def _option(self, spec: JobSpec, name: str) -> Any:
        given = spec.options.get(name)
        return getattr(self, name) if given in (None, "") else given

    def _grace_s(self, spec: JobSpec) -> float:
        given = spec.options.get("grace_s")
        return self._seconds(getattr(self, "grace_s", 1.0) if given is None else given)

    @staticmethod
    def _seconds(value: Any) -> float:
        try:
            return max(0.0, float(value))
        except (TypeError, ValueError):
            return 1.0


@functools.lru_cache(1024)
def _path(path: str, base: str) -> str:
    return os.path.join(base, os.path.expanduser(path))


def _made(folder: str) -> str:
    path = os.path.abspath(os.path.expanduser(folder))
    os.makedirs(path, exist_ok=True)
    return path
