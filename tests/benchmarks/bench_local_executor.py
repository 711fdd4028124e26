"""Speed of the local executor alone: `python tests/benchmarks/bench_local_executor.py [workers] [jobs]`."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from covalent_lab import payload
from covalent_lab.executor.base import JobFinished, JobSpec, JobStatus, JobUpdate, PayloadSource
from covalent_lab.executor.registry import load
from covalent_lab.ids import AttemptId, DispatchId, NodeId
from covalent_lab.testing.fakes import FakeHost


class CountingHost(FakeHost):
    """Counts ends instead of keeping every report."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.left = 0
        self.done = asyncio.Event()

    def report(self, update: JobUpdate) -> None:
        if isinstance(update, JobFinished):
            assert update.outcome.status is JobStatus.COMPLETED, update.outcome
            self.left -= 1
            if not self.left:
                self.done.set()


def source(value: Any) -> PayloadSource:
    found = payload.encode(value)
    return PayloadSource(ref=found.ref, data=found.tobytes())


def spec(number: int, function: PayloadSource, *args: PayloadSource) -> JobSpec:
    return JobSpec(
        attempt_id=AttemptId(f"bench:{number}:1"),
        dispatch_id=DispatchId("bench"),
        node_id=NodeId(number),
        attempt=1,
        name="task",
        function=function,
        args=args,
    )


def nothing() -> None:
    """A task that costs nothing."""


def say(text: str) -> str:
    """A task that prints."""
    print(text)
    return text


def megabytes(count: int) -> bytearray:
    """A task with a large output."""
    return bytearray(count << 20)


async def run(executor: Any, host: CountingHost, specs: list[JobSpec]) -> float:
    host.left = len(specs)
    begin = time.perf_counter()
    await executor.submit(specs)
    await host.done.wait()
    host.done.clear()
    return time.perf_counter() - begin


async def main(workers: int, jobs: int) -> None:
    by_value: Callable[[Any], PayloadSource] = source
    with tempfile.TemporaryDirectory() as folder:
        host = CountingHost(Path(folder))
        executor = load("local")(workers=workers)
        await executor.start(host)
        empty, loud = by_value(nothing), by_value(say)
        print(f"first task after start     {await run(executor, host, [spec(0, empty)]) * 1e3:10.1f} ms")
        await run(executor, host, [spec(n, empty) for n in range(200)])
        times = sorted([await run(executor, host, [spec(n, empty)]) for n in range(2000)])
        print(f"round trip p50             {statistics.median(times) * 1e6:10.0f} µs")
        print(f"round trip p99             {times[int(len(times) * 0.99)] * 1e6:10.0f} µs")
        for name, function, args in (("no-op", empty, ()), ("printing", loud, (by_value("hello"),))):
            rates = [
                jobs / await run(executor, host, [spec(n, function, *args) for n in range(jobs)]) for _ in range(3)
            ]
            print(f"{name + ' jobs':<26} {max(rates):10.0f} /s   (best of 3, {workers} workers)")
        large = by_value(megabytes)
        taken = await run(executor, host, [spec(0, large, by_value(64))])
        print(f"output of 64 MiB           {taken * 1e3:10.0f} ms")
        await executor.close()


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers + [2, 10_000][len(numbers) :])))
