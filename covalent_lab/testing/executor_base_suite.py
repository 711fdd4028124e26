"""What the suites for executors share: how an executor is made, started, connected and closed."""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from covalent_lab.executor.base import Executor
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Running, started

__all__ = ["ExecutorSuite"]


class ExecutorSuite:
    """Tests on an executor that `make_executor` makes."""

    @abstractmethod
    def make_executor(self) -> Executor:
        """A new executor that is not started; it should run at least two jobs at a time."""

    @pytest.fixture
    def executor(self) -> Executor:
        """What is tested."""
        return self.make_executor()

    @contextlib.asynccontextmanager
    async def connected(self, executor: Executor, folder: Path) -> AsyncIterator[None]:
        """Connect to a started executor what does its jobs, where that does not come by itself."""
        yield

    @contextlib.asynccontextmanager
    async def running(self, executor: Executor, folder: Path, host: FakeHost | None = None) -> AsyncIterator[Running]:
        """A started executor, closed at the end; by default on a host of its own."""
        async with started(executor, host or FakeHost(folder)) as running, self.connected(executor, folder):
            yield running

    def run(self, executor: Executor, folder: Path, scenario: Callable[[Running], Awaitable[None]]) -> FakeHost:
        """Start the executor, play a scenario, close; afterwards no job may have ended twice."""

        async def play() -> FakeHost:
            async with self.running(executor, folder) as running:
                await scenario(running)
            running.host.outcomes()
            return running.host

        return asyncio.run(play())
