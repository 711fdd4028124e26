"""Background processes: the private file in which one says where it is, and whether it still runs.

A process is known by its number and its start time, which tells it from a later one that got the same number.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["is_alive", "read_record", "start_time", "write_private", "write_record"]


def start_time(pid: int) -> str:
    """Kernel's start time of a process; empty where that cannot be read, or if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    # A zombie (state Z) has ended; only its parent has not noticed.
    return "" if fields[0] == "Z" else fields[19]


def is_alive(pid: int, start: str) -> bool:
    """Whether the process still runs that had this number and this start time (then: empty if it is not known)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return start_time(pid) == start


def write_record(path: Path, form: Mapping[str, Any]) -> None:
    """Say where this process is.

    Args:
        path: File that only this user can read.
        form: What is said, JSON-able; number and start time of this process are added.

    Raises:
        OSError: The file cannot be written.
    """
    pid = os.getpid()
    write_private(path, json.dumps({"pid": pid, "start": start_time(pid), **form}))


def read_record(path: Path) -> dict[str, Any] | None:
    """What a process said with `write_record`; None if it does not run any more, or never did."""
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        pid = int(form["pid"])
        alive = is_alive(pid, str(form.get("start", start_time(pid))))  # older versions gave the number only
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(form) if alive else None


def write_private(path: Path, text: str) -> None:
    """Write a file that is never seen half-written, nor by other users.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
