"""`cluster`, and the server that brings the cluster along: the real thing, once."""

import json
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import covalent_lab as ct
from covalent_lab.client import cluster
from covalent_lab.config.background import is_alive
from covalent_lab.config.serverfiles import ServerFiles

Run = Callable[..., Result]


@pytest.mark.slow
def test_the_cluster_comes_and_goes_with_the_server(home: Path, run: Run) -> None:
    """Every question of `cluster`; who has no token is told nothing; a stop takes the cluster along."""
    assert run("start", "--port", 0, "-n", 1, "-t", 1, "-m", "1GiB").exit_code == 0
    there = cluster.running()
    assert there is not None
    assert stat.S_IMODE(ServerFiles.load().cluster.stat().st_mode) == 0o600
    assert ct.get_config("dask.scheduler_address") == there["scheduler_address"]
    assert ct.get_config("dask.pid") == there["pid"]

    assert json.loads(run("cluster", "--json").stdout) == {"scheduler": "running", "workers": {"0": "running"}}
    info = json.loads(run("cluster", "--info", "--json").stdout)
    worker = info["workers"]["0"]
    assert (worker["threads"], worker["memory_limit"], worker["host"]) == (1, 2**30, "127.0.0.1")
    assert json.loads(run("cluster", "--address", "--json").stdout)["scheduler"] == there["scheduler_address"]
    assert there["scheduler_address"] in run("cluster", "--address").stdout
    assert run("cluster", "--scale", 2).stderr == "The cluster has 2 workers.\n"
    assert run("cluster", "--size").stdout == "2\n"
    assert run("cluster", "--restart").stderr == "The cluster has 2 workers.\n"
    again = json.loads(run("cluster", "--info", "--json").stdout)["workers"]["0"]
    assert again["pid"] != worker["pid"]
    assert run("cluster", "--logs").exit_code == 0

    for line in (b'{"token": "guessed", "question": "info"}\n', b"[]\n", b"x" * 70_000 + b"\n"):
        with socket.create_connection((there["admin_host"], there["admin_port"])) as stranger:
            stranger.sendall(line)
            answer = stranger.makefile("rb").readline()
        assert b"scheduler" not in answer
    assert run("cluster", "--size").stdout == "2\n"

    assert run("stop").exit_code == 0
    assert not is_alive(there["pid"], there["start"])
    assert ct.get_config("dask.scheduler_address") == ""
    assert run("cluster").exit_code == 1


def test_a_cluster_that_cannot_start_stops_the_start(home: Path, run: Run) -> None:
    """A memory limit that is none is told in one line, and no server is left without its cluster."""
    answer = run("start", "--port", 0, "-n", 1, "-m", "plenty")

    assert answer.exit_code == 1
    assert len(answer.stderr.splitlines()) == 1
    assert str(ServerFiles.load().cluster_log) in answer.stderr
    assert ServerFiles.load().running() is None
    assert cluster.running() is None
