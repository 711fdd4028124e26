"""The values that the tasks of this process made, for the tasks of this process that need them.

A value is kept under the node that made it. What could be pickled is recorded by the dispatcher as well: here it is
only a short cut that keeps its identity, and goes when its dispatch ends or memory is short. What could not be pickled
exists here only: it goes when its dispatch is deleted, when somebody says so, or with the process.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab.kernel.identity import process_id
from covalent_lab.worker import (
    Buffer,
    ValueElsewhereError,
    archive_digest,
    encode_archive,
    encode_reference,
    resolve_references,
)

__all__ = ["MAX_COPIED_BYTES", "MAX_VALUES", "NodeKey", "ValueTable"]

MAX_VALUES = 10_000
"""More values than this are not kept: the oldest go, first those that are recorded elsewhere."""
MAX_COPIED_BYTES = 1 << 30
"""Pickled size of the values kept though they are recorded elsewhere; the oldest go."""

NodeKey = tuple[str, int]
"""Dispatch and node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    value: Any
    digest: str
    size: int
    is_only_here: bool


class ValueTable:
    """Values by node. Safe to use from several threads.

    Args:
        name: How messages call this process.
        max_values: See `MAX_VALUES`.
        max_copied_bytes: See `MAX_COPIED_BYTES`.
    """

    def __init__(self, name: str, *, max_values: int = MAX_VALUES, max_copied_bytes: int = MAX_COPIED_BYTES) -> None:
        self._name = name
        self._max_values = max_values
        self._max_copied_bytes = max_copied_bytes
        self._lock = threading.RLock()
        self._entries: dict[NodeKey, _Entry] = {}
        self._copied_bytes = 0

    def announce(self) -> None:
        """Let archives that refer to values of this table be loaded in this process."""
        resolve_references(self._resolve)

    def keep(self, key: NodeKey, task: str, value: Any) -> list[Buffer]:
        """Keep what a task returned; returns its archive, or one that refers to it if it cannot be pickled."""
        try:
            pieces, is_only_here = encode_archive(value, rich=True), False
        except Exception:  # noqa: BLE001 - whatever pickling raises: it has to stay
            reference = {"process": process_id(), "name": self._name, "key": list(key), "task": task}
            pieces, is_only_here = encode_reference(value, reference), True
        digest, size = archive_digest(pieces)
        with self._lock:
            self._drop(key)
            self._entries[key] = _Entry(value=value, digest=digest, size=size, is_only_here=is_only_here)
            self._copied_bytes += 0 if is_only_here else size
            self._bound()
        return pieces

    def find(self, key: NodeKey, digest: str) -> tuple[Any] | None:
        """The very object that a node returned, in a tuple; None if it is not here, or is not that of the record."""
        with self._lock:
            entry = self._entries.get(key)
        return (entry.value,) if entry is not None and entry.digest == digest else None

    def forget(self, dispatch_ids: Sequence[str] | None, *, only_copied: bool) -> int:
        """Give values up; returns how many.

        Args:
            dispatch_ids: Those of these dispatches; None for all.
            only_copied: Keep what exists nowhere else.
        """
        with self._lock:
            gone = [
                key
                for key, entry in self._entries.items()
                if (dispatch_ids is None or key[0] in dispatch_ids) and not (only_copied and entry.is_only_here)
            ]
            for key in gone:
                self._drop(key)
        return len(gone)

    def __len__(self) -> int:
        return len(self._entries)

    def _drop(self, key: NodeKey) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None and not entry.is_only_here:
            self._copied_bytes -= entry.size

    def _bound(self) -> None:
        """Drop the oldest; the one that was added last stays in any case."""
        while self._copied_bytes > self._max_copied_bytes or len(self._entries) > self._max_values:
            older = list(self._entries)[:-1]
            copied = next((key for key in older if not self._entries[key].is_only_here), None)
            if copied is None and (len(self._entries) <= self._max_values or not older):
                return
            self._drop(older[0] if copied is None else copied)

    def _resolve(self, reference: Mapping[str, Any]) -> Any:
        task, name = reference["task"], reference["name"]
        if reference["process"] != process_id():
            raise ValueElsewhereError(
                f"It is what task {task!r} returned; that cannot be pickled, and lives in the kernel {name}, which is "
                f"not this one ({self._name}) or was restarted since. Use it there, or run its task again."
            )
        dispatch_id, node_id = reference["key"]
        with self._lock:
            entry = self._entries.get((str(dispatch_id), int(node_id)))
        if entry is None or not entry.is_only_here:
            raise ValueElsewhereError(
                f"It is what task {task!r} returned; that cannot be pickled, and this kernel ({name}) does not keep it "
                "any more. Run its task again."
            )
        return entry.value
