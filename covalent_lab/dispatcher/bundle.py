"""The body of a submit request, read in chunks of any size.

    b"CLB1"   8 bytes header length (big-endian)   header (JSON)   payload archives, in the order of header["payloads"]

Small payloads are kept as bytes, large ones go straight to their files, so memory stays flat however large the bundle.
Digests are computed here and compared: what the sender claims is never trusted.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.ids import PayloadRef
from covalent_lab.store.blobs import BlobDir, BlobWriter

__all__ = ["BadBundleError", "BundleReader"]

_MAGIC = b"CLB1"
_FRONT = len(_MAGIC) + 8
_MAX_HEADER = 512 * 2**20


class BadBundleError(UsageError):
    """A submitted bundle is damaged."""

    code = "bad_bundle"


class BundleReader:
    """Takes chunks; afterwards holds the header and the payloads.

    Args:
        blobs: Where large payloads go.
        inline_limit: Payloads of at most this many bytes are kept as bytes.

    Attributes:
        header: The parsed header, once it is complete.
        payloads: Bytes of each complete payload; None for those in files.
    """

    def __init__(self, blobs: BlobDir, inline_limit: int) -> None:
        self.header: Mapping[str, Any] | None = None
        self.payloads: dict[PayloadRef, bytes | None] = {}
        self._blobs = blobs
        self._inline_limit = inline_limit
        self._front = bytearray()
        self._needed = _FRONT
        self._expected: list[PayloadRef] = []
        self._index = 0
        self._small = bytearray()
        self._large: BlobWriter | None = None
        self._left = 0

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            BadBundleError: They are not part of a bundle; the reader is of no use any more.
            StoreError: A payload file cannot be written.
        """
        view = memoryview(chunk).cast("B")
        while view.nbytes:
            view = self._feed_front(view) if self.header is None else self._feed_payload(view)

    def finish(self) -> Mapping[str, Any]:
        """The header, once everything has arrived.

        Raises:
            BadBundleError: Something is missing.
        """
        if self.header is None or self._index < len(self._expected):
            self.abort()
            raise BadBundleError("The submitted bundle ends too early; submit it again.")
        return self.header

    def abort(self) -> None:
        """Give up; an unfinished file is removed. Safe to call twice."""
        if self._large is not None:
            self._large.abort()
            self._large = None

    def _feed_front(self, view: memoryview) -> memoryview:
        take = min(self._needed - len(self._front), view.nbytes)
        self._front += view[:take]
        if len(self._front) == self._needed:
            if self._needed == _FRONT:
                self._read_length()
            else:
                self._read_header()
        return view[take:]

    def _read_length(self) -> None:
        length = int.from_bytes(self._front[len(_MAGIC) :], "big")
        if self._front[: len(_MAGIC)] != _MAGIC or not 2 <= length <= _MAX_HEADER:
            raise BadBundleError(
                "The request is not a bundle of this version; use the same covalent-lab on both sides."
            )
        self._needed += length

    def _read_header(self) -> None:
        try:
            header = json.loads(bytes(self._front[_FRONT:]))
            self._expected = [PayloadRef(str(digest), int(size)) for digest, size in header["payloads"]]
        except (ValueError, KeyError, TypeError) as error:
            raise BadBundleError(f"The bundle's header is damaged: {error}.") from error
        if any(ref.size < 1 for ref in self._expected):
            raise BadBundleError("The bundle's header lists a payload without bytes.")
        self.header = header
        self._front.clear()
        self._next()

    def _next(self) -> None:
        if self._index < len(self._expected):
            ref = self._expected[self._index]
            self._left = ref.size
            if ref.size > self._inline_limit:
                self._large = self._blobs.writer()

    def _feed_payload(self, view: memoryview) -> memoryview:
        if self._index >= len(self._expected):
            self.abort()
            raise BadBundleError("The bundle is longer than its header says.")
        take = min(self._left, view.nbytes)
        if self._large is not None:
            self._large.write(view[:take])
        else:
            self._small += view[:take]
        self._left -= take
        if self._left == 0:
            self._complete(self._expected[self._index])
        return view[take:]

    def _complete(self, claimed: PayloadRef) -> None:
        if self._large is not None:
            if self._large.ref != claimed:
                self.abort()
                raise BadBundleError(f"Payload {claimed.digest} was damaged on its way; submit again.")
            self._large.commit()
            self._large = None
            self.payloads[claimed] = None
        else:
            data = bytes(self._small)
            self._small = bytearray()
            if hashlib.sha256(data).hexdigest()[:40] != claimed.digest:
                raise BadBundleError(f"Payload {claimed.digest} was damaged on its way; submit again.")
            self.payloads[claimed] = data
        self._index += 1
        self._next()
