"""Results as manifests and files, and back: a dispatch that can be kept or moved without its server."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from covalent_lab.client.connection import Connection
from covalent_lab.client.manifest import AssetFiles, AssetReader, bundle_in, write_manifest
from covalent_lab.client.manifest_model import AssetSchema, ElectronAssets, ResultAssets, ResultSchema
from covalent_lab.client.result import Result, Selection
from covalent_lab.errors import MissingNodeError, UsageError
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer, read_text
from covalent_lab.workflow.bundle import Bundle, bundle_of

__all__ = ["deserialize_result", "serialize_result"]


def serialize_result(res: Result, storage_path: str | os.PathLike[str]) -> ResultSchema:
    """Write everything of a dispatch as files, and describe them: workflow, graph, values, streams and errors.

    Args:
        res: The result; one that belongs to no dispatch needs a lattice with a graph.
        storage_path: Folder for the files; made if need be.

    Returns:
        The manifest, whose assets have `file://` addresses. Secrets of executors are not in it.

    Raises:
        GraphBuildError: There is neither a dispatch nor a graph.
        OSError: The files cannot be written.
    """
    folder = Path(storage_path).absolute()
    if not res.dispatch_id:
        lattice = res.lattice
        _ = lattice.graph
        bundle = bundle_of(lattice)
        return write_manifest(bundle, AssetFiles(folder, bundle.payloads), lattice.python_version)
    bundle, nodes, output = _bundle_of_dispatch(res), res.get_all_node_results(), res.encoded_result
    values = [value.payload for value in (output, *(node["output"] for node in nodes)) if value is not None]
    files = AssetFiles(folder, {**bundle.payloads, **{value.ref.digest: value for value in values}})
    made = write_manifest(bundle, files, str(res.detail.get("python_version", "")))
    metadata = made.metadata
    metadata.dispatch_id, metadata.root_dispatch_id, metadata.status = res.dispatch_id, res.root_dispatch_id, res.status
    metadata.start_time, metadata.end_time = res.start_time, res.end_time
    made.assets = ResultAssets(
        result=files.payload(output.payload.ref if output is not None else None, "result.tobj"),
        error=files.text(res.error or "", "error.log"),
    )
    for form, node in zip(made.lattice.transport_graph.nodes, nodes, strict=True):
        form.metadata.status = node["status"]
        form.metadata.start_time, form.metadata.end_time = node["start_time"], node["end_time"]
        sub = node["sublattice_result"]
        form.metadata.sub_dispatch_id = sub.dispatch_id if sub is not None else None
        value, place = node["output"], f"node_{form.id}"
        form.assets.output = files.payload(value.payload.ref if value is not None else None, f"{place}/results.tobj")
        for name in ("error", "stdout", "stderr"):
            setattr(form.assets, name, files.text(node[name] or "", f"{place}/{name}.log"))
    return made


def deserialize_result(res: ResultSchema) -> Result:
    """The result that a manifest describes; it needs no server, and its files only until this returns.

    Args:
        res: From `serialize_result`, also through `ResultSchema.model_validate`. Results of sub-dispatches are not in
            it, and read as if there were none.

    Raises:
        UsageError: A file is missing or was changed, or the manifest contradicts itself.
    """
    try:
        kept = _Kept(res)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise UsageError(
            f"This manifest cannot be read: {type(error).__name__}: {error}. Make it with serialize_result()."
        ) from error
    return Result(
        dispatch_id=res.metadata.dispatch_id,
        connection=cast(Connection, kept),  # of whose verbs a result uses those that read
        detail=kept.detail(),
        selection=Selection(sublattice_results=False),
    )


def _bundle_of_dispatch(result: Result) -> Bundle:
    graph, detail, connection = result.graph, result.detail, result.connection
    assert connection is not None  # the graph came from there
    inputs, lattice = (PayloadRef(detail[name]["digest"], detail[name]["size"]) for name in ("inputs", "lattice"))
    refs = {inputs, lattice, *(function.payload for function in graph.functions)}
    refs.update(node.value for node in graph.nodes if node.value is not None)
    fetched = {ref.digest: Payload(ref, [connection.payload(result.dispatch_id, ref.digest)]) for ref in refs}
    executors = ("executor", "executor_data", "workflow_executor", "workflow_executor_data")
    return Bundle(
        name=detail["name"],
        doc=detail["doc"],
        source=detail["source"],
        graph=graph,
        inputs=inputs,
        lattice=lattice,
        metadata={**{key: detail[key] for key in executors}, "hooks": detail.get("hooks")},
        payloads=fetched,
    )


class _Kept:
    """Answers what a `Result` asks a connection, from a manifest."""

    url = None

    def __init__(self, manifest: ResultSchema) -> None:
        self._manifest = manifest
        reader = AssetReader()
        self._bundle = bundle_in(manifest.lattice, reader)
        self._result = reader.payload(manifest.assets.result)
        self._error = reader.text(manifest.assets.error)
        self._nodes = [_kept_node(node.assets, reader) for node in manifest.lattice.transport_graph.nodes]
        self._payloads = reader.payloads

    def detail(self, _: str = "", wait_s: float = 0.0) -> dict[str, Any]:
        bundle, metadata = self._bundle, self._manifest.metadata
        return {
            **{key: bundle.metadata[key] for key in ("executor", "executor_data", "hooks")},
            **{key: bundle.metadata[key] for key in ("workflow_executor", "workflow_executor_data")},
            "dispatch_id": metadata.dispatch_id,
            "root_dispatch_id": metadata.root_dispatch_id,
            "name": bundle.name,
            "doc": bundle.doc,
            "source": bundle.source,
            "python_version": self._manifest.lattice.metadata.python_version or "",
            "status": metadata.status.value,
            "started_at": _seconds(metadata.start_time),
            "ended_at": _seconds(metadata.end_time),
            "error": self._error or None,
            "inputs": _view(bundle.inputs),
            "lattice": _view(bundle.lattice),
            "result": _view(self._result),
        }

    def graph(self, _: str) -> dict[str, Any]:
        return graph_to_wire(self._bundle.graph)

    def nodes(self, _: str) -> dict[str, Any]:
        rows = [self.node("", number) for number in range(len(self._nodes))]
        columns = {key: [row[key] for row in rows] for key in rows[0]} if rows else {}
        columns["output_size"] = [view["size"] if view else 0 for view in columns.get("output", [])]
        columns["output"] = [view["digest"] if view else None for view in columns.get("output", [])]
        return columns

    def node(self, _: str, node_id: int) -> dict[str, Any]:
        if not 0 <= node_id < len(self._nodes):
            raise MissingNodeError(f"This manifest has no node {node_id}.")
        metadata = self._manifest.lattice.transport_graph.nodes[node_id].metadata
        return {
            "node_id": node_id,
            "name": metadata.name,
            "status": metadata.status.value,
            "started_at": _seconds(metadata.start_time),
            "ended_at": _seconds(metadata.end_time),
            "sub_dispatch_id": metadata.sub_dispatch_id,
            **self._nodes[node_id],
        }

    def stream(self, _: str, node_id: int, name: str, offset: int = 0) -> dict[str, Any]:
        text = self._nodes[node_id][name]
        return {"text": text[offset:], "offset": len(text), "done": True}

    def payload(self, _: str, digest: str) -> Buffer:
        return self._payloads[digest].tobytes()

    def preview(self, _: str, digest: str) -> dict[str, Any]:
        return {"text": read_text(self._payloads[digest].tobytes())}


def _kept_node(assets: ElectronAssets, reader: AssetReader) -> dict[str, Any]:
    texts: Mapping[str, AssetSchema | None] = {
        "error": assets.error,
        "stdout": assets.stdout,
        "stderr": assets.stderr,
    }
    return {"output": _view(reader.payload(assets.output)), **{key: reader.text(text) for key, text in texts.items()}}


def _view(ref: PayloadRef | None) -> dict[str, Any] | None:
    return None if ref is None else {"digest": ref.digest, "size": ref.size}


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
