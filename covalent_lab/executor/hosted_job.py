"""Runs an executor of the documented interface inside a worker process, for a task: see `hosted.py`."""

import asyncio
import functools
import json
import signal
import sys
import traceback
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from covalent_lab.errors import TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.base import JobStatus, PayloadSource
from covalent_lab.executor.classic import AsyncBaseExecutor, BaseExecutor
from covalent_lab.executor.classic_base import ClassicExecutor, JobLink, Ran
from covalent_lab.executor.task import TaskShell, transportable
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["HostedError", "HostedTask", "run_hosted"]


class HostedError(Exception):
    """How a hosted job ended, if it has no output; its text is one line of JSON.

    Args:
        status: How it ended.
        is_user_error: Whether the task failed, or else its executor.
        text: Traceback, or what there is instead.
    """

    def __init__(self, status: JobStatus, is_user_error: bool, text: str) -> None:
        super().__init__(json.dumps({"status": status, "is_user_error": is_user_error, "text": text}))


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedTask:
    """A task whose executor is not in the dispatcher's process.

    Attributes:
        dispatch_id: Its dispatch.
        node_id: Its node.
        results_dir: Folder of results.
        function: The pickled callable.
        args: Pickled positional arguments.
        kwargs: Pickled keyword arguments.
        hooks: As in `JobSpec.hooks`.
        versions: Of the process that submitted the dispatch.
    """

    dispatch_id: str
    node_id: int
    results_dir: str
    function: PayloadSource
    args: tuple[PayloadSource, ...]
    kwargs: Mapping[str, PayloadSource]
    hooks: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)


def run_hosted(executor: ClassicExecutor, task: HostedTask) -> Any:
    """Run a task through its executor; returns its value.

    Raises:
        HostedError: There is none.
    """
    try:
        output, _, _, status = _Job(executor, task).run()
    except TaskCancelledError:
        raise HostedError(JobStatus.CANCELLED, False, "") from None
    except Exception:  # noqa: BLE001 - a plugin's failure becomes the node's failure
        raise HostedError(JobStatus.FAILED, False, traceback.format_exc()) from None
    finally:
        sys.stdout.write(executor.task_stdout.getvalue())
        sys.stderr.write(executor.task_stderr.getvalue())
    if status != "COMPLETED":
        text = executor.failure_text or executor.task_stderr.getvalue()
        raise HostedError(JobStatus(status.lower()), True, text) from None
    return output.get_deserialized() if isinstance(output, TransportableObject) else output


class _Job:
    def __init__(self, executor: ClassicExecutor, task: HostedTask) -> None:
        self._executor = executor
        self._task = task
        self._handle: tuple[Any] | None = None
        self._is_cancel_requested = False
        executor.attach(
            JobLink(
                is_cancel_requested=lambda: self._is_cancel_requested,
                save_handle=self._save_handle,
                versions=task.versions,
            ),
            {},
        )

    def run(self) -> Ran:
        """Execute; SIGTERM, by which the pool asks for an end, is a request to cancel."""
        executor, task = self._executor, self._task
        call = (
            TaskShell.of(transportable(task.function), task.hooks, self._metadata, _run_here),
            [transportable(source) for source in task.args],
            {name: transportable(source) for name, source in task.kwargs.items()},
            task.dispatch_id,
            task.results_dir,
            task.node_id,
        )
        if isinstance(executor, AsyncBaseExecutor):
            return asyncio.run(self._run_async(executor, executor.execute(*call)))
        assert isinstance(executor, BaseExecutor)
        signal.signal(signal.SIGTERM, functools.partial(self._on_signal, executor))
        return executor.execute(*call)

    def _on_signal(self, executor: BaseExecutor, *_: Any) -> None:
        self._is_cancel_requested = True
        if self._handle is not None and executor.cancel(self._metadata, self._handle[0]):
            return
        if not executor.asked_for_cancel:
            raise TaskCancelledError("The task was asked to stop.")

    async def _run_async(self, executor: AsyncBaseExecutor, work: Coroutine[Any, Any, Ran]) -> Ran:
        running = asyncio.ensure_future(work)
        cancelling: list[asyncio.Task[None]] = []

        async def cancel() -> None:
            self._is_cancel_requested = True
            if self._handle is not None and await executor.cancel(self._metadata, self._handle[0]):
                return
            if not executor.asked_for_cancel:
                running.cancel()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: cancelling.append(loop.create_task(cancel())))
        try:
            return await running
        except asyncio.CancelledError:
            raise TaskCancelledError("The task was asked to stop.") from None

    def _save_handle(self, handle: Any) -> None:
        self._handle = (handle,)

    @property
    def _metadata(self) -> dict[str, Any]:
        return {"dispatch_id": self._task.dispatch_id, "node_id": self._task.node_id}


def _run_here(shell: TaskShell, args: Any, kwargs: Any) -> TransportableObject:
    try:
        found: TransportableObject = functools.partial.__call__(shell, *args, **kwargs)
    except TaskCancelledError:
        raise
    except BaseException as error:  # user code: SystemExit and KeyboardInterrupt included
        raise TaskRuntimeError(traceback.format_exc()) from error
    return found
