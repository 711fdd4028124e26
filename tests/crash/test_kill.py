"""SIGKILL at any moment: the sweep ends with its full result, and no task that is recorded complete runs again."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from covalent_lab.testing.live_server import LiveServer, private_environment

PROGRAM = Path(__file__).parent / "sweep_program.py"
ROOT = Path(__file__).parents[2]
KILLS = 24
AT_WORK = 8
"""So many of the kills, at least, must meet a dispatch at work."""
COUNT = 30
BIG = bytes(range(256)) * 1_000
EXPECTED = [[n, len(BIG) if n % 5 == 0 else 10, 0 if n % 5 == 0 else n] for n in range(COUNT)]
NODES = 2 * COUNT + 1

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals"),
]


@dataclass(slots=True)
class Sweep:
    """One dispatch, and what is known of it between two crashes.

    Attributes:
        folder: Where everything is.
        environ: Environment of its processes.
        dispatch_id: Its id.
        finished: Traces of each node, as they were when it was first seen recorded COMPLETED.
    """

    folder: Path
    environ: Mapping[str, str]
    dispatch_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    finished: dict[int, int] = field(default_factory=dict)

    @property
    def traces(self) -> Path:
        """Folder where tasks leave their traces."""
        path = self.folder / "traces" / self.dispatch_id
        path.mkdir(parents=True, exist_ok=True)
        return path

    def begin(self) -> subprocess.Popen[str]:
        """Start the program; it goes on where the last one was killed."""
        command = [sys.executable, str(PROGRAM), self.dispatch_id, str(self.traces), str(COUNT)]
        return subprocess.Popen(
            command,
            env=dict(self.environ),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
            stderr=subprocess.STDOUT,
        )

    def ask(self, statement: str) -> Sequence[Any]:
        """Rows of the database; none if it does not exist yet."""
        path = Path(self.environ["COVALENT_DATA_DIR"], "dispatcher_db.sqlite")
        if not path.exists():
            return []
        connection = sqlite3.connect(path, timeout=120)
        try:
            tables = {name for (name,) in connection.execute("select name from sqlite_master")}
            # It may have been killed before the tables were made.
            return connection.execute(statement, (self.dispatch_id,)).fetchall() if "node" in tables else []
        finally:
            connection.close()

    def is_at_work(self) -> bool:
        """Whether some tasks are complete and others are not."""
        return any(0 < done < total for done, total in self.ask("select completed, total from dispatch where id = ?"))

    def runs(self) -> Counter[int]:
        """How often each node began to run."""
        return Counter(int(path.name.partition("-")[0]) for path in self.traces.iterdir())

    def check(self) -> None:
        """No node that was recorded COMPLETED has begun again since."""
        runs = self.runs()
        for node, number in self.finished.items():
            assert runs[node] == number, f"node {node} ran again although it was complete"
        for (node,) in self.ask("select node_id from node where dispatch_id = ? and state = 'COMPLETED'"):
            self.finished.setdefault(node, runs[node])

    def check_end(self, told: Mapping[str, Any]) -> None:
        """The result is whole, and every node completed exactly once."""
        errors = self.ask("select node_id, attempt, error, traceback from node where dispatch_id = ? and error != ''")
        assert told == {"status": "COMPLETED", "result": EXPECTED, "error": None}, errors[:3]
        self.check()
        rows = self.ask("select node_id from transition where dispatch_id = ? and status = 'COMPLETED'")
        completed = Counter(node for (node,) in rows)
        assert set(completed.values()) == {1}
        assert completed[None] == 1
        assert set(self.runs()) <= set(completed)
        assert len(self.runs()) == NODES
        ((counted, total),) = self.ask("select completed, total from dispatch where id = ?")
        assert (counted, len(completed) - 1) == (total, total)


def environment(folder: Path) -> dict[str, str]:
    """Private folders, and the packages of this work tree."""
    environ = private_environment(folder)
    environ["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("", "executors", "server_extension"))
    return environ


def read_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    """Lines up to the wanted one, or to the end."""
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == wanted:
            break
    return lines


def kill_somewhen(process: subprocess.Popen[str], rng: Random) -> bool:
    """Kill at a random moment after a random milestone; False if it had ended before."""
    milestone, longest_s = rng.choice(
        [("building", 0.2), ("connecting", 0.5), ("submitting", 0.05), *[("submitted", 1.2)] * 3]
    )
    read_until(process, milestone)
    time.sleep(rng.random() * longest_s)
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def the_end(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    """Let it run to its end; what it told last."""
    try:
        output, _ = process.communicate(timeout=200)
    finally:
        process.kill()
    lines = output.strip().splitlines()
    assert process.returncode == 0, output
    told: Mapping[str, Any] = json.loads(lines[-1])
    return told


def test_a_dispatcher_killed_at_any_moment_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Two dozen kills while opening, submitting and running; each sweep is then brought to its end."""
    rng = Random(20240607)
    environ = environment(tmp_path)
    kills = at_work = 0
    while kills < KILLS or at_work < AT_WORK:
        sweep = Sweep(tmp_path, environ)
        for _ in range(rng.randint(4, 8)):
            process = sweep.begin()
            try:
                is_killed = kill_somewhen(process, rng)
            finally:
                process.kill()
                process.communicate()
            kills += is_killed
            at_work += sweep.is_at_work()
            sweep.check()
            if not is_killed:
                break
        sweep.check_end(the_end(sweep.begin()))


def test_a_client_that_waits_gets_its_result_although_the_server_is_killed(tmp_path: Path) -> None:
    """The Jupyter server is killed three times and started again; the script that waits never notices."""
    rng = Random(3)
    environ = environment(tmp_path)
    sweep = Sweep(tmp_path, environ)
    process: subprocess.Popen[str] | None = None
    try:
        for start in range(4):
            server = LiveServer.start(root_dir=tmp_path, log=tmp_path / f"server{start}.log", environ=environ)
            try:
                if process is None:
                    process = sweep.begin()
                    read_until(process, "submitted")
                if start < 3:
                    time.sleep(rng.random() * 0.4)
                else:
                    sweep.check_end(the_end(process))
            finally:
                server.process.kill()
                server.process.wait()
            sweep.check()
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.communicate()
