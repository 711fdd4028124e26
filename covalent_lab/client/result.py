"""What came of a dispatch. Nothing is fetched before it is asked for; what is terminal is fetched once."""

import base64
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from covalent_lab.client.connection import Connection
from covalent_lab.client.status import Status
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import MissingNodeError
from covalent_lab.graph.model import Graph, NodeKind
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.workflow.lattice import Lattice
from covalent_lab.workflow.transport_graph import _TransportGraph
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["Result"]


class Result:
    """A dispatch as it stands, or as it ended.

    Args:
        lattice: The workflow, if it is at hand; else it is fetched on demand.
        dispatch_id: The dispatch's id.
        connection: Where to ask; None for a result that was never dispatched.
        workflow_output: False leaves `result` None.
        intermediate_outputs: False leaves nodes' outputs and streams out.
        results_dir: Folder for files of this dispatch; default: below `sdk.results_dir`.
    """

    NEW_OBJ = Status.NEW_OBJECT
    PENDING_REUSE = Status.PENDING_REUSE
    COMPLETED = Status.COMPLETED
    POSTPROCESSING = Status.POSTPROCESSING
    PENDING_POSTPROCESSING = Status.PENDING_POSTPROCESSING
    POSTPROCESSING_FAILED = Status.POSTPROCESSING_FAILED
    RUNNING = Status.RUNNING
    FAILED = Status.FAILED
    CANCELLED = Status.CANCELLED

    def __init__(
        self,
        lattice: Lattice[..., Any] | None = None,
        dispatch_id: str = "",
        *,
        connection: Connection | None = None,
        detail: Mapping[str, Any] | None = None,
        workflow_output: bool = True,
        intermediate_outputs: bool = True,
        results_dir: str | None = None,
    ) -> None:
        self._lattice = lattice
        self._dispatch_id = dispatch_id
        self._connection = connection
        self._known: Mapping[str, Any] | None = detail
        self._workflow_output = workflow_output
        self._intermediate_outputs = intermediate_outputs
        self._results_dir = results_dir
        self._values: dict[str, TransportableObject] = {}
        self._graph: Graph | None = None

    # --- the dispatch

    @property
    def dispatch_id(self) -> str:
        """Its id."""
        return self._dispatch_id

    @property
    def root_dispatch_id(self) -> str:
        """Id of the dispatch it is part of, its own if of none."""
        return str(self._detail.get("root_dispatch_id", self._dispatch_id))

    @property
    def status(self) -> Status:
        """How it stands."""
        return Status(self._detail.get("status", "NEW_OBJECT"))

    @property
    def result(self) -> Any:
        """What the workflow returned; None until it completed.

        Raises:
            SerializationError: The value needs something that is not installed here.
        """
        encoded = self.encoded_result
        return None if encoded is None else encoded.get_deserialized()

    @property
    def encoded_result(self) -> TransportableObject | None:
        """What the workflow returned, with its text form, not yet loaded; None until it completed."""
        return self._value(self._detail.get("result")) if self._workflow_output else None

    @property
    def inputs(self) -> TransportableObject | None:
        """`{"args": tuple, "kwargs": dict}` it was called with."""
        return self._value(self._detail.get("inputs"))

    @property
    def error(self) -> str | None:
        """Why it failed; None if it did not."""
        error = self._detail.get("error")
        return None if error is None else str(error)

    @property
    def start_time(self) -> datetime | None:
        """When it started, in UTC."""
        return _time(self._detail.get("started_at"))

    @property
    def end_time(self) -> datetime | None:
        """When it ended, in UTC."""
        return _time(self._detail.get("ended_at"))

    @property
    def results_dir(self) -> str:
        """Folder for files of this dispatch."""
        return self._results_dir or os.path.join(ConfigReader().value("sdk.results_dir"), self._dispatch_id)

    @property
    def name(self) -> str:
        """Name of the workflow."""
        return str(self._detail.get("name", ""))

    @property
    def graph(self) -> Graph:
        """Its graph."""
        if self._graph is None:
            self._graph = graph_from_wire(self._ask.graph(self._dispatch_id))
        return self._graph

    @property
    def lattice(self) -> Lattice[..., Any]:
        """The workflow, with its transport graph filled in: statuses, times, outputs."""
        if self._lattice is None:
            function = self._value(self._detail.get("lattice"))
            if function is None:
                raise MissingNodeError(f"The workflow function of dispatch {self._dispatch_id} was not stored.")
            self._lattice = Lattice(function, self._transport_graph())
        return self._lattice

    def refresh(self) -> None:
        """Ask again for whatever is not final yet."""
        if self._known is None or not Status.is_terminal(str(self._known.get("status", ""))):
            self._known = None

    # --- its nodes

    def node_details(self, node_id: int) -> Mapping[str, Any]:
        """Everything that is known of a node, as JSON: inputs with previews, executor, source, output's preview."""
        return self._ask.node(self._dispatch_id, node_id)

    def node_states(self) -> Mapping[str, Any]:
        """States of all nodes that were started, one list a field."""
        return self._ask.nodes(self._dispatch_id)

    def get_node_result(self, node_id: int) -> dict[str, Any]:
        """What came of a node.

        Returns:
            `node_id, node_name, start_time, end_time, status, output` (a `TransportableObject`, or None), `error,
            sublattice_result, stdout, stderr`.

        Raises:
            MissingNodeError: There is no such node.
        """
        node = self.node_details(node_id)
        shown = self._intermediate_outputs
        return {
            "node_id": node_id,
            "node_name": node["name"],
            "start_time": _time(node["started_at"]),
            "end_time": _time(node["ended_at"]),
            "status": Status(node["status"]),
            "output": self._value(node["output"]) if shown else None,
            "error": node["error"],
            "sublattice_result": None,
            "stdout": node["stdout"] if shown else "",
            "stderr": node["stderr"] if shown else "",
        }

    def get_all_node_results(self) -> list[dict[str, Any]]:
        """`get_node_result` of every node, in order."""
        return [self.get_node_result(node.id) for node in self.graph.nodes]

    def get_all_node_outputs(self) -> dict[str, Any]:
        """Outputs by `name(id)`; None for nodes that have none."""
        outputs = self._outputs()
        return {f"{n.name}({n.id})": self._load(outputs.get(n.id)) for n in self.graph.nodes}

    # --- forms

    def __str__(self) -> str:
        inputs = self.inputs
        call: Mapping[str, Any] = inputs.get_deserialized() if inputs is not None else {"args": (), "kwargs": {}}
        lines = [
            "",
            "Lattice Result",
            "==============",
            f"status: {self.status}",
            f"result: {self.result}",
            f"input args: {', '.join(str(arg) for arg in call['args'])}",
            f"input kwargs: {', '.join(f'{key!r}: {value}' for key, value in call['kwargs'].items())}",
            f"error: {self.error}",
            "",
            f"start_time: {self.start_time}",
            f"end_time: {self.end_time}",
            "",
            f"results_dir: {self.results_dir}",
            f"dispatch_id: {self.dispatch_id}",
            "",
            "Node Outputs",
            "------------",
        ]
        return "\n".join(lines) + "\n" + "\n".join(self._output_lines()) + "\n"

    def _output_lines(self) -> Iterator[str]:
        outputs = self._outputs()
        for node in self.graph.nodes:
            ref = outputs.get(node.id)
            text = self._ask.preview(self._dispatch_id, ref.digest)["text"] if ref is not None else None
            yield f"{node.name}({node.id}): {text}"

    def __repr__(self) -> str:
        return f"<Result {self.name} {self.dispatch_id} {self.status}>"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        from covalent_lab.notebook.display import result_bundle  # only a notebook asks for this form

        return result_bundle(self)

    # --- fetching

    @property
    def connection(self) -> Connection | None:
        """Where it is asked from; None for a result that was never dispatched."""
        return self._connection

    @property
    def detail(self) -> Mapping[str, Any]:
        """The dispatch as the server tells it, as JSON."""
        return self._detail

    @property
    def _ask(self) -> Connection:
        if self._connection is None:
            raise MissingNodeError("This result belongs to no dispatch.")
        return self._connection

    @property
    def _detail(self) -> Mapping[str, Any]:
        if self._connection is None:
            return self._known or {}
        if self._known is None:
            self._known = self._connection.detail(self._dispatch_id)
        return self._known

    def _value(self, view: Mapping[str, Any] | None) -> TransportableObject | None:
        if view is None:
            return None
        ref = PayloadRef(view["digest"], view["size"])
        if "data" in view and ref.digest not in self._values:
            encoded = Payload(ref, [base64.b64decode(view["data"])])
            self._values[ref.digest] = TransportableObject.from_payload(encoded)
        return self._load(ref)

    def _load(self, ref: PayloadRef | None) -> TransportableObject | None:
        if ref is None:
            return None
        if ref.digest not in self._values:
            archive = self._ask.payload(self._dispatch_id, ref.digest)
            self._values[ref.digest] = TransportableObject.from_payload(Payload(ref, [archive]))
        return self._values[ref.digest]

    def _outputs(self) -> dict[int, PayloadRef]:
        columns = self.node_states()
        found: dict[int, PayloadRef] = {
            n.id: n.value for n in self.graph.nodes if n.kind is NodeKind.PARAMETER and n.value is not None
        }
        for node_id, digest, size in zip(columns["node_id"], columns["output"], columns["output_size"], strict=True):
            if digest is not None:
                found[node_id] = PayloadRef(digest, size)
        return found

    def _transport_graph(self) -> _TransportGraph:
        outputs = self._outputs()
        wanted = {f.payload for f in self.graph.functions} | {n.value for n in self.graph.nodes if n.value is not None}
        values = {ref: self._load(ref) for ref in wanted}
        view = _TransportGraph.from_graph(self.graph, {r: v.payload for r, v in values.items() if v is not None})
        columns = self.node_states()
        for i, node_id in enumerate(columns["node_id"]):
            view.set_node_value(node_id, "status", Status(columns["status"][i]))
            view.set_node_value(node_id, "start_time", _time(columns["started_at"][i]))
            view.set_node_value(node_id, "end_time", _time(columns["ended_at"][i]))
            view.set_node_value(node_id, "error", columns["error"][i])
            if self._intermediate_outputs and node_id in outputs:
                view.set_node_value(node_id, "output", self._load(outputs[node_id]))
        for node in self.graph.nodes:
            if node.kind is NodeKind.PARAMETER:
                view.set_node_value(node.id, "status", Status.COMPLETED)
        return view


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
