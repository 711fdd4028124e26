"""The plugin boundary: what the dispatcher asks of an executor, and what an executor tells the dispatcher.

An executor never sees the store, the graph or the dispatcher. `start` hands it an `ExecutorHost`; from then on it gets
jobs through `submit`, and answers with `host.report(...)`: any number of `JobStarted`, then exactly one `JobFinished`
for each job. All verbs run on the dispatcher's event loop and must not block it.

One class serves two purposes: users create instances to hold options (`LocalExecutor(workdir=...)`), which travel as
JSON inside the graph; the dispatcher creates one instance per executor name, starts it, and passes each job's options
in `JobSpec.options`. So per-job values are never written onto a running executor.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Any, ClassVar, Protocol, Self

from covalent_lab.errors import BackendError
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId, DispatchId, NodeId, PayloadRef

__all__ = [
    "Executor",
    "ExecutorHost",
    "JobFinished",
    "JobHandle",
    "JobIdentified",
    "JobSpec",
    "JobStarted",
    "JobStatus",
    "JobUpdate",
    "Line",
    "NewPayload",
    "Option",
    "Outcome",
    "PayloadSource",
    "ShortName",
    "TaskFailure",
    "Usage",
]

JobHandle = Mapping[str, Any]
"""JSON that lets a restarted dispatcher find the job again."""


Line = Callable[[bytes | None], None]
"""One direction of a connection: takes messages, in order, and None when it ends. Does not block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadSource:
    """A value a job needs: its bytes, or the path of a file on the dispatcher's machine that holds them.

    Attributes:
        ref: Digest and size of the payload; empty and 0 if `step` is given, because the value is not there yet.
        data: The bytes, if it is small.
        path: The file, if it is not.
        step: Instead of bytes and path: the earlier step of the same job (see `JobSpec.then`) whose output it is.
    """

    ref: PayloadRef
    data: bytes | None = None
    path: str | None = None
    step: AttemptId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One attempt at one node.

    Attributes:
        attempt_id: Key of the job; a repeated submission carries the same one.
        dispatch_id: The dispatch it belongs to.
        node_id: The node it belongs to.
        attempt: 1 for the first try.
        name: What users call the task.
        function: The pickled callable.
        args: Positional arguments in order.
        kwargs: Keyword arguments.
        hooks: Dependencies and calls before and after the task, as in `NodeOptions.hooks`.
        options: Attributes of the executor instance chosen for this node (`Executor.to_dict()["attributes"]`).
        client: About the process that submitted the dispatch: `python` (path of its interpreter), `python_version`,
            `cwd`, `hostname`.
        env: Environment variables for the task, on top of the executor's own.
        arg_nodes: The nodes that `args` come from.
        kwarg_nodes: The nodes that `kwargs` come from.
        then: Later steps of the job, for executors with `packs`: they run in this order in the same place, without
            coming back to the dispatcher in between. Each is reported by itself (`JobStarted`, `JobFinished`). The job
            ends with the first step that does not complete: nothing is reported for the steps after it. A step that
            was cancelled before its turn is reported CANCELLED when its turn comes, and is not run. A step has no
            `then` of its own.
    """

    attempt_id: AttemptId
    dispatch_id: DispatchId
    node_id: NodeId
    attempt: int
    name: str
    function: PayloadSource
    args: Sequence[PayloadSource] = ()
    kwargs: Mapping[str, PayloadSource] = field(default_factory=dict)
    hooks: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    arg_nodes: Sequence[NodeId] = ()
    kwarg_nodes: Mapping[str, NodeId] = field(default_factory=dict)
    then: "Sequence[JobSpec]" = ()


class JobStatus(StrEnum):
    """How a job ended.

    LOST means that nobody can tell: the job is gone without an outcome (its worker, machine or record disappeared).
    """

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayload:
    """The output of a job: bytes when small, else a file already placed at `host.payload_path(digest)`."""

    ref: PayloadRef
    data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure:
    """Why a job failed.

    Attributes:
        message: One line: the exception's last line, or what happened to the worker, and what to do.
        is_user_error: True if user code raised; False for executor, network or machine trouble.
        traceback: The formatted traceback, empty if there is none.
        is_transient: Whether trying again can help.
    """

    message: str
    is_user_error: bool
    traceback: str = ""
    is_transient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a task used, measured around it in the process that ran it.

    Attributes:
        cpu_s: CPU seconds of the process, and of children that it waited for.
        peak_memory: Highest resident memory of the process in bytes; earlier tasks of the same process count.
        memory_growth: How much of that the task added, 0 if an earlier task of the process needed more.
        input_bytes: Size of the serialised arguments.
        output_bytes: Size of the serialised result, 0 if there is none.
        host: Name of the machine.
        pid: Process there.
    """

    cpu_s: float
    peak_memory: int
    memory_growth: int
    input_bytes: int
    output_bytes: int
    host: str
    pid: int

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Self:
        """Read what `worker.py` reports.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        return cls(
            cpu_s=float(form["cpu_s"]),
            **{name: int(form[name]) for name in ("peak_memory", "memory_growth", "input_bytes", "output_bytes")},
            host=str(form["host"]),
            pid=int(form["pid"]),
        )

    def to_json(self) -> dict[str, Any]:
        """The form that is stored and shown."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything a finished job leaves behind. Times are POSIX seconds, None if it never ran.

    `usage` is None where the executor does not measure it.
    """

    status: JobStatus
    output: NewPayload | None = None
    failure: TaskFailure | None = None
    stdout: str = ""
    stderr: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """The task itself began to run.

    Attributes:
        attempt_id: Which job.
        at: When, in POSIX seconds.
        stdout_path: A file on the dispatcher's machine that grows as the task prints, if there is one.
        stderr_path: The same for standard error.
    """

    attempt_id: AttemptId
    at: float
    stdout_path: str | None = None
    stderr_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    """The last word on a job."""

    attempt_id: AttemptId
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class JobIdentified:
    """The job's handle changed after its submission, as a backend named it late; stored where jobs survive."""

    attempt_id: AttemptId
    handle: JobHandle


