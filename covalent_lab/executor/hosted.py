"""Runs executors whose class only the process that submitted the dispatch knows, as one defined in a notebook.

Such an instance travels pickled. The dispatcher never loads it: a worker process of the submitting interpreter does,
and runs its job there. So this executor is a client of the local one, which it gives other jobs than it got.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from covalent_lab import payload
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobFinished,
    JobHandle,
    JobSpec,
    JobUpdate,
    Outcome,
    PayloadSource,
    TaskFailure,
)
from covalent_lab.executor.base import JobStatus as State
from covalent_lab.executor.classic_base import HOSTED, PICKLED
from covalent_lab.executor.hosted_job import HostedError, HostedTask, run_hosted
from covalent_lab.ids import AttemptId
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["HostedExecutor"]

_MARK = f"{HostedError.__module__}.{HostedError.__qualname__}: "
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class _Host:
    """The dispatcher, as the local executor sees it: outcomes are turned back on their way."""

    host: ExecutorHost

    @property
    def inline_limit(self) -> int:
        return self.host.inline_limit

    @property
    def work_dir(self) -> str:
        return self.host.work_dir

    @property
    def payload_dir(self) -> str:
        return self.host.payload_dir

    def payload_path(self, digest: str) -> str:
        return self.host.payload_path(digest)

    def report(self, update: JobUpdate) -> None:
        if isinstance(update, JobFinished):
            update = replace(update, outcome=_turned_back(update.outcome))
        self.host.report(update)


class HostedExecutor(Executor):
    """Runs pickled executors in worker processes.

    Args:
        local: Gives it the processes; not started.
    """

    short_name: ClassVar[str] = HOSTED
    jobs_survive: ClassVar[bool] = False
    max_in_flight: ClassVar[int] = 16

    def __init__(self, local: Executor) -> None:
        super().__init__()
        self._local = local
        self._host: ExecutorHost | None = None
        self._function = _source(run_hosted)
        self._results_dir = ""

    async def start(self, host: ExecutorHost) -> None:
        """Start the local executor."""
        self._host = host
        self._results_dir = str(ConfigReader().value("sdk.results_dir"))
        await self._local.start(_Host(host))

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Queue jobs in which their executors run."""
        jobs = []
        for spec in specs:
            try:
                jobs.append(self._job(spec))
            except (KeyError, ValueError) as error:
                self._refuse(spec, error)
        await self._local.submit(jobs)
        return [{} for _ in specs]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Report every job LOST that is not at work here."""
        await self._local.watch(handles)

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Ask executors to stop their jobs, and kill their processes some seconds later."""
        await self._local.cancel_jobs(handles)

    async def close(self) -> None:
        """Stop all processes."""
        await self._local.close()

    def _job(self, spec: JobSpec) -> JobSpec:
        instance: TransportableObject = TransportableObject.from_dict(spec.options[PICKLED])
        task = HostedTask(
            dispatch_id=str(spec.dispatch_id),
            node_id=int(spec.node_id),
            results_dir=self._results_dir,
            function=spec.function,
            args=tuple(spec.args),
            kwargs=dict(spec.kwargs),
            hooks=dict(spec.hooks),
            versions={
                "python": spec.client.get("python_version", ""),
                "covalent": spec.client.get("lab_version", ""),
            },
        )
        return replace(
            spec,
            function=self._function,
            args=(PayloadSource(ref=instance.payload.ref, data=instance.serialize()), _source(task)),
            kwargs={},
            hooks={},
            options={"grace_s": _GRACE_S},
        )

    def _refuse(self, spec: JobSpec, error: Exception) -> None:
        if self._host is None:
            raise BackendError("The executor was not started. Await start() before any other verb.")
        message = f"The executor instance of this task is damaged ({error!r}). Submit the workflow again."
        outcome = Outcome(status=State.FAILED, failure=TaskFailure(message=message, is_user_error=False))
        self._host.report(JobFinished(attempt_id=spec.attempt_id, outcome=outcome))


def _source(value: Any) -> PayloadSource:
    encoded = payload.encode(value)
    return PayloadSource(ref=encoded.ref, data=encoded.tobytes())


def _turned_back(outcome: Outcome) -> Outcome:
    """What the job's own executor meant."""
    failure = outcome.failure
    if failure is None or not failure.message.startswith(_MARK):
        return outcome
    told = json.loads(failure.traceback.rpartition(_MARK)[2])
    text = str(told["text"])
    stderr = outcome.stderr.removesuffix(failure.traceback)
    if told["status"] == State.CANCELLED:
        return replace(outcome, status=State.CANCELLED, failure=None, stderr=stderr)
    lines = text.strip().splitlines()
    reason = lines[-1] if lines else "The task failed; its executor gave no reason."
    is_user_error = bool(told["is_user_error"])
    message = reason if is_user_error else f"The task's executor failed: {reason}"
    return replace(
        outcome,
        stderr=stderr if is_user_error else f"{stderr}{text}",
        failure=TaskFailure(message=message, is_user_error=is_user_error, traceback=text),
    )
