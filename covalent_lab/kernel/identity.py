"""Who this process is, to those who want their tasks run in it."""

import functools
import os
import platform
import secrets
import sys
from pathlib import Path
from typing import Any

__all__ = ["describe", "kernel_id", "label", "process_id"]


def process_id() -> str:
    """A name that no other process has, and no later one: a restarted kernel has another."""
    return _made_for(os.getpid())


@functools.lru_cache(1)
def _made_for(pid: int) -> str:
    return secrets.token_hex(8)


def kernel_id() -> str:
    """The id under which Jupyter knows this kernel, empty if it is none; a restart keeps it."""
    kernelapp = sys.modules.get("ipykernel.kernelapp")
    if kernelapp is None or not kernelapp.IPKernelApp.initialized():
        return ""
    return Path(str(kernelapp.IPKernelApp.instance().connection_file)).stem.removeprefix("kernel-")


def describe(name: str) -> dict[str, Any]:
    """What this process says of itself when it connects.

    Args:
        name: What its user calls it; empty for nothing.
    """
    return {
        "process": process_id(),
        "kernel": kernel_id(),
        "notebook": os.environ.get("JPY_SESSION_NAME", "") if kernel_id() else "",
        "name": name,
        "pid": os.getpid(),
        "hostname": platform.node(),
    }


def label(name: str) -> str:
    """How messages call this process, whose user calls it `name`."""
    return name or kernel_id() or process_id()
