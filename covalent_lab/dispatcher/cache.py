"""Bytes of small payloads that jobs will soon need, so that a fan does not read each input back from the database."""

from collections import OrderedDict

from covalent_lab.ids import DispatchId, PayloadRef

__all__ = ["PayloadCache"]


class PayloadCache:
    """Least recently used payloads up to a number of bytes.

    Args:
        limit: How many bytes to keep.
    """

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[tuple[DispatchId, str], bytes] = OrderedDict()
        self._digests: dict[DispatchId, set[str]] = {}

    def put(self, dispatch_id: DispatchId, ref: PayloadRef, data: bytes) -> None:
        """Keep a payload, at the cost of those not used for longest."""
        key = (dispatch_id, ref.digest)
        if key in self._entries:
            return
        self._entries[key] = data
        self._digests.setdefault(dispatch_id, set()).add(ref.digest)
        self._size += len(data)
        while self._size > self._limit:
            (owner, digest), dropped = self._entries.popitem(last=False)
            self._digests[owner].discard(digest)
            self._size -= len(dropped)

    def get(self, dispatch_id: DispatchId, ref: PayloadRef) -> bytes | None:
        """The payload, if it is still here."""
        key = (dispatch_id, ref.digest)
        data = self._entries.get(key)
        if data is not None:
            self._entries.move_to_end(key)
        return data

    def forget(self, dispatch_id: DispatchId) -> None:
        """Drop everything of a dispatch that is over."""
        for digest in self._digests.pop(dispatch_id, ()):
            self._size -= len(self._entries.pop((dispatch_id, digest)))
