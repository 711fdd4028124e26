"""@electron: a function that runs as usual, or records a call while a workflow is built.

An `Electron` holds a callable and options and never changes because of a build. A call inside a build returns a
`BoundElectron`, which stands for the value of one node.
"""

import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType, MappingProxyType
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from covalent_lab.ids import NodeId
from covalent_lab.workflow.build_error import build_error
from covalent_lab.workflow.node_functions import BINARY_OPERATORS
from covalent_lab.workflow.options import (
    TaskOptions,
    encode_executor,
    encode_hooks,
    get_option,
    prefer_backend,
    read_metadata,
    set_option,
)
from covalent_lab.workflow.reference import Output
from covalent_lab.workflow.replay import active_replay
from covalent_lab.workflow.task import Task, Workflow, callable_name, keep_source, source_of
from covalent_lab.workflow.tracing import Trace, active_trace, is_pickling_for_task
from covalent_lab.workflow.transport_graph import _TransportGraph, connect_argument
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["BoundElectron", "Electron", "ElectronFunction", "electron", "wait"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class ElectronFunction(Protocol[P, R_co]):
    """What `@electron` returns: the function's own signature, and the `Electron` behind it."""

    electron_object: "Electron"
    __name__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    def __get__(self, instance: object, owner: type | None = None, /) -> Callable[..., R_co]: ...


class Electron:
    """A task: a callable and the options of where and how to run it.

    Args:
        function: What to run; a `Lattice` makes a sublattice.
        node_id: The node it stands for; None for a task that was not called.
        metadata: Options by key: `executor`, `executor_data`, `hooks`; missing ones come from the lattice.
        task_group_id: The group its nodes travel with; each is its own if None. Neighbouring nodes of one group go to
            their executor as one job, where it can do that.
        packing_tasks: Whether nodes made around it (collections of its arguments, attributes and items of its result)
            join its group, also where `Lattice.task_packing` is off.
    """

    __slots__ = ("_node_id", "_task", "packing_tasks", "task_group_id")

    _task: "Task | Callable[[], Task] | None"

    def __init__(
        self,
        function: Callable[..., Any],
        node_id: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        task_group_id: int | None = None,
        packing_tasks: bool = False,
    ) -> None:
        self._task = _make_task(function, read_metadata(metadata or {}, TaskOptions()))
        self._node_id = node_id
        self.task_group_id = task_group_id
        self.packing_tasks = packing_tasks

    @property
    def function(self) -> Callable[..., Any]:
        """What it runs."""
        return self._own_task().function

    @property
    def node_id(self) -> int | None:
        """The node it stands for; None unless it was called in a build."""
        return self._node_id

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Options by key, read-only; None where nothing was set. Change them with `set_metadata`."""
        options = self._own_task().options
        return MappingProxyType({key: get_option(options, key) for key in ("executor", "executor_data", "hooks")})

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Keyword arguments of the call it stands for, read-only; empty for a task that was not called."""
        return MappingProxyType({})

    @property
    def executor(self) -> str | None:
        """Short name of the executor; assign a name or an instance to change it for later builds."""
        return self._own_task().options.executor

    @executor.setter
    def executor(self, executor: Any) -> None:
        self.set_metadata("executor", executor)

    @property
    def as_transportable_dict(self) -> dict[str, Any]:
        """JSON form: `{"name", "function", "function_string", "metadata"}`."""
        task = self._own_task()
        return {
            "name": task.name,
            "function": TransportableObject(task.function).to_dict(),
            "function_string": source_of(task.function),
            "metadata": {key: value for key, value in self.metadata.items() if value is not None},
        }

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run the function; inside a build, record the call instead."""
        task = self._own_task()
        if (trace := active_trace()) is not None:
            return _record(trace, task, args, kwargs, self.task_group_id, self.packing_tasks)
        if (replay := active_replay()) is not None:
            return replay.call(task.name)
        return task.function(*args, **kwargs)

    def set_metadata(self, name: str, value: Any) -> None:
        """Change one option for later calls.

        Raises:
            KeyError: There is no such option.
        """
        task = self._own_task()
        self._task = _make_task(task.lattice or task.function, set_option(task.options, name, value))

    def get_metadata(self, name: str) -> Any:
        """One option.

        Raises:
            KeyError: There is no such option.
        """
        return get_option(self._own_task().options, name)

    def get_op_function(self, operand_1: Any, operand_2: Any, op: str) -> Any:
        """Record an operator with two operands; outside a build, apply it.

        Raises:
            KeyError: There is no such operator.
        """
        trace = active_trace()
        return BINARY_OPERATORS[op](operand_1, operand_2) if trace is None else trace.binary(op, operand_1, operand_2)

    def wait_for(self, electrons: Any) -> Any:
        """Run only after others are done; see `wait`."""
        return wait(self, electrons)

    def add_collection_node_to_graph(self, graph: _TransportGraph, prefix: str) -> int:
        """Add the node of a collection argument to a transport graph; returns its id."""
        return graph.add_node(name=prefix, function=None, metadata={"executor": self.metadata["executor"]})

    def connect_node_with_others(
        self,
        node_id: int,
        param_name: str,
        param_value: Any,
        param_type: str,
        arg_index: int | None,
        transport_graph: _TransportGraph,
    ) -> None:
        """Add the nodes and edges of one argument to a transport graph."""
        connect_argument(
            transport_graph,
            node_id,
            param_name,
            param_value,
            param_type,
            arg_index,
            lambda prefix: self.add_collection_node_to_graph(transport_graph, prefix),
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        if is_pickling_for_task():  # a task sees the function alone, so that this package is not needed there
            return (operator.itemgetter(0), ((self.function,),))
        return super().__reduce_ex__(protocol)

    def __getstate__(self) -> dict[str, Any]:
        task = self._own_task()
        return {
            "function": task.lattice or task.function,
            "options": task.options,
            "source": source_of(task.function),
            "node_id": self._node_id,
            "task_group_id": self.task_group_id,
            "packing_tasks": self.packing_tasks,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Later: a workflow that calls itself is unpickled around this electron, and is not whole yet.
        self._task = functools.partial(_load_task, state)
        self._node_id = state["node_id"]
        self.task_group_id = state["task_group_id"]
        self.packing_tasks = state["packing_tasks"]

    def __repr__(self) -> str:
        node = "" if self._node_id is None else f", node {self._node_id}"
        return f"<Electron {self._own_task().name}{node}>"

    def _own_task(self) -> Task:
        if not isinstance(self._task, Task):
            assert self._task is not None
            self._task = self._task()
        return self._task


class BoundElectron(Output, Electron):
    """Stands for the value of one node while a workflow is built."""

    __slots__ = ("_kwargs", "_label", "_trace")

    def __init__(self, trace: Trace, node_id: NodeId, label: str, task: Task | None) -> None:
        self._trace = trace
        self._node_id = node_id
        self._label = label
        self._task = task
        self.task_group_id = trace.task_group(node_id)
        self.packing_tasks = trace.is_packing(node_id)
        self._kwargs: Mapping[str, Any] = {}

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Keyword arguments of the call, read-only; empty for attributes, items and operators."""
        return MappingProxyType(self._kwargs)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Options of the node, with what it inherited."""
        options = self._trace.node_options(self)
        return MappingProxyType(
            {"executor": options.executor, "executor_data": options.executor_data, "hooks": options.hooks or None}
        )

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Record another, independent call of the same electron."""
        if self._task is None:
            raise build_error(
                f"Cannot call {self._label!r}: it is part of a result that is not known while the workflow is built.",
                "Call it inside a task (@ct.electron), where the value is known.",
            )
        return _record(self._open_trace("call"), self._own_task(), args, kwargs)

    def set_metadata(self, name: str, value: Any) -> None:
        """Refused: the node exists already."""
        raise build_error(
            f"The node {self._label!r} exists already, its options cannot be changed.",
            "Set them on the electron before it is called: f.electron_object.set_metadata(…).",
        )

    def get_metadata(self, name: str) -> Any:
        """One option of the node.

        Raises:
            KeyError: There is no such option.
        """
        return self.metadata[name]

    def __repr__(self) -> str:
        return f"<Electron {self._label}, node {self._node_id}>"

    def _own_task(self) -> Task:
        if self._task is None:
            raise build_error(f"{self._label!r} is part of a result, it has no function of its own.")
        return super()._own_task()


@overload
def electron(
    _func: Callable[P, R],
    *,
    backend: Any = None,
    executor: Any = None,
    files: Sequence[Any] = (),
    deps_bash: Any = None,
    deps_pip: Any = None,
    deps_module: Any = None,
    call_before: Any = None,
    call_after: Any = None,
    cache: bool | None = None,
) -> ElectronFunction[P, R]: ...


@overload
def electron(
    _func: None = None,
    *,
    backend: Any = None,
    executor: Any = None,
    files: Sequence[Any] = (),
    deps_bash: Any = None,
    deps_pip: Any = None,
    deps_module: Any = None,
    call_before: Any = None,
    call_after: Any = None,
    cache: bool | None = None,
) -> Callable[[Callable[P, R]], ElectronFunction[P, R]]: ...


def electron(
    _func: Callable[..., Any] | None = None,
    *,
    backend: Any = None,
    executor: Any = None,
    files: Sequence[Any] = (),
    deps_bash: Any = None,
    deps_pip: Any = None,
    deps_module: Any = None,
    call_before: Any = None,
    call_after: Any = None,
    cache: bool | None = None,
) -> Any:
    """Make a function a task. Bare, with arguments, or as a call.

    Args:
        executor: Where it runs: a short name, an executor instance, or None to take the lattice's.
        backend: Deprecated name of `executor`.
        files: File transfers before and after.
        deps_bash: Shell commands before the task.
        deps_pip: Packages to install before the task.
        deps_module: Modules that travel with the task.
        call_before: Calls before the task.
        call_after: Calls after the task.
        cache: True to take over the result of an equal call in an earlier dispatch instead of running again: same code
            (and what it uses), same arguments, same hooks, same environment. None to do as the lattice says. A task
            with `files` always runs.

    Returns:
        A function that runs as before; inside a lattice, calling it adds a node. Its `electron_object` is the
        `Electron`. Decorating a `Lattice` makes a sublattice.

    Raises:
        TypeError: An argument is of the wrong type.

    Example:
        >>> @electron(executor="local")
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> double(4)
        8
    """
    short_name, form = encode_executor(prefer_backend(backend, executor))
    hooks = encode_hooks(
        files=files,
        deps_bash=deps_bash,
        deps_pip=deps_pip,
        deps_module=deps_module,
        call_before=call_before,
        call_after=call_after,
    )

    def decorate(function: Any) -> Any:
        nonlocal short_name, form, hooks
        inner = getattr(function, "electron_object", None)
        options = TaskOptions(executor=short_name, executor_data=form, hooks=hooks, cache=cache)
        if isinstance(function, Electron):
            inner = function
        if isinstance(inner, Electron):
            own, task = inner._own_task().options, inner._own_task()
            function = task.lattice or task.function
            options = TaskOptions(
                executor=own.executor if short_name is None else short_name,
                executor_data=own.executor_data if short_name is None else form,
                hooks=own.hooks if hooks is None else hooks,
                cache=own.cache if cache is None else cache,
            )
        if not callable(function):
            raise TypeError(f"electron() takes a function, not a {type(function).__name__}.")
        return _wrap(function, options)

    return decorate if _func is None else decorate(_func)


def wait(child: Any, parents: Any) -> Any:
    """Make a task run only after others are done, although it does not use their results.

    Args:
        child: Result of an electron.
        parents: Result of an electron, or an iterable of such results.

    Returns:
        An electron that stands for the child; outside a lattice, `child` itself.

    Raises:
        GraphBuildError: Something else was given, inside a lattice.
    """
    trace = active_trace()
    if trace is None:
        return child
    if not isinstance(child, Output):
        raise build_error(
            f"wait() got a {type(child).__name__} as the child.", "Give the result of an electron: wait(f(x), [g(y)])."
        )
    if isinstance(parents, Output) or not isinstance(parents, Iterable):
        parents = [parents]
    trace.wait(child, list(parents))
    return child


def _record(
    trace: Trace,
    task: Task,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    task_group: int | None = None,
    packs: bool = False,
) -> Output:
    called = trace.call(task, args, kwargs, task_group=task_group, packs=packs)
    if isinstance(called, BoundElectron):
        called._kwargs = kwargs
    return called


def _make_task(function: Any, options: TaskOptions) -> Task:
    if isinstance(function, Workflow):
        return Task(name=function.__name__, function=function.plain_function(), options=options, lattice=function)
    return Task(name=callable_name(function), function=function, options=options)


def _load_task(state: Mapping[str, Any]) -> Task:
    task = _make_task(state["function"], state["options"])
    keep_source(task.function, state.get("source", ""))  # version 0.1 wrote none
    return task


def _wrap(function: Any, options: TaskOptions) -> Any:
    electron_object = Electron(function)
    electron_object._task = _make_task(function, options)

    def call(*args: Any, **kwargs: Any) -> Any:
        return electron_object(*args, **kwargs)

    inner = electron_object.function
    functools.update_wrapper(call, inner, updated=("__dict__",) if isinstance(inner, FunctionType) else ())
    call.__name__ = electron_object._own_task().name
    call.electron_object = electron_object  # type: ignore[attr-defined]
    return call
