"""The pickling edge: value → archive, digest and preview. Only this module and `worker.py` pickle.

Knows nothing of where payloads are kept.
"""

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from types import ModuleType
from typing import Any

import cloudpickle

from covalent_lab import worker
from covalent_lab.errors import SerializationError
from covalent_lab.ids import PayloadRef

__all__ = [
    "BUNDLE_TYPE",
    "Payload",
    "Preview",
    "beside",
    "buffers",
    "by_value",
    "decode",
    "encode",
    "is_reference",
    "open_file",
    "preview",
    "rich_parts",
]

BUNDLE_TYPE = "covalent_lab.workflow.sublattices.SublatticeBundle"
"""How the header of an archive names a built sublattice."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A serialised value.

    Attributes:
        ref: Digest and size of the whole archive.
        pieces: The archive in pieces; large arrays are views of the original memory, so use them soon.
    """

    ref: PayloadRef
    pieces: Sequence[worker.Buffer]

    def tobytes(self) -> bytes:
        """The archive in one piece."""
        return bytes(self.pieces[0]) if len(self.pieces) == 1 else b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Preview:
    """What can be shown of a payload without unpickling it.

    Attributes:
        text: `str(value)`, shortened.
        type: Qualified name of the value's type.
        python_version: Of the process that wrote it.
        rich: MIME types of richer previews in the archive.
    """

    text: str
    type: str
    python_version: str
    rich: tuple[str, ...]


def encode(value: Any, *, what: str = "value", rich: bool = False) -> Payload:
    """Serialise a value.

    Args:
        value: Anything cloudpickle can pickle.
        what: How the error message calls it, e.g. `"argument 'x' of task 'fit'"`.
        rich: Also store image and HTML previews.

    Raises:
        SerializationError: The value cannot be pickled.
    """
    try:
        pieces = worker.encode_archive(value, rich)
    except Exception as error:
        raise SerializationError(
            f"Cannot pickle {what} ({type(value).__name__}): {_one_line(error)}. "
            "Create it inside the task, or pass something that can be rebuilt there."
        ) from error
    return Payload(PayloadRef(*worker.archive_digest(pieces)), pieces)


_registering = RLock()


@contextmanager
def by_value(package: ModuleType) -> Iterator[None]:
    """Within the block, what a package defines is pickled with its code, and so loads where it is not installed.

    A class that was pickled so is another class when it is loaded in another process: use it for what is called there
    and not sent back. One block runs at a time.
    """
    with _registering:
        cloudpickle.register_pickle_by_value(package)
        try:
            yield
        finally:
            cloudpickle.unregister_pickle_by_value(package)


def decode(archive: worker.Buffer) -> Any:
    """Load the value of an archive. Never called in the server process.

    Raises:
        SerializationError: The bytes are damaged, or need a module that is not installed here; or the value has stayed
            in the kernel of its task, which this process is not.
    """
    try:
        return worker.decode_archive(archive)
    except worker.ValueElsewhereError as error:
        raise SerializationError(str(error)) from error
    except Exception as error:
        raise SerializationError(
            f"Cannot load a stored value: {_one_line(error)}. "
            "It may need a package, or a Python version, that is not here."
        ) from error


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def open_file(path: str) -> memoryview:
    """Map an archive file into memory (copy-on-write)."""
    return worker.open_archive(path)


def preview(archive: worker.Buffer) -> Preview:
    """What can be shown without unpickling.

    Raises:
        ValueError: The bytes are not an archive.
    """
    header = worker.read_header(archive)
    return Preview(
        text=worker.read_text(archive),
        type=str(header.get("type", "")),
        python_version=str(header.get("py_version", "")),
        rich=tuple(header.get("rich", ())),
    )


def is_reference(archive: worker.Buffer) -> bool:
    """Whether the value is not in the archive, but in the kernel that made it.

    Raises:
        ValueError: The bytes are not an archive.
    """
    return "reference" in worker.read_header(archive)


def beside(data: worker.Buffer) -> pickle.PickleBuffer:
    """Let bytes lie beside the pickle of the object that holds them, where `buffers` finds them."""
    return pickle.PickleBuffer(data)


def buffers(archive: worker.Buffer) -> Sequence[memoryview]:
    """What lies beside the pickle of an archive's value, in order; the pickle is not touched.

    Raises:
        ValueError: The bytes are not an archive.
    """
    view = memoryview(archive)
    spans = worker.read_header(view).get("buffers", ())
    data = int.from_bytes(view[8:16], "big")
    return [view[data + begin : data + begin + size] for begin, size in spans]


def rich_parts(archive: worker.Buffer) -> dict[str, bytes]:
    """Image and HTML previews by MIME type; the pickle is not touched."""
    found = {mime: worker.read_rich(archive, mime) for mime in worker.read_header(archive).get("rich", ())}
    return {mime: data for mime, data in found.items() if data is not None}
