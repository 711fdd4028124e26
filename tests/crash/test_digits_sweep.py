"""SIGKILL of the Jupyter server in the middle of the digits sweep, at two dozen random moments."""

import os
import signal
import sqlite3
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from random import Random

import pytest

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from covalent_lab.client.http import HttpConnection
from covalent_lab.testing.live_server import LiveServer, private_environment
from covalent_lab.workflow.bundle import write_bundle

ROOT = Path(__file__).parents[2]
KILLS = 22
LONGEST_S = 1.6
NODES = 286

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals"),
]


def check_store(database: Path, dispatch_id: str) -> int:
    """No node was started after it had completed, and none completed twice; returns how many completed."""
    connection = sqlite3.connect(database, timeout=120)
    try:
        rows = connection.execute(
            "select node_id, status from transition where dispatch_id = ? and node_id is not null order by seq",
            (dispatch_id,),
        ).fetchall()
    finally:
        connection.close()
    completed: Counter[int] = Counter()
    for node_id, status in rows:
        assert completed[node_id] == 0, f"node {node_id} became {status} after it had completed"
        completed[node_id] += status == "COMPLETED"
    return completed.total()


def test_the_digits_sweep_survives_its_server_being_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time it is taken up where it was; at the end the result is whole and each completed node ran once."""
    monkeypatch.syspath_prepend(str(ROOT / "notebooks"))
    sys.modules.pop("quickstart_workflow", None)
    import quickstart_workflow as quickstart

    rng = Random(19)
    environ = private_environment(tmp_path)
    environ["PYTHONPATH"] = os.pathsep.join(
        str(ROOT / part) for part in ("", "executors", "server_extension", "notebooks")
    )
    database = tmp_path / "covalent" / "dispatcher_db.sqlite"
    unfinished: list[str] = []
    ended: list[str] = []
    kills = 0
    while True:
        server = LiveServer.start(root_dir=tmp_path, log=tmp_path / f"server{kills}.log", environ=environ)
        try:
            connection = HttpConnection(server.url, server.lab_token)
            if not unfinished:
                quickstart.workflow.build_graph(*quickstart.ARGUMENTS)
                dispatch_id = str(uuid.uuid4())
                connection.submit(write_bundle(quickstart.workflow, dispatch_id))
                unfinished.append(dispatch_id)
            if kills >= KILLS:
                break
            time.sleep(rng.random() * LONGEST_S)  # the random moment
            server.process.kill()
            server.process.wait()
        except BaseException:
            server.stop()
            raise
        kills += 1
        check_store(database, unfinished[0])
        if is_over(database, unfinished[0]):
            ended.append(unfinished.pop())
    try:
        address = f"{server.url}?token={server.lab_token}"
        for dispatch_id in [*ended, *unfinished]:
            result = ct.get_result(dispatch_id, wait=True, dispatcher_addr=address, timeout=200)
            assert (str(result.status), result.error) == ("COMPLETED", None)
            assert result.result["accuracy"] > 0.98
            assert check_store(database, dispatch_id) == NODES
    finally:
        disconnect()
        server.stop()


def is_over(database: Path, dispatch_id: str) -> bool:
    """Whether a dispatch has ended."""
    connection = sqlite3.connect(database, timeout=120)
    try:
        ((state,),) = connection.execute("select state from dispatch where id = ?", (dispatch_id,)).fetchall()
    finally:
        connection.close()
    return state in ("COMPLETED", "FAILED", "CANCELLED")
