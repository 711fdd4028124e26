"""Lets this process run tasks of the executor `kernel`: keeps its connection to the dispatcher.

Decides when to connect and what to do when the connection breaks; tasks are `covalent_lab.kernel`'s.
"""

import contextlib
import functools
import logging
import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from covalent_lab.client.connection import Channel, Connection, current, reconnect, with_connection
from covalent_lab.errors import BackendError
from covalent_lab.graph.model import Graph
from covalent_lab.kernel.identity import label
from covalent_lab.kernel.mainthread import MainThread
from covalent_lab.kernel.messages import unpack
from covalent_lab.kernel.station import Station
from covalent_lab.kernel.table import ValueTable

__all__ = ["attend", "release_kernel_values", "serve_for", "serve_kernel"]

_T = TypeVar("_T")
_EXECUTOR = "kernel"
_READY_S = 30.0
_LONGEST_PAUSE_S = 2.0
_SAME_S = 0.2  # the first attempt is made where the connection was

_log = logging.getLogger(__name__)


def serve_kernel(name: str = "", dispatcher_addr: str | None = None) -> str:
    """Let this kernel (or any other process) run tasks of the executor `kernel`, until it ends.

    Dispatching a workflow with such tasks calls it; call it yourself so that other notebooks can run tasks here, under
    a name. Returns once the dispatcher knows this process. A connection that breaks is made again.

    Args:
        name: What others may call this process, as in `KernelExecutor(kernel=name)`; later calls may change it.
        dispatcher_addr: As for `dispatch`.

    Returns:
        What this process is called: the name; without one the kernel's id, or one that was made up.

    Raises:
        ServerUnreachableError: No dispatcher answers.
        BackendError: The dispatcher does not take the connection.

    Example:
        >>> import covalent_lab as ct
        >>> ct.serve_kernel("gpu")                                       # doctest: +SKIP
        'gpu'
    """
    process = _process(os.getpid())
    return with_connection(dispatcher_addr, lambda connection: process.serve(connection, dispatcher_addr, name))


def serve_for(graph: Graph, dispatcher_addr: str | None) -> None:
    """Serve if a graph has tasks for this process.

    Raises:
        ServerUnreachableError, BackendError: See `serve_kernel`.
    """
    if any(options.executor == _EXECUTOR for options in graph.options):
        serve_kernel(dispatcher_addr=dispatcher_addr)


def release_kernel_values(dispatch_id: str | None = None) -> int:
    """Give up values that tasks of the executor `kernel` left in this process, also those that exist nowhere else.

    Args:
        dispatch_id: Only those of one dispatch; None for all.

    Returns:
        How many there were.
    """
    return _process(os.getpid()).table.forget(None if dispatch_id is None else [dispatch_id], only_copied=False)


def attend(call: Callable[[], _T]) -> _T:
    """Make a call that waits; where this is a main thread that tasks may need, it runs them meanwhile.

    Raises:
        Exception: Whatever the call raises.
    """
    process = _process(os.getpid())
    return process.main.attend(call) if process.links else call()


class _Process:
    """What this process has to offer, and to whom."""

    def __init__(self) -> None:
        self.table = ValueTable(label(""))
        self.main = MainThread()
        self.links: dict[str, _Link] = {}
        self._lock = threading.Lock()

    def serve(self, connection: Connection, address: str | None, name: str) -> str:
        self.main.notice_loop()
        self.table.announce()
        with self._lock:
            while True:
                link = self.links.get(address or "")
                if link is None or link.is_over:
                    link = self.links[address or ""] = _Link(connection, address, self.table, self.main)
                called = link.open(name)
                if called is not None:
                    return called


@functools.lru_cache(1)
def _process(_pid: int) -> _Process:
    return _Process()


class _Link:
    """A connection to one dispatcher, made again when it breaks, until this process disconnects.

    Attributes:
        is_over: Whether it has ended for good.
    """

    def __init__(self, connection: Connection, address: str | None, table: ValueTable, main: MainThread) -> None:
        self._connection = connection
        self._address = address
        self._outgoing: SimpleQueue[bytes] = SimpleQueue()
        self._station = Station(table, main, self._outgoing.put)
        self._channel: Channel | None = None
        self._sees_files = False
        self.is_over = False
        self._was_known = False
        self._is_known = threading.Event()  # set as well when it is over
        self._trouble: BackendError | None = None
        self._thread = threading.Thread(target=self._run, name="covalent-kernel", daemon=True)

    def open(self, name: str) -> str | None:
        """Connect under a name, or tell a new one; waits until the dispatcher knows it. None if it is over by then."""
        if self._thread.ident is None:
            self._station.name = name
            self._thread.start()
            threading.Thread(target=self._send, name="covalent-kernel-news", daemon=True).start()
        elif name and name != self._station.name:
            self._station.name = name
            self._is_known.clear()
            self._outgoing.put(self._station.hello(self._sees_files))
        if not self._is_known.wait(_READY_S):
            raise BackendError(
                f"The dispatcher did not take the connection of this kernel within {_READY_S:g} s. Look at the log of "
                "the Jupyter server."
            )
        if self._trouble is not None:
            raise self._trouble
        return None if self.is_over else label(self._station.name)

    def _run(self) -> None:
        try:
            self._keep_connected()
        finally:
            self.is_over = True
            self._is_known.set()

    def _keep_connected(self) -> None:
        try:
            self._follow()
        except BackendError as error:
            if not self._was_known:
                self._trouble = error
                return
            _log.info("the connection of this kernel to the dispatcher broke: %s", error)
        pause_s = 0.0
        while (connection := current(self._address)) is not None:
            time.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s + 0.1)
            try:
                self._connection = connection if pause_s < _SAME_S else reconnect(connection, self._address)
                self._follow()
                pause_s = 0.0
            except BackendError as error:
                _log.info("this kernel cannot connect to the dispatcher: %s", error)

    def _follow(self) -> None:
        """Take orders while the connection lasts.

        Raises:
            BackendError: It cannot be made, or broke.
        """
        channel = self._connection.attach()
        try:
            for message in channel:
                order, _ = unpack(message)
                if order["do"] == "welcome":
                    self._sees_files = os.path.exists(order["share"])
                    channel.send(self._station.hello(self._sees_files))
                elif order["do"] == "known":
                    self._channel = channel
                    self._station.repeat()
                    self._was_known = True
                    self._is_known.set()
                else:
                    self._obey(message)
        finally:
            self._channel = None
            self._is_known.clear()
            channel.close()

    def _obey(self, message: bytes) -> None:
        try:
            self._station.handle(message)
        except (KeyError, TypeError, ValueError) as error:
            _log.error("this kernel does not understand the dispatcher, which may be of another version: %r", error)

    def _send(self) -> None:
        """Send news; what is lost with a connection is told again by the next."""
        while True:
            message = self._outgoing.get()
            channel = self._channel
            if channel is not None:
                with contextlib.suppress(BackendError):
                    channel.send(message)
