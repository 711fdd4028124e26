"""Every exception that reaches a user.

    LabError
    ├── UsageError                 the caller is wrong: raised at once
    │   ├── GraphBuildError        a workflow function cannot be turned into a graph
    │   ├── MissingLatticeRecordError   no dispatch has this id
    │   ├── MissingNodeError       the dispatch has no such node or payload
    │   ├── PartOfDispatchError    the dispatch belongs to another and cannot be deleted alone
    │   ├── UnknownExecutorError   no executor is registered under this name
    │   ├── SerializationError     a value cannot be pickled
    │   └── ConfigError            a settings file or value cannot be used
    ├── TaskError                  user code failed: data, stored and shown
    │   ├── TaskRuntimeError
    │   └── TaskCancelledError
    ├── BackendError               executor, network or disk; `transient` says whether trying again can help
    │   ├── ServerUnreachableError
    │   ├── ServerRejectedError
    │   ├── CommandNotFoundError   a program that an executor needs is not there
    │   └── StoreError
    ├── ResultTimeoutError         `get_result(timeout=…)` ran out of time; the dispatch goes on
    └── InternalError              a bug of this package; stops one dispatch only

    GraphBuildWarning              a UserWarning: a workflow function does something that is hardly meant

Each error has a stable `code`, used in JSON. Messages say what failed, on what, and what to do next.
"""

from typing import Any, ClassVar

__all__ = [
    "BackendError",
    "CommandNotFoundError",
    "ConfigError",
    "GraphBuildError",
    "GraphBuildWarning",
    "InternalError",
    "LabError",
    "MissingLatticeRecordError",
    "MissingNodeError",
    "PartOfDispatchError",
    "ResultTimeoutError",
    "SerializationError",
    "ServerRejectedError",
    "ServerUnreachableError",
    "StoreError",
    "TaskCancelledError",
    "TaskError",
    "TaskRuntimeError",
    "UnknownExecutorError",
    "UsageError",
    "error_of_code",
]


class LabError(Exception):
    """Root of the tree.

    Args:
        message: What failed, on what, and what to do next, in one line.
    """

    code: ClassVar[str] = "lab_error"
    transient: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _rebuild,
            (type(self), self.message, {k: v for k, v in self.__dict__.items() if k != "message"}),
        )


def _rebuild(cls: type[LabError], message: str, fields: dict[str, Any]) -> LabError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    error.message = message
    error.__dict__.update(fields)
    return error


class UsageError(LabError):
    """The caller is wrong."""

    code = "usage"


class GraphBuildError(UsageError, TypeError, ValueError):
    """A workflow function does something that no graph can express."""

    code = "graph_build"


class GraphBuildWarning(UserWarning):
    """A workflow function turns the result of a task into text, which names the task and not its value."""


class MissingLatticeRecordError(UsageError):
    """No dispatch has this id."""

    code = "unknown_dispatch"

    def __init__(self, dispatch_id: str) -> None:
        super().__init__(
            f"No dispatch {dispatch_id!r} is recorded. Check the id, or list the recorded ones in the sidebar."
        )
        self.dispatch_id = dispatch_id


class MissingNodeError(UsageError):
    """The dispatch exists, the node, stream or payload asked for does not."""

    code = "unknown_node"


class PartOfDispatchError(UsageError):
    """The dispatch is what a node of another became, and goes with it."""

    code = "part_of_dispatch"


class UnknownExecutorError(UsageError, ValueError):
    """No executor is registered under this name."""

    code = "unknown_executor"

    def __init__(self, name: str, known: tuple[str, ...] = ()) -> None:
        listed = f" Known executors: {', '.join(known)}." if known else ""
        super().__init__(f"No executor is named {name!r}.{listed} Check the spelling, or install the plugin.")
        self.name = name
        self.known = known


class SerializationError(UsageError, TypeError):
    """A value cannot be pickled."""

    code = "serialization"


class ConfigError(UsageError):
    """A settings file or value cannot be used."""

    code = "config"


class TaskError(LabError):
    """User code failed. Plugins may raise it without a message."""

    code = "task"

    def __init__(self, message: str = "") -> None:
        super().__init__(message)


class TaskRuntimeError(TaskError):
    """A task raised."""

    code = "task_runtime"


class TaskCancelledError(TaskError):
    """A task was asked to stop, and did."""

    code = "task_cancelled"


class BackendError(LabError):
    """An executor, the network or the disk failed."""

    code = "backend"


class ServerUnreachableError(BackendError, ConnectionError):
    """Nothing answers at the dispatcher's address."""

    code = "server_unreachable"
    transient = True

    def __init__(self, address: str, reason: str = "") -> None:
        detail = f" ({reason})" if reason else ""
        super().__init__(
            f"No covalent_lab server answers at {address}{detail}. Start JupyterLab with covalent-lab installed, or "
            "`covalent-lab start`; a program may also leave the address away, and run in its own process."
        )
        self.address = address


class ServerRejectedError(BackendError):
    """The server answered with an error that has no class of its own."""

    code = "server_rejected"

    def __init__(self, message: str, http_status: int = 0) -> None:
        super().__init__(message)
        self.http_status = http_status


class CommandNotFoundError(BackendError):
    """A program that an executor or a task needs is not there."""

    code = "command_not_found"


class StoreError(BackendError):
    """The database or the payload files cannot be read or written."""

    code = "store"


class ResultTimeoutError(LabError, TimeoutError):
    """Waiting for a result took longer than allowed; the dispatch goes on."""

    code = "result_timeout"


class InternalError(LabError):
    """A bug of this package."""

    code = "internal"


def error_of_code(code: str, message: str) -> LabError | None:
    """The error that another process told by code and message; None if this version does not know the code."""
    pending: list[type[LabError]] = [LabError]
    while pending:
        kind = pending.pop()
        if vars(kind).get("code") == code:
            return _rebuild(kind, message, {})
        pending.extend(kind.__subclasses__())
    return None
