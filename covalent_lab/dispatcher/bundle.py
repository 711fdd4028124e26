"""The body of a submit request (`graph/bundle.py` says how it is laid out), read in chunks of any size.

Small payloads are kept as bytes, large ones go straight to their files, so memory stays flat however large the bundle.
Digests are computed here and compared: what the sender claims is never trusted.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.graph.bundle import FRONT, LENGTHS, MAGIC
from covalent_lab.ids import PayloadRef
from covalent_lab.store.blobs import BlobDir, BlobWriter

__all__ = ["BadBundleError", "BundleReader"]

_MAX_BLOCK = 512 * 2**20


class BadBundleError(UsageError):
    """A submitted bundle is damaged."""

    code = "bad_bundle"


class BundleReader:
    """Takes chunks; afterwards holds the header and the payloads.

    Args:
        blobs: Where large payloads go.
        inline_limit: Payloads of at most this many bytes are kept as bytes.

    Attributes:
        header: The parsed header, once it is complete; `graph` is its JSON text, with the payloads it refers to.
        payloads: Bytes of each complete payload; None for those in files.
    """

    def __init__(self, blobs: BlobDir, inline_limit: int) -> None:
        self.header: Mapping[str, Any] | None = None
        self.payloads: dict[PayloadRef, bytes | None] = {}
        self._blobs = blobs
        self._inline_limit = inline_limit
        self._front = bytearray()
        self._needed = FRONT.size
        self._expected: list[PayloadRef] = []
        self._index = 0
        self._small = bytearray()
        self._large: BlobWriter | None = None
        self._held: list[str] = []
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
        """Give up, or be done: an unfinished file is removed, finished ones are held no longer. Safe to call twice."""
        if self._large is not None:
            self._large.abort()
            self._large = None
        held, self._held = self._held, []
        self._blobs.release(held)

    def _commit(self, file: BlobWriter) -> PayloadRef:
        """Give a file its name; what else has the same content may be deleted before this is recorded."""
        digest = file.ref.digest
        self._blobs.hold((digest,))
        self._held.append(digest)
        return file.commit()

    def _feed_front(self, view: memoryview) -> memoryview:
        take = min(self._needed - len(self._front), view.nbytes)
        self._front += view[:take]
        if not MAGIC.startswith(bytes(self._front[: len(MAGIC)])):
            raise _other_version()
        if len(self._front) == self._needed:
            _, packed, size, digest = FRONT.unpack_from(self._front)
            if self._needed == FRONT.size:
                if not 0 < packed <= _MAX_BLOCK or not LENGTHS.size <= size <= _MAX_BLOCK:
                    raise _other_version()
                self._needed += packed
            else:
                block = _unpacked(self._front[FRONT.size :], size, digest)
                self._front = bytearray()
                self._read_block(memoryview(block))
        return view[take:]

    def _read_block(self, block: memoryview) -> None:
        try:
            of_header, of_graph = LENGTHS.unpack_from(block)
            graph_at = LENGTHS.size + of_header
            header = json.loads(bytes(block[LENGTHS.size : graph_at]))
            begin = graph_at + of_graph
            refs: list[PayloadRef] = []
            for listed in header["payloads"]:
                is_here = isinstance(listed, int)
                size = listed if is_here else int(listed[1])
                if size < 1:
                    raise ValueError("it lists a payload without bytes")
                if is_here:
                    refs.append(self._keep(block[begin : begin + size]))
                    begin += size
                else:
                    refs.append(PayloadRef(str(listed[0]), size))
                    self._expected.append(refs[-1])
            if begin != block.nbytes:
                raise ValueError("its lengths do not add up")
            header["graph"] = _with_payloads(bytes(block[graph_at : graph_at + of_graph]), refs)
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise BadBundleError(f"The bundle's header is damaged: {error}.") from error
        self.header = header
        self._next()

    def _keep(self, data: memoryview) -> PayloadRef:
        """Take a payload of the block."""
        if data.nbytes > self._inline_limit:
            self._large = self._blobs.writer()
            self._large.write(data)
            ref, self._large = self._commit(self._large), None
            self.payloads[ref] = None
        else:
            ref = PayloadRef(hashlib.sha256(data).hexdigest()[:40], data.nbytes)
            self.payloads[ref] = bytes(data)
        return ref

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
            self._commit(self._large)
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


def _other_version() -> BadBundleError:
    return BadBundleError("The request is not a bundle of this version; use the same covalent-lab on both sides.")


def _unpacked(packed: bytearray, size: int, digest: bytes) -> bytes | bytearray:
    block: bytes | bytearray = packed
    if len(packed) != size:
        unpacker = zlib.decompressobj()
        try:
            block = unpacker.decompress(packed, size + 1)  # never more than was claimed and allowed
        except zlib.error:
            block = b""
        if not unpacker.eof:
            block = b""
    if len(block) != size or hashlib.sha256(block).digest()[: len(digest)] != digest:
        raise BadBundleError("The bundle was damaged on its way; submit it again.")
    return block


def _with_payloads(graph: bytes, payloads: Sequence[PayloadRef]) -> bytes:
    """The graph's text with the payloads its numbers stand for."""
    if not graph.startswith(b"{") or len(graph) < 3:
        raise ValueError("its graph is not an object")
    return b'{"payloads":' + json.dumps(payloads, separators=(",", ":")).encode() + b"," + graph[1:]
