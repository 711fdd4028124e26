"""Everything that happens where a task runs: the payload archive and the task itself.

This file needs the standard library and cloudpickle, and imports nothing of its package, so that it can be copied to
a machine that has neither. The rest of the package reads and writes archives through `payload.py`.

An archive is the serialised form of one value, laid out so that it can be listed and previewed without unpickling:

    8 bytes   offset of the text (big-endian)
    8 bytes   offset of the data
    header    JSON, padded with spaces so that the data begins at a multiple of 64
    text      `str(value)`, shortened
    data      pickle, then the pickle's out-of-band buffers, then rich previews

Header keys: `py_version`, `cloudpickle_version`, `attrs` (`doc`, `name`), `type`, `pickle` (length), and only where
present `buffers` and `rich` (`[offset, length]` relative to the data; `rich` is keyed by MIME type).
"""

import hashlib
import io
import json
import mmap
import pickle
import platform
import reprlib
import struct
from collections.abc import Sequence
from typing import Any, Union

import cloudpickle

__all__ = [
    "archive_digest",
    "decode_archive",
    "encode_archive",
    "open_archive",
    "read_header",
    "read_rich",
    "read_text",
]

_OFFSETS = struct.Struct(">QQ")
_ALIGN = 64
_TEXT_LIMIT = 10_000
_RICH_LIMIT = 4_000_000
_SIMPLE = (bool, int, float, complex, str, bytes, type(None))
_PY_VERSION = platform.python_version()
_CLOUDPICKLE_VERSION = cloudpickle.__version__

Buffer = Union[bytes, bytearray, memoryview]


def encode_archive(value: Any, rich: bool = False) -> "list[Buffer]":
    """Serialise a value; the archive is the concatenation of the returned pieces.

    Large arrays are not copied: their memory is one of the pieces, so write it before it can change.

    Args:
        value: Anything cloudpickle can pickle.
        rich: Also store image and HTML previews, where the value offers them.

    Raises:
        Exception: Whatever pickling raises.
    """
    if type(value) in _SIMPLE and (not isinstance(value, (str, bytes)) or len(value) < 4096):
        return _encode_simple(value)
    buffers: list[pickle.PickleBuffer] = []
    stream = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    header: dict[str, Any] = {
        "py_version": _PY_VERSION,
        "cloudpickle_version": _CLOUDPICKLE_VERSION,
        "attrs": {"doc": _attribute(value, "__doc__"), "name": _attribute(value, "__name__")},
        "type": _type_name(value),
        "pickle": len(stream),
    }
    pieces: list[Buffer] = [stream]
    end = len(stream)

    def append(piece: Buffer) -> "list[int]":
        nonlocal end
        padding = -end % _ALIGN
        if padding:
            pieces.append(bytes(padding))
        begin = end + padding
        pieces.append(piece)
        end = begin + len(piece)
        return [begin, len(piece)]

    raw = [buffer.raw() for buffer in buffers]
    if raw:
        header["buffers"] = [append(piece) for piece in raw]
    if rich:
        previews = rich_previews(value)
        if previews:
            header["rich"] = {mime: append(piece) for mime, piece in previews.items()}
    text = preview_text(value).encode("utf-8", "replace")
    return [_front(header, text, aligned=bool(raw)), text, *pieces]


def _encode_simple(value: Any) -> "list[Buffer]":
    stream = pickle.dumps(value, protocol=5)
    text = str(value).encode("utf-8", "replace")
    head = _simple_header(type(value), len(stream))
    offset = _OFFSETS.size + len(head)
    return [b"".join((_OFFSETS.pack(offset, offset + len(text)), head, text, stream))]


_simple_headers: "dict[tuple[type, int], bytes]" = {}


def _simple_header(kind: type, length: int) -> bytes:
    head = _simple_headers.get((kind, length))
    if head is None:
        head = json.dumps(
            {
                "py_version": _PY_VERSION,
                "cloudpickle_version": _CLOUDPICKLE_VERSION,
                "attrs": {"doc": None, "name": None},
                "type": kind.__qualname__,
                "pickle": length,
            }
        ).encode()
        _simple_headers[(kind, length)] = head
    return head


def _front(header: "dict[str, Any]", text: bytes, aligned: bool) -> bytes:
    head = json.dumps(header).encode()
    if aligned:
        head += b" " * (-(_OFFSETS.size + len(head) + len(text)) % _ALIGN)
    offset = _OFFSETS.size + len(head)
    return _OFFSETS.pack(offset, offset + len(text)) + head


