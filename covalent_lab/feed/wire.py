"""Transition → JSON, and the frames that carry them to screens."""

from collections.abc import Sequence
from typing import Any

from covalent_lab.feed.feed import Reset
from covalent_lab.transitions import FeedRecord

__all__ = ["hello_frame", "item_to_wire", "reset_frame", "transitions_frame"]


def item_to_wire(record: FeedRecord) -> dict[str, Any]:
    """One item of a `transitions` frame; `schemas/feed.json` describes it."""
    item: dict[str, Any] = {
        "seq": record.seq,
        "dispatch_id": record.dispatch_id,
        "node_id": record.node_id,
        "status": record.status,
        "at": record.at,
    }
    if record.attempt:
        item["attempt"] = record.attempt
    if record.error:
        item["error"] = record.error
    if record.extra:
        item.update(record.extra)
    return item


def hello_frame(seq: int, version: str) -> dict[str, Any]:
    """The first frame of a connection."""
    return {"type": "hello", "seq": seq, "version": version}


def reset_frame(reset: Reset) -> dict[str, Any]:
    """Reload by REST, go on from `seq`."""
    return {"type": "reset", "seq": reset.seq}


def transitions_frame(records: Sequence[FeedRecord]) -> dict[str, Any]:
    """Transitions in ascending order."""
    return {"type": "transitions", "items": [item_to_wire(record) for record in records]}
