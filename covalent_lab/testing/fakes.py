"""Stand-ins for the parts that talk to each other: the host an executor reports to.

They keep the real parts' contracts, and let a test wait for what happens instead of sleeping.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from covalent_lab.executor.base import JobFinished, JobStarted, JobUpdate, Outcome
from covalent_lab.ids import AttemptId

__all__ = ["FakeHost"]


class FakeHost:
    """An `ExecutorHost` on a folder that remembers every report.

    Attributes:
        updates: All reports in order.
    """

    def __init__(self, folder: Path, inline_limit: int = 65_536) -> None:
        """Make the folders of a host below `folder`."""
        self.updates: list[JobUpdate] = []
        self._inline_limit = inline_limit
        self._work_dir, self._payload_dir = folder / "work", folder / "payloads"
        for path in (self._work_dir, self._payload_dir):
            path.mkdir(parents=True, exist_ok=True)
        self._changed = asyncio.Event()

    @property
    def inline_limit(self) -> int:
        """See `ExecutorHost`."""
        return self._inline_limit

    @property
    def work_dir(self) -> str:
        """See `ExecutorHost`."""
        return str(self._work_dir)

    @property
    def payload_dir(self) -> str:
        """See `ExecutorHost`."""
        return str(self._payload_dir)

    def payload_path(self, digest: str) -> str:
        """See `ExecutorHost`."""
        return os.path.join(self.payload_dir, digest[:2], digest)

    def report(self, update: JobUpdate) -> None:
        """See `ExecutorHost`."""
        self.updates.append(update)
        self._changed.set()

    def outcomes(self) -> dict[AttemptId, Outcome]:
        """How each finished job ended.

        Raises:
            AssertionError: A job was reported finished twice.
        """
        found: dict[AttemptId, Outcome] = {}
        for update in self.updates:
            if isinstance(update, JobFinished):
                assert update.attempt_id not in found, f"{update.attempt_id} was reported finished twice"
                found[update.attempt_id] = update.outcome
        return found

    def started(self) -> dict[AttemptId, JobStarted]:
        """The last start of each job."""
        return {update.attempt_id: update for update in self.updates if isinstance(update, JobStarted)}

    async def until(self, is_reached: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until a condition on the reports holds.

        Raises:
            TimeoutError: It did not in time.
        """
        async with asyncio.timeout(timeout_s):
            while not is_reached():
                self._changed.clear()
                await self._changed.wait()

    async def finished(self, attempt_id: AttemptId, timeout_s: float = 30.0) -> Outcome:
        """Wait for the last word on a job.

        Raises:
            TimeoutError: It did not come in time.
        """
        await self.until(lambda: attempt_id in self.outcomes(), timeout_s)
        return self.outcomes()[attempt_id]
