"""What a run has measured: figures with their targets, as a table, as JSON, and compared with an earlier run."""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["NAME_WIDTH", "RESULTS", "ROOT", "Figure", "compare", "keep", "show", "shown"]

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "bench-results"
NAME_WIDTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured, several times.

    Attributes:
        name: What.
        values: Each time; the median counts.
        unit: `s`, `MiB`, `B`, or what is counted.
        target: Not to be exceeded; None where there is none.
        floor: The same on the floor, median.
        more: Further figures of the same runs (CPU seconds, memory), by name.
    """

    name: str
    values: Sequence[float]
    unit: str = "s"
    target: float | None = None
    floor: float | None = None
    more: Mapping[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The value that counts."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """Whether the target is met, as a word; empty without one."""
        if self.target is None:
            return ""
        return (
            "met"
            if self.median <= self.target
            else f"missed {self.median / self.target:.2f}x"
            if self.target
            else "missed"
        )


def shown(value: float | None, unit: str = "s") -> str:
    """A value as a column of the table."""
    if value is None:
        return ""
    if unit == "s":
        return f"{1000 * value:.1f} ms" if value < 10 else f"{value:.1f} s"
    return f"{value:,.{0 if value >= 100 or value == int(value) else 2}f} {unit}"


def show(figure: Figure | None = None) -> None:
    """Print one line of the table; without a figure, its head."""
    if figure is None:
        cells = ("median", "best", "floor", "ratio", "target", "client CPU", "server CPU", "peak")
        print(f"{'':{NAME_WIDTH}}" + "".join(f"{cell:>12}" for cell in cells), flush=True)
        return
    ratio = f"{figure.median / figure.floor:.1f}x" if figure.floor else ""
    cells = (
        shown(figure.median, figure.unit),
        shown(min(figure.values), figure.unit) if len(figure.values) > 1 else "",
        shown(figure.floor, figure.unit),
        ratio,
        shown(figure.target, figure.unit),
        shown(figure.more.get("client_cpu_s")),
        shown(figure.more.get("server_cpu_s")),
        shown(figure.more.get("server_peak_mib"), "MiB"),
    )
    print(f"{figure.name:{NAME_WIDTH}}" + "".join(f"{cell:>12}" for cell in cells) + f"  {figure.verdict}", flush=True)


def keep(figures: Sequence[Figure], peers: Mapping[str, Any]) -> Path:
    """Write what a run has measured to a file of its own below `bench-results/`."""
    RESULTS.mkdir(exist_ok=True)
    machine: dict[str, Any] = {
        "python": platform.python_version(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }
    if hasattr(os, "getloadavg"):
        machine["load"] = os.getloadavg()  # others at work make every figure worse
    content = {"machine": machine, "figures": [asdict(figure) for figure in figures], "peers": peers}
    path = RESULTS / f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


def compare(old: Path, new: Path) -> None:
    """Print what two runs have in common, with the ratio of the new run to the old one.

    Times are also given as multiples of the floor, which a busy machine slows down in the same way.
    """
    before, after = (
        {entry["name"]: Figure(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["figures"]}
        for path in (old, new)
    )
    print(f"{old.stem} → {new.stem}")
    print(f"{'':{NAME_WIDTH}}{'before':>12}{'after':>12}{'ratio':>9}{'× floor':>18}")
    for name in (name for name in before if name in after):
        one, other = before[name], after[name]
        ratio = f"{other.median / one.median:.2f}" if one.median else ""
        floors = f"{one.median / one.floor:.1f} → {other.median / other.floor:.1f}" if one.floor and other.floor else ""
        print(
            f"{name:{NAME_WIDTH}}{shown(one.median, one.unit):>12}{shown(other.median, other.unit):>12}{ratio:>9}"
            f"{floors:>18}  {other.verdict}"
        )


def main() -> int:
    """Compare the last two runs, or two files."""
    parser = argparse.ArgumentParser(description="Compare two runs of the benchmarks.")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="the older and the newer; default: the last"
    )
    files = parser.parse_args().files or sorted(RESULTS.glob("bench-*.json"))[-2:]
    if len(files) != 2:
        parser.error(
            f"two runs are needed; there are {len(files)} in bench-results/: run `make bench` before and after"
        )
    compare(*files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
