"""What `BaseExecutor` and `AsyncBaseExecutor` have in common: attributes, streams, and the link to their job.

An instance runs one job at a time. It knows nothing of the engine: whoever runs it (`bridge.py`, or `hosted_job.py` in
another process) gives it a `JobLink`, through which it asks and tells about its job.
"""

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from covalent_lab.errors import TaskRuntimeError
from covalent_lab.executor.secrets import MASK, is_secret, redacted, references, resolved
from covalent_lab.workflow.transportable import TransportableObject

__all__ = [
    "HOSTED",
    "PICKLED",
    "ClassicExecutor",
    "DispatchInfo",
    "JobLink",
    "Ran",
    "claim_dispatch",
    "get_active_dispatch_info",
]

HOSTED = "hosted"
"""Short name of the executor that runs instances of classes which are no plugins."""
PICKLED = "_pickled"
"""Attribute under which such an instance travels."""

_RUN = "_run_state"

Ran = tuple[Any, str, str, str]
"""Output, standard output, standard error and status of an execution."""


@dataclass(frozen=True, slots=True)
class DispatchInfo:
    """The dispatch that an executor works for; plugins make it as `DispatchInfo(dispatch_id)`."""

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


@contextlib.contextmanager
def claim_dispatch(dispatch_info: DispatchInfo) -> Iterator[DispatchInfo]:
    """A context in which `get_active_dispatch_info()` tells this dispatch."""
    token = _active_dispatch.set(dispatch_info)
    try:
        yield dispatch_info
    finally:
        _active_dispatch.reset(token)


class ClassicExecutor:
    """What both base classes have in common; not to be subclassed directly."""

    SUPPORTS_MANAGED_EXECUTION: ClassVar[bool] = False
    """Whether jobs go through `send`, `poll` and `receive` instead of `run`."""
    max_in_flight: ClassVar[int] = 256
    """How many jobs it is given at a time."""
    packs: ClassVar[bool] = False
    """Jobs of several steps are for executors of the engine's own interface."""
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
        return claim_dispatch(dispatch_info)

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


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
