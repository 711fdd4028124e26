"""The documented manifest of a workflow: JSON-able dictionaries that name its pieces as files.

A manifest has its own copy of everything, so it can be kept, changed and registered later, also by another process.
Beside the documented keys, nodes and lattice carry what this package's graphs have in addition.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from covalent_lab._version import __version__
from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer, archive_digest
from covalent_lab.workflow.bundle import Bundle

__all__ = ["read_manifest", "replaced_nodes", "write_manifest"]

_PENDING_REPLACEMENT = "PENDING_REPLACEMENT"
_NO_ASSET: Mapping[str, Any] = {"digest_alg": "sha", "digest": "", "uri": "", "remote_uri": "", "size": 0}
_LATTICE = ("executor", "executor_data", "workflow_executor", "workflow_executor_data", "triggers")


# --- writing


class _Files:
    """Writes assets; a payload that several nodes share is one file."""

    def __init__(self, folder: Path, payloads: Mapping[str, Payload]) -> None:
        self._folder = folder
        self._payloads = payloads
        self._written: dict[str, dict[str, Any]] = {}

    def payload(self, digest: str, name: str) -> dict[str, Any]:
        if digest not in self._written:
            self._written[digest] = self._write(name, self._payloads[digest].pieces)
        return dict(self._written[digest])

    def text(self, text: str, name: str) -> dict[str, Any]:
        return self._write(name, [text.encode("utf-8")]) if text else dict(_NO_ASSET)

    def json(self, value: Any, name: str) -> dict[str, Any]:
        return self.text(json.dumps(value), name) if value else dict(_NO_ASSET)

    def _write(self, name: str, pieces: Sequence[Buffer]) -> dict[str, Any]:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sha = hashlib.sha1(usedforsecurity=False)
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                sha.update(piece)
        return {**_NO_ASSET, "digest": sha.hexdigest(), "uri": path.as_uri(), "size": path.stat().st_size}


def write_manifest(bundle: Bundle, replaced: Mapping[int, str], python_version: str, folder: Path) -> dict[str, Any]:
    """Write the pieces of a workflow as files, and describe them.

    Args:
        bundle: The workflow.
        replaced: Nodes whose electron was replaced, and the names of the electrons they had.
        python_version: Of the process that built it.
        folder: Absolute; made if need be.
    """
    files, graph, metadata = _Files(folder, bundle.payloads), bundle.graph, bundle.metadata
    return {
        "metadata": {
            "dispatch_id": "",
            "root_dispatch_id": "",
            "status": "NEW_OBJECT",
            "start_time": None,
            "end_time": None,
        },
        "assets": {"result": dict(_NO_ASSET), "error": dict(_NO_ASSET)},
        "lattice": {
            "metadata": {
                "name": bundle.name,
                **{key: metadata.get(key) for key in _LATTICE},
                "python_version": python_version,
                "covalent_version": __version__,
            },
            "assets": {
                "workflow_function": files.payload(bundle.lattice.digest, "function.tobj"),
                "workflow_function_string": files.text(bundle.source, "function_string.txt"),
                "doc": files.text(bundle.doc, "function_docstring.txt"),
                "inputs": files.payload(bundle.inputs.digest, "inputs.tobj"),
                "hooks": files.json(metadata.get("hooks"), "hooks.json"),
            },
            "replacements": {
                name: files.payload(digest, f"replacement_{number}.tobj")
                for number, (name, digest) in enumerate(metadata.get("replacements", {}).items())
            },
            "transport_graph": {
                "nodes": [_node(node, graph, node.id in replaced, files) for node in graph.nodes],
                "links": [
                    {
                        "source": edge.source,
                        "target": edge.target,
                        "metadata": {
                            "edge_name": edge.name,
                            "param_type": edge.param_type.value,
                            "arg_index": edge.arg_index,
                        },
                    }
                    for edge in graph.edges
                ],
            },
        },
    }


def _node(node: Node, graph: Graph, is_replaced: bool, files: _Files) -> dict[str, Any]:
    function = None if node.function is None else graph.functions[node.function]
    options, folder = graph.options[node.options], f"node_{node.id}"
    return {
        "id": node.id,
        "metadata": {
            "task_group_id": node.task_group,
            "name": node.name,
            "kind": node.kind.value,
            "executor": options.executor,
            "executor_data": dict(options.executor_data),
            "function_name": function.name if function else "",
            "doc": function.doc if function else "",
            "cache_key": function.cache_key if function else "",
            "sub_dispatch_id": None,
            "status": _PENDING_REPLACEMENT if is_replaced else "NEW_OBJECT",
            "start_time": None,
            "end_time": None,
        },
        "assets": {
            "function": files.payload(function.payload.digest, f"{folder}/function.tobj")
            if function
            else dict(_NO_ASSET),
            "function_string": files.text(function.source if function else "", f"{folder}/function_string.txt"),
            "value": files.payload(node.value.digest, f"{folder}/value.tobj") if node.value else dict(_NO_ASSET),
            **{key: dict(_NO_ASSET) for key in ("output", "error", "stdout", "stderr")},
            "hooks": files.json(dict(options.hooks), f"{folder}/hooks.json"),
        },
    }


# --- reading


class _Reader:
    """Reads assets from their files, each payload once."""

    def __init__(self) -> None:
        self.payloads: dict[str, Payload] = {}
        self._refs: dict[str, PayloadRef] = {}

    def payload(self, asset: Mapping[str, Any] | None) -> PayloadRef | None:
        if not asset or not asset["size"]:
            return None
        if asset["uri"] not in self._refs:
            data = _read(asset)
            ref = self._refs[asset["uri"]] = PayloadRef(*archive_digest([data]))
            self.payloads[ref.digest] = Payload(ref, [data])
        return self._refs[asset["uri"]]

    def needed(self, asset: Mapping[str, Any] | None) -> PayloadRef:
        ref = self.payload(asset)
        if ref is None:
            raise ValueError("the lattice has no function or no inputs")
        return ref

    def text(self, asset: Mapping[str, Any] | None) -> str:
        return _read(asset).decode("utf-8") if asset and asset["size"] else ""

    def json(self, asset: Mapping[str, Any] | None) -> Any:
        return json.loads(self.text(asset) or "{}")


def read_manifest(manifest: Mapping[str, Any]) -> Bundle:
    """The workflow that a manifest describes, with its pieces from their files; its id is the caller's business.

    Raises:
        UsageError: It is not a manifest, or a file is missing or was changed.
    """
    try:
        return _bundle(manifest["lattice"])
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise UsageError(
            f"This manifest cannot be registered: {type(error).__name__}: {error}. Make it with prepare_manifest()."
        ) from error


def _bundle(lattice: Mapping[str, Any]) -> Bundle:
    reader, assets, metadata = _Reader(), lattice["assets"], lattice["metadata"]
    graph = _graph(lattice["transport_graph"], reader)
    replacements = {name: reader.needed(asset).digest for name, asset in lattice.get("replacements", {}).items()}
    return Bundle(
        name=str(metadata["name"]),
        doc=reader.text(assets.get("doc")),
        source=reader.text(assets.get("workflow_function_string")),
        graph=graph,
        inputs=reader.needed(assets["inputs"]),
        lattice=reader.needed(assets["workflow_function"]),
        metadata={
            **{key: metadata.get(key) for key in _LATTICE},
            "hooks": reader.json(assets.get("hooks")),
            "replacements": replacements,
        },
        payloads=reader.payloads,
    )


def _graph(form: Mapping[str, Any], reader: _Reader) -> Graph:
    functions: dict[Function, int] = {}
    options: dict[str, tuple[NodeOptions, int]] = {}
    nodes = [_read_node(place, node, reader, functions, options) for place, node in enumerate(form["nodes"])]
    edges = [
        Edge(
            source=NodeId(link["source"]),
            target=NodeId(link["target"]),
            name=link["metadata"]["edge_name"],
            param_type=ParamType(link["metadata"]["param_type"]),
            arg_index=link["metadata"]["arg_index"],
        )
        for link in form["links"]
    ]
    chosen = tuple(option for option, _ in options.values())
    return Graph(nodes=tuple(nodes), edges=tuple(edges), functions=tuple(functions), options=chosen)


def _read_node(
    place: int,
    form: Mapping[str, Any],
    reader: _Reader,
    functions: dict[Function, int],
    options: dict[str, tuple[NodeOptions, int]],
) -> Node:
    if form["id"] != place:
        raise ValueError(f"node {form['id']} is at place {place}")
    metadata, assets = form["metadata"], form["assets"]
    ref = reader.payload(assets.get("function"))
    function = None
    if ref is not None:
        made = Function(
            name=metadata.get("function_name") or metadata["name"],
            payload=ref,
            source=reader.text(assets.get("function_string")),
            doc=metadata.get("doc", ""),
            cache_key=metadata.get("cache_key", ""),
        )
        function = functions.setdefault(made, len(functions))
    own = NodeOptions(
        executor=metadata["executor"],
        executor_data=metadata.get("executor_data") or {},
        hooks=reader.json(assets.get("hooks")),
    )
    key = json.dumps([own.executor, own.executor_data, own.hooks], sort_keys=True)
    return Node(
        id=NodeId(place),
        name=metadata["name"],
        kind=NodeKind(metadata["kind"]),
        function=function,
        value=reader.payload(assets.get("value")),
        options=options.setdefault(key, (own, len(options)))[1],
        task_group=metadata["task_group_id"],
    )


def _read(asset: Mapping[str, Any]) -> bytes:
    parts = urlsplit(asset["uri"])
    if parts.scheme != "file":
        raise ValueError(f"{asset['uri']!r} is not a file:// address")
    data = Path(unquote(parts.path)).read_bytes()
    if asset["digest"] and hashlib.sha1(data, usedforsecurity=False).hexdigest() != asset["digest"]:
        raise ValueError(f"{asset['uri']} was changed since the manifest was made")
    return data


def replaced_nodes(manifest: Mapping[str, Any]) -> list[int]:
    """Nodes whose electron was replaced."""
    nodes = manifest["lattice"]["transport_graph"]["nodes"]
    return [node["id"] for node in nodes if node["metadata"].get("status") == _PENDING_REPLACEMENT]
