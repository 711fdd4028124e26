"""Every benchmark in one run: what dispatches cost, and what is around them; `make bench`.

Dispatches go over HTTP to a real Jupyter server with folders of its own, and are durable (nothing is told before it is
on disk). Each shape runs once to warm up, then several times in turn with the same work on the floor of `floor.py`; the
median counts. Each line says whether the target is met. `bench-results/` keeps the figures of every run, and
`make bench-compare` compares the last two. Nothing fails here: machines differ.

    python tests/benchmarks/bench_dispatch.py [--runs N] [--large] [--growth] [--dask] [--peers NAMES|all]
                                              [--only WORD …]
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import bench_dask
import dispatches
import growth
import peers
import probes
from figures import RESULTS, ROOT, Figure, keep, show
from floor import Floor
from shapes import SHAPES

from covalent_lab.testing.live_server import LiveServer, private_environment

PROBES = ("build", "request", "redispatch", "notebook", "latency", "start", "import")


def measured(options: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    """Everything that was asked for, in order."""
    environ = private_environment(folder)
    os.environ |= {name: value for name, value in environ.items() if name.startswith(("COVALENT_", "JUPYTER_"))}
    runs = options.runs

    def wants(name: str) -> bool:
        return not options.only or any(word in name for word in options.only)

    if wants("import"):
        yield probes.importing(runs)
    if wants("start"):
        yield probes.starting(folder, environ, min(runs, 2))
    with LiveServer.start(root_dir=folder, log=RESULTS / "jupyterlab.log", environ=environ) as server:
        os.environ["COVALENT_LAB_URL"], os.environ["COVALENT_LAB_TOKEN"] = server.url, server.lab_token
        with Floor(folder) as floor:
            dispatches.run_once(SHAPES["one task"])
            yield from probes.idle_memory(server)
            for name, shape in SHAPES.items():
                if (wants(name) and not shape.is_large) or (options.large and shape.is_large):
                    times = 10 * runs if name == "one task" else runs
                    yield from dispatches.measure(name, server, floor, folder, times, options.budget)
        if wants("redispatch"):
            yield dispatches.redispatched(runs)
        if wants("notebook"):
            yield probes.notebook(folder, runs)
        if wants("latency"):
            yield from probes.latency(server, runs)
        if options.growth:
            yield from growth.measure(server)
        if options.dask:
            yield from bench_dask.measure(server, folder, 10_000, 2)
    if wants("build"):
        yield from probes.building(runs)
    if wants("request"):
        yield probes.request_size()


def verdict(figures: list[Figure]) -> str:
    """One line about the targets."""
    aimed = [figure for figure in figures if figure.target is not None]
    missed = [figure.name for figure in aimed if figure.verdict != "met"]
    return f"{len(aimed) - len(missed)} of {len(aimed)} targets met" + (
        f"; missed: {', '.join(missed)}" if missed else ""
    )


def main() -> int:
    """Run what was asked for, print the table and keep the figures."""
    parser = argparse.ArgumentParser(description="Time dispatches of fixed shapes through a real Jupyter server.")
    parser.add_argument(
        "--only", nargs="+", metavar="WORD", help=f"of {', '.join((*SHAPES, *PROBES))}: those with a word"
    )
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each (default 5)")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds after which a shape is not repeated (10)")
    parser.add_argument("--large", action="store_true", help="run the large shapes as well")
    parser.add_argument("--growth", action="store_true", help="run up to 50,000 tasks; list, open and cancel them")
    parser.add_argument("--dask", action="store_true", help="run 10,000 tasks on a Dask cluster, and by Dask itself")
    parser.add_argument("--peers", default="", help=f"time peers as well: all, or names: {','.join(peers.PEERS)}")
    parser.add_argument(
        "--peers-python", action="append", default=[], metavar="PATH", help="an interpreter that has peers (repeatable)"
    )
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    began = time.perf_counter()
    figures: list[Figure] = []
    show()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for figure in measured(options, Path(folder)):
            figures.append(figure)
            show(figure)
    others = peers.measure(options.peers, options.peers_python or [sys.executable]) if options.peers else {}
    print(f"{verdict(figures)}. {time.perf_counter() - began:.0f} s. Kept in {keep(figures, others).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
