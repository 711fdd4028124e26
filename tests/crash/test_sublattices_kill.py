"""SIGKILL while sublattices are built, dispatched and run: each becomes one dispatch, and all come to their end."""

import json
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from test_kill import environment, read_until

PROGRAM = Path(__file__).parent / "sublattice_program.py"
KILLS = 12
PARTS = 15
"""Sublattices of three levels below the first, two each."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def begin(folder: Path, environ: Mapping[str, str], name: str) -> subprocess.Popen[str]:
    """Start the program; it goes on where the last one was killed."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), name],
        env=dict(environ),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_sublattices_survive_the_death_of_their_dispatcher(tmp_path: Path) -> None:
    """A dozen kills at random moments after the submission; the last start brings the whole tree to its end."""
    rng = Random(20240608)
    environ = environment(tmp_path)
    name = str(uuid.uuid4())
    for _ in range(KILLS):
        process = begin(tmp_path, environ, name)
        try:
            read_until(process, "submitted")
            time.sleep(rng.random() * 0.6)
        finally:
            process.kill()
            process.communicate()
    process = begin(tmp_path, environ, name)
    try:
        output, _ = process.communicate(timeout=200)
    finally:
        process.kill()
    told = json.loads(output.strip().splitlines()[-1])
    assert told == {"status": "COMPLETED", "result": PARTS, "error": None}, output
    connection = sqlite3.connect(Path(environ["COVALENT_DATA_DIR"], "dispatcher_db.sqlite"), timeout=120)
    try:
        dispatches = connection.execute("select id, state, root_id from dispatch").fetchall()
        parts = connection.execute("select sub_dispatch_id from node where sub_dispatch_id is not null").fetchall()
        ends = connection.execute("select dispatch_id, node_id from transition where status = 'COMPLETED'").fetchall()
    finally:
        connection.close()
    assert Counter((state, root) for _, state, root in dispatches) == {("COMPLETED", name): PARTS + 1}
    assert {part for (part,) in parts} | {name} == {found for found, _, _ in dispatches}
    assert set(Counter(ends).values()) == {1}
