"""The active trace: turns calls made by a workflow function into nodes, and nested values into edges.

Node numbering, names and edges follow the documented rules, because users look results up by node id: a call's node
comes first, then its arguments from first to last, each with everything below it; the postprocess node comes when the
workflow function has returned, before the nodes of its return value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Protocol

from covalent_lab import payload
from covalent_lab.graph.builder import GraphBuilder
from covalent_lab.graph.model import Function, Graph, NodeKind, NodeOptions, ParamType
from covalent_lab.graph.topology import find_cycle
from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.workflow.build_error import build_error, user_location
from covalent_lab.workflow.fingerprint import fingerprint
from covalent_lab.workflow.node_functions import node_function
from covalent_lab.workflow.options import (
    LatticeOptions,
    TaskOptions,
    child_options,
    moves_files,
    postprocess_options,
    resolve_options,
    retval_keywords,
    workflow_options,
)
from covalent_lab.workflow.reference import Output
from covalent_lab.workflow.replay import Call, ReplayTask
from covalent_lab.workflow.task import Task, Workflow, source_of
from covalent_lab.workflow.transportable import snapshot

__all__ = ["OutputMaker", "Trace", "active_trace", "holds_output", "is_pickling_for_task", "tracing"]

_SCALARS = frozenset({bool, int, float, complex, str, bytes, type(None)})
_SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_NAME_LIMIT = 200

_active: ContextVar["Trace | None"] = ContextVar("covalent_lab_trace", default=None)
_pickling_for_task: ContextVar[bool] = ContextVar("covalent_lab_pickling_for_task", default=False)


class OutputMaker(Protocol):
    """Makes the object that stands for a node's future value."""

    def __call__(self, trace: "Trace", node_id: NodeId, label: str, task: Task | None) -> Output:
        """Stand for a node; `label` names it in the names of nodes made from it."""
        ...


def active_trace() -> "Trace | None":
    """The trace that calls are recorded in here, if a workflow is being built."""
    trace = _active.get()
    return trace if trace is not None and trace.is_active else None


def is_pickling_for_task() -> bool:
    """Whether a value is being pickled for a task, where electrons are plain functions."""
    return _pickling_for_task.get()


@contextmanager
def tracing(trace: "Trace") -> Iterator[None]:
    """Record calls in a trace, in this thread and task only, until the block ends (even by an error)."""
    token = _active.set(trace)
    try:
        yield
    finally:
        trace.is_active = False
        _active.reset(token)


