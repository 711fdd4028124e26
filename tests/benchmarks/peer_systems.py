"""Other systems running the same shapes, each with two workers: `python peer_systems.py NAME` prints times as JSON.

This file stands alone, so that it also runs in environments where only the peer is installed. A peer is started
before the clock, and stopped after it; what it does for one shape is what its own documentation shows.
"""

import contextlib
import importlib.util
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any, Protocol

__all__ = ["MODULES", "SHAPES"]

MODULES: Mapping[str, str] = {
    "dask": "distributed",
    "parsl": "parsl",
    "ray": "ray",
    "executorlib": "executorlib",
    "redun": "redun",
    "prefect": "prefect",
}
"""Name of each peer, and the module that must be there."""

SIZE = 100 * 2**20
SHAPES: Mapping[str, tuple[str, int, Any]] = {
    "one task": ("chain", 1, 1),
    "fan 100": ("fan", 100, 5_050),
    "fan 1,000": ("fan", 1_000, 500_500),
    "chain 200": ("chain", 200, 200),
    "100 MB to 1": ("blocks", SIZE, SIZE / 8),
}
"""Name of each shape, the method that runs it, its size, and what it must give."""

RUNS = 5
BUDGET_S = 15.0


class Peer(Protocol):
    """Runs shapes on a system that is up."""

    def fan(self, width: int) -> int:
        """Run independent tasks; returns the sum of their values."""
        ...

    def chain(self, length: int) -> int:
        """Run tasks that each wait for the one before; returns the last value."""
        ...

    def blocks(self, size: int) -> float:
        """Make an array of so many bytes in one task and add it up in another."""
        ...


def add(value: int) -> int:
    """A task that costs nothing."""
    return value + 1


