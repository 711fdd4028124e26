"""One cell as a dispatch: gathers what it needs, submits it, follows it, and brings back what it gives.

Knows the client, but not how things are shown: that is the `Screen`'s business.
"""

import contextlib
import keyword
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab import payload
from covalent_lab.client.api import dispatch, get_result
from covalent_lab.client.connection import Connection, connect
from covalent_lab.errors import (
    SerializationError,
    TaskCancelledError,
    TaskRuntimeError,
    UsageError,
)
from covalent_lab.executor import registry
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.notebook.bashcells import bash_cell_task, check_outputs, exported
from covalent_lab.notebook.cards import FollowedCard
from covalent_lab.notebook.cells import CellNames, analyse
from covalent_lab.notebook.following import NodeStreams, follow_dispatch, remote_traceback
from covalent_lab.notebook.remote import Shipped, cell_task, shown_as
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
    "cell_electron",
    "prepare",
    "prepare_bash",
    "task_name",
]

_TASK_NODE = 0


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
        self._started: float | None = None
        self.dispatch_id = _submit(task, limits or TaskLimits())
        self._printed = NodeStreams(self.dispatch_id, _TASK_NODE)
        self._connection = connect()
        self._card = FollowedCard(screen)

    def show(self, status: str, nodes: Mapping[str, Any] | None = None, *, is_delivered: bool = False) -> None:
        """Show how it stands.

        Args:
            status: Of its task, or at the end of the dispatch.
            nodes: States of its nodes; None to ask for them.
            is_delivered: Whether what it gave stands below already.
        """
        executor = self._task.executor
        progress = Progress(
            dispatch_id=self.dispatch_id,
            name=self._task.name,
            status=status,
            executor=executor if isinstance(executor, str) else getattr(executor, "short_name", ""),
            elapsed_s=None if self._started is None else time.time() - self._started,
        )
        nodes = self._connection.nodes(self.dispatch_id) if nodes is None else nodes
        self._card.show(progress, nodes, is_delivered=is_delivered)

    def follow(self) -> Any:
        """Wait for the end, showing what happens; returns the outcome (see `remote.py`).

        An interrupt cancels the cell.

        Raises:
            TaskRuntimeError: The cell raised. Its attribute `traceback` is the remote one.
            TaskCancelledError: It was cancelled elsewhere.
            KeyboardInterrupt: It was interrupted here.
        """
        detail = follow_dispatch(self.dispatch_id, self._show)
        if detail["status"] == "COMPLETED":
            return get_result(self.dispatch_id).result
        raise self._failure(detail)

    def _show(self, connection: Connection, detail: Mapping[str, Any]) -> None:
        self._connection = connection
        status = str(detail["status"])
        is_over = status in TERMINAL
        states = connection.nodes(self.dispatch_id)
        if _TASK_NODE in states["node_id"]:
            place = states["node_id"].index(_TASK_NODE)
            self._started = states["started_at"][place]
            if not is_over:
                status = states["status"][place]
            if self._started is not None:
                for text, is_error in zip(self._printed.read(connection, status), (False, True), strict=True):
                    self._screen.write(text, is_error=is_error)
        self.show(status, states)

    def _failure(self, detail: Mapping[str, Any]) -> TaskRuntimeError | TaskCancelledError:
        if detail["status"] == "CANCELLED":
            return TaskCancelledError(f"The cell was cancelled (dispatch {self.dispatch_id}).")
        reason = self._connection.node(self.dispatch_id, _TASK_NODE)["error"] or detail["error"]
        error = TaskRuntimeError(str(reason or f"The cell failed (dispatch {self.dispatch_id})."))
        trace = remote_traceback(self._connection, self.dispatch_id, _TASK_NODE)
        if self._task.is_bash:  # no Python of the user's is in there
            trace = trace.removeprefix("Traceback (most recent call last):\n")
        error.traceback = trace  # type: ignore[attr-defined]
        return error


class _Held:
    """A call that a workflow function makes and does not take along when it is pickled: its node has everything."""

    def __init__(self, task: CellTask, limits: TaskLimits) -> None:
        takes = tuple(task.values)
        if task.is_bash:
            run = bash_cell_task(task.source, name=task.name, takes=takes, gives=task.gives)
        else:
            run = cell_task(task.source, name=task.name, takes=takes, gives=task.gives, gives_new=task.gives_new)
        self._call = cell_electron(run, task.executor, limits)
        self._values = [Shipped.of(value) for value in task.values.values()]

    def __call__(self) -> Any:
        return self._call(*self._values)

    def __reduce__(self) -> tuple[Any, ...]:
        return str, ()


def cell_electron(run: Callable[..., Any], executor: Any, limits: TaskLimits) -> Callable[..., Any]:
    """Make the task of a cell an electron.

    Raises:
        UsageError: Its executor knows no such limit.
    """
    made = electron(run, executor=executor, deps_pip=list(limits.packages) or None, cache=limits.reuses_results)
    _set_limits(made.electron_object, executor, limits)
    return made


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
