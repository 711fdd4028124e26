"""Run every suite, each in a process of its own, and end with one line: how many passed, failed and were skipped.

It decides the order and the addition; what a suite contains is decided by its folder. The suites are separate because
Playwright, pytest-jupyter and nbval each want an event loop, or a server, to themselves.

With `HINDRANCE=<seed>` in the environment, input arrives late and processes pause, by chance (`tests/hindrance`): tests
that only pass at the usual speed, and races of the product, show themselves.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Counts", "Suite", "count", "main"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "test-results"
HINDRANCE = ROOT / "tests" / "hindrance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One process: what it is called, what it runs, and where.

    Attributes:
        name: Word on the command line, and name of the report file.
        command: Program and arguments; `{report}` becomes the path of its JUnit report.
        folder: Where it runs.
    """

    name: str
    command: Sequence[str]
    folder: Path = ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tests ended in which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def pytest_command(*arguments: str) -> tuple[str, ...]:
    """Call pytest with a report."""
    return (sys.executable, "-m", "pytest", "--junitxml={report}", "-ra", *arguments)


SUITES = (
    Suite(
        name="frontend",
        command=("jlpm", "test", "--reporter=default", "--reporter=junit", "--outputFile.junit={report}"),
        folder=ROOT / "labextension",
    ),
    Suite(name="python", command=pytest_command("tests", "--ignore=tests/notebook")),
    Suite(
        name="notebooks",
        command=pytest_command("--nbval-lax", "-p", "no:cacheprovider", "tests/notebook", "notebooks"),
    ),
    Suite(name="browser", command=pytest_command("tests/ui")),
)


def count(report: Path) -> Counts:
    """Add up one JUnit report; one that is missing or broken off counts as a failure."""
    try:
        tree = ET.parse(report)
    except (OSError, ET.ParseError):
        return Counts(failed=1)
    counts = Counts()
    for case in tree.iter("testcase"):
        tags = {child.tag for child in case}
        if tags & {"failure", "error"}:
            counts += Counts(failed=1)
        elif "skipped" in tags:
            counts += Counts(skipped=1)
        else:
            counts += Counts(passed=1)
    return counts


def run(suite: Suite) -> Counts:
    """Run one suite with its output shown, and count its report."""
    report = RESULTS / f"{suite.name}.xml"
    report.unlink(missing_ok=True)
    command = [part.format(report=report) for part in suite.command]
    print(f"\n--- {suite.name}", flush=True)
    began = time.monotonic()
    try:
        status = subprocess.run(command, cwd=suite.folder, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        print(f"cannot start {command[0]}: {error}", flush=True)
        status = 1
    counts = count(report)
    if status != 0 and counts.failed == 0:
        counts += Counts(failed=1)
    print(f"--- {suite.name}: {counts} in {time.monotonic() - began:.0f} s", flush=True)
    return counts


def hinder(seed: str) -> None:
    """Make everything that is started from now on late; it ends with this process."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HINDRANCE), os.environ.get("PYTHONPATH"))))
    subprocess.Popen([sys.executable, str(HINDRANCE / "pauses.py"), str(os.getpid()), seed])


def main(names: Sequence[str]) -> int:
    """Run the suites named, or all of them, and print the sum as the last line.

    Returns:
        Exit status: 0 when nothing failed, 2 for an unknown name.
    """
    known = {suite.name for suite in SUITES}
    if unknown := [name for name in names if name not in known]:
        print(f"No suite {', '.join(unknown)}; there are {', '.join(sorted(known))}.", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    if seed := os.environ.get("HINDRANCE"):
        hinder(seed)
    results = {suite.name: run(suite) for suite in SUITES if not names or suite.name in names}
    print("\nsuite        passed  failed  skipped")
    for name, counts in results.items():
        print(f"{name:12}{counts.passed:7}{counts.failed:8}{counts.skipped:9}")
    total = sum(results.values(), Counts())
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
