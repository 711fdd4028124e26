"""Where and how tasks run, as frozen data; inheritance from the lattice.

Decides what the arguments of the decorators may be and how they travel (JSON). Texts and modules become objects of
`deps`; otherwise an executor is anything with `to_dict()` and `short_name`, a dependency anything with `to_dict()`.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import Any, TypeVar

import covalent_lab.files
from covalent_lab.graph.model import NodeOptions
from covalent_lab.payload import by_value
from covalent_lab.workflow.deps.bash import DepsBash
from covalent_lab.workflow.deps.call import DepsCall
from covalent_lab.workflow.deps.module import DepsModule
from covalent_lab.workflow.deps.pip import DepsPip

__all__ = [
    "DEFAULT_EXECUTOR",
    "LatticeOptions",
    "TaskOptions",
    "child_options",
    "encode_executor",
    "encode_hooks",
    "encode_metadata",
    "encode_triggers",
    "get_option",
    "moves_files",
    "postprocess_options",
    "prefer_backend",
    "read_metadata",
    "resolve_options",
    "retval_keywords",
    "set_option",
    "workflow_options",
]

DEFAULT_EXECUTOR = "local"
_MOVES = "transfer"  # marks the call of a file transfer that moves the bytes

_log = logging.getLogger(__name__)
_Options = TypeVar("_Options", bound="TaskOptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Options of an electron; None means: take the lattice's.

    Attributes:
        executor: Short name of the executor.
        executor_data: `to_dict()` of an executor instance; empty if only a name was given.
        hooks: `{"deps", "call_before", "call_after"}`, encoded.
        cache: Whether results of equal calls in earlier dispatches are taken over.
    """

    executor: str | None = None
    executor_data: Mapping[str, Any] | None = None
    hooks: Mapping[str, Any] | None = None
    cache: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeOptions(TaskOptions):
    """Options of a lattice: defaults for its electrons, and its own.

    Attributes:
        workflow_executor: Executor of postprocessing, sublattice building and operators.
        workflow_executor_data: `to_dict()` of that executor, if an instance was given.
        triggers: Trigger dictionaries.
    """

    workflow_executor: str | None = None
    workflow_executor_data: Mapping[str, Any] | None = None
    triggers: Sequence[Mapping[str, Any]] | None = None


def encode_executor(executor: Any) -> tuple[str | None, Mapping[str, Any] | None]:
    """Short name and JSON form of an executor argument.

    Raises:
        TypeError: It is neither None, nor a name, nor an executor instance.
    """
    if executor is None:
        return None, None
    if isinstance(executor, str):
        if not executor:
            raise TypeError("The executor's name is empty. Give a short name such as 'local', or leave it away.")
        return executor, {}
    travel = getattr(executor, "dispatch_form", None)
    if callable(travel) and not isinstance(executor, type):  # it knows whether the dispatcher can find its class
        name, form = travel()
        return name, _json_checked(form, f"executor {name!r}")
    name = getattr(executor, "short_name", None)
    to_dict = getattr(executor, "to_dict", None)
    if isinstance(executor, type) or not callable(to_dict) or not isinstance(name, str) or not name:
        what = f"the class {executor.__name__}" if isinstance(executor, type) else f"a {type(executor).__name__}"
        raise TypeError(f"executor must be a short name, an executor instance or None, not {what}.")
    return name, _json_checked(to_dict(), f"executor {name!r}")


def prefer_backend(backend: Any, executor: Any) -> Any:
    """The executor meant by the deprecated `backend` argument, which wins."""
    if backend is None:
        return executor
    _log.warning("The argument 'backend' is deprecated; use 'executor'.")
    return backend


def encode_hooks(
    *,
    files: Sequence[Any] = (),
    deps_bash: Any = None,
    deps_pip: Any = None,
    deps_module: Any = None,
    call_before: Any = None,
    call_after: Any = None,
) -> Mapping[str, Any] | None:
    """What happens before and after a task, as JSON; None if nothing does.

    Raises:
        TypeError: An argument is not what the decorator's documentation allows.
    """
    deps: dict[str, Any] = {}
    if deps_bash is not None:
        deps["bash"] = _encode_dependency(deps_bash, DepsBash)
    if deps_pip is not None:
        deps["pip"] = _encode_dependency(deps_pip, DepsPip)
    before: list[Any] = []
    after: list[Any] = []
    for transfer in _listed_transfers(files):
        prepare, move = transfer.cp()
        with by_value(covalent_lab.files):
            prepared = DepsCall(prepare, retval_keyword="files", override_reserved_retval_keys=True).to_dict()
            moved = {**DepsCall(move).to_dict(), _MOVES: True}
        before.append(prepared)
        (before if transfer.order == "before" else after).append(moved)
    before += _encode_modules(deps_module)
    before += _encode_list(call_before, "call_before")
    after += _encode_list(call_after, "call_after")
    if not (deps or before or after):
        return None
    return {"deps": deps, "call_before": before, "call_after": after}


