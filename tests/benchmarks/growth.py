"""Whether cost per task stays the same as dispatches grow, and how long a large one takes to list, open and cancel."""

import time
from collections.abc import Callable, Iterator

import workflows
from dispatches import run_once
from figures import Figure
from shapes import fan
from timing import resident, timed

import covalent_lab as ct
from covalent_lab.client.connection import connect
from covalent_lab.testing.live_server import LiveServer

__all__ = ["measure"]

_WIDTHS = (1_000, 10_000, 50_000)
_AGAIN = 10_000
_TARGET_KB = 2.0
_WAIT_S = 300.0


def measure(server: LiveServer) -> Iterator[Figure]:
    """Run fans of growing width and ask about the last one."""
    run_once(fan(_WIDTHS[0]))
    dispatch_id = ""
    first: float | None = None
    for width in _WIDTHS:
        shape = fan(width)
        before = resident(server.process.pid)
        began = time.perf_counter()
        dispatch_id = run_once(shape)
        each = (time.perf_counter() - began) / shape.tasks
        grown = (resident(server.process.pid) - before) * 1024 / shape.tasks
        target = None if first is None else 1.2 * first
        first = first or each
        yield Figure(name=f"each task of {width:,}", values=[1e6 * each], unit="µs", target=target and 1e6 * target)
        yield Figure(name="· server memory per node", values=[grown], unit="kB", target=_TARGET_KB)
    before = resident(server.process.pid)
    run_once(fan(_AGAIN))  # what an allocator keeps for later is used now; what is leaked is not
    grown = (resident(server.process.pid) - before) * 1024 / _AGAIN
    yield Figure(name=f"server memory per node, {_AGAIN:,} again", values=[grown], unit="kB", target=_TARGET_KB)
    connection = connect()
    asked: dict[str, Callable[[], object]] = {
        "list": connection.list_dispatches,
        "open": lambda: connection.detail(dispatch_id),
        "its graph": lambda: connection.graph(dispatch_id),
        "its nodes": lambda: connection.nodes(dispatch_id),
        "one node": lambda: connection.node(dispatch_id, _WIDTHS[-1] // 2),
    }
    for name, ask in asked.items():
        yield Figure(name=f"{_WIDTHS[-1]:,} nodes: {name}", values=[timed(ask)[0] for _ in range(3)])
    yield Figure(name=f"{_WIDTHS[-1]:,} nodes: cancel", values=[_cancelled()])


def _cancelled() -> float:
    """Time from the request until a dispatch that runs has ended."""
    connection = connect()
    dispatch_id = str(ct.dispatch(workflows.sleepers)(_WIDTHS[-1]))
    while connection.nodes(dispatch_id)["status"].count("RUNNING") == 0:
        time.sleep(0.05)
    began = time.perf_counter()
    connection.cancel(dispatch_id)
    status = connection.detail(dispatch_id, wait_s=_WAIT_S)["status"]
    if status != "CANCELLED":
        raise RuntimeError(f"the dispatch is {status} after its cancellation")
    return time.perf_counter() - began