class Trace:
    """One build.

    Args:
        options: What nodes inherit.
        make_output: Makes what a call returns.
        parent_metadata: JSON text about this lattice, for the sublattices in it.
        replacements: Electrons to use instead of those of the same name.
        packs_tasks: Whether nodes made around any electron join its group; else only around those that say so.
        lattice: Whose build it is, for those who ask.
        caches: Whether tasks are cached where neither electron nor lattice says.
    """

    def __init__(
        self,
        options: LatticeOptions,
        make_output: OutputMaker,
        *,
        parent_metadata: str = "{}",
        replacements: Mapping[str, Task] | None = None,
        packs_tasks: bool = False,
        lattice: Workflow | None = None,
        caches: bool = False,
    ) -> None:
        self.is_active = True
        self.lattice = lattice
        self.payloads: dict[PayloadRef, Payload] = {}
        self.replaced: dict[int, str] = {}
        self._lattice_options = options
        self._make_output = make_output
        self._parent_metadata = parent_metadata
        self._replacements = replacements or {}
        self._packs_tasks = packs_tasks
        self._packing: set[NodeId] = set()
        self._caches = caches if options.cache is None else options.cache
        self._builder = GraphBuilder(resolve_options(TaskOptions(), LatticeOptions()))
        self._functions: dict[tuple[int, bool], tuple[object, int]] = {}
        self._added: dict[str, int] = {}
        self._task_options: dict[int, tuple[TaskOptions, int, frozenset[str]]] = {}
        self._child_options: dict[tuple[int, bool], int] = {}
        self._workflow_options = self._builder.add_options(workflow_options(options))
        self._sublattices: dict[int, tuple[Task, Payload]] = {}
        self._late_waits: dict[tuple[int, int], str] = {}
        self._calls: list[Call] = []

    def call(
        self,
        task: Task,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        task_group: int | None = None,
        packs: bool = False,
    ) -> Output:
        """Record a call of an electron.

        Args:
            task: What is called.
            args: Positional arguments, outputs of other nodes among them.
            kwargs: Keyword arguments.
            task_group: The group of the node; its own id if None. A sublattice is always on its own.
            packs: Whether nodes made around it join its group, also where the trace as a whole does not pack.
        """
        replacement = self._replacements.get(task.name)
        if replacement is None:
            return self._call(task, args, kwargs, task_group, packs)
        output = self._call(replacement, args, kwargs, task_group, packs)
        self.replaced[self._id_of(output)] = task.name
        return output

    def _call(
        self, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any], task_group: int | None, packs: bool
    ) -> Output:
        if task.lattice is not None:
            return self._call_sublattice(task, args, kwargs)
        signature = task.signature
        names = signature.positional_names(len(args), task.name)
        signature.check_keywords(kwargs, len(args), task.name)
        options, delivered = self._options_of(task)
        node = self._builder.add_node(
            task.name, NodeKind.FUNCTION, function=self._function_of(task), options=options, task_group=task_group
        )
        if packs or self._packs_tasks:
            self._packing.add(node)
        self._calls.append(Call(node_id=node, name=task.name))
        for index, (name, value) in enumerate(zip(names, args, strict=True)):
            self._connect(node, name, value, ParamType.ARG, index)
        for name, value in kwargs.items():
            if name not in delivered:
                self._connect(node, name, value, ParamType.KWARG, None)
        return self._make_output(self, node, task.name, task)

    def attribute(self, output: Output, name: str) -> Output:
        """Record reading an attribute."""
        return self._derive(output, f":{output._label}.__getattr__", "getattr", "attr", name)

    def item(self, output: Output, key: Any) -> Output:
        """Record taking an item."""
        return self._derive(output, f":{output._label}.__getitem__", "getitem", "key", key)

    def unpack(self, output: Output, count: int) -> list[Output]:
        """Record taking the first `count` items."""
        return [self._derive(output, f":{output._label}()[{i}]", "getitem", "key", i) for i in range(count)]

    def binary(self, symbol: str, left: Any, right: Any) -> Output:
        """Record an operator with two operands."""
        name = f"{self._operand_name(left)}_{symbol}_{self._operand_name(right)}"
        return self._operator(name, f"binary {symbol}", left, right)

    def unary(self, symbol: str, operand: Any) -> Output:
        """Record an operator with one operand."""
        return self._operator(f"{symbol}_{self._operand_name(operand)}", f"unary {symbol}", operand)

    def wait(self, child: Output, parents: Sequence[Any]) -> None:
        """Make a node wait for others."""
        target = self._id_of(child)
        for parent in parents:
            if not isinstance(parent, Output):
                raise build_error(
                    f"wait() got a {type(parent).__name__} as a parent.",
                    "Give the result of an electron, or a list of such results.",
                )
            source = self._id_of(parent)
            if source == target:
                raise build_error(f"{self._builder.name_of(target)!r} cannot wait for itself.")
            if source > target:  # only such an edge can close a cycle
                self._late_waits.setdefault((source, target), user_location())
            self._builder.add_wait(source, target)

    def finish(self, retval: Any) -> Graph:
        """Add the postprocess node for the workflow's return value, and freeze the graph.

        Raises:
            GraphBuildError: Nodes wait for each other in a circle.
        """
        computed = self._builder.computed_nodes()
        has_hooks = bool(self._lattice_options.hooks)
        node = self._add_postprocess("reconstruct", self._add_function("reconstruct") if has_hooks else None)
        self._connect(node, "retval", retval, ParamType.ARG, 0)
        referenced: dict[int, None] = {}
        self._collect_ids(retval, referenced)
        for source in referenced:
            self._builder.add_edge(source, node, f"node:{source}", ParamType.KWARG)
        for source in computed:
            if source not in referenced:
                self._builder.add_wait(source, node)
        return self._freeze()

    def finish_with_replay(self, function: Callable[..., Any], inputs: Payload, name: str) -> Graph:
        """Add a postprocess node that takes every output and runs the workflow function again, and freeze the graph.

        Args:
            function: The workflow function.
            inputs: `{"args": tuple, "kwargs": dict}` of its call.
            name: Of the workflow.

        Raises:
            GraphBuildError: Nodes wait for each other in a circle.
            SerializationError: The workflow function cannot be pickled.
        """
        computed = self._builder.computed_nodes()
        task = payload.encode(
            ReplayTask(function=function, calls=tuple(self._calls)), what=f"the workflow function {name!r}"
        )
        self.payloads.setdefault(task.ref, task)
        made = Function(name=name, payload=task.ref, source=source_of(function), doc=function.__doc__ or "")
        node = self._add_postprocess("", self._builder.add_function(made))
        self._add_parameter(node, "inputs", "inputs", ParamType.ARG, 0, inputs)
        for source in computed:
            self._builder.add_edge(source, node, f"node:{source}", ParamType.KWARG)
        return self._freeze()

    def _add_postprocess(self, suffix: str, function: int | None) -> NodeId:
        options = self._builder.add_options(postprocess_options(self._lattice_options))
        return self._builder.add_node(
            f":postprocess:{suffix}", NodeKind.POSTPROCESS, function=function, options=options
        )

    def _freeze(self) -> Graph:
        graph = self._builder.finish()
        self._refuse_cycles(graph)
        return graph

    def node_name(self, output: Output) -> str:
        """Name of the node an output stands for."""
        return self._builder.name_of(self._id_of(output))

    def node_options(self, output: Output) -> NodeOptions:
        """Options of the node an output stands for."""
        return self._builder.options_at(self._builder.options_of(self._id_of(output)))

    def is_packing(self, node: NodeId) -> bool:
        """Whether nodes made around a node join its group."""
        return node in self._packing

    def task_group(self, node: NodeId) -> int:
        """The group a node travels with."""
        return self._builder.task_group_of(node)

    def _call_sublattice(self, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Output:
        task.signature.positional_names(len(args), task.name)
        task.signature.check_keywords(kwargs, len(args), task.name)
        options = self._workflow_options
        if task.options.executor is not None:
            own = replace(task.options, hooks={})
            options = self._builder.add_options(resolve_options(own, self._lattice_options))
        node = self._builder.add_node(
            f":sublattice:{task.name}",
            NodeKind.SUBLATTICE,
            function=self._add_function("sublattice"),
            options=options,
        )
        self._calls.append(Call(node_id=node, name=task.name))
        if id(task) not in self._sublattices:
            encoded = payload.encode(task.lattice, what=f"the sublattice {task.name!r}")
            self._sublattices[id(task)] = (task, encoded)
        self._add_parameter(node, task.name, task.lattice, ParamType.ARG, 0, self._sublattices[id(task)][1])
        self._connect(node, "json_parent_metadata", self._parent_metadata, ParamType.ARG, 1)
        for index, value in enumerate(args, start=2):
            self._connect(node, f"arg[{index}]", value, ParamType.ARG, index)
        for name, value in kwargs.items():
            self._connect(node, name, value, ParamType.KWARG, None)
        return self._make_output(self, node, task.name, task)

    def _derive(self, output: Output, name: str, function: str, param: str, value: Any) -> Output:
        source = self._id_of(output)
        builder = self._builder
        node = builder.add_node(
            name,
            NodeKind.FUNCTION,
            function=self._add_function(function),
            options=self._options_below(source, with_hooks=True),
            task_group=self._group_around(source),
        )
        self._join(node, source)
        builder.add_edge(source, node, "e", ParamType.ARG, 0)
        self._connect(node, param, value, ParamType.ARG, 1)
        return self._make_output(self, node, name, None)

    def _operator(self, name: str, function: str, *operands: Any) -> Output:
        node = self._builder.add_node(
            name,
            NodeKind.FUNCTION,
            function=self._add_function(function),
            options=self._workflow_options,
        )
        for index, operand in enumerate(operands, start=1):
            self._connect(node, f"arg_{index}", operand, ParamType.KWARG, None)
        return self._make_output(self, node, name, None)

    def _connect(self, target: NodeId, name: str, value: Any, param_type: ParamType, index: int | None) -> None:
        kind = type(value)
        if kind in _SCALARS:
            self._add_parameter(target, name, value, param_type, index, payload.encode(value))
            return
        try:
            if isinstance(value, Output):
                source = self._id_of(value)
            elif kind in _SEQUENCES:
                source = self._add_sequence(target, value, _SEQUENCES[kind])
            elif kind is dict:
                source = self._add_dict(target, value)
            elif not holds_output(value):
                what = f"argument {name!r} of {self._builder.name_of(target)!r} [{user_location()}]"
                self._add_parameter(target, name, value, param_type, index, self._encode(value, what))
                return
            elif isinstance(value, dict):
                source = self._add_dict(target, value)
            else:
                base = next(base for base in _SEQUENCES if isinstance(value, base))
                source = self._add_sequence(target, value, _SEQUENCES[base])
        except RecursionError as error:
            raise build_error(
                f"Argument {name!r} of {self._builder.name_of(target)!r} contains itself, or is nested too deeply."
            ) from error
        self._builder.add_edge(source, target, name, param_type, index)

    def _add_parameter(
        self, target: NodeId, name: str, value: Any, param_type: ParamType, index: int | None, encoded: Payload
    ) -> None:
        self.payloads.setdefault(encoded.ref, encoded)
        source = self._builder.add_node(f":parameter:{_short_text(value)}", NodeKind.PARAMETER, value=encoded.ref)
        self._builder.add_edge(source, target, name, param_type, index)

    def _add_collection(self, target: NodeId, name: str, kind: NodeKind, function: str) -> NodeId:
        node = self._builder.add_node(
            name,
            kind,
            function=self._add_function(function),
            options=self._options_below(target, with_hooks=False),
            task_group=self._group_around(target),
        )
        self._join(node, target)
        return node

    def _group_around(self, node: NodeId) -> int | None:
        return self._builder.task_group_of(node) if node in self._packing else None

    def _join(self, node: NodeId, other: NodeId) -> None:
        if other in self._packing:
            self._packing.add(node)

    def _add_sequence(self, target: NodeId, values: Any, function: str) -> NodeId:
        node = self._add_collection(target, ":electron_list:", NodeKind.ELECTRON_LIST, function)
        for index, value in enumerate(values):
            self._connect(node, f"arg[{index}]", value, ParamType.ARG, index)
        return node

    def _add_dict(self, target: NodeId, values: Mapping[Any, Any]) -> NodeId:
        node = self._add_collection(target, ":electron_dict:", NodeKind.ELECTRON_DICT, "dict")
        self._connect(node, "keys", list(values), ParamType.ARG, 0)
        self._connect(node, "values", list(values.values()), ParamType.ARG, 1)
        return node

    def _id_of(self, output: Output) -> NodeId:
        if output._trace is not self:
            raise build_error(
                f"The result of {output._label!r} belongs to another build of a workflow.",
                "Call the electron again inside this workflow function.",
            )
        assert output._node_id is not None
        return NodeId(output._node_id)

    def _operand_name(self, operand: Any) -> str:
        return self.node_name(operand) if isinstance(operand, Output) else _short_text(operand)

    def _collect_ids(self, value: Any, found: dict[int, None]) -> None:
        if isinstance(value, Output):
            found[self._id_of(value)] = None
        elif isinstance(value, dict):
            for key, item in value.items():
                self._collect_ids(key, found)
                self._collect_ids(item, found)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for item in value:
                self._collect_ids(item, found)

    def _options_of(self, task: Task) -> tuple[int, frozenset[str]]:
        known = self._task_options.get(id(task.options))
        if known is None:
            options = resolve_options(task.options, self._lattice_options)
            known = (task.options, self._builder.add_options(options), retval_keywords(options.hooks))
            self._task_options[id(task.options)] = known
        return known[1:]

    def _options_below(self, node: NodeId, *, with_hooks: bool) -> int:
        parent = self._builder.options_of(node)
        index = self._child_options.get((parent, with_hooks))
        if index is None:
            options = child_options(self._builder.options_at(parent), with_hooks=with_hooks)
            index = self._child_options[(parent, with_hooks)] = self._builder.add_options(options)
        return index

    def _function_of(self, task: Task) -> int:
        caches = self._caches if task.options.cache is None else task.options.cache
        caches = caches and not moves_files(task.options.hooks or {})  # the files may have changed
        known = self._functions.get((id(task.function), caches))
        if known is None:
            encoded = self._encode(task.function, f"the function of task {task.name!r} [{user_location()}]")
            self.payloads.setdefault(encoded.ref, encoded)
            doc = getattr(task.function, "__doc__", None) or ""
            function = Function(
                name=task.name,
                payload=encoded.ref,
                source=source_of(task.function),
                doc=doc,
                cache_key=fingerprint(task.function) if caches else "",
            )
            known = (task.function, self._builder.add_function(function))  # holding it keeps its id from being reused
            self._functions[id(task.function), caches] = known
        return known[1]

    def _add_function(self, name: str) -> int:
        index = self._added.get(name)
        if index is None:
            function, encoded = node_function(name)
            self.payloads.setdefault(encoded.ref, encoded)
            index = self._added[name] = self._builder.add_function(function)
        return index

    def _encode(self, value: Any, what: str) -> Payload:
        token = _pickling_for_task.set(True)
        try:
            return snapshot(payload.encode(value, what=what))
        finally:
            _pickling_for_task.reset(token)

    def _refuse_cycles(self, graph: Graph) -> None:
        cycle = find_cycle(graph) if self._late_waits else None
        if cycle is None:
            return
        steps = zip(cycle, (*cycle[1:], cycle[0]), strict=True)
        where = next((self._late_waits[step] for step in steps if step in self._late_waits), user_location())
        path = " → ".join(graph.nodes[node].name for node in (*cycle, cycle[0]))
        raise build_error(f"wait() at {where} makes tasks wait for each other: {path}.", "Remove one of the waits.")


def holds_output(value: Any) -> bool:
    """Whether a value is, or has in it, something that is known only when the workflow runs."""
    if isinstance(value, Output):
        return True
    if isinstance(value, dict):
        return any(holds_output(key) or holds_output(item) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(holds_output(item) for item in value)
    return False


def _short_text(value: Any) -> str:
    try:
        text = str(value[: _NAME_LIMIT + 1] if isinstance(value, (str, bytes, bytearray)) else value)
    except Exception:  # noqa: BLE001  user code: a broken __str__ must not stop the build
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _NAME_LIMIT else text[:_NAME_LIMIT] + "…"
