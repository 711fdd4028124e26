"""`start`, `stop`, `restart` and `status` with the real server."""

import contextlib
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import covalent_lab as ct
from covalent_lab.config.background import is_alive
from covalent_lab.config.serverfiles import ServerFiles
from covalent_lab.errors import UsageError

Run = Callable[..., Result]
START = ("start", "--no-cluster", "--port")


@ct.electron
def double(x: int) -> int:
    return 2 * x


@ct.lattice
def workflow(x: int) -> Any:
    return double(x)


def running() -> dict[str, Any]:
    """What the server says of itself."""
    said = ServerFiles.load().running()
    assert said is not None
    return said


def processes_of(home: Path) -> list[int]:
    """Processes that were started with this home folder, and still run."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and f"HOME={home}\0".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_server_starts_serves_and_stops(home: Path, run: Run) -> None:
    """From start to stop: its files, who may come in, a dispatch of a plain program, and nothing left afterwards."""
    started = run(*START, 0)
    assert (started.exit_code, started.stderr) == (0, "")
    files, said = ServerFiles.load(), running()
    assert said["url"] in started.output
    assert files.pid.read_text().strip() == str(said["pid"])
    assert files.heartbeat.read_text().splitlines()[-1] == "ALIVE"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (files.record, files.log)] == [0o600, 0o600]
    assert said["token"] not in files.log.read_text()
    for path in ("covalent/api/v1/status", "api/kernels", "api/contents"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(said["url"] + path)
        refused.value.close()
        assert refused.value.code in (403, 404)

    again = run("start")
    assert (again.exit_code, again.output) == (0, f"covalent_lab is running already at {said['url']}\n")

    assert ct.is_covalent_running()
    result = ct.dispatch_sync(workflow)(21)
    assert (result.result, result.connection.url if result.connection else None) == (42, said["url"])
    assert os.getsid(said["pid"]) != os.getsid(0)
    assert len(processes_of(home)) > 1, "the server, and workers of its executor"

    stopped = run("stop")
    assert (stopped.exit_code, stopped.stderr) == (0, "covalent_lab has stopped.\n")
    assert not is_alive(said["pid"], said["start"])
    assert processes_of(home) == []
    assert not files.record.exists()
    assert not files.pid.exists()
    assert files.heartbeat.read_text().splitlines()[-1] == "DEAD"
    assert run("stop").stderr == "covalent_lab was not running.\n"


def test_after_a_kill_it_is_known_to_be_gone_and_starts_again(home: Path, run: Run) -> None:
    """SIGKILL leaves all files behind; nobody takes them for a running server, and no record is lost."""
    assert run(*START, 0).exit_code == 0
    killed = running()
    dispatch_id = ct.dispatch(workflow)(1)
    assert ct.get_result(dispatch_id, wait=True).result == 2
    os.kill(killed["pid"], signal.SIGKILL)
    while processes_of(home):  # workers end with their server
        time.sleep(0.02)

    assert ServerFiles.load().record.exists()
    assert "running" not in run("status").output
    assert run("list").exit_code == 1
    assert run("restart", "--port", 0).exit_code == 0
    assert running()["pid"] != killed["pid"]
    assert dispatch_id in run("list").output
    assert run("stop").exit_code == 0


def test_a_taken_port_gives_way_to_the_next_and_what_was_chosen_is_kept(home: Path, run: Run, taken: int) -> None:
    """The port that was asked for is kept for later starts, and clients who were told a port are told the new one."""
    ct.set_config("dispatcher.port", taken)

    assert run(*START, taken, "--no-triggers", "-n", 3).exit_code == 0
    port = int(running()["url"].rstrip("/").rpartition(":")[2])
    assert port > taken
    assert ct.get_config(["user_interface.port", "dispatcher.port", "dispatcher.triggers"]) == {
        "user_interface.port": taken,
        "dispatcher.port": port,
        "dispatcher.triggers": "off",
    }
    assert ct.get_config("dask.num_workers") == 3
    assert ct.get_config("sdk.no_cluster") == "true"
    assert ct.dispatch_sync(workflow)(4).result == 8
    assert "disabled" in run("status").output
    assert run("stop").exit_code == 0


def test_two_starts_at_once_make_one_server(home: Path, run: Run) -> None:
    """Whoever comes second finds the first one's server."""
    command = [sys.executable, "-m", "covalent_lab", *START, "0"]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(start.communicate(timeout=200)[0] for start in starts)

    url = running()["url"]
    assert told == [f"covalent_lab has started at {url}\n", f"covalent_lab is running already at {url}\n"]
    assert run("stop").exit_code == 0


def test_functions_start_and_stop_it_as_well(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`covalent_start` returns when it answers, does nothing the second time, and can be quiet."""
    ct.covalent_start(port=0, no_cluster=True)
    url = running()["url"]
    ct.covalent_start(port=0)
    assert capsys.readouterr().out == f"covalent_lab has started at {url}.\ncovalent_lab is running already.\n"
    assert ct.is_covalent_running()

    ct.covalent_stop(quiet=True)
    assert not ct.is_covalent_running()
    ct.covalent_stop()
    assert capsys.readouterr().out == "covalent_lab was not running.\n"
    with pytest.raises(UsageError, match="exclude"):
        ct.covalent_start(no_triggers=True, triggers_only=True)


def test_an_outdated_database_is_refused_unless_told_otherwise(home: Path, run: Run) -> None:
    """A start names the command that upgrades, ends with 1, and starts nothing; then the server upgrades by itself."""
    assert run("db", "alembic", "upgrade", "0001").exit_code == 0

    refused = run(*START, 0)

    assert refused.exit_code == 1
    assert "covalent-lab db migrate" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert ServerFiles.load().running() is None
    assert "outdated (schema 0001)" in run("status").output

    assert run(*START, 0, "--ignore-migrations").exit_code == 0
    assert "current" in run("status").output
    assert ct.dispatch_sync(workflow)(3).result == 6
    assert run("stop").exit_code == 0


def test_a_database_of_a_newer_version_is_refused(home: Path, run: Run) -> None:
    """Not even `--ignore-migrations` helps; what has to be upgraded is the package."""
    assert run("migrate").exit_code == 0
    with contextlib.closing(sqlite3.connect(ct.get_config("dispatcher.db_path"))) as database:
        database.execute("update alembic_version set version_num = '9999'")
        database.commit()

    for options in ((), ("--ignore-migrations",)):
        refused = run(*START, 0, *options)
        assert refused.exit_code == 1
        assert "newer version" in refused.stderr
    assert ServerFiles.load().running() is None
    assert "newer version" in run("status", "--json").stdout


def test_a_server_without_records_ends_and_says_why(home: Path, run: Run) -> None:
    """What cannot be opened is told in one line, with the log file; no server is left."""
    path = Path(ct.get_config("dispatcher.db_path"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"this is no database" * 100)

    refused = run(*START, 0, "--ignore-migrations")

    assert refused.exit_code == 1
    assert str(ServerFiles.load().log) in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert ServerFiles.load().running() is None
