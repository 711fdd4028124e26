"""A submitted cell on its way: waiting for the end of its dispatch, and what its nodes print meanwhile.

Decides how often the dispatcher is asked, and what belongs to the traceback of a failed node.
"""

import re
from collections.abc import Callable
from typing import Any

from covalent_lab.client.api import get_result
from covalent_lab.client.connection import Connection, connect
from covalent_lab.errors import ServerUnreachableError
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.notebook.remote import RUNNER_FILE

__all__ = ["NodeStreams", "follow_dispatch", "remote_traceback", "split_traceback"]

_FIRST_STEPS = 16
_SHORT_STEP_S = 0.25
_LONG_STEP_S = 1.0
_CANCEL_S = 15.0


def follow_dispatch(dispatch_id: str, show: Callable[[Connection, dict[str, Any]], None]) -> dict[str, Any]:
    """Wait for the end of a dispatch, showing what happens; an interrupt cancels the dispatch.

    Args:
        dispatch_id: Which one.
        show: Called with the dispatch's details now and then, and at the end.

    Returns:
        Its details at the end.

    Raises:
        KeyboardInterrupt: It was interrupted here.
    """
    connection, steps = connect(), 0
    try:
        while True:
            step_s = _SHORT_STEP_S if steps < _FIRST_STEPS else _LONG_STEP_S
            try:
                detail = connection.detail(dispatch_id, wait_s=step_s if steps else 0.0)
                show(connection, detail)
                steps += 1
            except ServerUnreachableError:
                get_result(dispatch_id, wait=True)  # waits for the server to come back
                connection = connect()
                continue
            if detail["status"] in TERMINAL:
                return detail
    except KeyboardInterrupt:
        connection.cancel(dispatch_id)
        show(connection, connection.detail(dispatch_id, wait_s=_CANCEL_S))
        raise


class NodeStreams:
    """What a node printed since it was asked last, without the traceback that says why it failed."""

    def __init__(self, dispatch_id: str, node_id: int) -> None:
        self._dispatch_id = dispatch_id
        self._node_id = node_id
        self._offsets = {"stdout": 0, "stderr": 0}
        self._held_back = ""

    def read(self, connection: Connection, status: str) -> tuple[str, str]:
        """New text on standard output and on standard error.

        Args:
            connection: Whom to ask.
            status: How the node stands.
        """
        printed = self._new(connection, "stdout")
        text, trace = split_traceback(self._held_back + self._new(connection, "stderr"))
        self._held_back = "" if status in TERMINAL else trace  # it may turn out to be why the node failed
        return printed, text + (trace if status == "COMPLETED" else "")

    def _new(self, connection: Connection, name: str) -> str:
        text, self._offsets[name] = _read_stream(
            connection, self._dispatch_id, self._node_id, name, self._offsets[name]
        )
        return text


def remote_traceback(connection: Connection, dispatch_id: str, node_id: int) -> str:
    """The traceback of a failed cell, without the frames of what surrounds it; empty if there is none."""
    text, _ = _read_stream(connection, dispatch_id, node_id, "stderr", 0)
    _, trace = split_traceback(text)
    frame = rf'^ *File "{re.escape(RUNNER_FILE)}".*\n(?:^ {{4,}}.*\n)*'
    return re.sub(frame, "", trace, flags=re.MULTILINE)


def _read_stream(connection: Connection, dispatch_id: str, node_id: int, name: str, offset: int) -> tuple[str, int]:
    pieces: list[str] = []
    while True:
        piece = connection.stream(dispatch_id, node_id, name, offset)
        offset = piece["offset"]
        if not piece["text"]:
            return "".join(pieces), offset
        pieces.append(piece["text"])


_HEADER = re.compile(r"^(?:  \+ Exception Group )?Traceback \(most recent call last\):$", re.MULTILINE)
_CHAINED = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)


def split_traceback(stderr: str) -> tuple[str, str]:
    """Split what a failed task left on stderr into what it printed and the traceback at the end, with its causes."""
    headers = [match.start() for match in _HEADER.finditer(stderr)]
    if not headers:
        return stderr, ""
    begin = headers.pop()
    while headers and stderr[:begin].rstrip().endswith(_CHAINED):
        begin = headers.pop()
    return stderr[:begin], stderr[begin:]
