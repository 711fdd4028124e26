"""What is measured besides dispatches: building graphs, requests, notebooks, starts, imports, answers under load."""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import urllib3
import workflows
from figures import Figure
from jupyter_client.manager import KernelManager
from timing import resident, timed

from covalent_lab.testing.live_server import LiveServer
from covalent_lab.workflow.bundle import write_bundle

__all__ = ["building", "idle_memory", "importing", "latency", "notebook", "request_size", "starting"]

_BUILDS: Mapping[int, float | None] = {1_000: None, 5_000: 0.10, 10_000: None, 100_000: 2.0}
_PATIENCE_S = 60.0


def building(runs: int) -> Iterator[Figure]:
    """Build graphs of fans; the largest one once."""
    for count, target in _BUILDS.items():
        times = runs if count < 100_000 else 1
        values = [timed(lambda count=count: workflows.fan.build_graph(count - 1))[0] for _ in range(times)]
        yield Figure(name=f"build {count:,}", values=values, target=target)


def request_size() -> Figure:
    """Bytes of the request that submits 10,000 nodes which share a function."""
    workflows.fan.build_graph(9_999)
    size = sum(memoryview(piece).nbytes for piece in write_bundle(workflows.fan, "0" * 36))
    return Figure(name="submit request of 10,000 nodes", values=[size / 1e6], unit="MB", target=1.0)


def idle_memory(server: LiveServer) -> Iterator[Figure]:
    """Resident memory of the client and of a server that has run one task."""
    yield Figure(name="idle memory, server", values=[resident(server.process.pid)], unit="MiB")
    yield Figure(name="idle memory, client", values=[resident(os.getpid())], unit="MiB")


def notebook(folder: Path, runs: int) -> Figure:
    """Time a cell of one value in a real kernel, as a task; the floor is the same cell by itself."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), env=dict(os.environ), stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()

    def run(cell: str) -> None:
        reply = client.execute_interactive(cell, timeout=_PATIENCE_S, output_hook=lambda message: None)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the cell failed: {reply['content']}")

    try:
        client.wait_for_ready(timeout=_PATIENCE_S)
        run("%load_ext covalent_lab")
        run("%%covalent\n1")
        values = [timed(lambda: run("%%covalent\n1"))[0] for _ in range(2 * runs)]
        floor = statistics.median(timed(lambda: run("1"))[0] for _ in range(2 * runs))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return Figure(name="%%covalent cell", values=values, floor=floor)


def latency(server: LiveServer, fans: int) -> Iterator[Figure]:
    """Time answers of the server, idle and while fans of 1,000 tasks run, dispatched by a process of its own.

    The median of the idle server stands as the floor.
    """
    pool = urllib3.PoolManager(headers={"Authorization": f"token {server.token}"})
    paths = ("api/status", "covalent/api/v1/status")

    def ask(is_over: Callable[[], bool]) -> Mapping[str, list[float]]:
        durations: dict[str, list[float]] = {path: [] for path in paths}
        while not is_over():
            for path in paths:
                began = time.perf_counter()
                pool.request("GET", server.url + path)
                durations[path].append(time.perf_counter() - began)
        return durations

    until = time.perf_counter() + 1.0
    idle = ask(lambda: time.perf_counter() > until)
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import dispatches\n"
        f"for _ in range({fans}): dispatches.run_once(dispatches.SHAPES['fan 1,000'])"
    )
    load = subprocess.Popen([sys.executable, "-c", program])
    busy = ask(lambda: load.poll() is not None)
    if load.returncode:
        raise RuntimeError("the process that dispatches fans has failed")
    for path in paths:
        more = {"p99_s": statistics.quantiles(busy[path], n=100)[98], "worst_s": max(busy[path])}
        yield Figure(
            name=f"GET {path} under load",
            values=[statistics.median(busy[path])],
            floor=statistics.median(idle[path]),
            more=more,
        )
        yield Figure(name="· 99 of 100 within", values=[more["p99_s"]])


def starting(folder: Path, environ: Mapping[str, str], runs: int) -> Figure:
    """Time until a server answers requests of ours, beyond that of one without the extension until Jupyter's own."""
    off = "--ServerApp.jpserver_extensions={'covalent_lab_server': False}"
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(runs):
        bare.append(_started(folder, environ, "api/status", off))
        ours.append(_started(folder, environ, "covalent/api/v1/status"))
    beyond = [mine - its for mine, its in zip(ours, bare, strict=True)]
    more = {"bare_s": statistics.median(bare), "ours_s": statistics.median(ours)}
    return Figure(name="server start beyond Jupyter's", values=beyond, target=1.0, more=more)


def importing(runs: int) -> Figure:
    """Time that `import covalent_lab` and its first names add to a bare interpreter."""

    def start(code: str) -> float:
        return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))[0]

    pairs = [(start("import covalent_lab as ct; ct.electron, ct.lattice"), start("pass")) for _ in range(2 * runs)]
    return Figure(name="import covalent_lab", values=[ours - bare for ours, bare in pairs], target=0.15)


def _started(folder: Path, environ: Mapping[str, str], path: str, *arguments: str) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    command += ["--IdentityProvider.token=bench", f"--ServerApp.root_dir={folder}", *arguments]
    url = f"http://127.0.0.1:{port}/{path}?token=bench"
    pool = urllib3.PoolManager(retries=False)
    began = time.perf_counter()
    with (folder / "start.log").open("wb") as log:
        process = subprocess.Popen(command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        while time.perf_counter() - began < _PATIENCE_S:
            try:
                if pool.request("GET", url).status == 200:
                    return time.perf_counter() - began
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"the server did not answer; see {folder / 'start.log'}")
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)
