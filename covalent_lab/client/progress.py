"""A bar that shows how many tasks are done while somebody waits for a dispatch.

Decides whether there is a screen to show it on, and when it appears; drawing is left to tqdm.
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from covalent_lab.config.reader import ConfigReader

__all__ = ["ProgressBar"]

_INTERVAL_S = 1.0


class ProgressBar:
    """Appears once waiting has taken a second. Use it as a context manager.

    Args:
        is_wanted: Whether it may appear at all.
        clock: Tells the time in seconds.
    """

    def __init__(self, is_wanted: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._is_wanted = is_wanted
        self._clock = clock
        self._began = clock()
        self._bar: Any = None

    @classmethod
    def make(cls, progress: bool | None) -> Self:
        """A bar as the argument of `get_result` says; None: if `sdk.progress` is set, and there is a screen."""
        return cls(_is_screen() and ConfigReader().value("sdk.progress") == "true" if progress is None else progress)

    @property
    def interval_s(self) -> float | None:
        """How often it wants to be told, in seconds; None for never."""
        return _INTERVAL_S if self._is_wanted else None

    def show(self, detail: Mapping[str, Any]) -> None:
        """Draw how a dispatch stands, as the server tells it; empty if nothing is known."""
        if not self._is_wanted or not detail or (self._bar is None and self._clock() - self._began < _INTERVAL_S):
            return
        if self._bar is None:
            from tqdm.auto import tqdm  # heavy, and only a long wait needs it

            done = detail["completed"]  # does not count for the speed, which is measured from now on
            self._bar = tqdm(desc=detail["name"], total=detail["total"], initial=done, unit="task", mininterval=0)
        self._bar.n = detail["completed"]
        counts = {name: detail[name] for name in ("failed", "cancelled") if detail[name]}
        self._bar.set_postfix(counts, refresh=False)
        self._bar.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _is_screen() -> bool:
    """Whether people see what is written to stderr: a terminal, or a notebook. Does not load IPython."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        return True
    return sys.stderr is not None and sys.stderr.isatty()
