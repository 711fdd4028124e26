"""One cell as a dispatch: gathers what it needs, submits it, follows it, and brings back what it gives.

Knows the client, but not how things are shown: that is the `Screen`'s business.
"""

import contextlib
import keyword
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab import payload
from covalent_lab.client.api import dispatch, get_result
from covalent_lab.client.connection import Connection, connect
from covalent_lab.errors import (
    SerializationError,
    ServerUnreachableError,
    TaskCancelledError,
    TaskRuntimeError,
    UsageError,
)
from covalent_lab.executor import registry
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.notebook.bashcells import bash_cell_task, check_outputs, exported
from covalent_lab.notebook.cells import CellNames, analyse
from covalent_lab.notebook.remote import RUNNER_FILE, Shipped, cell_task, shown_as
from covalent_lab.notebook.report import Progress
from covalent_lab.notebook.screens import Screen
from covalent_lab.settings import Settings
from covalent_lab.workflow.electron import Electron, electron
from covalent_lab.workflow.lattice import Lattice
from covalent_lab.workflow.options import encode_executor

__all__ = [
    "CellRun",
    "CellTask",
    "TaskLimits",
    "prepare",
    "prepare_bash",
    "remote_traceback",
    "split_traceback",
    "task_name",
]

_TASK_NODE = 0
_FIRST_STEPS = 16
_SHORT_STEP_S = 0.25
_LONG_STEP_S = 1.0
_CANCEL_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTask:
    """A cell that is ready to be submitted.

    Attributes:
        name: What the task is called.
        source: The text below the magic's line.
        executor: A short name, an executor instance, or None for the configured one.
        values: What it takes from the notebook.
        gives: Names it gives back.
        gives_new: Also names that nobody can foresee (star imports).
        is_bash: The text is for the shell.
    """

    name: str
    source: str
    executor: Any
    values: Mapping[str, Any]
    gives: Sequence[str]
    gives_new: bool = False
    is_bash: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLimits:
    """What surrounds a cell's task.

    Attributes:
        packages: Requirements that are installed before it.
        time_limit_s: Longest run of one attempt; None for the executor's.
        retries: How often it is tried again; None for the executor's.
        reuses_results: Whether the result of an equal cell is taken over; None for what is configured.
    """

    packages: Sequence[str] = ()
    time_limit_s: float | None = None
    retries: int | None = None
    reuses_results: bool | None = None


def prepare(
    source: str,
    namespace: Mapping[str, Any],
    *,
    name: str,
    executor: Any = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] = (),
    hidden: Mapping[str, Any] | None = None,
) -> CellTask:
    """Gather what a cell needs.

    Args:
        source: The text below the magic's line.
        namespace: The notebook's names.
        name: What the task is called.
        executor: A short name, an executor instance, or None.
        inputs: The only names to take from the notebook; None for all that the cell reads.
        outputs: Names to give back; none means all that the cell assigns.
        hidden: Names that belong to the notebook's machinery, not to its user.

    Raises:
        SyntaxError: The cell is not Python.
        NameError: A name it needs exists nowhere.
        UsageError: It awaits, never assigns one of the outputs, or needs a name that `inputs` leaves out.
    """
    names = analyse(source)
    _check_outputs(names, outputs)
    _check_inputs(inputs, namespace)
    missing = [name for name in names.required if name not in namespace]
    if missing:
        raise NameError(f"name {missing[0]!r} is not defined", name=missing[0])
    own = hidden or {}
    wanted = [*names.required, *names.optional, *names.shadowable]
    present = [name for name in wanted if name in namespace and not _is_same(own, namespace, name)]
    if inputs is not None:
        left_out = [name for name in names.required if name in present and name not in inputs]
        if left_out:
            raise UsageError(f"The cell needs {', '.join(left_out)}, which -i leaves out.")
        present = list(dict.fromkeys(inputs))
    values = {name: namespace[name] for name in present}
    replaced = set(names.assigned) - set(names.required)
    for known in replaced & values.keys():  # most likely assigned by the cell itself before it is read
        if not _can_be_pickled(values[known]):
            del values[known]
    return CellTask(
        name=name,
        source=source,
        executor=executor,
        values=values,
        gives=tuple(outputs) or names.assigned,
        gives_new=names.has_star_import and not outputs,
    )


