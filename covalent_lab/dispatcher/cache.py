"""Bytes of small payloads that jobs will soon need, so that a fan does not read each input back from the database."""

from collections import OrderedDict

from covalent_lab.ids import DispatchId, PayloadRef

__all__ = ["PayloadCache"]


class PayloadCache:
    """Payloads up to a number of bytes; the dispatch that was served longest ago gives up its oldest ones first.

    Args:
        limit: How many bytes to keep.
    """

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[DispatchId, dict[str, bytes]] = OrderedDict()

    def put(self, dispatch_id: DispatchId, ref: PayloadRef, data: bytes) -> None:
        """Keep a payload, at the cost of others."""
        entries = self._entries.setdefault(dispatch_id, {})
        self._entries.move_to_end(dispatch_id)
        if ref.digest in entries:
            return
        entries[ref.digest] = data
        self._size += len(data)
        while self._size > self._limit:
            owner, oldest = next(iter(self._entries.items()))
            self._size -= len(oldest.pop(next(iter(oldest))))
            if not oldest:
                del self._entries[owner]

    def get(self, dispatch_id: DispatchId, ref: PayloadRef) -> bytes | None:
        """The payload, if it is still here."""
        entries = self._entries.get(dispatch_id)
        if entries is None:
            return None
        self._entries.move_to_end(dispatch_id)
        return entries.get(ref.digest)

    def forget(self, dispatch_id: DispatchId) -> None:
        """Drop everything of a dispatch that is over."""
        self._size -= sum(map(len, self._entries.pop(dispatch_id, {}).values()))
