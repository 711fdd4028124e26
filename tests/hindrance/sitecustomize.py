"""What arrives at an event loop arrives late, by chance: orders of events that a quiet machine never shows.

Python imports this file at its start where the folder is on `PYTHONPATH`, so the processes that a test starts are
hindered as well. Nothing happens without `HINDRANCE=<seed>` in the environment.
"""

import os
import random
import selectors
import sys
import time
from collections.abc import Callable

__all__ = ["delay_s", "late"]

_LONG, _SHORT = 0.05, 0.2
"""Share of events that come up to 0.25 s late, and of those that come late at all."""


def delay_s(chance: random.Random) -> float:
    """How late the next event is: mostly not at all."""
    share = chance.random()
    if share < _LONG:
        return chance.uniform(0.02, 0.25)
    return chance.uniform(0, 0.015) if share < _SHORT else 0.0


def late(draw: Callable[[], float]) -> type[selectors.BaseSelector]:
    """A selector that keeps back, for as long as `draw` says, that a file is ready."""

    class LateSelector(selectors.DefaultSelector):
        """The platform's, later."""

        def __init__(self) -> None:
            super().__init__()
            self._until: dict[int, float] = {}

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            """Those files that are ready, and have been for their time."""
            end = None if timeout is None else time.monotonic() + max(timeout, 0)
            while True:
                ready = super().select(None if end is None else max(end - time.monotonic(), 0))
                now = time.monotonic()
                due = [found for found in ready if now >= self._until.setdefault(found[0].fd, now + draw())]
                for key, _ in due:
                    del self._until[key.fd]
                if due or (end is not None and now >= end):
                    return due
                time.sleep(0.0005)  # what is kept back stays ready: asking again at once would keep the processor busy

    return LateSelector


if seed := os.environ.get("HINDRANCE"):
    _chance = random.Random(f"{seed} {' '.join(sys.orig_argv)}")
    # mypy takes it for a class that cannot be replaced; every event loop looks it up when it is made
    selectors.DefaultSelector = late(lambda: delay_s(_chance))  # type: ignore[misc,assignment]
    sys.setswitchinterval(0.0005)  # threads take turns ten times as often
