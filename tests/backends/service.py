"""A program that serves something for as long as tests need it."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

__all__ = ["Service", "serving"]


class Service:
    """A program that is started and stopped, perhaps several times."""

    def __init__(self, command: Sequence[str], ready: str, env: Mapping[str, str] | None = None) -> None:
        """Start nothing yet.

        Args:
            command: Program and arguments; it stays in the foreground.
            ready: Pattern of the line, of either stream, by which it says that it serves.
            env: Variables to add to the environment.
        """
        self._command, self._ready, self._env = command, ready, {**os.environ, **(env or {})}
        self._process: subprocess.Popen[str] | None = None
        self._drain: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> re.Match[str]:
        """Start it; returns the match once it serves."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=self._env
        )
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            found = re.search(self._ready, line)
            if found:
                # so that it never blocks
                self._drain = subprocess.Popen(["cat"], stdin=self._process.stdout, stdout=subprocess.DEVNULL)
                return found
        self.stop()
        raise RuntimeError(f"{self._command[0]} did not start: {''.join(said)}")

    def stop(self) -> None:
        """End it; harmless when repeated."""
        if self._process is None:
            return
        try:
            self._process.terminate()
            self._process.wait(timeout=120)
        finally:
            self._process.kill()
            if self._drain is not None:
                self._drain.kill()  # processes that this one left may write on
                self._drain.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()
            self._process.wait()
            self._process = self._drain = None


@contextmanager
def serving(command: Sequence[str], ready: str, env: Mapping[str, str] | None = None) -> Iterator[re.Match[str]]:
    """Run a program until the block ends; the block gets the match. See `Service`."""
    service = Service(command, ready, env)
    try:
        yield service.start()
    finally:
        service.stop()
