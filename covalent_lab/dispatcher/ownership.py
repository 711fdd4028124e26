"""Who owns a dispatch: names of dispatchers, and whether the process behind a name still runs.

A name is `host:pid:start:random`; the start time tells a process from a later one that got its number.
"""

import os
import platform
import secrets
from collections.abc import Sequence

from covalent_lab.config.background import is_alive, start_time

__all__ = ["new_owner", "split_owners"]


def new_owner() -> str:
    """A name for a dispatcher in this process."""
    pid = os.getpid()
    return f"{platform.node()}:{pid}:{start_time(pid)}:{secrets.token_hex(4)}"


def split_owners(owners: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Those known to run, and those known to be gone; owners elsewhere, and unreadable names, are in neither."""
    running: list[str] = []
    gone: list[str] = []
    for owner in owners:
        host, pid, start, _ = ("", "", "", "", *owner.rsplit(":", 3))[-4:]
        if not owner:
            gone.append(owner)
        elif host == platform.node() and pid.isdecimal():
            (running if is_alive(int(pid), start) else gone).append(owner)
    return running, gone