def prepare_bash(
    source: str,
    namespace: Mapping[str, Any],
    *,
    name: str,
    executor: Any = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] = (),
    hidden: Mapping[str, Any] | None = None,
) -> CellTask:
    """Gather what a cell in the shell's language needs; the arguments are those of `prepare`.

    Raises:
        UsageError: It is empty, an output cannot be a shell variable, or an input is neither a text nor a number.
    """
    if not source.strip():
        raise UsageError("The cell is empty: there is no command to run.")
    check_outputs(outputs)
    _check_inputs(inputs, namespace)
    own = hidden or {}
    visible = {known: value for known, value in namespace.items() if not _is_same(own, namespace, known)}
    values = exported(source if inputs is None else " ".join(f"${name}" for name in inputs), visible)
    if unlike := [name for name in inputs or () if name not in values]:
        raise UsageError(f"{unlike[0]!r}, which -i names, is neither a text nor a number that a shell could have.")
    return CellTask(
        name=name, source=source, executor=executor, values=values, gives=tuple(dict.fromkeys(outputs)), is_bash=True
    )


def _check_outputs(names: CellNames, outputs: Sequence[str]) -> None:
    for name in outputs:
        if name not in names.assigned and not names.has_star_import:
            known = f" It assigns {', '.join(names.assigned)}." if names.assigned else " It assigns nothing."
            raise UsageError(f"The cell never assigns {name!r}, which -o asks for.{known}")


def _check_inputs(inputs: Sequence[str] | None, namespace: Mapping[str, Any]) -> None:
    for name in inputs or ():
        if name not in namespace:
            raise UsageError(f"{name!r}, which -i names, is not defined in the notebook.")


def _is_same(own: Mapping[str, Any], namespace: Mapping[str, Any], name: str) -> bool:
    return name in own and own[name] is namespace[name]


def _can_be_pickled(value: Any) -> bool:
    with contextlib.suppress(SerializationError):
        payload.encode(value)
        return True
    return False


class CellRun:
    """A submitted cell.

    Args:
        task: The cell.
        screen: Where its life is shown.
        limits: What surrounds it.

    Raises:
        SerializationError: A variable cannot be pickled; names it.
        UsageError: Its executor knows no such limit.
        LabError: It cannot be submitted.
    """

    def __init__(self, task: CellTask, screen: Screen, limits: TaskLimits | None = None) -> None:
        self._task = task
        self._screen = screen
        self._offsets = {"stdout": 0, "stderr": 0}
        self._held_back = ""
        self._started: float | None = None
        self.dispatch_id = _submit(task, limits or TaskLimits())
        self._connection = connect()

    def progress(self, status: str) -> Progress:
        """How it stands, for the screen."""
        executor = self._task.executor
        return Progress(
            dispatch_id=self.dispatch_id,
            name=self._task.name,
            status=status,
            executor=executor if isinstance(executor, str) else getattr(executor, "short_name", ""),
            elapsed_s=None if self._started is None else time.time() - self._started,
            url=self._connection.lab_url(self.dispatch_id),
        )

    def follow(self) -> Any:
        """Wait for the end, showing what happens; returns the outcome (see `remote.py`).

        An interrupt cancels the cell.

        Raises:
            TaskRuntimeError: The cell raised. Its attribute `traceback` is the remote one.
            TaskCancelledError: It was cancelled elsewhere.
            KeyboardInterrupt: It was interrupted here.
        """
        try:
            detail = self._wait()
        except KeyboardInterrupt:
            self._connection.cancel(self.dispatch_id)
            detail = self._connection.detail(self.dispatch_id, wait_s=_CANCEL_S)
            self._show(detail)
            raise
        if detail["status"] == "COMPLETED":
            return get_result(self.dispatch_id).result
        raise self._failure(detail)

    def _wait(self) -> dict[str, Any]:
        steps = 0
        while True:
            steps += 1
            try:
                detail = self._connection.detail(
                    self.dispatch_id, wait_s=_SHORT_STEP_S if steps < _FIRST_STEPS else _LONG_STEP_S
                )
                self._show(detail)
            except ServerUnreachableError:
                get_result(self.dispatch_id, wait=True)  # waits for the server to come back
                self._connection = connect()
                continue
            if detail["status"] in TERMINAL:
                return detail

    def _show(self, detail: Mapping[str, Any]) -> None:
        status = str(detail["status"])
        is_over = status in TERMINAL
        states = self._connection.nodes(self.dispatch_id)
        if _TASK_NODE in states["node_id"]:
            place = states["node_id"].index(_TASK_NODE)
            self._started = states["started_at"][place]
            if not is_over:
                status = states["status"][place]
            if self._started is not None:
                self._write(status)
        self._screen.progress(self.progress(status))

    def _write(self, status: str) -> None:
        self._screen.write(self._read("stdout"), is_error=False)
        text, trace = split_traceback(self._held_back + self._read("stderr"))
        self._held_back = "" if status in TERMINAL else trace  # it may turn out to be why the cell failed
        self._screen.write(text + (trace if status == "COMPLETED" else ""), is_error=True)

    def _read(self, name: str) -> str:
        text, self._offsets[name] = _read_stream(self._connection, self.dispatch_id, name, self._offsets[name])
        return text

    def _failure(self, detail: Mapping[str, Any]) -> TaskRuntimeError | TaskCancelledError:
        if detail["status"] == "CANCELLED":
            return TaskCancelledError(f"The cell was cancelled (dispatch {self.dispatch_id}).")
        reason = self._connection.node(self.dispatch_id, _TASK_NODE)["error"] or detail["error"]
        error = TaskRuntimeError(str(reason or f"The cell failed (dispatch {self.dispatch_id})."))
        trace = remote_traceback(self._connection, self.dispatch_id)
        if self._task.is_bash:  # no Python of the user's is in there
            trace = trace.removeprefix("Traceback (most recent call last):\n")
        error.traceback = trace  # type: ignore[attr-defined]
        return error