def make_block(size: int) -> Any:
    """Make a large array where the task runs."""
    import numpy as np

    return np.ones(size // 8)


def weigh(block: Any) -> float:
    """Read a large array."""
    return float(block.sum())


class Futures:
    """A peer whose tasks are called, and give handles that can be arguments of others.

    Args:
        call: Starts a task; returns its handle.
        fetch: Waits for the values of handles.
    """

    def __init__(self, call: Callable[..., Any], fetch: Callable[[list[Any]], list[Any]]) -> None:
        self._call, self._fetch = call, fetch

    def fan(self, width: int) -> int:
        """See `Peer`."""
        return sum(self._fetch([self._call(add, index) for index in range(width)]))

    def chain(self, length: int) -> int:
        """See `Peer`."""
        value: Any = 0
        for _ in range(length):
            value = self._call(add, value)
        return int(self._fetch([value])[0])

    def blocks(self, size: int) -> float:
        """See `Peer`."""
        return float(self._fetch([self._call(weigh, self._call(make_block, size))])[0])


def results(futures: list[Any]) -> list[Any]:
    """Wait for futures as the standard library has them."""
    return [future.result() for future in futures]


@contextlib.contextmanager
def dask(folder: str) -> Iterator[Peer]:
    """Two processes of one thread, results by `gather`."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=folder)
    with cluster, Client(cluster) as client:
        yield Futures(lambda task, *values: client.submit(task, *values, pure=False), client.gather)


@contextlib.contextmanager
def parsl(folder: str) -> Iterator[Peer]:
    """Two processes of the high-throughput executor."""
    import parsl as system
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider

    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]  # its own programs
    executor = HighThroughputExecutor(
        address="127.0.0.1", max_workers_per_node=2, encrypted=False, provider=LocalProvider(max_blocks=1)
    )
    with system.load(Config(executors=[executor], run_dir=folder, usage_tracking=0)):
        apps = {task: system.python_app(task) for task in (add, make_block, weigh)}
        yield Futures(lambda task, *values: apps[task](*values), results)


@contextlib.contextmanager
def ray(folder: str) -> Iterator[Peer]:
    """One node of two processors, without its dashboard."""
    import ray as system

    system.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        remotes = {task: system.remote(task) for task in (add, make_block, weigh)}
        yield Futures(lambda task, *values: remotes[task].remote(*values), system.get)
    finally:
        system.shutdown()


@contextlib.contextmanager
def executorlib(folder: str) -> Iterator[Peer]:
    """Two processes that are kept."""
    from executorlib import SingleNodeExecutor

    with SingleNodeExecutor(max_workers=2, block_allocation=True) as executor:
        yield Futures(executor.submit, results)


@contextlib.contextmanager
def prefect(folder: str) -> Iterator[Peer]:
    """A server on SQLite; threads run tasks, whose results are kept."""
    port = 42_000 + os.getpid() % 20_000
    url = f"http://127.0.0.1:{port}/api"
    os.environ |= {
        "PREFECT_HOME": folder,
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        import httpx
        from prefect import flow, task
        from prefect.futures import wait

        until = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            except httpx.HTTPError:
                if time.monotonic() > until or server.poll() is not None:
                    raise
            time.sleep(0.1)
        tasks = {function: task(function, persist_result=True) for function in (add, make_block, weigh)}

        def fetch(futures: list[Any]) -> list[Any]:
            wait(futures)
            return results(futures)

        inner = Futures(lambda function, *values: tasks[function].submit(*values), fetch)
        yield _Flows(inner, flow)
    finally:
        server.terminate()
        server.wait(30)


class _Flows:
    """Shapes inside functions that a decorator made workflows of."""

    def __init__(self, inner: Peer, flow: Callable[..., Any]) -> None:
        @flow
        def fan(width: int) -> int:
            return inner.fan(width)

        @flow
        def chain(length: int) -> int:
            return inner.chain(length)

        @flow
        def blocks(size: int) -> float:
            return inner.blocks(size)

        self.fan, self.chain, self.blocks = fan, chain, blocks


class _Redun:
    """Expressions of redun; a salt keeps it from taking over what it computed before."""

    def __init__(self, folder: str) -> None:
        from redun import Scheduler, task
        from redun.config import Config

        def salted(function: Callable[[Any], Any]) -> Any:
            def run(value: Any, salt: int) -> Any:
                return function(value)

            return task(name=function.__name__, namespace="bench", version="1")(run)

        @task(name="total", namespace="bench", version="1")
        def total(values: list[int]) -> int:
            return sum(values)

        self._add, self._make, self._weigh = salted(add), salted(make_block), salted(weigh)
        self._total = total
        self._salts = itertools.count()
        executors = {"executors.default": {"type": "local", "mode": "thread", "max_workers": "2"}}
        self._scheduler = Scheduler(config=Config({"backend": {"db_uri": f"sqlite:///{folder}/redun.db"}, **executors}))
        self._scheduler.load()

    def fan(self, width: int) -> int:
        salt = next(self._salts)
        return int(self._scheduler.run(self._total([self._add(index, salt) for index in range(width)])))

    def chain(self, length: int) -> int:
        salt, value = next(self._salts), 0
        for _ in range(length):
            value = self._add(value, salt)
        return int(self._scheduler.run(value))

    def blocks(self, size: int) -> float:
        salt = next(self._salts)
        return float(self._scheduler.run(self._weigh(self._make(size, salt), salt)))


@contextlib.contextmanager
def redun(folder: str) -> Iterator[Peer]:
    """A scheduler in this process on SQLite; two threads run tasks."""
    import logging

    sys.setrecursionlimit(20_000)  # an expression of 200 calls is deeper than the default
    logging.getLogger("redun").setLevel(logging.ERROR)
    yield _Redun(folder)


SYSTEMS: Mapping[str, Callable[[str], Any]] = {
    "dask": dask,
    "parsl": parsl,
    "ray": ray,
    "executorlib": executorlib,
    "prefect": prefect,
    "redun": redun,
}


def measure(name: str) -> dict[str, Any]:
    """Times in seconds of every shape that the peer can run, and its version; errors go to standard error."""
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, SYSTEMS[name](folder) as peer:
        for shape, (method, size, expected) in SHAPES.items():
            try:
                times[shape] = _repeated(partial(getattr(peer, method), size), expected)
            except Exception as error:  # noqa: BLE001 - the other shapes are still worth knowing
                print(f"{name}, {shape}: {type(error).__name__}: {error}", file=sys.stderr)
    medians = {shape: statistics.median(values) for shape, values in times.items()}
    return {"version": version(MODULES[name]), "seconds": medians}


def _repeated(run: Callable[[], object], expected: object) -> list[float]:
    """Times of several runs after one to warm up, or of that one where there is no time for more.

    Raises:
        RuntimeError: It gave another result than it must.
    """
    values: list[float] = []
    while len(values) <= RUNS and sum(values) < BUDGET_S:
        began = time.perf_counter()
        value = run()
        values.append(time.perf_counter() - began)
        if value != expected:
            raise RuntimeError(f"expected {expected}, got {value}")
    return values[1:] or values


def main() -> None:
    """Print what a peer takes, or nothing where it is not installed."""
    [name] = sys.argv[1:]
    if importlib.util.find_spec(MODULES[name]) is None:
        return
    found = measure(name)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
