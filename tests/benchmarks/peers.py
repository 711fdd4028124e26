"""Peers beside our own figures: each in a process of its own, with the first interpreter that has it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from figures import NAME_WIDTH, RESULTS, shown
from peer_systems import MODULES, SHAPES

__all__ = ["PEERS", "measure"]

PEERS = tuple(MODULES)
_LIMIT_S = 300.0


def measure(names: str, interpreters: Sequence[str]) -> Mapping[str, Any]:
    """Time peers, print a line for each, and return what they told.

    Args:
        names: Separated by commas, or `all`.
        interpreters: Where to look for them.

    Raises:
        ValueError: There is no such peer.
    """
    chosen = PEERS if names == "all" else names.split(",")
    if unknown := [name for name in chosen if name not in PEERS]:
        raise ValueError(f"no peer {unknown[0]!r}; there are {', '.join(PEERS)}")
    print(f"{'':{NAME_WIDTH}}" + "".join(f"{shape:>14}" for shape in SHAPES))
    found: dict[str, Any] = {}
    for name in chosen:
        told = _ask(name, interpreters)
        if isinstance(told, str):
            print(f"{name:{NAME_WIDTH}}{told}", flush=True)
            continue
        found[name] = told
        cells = "".join(
            f"{shown(told['seconds'][shape]) if shape in told['seconds'] else 'failed':>14}" for shape in SHAPES
        )
        print(f"{name + ' ' + told['version']:{NAME_WIDTH}}{cells}", flush=True)
    return found


def _ask(name: str, interpreters: Sequence[str]) -> dict[str, Any] | str:
    """What a peer told, or why there is nothing."""
    program = str(Path(__file__).with_name("peer_systems.py"))
    log = RESULTS / f"peer-{name}.log"
    for interpreter in interpreters:
        with log.open("w", encoding="utf-8") as errors:
            try:
                answer = subprocess.run(
                    [interpreter, program, name],
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    timeout=_LIMIT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"skipped: not done after {_LIMIT_S:.0f} s"
        if answer.returncode:
            return f"skipped: it failed, see {log.name}"
        lines = answer.stdout.splitlines()
        if lines:
            told: dict[str, Any] = json.loads(lines[-1])
            return told
    return "skipped: not installed"
