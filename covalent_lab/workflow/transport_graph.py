"""The documented graph object for introspection: a directed multigraph of networkx with attributes.

Made on demand from the frozen `Graph`; no dispatch goes through it.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Self

from covalent_lab.graph.model import Graph, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import PayloadRef
from covalent_lab.workflow.reference import Output
from covalent_lab.workflow.task import source_of
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["_TransportGraph", "connect_argument"]

_DROPPED = ("function", "function_string", "value", "output")


class _TransportGraph:
    """Nodes and edges with attributes; `_graph` is a `networkx.MultiDiGraph`.

    Attributes:
        lattice_metadata: Metadata of the lattice it belongs to.
        dirty_nodes: Ids of nodes that somebody marked.
    """

    def __init__(self) -> None:
        import networkx  # heavy, and only introspection needs it

        self._graph = networkx.MultiDiGraph()
        self.lattice_metadata: dict[str, Any] = {}
        self.dirty_nodes: list[int] = []

    @classmethod
    def from_graph(cls, graph: Graph, find: Callable[[PayloadRef], TransportableObject | None]) -> Self:
        """View a frozen graph; `find` gives the functions and values it refers to."""
        made = cls()
        find = cache(find)
        metadata = [_metadata(options) for options in graph.options]
        for node in graph.nodes:
            function = None if node.function is None else graph.functions[node.function]
            attributes: dict[str, Any] = {}
            if node.kind is NodeKind.PARAMETER and node.value is not None:
                attributes["value"] = attributes["output"] = find(node.value)
            made.add_node(
                name=node.name,
                function=None if function is None else find(function.payload),
                metadata=dict(metadata[node.options]),
                task_group_id=node.task_group,
                function_string="" if function is None else function.source,
                **attributes,
            )
        for edge in graph.edges:
            attributes = {}
            if edge.param_type is not ParamType.WAIT:
                attributes = {"param_type": edge.param_type.value, "arg_index": edge.arg_index}
            made.add_edge(edge.source, edge.target, edge.name, **attributes)
        return made

    def add_node(
        self, name: str, function: Any, metadata: Mapping[str, Any], task_group_id: int | None = None, **attr: Any
    ) -> int:
        """Add a node; returns its id. Without a task group it is its own."""
        node_id = len(self._graph.nodes)
        if callable(function):
            attr.setdefault("function_string", source_of(function))
            function = TransportableObject(function)
        self._graph.add_node(
            node_id,
            **{
                **_runtime_attributes(),
                "name": name,
                "function": function,
                "function_string": "",
                "metadata": metadata,
                "task_group_id": node_id if task_group_id is None else task_group_id,
                **attr,
            },
        )
        return node_id

    def add_edge(self, x: int, y: int, edge_name: str, **attr: Any) -> None:
        """Add an edge; several may join the same nodes."""
        self._graph.add_edge(x, y, edge_name=edge_name, **attr)

    def get_node_value(self, node_id: int, value_key: str) -> Any:
        """One attribute of a node.

        Raises:
            KeyError: No such node or attribute.
        """
        return self._graph.nodes[node_id][value_key]

    def set_node_value(self, node_id: int, value_key: str, value: Any) -> None:
        """Change one attribute of a node.

        Raises:
            KeyError: No such node or attribute.
        """
        attributes = self._graph.nodes[node_id]
        if value_key not in attributes:
            raise KeyError(value_key)
        attributes[value_key] = value

    def get_edge_data(self, dep_key: int, node_key: int) -> Any:
        """The edges between two nodes: edge key → attributes."""
        return self._graph.get_edge_data(dep_key, node_key)

    def get_dependencies(self, node_key: int) -> list[int]:
        """Ids of the nodes a node waits for."""
        return list(self._graph.predecessors(node_key))

    def get_internal_graph_copy(self) -> Any:
        """An independent copy of the networkx graph."""
        return self._graph.copy()

    def reset(self) -> None:
        """Drop everything."""
        self._graph.clear()
        self.lattice_metadata = {}
        self.dirty_nodes = []

    def reset_node(self, node_id: int) -> None:
        """Restore the run-time attributes of a node."""
        attributes = self._graph.nodes[node_id]
        attributes.update(_runtime_attributes())
        if "value" in attributes:
            attributes["output"] = attributes["value"]

    def serialize(self, metadata_only: bool = False) -> bytes:
        """Binary form; `metadata_only` leaves functions, values and outputs out."""
        return self.serialize_to_json(metadata_only).encode()

    def deserialize(self, pickled_data: bytes) -> None:
        """Replace the contents by what `serialize` returned."""
        self.deserialize_from_json(pickled_data.decode())

    def serialize_to_json(self, metadata_only: bool = False) -> str:
        """Node-link JSON; transportables as dictionaries."""
        nodes = [
            {"id": i, **{key: value for key, value in node.items() if not (metadata_only and key in _DROPPED)}}
            for i, node in self._graph.nodes(data=True)
        ]
        links = [
            {"source": source, "target": target, "key": key, **edge}
            for source, target, key, edge in self._graph.edges(keys=True, data=True)
        ]
        form = {
            "directed": True,
            "multigraph": True,
            "graph": {},
            "nodes": nodes,
            "links": links,
            "lattice_metadata": self.lattice_metadata,
        }
        return json.dumps(form, default=_encode)

    def deserialize_from_json(self, json_data: str) -> None:
        """Replace the contents by what `serialize_to_json` returned."""
        form = json.loads(json_data, object_hook=_decode)
        self.reset()
        self.lattice_metadata = form["lattice_metadata"]
        for node in form["nodes"]:
            self._graph.add_node(node.pop("id"), **node)
        for link in form["links"]:
            self._graph.add_edge(link.pop("source"), link.pop("target"), key=link.pop("key"), **link)


def connect_argument(
    graph: _TransportGraph,
    node_id: int,
    name: str,
    value: Any,
    param_type: str | None,
    arg_index: int | None,
    add_collection: Callable[[str], int],
) -> None:
    """Add the nodes and edges of one argument to a transport graph."""
    if isinstance(value, Output):
        assert value._node_id is not None
        source = value._node_id
    elif isinstance(value, dict):
        source = add_collection(":electron_dict:")
        connect_argument(graph, source, "keys", list(value), "arg", 0, add_collection)
        connect_argument(graph, source, "values", list(value.values()), "arg", 1, add_collection)
    elif isinstance(value, (list, tuple, set)):
        source = add_collection(":electron_list:")
        for index, item in enumerate(value):
            connect_argument(graph, source, f"arg[{index}]", item, "arg", index, add_collection)
    else:
        wrapped = TransportableObject.make_transportable(value)
        source = graph.add_node(f":parameter:{value}", None, _metadata(NodeOptions()), value=wrapped, output=wrapped)
    graph.add_edge(source, node_id, name, param_type=param_type, arg_index=arg_index)


def _runtime_attributes() -> dict[str, Any]:
    return {
        "status": "NEW_OBJECT",
        "start_time": None,
        "end_time": None,
        "output": TransportableObject(None),
        "error": "",
        "stdout": "",
        "stderr": "",
        "sub_dispatch_id": None,
        "sublattice_result": None,
    }


def _metadata(options: NodeOptions) -> dict[str, Any]:
    return {
        "executor": options.executor,
        "executor_data": dict(options.executor_data),
        "hooks": dict(options.hooks),
    }


def _encode(value: Any) -> Any:
    if isinstance(value, TransportableObject):
        return value.to_dict()
    if isinstance(value, datetime):
        return {"type": "datetime", "attributes": value.isoformat()}
    raise TypeError(f"A {type(value).__name__} cannot be written as JSON.")


def _decode(form: dict[str, Any]) -> Any:
    if form.get("type") == "TransportableObject" and "_object" in form.get("attributes", ()):
        return TransportableObject.from_dict(form)
    if form.get("type") == "datetime" and isinstance(form.get("attributes"), str):
        return datetime.fromisoformat(form["attributes"])
    return form
