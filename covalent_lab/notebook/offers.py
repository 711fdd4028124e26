"""What completion offers for arguments: ids, names of nodes, executors, keys, variables.

Asks the dispatcher only if it is there already: completion never starts one, and never fails.
"""

from collections.abc import Mapping
from typing import Any

from covalent_lab.client.connection import Connection, connect, is_covalent_running
from covalent_lab.client.result import Result
from covalent_lab.client.status import Status
from covalent_lab.config.keys import KEYS
from covalent_lab.errors import LabError
from covalent_lab.executor import registry
from covalent_lab.graph.model import NodeKind
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.workflow.lattice import Lattice

__all__ = [
    "config_keys",
    "dispatch_ids",
    "executors",
    "lattices",
    "named_dispatch",
    "node_names",
    "statuses",
    "variables",
]

_RECENT = 50


def named_dispatch(namespace: Mapping[str, Any], word: str) -> str:
    """The id, or its beginning, that a word means: the word itself, or what the variable of this name holds."""
    known = namespace.get(word)
    if isinstance(known, Result):
        return known.dispatch_id
    return str(known) if isinstance(known, str) else word


def dispatch_ids(shell: Any, words: list[str]) -> list[str]:
    """Ids of the newest dispatches."""
    connection = _connection()
    if connection is None:
        return []
    return [item["dispatch_id"] for item in connection.list_dispatches(count=_RECENT)["items"]]


def node_names(shell: Any, words: list[str]) -> list[str]:
    """Names of the nodes of the dispatch that the line names before; ids of those that share a name."""
    connection = _connection()
    dispatch_id = named_dispatch(shell.user_ns, next((word for word in words if not word.startswith("-")), ""))
    if connection is None or not dispatch_id:
        return []
    items = connection.list_dispatches(search=dispatch_id, count=2)["items"]
    found = [item["dispatch_id"] for item in items if item["dispatch_id"].startswith(dispatch_id)]
    if len(found) != 1:
        return []
    nodes = [node for node in graph_from_wire(connection.graph(found[0])).nodes if node.kind is not NodeKind.PARAMETER]
    names = [node.name for node in nodes]
    return [node.name if names.count(node.name) == 1 and node.name.isidentifier() else str(node.id) for node in nodes]


def executors(shell: Any, words: list[str]) -> list[str]:
    """Names of executors, and variables that hold one."""
    held = [name for name in variables(shell, words) if _is_executor(shell.user_ns[name])]
    return [*registry.names(), *held]


def variables(shell: Any, words: list[str]) -> list[str]:
    """The notebook's own names."""
    hidden = shell.user_ns_hidden
    return [
        name
        for name, value in shell.user_ns.items()
        if not name.startswith("_") and not (name in hidden and hidden[name] is value)
    ]


def lattices(shell: Any, words: list[str]) -> list[str]:
    """Variables that hold a workflow."""
    return [name for name in variables(shell, words) if isinstance(shell.user_ns[name], Lattice)]


def config_keys(shell: Any, words: list[str]) -> list[str]:
    """Keys that have a default."""
    return list(KEYS)


def statuses(shell: Any, words: list[str]) -> list[str]:
    """Statuses of dispatches."""
    return [Status.NEW_OBJECT, Status.STARTING, Status.RUNNING, Status.COMPLETED, Status.FAILED, Status.CANCELLED]


def _is_executor(value: Any) -> bool:
    return not isinstance(value, type) and hasattr(value, "to_dict") and hasattr(value, "short_name")


def _connection() -> Connection | None:
    try:
        return connect() if is_covalent_running() else None
    except LabError:
        return None
