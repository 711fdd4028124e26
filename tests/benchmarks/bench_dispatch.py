"""How long dispatches of fixed shapes take, from the call of `dispatch` until the result is in the caller's hands.

Every dispatch goes over HTTP to a real Jupyter server with folders of its own, and is durable (nothing is told before
it is on disk). Each shape runs once to warm up, then several times; the median counts. The table shows beside it the
aim, the floor of `floor.py` measured in the same run, and the ratio to it. Then it asks how long Jupyter's own
`GET api/status` takes while fans run, and what importing the package and building a graph cost. `bench-results/` keeps
the figures of every run. Nothing fails here: machines differ.

    python tests/benchmarks/bench_dispatch.py [--runs N] [--large] [SHAPE …]
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer, private_environment

sys.path.insert(0, str(Path(__file__).resolve().parent))
from floor import Floor

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "bench-results"
MEBIBYTE = 2**20


@ct.electron
def increment(value: int) -> int:
    """A task that costs nothing, so that what is measured is ours."""
    return value + 1


@ct.electron
def collect(values: list[int]) -> int:
    """Join a fan."""
    return len(values)


@ct.electron
def make_block(size: int) -> Any:
    """Make a large array where the task runs."""
    import numpy as np

    return np.ones(size // 8)


@ct.electron
def weigh(block: Any) -> float:
    """Read a large array."""
    return float(block.sum())


@ct.lattice
def fan(width: int) -> Any:
    """As many independent tasks as asked for, and one that joins them."""
    return collect([increment(index) for index in range(width)])


@ct.lattice
def chain(length: int) -> Any:
    """Tasks that each wait for the one before."""
    value: Any = 0
    for _ in range(length):
        value = increment(value)
    return value


@ct.lattice
def blocks(size: int) -> Any:
    """One large value handed from task to task."""
    return weigh(make_block(size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One workflow to time.

    Attributes:
        lattice: The workflow.
        arguments: What it is called with.
        expected: Its result: a wrong one is not worth timing.
        aim_s: The time to reach on two cores.
        floor: The same on the floor.
        is_large: Only run when asked for.
    """

    lattice: Any
    arguments: tuple[Any, ...]
    expected: object
    aim_s: float
    floor: Callable[[Floor], object]
    is_large: bool = False


SHAPES: Mapping[str, Shape] = {
    "one task": Shape(lattice=chain, arguments=(1,), expected=1, aim_s=0.005, floor=lambda floor: floor.chain(1)),
    "fan 100": Shape(lattice=fan, arguments=(100,), expected=100, aim_s=0.05, floor=lambda floor: floor.fan(100)),
    "fan 1,000": Shape(
        lattice=fan, arguments=(1_000,), expected=1_000, aim_s=0.40, floor=lambda floor: floor.fan(1_000)
    ),
    "fan 5,000": Shape(
        lattice=fan, arguments=(5_000,), expected=5_000, aim_s=1.8, floor=lambda floor: floor.fan(5_000), is_large=True
    ),
    "chain 200": Shape(lattice=chain, arguments=(200,), expected=200, aim_s=0.15, floor=lambda floor: floor.chain(200)),
    "100 MB array": Shape(
        lattice=blocks,
        arguments=(100 * MEBIBYTE,),
        expected=100 * MEBIBYTE / 8,
        aim_s=0.35,
        floor=lambda floor: floor.blocks(100 * MEBIBYTE),
    ),
}


