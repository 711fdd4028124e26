"""Timing of dispatches: through HTTP to a real server, durable, from `dispatch` until the result is there."""

import os
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

from figures import Figure
from floor import Floor
from shapes import SHAPES, Shape
from timing import Meter, resident, timed

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer

__all__ = ["measure", "redispatched", "run_once"]


_METERED = 3


def run_once(shape: Shape) -> str:
    """Dispatch a shape and wait for its result; returns its id.

    Raises:
        RuntimeError: The workflow gave another result than it must.
    """
    return _checked(shape, ct.dispatch_sync(shape.lattice)(*shape.arguments))


def _run_in_steps(shape: Shape) -> str:
    """The same by `dispatch` and `get_result`, which are two requests."""
    return _checked(shape, ct.get_result(ct.dispatch(shape.lattice)(*shape.arguments), wait=True))


def _checked(shape: Shape, result: ct.Result) -> str:
    if result.result != shape.expected:
        raise RuntimeError(f"expected {shape.expected!r}, got {result.result!r}")
    return result.dispatch_id


def measure(name: str, server: LiveServer, floor: Floor, folder: Path, runs: int, budget_s: float) -> Iterator[Figure]:
    """Time one shape and its floor in turn, after a run of each to warm up.

    Args:
        name: In the table of shapes.
        server: The server that this process finds.
        floor: Beside it.
        folder: Where the server keeps its files.
        runs: How often; less often where that takes too long, but once at least.
        budget_s: What is too long, in seconds.
    """
    shape = SHAPES[name]
    files, memory = _files(folder), resident(server.process.pid)
    run_once(shape)
    shape.floor(floor)
    meter = Meter(server=server.process.pid, client=os.getpid())
    floors: list[float] = []
    values: list[float] = []
    spent: list[Mapping[str, float]] = []
    while len(values) < runs and sum(values) + sum(floors) < budget_s:
        floors.append(timed(lambda: shape.floor(floor))[0])
        values.append(timed(lambda: run_once(shape))[0])
    for _ in values[
        :_METERED
    ]:  # runs of their own: after reading all of /proc, a few milliseconds become twice as many
        meter.reset()
        run_once(shape)
        spent.append(meter.spent())
    more = {key: (max if key.endswith("mib") else statistics.mean)(entry[key] for entry in spent) for key in spent[0]}
    more["tasks"] = shape.tasks
    yield Figure(name=name, values=values, target=shape.target_s, floor=statistics.median(floors), more=more)
    if name == "one task":
        yield Figure(name="· by dispatch, get_result", values=[timed(lambda: _run_in_steps(shape))[0] for _ in values])
    if name == "fan 1,000":
        grown = resident(server.process.pid) - memory
        yield Figure(name="· server memory grown", values=[grown], unit="MiB", target=10.0)
        made = (_files(folder) - files) / (shape.tasks * (len(values) + 1))
        yield Figure(name="· files per task", values=[round(made, 3)], unit="files", target=0.0)
    if name == "100 MB to 1" and "server_peak_mib" in more:
        yield Figure(
            name="· server memory at the peak", values=[more["server_peak_mib"] - memory], unit="MiB", target=20
        )


def redispatched(runs: int) -> Figure:
    """Time the repetition of a fan of 1,000 that takes over everything."""
    shape = SHAPES["fan 1,000"]
    dispatch_id = run_once(shape)

    def again() -> None:
        repeated = ct.redispatch(dispatch_id, reuse_previous_results=True)()
        if ct.get_result(repeated, wait=True).result != shape.expected:
            raise RuntimeError("the repetition gave another result")

    again()
    return Figure(name="redispatch of 1,000, all reused", values=[timed(again)[0] for _ in range(runs)], target=0.1)


def _files(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))
