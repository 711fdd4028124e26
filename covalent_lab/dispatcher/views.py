"""Stored records → the JSON that servers and clients show, as `schemas/` describes it.

Payloads are previewed, never loaded.
"""

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from covalent_lab import payload
from covalent_lab.dispatcher.redaction import shown_executor
from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.scheduler.states import NodeState
from covalent_lab.store.base import CachedResult, DispatchRecord, NodeRecord, StoredPayload
from covalent_lab.transitions import FeedRecord

__all__ = [
    "cached_view",
    "columns",
    "dispatch_view",
    "earlier_attempts",
    "open_payload",
    "payload_view",
    "preview_view",
    "result_of",
    "summary_view",
    "with_data",
]

_ORIGIN = ("notebook", "cell_id", "script")
_DATA_LIMIT = 8_192


def summary_view(record: DispatchRecord) -> dict[str, Any]:
    """One row of the list."""
    return {
        "dispatch_id": record.dispatch_id,
        "root_dispatch_id": record.root_dispatch_id,
        "parent_dispatch_id": record.parent_id,
        "parent_node_id": record.parent_node,
        "redispatched_from": record.redispatched_from,
        "name": record.name,
        "status": record.state,
        "total": record.total,
        "completed": record.completed,
        "failed": record.failed,
        "cancelled": record.cancelled,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "error": record.error or None,
    }


def dispatch_view(record: DispatchRecord, show: Callable[[PayloadRef | None], dict[str, Any] | None]) -> dict[str, Any]:
    """Everything about one dispatch; `show` previews its payloads."""
    metadata, client = record.metadata, record.client
    return {
        **summary_view(record),
        "seq": record.seq,
        "doc": record.doc,
        "source": record.source,
        "inputs": show(record.inputs),
        "result": show(record.result),
        "lattice": show(record.lattice),
        **_executor(metadata, "executor"),
        **_executor(metadata, "workflow_executor"),
        "python_version": client.get("python_version", ""),
        "hooks": metadata.get("hooks") or {},
        "replacements": metadata.get("replacements") or {},
        "lab_version": client.get("lab_version", ""),
        "origin": {name: client.get(name) or None for name in _ORIGIN},
    }


def _executor(metadata: Mapping[str, Any], key: str) -> dict[str, Any]:
    name = metadata.get(key) or ""
    return {key: name, f"{key}_data": shown_executor(name, metadata.get(f"{key}_data") or {})}


def result_of(node: NodeRecord) -> PayloadRef | None:
    """The value of a node; what one that is dispatching has built is not its value."""
    return None if node.state == NodeState.DISPATCHING else node.output


def earlier_attempts(transitions: Sequence[FeedRecord]) -> list[dict[str, Any]]:
    """The attempts that others followed, by their ends; `started_at` is None where none of the transitions tells it."""
    began: dict[tuple[NodeId | None, int], float] = {}
    found: list[dict[str, Any]] = []
    for told in transitions:
        if told.status == NodeState.RUNNING:
            began[told.node_id, told.attempt] = told.at
        elif told.status == NodeState.STARTING and told.attempt > 1:
            last = told.attempt - 1
            started_at = began.get((told.node_id, last)) or (told.extra or {}).get("started_at")
            found.append(
                {
                    "node_id": told.node_id,
                    "attempt": last,
                    "started_at": started_at,
                    "ended_at": told.at,
                    "error": told.error,
                }
            )
    return found


def columns(seq: int, nodes: Sequence[NodeRecord], repeated: Sequence[FeedRecord] = ()) -> dict[str, Any]:
    """States of nodes, one list a field; `repeated` are the transitions of those with more than one attempt."""
    outputs = [result_of(n) for n in nodes]
    return {
        "seq": seq,
        "node_id": [n.node_id for n in nodes],
        "status": [n.state for n in nodes],
        "attempt": [n.attempt for n in nodes],
        "started_at": [n.started_at for n in nodes],
        "ended_at": [n.ended_at for n in nodes],
        "error": [n.error for n in nodes],
        "output": [output.digest if output else None for output in outputs],
        "output_size": [output.size if output else 0 for output in outputs],
        "stdout": [n.has_stdout for n in nodes],
        "stderr": [n.has_stderr for n in nodes],
        "sub_dispatch_id": [n.sub_dispatch_id for n in nodes],
        "reused_from": [n.reused_from for n in nodes],
        "cpu_s": [n.usage and n.usage["cpu_s"] for n in nodes],
        "peak_memory": [n.usage and n.usage["peak_memory"] for n in nodes],
        "earlier_attempts": earlier_attempts(repeated),
    }


def cached_view(result: CachedResult) -> dict[str, Any]:
    """One row of the list of cached results."""
    return {
        "key": result.key,
        "name": result.name,
        "dispatch_id": result.dispatch_id,
        "node_id": result.node_id,
        "size": result.ref.size,
        "created_at": result.created_at,
        "used_at": result.used_at,
        "hits": result.hits,
    }


def open_payload(stored: StoredPayload) -> memoryview:
    """The archive's bytes; a file is mapped, not read."""
    if stored.data is not None:
        return memoryview(stored.data)
    assert stored.path is not None
    return payload.open_file(stored.path)


def payload_view(ref: PayloadRef, stored: StoredPayload | None, limit: int = 10_000) -> dict[str, Any]:
    """A short preview; a payload that cannot be read says so instead of failing the whole answer."""
    view: dict[str, Any] = {"digest": ref.digest, "size": ref.size, "type": "", "text": "", "rich": []}
    try:
        if stored is None:
            raise ValueError("not in the store")
        preview = payload.preview(open_payload(stored))
    except (OSError, ValueError) as error:
        return {**view, "text": f"(cannot be shown: {error})"}
    text = preview.text if len(preview.text) <= limit else preview.text[:limit] + "…"
    return {**view, "type": preview.type, "text": text, "rich": list(preview.rich)}


def with_data(view: dict[str, Any], stored: StoredPayload | None) -> dict[str, Any]:
    """The view of a small payload together with the payload, which saves whoever waits for it a request."""
    if stored is None or stored.data is None or len(stored.data) > _DATA_LIMIT:
        return view
    return {**view, "data": base64.b64encode(stored.data).decode("ascii")}


def _is_text(mime: str) -> bool:
    return mime.startswith("text/") or mime.endswith(("+json", "+xml"))


def preview_view(digest: str, stored: StoredPayload) -> dict[str, Any]:
    """The whole preview, images and HTML included."""
    size = len(stored.data) if stored.data is not None else os.path.getsize(stored.path or "")
    ref = PayloadRef(digest, size)
    view = payload_view(ref, stored)
    rich: Mapping[str, bytes] = payload.rich_parts(open_payload(stored)) if view["rich"] else {}
    view["rich"] = {
        mime: data.decode("utf-8", "replace") if _is_text(mime) else base64.b64encode(data).decode("ascii")
        for mime, data in rich.items()
    }
    return view
