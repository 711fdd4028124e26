"""Clocks and counters of the benchmarks: wall time, CPU seconds of process trees, resident memory."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["MEBIBYTE", "Meter", "resident", "timed", "tree_cpu_s"]

MEBIBYTE = 2**20


def timed(action: Callable[[], object]) -> tuple[float, object]:
    """Run something once, undisturbed by the collector, and return its duration in seconds and its value.

    What there is already is not collected before: walking through all of it empties the caches of the processor, and a
    task of a few milliseconds then takes half as long again.
    """
    gc.freeze()
    gc.disable()
    try:
        began = time.perf_counter()
        value = action()
        return time.perf_counter() - began, value
    finally:
        gc.enable()


def tree_cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of a process, the processes below it, and those of them that have ended."""
    total = 0.0
    process = psutil.Process(pid)
    for member in (process, *process.children(recursive=True)):
        try:
            total += sum(member.cpu_times()[:4])
        except psutil.NoSuchProcess:  # its time is in its parent's now
            continue
    return total


def resident(pid: int) -> float:
    """Resident memory of a process in MiB."""
    return float(psutil.Process(pid).memory_info().rss) / MEBIBYTE


@dataclass(slots=True)
class Meter:
    """What client and server spend from `reset` on. The system's own record of the peak is used, so no thread samples.

    Args:
        server: Process id of the server; its workers are counted with it for CPU, not for memory.
        client: Process id of the client, whose children do not count.
    """

    server: int
    client: int
    client_cpu_s: float = 0.0
    server_cpu_s: float = 0.0

    def reset(self) -> None:
        """Start counting."""
        self.client_cpu_s, self.server_cpu_s = self._client(), tree_cpu_s(self.server)
        for pid in (self.client, self.server):
            try:
                Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
            except OSError:  # not Linux, or not allowed: no peak is reported then
                return

    def spent(self) -> dict[str, float]:
        """CPU seconds and peaks of resident memory in MiB since `reset`."""
        figures = {
            "client_cpu_s": self._client() - self.client_cpu_s,
            "server_cpu_s": tree_cpu_s(self.server) - self.server_cpu_s,
        }
        for name, pid in (("client_peak_mib", self.client), ("server_peak_mib", self.server)):
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue
            figures[name] = next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)
        return figures

    def _client(self) -> float:
        return sum(psutil.Process(self.client).cpu_times()[:2])