def archive_digest(pieces: "Sequence[Buffer]") -> "tuple[str, int]":
    """Digest (40 hexadecimal digits of SHA-256) and length of an archive in pieces."""
    digest = hashlib.sha256()
    size = 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest()[:40], size


def decode_archive(archive: Buffer) -> Any:
    """The value; arrays refer to the archive's memory where that is possible.

    Raises:
        ValueError: The bytes are not an archive.
        Exception: Whatever unpickling raises.
    """
    view = memoryview(archive)
    header, _, data = _split(view)
    length = header["pickle"]
    buffers = [view[data + begin : data + begin + size] for begin, size in header.get("buffers", ())]
    return pickle.loads(view[data : data + length], buffers=buffers)


def open_archive(path: str) -> memoryview:
    """Map an archive file into memory, copy-on-write: arrays in it are writable, the file never changes."""
    with open(path, "rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def read_header(archive: Buffer) -> "dict[str, Any]":
    """The header, without touching the data."""
    return _split(memoryview(archive))[0]


def read_text(archive: Buffer) -> str:
    """The text preview, without touching the data."""
    view = memoryview(archive)
    _, text, data = _split(view)
    return bytes(view[text:data]).decode("utf-8", "replace")


def read_rich(archive: Buffer, mime: str) -> "bytes | None":
    """One rich preview, or None; the pickle is not touched."""
    view = memoryview(archive)
    header, _, data = _split(view)
    span = header.get("rich", {}).get(mime)
    return None if span is None else bytes(view[data + span[0] : data + span[0] + span[1]])


def _split(view: memoryview) -> "tuple[dict[str, Any], int, int]":
    if len(view) < _OFFSETS.size:
        raise ValueError("not a payload archive: too short")
    text, data = _OFFSETS.unpack_from(view)
    if not _OFFSETS.size <= text <= data <= len(view):
        raise ValueError("not a payload archive: offsets out of range")
    header = json.loads(bytes(view[_OFFSETS.size : text]))
    if not isinstance(header, dict):
        raise ValueError("not a payload archive: no header")
    return header, text, data


def preview_text(value: Any) -> str:
    """`str(value)`, shortened; long collections are abbreviated without being rendered whole."""
    try:
        if isinstance(value, (str, bytes, bytearray)):
            text = str(value[: _TEXT_LIMIT + 1])
        elif isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) > 50:
            text = _abbreviate.repr(value)
        else:
            text = str(value)
    except Exception as error:  # user code: a broken __str__ must not fail the task
        text = f"<{_type_name(value)}; its text form failed: {type(error).__name__}>"
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"


_abbreviate = reprlib.Repr()
_abbreviate.maxlist = _abbreviate.maxtuple = _abbreviate.maxdict = 50
_abbreviate.maxset = _abbreviate.maxfrozenset = 50
_abbreviate.maxstring = _abbreviate.maxother = 500


def rich_previews(value: Any) -> "dict[str, bytes]":
    """Image and HTML forms a value offers: IPython's `_repr_*_` methods, and matplotlib figures."""
    found: dict[str, bytes] = {}
    if isinstance(value, type):
        return found
    if type(value).__module__.startswith("matplotlib.") and hasattr(value, "savefig"):
        found["image/png"] = _figure_png(value)
    for mime, method in (
        ("image/png", "_repr_png_"),
        ("image/svg+xml", "_repr_svg_"),
        ("text/html", "_repr_html_"),
    ):
        if mime in found or not hasattr(type(value), method):
            continue
        try:
            piece = getattr(value, method)()
        except Exception:  # user code
            continue
        if isinstance(piece, str):
            piece = piece.encode("utf-8", "replace")
        if isinstance(piece, bytes) and piece:
            found[mime] = piece
    return {mime: piece for mime, piece in found.items() if 0 < len(piece) <= _RICH_LIMIT}


def _figure_png(figure: Any) -> bytes:
    stream = io.BytesIO()
    try:
        figure.savefig(stream, format="png", bbox_inches="tight")
    except Exception:  # user code
        return b""
    return stream.getvalue()


def _attribute(value: Any, name: str) -> "str | None":
    try:
        found = getattr(value, name, None)
    except Exception:  # user code
        return None
    return found[:2000] if isinstance(found, str) else None


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