def encode_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of an electron or a lattice with executor instances and triggers in their JSON forms.

    Raises:
        KeyError: There is no such metadata key.
        TypeError: A value is not allowed there.
    """
    names = list(metadata)
    options = read_metadata(metadata, LatticeOptions())
    names += [f"{name}_data" for name in names if name.endswith("executor") and f"{name}_data" not in metadata]
    return {name: get_option(options, name) for name in names}


def read_metadata(metadata: Mapping[str, Any], options: _Options) -> _Options:
    """Options changed by metadata; an `executor_data` that says nothing leaves what the executor said itself.

    Raises:
        KeyError: There is no such metadata key.
        TypeError: A value is not allowed there.
    """
    for name, value in metadata.items():
        if value is not None or not name.endswith("_data"):
            options = set_option(options, name, value)
    return options


def encode_triggers(triggers: Any) -> Sequence[Mapping[str, Any]] | None:
    """Triggers as dictionaries.

    Raises:
        TypeError: Something in it is not a trigger.
    """
    return None if triggers is None else tuple(_encode_list(triggers, "triggers"))


def get_option(options: TaskOptions, name: str) -> Any:
    """One option by its metadata key.

    Raises:
        KeyError: There is no such key.
    """
    _check_key(options, name)
    return getattr(options, name)


def set_option(options: _Options, name: str, value: Any) -> _Options:
    """A copy with one option changed; `executor` and `workflow_executor` take instances as well.

    Raises:
        KeyError: There is no such key.
        TypeError: The value is not allowed there.
    """
    _check_key(options, name)
    changes: dict[str, Any]
    if name in ("executor", "workflow_executor"):
        short_name, form = encode_executor(value)
        changes = {name: short_name, f"{name}_data": form}
    elif name == "triggers":
        changes = {name: encode_triggers(value)}
    else:
        changes = {name: None if value is None else _json_checked(value, name)}
    return replace(options, **changes)


def resolve_options(options: TaskOptions, lattice: TaskOptions) -> NodeOptions:
    """Options of a node: its own, else the lattice's, else the default, key by key."""
    executor, form = options.executor, options.executor_data
    if executor is None:
        executor, form = lattice.executor, lattice.executor_data
    hooks = lattice.hooks if options.hooks is None else options.hooks
    return NodeOptions(executor=executor or DEFAULT_EXECUTOR, executor_data=form or {}, hooks=hooks or {})


def workflow_options(lattice: LatticeOptions) -> NodeOptions:
    """Options of nodes that serve the workflow itself (operators, sublattices): no hooks."""
    executor, form = lattice.workflow_executor, lattice.workflow_executor_data
    if executor is None:
        executor, form = lattice.executor, lattice.executor_data
    return NodeOptions(executor=executor or DEFAULT_EXECUTOR, executor_data=form or {})


def postprocess_options(lattice: LatticeOptions) -> NodeOptions:
    """Options of the postprocess node: the workflow's executor, the lattice's hooks."""
    return replace(workflow_options(lattice), hooks=lattice.hooks or {})


def child_options(parent: NodeOptions, *, with_hooks: bool) -> NodeOptions:
    """Options of a node that belongs to another one.

    Args:
        parent: Options of the node it belongs to.
        with_hooks: Whether it needs the same environment (attribute and item nodes do, to load the value). Hooks that
            deliver an argument, file transfers among them, are never repeated.
    """
    if not parent.hooks:
        return parent
    hooks: Mapping[str, Any] = {}
    if with_hooks:
        hooks = {
            "deps": parent.hooks.get("deps", {}),
            "call_before": [
                call for call in parent.hooks.get("call_before", ()) if not (_retval_keyword(call) or _moves(call))
            ],
            "call_after": [call for call in parent.hooks.get("call_after", ()) if not _moves(call)],
        }
        if not any(hooks.values()):
            hooks = {}
    return replace(parent, hooks=hooks)


def retval_keywords(hooks: Mapping[str, Any]) -> frozenset[str]:
    """Names of the arguments that hooks deliver at run time."""
    return frozenset(filter(None, map(_retval_keyword, hooks.get("call_before", ()))))


def moves_files(hooks: Mapping[str, Any]) -> bool:
    """Whether there are file transfers among hooks."""
    return any(_moves(call) for part in ("call_before", "call_after") for call in hooks.get(part, ()))


def _retval_keyword(call: Mapping[str, Any]) -> str:
    return str(call.get("attributes", {}).get("retval_keyword") or "")


def _moves(call: Mapping[str, Any]) -> bool:
    return bool(call.get(_MOVES))


def _listed_transfers(files: Any) -> Sequence[Any]:
    if not isinstance(files, (list, tuple)) or not all(
        hasattr(entry, "cp") and hasattr(entry, "order") for entry in files
    ):
        raise TypeError(f"files takes a list of transfers, such as [TransferFromRemote('s3://…')], not {files!r}.")
    return files


def _check_key(options: TaskOptions, name: str) -> None:
    known = [field.name for field in fields(options)]
    if name not in known:
        raise KeyError(f"There is no metadata key {name!r}. Known keys: {', '.join(known)}.")


def _encode_dependency(value: Any, kind: type[DepsBash] | type[DepsPip]) -> Any:
    return _json_checked((value if hasattr(value, "to_dict") else kind(value)).to_dict(), kind.__name__)


def _encode_modules(value: Any) -> list[Any]:
    entries = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    made = [DepsModule(entry) if isinstance(entry, (str, ModuleType)) else entry for entry in entries]
    return _encode_list(made, "deps_module")


def _encode_list(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    entries = value if isinstance(value, (list, tuple)) else [value]
    encoded = []
    for entry in entries:
        if hasattr(entry, "to_dict"):
            encoded.append(_json_checked(entry.to_dict(), what))
        elif isinstance(entry, Mapping):
            encoded.append(_json_checked(entry, what))
        else:
            raise TypeError(
                f"{what} takes objects that describe themselves by to_dict() (such as DepsCall), got {entry!r}."
            )
    return encoded


def _json_checked(form: Any, what: str) -> Any:
    try:
        json.dumps(form)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"The options of {what} cannot be written as JSON: {error}. Use numbers, text, lists and dictionaries."
        ) from error
    return form
