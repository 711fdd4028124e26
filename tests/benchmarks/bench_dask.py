"""A fan on a Dask cluster, through the server, beside the same fan given to Dask itself: part of `make bench`.

Both use one `LocalCluster`. Dask forgets its results; here each task has a process that can be killed, its output, its
streams and its states are recorded, and values travel as they do between machines.
"""

import os
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import cloudpickle
from figures import Figure
from timing import Meter, resident, timed

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer

__all__ = ["measure"]

_WORKERS = 2

cloudpickle.register_pickle_by_value(sys.modules[__name__])


def nothing(number: int) -> int:
    """A task that costs nothing."""
    return number


def measure(server: LiveServer, folder: Path, tasks: int, runs: int) -> Iterator[Figure]:
    """Time a fan of tasks that cost nothing, here and there in turn, after a run of each to warm up.

    Args:
        server: The server that this process finds.
        folder: For what workers write.
        tasks: How many.
        runs: How often.
    """
    import dask
    from distributed import Client, LocalCluster

    given = {"n_workers": _WORKERS, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**given, local_directory=str(folder), scheduler_kwargs={"allowed_failures": 0}) as cluster:
        on_dask = ct.executor.DaskExecutor(cluster.scheduler_address)
        ours = ct.electron(nothing, executor=on_dask)
        theirs = dask.delayed(nothing, pure=False)

        @ct.lattice
        def fan(width: int) -> list[int]:
            return [ours(number) for number in range(width)]

        def by_us() -> None:
            _check(ct.dispatch_sync(fan)(tasks).result, tasks)

        with Client(cluster) as client:

            def by_dask() -> None:
                _check(client.gather(client.compute([theirs(number) for number in range(tasks)])), tasks)

            meter = Meter(server=server.process.pid, client=os.getpid())
            memory = resident(server.process.pid)
            values: list[float] = []
            floors: list[float] = []
            for number in range(runs + 1):
                meter.reset()
                spent = (timed(by_us)[0], timed(by_dask)[0])
                if number:
                    values.append(spent[0])
                    floors.append(spent[1])
                else:
                    more = meter.spent()
        floor = statistics.median(floors)
        yield Figure(name=f"dask: fan {tasks:,}", values=values, target=floor / 0.8, floor=floor, more={"tasks": tasks})
        if "server_peak_mib" in more:
            grown = more["server_peak_mib"] - memory
            yield Figure(name="· server memory at the peak", values=[grown], unit="MiB")


def _check(found: object, tasks: int) -> None:
    if found != list(range(tasks)):
        raise RuntimeError(f"expected the numbers below {tasks}, got {str(found)[:200]}")
