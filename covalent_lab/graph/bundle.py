"""How the body of a submit request is laid out; `workflow/bundle.py` writes it, `dispatcher/bundle.py` reads it.

    FRONT    "CLB2", length of the packed block, length of the block, first 20 bytes of the block's SHA-256
    block, packed by zlib where that makes it shorter:
        LENGTHS   length of the header, length of the graph
        header    JSON; `schemas/bundle.json` describes it
        graph     JSON; `schemas/graph.json` without `payloads`: its numbers are places in the header's `payloads`
        small payload archives
    large payload archives, as they are

Payloads are numbered. The reader computes their digests, which are their names, so only those of large ones are sent:
the block as a whole has a digest of its own.
"""

import struct

__all__ = ["FRONT", "LENGTHS", "MAGIC"]

MAGIC = b"CLB2"
FRONT = struct.Struct(">4sQQ20s")
LENGTHS = struct.Struct(">II")
