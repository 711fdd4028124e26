"""The form of messages between a dispatcher and a process that runs tasks for it: a JSON head, and bytes."""

import json
import struct
from collections.abc import Mapping
from typing import Any

from covalent_lab.worker import Buffer

__all__ = ["pack", "unpack"]

_HEAD = struct.Struct(">I")


def pack(control: Mapping[str, Any], *pieces: Buffer) -> bytes:
    """A message."""
    text = json.dumps(control, separators=(",", ":")).encode()
    return b"".join((_HEAD.pack(len(text)), text, *pieces))


def unpack(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Head and bytes of a message.

    Raises:
        ValueError: It is none.
    """
    if len(message) < _HEAD.size:
        raise ValueError("a message is too short")
    middle = _HEAD.size + _HEAD.unpack_from(message)[0]
    control = json.loads(message[_HEAD.size : middle])
    if not isinstance(control, dict):
        raise ValueError("a message has no head")
    return control, message[middle:]
