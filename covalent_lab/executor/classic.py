"""The documented base classes of executors that users write: `BaseExecutor` and `AsyncBaseExecutor`."""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from covalent_lab.errors import TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.classic_base import ClassicExecutor, DispatchInfo, Ran
from covalent_lab.executor.managed import ResourceMap, TaskSpec, TaskUpdate

__all__ = ["AsyncBaseExecutor", "BaseExecutor"]

_log = logging.getLogger(__name__)


class BaseExecutor(ClassicExecutor, ABC):
    """Base class of executors whose methods block; each job runs in a thread of its own.

    Example:
        >>> class InThisProcess(BaseExecutor):
        ...     def run(self, function, args, kwargs, task_metadata):
        ...         return function(*args, **kwargs)
        >>> InThisProcess(time_limit=60).to_dict()["attributes"]["time_limit"]
        60
    """

    @abstractmethod
    def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        """Run a task, and return what the call returns.

        Args:
            function: To be called in the job, `function(*args, **kwargs)`; pickles with cloudpickle.
            args: Pickled positional arguments (`TransportableObject`s).
            kwargs: Pickled keyword arguments.
            task_metadata: `dispatch_id`, `node_id`, `results_dir`.

        Raises:
            TaskRuntimeError: The task itself failed; the text should hold its traceback.
            TaskCancelledError: The task was asked to stop, and did.
            Exception: Anything else is trouble of the executor.
        """

    def setup(self, task_metadata: Mapping[str, Any]) -> Any:
        """Called before `run`; does nothing."""

    def teardown(self, task_metadata: Mapping[str, Any]) -> Any:
        """Called after `run`, whatever happened; does nothing. What it raises is logged."""

    def cancel(self, task_metadata: Mapping[str, Any], job_handle: Any) -> bool:
        """Stop the job with this handle; returns whether it does. False: not supported.

        Args:
            task_metadata: `dispatch_id`, `node_id`.
            job_handle: What was given to `set_job_handle`.
        """
        return False

    async def send(
        self, task_specs: Sequence[TaskSpec], resources: ResourceMap, task_group_metadata: Mapping[str, Any]
    ) -> Any:
        """Managed execution is for subclasses of `AsyncBaseExecutor`.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"{type(self).__name__} runs tasks with run(); send() needs AsyncBaseExecutor.")

    def execute(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        dispatch_id: str,
        results_dir: str,
        node_id: int = -1,
    ) -> Ran:
        """`setup`, `run`, `teardown`, and write the streams.

        Returns:
            Output, standard output, standard error, and `"COMPLETED"`, `"FAILED"` or `"CANCELLED"`.

        Raises:
            Exception: Trouble of the executor.
        """
        metadata = {"dispatch_id": dispatch_id, "node_id": node_id, "results_dir": results_dir}
        output, status = None, "COMPLETED"
        with self.get_dispatch_context(DispatchInfo(dispatch_id=dispatch_id)):
            try:
                self.setup(metadata)
                output = self.run(function, args, kwargs, metadata)
            except TaskRuntimeError as error:
                status = self._task_failed(error)
            except TaskCancelledError:
                status = "CANCELLED"
            finally:
                with _logged(self, "teardown"):
                    self.teardown(metadata)
                ran = self._ran(output, status)
                with _logged(self, "writing the streams"):
                    self.write_streams_to_file(ran[1:3], (self.log_stdout, self.log_stderr), dispatch_id, results_dir)
        return ran

    def get_cancel_requested(self) -> bool:
        """Whether somebody wants the job to stop; then raise `TaskCancelledError`."""
        return self._is_cancel_requested()

    def get_version_info(self) -> dict[str, str]:
        """`{"python", "covalent"}`: versions where the dispatch was submitted."""
        return dict(self._run.link.versions)

    def set_job_handle(self, handle: Any) -> Any:
        """Keep what identifies the job in its backend; `cancel` gets it, also after a restart of the dispatcher.

        Args:
            handle: Any JSON value.

        Raises:
            TypeError: It is none.
        """
        return self._save_handle(handle)

    def write_streams_to_file(
        self, stream_strings: Iterable[str], filepaths: Iterable[str], dispatch_id: str, results_dir: str
    ) -> None:
        """Append texts to files.

        Args:
            stream_strings: The texts.
            filepaths: A file for each; relative ones are below `results_dir/dispatch_id`, empty ones are left out.
            dispatch_id: The dispatch.
            results_dir: Folder of results.
        """
        _append(stream_strings, filepaths, dispatch_id, results_dir)


class AsyncBaseExecutor(ClassicExecutor, ABC):
    """Base class of executors whose methods are coroutines, on the dispatcher's event loop: they must not block it."""

    @abstractmethod
    async def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        """See `BaseExecutor.run`. A cancelled coroutine counts as `TaskCancelledError`."""

    async def setup(self, task_metadata: Mapping[str, Any]) -> Any:
        """Called before `run`; does nothing."""

    async def teardown(self, task_metadata: Mapping[str, Any]) -> Any:
        """Called after `run`, whatever happened; does nothing. What it raises is logged."""

    async def cancel(self, task_metadata: Mapping[str, Any], job_handle: Any) -> bool:
        """See `BaseExecutor.cancel`. Where it returns False and `get_cancel_requested` is never asked, the coroutine
        is cancelled."""
        return False

    async def send(
        self, task_specs: Sequence[TaskSpec], resources: ResourceMap, task_group_metadata: Mapping[str, Any]
    ) -> Any:
        """Start the job of a task group (where `SUPPORTS_MANAGED_EXECUTION` is true).

        Args:
            task_specs: The tasks.
            resources: Where their pickled functions and inputs are.
            task_group_metadata: `dispatch_id`, `node_ids` and `task_group_id`.

        Returns:
            What `poll` gets: JSON, so that a restarted dispatcher can go on with it.
        """
        raise NotImplementedError(f"{type(self).__name__} says that it supports managed execution, but has no send().")

    async def poll(self, task_group_metadata: Mapping[str, Any], data: Any) -> Any:
        """Wait until the job is over.

        Returns:
            What `receive` gets.

        Raises:
            NotImplementedError: The backend will notify the dispatcher (`PUT …/nodes/{node}/job`).
        """
        raise NotImplementedError

    async def receive(self, task_group_metadata: Mapping[str, Any], data: Any) -> list[TaskUpdate]:
        """How the tasks ended, and where what they left is.

        Args:
            task_group_metadata: As for `send`.
            data: From `poll`, or the body of the notification.
        """
        raise NotImplementedError(f"{type(self).__name__} supports managed execution, but has no receive().")

    async def execute(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        dispatch_id: str,
        results_dir: str,
        node_id: int = -1,
    ) -> Ran:
        """See `BaseExecutor.execute`."""
        metadata = {"dispatch_id": dispatch_id, "node_id": node_id, "results_dir": results_dir}
        output, status = None, "COMPLETED"
        with self.get_dispatch_context(DispatchInfo(dispatch_id=dispatch_id)):
            try:
                await self.setup(metadata)
                output = await self.run(function, args, kwargs, metadata)
            except TaskRuntimeError as error:
                status = self._task_failed(error)
            except TaskCancelledError:
                status = "CANCELLED"
            finally:
                with _logged(self, "teardown"):
                    await self.teardown(metadata)
                ran = self._ran(output, status)
                with _logged(self, "writing the streams"):
                    files = (self.log_stdout, self.log_stderr)
                    await self.write_streams_to_file(ran[1:3], files, dispatch_id, results_dir)
        return ran

    async def get_cancel_requested(self) -> bool:
        """See `BaseExecutor.get_cancel_requested`."""
        return self._is_cancel_requested()

    async def get_version_info(self) -> dict[str, str]:
        """See `BaseExecutor.get_version_info`."""
        return dict(self._run.link.versions)

    async def set_job_handle(self, handle: Any) -> Any:
        """See `BaseExecutor.set_job_handle`."""
        return self._save_handle(handle)

    async def write_streams_to_file(
        self, stream_strings: Iterable[str], filepaths: Iterable[str], dispatch_id: str, results_dir: str
    ) -> None:
        """See `BaseExecutor.write_streams_to_file`."""
        await asyncio.to_thread(_append, stream_strings, filepaths, dispatch_id, results_dir)


@contextlib.contextmanager
def _logged(executor: ClassicExecutor, what: str) -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 - what the task returned counts, not whether a plugin cleans up
        _log.exception("%s of executor %s failed", what, type(executor).__name__)


def _append(texts: Iterable[str], paths: Iterable[str], dispatch_id: str, results_dir: str) -> None:
    for text, path in zip(texts, paths, strict=False):
        if path:
            target = Path(results_dir, dispatch_id, Path(path).expanduser())
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("a", encoding="utf-8") as file:
                file.write(text)
