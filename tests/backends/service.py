"""A program that serves something for as long as tests need it."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

__all__ = ["serving"]


@contextmanager
def serving(command: Sequence[str], ready: str, env: Mapping[str, str] | None = None) -> Iterator[re.Match[str]]:
    """Run a program until the block ends.

    Args:
        command: Program and arguments; it stays in the foreground.
        ready: Pattern of the line, of either stream, by which it says that it serves; the block gets the match.
        env: Variables to add to the environment.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            found = re.search(ready, line)
            if found:
                break
        else:
            raise RuntimeError(f"{command[0]} did not start: {''.join(said)}")
        with subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL):  # so that it never blocks
            try:
                yield found
            finally:
                process.terminate()
                process.wait(timeout=30)
    finally:
        process.kill()
        process.communicate()
