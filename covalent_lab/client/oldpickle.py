"""Reads a pickled result of Covalent, in a process of its own: `python -m covalent_lab.client.oldpickle FILE FOLDER`.

Unpickling runs what the file says, so it happens in a process that holds nothing and ends at once. What it leaves in
the folder is no pickle any more: `bundle`, the body of a submit request, and `outcome.json`, how everything ended.
Classes of Covalent need not be installed: what is known of them is the names of their attributes, over several
versions. Values are taken over as they were pickled, and not loaded.
"""

import base64
import json
import pickle
import struct
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from covalent_lab import payload
from covalent_lab.errors import SerializationError
from covalent_lab.graph.builder import GraphBuilder
from covalent_lab.graph.model import Function, NodeKind, NodeOptions, ParamType
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer
from covalent_lab.workflow.bundle import pack
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["Conversion", "main"]

_PREFIXES = {
    ":parameter:": NodeKind.PARAMETER,
    ":electron_list:": NodeKind.ELECTRON_LIST,
    ":electron_dict:": NodeKind.ELECTRON_DICT,
    ":sublattice:": NodeKind.SUBLATTICE,
    ":postprocess:": NodeKind.POSTPROCESS,
}
_STATES = {"COMPLETED": "COMPLETED", "FAILED": "FAILED", "POSTPROCESSING_FAILED": "FAILED", "CANCELLED": "CANCELLED"}
_IDLE = ("NEW_OBJECT", "PENDING_REUSE", "PENDING_REPLACEMENT", "None")


class _Old:
    """Stands in for an instance of a class of Covalent: its attributes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        slots = state[1] if isinstance(state, tuple) and len(state) == 2 else None
        for part in (state[0], slots) if slots is not None else (state,):
            if isinstance(part, Mapping):
                self.__dict__.update(part)


class _Unpickler(pickle.Unpickler):
    """Puts a stand-in wherever Covalent's own class, or one that is not installed, would be."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] != "covalent":
            try:
                return super().find_class(module, name)
            except (ImportError, AttributeError):
                pass
        return type(name, (_Old,), {"__module__": module})


class Conversion:
    """One result, taken apart.

    Args:
        file: The pickle.

    Raises:
        ValueError: It is no result of Covalent.
    """

    def __init__(self, file: IO[bytes]) -> None:
        result = _Unpickler(file).load()
        lattice = getattr(result, "_lattice", None)
        graph = getattr(getattr(lattice, "transport_graph", None), "_graph", None)
        if graph is None or not getattr(result, "_dispatch_id", None):
            raise ValueError("this is no result of Covalent: it has no dispatch id or no graph")
        self._result = result
        self._lattice: Any = lattice
        self._nodes = {old: (i, graph.nodes[old]) for i, old in enumerate(sorted(graph.nodes))}
        self._edges = [(self._nodes[a][0], self._nodes[b][0], data) for a, b, data in graph.edges(data=True)]
        self._payloads: dict[str, Payload] = {}

    def bundle(self) -> Sequence[Buffer]:
        """The body of a submit request."""
        graph = self._graph()
        metadata = _mapping(getattr(self._lattice, "metadata", {}))
        header = {
            "dispatch_id": str(self._result._dispatch_id),
            "root_dispatch_id": str(self._result._dispatch_id),
            "name": str(getattr(self._lattice, "__name__", "") or "workflow"),
            "doc": str(getattr(self._lattice, "__doc__", "") or ""),
            "source": str(getattr(self._lattice, "workflow_function_string", "") or ""),
            "inputs": self._inputs(),
            "lattice": self._digest(getattr(self._lattice, "workflow_function", None)),
            "metadata": {
                "executor": _name(metadata.get("executor")),
                "workflow_executor": _name(metadata.get("workflow_executor")),
            },
            "client": {"python_version": str(getattr(self._lattice, "python_version", ""))},
        }
        self.outcome()  # outputs are among the payloads
        payloads = list(self._payloads.values())
        return pack(header, graph_to_wire(graph, [item.ref for item in payloads]), payloads)

    def outcome(self) -> dict[str, Any]:
        """How the dispatch and its nodes ended; one that had not ended counts as cancelled."""
        result = self._result
        status = _status(result._status)
        state = _STATES.get(status, "CANCELLED")
        error = getattr(result, "_error", None) or ("" if status in _STATES else f"It was {status} when it was saved.")
        ended_at = _seconds(getattr(result, "_end_time", None))
        return {
            "state": state,
            "error": str(error),
            "started_at": _seconds(getattr(result, "_start_time", None)),
            "ended_at": ended_at,
            "result": self._ref(getattr(result, "_result", None)) if state == "COMPLETED" else None,
            "nodes": [self._node_outcome(i, node, ended_at) for i, node in self._nodes.values() if _has_begun(node)],
        }

    def _node_outcome(self, node_id: int, node: Mapping[str, Any], end: float | None) -> dict[str, Any]:
        state = _STATES.get(_status(node.get("status")), "CANCELLED")
        return {
            "node_id": node_id,
            "state": state,
            "started_at": _seconds(node.get("start_time")),
            "ended_at": _seconds(node.get("end_time")) or end,
            "error": str(node.get("error") or ""),
            "output": self._ref(node.get("output")) if state == "COMPLETED" else None,
            "stdout": str(node.get("stdout") or ""),
            "stderr": str(node.get("stderr") or ""),
        }

    def _graph(self) -> Any:
        builder = GraphBuilder(NodeOptions())
        for _, node in self._nodes.values():
            name = str(node["name"])
            kind = next((kind for prefix, kind in _PREFIXES.items() if name.startswith(prefix)), NodeKind.FUNCTION)
            executor = _name(_mapping(node.get("metadata")).get("executor"))
            options = builder.add_options(NodeOptions(executor=executor))
            if kind is NodeKind.PARAMETER:
                value = self._payload(node.get("value", node.get("output")))
                builder.add_node(name, kind, value=value.ref, options=options)
                continue
            code, source = self._payload(node.get("function")), str(node.get("function_string") or "")
            function = builder.add_function(Function(name=name, payload=code.ref, source=source))
            builder.add_node(name, kind, function=function, options=options)
        for begin, end, data in self._edges:
            delivers = data.get("param_type")
            if data.get("wait_for") or delivers not in ("arg", "kwarg"):
                builder.add_wait(begin, end)
            else:
                place = data.get("arg_index") if delivers == "arg" else None
                builder.add_edge(begin, end, str(data["edge_name"]), ParamType(delivers), place)
        return builder.finish()

    def _inputs(self) -> str | None:
        """What the workflow was called with; this one value is put together anew, for its form has changed."""
        old = _loaded(getattr(self._result, "_inputs", None))
        if not isinstance(old, Mapping):
            return None
        try:
            args = tuple(_loaded(value) for value in old.get("args", ()))
            kwargs = {str(name): _loaded(value) for name, value in _mapping(old.get("kwargs")).items()}
            return self._keep(payload.encode({"args": args, "kwargs": kwargs}, what="the inputs")).ref.digest
        except SerializationError:
            return None

    def _digest(self, value: Any) -> str | None:
        return None if value is None else self._payload(value).ref.digest

    def _ref(self, value: Any) -> PayloadRef | None:
        return None if value is None else self._payload(value).ref

    def _payload(self, value: Any) -> Payload:
        parts = _parts(value)
        if parts is None:
            try:
                return self._keep(payload.encode(value))
            except SerializationError:
                return self._keep(payload.encode(str(value)))
        header, text, data = parts
        header = {"attrs": {"doc": None, "name": None}, "type": "", "cloudpickle_version": "", **header}
        form = {"_header": {**header, "pickle": len(data)}, "_object_string": text[:10_000]}
        form["_object"] = base64.b64encode(data).decode("ascii")
        return self._keep(TransportableObject.from_dict({"type": "", "attributes": form}).payload)

    def _keep(self, encoded: Payload) -> Payload:
        return self._payloads.setdefault(encoded.ref.digest, encoded)


