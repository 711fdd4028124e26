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

    def put(self, dispatch_id: DispatchId, ref: PayloadRef, data: bytes) -> None:
        """Keep a payload, at the cost of those not used for longest."""
        key = (dispatch_id, ref.digest)
        if key in self._entries:
            return
        self._entries[key] = data
        self._size += len(data)
        while self._size > self._limit:
            _, dropped = self._entries.popitem(last=False)
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
        for key in [key for key in self._entries if key[0] == dispatch_id]:
            self._size -= len(self._entries.pop(key))
