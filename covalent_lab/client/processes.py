"""Processes that outlive whoever starts them: begun in a session of their own, waited for, ended."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from covalent_lab.config.background import is_alive, start_time
from covalent_lab.errors import BackendError

__all__ = ["end", "spawn", "wait_until_there"]

_START_S = 90.0
_STOP_S = 30.0
_PROBE_S = 0.05
_NOT_INHERITED = ("COVALENT_LAB_", "COVALENT_DISPATCH_ID", "COVALENT_TASK_ID", "COVALENT_TASKS", "JPY_")
"""What a kernel or a task is told about itself, and a server of its own must not take for its own."""


def spawn(module: str, arguments: Sequence[str], log: Path | None) -> tuple[int, str]:
    """Run a module as a process of a session of its own, which nobody waits for; returns its number and start time.

    Args:
        module: What `python -m` runs.
        arguments: Its command line.
        log: File that what it prints is added to; None drops it.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    output = "/dev/null"
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        output = str(log)
    # -P: the folder this happens to be called in is no place to import modules from.
    command = shlex.join([sys.executable, "-P", "-m", module, *arguments])
    shell = f"{command} </dev/null >>{shlex.quote(output)} 2>&1 & echo $!"
    answer = subprocess.run(
        ["/bin/sh", "-c", shell], check=False, env=environ, capture_output=True, text=True, start_new_session=True
    )
    if answer.returncode or not answer.stdout.strip().isdecimal():
        raise BackendError(f"{module} cannot be started: {answer.stderr.strip() or 'no process number'}.")
    pid = int(answer.stdout)
    return pid, start_time(pid)


def wait_until_there(
    process: tuple[int, str], answer: Callable[[], Mapping[str, Any] | None], what: str, log: Path | None
) -> Mapping[str, Any]:
    """Wait until a process that was spawned has said where it is; it is ended if the wait is given up.

    Args:
        process: What `spawn` returned.
        answer: Reads what it says; None while it says nothing.
        what: How error messages call it.
        log: Its log file, if it has one.

    Raises:
        BackendError: It ended, or took too long. Says what it wrote last.
    """
    until = time.monotonic() + _START_S
    try:
        while time.monotonic() < until:
            said = answer()
            if said is not None and said["pid"] == process[0]:
                return said
            if not is_alive(*process):
                raise BackendError(f"{what} ended at once: {_last_line(log)}")
            time.sleep(_PROBE_S)
        raise BackendError(f"{what} did not answer within {_START_S:g} s: {_last_line(log)}")
    except BaseException:
        end(*process)
        raise


def end(pid: int, start: str) -> None:
    """Ask a process to end, and kill it if it does not."""
    for number, patience in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, 5.0)):
        if not is_alive(pid, start):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + patience
        while is_alive(pid, start) and time.monotonic() < until:
            time.sleep(_PROBE_S)


def _last_line(log: Path | None) -> str:
    if log is None:
        return "it was started without a log file (sdk.enable_logging)."
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")
    return f"{said} (see {log})"
