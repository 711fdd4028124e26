"""A value plus enough about it to be listed without unpickling.

A thin object over a payload archive (see `worker.py` for the layout). The archive is made at construction, so later
changes of the value do not show.
"""

import base64
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from covalent_lab import payload, worker
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.worker import Buffer

__all__ = ["TransportableObject", "snapshot"]

_OFFSETS = struct.Struct(">QQ")
_ALIGN = 64
_TYPE = "TransportableObject"


def snapshot(encoded: Payload) -> Payload:
    """The same payload without views of memory that its owner may still change."""
    if any(isinstance(piece, memoryview) and not piece.readonly for piece in encoded.pieces):
        return Payload(encoded.ref, [bytes(p) if isinstance(p, memoryview) else p for p in encoded.pieces])
    return encoded


class TransportableObject:
    """A pickled value that can be described without loading it.

    Args:
        obj: Anything cloudpickle can pickle.

    Raises:
        SerializationError: The value cannot be pickled.
    """

    __slots__ = ("_fetch", "_payload", "_ref")

    _fetch: Callable[[PayloadRef], Buffer]

    def __init__(self, obj: Any) -> None:
        self._payload: Payload | None = snapshot(payload.encode(obj, what="a value"))
        self._ref = self._payload.ref

    @classmethod
    def from_payload(cls, encoded: Payload) -> Self:
        """Wrap an archive that exists already."""
        made = cls.__new__(cls)
        made._payload = snapshot(encoded)
        made._ref = encoded.ref
        return made

    @classmethod
    def deferred(cls, ref: PayloadRef, fetch: Callable[[PayloadRef], Buffer]) -> Self:
        """Stand for an archive that is somewhere else; it is fetched once, when it is needed."""
        made = cls.__new__(cls)
        made._payload = None
        made._ref = ref
        made._fetch = fetch
        return made

    @property
    def payload(self) -> Payload:
        """The archive."""
        if self._payload is None:
            self._payload = snapshot(Payload(self._ref, [self._fetch(self._ref)]))
        return self._payload

    @property
    def header(self) -> dict[str, Any]:
        """`{"py_version", "cloudpickle_version", "attrs": {"doc", "name"}, …}` of the producer."""
        return worker.read_header(self.serialize())

    @property
    def python_version(self) -> str:
        """Version of the Python that pickled the value, e.g. `"3.11.7"`."""
        return str(self.header["py_version"])

    @property
    def attrs(self) -> dict[str, Any]:
        """`{"doc", "name"}` of the value."""
        return dict(self.header["attrs"])

    @property
    def object_string(self) -> str:
        """`str(value)`, shortened."""
        return worker.read_text(self.serialize())

    def get_deserialized(self) -> Any:
        """Load the value; each call makes a new, writable one.

        Raises:
            SerializationError: It needs something that is not installed here.
        """
        return payload.decode(bytearray(self.serialize()))

    def get_serialized(self) -> str:
        """The pickled data as base64 text."""
        return base64.b64encode(_split(self.serialize())[2]).decode("ascii")

    def to_dict(self) -> dict[str, Any]:
        """JSON form: `{"type", "attributes": {"_object", "_object_string", "_header"}}`."""
        archive = self.serialize()
        return {
            "type": _TYPE,
            "attributes": {
                "_object": self.get_serialized(),
                "_object_string": worker.read_text(archive),
                "_header": worker.read_header(archive),
            },
        }

    @classmethod
    def from_dict(cls, object_dict: Mapping[str, Any]) -> Self:
        """Read a `to_dict` form.

        Raises:
            ValueError: It is not one.
        """
        try:
            fields = object_dict["attributes"]
            header, text = fields["_header"], fields["_object_string"]
            data = base64.b64decode(fields["_object"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"This is not the dictionary form of a {_TYPE}: {error!r}.") from error
        return cls.deserialize(_assemble(header, text.encode("utf-8", "replace"), data))

    def serialize(self) -> bytes:
        """The archive as bytes."""
        return self.payload.tobytes()

    @classmethod
    def deserialize(cls, serialized: bytes, header_only: bool = False, string_only: bool = False) -> Self | Any:
        """Read an archive; the pickled data is never loaded here.

        Args:
            serialized: What `serialize` returned.
            header_only: Return only the header, as a dictionary.
            string_only: Return only the text.

        Raises:
            ValueError: The bytes are not an archive.
        """
        if string_only:
            return worker.read_text(serialized)
        header = worker.read_header(serialized)
        if header_only:
            return header
        archive = bytes(serialized)
        return cls.from_payload(Payload(PayloadRef(*worker.archive_digest([archive])), [archive]))

    def serialize_to_json(self) -> str:
        """JSON text of `to_dict`."""
        return json.dumps(self.to_dict())

    @classmethod
    def deserialize_from_json(cls, json_string: str) -> Self:
        """Read what `serialize_to_json` wrote."""
        return cls.from_dict(json.loads(json_string))

    @staticmethod
    def make_transportable(obj: Any) -> "TransportableObject":
        """Wrap a value, unless it is wrapped already."""
        return obj if isinstance(obj, TransportableObject) else TransportableObject(obj)

    @staticmethod
    def deserialize_list(collection: Sequence[Any]) -> list[Any]:
        """Load every leaf of nested lists and dictionaries.

        Raises:
            TypeError: A leaf is not a `TransportableObject`.
        """
        return [_load(item) for item in collection]

    @staticmethod
    def deserialize_dict(collection: Mapping[Any, Any]) -> dict[Any, Any]:
        """Load every leaf of nested dictionaries and lists.

        Raises:
            TypeError: A leaf is not a `TransportableObject`.
        """
        return {key: _load(item) for key, item in collection.items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TransportableObject):
            return False
        return self._ref == other._ref

    def __hash__(self) -> int:
        return hash(self._ref)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).deserialize, (self.serialize(),))

    def __repr__(self) -> str:
        text = self.object_string
        return f"{_TYPE}({text if len(text) <= 80 else text[:80] + '…'})"


def _load(item: Any) -> Any:
    if isinstance(item, TransportableObject):
        return item.get_deserialized()
    if isinstance(item, Mapping):
        return TransportableObject.deserialize_dict(item)
    if isinstance(item, (list, tuple)):
        return TransportableObject.deserialize_list(item)
    raise TypeError(f"Expected a {_TYPE}, a list or a dictionary of them, got {type(item).__name__}.")


def _split(archive: bytes) -> tuple[bytes, bytes, bytes]:
    text, data = _OFFSETS.unpack_from(archive)
    return archive[_OFFSETS.size : text], archive[text:data], archive[data:]


def _assemble(header: Mapping[str, Any], text: bytes, data: bytes) -> bytes:
    head = json.dumps(header).encode()
    if "buffers" in header:  # arrays refer to the archive's memory, so it must be aligned
        head += b" " * (-(_OFFSETS.size + len(head) + len(text)) % _ALIGN)
    offset = _OFFSETS.size + len(head)
    return b"".join((_OFFSETS.pack(offset, offset + len(text)), head, text, data))
