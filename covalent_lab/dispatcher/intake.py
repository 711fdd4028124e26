"""A bundle that has arrived → a dispatch to record."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from covalent_lab.dispatcher.bundle import BadBundleError
from covalent_lab.graph.model import Graph, NodeKind
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import DispatchId, PayloadRef
from covalent_lab.store.base import NewDispatch, PayloadRow

__all__ = ["checked_id", "read_dispatch"]

_MAX_ID = 64


def read_dispatch(
    header: Mapping[str, Any],
    payloads: Mapping[PayloadRef, bytes | None],
    *,
    autostart: bool,
    owner: str,
    lease_s: float,
    clock: Callable[[], float],
) -> tuple[NewDispatch, Graph]:
    """Check a bundle's header and make the records of it.

    Raises:
        BadBundleError: Something is missing, or of the wrong kind.
        UsageError: The graph is not well formed.
    """
    try:
        dispatch_id = checked_id(header["dispatch_id"])
        root = DispatchId(_text(header.get("root_dispatch_id") or dispatch_id))
        wire = json.loads(header["graph"])
        graph = graph_from_wire(wire)
        digests = {ref.digest: ref for ref in payloads}
        missing = [digest for digest, _ in wire["payloads"] if digest not in digests]
        if missing:
            raise BadBundleError(f"The bundle lacks payload {missing[0]}, which its graph refers to.")
        now = clock()
        new = NewDispatch(
            dispatch_id=dispatch_id,
            root_dispatch_id=root,
            name=_text(header["name"]),
            doc=_text(header.get("doc") or ""),
            source=_text(header.get("source") or ""),
            # Where executors have options, secrets are looked for in the text: it must be in our own spelling.
            graph=_plain(wire) if any(options.executor_data for options in graph.options) else header["graph"],
            total=sum(node.kind is not NodeKind.PARAMETER for node in graph.nodes),
            inputs=_ref(header.get("inputs"), digests),
            lattice=_ref(header.get("lattice"), digests),
            metadata=dict(header.get("metadata") or {}),
            client={str(k): str(v) for k, v in dict(header.get("client") or {}).items()},
            created_at=now,
            autostart=autostart,
            payloads=[PayloadRow(dispatch_id=dispatch_id, ref=ref, data=data) for ref, data in payloads.items()],
            owner=owner,
            lease_until=now + lease_s,
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, BadBundleError):
            raise
        raise BadBundleError(f"The bundle's header is damaged: {type(error).__name__}: {error}.") from error
    return new, graph


def checked_id(value: Any) -> DispatchId:
    """A dispatch id that came from outside.

    Raises:
        TypeError: It is not a text.
        BadBundleError: It cannot be an id.
    """
    dispatch_id = DispatchId(_text(value))
    if not 1 <= len(dispatch_id) <= _MAX_ID or not dispatch_id.replace("-", "").isalnum():
        raise BadBundleError(f"{dispatch_id!r} cannot be the id of a dispatch; use a UUID.")
    return dispatch_id


def _plain(graph: Mapping[str, Any]) -> bytes:
    return json.dumps(graph, separators=(",", ":")).encode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _ref(digest: Any, digests: Mapping[str, PayloadRef]) -> PayloadRef | None:
    if digest is None:
        return None
    if digest not in digests:
        raise BadBundleError(f"The bundle lacks payload {digest}, which its header refers to.")
    return digests[digest]
