"""Who owns a dispatch: names of dispatchers, and whether the process behind a name still runs.

A name is `host:pid:start:random`; the start time tells a process from a later one that got its number.
"""

import os
import platform
import secrets
from collections.abc import Sequence
from pathlib import Path

__all__ = ["new_owner", "split_owners"]


def new_owner() -> str:
    """A name for a dispatcher in this process."""
    pid = os.getpid()
    return f"{platform.node()}:{pid}:{_start_time(pid)}:{secrets.token_hex(4)}"


def split_owners(owners: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Those known to run, and those known to be gone; owners elsewhere, and unreadable names, are in neither."""
    running: list[str] = []
    gone: list[str] = []
    for owner in owners:
        host, pid, start, _ = ("", "", "", "", *owner.rsplit(":", 3))[-4:]
        if not owner:
            gone.append(owner)
        elif host == platform.node() and pid.isdecimal():
            (running if _is_running(int(pid), start) else gone).append(owner)
    return running, gone


def _is_running(pid: int, start: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _start_time(pid) == start


def _start_time(pid: int) -> str:
    """Kernel's start time of a process; empty where that cannot be read (then the pid alone decides)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    # A zombie (state Z) has ended; only its parent has not noticed.
    return "" if fields[0] == "Z" else fields[19]
