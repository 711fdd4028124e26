"""@lattice: a workflow function, and the graph it becomes when it is called in a build.

Decides what a build needs and leaves behind. How calls become nodes is decided in `tracing.py`; where the graph goes
is not known here.
"""

import functools
import gc
import inspect
import json
import logging
import operator
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from covalent_lab import payload
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import GraphBuildError, SerializationError
from covalent_lab.graph.model import Graph
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.workflow.build import Build
from covalent_lab.workflow.build_error import build_error
from covalent_lab.workflow.electron import BoundElectron, Electron
from covalent_lab.workflow.options import (
    LatticeOptions,
    encode_executor,
    encode_hooks,
    encode_triggers,
    get_option,
    postprocess_options,
    prefer_backend,
    resolve_options,
    set_option,
)
from covalent_lab.workflow.task import Signature, Workflow, callable_name, keep_source, source_of
from covalent_lab.workflow.tracing import Trace, active_trace, is_pickling_for_task, tracing
from covalent_lab.workflow.transport_graph import _TransportGraph
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["Lattice", "lattice"]

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)
_KEYS = ("executor", "executor_data", "workflow_executor", "workflow_executor_data", "hooks", "triggers")


class Lattice(Workflow, Generic[P, R]):
    """A workflow: call it to run it as plain Python, build it to get its graph.

    Args:
        workflow_function: The function, or a `TransportableObject` of it.
        transport_graph: A graph made by hand, shown until one is built.
        options: What its electrons inherit, and its own executor.

    Raises:
        TypeError: The function is asynchronous or a generator.
    """

    _transport_graph: _TransportGraph | None
    _task_packing: bool | None = None

    def __init__(
        self,
        workflow_function: Callable[P, R] | TransportableObject,
        transport_graph: _TransportGraph | None = None,
        *,
        options: LatticeOptions | None = None,
    ) -> None:
        if isinstance(workflow_function, TransportableObject):
            workflow_function = workflow_function.get_deserialized()
        function = cast(Callable[P, R], workflow_function)
        if not callable(function):
            raise TypeError(f"lattice() takes a function, not a {type(function).__name__}.")
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(f"The workflow function {callable_name(function)!r} must be a plain function with return.")
        self._setup(function, options or LatticeOptions())
        self._transport_graph = transport_graph

    def _setup(self, function: Callable[P, R], options: LatticeOptions) -> None:
        self._function = function
        self._options = options
        functools.update_wrapper(self, function, updated=())
        self.__name__ = callable_name(function)
        self._workflow_function: TransportableObject | None = None
        self._transport_graph = None
        self._build: Build | None = None
        self.electron_outputs: dict[int, Any] = {}
        self.post_processing = False
        self.python_version = platform.python_version()
        self._replace_electrons: dict[str, Electron] = {}

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the workflow as plain Python; inside the build of another lattice, its calls join that build."""
        return self._function(*args, **kwargs)

    @property
    def task_packing(self) -> bool:
        """Whether the nodes made around an electron go to its executor together with it, in one job.

        These are the collections of its arguments and the attributes and items of its result. Unless it was assigned,
        `sdk.task_packing` of the configuration says it, at the moment of building; default False.
        """
        return self._packs_tasks(ConfigReader())

    @task_packing.setter
    def task_packing(self, is_on: bool) -> None:
        self._task_packing = is_on

    def _packs_tasks(self, configured: ConfigReader) -> bool:
        return _is_on(configured, "sdk.task_packing") if self._task_packing is None else self._task_packing

    def plain_function(self) -> Callable[P, R]:
        """The workflow function as the user wrote it."""
        return self._function

    @property
    def workflow_function(self) -> TransportableObject:
        """The pickled workflow function.

        Raises:
            SerializationError: It refers to something that cannot be pickled.
        """
        if self._workflow_function is None:
            encoded = payload.encode(self._function, what=f"the workflow function {self.__name__!r}")
            self._workflow_function = TransportableObject.from_payload(encoded)
        return self._workflow_function

    @property
    def workflow_function_string(self) -> str:
        """Source text of the workflow function."""
        return source_of(self._function)

    @property
    def covalent_version(self) -> str:
        """Version of this package."""
        from importlib.metadata import version  # slow to import

        return version("covalent-lab")

    @property
    def is_built(self) -> bool:
        """Whether there is a graph."""
        return self._build is not None

    @property
    def graph(self) -> Graph:
        """The graph of the last build.

        Raises:
            GraphBuildError: There is none.
        """
        if self._build is None:
            raise GraphBuildError(f"Lattice {self.__name__!r} is not built; call build_graph(…) first.")
        return self._build.graph

    @property
    def payloads(self) -> Mapping[PayloadRef, Payload]:
        """Every payload the graph refers to; empty before a build."""
        return {} if self._build is None else self._build.payloads

    @property
    def inputs(self) -> TransportableObject | None:
        """`{"args": tuple, "kwargs": dict}` of the last build; None before."""
        return None if self._build is None else self._build.inputs

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Keyword arguments of the last build; empty before."""
        return {} if self._build is None else self._build.kwargs

    @property
    def transport_graph(self) -> _TransportGraph:
        """The graph of the last build for introspection, on networkx; empty before a build."""
        if self._transport_graph is None:
            if self._build is None:
                return _TransportGraph()
            self._transport_graph = _TransportGraph.from_graph(self._build.graph, self._find)
            self._transport_graph.lattice_metadata = self.manifest_metadata()
        return self._transport_graph

    def _find(self, ref: PayloadRef) -> TransportableObject | None:
        return TransportableObject.from_payload(self.payloads[ref]) if ref in self.payloads else None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Options by key, read-only; None where nothing was set. Change them with `set_metadata`."""
        return MappingProxyType({key: get_option(self._options, key) for key in _KEYS})

    @property
    def replace_electrons(self) -> dict[str, Electron]:
        """Electrons that the next build uses in place of those of the same name."""
        return dict(self._replace_electrons)

    @replace_electrons.setter
    def replace_electrons(self, replacements: Mapping[str, Any]) -> None:
        found = {name: getattr(new, "electron_object", new) for name, new in replacements.items()}
        self._replace_electrons = {
            name: new if isinstance(new, Electron) else Electron(new) for name, new in found.items()
        }

    @property
    def replaced_nodes(self) -> Mapping[int, str]:
        """Nodes of the last build whose electron was replaced, and the names of the electrons they had."""
        return {} if self._build is None else self._build.replaced

    def get_metadata(self, name: str) -> Any:
        """One option.

        Raises:
            KeyError: There is no such option.
        """
        return get_option(self._options, name)

    def set_metadata(self, name: str, value: Any) -> None:
        """Change one option for later builds.

        Raises:
            KeyError: There is no such option.
        """
        self._options = set_option(self._options, name, value)

    def inherit(self, metadata: Mapping[str, Any]) -> None:
        """Take over what this lattice does not set itself, except triggers.

        Args:
            metadata: `manifest_metadata` of the workflow it is part of.
        """
        changes: dict[str, Any] = {}
        for key in ("executor", "workflow_executor"):
            if getattr(self._options, key) is None:
                changes |= {key: metadata[key], f"{key}_data": metadata[f"{key}_data"]}
        if self._options.hooks is None:
            changes["hooks"] = metadata["hooks"] or None
        if self._options.cache is None:
            changes["cache"] = metadata.get("cache")
        self._options = replace(self._options, **changes)

    def manifest_metadata(self) -> dict[str, Any]:
        """Options as they travel with a dispatch: executors resolved, JSON only."""
        own, workflow = resolve_options(self._options, LatticeOptions()), postprocess_options(self._options)
        triggers = self._options.triggers
        return {
            "executor": own.executor,
            "executor_data": dict(own.executor_data),
            "workflow_executor": workflow.executor,
            "workflow_executor_data": dict(workflow.executor_data),
            "hooks": dict(own.hooks),
            "cache": self._options.cache,
            "triggers": None if triggers is None else [dict(trigger) for trigger in triggers],
        }

    def build_graph(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run the workflow function once, recording its calls as a graph.

        Afterwards `graph`, `payloads` and `inputs` describe the dispatch. An error leaves no graph.

        Raises:
            GraphBuildError: The function does something no graph can express, the arguments do not fit, or another
                lattice is being built.
            SerializationError: An argument cannot be pickled.
            Exception: Whatever the workflow function raises.
        """
        self._build = self._transport_graph = self._workflow_function = None
        if active_trace() is not None:
            raise build_error(
                f"Cannot build {self.__name__!r} while another lattice is being built.",
                "Call the lattice itself to join its tasks, or make it a task: ct.electron(ct.lattice(f)).",
            )
        Signature.of(self._function).check_call(args, kwargs, self.__name__)
        inputs = self._encode_inputs(args, kwargs)
        held_inputs = TransportableObject.from_payload(inputs)
        configured = ConfigReader()
        trace = Trace(
            self._options,
            BoundElectron,
            parent_metadata=json.dumps(self.manifest_metadata()),
            replacements={name: new._own_task() for name, new in self._replace_electrons.items()},
            packs_tasks=self._packs_tasks(configured),
            lattice=self,
            caches=_is_on(configured, "sdk.cache_results"),
        )
        is_exhaustive = _is_on(configured, "sdk.exhaustive_postprocess")
        try:
            with tracing(trace), _collecting_paused():
                value = self._function(*args, **kwargs)
                if is_exhaustive:
                    graph = trace.finish_with_replay(self._function, held_inputs.payload, self.__name__)
                else:
                    graph = trace.finish(value)
        except Exception as error:
            _log.info("Building %s failed: %s: %s", self.__name__, type(error).__name__, error)
            raise
        self._build = Build(
            graph=graph,
            payloads=trace.payloads,
            inputs=held_inputs,
            kwargs=dict(kwargs),
            replaced=trace.replaced,
        )

    def _encode_inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Payload:
        try:
            return payload.encode({"args": args, "kwargs": kwargs}, what=f"the arguments of lattice {self.__name__!r}")
        except SerializationError:
            names = Signature.of(self._function).positional_names(len(args), self.__name__)
            for name, value in [*zip(names, args, strict=True), *kwargs.items()]:
                payload.encode(value, what=f"argument {name!r} of lattice {self.__name__!r}")  # raises for the culprit
            raise

    def draw(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Build the graph and show it; nothing is dispatched."""
        from covalent_lab.notebook.display import draw_lattice  # documented method of the lowest layer on the highest

        self.build_graph(*args, **kwargs)
        draw_lattice(self)

    def dispatch(self, /, *args: P.args, **kwargs: P.kwargs) -> str:
        """Deprecated: use `ct.dispatch(lattice)(…)`."""
        from covalent_lab.client import dispatch  # as above

        _log.warning("Lattice.dispatch is deprecated; use ct.dispatch(lattice)(…).")
        return str(dispatch(self)(*args, **kwargs))

    def dispatch_sync(self, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Deprecated: use `ct.dispatch_sync(lattice)(…)`."""
        from covalent_lab.client import dispatch_sync  # as above

        _log.warning("Lattice.dispatch_sync is deprecated; use ct.dispatch_sync(lattice)(…).")
        return dispatch_sync(self)(*args, **kwargs)

    def serialize_to_json(self) -> str:
        """Everything, the graph and its values included, as JSON text."""
        return json.dumps(
            {
                "type": "Lattice",
                "name": self.__name__,
                "workflow_function": self.workflow_function.to_dict(),
                "metadata": {key: get_option(self._options, key) for key in (*_KEYS, "cache")},
                "build": None if self._build is None else self._build.to_json(),
                "python_version": self.python_version,
                "task_packing": self._task_packing,
            }
        )

    @staticmethod
    def deserialize_from_json(json_data: str) -> "Lattice[..., Any]":
        """Read what `serialize_to_json` wrote.

        Raises:
            ValueError: It is not such a text.
        """
        form = json.loads(json_data)
        if not isinstance(form, dict) or form.get("type") != "Lattice":
            raise ValueError("This is not the JSON form of a lattice.")
        options = LatticeOptions(**form["metadata"])
        made: Lattice[..., Any] = Lattice(TransportableObject.from_dict(form["workflow_function"]), options=options)
        made.python_version = form["python_version"]
        made._task_packing = form["task_packing"]
        made._build = None if form["build"] is None else Build.from_json(form["build"])
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> "Lattice[P, R]":
        made = type(self)(self._function, options=self._options)
        made._task_packing = self._task_packing
        made._replace_electrons = dict(self._replace_electrons)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        if is_pickling_for_task():  # a task sees the function alone, so that this package is not needed there
            return (operator.itemgetter(0), ((self._function,),))
        return super().__reduce_ex__(protocol)

    def __getstate__(self) -> dict[str, Any]:
        return {"function": self._function, "options": self._options, "source": self.workflow_function_string}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        keep_source(state["function"], state.get("source", ""))  # version 0.1 wrote none
        self._setup(state["function"], state["options"])

    def __repr__(self) -> str:
        return f"<Lattice {self.__name__}>"


@contextmanager
def _collecting_paused() -> Iterator[None]:
    """No garbage collection within the block: it would look at every node again and again and find nothing to free."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_on(configured: ConfigReader, flag: str) -> bool:
    return bool(configured.value(flag) == "true")


@overload
def lattice(
    _func: Callable[P, R],
    *,
    backend: Any = None,
    executor: Any = None,
    workflow_executor: Any = None,
    deps_bash: Any = None,
    deps_pip: Any = None,
    call_before: Any = None,
    call_after: Any = None,
    triggers: Any = None,
    cache: bool | None = None,
) -> Lattice[P, R]: ...


@overload
def lattice(
    _func: None = None,
    *,
    backend: Any = None,
    executor: Any = None,
    workflow_executor: Any = None,
    deps_bash: Any = None,
    deps_pip: Any = None,
    call_before: Any = None,
    call_after: Any = None,
    triggers: Any = None,
    cache: bool | None = None,
) -> Callable[[Callable[P, R]], Lattice[P, R]]: ...


def lattice(
    _func: Callable[..., Any] | None = None,
    *,
    backend: Any = None,
    executor: Any = None,
    workflow_executor: Any = None,
    deps_bash: Any = None,
    deps_pip: Any = None,
    call_before: Any = None,
    call_after: Any = None,
    triggers: Any = None,
    cache: bool | None = None,
) -> Any:
    """Make a function a workflow (a `Lattice`). Bare, with arguments, or as a call.

    Args:
        executor: Where its electrons run unless they say otherwise: a short name or an executor instance.
        backend: Deprecated name of `executor`.
        workflow_executor: Where postprocessing, operators and sublattices run; default: `executor`.
        deps_bash: Shell commands before each task that has no hooks of its own.
        deps_pip: Packages to install before each such task.
        call_before: Calls before each such task.
        call_after: Calls after each such task.
        triggers: What starts the workflow by itself.
        cache: Whether its electrons take over results of equal calls in earlier dispatches, unless they say otherwise;
            None to do as the configuration says (`sdk.cache_results`).

    Raises:
        TypeError: An argument is of the wrong type.

    Example:
        >>> @lattice
        ... def workflow(x: int) -> int:
        ...     return x + 1
        >>> workflow(1)
        2
    """
    short_name, form = encode_executor(prefer_backend(backend, executor))
    workflow_name, workflow_form = encode_executor(workflow_executor)
    options = LatticeOptions(
        executor=short_name,
        executor_data=form,
        workflow_executor=workflow_name,
        workflow_executor_data=workflow_form,
        hooks=encode_hooks(deps_bash=deps_bash, deps_pip=deps_pip, call_before=call_before, call_after=call_after),
        triggers=encode_triggers(triggers),
        cache=cache,
    )

    def decorate(function: Callable[..., Any]) -> Lattice[..., Any]:
        return Lattice(function, options=options)

    return decorate if _func is None else decorate(_func)
