"""Stop a process for a moment, again and again, as a scheduler may: any one of those that a process started (Linux)."""

import contextlib
import os
import random
import signal
import sys
import time

__all__ = ["main"]

_GAP_S = 0.05
_LONGEST_S = (0.005, 0.02, 0.1, 0.3, 0.8)


def status(pid: int) -> tuple[int, str, str] | None:
    """Parent, state and time of start of a process, None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), fields[0], fields[19]


def descendants(root: int) -> dict[int, str]:
    """The processes below one that are not stopped already, and when each was started."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    every = {pid: found for pid in pids if (found := status(pid))}
    found = {}
    for pid, (_, state, began) in every.items():
        at = pid
        while at not in {0, 1, root}:
            at = every[at][0] if at in every else 0
        if at == root and pid not in {root, os.getpid()} and state in "RSD":
            found[pid] = began
    return found


def main(root: int, seed: str) -> None:
    """Go on until the process whose children are hindered is gone."""
    chance = random.Random(seed)
    while os.path.exists(f"/proc/{root}"):
        time.sleep(chance.expovariate(1 / _GAP_S))
        below = descendants(root)
        if not below:
            continue
        pid = chance.choice(sorted(below))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            try:
                # the pause itself, as the gaps between pauses: nothing waits for these
                time.sleep(chance.choice(_LONGEST_S) * chance.random())
            finally:
                if (now := status(pid)) and now[2] == below[pid]:
                    os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