JobUpdate = JobStarted | JobIdentified | JobFinished


class ExecutorHost(Protocol):
    """What the dispatcher offers an executor."""

    @property
    def inline_limit(self) -> int:
        """Outputs of at most this many bytes are reported as bytes, larger ones as files."""
        ...

    @property
    def work_dir(self) -> str:
        """A private folder for this executor's own files (logs, scripts, sockets); exists, survives restarts."""
        ...

    @property
    def payload_dir(self) -> str:
        """Root of the payload files; a worker writes a temporary file here and renames it to `payload_path`."""
        ...

    def payload_path(self, digest: str) -> str:
        """Where the payload file of a digest belongs (its folder may have to be made)."""
        ...

    def report(self, update: JobUpdate) -> None:
        """Tell the dispatcher; call it on the event loop only."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One constructor argument of an executor.

    Attributes:
        name: As users write it.
        default: Used when neither the argument nor the configuration gives a value.
        is_secret: Never stored, logged or shown; only a reference (`env:NAME`) travels.
        doc: One line for forms and the reference.
    """

    name: str
    default: Any = None
    is_secret: bool = False
    doc: str = ""


class ShortName(str):
    """A short name that may also be called, as the documented `short_name()` is."""

    __slots__ = ()

    def __call__(self) -> str:
        return str(self)


