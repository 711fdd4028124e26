"""Executors that are stopped, or get other settings, while they start or close."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from dispatcher_bench import settings_of

from covalent_lab.dispatcher.runner import Runner
from covalent_lab.executor.base import Executor, ExecutorHost
from covalent_lab.store.blobs import BlobDir
from covalent_lab.testing.fakes import FakeExecutor


class SlowExecutor(FakeExecutor):
    """One whose verbs wait until the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.is_closing, self.goes_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.closings = 0
        self.closes_slowly = False

    async def start(self, host: ExecutorHost) -> None:
        """Wait."""
        self.begun.set()
        if not self.closes_slowly:
            await self.goes_on.wait()
        await super().start(host)

    async def close(self) -> None:
        """Wait the first time, if that is asked for."""
        self.closings += 1
        self.is_closing.set()
        if self.closes_slowly and self.closings == 1:
            await self.goes_on.wait()
        await super().close()


def go(
    tmp_path: Path,
    work: Callable[[Runner], Awaitable[None]],
    create: Callable[[str, Mapping[str, Any]], Executor],
) -> None:
    """Run a runner that is closed at the end."""

    async def limited() -> None:
        runner = Runner(
            settings_of(tmp_path), BlobDir(tmp_path), lambda update: None, lambda attempt, handle: None, create
        )
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            runner.start(group)
            await work(runner)
            await runner.close()

    asyncio.run(limited())


def test_an_executor_that_is_still_starting_is_closed(tmp_path: Path) -> None:
    """What it has acquired by then does not stay."""
    executors: list[SlowExecutor] = []

    def create(name: str, values: Mapping[str, Any]) -> Executor:
        executors.append(SlowExecutor())
        return executors[-1]

    async def work(runner: Runner) -> None:
        runner.warm_up("slow")
        await asyncio.sleep(0)
        await executors[0].begun.wait()

    go(tmp_path, work, create)
    assert [executor.is_closed for executor in executors] == [True]


def test_settings_that_change_while_an_executor_starts_are_used(tmp_path: Path) -> None:
    """It is started anew with them, as one that has started already."""
    executors: list[SlowExecutor] = []
    used: list[Mapping[str, Any]] = []

    def create(name: str, values: Mapping[str, Any]) -> Executor:
        used.append(values)
        executors.append(SlowExecutor())
        if len(executors) > 1:
            executors[-1].goes_on.set()
        return executors[-1]

    async def work(runner: Runner) -> None:
        runner.warm_up("slow")
        await asyncio.sleep(0)
        await executors[0].begun.wait()
        runner.configure("slow", {"workers": 2})
        executors[0].goes_on.set()
        await executors[0].is_closing.wait()
        await runner.check("slow")

    go(tmp_path, work, create)
    assert used == [{}, {"workers": 2}]
    assert [executor.is_closed for executor in executors] == [True, True]


def test_an_executor_that_is_just_being_replaced_is_closed_to_the_end(tmp_path: Path) -> None:
    """Also if the dispatcher stops at that moment."""
    executors: list[SlowExecutor] = []

    def create(name: str, values: Mapping[str, Any]) -> Executor:
        executors.append(SlowExecutor())
        executors[-1].closes_slowly = True
        return executors[-1]

    async def work(runner: Runner) -> None:
        await runner.check("slow")
        runner.configure("slow", {"workers": 2})
        await executors[0].is_closing.wait()

    go(tmp_path, work, create)
    assert [executor.is_closed for executor in executors] == [True]
