"""How the client speaks to a dispatcher: one protocol, and the choice of who implements it.

Everything is synchronous and safe to call from several threads.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from covalent_lab.config.logs import log_level, log_to_file
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import BackendError, ServerUnreachableError
from covalent_lab.settings import Settings
from covalent_lab.worker import Buffer

__all__ = [
    "Channel",
    "Connection",
    "FeedReader",
    "connect",
    "current",
    "disconnect",
    "is_covalent_running",
    "reconnect",
    "whole_stream",
    "with_connection",
]

_T = TypeVar("_T")


class FeedReader(Protocol):
    """Frames of the feed; iterate in one thread, close from any."""

    def __iter__(self) -> Iterator[dict[str, Any]]: ...

    def close(self) -> None:
        """End the iteration."""
        ...


class Channel(Protocol):
    """Messages to and from an executor; iterate in one thread, send and close from any.

    The iteration raises `BackendError` if the connection cannot be made, or breaks.
    """

    def __iter__(self) -> Iterator[bytes]: ...

    def send(self, message: bytes) -> None:
        """Send a message; it is lost if the connection is."""
        ...

    def close(self) -> None:
        """End the iteration."""
        ...


class Connection(Protocol):
    """What the REST documentation says, as methods.

    Attributes:
        url: Base URL of the Jupyter server that hosts the dispatcher; None for one in this process.
    """

    url: str | None

    def submit(self, bundle: Sequence[Buffer], *, start: bool = True) -> str:
        """Hand in a bundle; returns the dispatch id once it is recorded."""
        ...

    def submit_and_wait(self, bundle: Sequence[Buffer], wait_s: float) -> dict[str, Any]:
        """Hand in a bundle and have it started; returns what `detail` does, after waiting as that does."""
        ...

    def start(self, dispatch_id: str) -> dict[str, Any]:
        """Start a dispatch that was only registered."""
        ...

    def redispatch(
        self, dispatch_id: str, new_id: str, *, reuse_previous_results: bool = False, start: bool = True
    ) -> str:
        """Repeat a recorded dispatch under a new id, which is returned once it is recorded."""
        ...

    def status(self) -> dict[str, Any]:
        """How the dispatcher is."""
        ...

    def list_dispatches(self, **query: Any) -> dict[str, Any]:
        """Part of the list."""
        ...

    def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        """One dispatch, after waiting for its end for up to `wait_s` seconds."""
        ...

    def graph(self, dispatch_id: str) -> dict[str, Any]:
        """Its graph."""
        ...

    def nodes(self, dispatch_id: str) -> dict[str, Any]:
        """States of its nodes."""
        ...

    def node(self, dispatch_id: str, node_id: int) -> dict[str, Any]:
        """Everything about one node."""
        ...

    def stream(self, dispatch_id: str, node_id: int, name: str, offset: int = 0) -> dict[str, Any]:
        """Text a node printed."""
        ...

    def payload(self, dispatch_id: str, digest: str) -> Buffer:
        """The archive of a value."""
        ...

    def preview(self, dispatch_id: str, digest: str) -> dict[str, Any]:
        """What can be shown of a value."""
        ...

    def export(self, dispatch_id: str, format: str) -> str:
        """The dispatch as text in a format: `svg`, `mmd`, `dot`, `py` or `html`."""
        ...

    def compare(self, left: str, right: str) -> dict[str, Any]:
        """Two dispatches side by side."""
        ...

    def cancel(self, dispatch_id: str, task_ids: Sequence[int] | None = None) -> str:
        """Ask tasks to stop; returns what to tell the user."""
        ...

    def delete(self, dispatch_ids: Sequence[str]) -> dict[str, Any]:
        """Delete dispatches that are over."""
        ...

    def cached_results(self, search: str = "", offset: int = 0, count: int = 50) -> dict[str, Any]:
        """Part of the list of results that equal calls take over."""
        ...

    def purge_cached_results(self, keys: Sequence[str] | None = None, unused_s: float | None = None) -> int:
        """Drop cached results; returns how many."""
        ...

    def executors(self) -> list[dict[str, Any]]:
        """Every executor, with its settings and how much it has to do."""
        ...

    def executor_health(self, name: str) -> dict[str, Any]:
        """How an executor is."""
        ...

    def test_executor(self, name: str, wait_s: float = 60.0) -> dict[str, Any]:
        """Let an executor run a small task, and wait for its end so long."""
        ...

    def subscribe(self, after: int | None = None) -> FeedReader:
        """Follow the feed."""
        ...

    def attach(self) -> Channel:
        """Offer this process to the executor `kernel`."""
        ...

    def lab_url(self, dispatch_id: str) -> str | None:
        """Where a browser shows the dispatch, if a Jupyter server does."""
        ...

    def close(self) -> None:
        """Release what it holds. Safe to call twice."""
        ...


def whole_stream(connection: Connection, dispatch_id: str, node_id: int, name: str) -> str:
    """Everything a node printed so far; servers tell it in parts."""
    pieces, offset = [], 0
    while True:
        part = connection.stream(dispatch_id, node_id, name, offset)
        pieces.append(part["text"])
        if part["done"] or part["offset"] == offset:
            return "".join(pieces)
        offset = part["offset"]


_lock = threading.Lock()
_open: dict[tuple[int, str], Connection] = {}


def connect(address: str | None = None) -> Connection:
    """The connection for an address, or the one that discovery finds; made once a process.

    Args:
        address: `host:port` or a URL of a Jupyter server; None to discover.

    Raises:
        ServerUnreachableError: Nothing answers at an address that was given or configured.
        ConfigError: The settings cannot be read.
        StoreError: No server runs, and a dispatcher in this process cannot open the store.
    """
    # Heavy parts (urllib3, the dispatcher) are loaded by the first connection, not by the package.
    from covalent_lab.client import discovery

    with _lock:
        key = (os.getpid(), address or "")
        connection = _open.get(key)
        if connection is None:
            _keep_log()
            connection = _open[key] = discovery.discover(Settings.load(), address)
        return connection


def current(address: str | None = None) -> Connection | None:
    """The connection that this process has for an address, if it has any."""
    with _lock:
        return _open.get((os.getpid(), address or ""))


def reconnect(failed: Connection, address: str | None = None) -> Connection:
    """Look again for a dispatcher after a connection broke, e.g. because its server was restarted elsewhere.

    Raises:
        ServerUnreachableError: There is none yet.
    """
    from covalent_lab.client import discovery  # as above

    if failed.url is None:
        raise ServerUnreachableError("the dispatcher in this process", "it has stopped")
    with _lock:
        key = (os.getpid(), address or "")
        if _open.get(key) is not failed and key in _open:
            return _open[key]
        found = discovery.discover(Settings.load(), address, may_start=False)
        failed.close()
        _open[key] = found
        return found


def with_connection(address: str | None, request: Callable[[Connection], _T]) -> _T:
    """Make a request that may be repeated: once more if the server went away, to the one that took its place.

    Raises:
        ServerUnreachableError: There is none.
    """
    connection = connect(address)
    try:
        return request(connection)
    except ServerUnreachableError:
        return request(reconnect(connection, address))


def is_covalent_running() -> bool:
    """Whether a dispatcher answers: the one this process is connected to, or one that a dispatch would find.

    A dispatch works in either case; without a server it starts a dispatcher in its own process, which this never does.

    Raises:
        ConfigError: The settings cannot be read.
    """
    from covalent_lab.client import discovery  # as above

    with _lock:
        known = _open.get((os.getpid(), ""))
    if known is not None and _answers(known):
        return True
    try:
        discovery.discover(Settings.load(), None, may_start=False).close()
    except BackendError:
        return False
    return True


def _keep_log() -> None:
    reader = ConfigReader()
    if reader.value("sdk.enable_logging") == "true":
        folder = Path(reader.value("sdk.log_dir")).absolute()
        log_to_file(folder / "covalent_sdk.log", log_level(reader), is_shared=True)


def _answers(connection: Connection) -> bool:
    try:
        connection.status()
    except BackendError:
        return False
    return True


def disconnect() -> None:
    """Close all connections of this process; a dispatcher in it stops, its unfinished dispatches go on later."""
    with _lock:
        for (pid, _), connection in list(_open.items()):
            if pid == os.getpid():
                connection.close()
        _open.clear()
