"""What task packing saves: workflows full of collections, items and attributes, packed against unpacked.

Each runs over HTTP on a real Jupyter server with folders of its own, packed and unpacked in turn, so that both meet the
same machine; once to warm up, then several times. The median counts. Nothing fails here: machines differ.

    python tests/benchmarks/bench_packing.py [--runs N]
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from figures import RESULTS, shown
from timing import timed

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer, private_environment


@ct.electron
def pair(value: int) -> tuple[int, int]:
    """Two values at once."""
    return value, value + 1


@ct.electron
def total(values: list[int], offsets: dict[str, int]) -> int:
    """Use a list and a dictionary."""
    return sum(values) + sum(offsets.values())


@ct.electron
def advance(state: int) -> dict[str, int]:
    """One step of something."""
    return {"state": state + 1, "seen": state}


@ct.lattice
def unpack(width: int) -> Any:
    """As many pairs as asked for, each taken apart and put together again."""
    totals = []
    for index in range(width):
        low, high = pair(index)
        totals.append(total([low, high], {"offset": 1}))
    return total(totals, {})


@ct.lattice
def follow(length: int) -> Any:
    """Tasks that each wait for an item of the one before."""
    state: Any = 0
    for _ in range(length):
        state = advance(state)["state"]
    return state


SHAPES = {
    "unpack 100": (unpack, 100, sum(2 * index + 2 for index in range(100))),
    "follow 100": (follow, 100, 100),
}


def measure(lattice: Any, size: int, expected: int, address: str, runs: int) -> dict[bool, float]:
    """Median time of a shape, by whether it is packed.

    Raises:
        RuntimeError: The workflow gave another result than it must.
    """
    durations: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(runs + 1):
        for packs, found in durations.items():
            lattice.task_packing = packs
            duration, value = timed(
                lambda: (
                    ct.get_result(
                        ct.dispatch(lattice, dispatcher_addr=address)(size), wait=True, dispatcher_addr=address
                    ).result
                )
            )
            if value != expected:
                raise RuntimeError(f"expected {expected!r}, got {value!r}")
            found.append(duration)
    return {packs: statistics.median(found[1:]) for packs, found in durations.items()}


def main() -> int:
    """Run every shape and print the table."""
    parser = argparse.ArgumentParser(description="Time workflows packed and unpacked through a real Jupyter server.")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each shape (default 5)")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environ = private_environment(Path(folder))
        with LiveServer.start(root_dir=Path(folder), log=RESULTS / "jupyterlab.log", environ=environ) as server:
            os.environ["COVALENT_LAB_URL"], os.environ["COVALENT_LAB_TOKEN"] = server.url, server.lab_token
            print(f"{'shape':16}{'nodes':>7}{'unpacked':>11}{'packed':>11}{'ratio':>8}", flush=True)
            for name, (lattice, size, expected) in SHAPES.items():
                medians = measure(lattice, size, expected, server.url, options.runs)
                lattice.build_graph(size)
                nodes = sum(node.value is None for node in lattice.graph.nodes)
                ratio = medians[False] / medians[True]
                print(
                    f"{name:16}{nodes:7}{shown(medians[False]):>11}{shown(medians[True]):>11}{ratio:7.1f}x", flush=True
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