def timed(action: Callable[[], object]) -> tuple[float, object]:
    """Run something once, undisturbed by the collector, and return its duration and its value."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        value = action()
        return time.perf_counter() - began, value
    finally:
        gc.enable()


def measure(shape: Shape, address: str, runs: int) -> list[float]:
    """Time one shape.

    Raises:
        RuntimeError: The workflow gave another result than it must.
    """

    def once() -> object:
        dispatch_id = ct.dispatch(shape.lattice, dispatcher_addr=address)(*shape.arguments)
        return ct.get_result(dispatch_id, wait=True, dispatcher_addr=address).result

    durations = []
    for _ in range(runs + 1):
        duration, value = timed(once)
        if value != shape.expected:
            raise RuntimeError(f"expected {shape.expected!r}, got {value!r}")
        durations.append(duration)
    return durations[1:]


def floor_of(shape: Shape, floor: Floor, runs: int) -> float:
    """Median time of the same work on the floor."""
    return statistics.median(timed(lambda: shape.floor(floor))[0] for _ in range(runs))


def status_latency(server: LiveServer, runs: int) -> Mapping[str, tuple[float, float]]:
    """Median time of Jupyter's and of our own status: of an idle server, and while fans of 1,000 tasks run.

    The fans are dispatched by a process of its own, so that what is measured is the server and not this interpreter.
    """
    pool = urllib3.PoolManager(headers={"Authorization": f"token {server.token}"})
    paths = {"GET api/status": "api/status", "GET covalent/api/v1/status": "covalent/api/v1/status"}

    def ask(is_over: Callable[[], bool]) -> Mapping[str, float]:
        durations: dict[str, list[float]] = {name: [] for name in paths}
        while not is_over():
            for name, path in paths.items():
                durations[name].append(timed(lambda url=server.url + path: pool.request("GET", url))[0])
        return {name: statistics.median(values) for name, values in durations.items()}

    until = time.perf_counter() + 2.0
    idle = ask(lambda: time.perf_counter() > until)
    load = subprocess.Popen([sys.executable, __file__, "--only-load", "--runs", str(2 * runs)])
    busy = ask(lambda: load.poll() is not None)
    return {name: (idle[name], busy[name]) for name in paths}


def run_load(runs: int) -> None:
    """Dispatch fans of 1,000 to the server of the environment, one after the other."""
    for _ in range(runs):
        ct.get_result(ct.dispatch(fan)(1_000), wait=True)


def import_time() -> float:
    """Time that `import covalent_lab` and its first names add to a bare interpreter."""

    def start(code: str) -> float:
        return min(timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))[0] for _ in range(5))

    return start("import covalent_lab as ct; ct.electron, ct.lattice") - start("pass")


def server_memory(pid: int) -> float | None:
    """Return the server's resident memory in MB where the system tells it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


def shown(seconds: float) -> str:
    """A column of the table."""
    return f"{1000 * seconds:8.1f} ms"


def main() -> int:
    """Run the shapes asked for, print the table and keep the figures."""
    parser = argparse.ArgumentParser(description="Time dispatches of fixed shapes through a real Jupyter server.")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"one of: {', '.join(SHAPES)}")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each shape (default 5)")
    parser.add_argument("--large", action="store_true", help="run the large shapes as well")
    parser.add_argument("--only-load", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_load:
        run_load(options.runs)
        return 0
    if unknown := [name for name in options.shapes if name not in SHAPES]:
        parser.error(f"no shape {unknown[0]!r}; there are {', '.join(SHAPES)}")
    chosen = options.shapes or [name for name, shape in SHAPES.items() if options.large or not shape.is_large]
    figures: dict[str, list[float]] = {}
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environ = private_environment(Path(folder))
        with LiveServer.start(root_dir=Path(folder), log=RESULTS / "jupyterlab.log", environ=environ) as server:
            os.environ["COVALENT_LAB_URL"], os.environ["COVALENT_LAB_TOKEN"] = server.url, server.lab_token
            print(
                f"{'shape':16}{'median':>11}{'best':>11}{'floor':>11}{'ratio':>8}{'aim':>11}{'server':>11}", flush=True
            )
            floors: dict[str, float] = {}
            with Floor(Path(folder)) as floor:
                for name in chosen:
                    shape = SHAPES[name]
                    floors[name] = floor_of(shape, floor, options.runs)
                    durations = figures[name] = measure(shape, server.url, options.runs)
                    median, best = statistics.median(durations), min(durations)
                    print(
                        f"{name:16}{shown(median)}{shown(best)}{shown(floors[name])}{median / floors[name]:7.1f}x"
                        f"{shown(shape.aim_s)}{server_memory(server.process.pid) or 0:8.0f} MB",
                        flush=True,
                    )
            latency = status_latency(server, options.runs)
    for name, (idle, busy) in latency.items():
        print(f"{name}: {1000 * idle:.2f} ms idle, {1000 * busy:.2f} ms while fans of 1,000 run ({busy / idle:.1f}x)")
    build, _ = timed(lambda: fan.build_graph(5_000))
    imported = import_time()
    print(f"building a fan of 5,000: {1000 * build:.0f} ms; import covalent_lab: {1000 * imported:.0f} ms")
    figures |= {name: list(pair) for name, pair in latency.items()}
    figures |= {"build 5,000": [build], "import": [imported]}
    stamp = time.strftime("%Y%m%d-%H%M%S")
    machine = {"python": platform.python_version(), "processor": platform.machine(), "cores": os.cpu_count()}
    path = RESULTS / f"dispatch-{stamp}.json"
    path.write_text(json.dumps({"machine": machine, "seconds": figures, "floors": floors}, indent=2), encoding="utf-8")
    print(f"Kept in {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
