"""What came of a dispatch. Nothing is fetched before it is asked for; what is terminal is fetched once."""

import base64
import copy
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from covalent_lab.client.connection import Connection, connect, whole_stream
from covalent_lab.client.status import Status
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import GraphBuildError, MissingNodeError, SerializationError, UsageError
from covalent_lab.graph.model import Graph, Node, NodeKind
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer
from covalent_lab.workflow.lattice import Lattice
from covalent_lab.workflow.options import LatticeOptions
from covalent_lab.workflow.replay import Replay, calls_of
from covalent_lab.workflow.transport_graph import _TransportGraph
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["Result", "Selection", "rows_of"]

_NOT_BY_NODE = ("seq", "earlier_attempts")
_WHOLE_STREAM = 60_000
_NEVER_RAN = {
    "status": "NEW_OBJECT",
    "started_at": None,
    "ended_at": None,
    "error": "",
    "stdout": False,
    "stderr": False,
}


def rows_of(states: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The states of nodes, which a server tells as one list a field, by node."""
    columns = {name: column for name, column in states.items() if name not in _NOT_BY_NODE}
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return {row["node_id"]: row for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which parts of a dispatch a `Result` gives; what is left out reads as if there were none.

    Attributes:
        workflow_output: The workflow's value.
        intermediate_outputs: Nodes' values and streams.
        sublattice_results: Results of sub-dispatches.
    """

    workflow_output: bool = True
    intermediate_outputs: bool = True
    sublattice_results: bool = True


class Result:
    """A dispatch as it stands, or as it ended.

    It may be pickled: what was not fetched is then fetched by whoever loads it, if the dispatcher can be reached there.

    Args:
        lattice: The workflow, if it is at hand; else it is fetched on demand.
        dispatch_id: The dispatch's id; empty for a result that was never dispatched.
        connection: Where to ask; None to connect when something is asked.
        detail: The dispatch as the server tells it, if that is known already.
        selection: Which parts to give.
        results_dir: Folder for files of this dispatch; default: below `sdk.results_dir`.
        dispatcher_addr: Where to connect, as for `dispatch`.
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
        selection: Selection | None = None,
        results_dir: str | None = None,
        dispatcher_addr: str | None = None,
    ) -> None:
        self._given_lattice = lattice
        self._dispatch_id = str(dispatch_id)
        self._connection = connection
        self._known: Mapping[str, Any] | None = detail
        self._selection = selection or Selection()
        self._results_dir = results_dir
        self._address = dispatcher_addr
        self._values: dict[str, TransportableObject] = {}
        self._texts: dict[str, str] = {}
        self._graph: Graph | None = None
        self._lattice: Lattice[..., Any] | None = None

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
        return self._value(self._detail.get("result")) if self._selection.workflow_output else None

    @property
    def inputs(self) -> TransportableObject | None:
        """`{"args": tuple, "kwargs": dict}` it was called with."""
        if not self._dispatch_id and self._given_lattice is not None:
            return self._given_lattice.inputs
        return self._value(self._detail.get("inputs"))

    @property
    def error(self) -> str | None:
        """Why it failed; None if it did not."""
        return self._detail.get("error") or None

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
        """Its graph.

        Raises:
            GraphBuildError: It was never dispatched, and its lattice is not built.
        """
        if self._graph is None:
            if not self._dispatch_id and self._given_lattice is not None:
                return self._given_lattice.graph
            self._graph = graph_from_wire(self._ask.graph(self._dispatch_id))
        return self._graph

    @property
    def lattice(self) -> Lattice[..., Any]:
        """The workflow, with its transport graph filled in: statuses, times, outputs.

        Functions and outputs in the transport graph are fetched when they are used.
        """
        if self._given_lattice is not None:
            return self._given_lattice
        if self._lattice is None:
            function = self._value(self._detail.get("lattice"))
            if function is None:
                raise MissingNodeError(f"The workflow function of dispatch {self._dispatch_id} was not stored.")
            names = ("executor", "executor_data", "workflow_executor", "workflow_executor_data")
            options = LatticeOptions(**{name: self._detail.get(name) or None for name in names})
            self._lattice = Lattice(function, self._transport_graph(), options=options)
            self._lattice.transport_graph.lattice_metadata = self._lattice.manifest_metadata()
        return self._lattice

    def refresh(self) -> None:
        """Ask again for whatever is not final yet."""
        if self._known is None or not Status.is_terminal(str(self._known.get("status", ""))):
            self._known = self._lattice = None

    def post_process(self) -> Any:
        """Run the workflow function here, with each call of an electron replaced by the output of its node.

        Makes the workflow's value where the dispatcher could not, e.g. because it did not fit into a worker's memory.

        Returns:
            What the function returns.

        Raises:
            UsageError: A task has no output, or the function does not do the same as when its graph was built.
            SerializationError: A value needs something that is not installed here.
        """
        states = self._states()
        outputs = self._outputs(states)

        def output_of(node_id: int) -> Any:
            held = self._held(outputs.get(node_id))
            if held is None:
                raise UsageError(
                    f"Task {node_id} ({self.graph.nodes[node_id].name}) of dispatch {self._dispatch_id} has no output, "
                    f"so there is no value to make: it is {states.get(node_id, _NEVER_RAN)['status']}."
                )
            return held.get_deserialized()

        inputs = self.inputs
        call = {"args": (), "kwargs": {}} if inputs is None else inputs.get_deserialized()
        function = self.lattice.plain_function()
        return Replay(calls_of(self.graph), output_of).run(function, call["args"], call["kwargs"])

    def save(self, results_dir: str | os.PathLike[str] | None = None) -> Path:
        """Write the workflow's value, error, inputs and function as files, and a manifest that names the dispatch.

        `ResultManager.load` reads the manifest; a server keeps everything anyway.

        Args:
            results_dir: The folder; default: `results_dir` of this result.

        Returns:
            The manifest's file.

        Raises:
            MissingNodeError: It was never dispatched.
        """
        from covalent_lab.client.assets import ResultManager  # which knows results

        if not self._dispatch_id:
            raise MissingNodeError("This result belongs to no dispatch, so there is nothing to save.")
        result = self if results_dir is None else copy.copy(self)
        result._results_dir = self._results_dir if results_dir is None else os.fspath(results_dir)
        manager = ResultManager(result)
        for key in ("result", "error"):
            manager.download_result_asset(key)
        for key in ("inputs", "workflow_function", "workflow_function_string"):
            manager.download_lattice_asset(key)
        return manager.save()

    save_result = save

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
            `node_id, node_name, start_time, end_time, status, output` (a `TransportableObject`, or None), `error` (None
            if there was none), `sublattice_result` (the `Result` of the sub-dispatch, or None), `stdout, stderr`.

        Raises:
            MissingNodeError: There is no such node.
        """
        node = self.node_details(node_id)
        streams = {name: node[name] for name in ("stdout", "stderr")}
        for name, text in streams.items():
            if self._selection.intermediate_outputs and len(text.encode()) > _WHOLE_STREAM:  # the detail has its begin
                streams[name] = whole_stream(self._ask, self._dispatch_id, node_id, name)
        return self._node_result(node_id, node["name"], {**node, **streams}, self._value(node["output"]))

    def get_all_node_results(self) -> list[dict[str, Any]]:
        """`get_node_result` of every node, in order."""
        states = self._states()
        outputs = self._outputs(states)
        return [
            self._node_result(node.id, node.name, self._with_streams(node, states), self._held(outputs.get(node.id)))
            for node in self.graph.nodes
        ]

    def get_all_node_outputs(self) -> dict[str, TransportableObject | None]:
        """Outputs by `name(id)`; None for nodes that have none."""
        outputs = self._outputs(self._states()) if self._selection.intermediate_outputs else {}
        return {f"{node.name}({node.id})": self._held(outputs.get(node.id)) for node in self.graph.nodes}

    def _with_streams(self, node: Node, states: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
        """A node's state, with the texts it printed instead of the marks that there are some."""
        state = dict(states.get(node.id, _NEVER_RAN))
        if node.kind is NodeKind.PARAMETER:
            state["status"] = Status.COMPLETED
        is_live = state["status"] == "RUNNING"
        for name in ("stdout", "stderr"):
            is_there = state[name] or is_live or (name == "stderr" and state["status"] == "FAILED")
            wanted = is_there and self._selection.intermediate_outputs
            state[name] = whole_stream(self._ask, self._dispatch_id, node.id, name) if wanted else ""
        return state

    def _node_result(
        self, node_id: int, name: str, state: Mapping[str, Any], output: TransportableObject | None
    ) -> dict[str, Any]:
        shown = self._selection.intermediate_outputs
        return {
            "node_id": node_id,
            "node_name": name,
            "start_time": _time(state["started_at"]),
            "end_time": _time(state["ended_at"]),
            "status": Status(state["status"]),
            "output": output if shown else None,
            "error": state["error"] or None,
            "sublattice_result": self._sublattice_result(state.get("sub_dispatch_id")),
            "stdout": state["stdout"] if shown else "",
            "stderr": state["stderr"] if shown else "",
        }

    def _sublattice_result(self, dispatch_id: str | None) -> "Result | None":
        if not dispatch_id or not self._selection.sublattice_results:
            return None
        return Result(
            dispatch_id=dispatch_id,
            connection=self._connection,
            selection=self._selection,
            dispatcher_addr=self._address,
        )

    # --- forms

    def __str__(self) -> str:
        args, kwargs = self._call_texts()
        lines = [
            "",
            "Lattice Result",
            "==============",
            f"status: {self.status}",
            f"result: {_text_of(self.encoded_result)}",
            f"input args: {args}",
            f"input kwargs: {kwargs}",
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

    def _call_texts(self) -> tuple[str, str]:
        inputs = self.inputs
        if inputs is None:
            return "", ""
        try:
            call = inputs.get_deserialized()
        except SerializationError:
            return inputs.object_string, ""
        return ", ".join(map(str, call["args"])), ", ".join(f"{k!r}: {v}" for k, v in call["kwargs"].items())

    def _output_lines(self) -> Iterator[str]:
        try:
            nodes = self.graph.nodes
        except (GraphBuildError, MissingNodeError):
            return
        shown = self._dispatch_id and self._selection.intermediate_outputs
        outputs = self._outputs(self._states()) if shown else {}
        for node in nodes:
            ref = outputs.get(node.id)
            yield f"{node.name}({node.id}): {None if ref is None else self._preview(ref.digest)}"

    def _preview(self, digest: str) -> str:
        if digest not in self._texts:
            self._texts[digest] = self._ask.preview(self._dispatch_id, digest)["text"]
        return self._texts[digest]

    def __repr__(self) -> str:
        return f"<Result {self.name} {self.dispatch_id} {self.status}>"

    def draw(self) -> None:
        """Show the graph with the states of its tasks: in a notebook as a live card, elsewhere as text."""
        from covalent_lab.notebook.cards import draw_result  # the highest layer shows

        draw_result(self)

    def _repr_mimebundle_(self, **_: Any) -> Any:
        from covalent_lab.notebook.display import result_bundle  # only a notebook asks for this form

        return result_bundle(self)

    def __getstate__(self) -> dict[str, Any]:
        address = self._address or (self._connection.url if self._connection is not None else None)
        left_out: dict[str, Any] = {"_connection": None, "_values": {}, "_texts": {}, "_graph": None, "_lattice": None}
        return {**self.__dict__, **left_out, "_known": dict(self._detail), "_address": address}

    # --- fetching

    @property
    def connection(self) -> Connection | None:
        """Where it is asked from; None while nothing was asked."""
        return self._connection

    @property
    def detail(self) -> Mapping[str, Any]:
        """The dispatch as the server tells it, as JSON."""
        return self._detail

    @property
    def _ask(self) -> Connection:
        if self._connection is None:
            if not self._dispatch_id:
                raise MissingNodeError("This result belongs to no dispatch.")
            self._connection = connect(self._address)
        return self._connection

    @property
    def _detail(self) -> Mapping[str, Any]:
        if self._known is None:
            if not self._dispatch_id:
                return {}
            self._known = self._ask.detail(self._dispatch_id)
        return self._known

    def _value(self, view: Mapping[str, Any] | None) -> TransportableObject | None:
        if view is None:
            return None
        ref = PayloadRef(view["digest"], view["size"])
        if "data" in view and ref.digest not in self._values:
            encoded = Payload(ref, [base64.b64decode(view["data"])])
            self._values[ref.digest] = TransportableObject.from_payload(encoded)
        return self._held(ref)

    def _held(self, ref: PayloadRef | None) -> TransportableObject | None:
        """The value of a reference; the archive is fetched when it is used."""
        if ref is None:
            return None
        if ref.digest not in self._values:
            self._values[ref.digest] = TransportableObject.deferred(ref, self._fetch)
        return self._values[ref.digest]

    def _fetch(self, ref: PayloadRef) -> Buffer:
        return self._ask.payload(self._dispatch_id, ref.digest)

    def _states(self) -> dict[int, dict[str, Any]]:
        """What is known of each node that was started."""
        return rows_of(self.node_states())

    def _outputs(self, states: Mapping[int, Mapping[str, Any]]) -> dict[int, PayloadRef]:
        found: dict[int, PayloadRef] = {n.id: n.value for n in self.graph.nodes if n.value is not None}
        done = {i: PayloadRef(s["output"], s["output_size"]) for i, s in states.items() if s["output"] is not None}
        return {**found, **done}

    def _transport_graph(self) -> _TransportGraph:
        view = _TransportGraph.from_graph(self.graph, self._held)
        states = self._states()
        outputs = self._outputs(states) if self._selection.intermediate_outputs else {}
        for node in self.graph.nodes:
            state = states.get(node.id, _NEVER_RAN)
            sub_dispatch_id = state.get("sub_dispatch_id")
            known = {
                "status": Status.COMPLETED if node.kind is NodeKind.PARAMETER else Status(state["status"]),
                "start_time": _time(state["started_at"]),
                "end_time": _time(state["ended_at"]),
                "error": state["error"],
                "sub_dispatch_id": sub_dispatch_id,
                "sublattice_result": self._sublattice_result(sub_dispatch_id),
            }
            for key, value in known.items():
                view.set_node_value(node.id, key, value)
            if node.id in outputs:
                view.set_node_value(node.id, "output", self._held(outputs[node.id]))
        return view


def _text_of(encoded: TransportableObject | None) -> str:
    if encoded is None:
        return "None"
    try:
        return str(encoded.get_deserialized())
    except SerializationError:
        return encoded.object_string


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
