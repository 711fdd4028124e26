"""A process that offers itself to a kernel executor, and the executor's end of the connection, for tests.

The process runs what kernels run (`covalent_lab.client.serving`); only the connection is a plain socket, so that no
server is needed.
"""

import asyncio
import contextlib
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from covalent_lab.errors import ServerUnreachableError
from covalent_lab.executor.base import Executor, Line

_LENGTH = struct.Struct(">Q")


class _Channel:
    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._reader = self._socket.makefile("rb")

    def __iter__(self) -> Iterator[bytes]:
        try:
            while len(head := self._reader.read(_LENGTH.size)) == _LENGTH.size:
                yield self._reader.read(*_LENGTH.unpack(head))
        except OSError as error:  # as a reset is told, where something was not read yet
            raise ServerUnreachableError("the hub", str(error)) from error

    def send(self, message: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(_LENGTH.pack(len(message)) + message)

    def close(self) -> None:
        self._socket.close()


class _Connection:
    url = None

    def __init__(self, path: str) -> None:
        self._path = path

    def attach(self) -> _Channel:
        return _Channel(self._path)


def _main(path: str, name: str) -> None:
    from covalent_lab.client import serving

    connection: Any = _Connection(path)
    serving.current = serving.reconnect = lambda *_: connection  # type: ignore[assignment]
    serving.with_connection = lambda _, request: request(connection)  # type: ignore[assignment]
    serving.serve_kernel(name)
    serving.attend(sys.stdin.read)  # until the test lets it go


class Hub:
    """Where processes connect, and the executor that they are introduced to."""

    def __init__(self, executor: Executor, folder: Path) -> None:
        self.executor = executor
        self.path = str(folder / "hub")
        self.greeted: asyncio.Queue[None] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._peers: list[subprocess.Popen[bytes]] = []

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def start_peer(self, name: str = "peer") -> subprocess.Popen[bytes]:
        """A process that has said who it is."""
        peer = await asyncio.to_thread(self._start, name)
        await asyncio.wait_for(self.greeted.get(), 120)
        return peer

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        self._peers.append(subprocess.Popen([sys.executable, __file__, self.path, name], stdin=subprocess.PIPE))
        return self._peers[-1]

    def drop(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def close(self) -> None:
        """End all processes."""
        assert self._server is not None
        self._server.close()
        for peer in self._peers:
            peer.kill()
            assert peer.stdin is not None
            peer.stdin.close()
            await asyncio.to_thread(peer.wait)
        self.drop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)

        def to_peer(message: bytes | None) -> None:
            if message is None:
                writer.close()
            else:
                writer.write(_LENGTH.pack(len(message)) + message)

        from_peer: Line = await self.executor.admit(to_peer)
        is_first = True
        try:
            while True:
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                from_peer(await reader.readexactly(length))
                if is_first:
                    is_first = False
                    self.greeted.put_nowait(None)
        except (asyncio.IncompleteReadError, OSError):
            from_peer(None)
        finally:
            writer.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
