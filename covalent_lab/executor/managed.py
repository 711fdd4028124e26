"""What executors with managed execution exchange with the dispatcher: tasks, places of their files, and their ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

__all__ = ["ResourceMap", "TaskGroup", "TaskSpec", "TaskUpdate"]


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
            TypeError, KeyError, ValueError: It is neither, or the status is not one of those that end a task.
        """
        fields = given if isinstance(given, Mapping) else {name: getattr(given, name) for name in cls.__slots__}
        status = str(fields["status"])
        if status not in ("COMPLETED", "FAILED", "CANCELLED"):
            raise ValueError(f"{status} is no status that ends a task")
        return cls(
            dispatch_id=str(fields["dispatch_id"]),
            node_id=int(fields["node_id"]),
            status=status,
            assets=fields.get("assets") or {},
        )
