"""A workflow as a manifest and the files that it names, and back.

A manifest has its own copy of everything, so it can be kept, changed and registered later, also by another process.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from covalent_lab._version import __version__
from covalent_lab.client.manifest_model import (
    AssetSchema,
    EdgeMetadata,
    EdgeSchema,
    ElectronAssets,
    ElectronMetadata,
    ElectronSchema,
    LatticeAssets,
    LatticeMetadata,
    LatticeSchema,
    ResultAssets,
    ResultMetadata,
    ResultSchema,
    TransportGraphSchema,
)
from covalent_lab.client.status import Status
from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Edge, Function, Graph, Node, NodeKind, NodeOptions, ParamType
from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer, archive_digest
from covalent_lab.workflow.bundle import Bundle

__all__ = ["AssetFiles", "AssetReader", "bundle_in", "read_manifest", "replaced_nodes", "write_manifest"]

_LATTICE = ("executor", "executor_data", "workflow_executor", "workflow_executor_data", "cache", "triggers")


# --- writing


class AssetFiles:
    """Writes assets; a payload that several nodes share is one file.

    Args:
        folder: Absolute; made if need be.
        payloads: By digest.
    """

    def __init__(self, folder: Path, payloads: Mapping[str, Payload]) -> None:
        self._folder = folder
        self._payloads = payloads
        self._written: dict[str, AssetSchema] = {}

    def payload(self, ref: PayloadRef | None, name: str) -> AssetSchema:
        """A payload as a file of this name; no value for None."""
        if ref is None:
            return AssetSchema()
        if ref.digest not in self._written:
            self._written[ref.digest] = self._write(name, self._payloads[ref.digest].pieces)
        return replace(self._written[ref.digest])

    def text(self, text: str, name: str) -> AssetSchema:
        """A text as a file; no value for an empty one."""
        return self._write(name, [text.encode("utf-8")]) if text else AssetSchema()

    def json(self, value: Any, name: str) -> AssetSchema:
        """A JSON value as a file; no value for an empty one."""
        return self.text(json.dumps(value), name) if value else AssetSchema()

    def _write(self, name: str, pieces: Sequence[Buffer]) -> AssetSchema:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sha = hashlib.sha1(usedforsecurity=False)
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                sha.update(piece)
        return AssetSchema(digest=sha.hexdigest(), uri=path.as_uri(), size=path.stat().st_size)


def write_manifest(
    bundle: Bundle, files: AssetFiles, python_version: str, replaced: Mapping[int, str] | None = None
) -> ResultSchema:
    """Write the pieces of a workflow as files, and describe them.

    Args:
        bundle: The workflow.
        files: Writes its payloads.
        python_version: Of the process that built it.
        replaced: Nodes whose electron was replaced, and the names of the electrons they had.
    """
    graph, metadata = bundle.graph, bundle.metadata
    options: dict[str, Any] = {key: metadata.get(key) for key in _LATTICE}
    replacements = metadata.get("replacements", {})
    return ResultSchema(
        metadata=ResultMetadata(dispatch_id="", root_dispatch_id=""),
        assets=ResultAssets(result=AssetSchema(), error=AssetSchema()),
        lattice=LatticeSchema(
            metadata=LatticeMetadata(
                name=bundle.name,
                **options,
                python_version=python_version,
                covalent_version=__version__,
            ),
            assets=LatticeAssets(
                workflow_function=files.payload(bundle.lattice, "function.tobj"),
                workflow_function_string=files.text(bundle.source, "function_string.txt"),
                doc=files.text(bundle.doc, "function_docstring.txt"),
                inputs=files.payload(bundle.inputs, "inputs.tobj"),
                hooks=files.json(metadata.get("hooks"), "hooks.json"),
            ),
            replacements={
                name: files.payload(bundle.payloads[digest].ref, f"replacement_{number}.tobj")
                for number, (name, digest) in enumerate(replacements.items())
            },
            transport_graph=TransportGraphSchema(
                nodes=[_node(node, graph, node.id in (replaced or {}), files) for node in graph.nodes],
                links=[
                    EdgeSchema(
                        source=edge.source,
                        target=edge.target,
                        metadata=EdgeMetadata(
                            edge_name=edge.name, param_type=edge.param_type.value, arg_index=edge.arg_index
                        ),
                    )
                    for edge in graph.edges
                ],
            ),
        ),
    )


def _node(node: Node, graph: Graph, is_replaced: bool, files: AssetFiles) -> ElectronSchema:
    function = None if node.function is None else graph.functions[node.function]
    options, folder = graph.options[node.options], f"node_{node.id}"
    return ElectronSchema(
        id=node.id,
        metadata=ElectronMetadata(
            task_group_id=node.task_group,
            name=node.name,
            kind=node.kind.value,
            executor=options.executor,
            executor_data=dict(options.executor_data),
            function_name=function.name if function else "",
            doc=function.doc if function else "",
            cache_key=function.cache_key if function else "",
            status=Status.PENDING_REPLACEMENT if is_replaced else Status.NEW_OBJECT,
        ),
        assets=ElectronAssets(
            function=files.payload(function.payload if function else None, f"{folder}/function.tobj"),
            function_string=files.text(function.source if function else "", f"{folder}/function_string.txt"),
            value=files.payload(node.value, f"{folder}/value.tobj"),
            **{key: AssetSchema() for key in ("output", "error", "stdout", "stderr")},
            hooks=files.json(dict(options.hooks), f"{folder}/hooks.json"),
        ),
    )


# --- reading


class AssetReader:
    """Reads assets from their files, each payload once."""

    def __init__(self) -> None:
        self.payloads: dict[str, Payload] = {}
        self._refs: dict[str, PayloadRef] = {}

    def payload(self, asset: AssetSchema | None) -> PayloadRef | None:
        """The payload in a file; None for no value."""
        if asset is None or not asset.size:
            return None
        uri = asset.uri or ""
        if uri not in self._refs:
            data = _read(asset)
            ref = self._refs[uri] = PayloadRef(*archive_digest([data]))
            self.payloads[ref.digest] = Payload(ref, [data])
        return self._refs[uri]

    def needed(self, asset: AssetSchema | None) -> PayloadRef:
        """A payload that must be there; else a ValueError."""
        ref = self.payload(asset)
        if ref is None:
            raise ValueError("the lattice has no function or no inputs")
        return ref

    def text(self, asset: AssetSchema | None) -> str:
        """The text in a file."""
        return _read(asset).decode("utf-8") if asset is not None and asset.size else ""

    def json(self, asset: AssetSchema | None) -> Any:
        """The JSON value in a file; `{}` for no value."""
        return json.loads(self.text(asset) or "{}")


def read_manifest(manifest: Mapping[str, Any]) -> Bundle:
    """The workflow that a manifest describes, with its pieces from their files; its id is the caller's business.

    Raises:
        UsageError: It is not a manifest, or a file is missing or was changed.
    """
    try:
        return bundle_in(ResultSchema.model_validate(manifest).lattice, AssetReader())
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise UsageError(
            f"This manifest cannot be registered: {type(error).__name__}: {error}. Make it with prepare_manifest()."
        ) from error


def bundle_in(lattice: LatticeSchema, reader: AssetReader) -> Bundle:
    """The workflow of a manifest; see `read_manifest` for what may go wrong."""
    assets, metadata = lattice.assets, lattice.metadata
    graph = _graph(lattice.transport_graph, reader)
    return Bundle(
        name=metadata.name,
        doc=reader.text(assets.doc),
        source=reader.text(assets.workflow_function_string),
        graph=graph,
        inputs=reader.needed(assets.inputs),
        lattice=reader.needed(assets.workflow_function),
        metadata={
            **{key: getattr(metadata, key) for key in _LATTICE},
            "hooks": reader.json(assets.hooks),
            "replacements": {name: reader.needed(asset).digest for name, asset in lattice.replacements.items()},
        },
        payloads=reader.payloads,
    )


def _graph(form: TransportGraphSchema, reader: AssetReader) -> Graph:
    functions: dict[Function, int] = {}
    options: dict[str, tuple[NodeOptions, int]] = {}
    nodes = [_read_node(place, node, reader, functions, options) for place, node in enumerate(form.nodes)]
    edges = [
        Edge(
            source=NodeId(link.source),
            target=NodeId(link.target),
            name=link.metadata.edge_name,
            param_type=ParamType(link.metadata.param_type or ParamType.WAIT),
            arg_index=link.metadata.arg_index,
        )
        for link in form.links
    ]
    chosen = tuple(option for option, _ in options.values())
    return Graph(nodes=tuple(nodes), edges=tuple(edges), functions=tuple(functions), options=chosen)


def _read_node(
    place: int,
    form: ElectronSchema,
    reader: AssetReader,
    functions: dict[Function, int],
    options: dict[str, tuple[NodeOptions, int]],
) -> Node:
    if form.id != place:
        raise ValueError(f"node {form.id} is at place {place}")
    metadata, assets = form.metadata, form.assets
    ref = reader.payload(assets.function)
    function = None
    if ref is not None:
        made = Function(
            name=metadata.function_name or metadata.name,
            payload=ref,
            source=reader.text(assets.function_string),
            doc=metadata.doc,
            cache_key=metadata.cache_key,
        )
        function = functions.setdefault(made, len(functions))
    own = NodeOptions(executor=metadata.executor, executor_data=metadata.executor_data, hooks=reader.json(assets.hooks))
    key = json.dumps([own.executor, own.executor_data, own.hooks], sort_keys=True)
    return Node(
        id=NodeId(place),
        name=metadata.name,
        kind=NodeKind(metadata.kind),
        function=function,
        value=reader.payload(assets.value),
        options=options.setdefault(key, (own, len(options)))[1],
        task_group=metadata.task_group_id,
    )


def _read(asset: AssetSchema) -> bytes:
    parts = urlsplit(asset.uri or "")
    if parts.scheme != "file":
        raise ValueError(f"{asset.uri!r} is not a file:// address")
    data = Path(unquote(parts.path)).read_bytes()
    if asset.digest and hashlib.sha1(data, usedforsecurity=False).hexdigest() != asset.digest:
        raise ValueError(f"{asset.uri} was changed since the manifest was made")
    return data


def replaced_nodes(manifest: Mapping[str, Any]) -> list[int]:
    """Nodes whose electron was replaced."""
    nodes = manifest["lattice"]["transport_graph"]["nodes"]
    return [node["id"] for node in nodes if node["metadata"].get("status") == Status.PENDING_REPLACEMENT]