def remote_traceback(connection: Connection, dispatch_id: str) -> str:
    """The traceback of a failed cell, without the frames of what surrounds it; empty if there is none."""
    text, _ = _read_stream(connection, dispatch_id, "stderr", 0)
    _, trace = split_traceback(text)
    frame = rf'^ *File "{re.escape(RUNNER_FILE)}".*\n(?:^ {{4,}}.*\n)*'
    return re.sub(frame, "", trace, flags=re.MULTILINE)


def _read_stream(connection: Connection, dispatch_id: str, name: str, offset: int) -> tuple[str, int]:
    pieces: list[str] = []
    while True:
        piece = connection.stream(dispatch_id, _TASK_NODE, name, offset)
        offset = piece["offset"]
        if not piece["text"]:
            return "".join(pieces), offset
        pieces.append(piece["text"])


_HEADER = re.compile(r"^(?:  \+ Exception Group )?Traceback \(most recent call last\):$", re.MULTILINE)
_CHAINED = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)


def split_traceback(stderr: str) -> tuple[str, str]:
    """Split what a failed task left on stderr into what it printed and the traceback at the end, with its causes."""
    headers = [match.start() for match in _HEADER.finditer(stderr)]
    if not headers:
        return stderr, ""
    begin = headers.pop()
    while headers and stderr[:begin].rstrip().endswith(_CHAINED):
        begin = headers.pop()
    return stderr[:begin], stderr[begin:]


class _Held:
    """A call that a workflow function makes and does not take along when it is pickled: its node has everything."""

    def __init__(self, task: CellTask, limits: TaskLimits) -> None:
        takes = tuple(task.values)
        if task.is_bash:
            run = bash_cell_task(task.source, name=task.name, takes=takes, gives=task.gives)
        else:
            run = cell_task(task.source, name=task.name, takes=takes, gives=task.gives, gives_new=task.gives_new)
        packages = list(limits.packages) or None
        self._call = electron(run, executor=task.executor, deps_pip=packages, cache=limits.reuses_results)
        _set_limits(self._call.electron_object, task.executor, limits)
        self._values = [Shipped.of(value) for value in task.values.values()]

    def __call__(self) -> Any:
        return self._call(*self._values)

    def __reduce__(self) -> tuple[Any, ...]:
        return str, ()


def _set_limits(task: Electron, executor: Any, limits: TaskLimits) -> None:
    """Override an executor's limits for one task; they travel with the executor's own values."""
    given = {"time_limit": limits.time_limit_s, "retries": limits.retries}
    wanted = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        return
    chosen = Settings.load().default_executor if executor is None else executor
    name, form = encode_executor(registry.default().instance(chosen) if isinstance(chosen, str) else chosen)
    attributes = (form or {}).get("attributes", {})
    if unknown := wanted.keys() - attributes.keys():
        raise UsageError(f"The executor {name!r} has no option {sorted(unknown)[0]!r}; leave it away.")
    task.set_metadata("executor", name)
    task.set_metadata("executor_data", {**(form or {}), "attributes": {**attributes, **wanted}})


def _submit(task: CellTask, limits: TaskLimits) -> str:
    held = _Held(task, limits)

    def workflow() -> Any:
        return held()

    workflow.__name__ = workflow.__qualname__ = task.name
    workflow.__wrapped__ = shown_as(task.source, task.name, ())  # type: ignore[attr-defined]
    if task.is_bash:
        workflow.covalent_source = task.source  # type: ignore[attr-defined]
    try:
        return dispatch(Lattice(workflow))()
    except SerializationError:
        for name, value in task.values.items():
            payload.encode(value, what=f"the variable {name!r}")
        raise


def task_name(text: str) -> str:
    """A text as the name of a function."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII) or "cell"
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"cell_{name}"