def _parts(value: Any) -> tuple[dict[str, Any], str, bytes] | None:
    """Header, text and pickle of a `TransportableObject` of any version; None for anything else."""
    if not isinstance(value, _Old):
        return None
    fields = vars(value)
    if "_buffer" in fields:
        archive = bytes(fields["_buffer"])
        text, data = struct.unpack_from(">QQ", archive)
        return json.loads(archive[16:text]), archive[text:data].decode("utf-8", "replace"), archive[data:]
    if "_object" in fields:
        attrs = {"doc": None, "name": None, **_mapping(fields.get("attrs"))}
        header = fields.get("_header") or {"py_version": fields.get("python_version", ""), "attrs": attrs}
        text = fields.get("_object_string", fields.get("object_string", ""))
        return dict(header), str(text), base64.b64decode(fields["_object"])
    return None


def _loaded(value: Any) -> Any:
    parts = _parts(value)
    if parts is None:
        return value
    try:
        return pickle.loads(parts[2])
    except Exception:  # noqa: BLE001 - user code that is not here any more; its text is better than nothing
        return parts[1]


def _has_begun(node: Mapping[str, Any]) -> bool:
    return _status(node.get("status")) not in _IDLE and not str(node["name"]).startswith(":parameter:")


def _status(status: Any) -> str:
    return str(getattr(status, "STATUS", status))


def _name(executor: Any) -> str:
    if isinstance(executor, str) and executor:
        return executor
    return str(getattr(executor, "short_name", "") or "local")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _seconds(moment: Any) -> float | None:
    if not isinstance(moment, datetime):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def main(file: str, folder: str) -> int:
    """Convert a file; returns the exit code, and says on standard error why it is not 0."""
    try:
        with open(file, "rb") as stream:
            conversion = Conversion(stream)
        with open(Path(folder, "bundle"), "wb") as bundle:
            bundle.writelines(conversion.bundle())
        Path(folder, "outcome.json").write_text(json.dumps(conversion.outcome()), encoding="utf-8")
    except Exception as error:  # noqa: BLE001 - a pickle may raise anything
        print(traceback.format_exception_only(error)[-1].strip(), file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