class Executor(ABC):
    """Base class of all executors. Subclass it, list `options`, and implement the five verbs."""

    options: ClassVar[tuple[Option, ...]] = ()
    """Of the class: an instance may have an option of that name."""
    short_name: ClassVar[str] = ""
    max_in_flight: ClassVar[int] = 256
    """How many jobs the dispatcher gives it at a time; the others wait in the scheduler."""
    jobs_survive: ClassVar[bool] = True
    """Whether a job can outlive the dispatcher; if so its handle is stored, to watch it again after a restart."""
    packs: ClassVar[bool] = False
    """Whether it runs jobs of several steps (`JobSpec.then`), all of which share one handle; else it never gets any."""

    def __init__(self, **values: Any) -> None:
        """Hold option values; acquires nothing.

        Raises:
            TypeError: An argument is not an option of this executor.
        """
        known = {option.name for option in type(self).options}
        unknown = sorted(set(values) - known)
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no option {unknown[0]!r}. Its options: {', '.join(sorted(known))}."
            )
        for option in type(self).options:
            setattr(self, option.name, values.get(option.name, option.default))

    def to_dict(self) -> dict[str, Any]:
        """JSON form: `{"type", "short_name", "attributes"}`."""
        return {
            "type": type(self).__name__,
            "short_name": self.short_name,
            "attributes": {option.name: getattr(self, option.name) for option in type(self).options},
        }

    def from_dict(self, object_dict: Mapping[str, Any]) -> Self:
        """Overwrite the option values with those of a `to_dict` form; returns the instance."""
        for name, value in object_dict.get("attributes", {}).items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{o.name}={'***' if o.is_secret and getattr(self, o.name) else repr(getattr(self, o.name))}"
            for o in type(self).options
            if getattr(self, o.name) != o.default
        )
        return f"{type(self).__name__}({shown})"

    @abstractmethod
    async def start(self, host: ExecutorHost) -> None:
        """Acquire what jobs need. Called once, before any other verb."""

    @abstractmethod
    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Take over jobs; returns one handle each, in order. Must not wait for jobs to run.

        A job that cannot be started is reported as FAILED through the host; nothing is raised for it.
        """

    @abstractmethod
    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Take responsibility again for jobs submitted before a restart; each gets its `JobFinished`, LOST if gone.

        Of a job of several steps only the one under way is watched. Those after it are submitted again once they can
        run, under the same attempt ids.
        """

    @abstractmethod
    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Stop jobs, whether queued or running; each stopped one is reported CANCELLED. Unknown ones are ignored."""

    async def printed(self, attempt_id: AttemptId, stream: str, offset: int, limit: int) -> bytes:
        """What a running task has written to a stream so far; empty where that cannot be told.

        Asked about once a second for each stream that somebody is looking at, and never for others, so that tasks
        nobody looks at cost nothing. The end of the task reports the whole text in any case: what is answered here
        is shown and not kept. It should answer within a second or two; later answers are dropped. Not asked for jobs
        whose `JobStarted` names a file.

        Args:
            attempt_id: The job, or the step that a job of several steps has come to. It may be unknown or over.
            stream: `"stdout"` or `"stderr"`.
            offset: Bytes from the beginning of the stream that the asker has already.
            limit: Most bytes to return.
        """
        return b""

    async def notify(self, attempt_id: AttemptId, body: Mapping[str, Any]) -> bool:
        """A backend says, through the dispatcher's API, that a job is ready; False if nobody waits for that.

        Args:
            attempt_id: The job.
            body: What the backend sent: at least `status`.
        """
        return False

    async def admit(self, line: Line) -> Line:
        """A process that does an executor's jobs has connected to the dispatcher; called once started.

        Args:
            line: To the process. None asks it to leave.

        Returns:
            From the process. None says that it is gone.

        Raises:
            BackendError: This executor has no use for such processes.
        """
        raise BackendError(f"Executor {self.short_name!r} takes no connections. Only a few kinds do, as 'kernel'.")

    async def check(self) -> Health:
        """Find out whether tasks can run, as far as that takes seconds and changes nothing; called once started.

        The dispatcher gives it a limited time, and takes a `LabError` that is raised for the answer "no".
        """
        return Health(is_usable=True, summary="Ready. This executor says no more of itself; a test task tells more.")

    def dispatch_over(self, dispatch_id: DispatchId, *, is_deleted: bool) -> None:  # noqa: B027 - most do not care
        """Nothing of a dispatch will be submitted any more, as it ended; or it was deleted, and nobody can read it."""

    @abstractmethod
    async def close(self) -> None:
        """Release everything; jobs that cannot outlive the dispatcher are stopped. Safe to call twice."""


def __getattr__(name: str) -> Any:
    if name in ("AsyncBaseExecutor", "BaseExecutor", "wrapper_fn"):  # their documented home; they import this module
        home = "task" if name == "wrapper_fn" else "classic"
        return getattr(import_module(f"covalent_lab.executor.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
