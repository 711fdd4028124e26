"""Where the server's CPU time goes while fans of 1,000 tasks run, by part of the program, in milliseconds per task.

The time of the server is counted first, without the profiler; the samples of py-spy then divide it. py-spy is not
installed with the project: `pip install py-spy`, anywhere.

    python tests/benchmarks/profile_server.py [--py-spy PATH] [--seconds N]
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import psutil
from dispatches import run_once
from shapes import SHAPES

from covalent_lab.testing.live_server import LiveServer, private_environment

PARTS = {
    "store": r"covalent_lab/store/",
    "local executor: messages to and from workers": r"covalent_lab_executors/",
    "scheduler": r"covalent_lab/scheduler/",
    "dispatcher": r"covalent_lab/(dispatcher|feed|transitions|ids|payload|executor)\b",
    "graph": r"covalent_lab/graph/",
    "HTTP": r"covalent_lab_server/|tornado/|jupyter_server/",
}
IDLE = re.compile(
    r"^(?:\w+\.)*(_worker|select|wait|_run_once|run_forever) \(.*(thread|selectors|threading|base_events)\.py"
)
ROUNDS = 5


def parts_of(samples: Iterable[str]) -> Counter[str]:
    """Count samples, stacks from outside to inside, by the innermost part of the program that is on the stack."""
    counts: Counter[str] = Counter()
    for sample in samples:
        stack, _, count = sample.rpartition(" ")
        frames = stack.split(";")
        if IDLE.match(frames[-1]):
            continue
        found = (name for frame in reversed(frames) for name, pattern in PARTS.items() if re.search(pattern, frame))
        counts[next(found, "other")] += int(count)
    return counts


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """CPU seconds of processes."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def main() -> int:
    """Count, sample, print."""
    parser = argparse.ArgumentParser(description="Divide the server's time per task by part of the program.")
    parser.add_argument("--py-spy", default=shutil.which("py-spy"), metavar="PATH", help="the profiler")
    parser.add_argument("--seconds", type=int, default=10, help="how long to sample (default 10)")
    options = parser.parse_args()
    if options.py_spy is None:
        parser.error("there is no py-spy; install it with pip, or name it with --py-spy PATH")
    shape = SHAPES["fan 1,000"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environ = private_environment(folder)
        os.environ |= environ
        with LiveServer.start(root_dir=folder, log=folder / "server.log", environ=environ) as server:
            os.environ["COVALENT_LAB_URL"], os.environ["COVALENT_LAB_TOKEN"] = server.url, server.lab_token
            run_once(shape)
            process = psutil.Process(server.process.pid)
            workers = process.children(recursive=True)
            before = cpu_s([process]), cpu_s(workers)
            for _ in range(ROUNDS):
                run_once(shape)
            tasks = ROUNDS * shape.tasks
            own_ms, workers_ms = 1e3 * (cpu_s([process]) - before[0]), 1e3 * (cpu_s(workers) - before[1])
            command = [options.py_spy, "record", "--pid", str(process.pid), "--duration", str(options.seconds)]
            command += ["--rate", "200", "--format", "raw", "--output", str(folder / "samples")]
            profiler = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while profiler.poll() is None:
                run_once(shape)
            counts = parts_of((folder / "samples").read_text(encoding="utf-8").splitlines())
    print(f"{'worker processes':46}{workers_ms / tasks:8.3f} ms per task")
    print(f"{'server':46}{own_ms / tasks:8.3f} ms per task, of which")
    for part, count in counts.most_common():
        print(f"  {part:44}{own_ms / tasks * count / counts.total():8.3f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
