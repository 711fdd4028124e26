"""The documented base classes of executors that users write: `BaseExecutor` and `AsyncBaseExecutor`.

An instance runs one job at a time. It knows nothing of the engine: whoever runs it (`bridge.py`, or `hosted_job.py` in
another process) gives it a `JobLink`, through which it asks and tells about its job.
"""

import contextlib
import io
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from covalent_lab.errors import TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.managed import ResourceMap, TaskSpec, TaskUpdate
from covalent_lab.executor.secrets import MASK, is_secret, redacted, references, resolved
from covalent_lab.workflow.transportable import TransportableObject

__all__ = [
    "HOSTED",
    "PICKLED",
    "AsyncBaseExecutor",
    "BaseExecutor",
    "ClassicExecutor",
    "DispatchInfo",
    "JobLink",
    "Ran",
    "get_active_dispatch_info",
]

HOSTED = "hosted"
"""Short name of the executor that runs instances of classes which are no plugins."""
PICKLED = "_pickled"
"""Attribute under which such an instance travels."""

_log = logging.getLogger(__name__)
_RUN = "_run_state"

Ran = tuple[Any, str, str, str]
"""Output, standard output, standard error and status of an execution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchInfo:
    """The dispatch that an executor works for."""

    dispatch_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLink:
    """How an executor asks and tells about the job it runs; the default is for one that is used by itself.

    Attributes:
        is_cancel_requested: Whether somebody wants the job to stop.
        save_handle: Keeps a backend's handle.
        save_status: Keeps a backend's status.
        versions: `{"python", "covalent"}` of the process that submitted the dispatch.
    """

    is_cancel_requested: Callable[[], bool] = lambda: False
    save_handle: Callable[[Any], None] = lambda _: None
    save_status: Callable[[str], None] = lambda _: None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _RunState:
    link: JobLink = field(default_factory=JobLink)
    stdout: io.StringIO = field(default_factory=io.StringIO)
    stderr: io.StringIO = field(default_factory=io.StringIO)
    hidden: frozenset[str] = frozenset()
    failure: str = ""
    asked_for_cancel: bool = False


_active_dispatch: ContextVar[DispatchInfo | None] = ContextVar("covalent_active_dispatch", default=None)


def get_active_dispatch_info() -> DispatchInfo | None:
    """The dispatch of the executor that runs here, None outside one."""
    return _active_dispatch.get()


class ClassicExecutor:
    """What both base classes have in common; not to be subclassed directly."""

    SUPPORTS_MANAGED_EXECUTION: ClassVar[bool] = False
    """Whether jobs go through `send`, `poll` and `receive` instead of `run`."""
    max_in_flight: ClassVar[int] = 256
    """How many jobs it is given at a time."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Names of attributes that are never shown."""

    def __init__(
        self,
        log_stdout: str = "",
        log_stderr: str = "",
        cache_dir: str = "",
        time_limit: int = -1,
        retries: int = 0,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Hold option values.

        Args:
            log_stdout: File to which standard output of tasks is appended, below the results folder; empty for none.
            log_stderr: The same for standard error.
            cache_dir: Folder for files of the executor.
            time_limit: Seconds after which a task is stopped; -1 for never.
            retries: How often a failed task is tried again.
            args: Ignored.
            kwargs: Ignored.
        """
        self.log_stdout = log_stdout
        self.log_stderr = log_stderr
        self.cache_dir = cache_dir
        self.time_limit = time_limit
        self.retries = retries

    def short_name(self) -> str:
        """Last part of the name of the module that defines the class."""
        return type(self).__module__.rpartition(".")[2]

    def to_dict(self) -> dict[str, Any]:
        """JSON form: `{"type", "short_name", "attributes"}`."""
        attributes = {name: value for name, value in vars(self).items() if name != _RUN}
        return {"type": type(self).__name__, "short_name": self.short_name(), "attributes": attributes}

    def from_dict(self, object_dict: Mapping[str, Any]) -> Self:
        """Overwrite attributes with those of a `to_dict` form; returns the instance."""
        vars(self).update((object_dict or {}).get("attributes", {}))
        return self

    def dispatch_form(self) -> tuple[str, dict[str, Any]]:
        """How it travels in a dispatch: the name under which the dispatcher finds its class, and its JSON form.

        An instance of a class that is no plugin (defined in a notebook, say) travels pickled, and is loaded and run in
        a process of the interpreter that submitted the dispatch.

        Raises:
            SerializationError: Such an instance cannot be pickled.
        """
        from covalent_lab.executor import registry  # it imports this module

        name = registry.name_of(type(self))
        form = self.to_dict()
        if name is not None:
            return name, {**form, "short_name": name}
        kept = {key: value for key, value in form["attributes"].items() if _is_json(value)}
        shown = redacted(type(self), kept)  # the dispatcher does not know which are secret
        pickled = TransportableObject(self).to_dict()
        return HOSTED, {**form, "attributes": {**shown, PICKLED: pickled}}

    def get_dispatch_context(self, dispatch_info: DispatchInfo) -> contextlib.AbstractContextManager[DispatchInfo]:
        """A context in which `get_active_dispatch_info()` tells this dispatch."""

        @contextlib.contextmanager
        def claim() -> Iterator[DispatchInfo]:
            token = _active_dispatch.set(dispatch_info)
            try:
                yield dispatch_info
            finally:
                _active_dispatch.reset(token)

        return claim()

    def validate_status(self, status: str) -> bool:
        """Whether `set_job_status` may keep a status; overridden by executors that tell them."""
        return False

    async def set_job_status(self, status: str) -> bool:
        """Keep a backend's status of the job; False if `validate_status` refuses it."""
        if not self.validate_status(status):
            return False
        self._run.link.save_status(status)
        return True

    def get_upload_uri(self, task_group_metadata: Mapping[str, Any], object_key: str) -> str:
        """Where the dispatcher is to put an input of a managed job; empty for a folder of its own.

        Args:
            task_group_metadata: `dispatch_id`, `node_ids` and `task_group_id`.
            object_key: Name of the file.
        """
        return ""

    @property
    def task_stdout(self) -> io.StringIO:
        """Print here what the task printed."""
        return self._run.stdout

    @property
    def task_stderr(self) -> io.StringIO:
        """The same for standard error."""
        return self._run.stderr

    @property
    def failure_text(self) -> str:
        """What the `TaskRuntimeError` of the last execution said."""
        return self._run.failure

    @property
    def asked_for_cancel(self) -> bool:
        """Whether it has asked `get_cancel_requested`, and so can be trusted to stop by itself."""
        return self._run.asked_for_cancel

    def attach(self, link: JobLink, given: Mapping[str, Any]) -> None:
        """Begin a job; called by whoever runs the executor.

        Args:
            link: Connects it to the job.
            given: Attributes on top of those that it has; references to secrets are resolved.

        Raises:
            BackendError: A reference leads nowhere.
        """
        attributes = {**self.__getstate__(), **given}
        vars(self).update(resolved(attributes))
        vars(self)[_RUN] = _RunState(link, hidden=references(attributes))

    @property
    def _run(self) -> _RunState:
        state: _RunState = vars(self).setdefault(_RUN, _RunState())  # subclasses may not call __init__
        return state

    def _is_cancel_requested(self) -> bool:
        self._run.asked_for_cancel = True
        return self._run.link.is_cancel_requested()

    def _save_handle(self, handle: Any) -> bool:
        json.dumps(handle)  # raises here, where the mistake is
        self._run.link.save_handle(handle)
        return True

    def _task_failed(self, error: TaskRuntimeError) -> str:
        state = self._run
        state.failure = str(error)
        if state.failure and state.failure not in state.stderr.getvalue():
            state.stderr.write(state.failure if state.failure.endswith("\n") else f"{state.failure}\n")
        return "FAILED"

    def _ran(self, output: Any, status: str) -> Ran:
        return output, self.task_stdout.getvalue(), self.task_stderr.getvalue(), status

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != _RUN}

    def __repr__(self) -> str:
        values = {**self.__getstate__(), **dict.fromkeys(self._run.hidden, "env:")}
        shown = (
            f"{name}={MASK if is_secret(type(self), name, value) else repr(value)}" for name, value in values.items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


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
        import asyncio  # scripts that only define executors do without

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


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
