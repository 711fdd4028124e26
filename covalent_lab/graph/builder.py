"""The mutable counterpart of `Graph`, used while a workflow is traced.

Keeps one list per column, because most graphs are built node by node in a loop. Knows nothing of values: whoever
traces encodes them and hands over references.
"""

import json
from itertools import count

from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import NodeId, PayloadRef

__all__ = ["WAITING_EDGE", "GraphBuilder"]

WAITING_EDGE = "!waiting_edge"


class GraphBuilder:
    """Collects nodes and edges; `finish` freezes them.

    Args:
        options: Options of index 0, used by nodes that never run.
    """

    __slots__ = (
        "_edges",
        "_functions",
        "_groups",
        "_kinds",
        "_names",
        "_node_functions",
        "_node_options",
        "_option_index",
        "_options",
        "_values",
        "_waits",
    )

    def __init__(self, options: NodeOptions) -> None:
        self._names: list[str] = []
        self._kinds: list[NodeKind] = []
        self._node_functions: list[int | None] = []
        self._values: list[PayloadRef | None] = []
        self._node_options: list[int] = []
        self._groups: list[int] = []
        self._edges: list[tuple[int, int, str, ParamType, int | None]] = []  # each an Edge without its type
        self._waits: set[tuple[int, int]] = set()
        self._functions: list[Function] = []
        self._options: list[NodeOptions] = []
        self._option_index: dict[str, int] = {}
        self.add_options(options)

    def add_function(self, function: Function) -> int:
        """Add a callable; returns its index."""
        self._functions.append(function)
        return len(self._functions) - 1

    def add_options(self, options: NodeOptions) -> int:
        """Add options unless equal ones are there; returns their index."""
        key = json.dumps(
            [options.executor, dict(options.executor_data), dict(options.hooks)], sort_keys=True, default=repr
        )
        index = self._option_index.setdefault(key, len(self._options))
        if index == len(self._options):
            self._options.append(options)
        return index

    def add_node(
        self,
        name: str,
        kind: NodeKind,
        *,
        function: int | None = None,
        value: PayloadRef | None = None,
        options: int = 0,
        task_group: int | None = None,
    ) -> NodeId:
        """Add a node; returns its id. Without a task group it is its own."""
        node_id = len(self._names)
        self._names.append(name)
        self._kinds.append(kind)
        self._node_functions.append(function)
        self._values.append(value)
        self._node_options.append(options)
        self._groups.append(node_id if task_group is None else task_group)
        return NodeId(node_id)

    def add_edge(
        self, source: int, target: int, name: str, param_type: ParamType, arg_index: int | None = None
    ) -> None:
        """Add an edge that delivers a value."""
        self._edges.append((source, target, name, param_type, arg_index))

    def add_wait(self, source: int, target: int) -> None:
        """Make a node wait for another; saying so twice changes nothing."""
        if (source, target) not in self._waits:
            self._waits.add((source, target))
            self._edges.append((source, target, WAITING_EDGE, ParamType.WAIT, None))

    def name_of(self, node_id: int) -> str:
        """The name a node was added with."""
        return self._names[node_id]

    def options_of(self, node_id: int) -> int:
        """Index of a node's options."""
        return self._node_options[node_id]

    def options_at(self, index: int) -> NodeOptions:
        """The options of an index."""
        return self._options[index]

    def task_group_of(self, node_id: int) -> int:
        """The group a node travels with."""
        return self._groups[node_id]

    def computed_nodes(self) -> list[NodeId]:
        """Ids of all nodes that are not parameters, in order."""
        parameter = NodeKind.PARAMETER
        return [NodeId(i) for i, kind in enumerate(self._kinds) if kind is not parameter]

    def finish(self) -> Graph:
        """Freeze what was collected."""
        columns = zip(
            count(),
            self._names,
            self._kinds,
            self._node_functions,
            self._values,
            self._node_options,
            self._groups,
            strict=False,
        )
        nodes = tuple(map(Node._make, columns))
        edges = tuple(map(Edge._make, self._edges))
        return Graph(nodes=nodes, edges=edges, functions=tuple(self._functions), options=tuple(self._options))
