"""What executors with managed execution exchange with the dispatcher: tasks, places of their files, and their ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from covalent_lab.errors import BackendError

__all__ = ["ResourceMap", "TaskGroup", "TaskSpec", "TaskUpdate", "local_path"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One task of a group.

    Attributes:
        electron_id: Number of its node.
        args: Nodes whose outputs are the positional arguments.
        kwargs: Nodes whose outputs are the keyword arguments.
    """

    electron_id: int
    args: Sequence[int] = ()
    kwargs: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, given: "TaskSpec | Mapping[str, Any]") -> Self:
        """A task from itself or from a dictionary with its fields, as JSON has it.

        Raises:
            AttributeError, TypeError, KeyError, ValueError: It is neither.
        """
        fields = _fields(cls, given)
        return cls(
            electron_id=int(fields["electron_id"]),
            args=[int(node) for node in fields.get("args", ())],
            kwargs={str(name): int(node) for name, node in fields.get("kwargs", {}).items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """Tasks that go to an executor together.

    Attributes:
        dispatch_id: Their dispatch.
        task_group_id: Number of the group.
        task_ids: Numbers of their nodes.
    """

    dispatch_id: str
    task_group_id: int
    task_ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMap:
    """URIs of the files of a task group, by node.

    Attributes:
        functions: Serialised `TransportableObject`s of functions.
        inputs: Those of the nodes that arguments come from.
        hooks: JSON files: `{"deps", "call_before", "call_after"}`.
    """

    functions: Mapping[int, str]
    inputs: Mapping[int, str]
    hooks: Mapping[int, str]

    @classmethod
    def of(cls, given: "ResourceMap | Mapping[str, Any]") -> Self:
        """A map from itself or from a dictionary with its fields, whose nodes may be texts, as JSON has them.

        Raises:
            AttributeError, TypeError, KeyError, ValueError: It is neither.
        """
        fields = _fields(cls, given)
        return cls(**{name: {int(node): str(uri) for node, uri in fields[name].items()} for name in cls.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskUpdate:
    """How a task ended.

    Attributes:
        dispatch_id: Its dispatch.
        node_id: Its node.
        status: `"COMPLETED"`, `"FAILED"` or `"CANCELLED"`.
        assets: `{"output": {"remote_uri"}, "stdout": …, "stderr": …}`: where what it left is.
    """

    dispatch_id: str
    node_id: int
    status: str
    assets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, given: "TaskUpdate | Mapping[str, Any]") -> Self:
        """An update from itself or from a dictionary with its fields.

        Raises:
            AttributeError, TypeError, KeyError, ValueError: It is neither, or its status is not one that ends a task.
        """
        fields = _fields(cls, given)
        status = str(fields["status"])
        if status not in ("COMPLETED", "FAILED", "CANCELLED"):
            raise ValueError(f"{status} is no status that ends a task")
        return cls(
            dispatch_id=str(fields["dispatch_id"]),
            node_id=int(fields["node_id"]),
            status=status,
            assets=fields.get("assets") or {},
        )


def local_path(uri: str) -> Path:
    """The path of a file URI, or of a plain path.

    Raises:
        BackendError: It leads elsewhere.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    if not parts.scheme:
        return Path(uri)
    raise BackendError(f"{uri} is no file of this machine. Let the executor fetch it, and give the URI of the file.")


def _fields(kind: type[TaskSpec] | type[ResourceMap] | type[TaskUpdate], given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {name: getattr(given, name) for name in kind.__slots__}
