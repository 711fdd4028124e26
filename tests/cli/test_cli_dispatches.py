"""`list`, `show`, `result`, `cancel`, `redispatch` and `cache`, asked of one real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from tests.cli.conftest import clean_up, move

Run = Callable[..., Result]


@ct.electron
def half(x: int) -> int:
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x // 2


@ct.electron
def wait_for(path: str) -> None:
    import time
    from pathlib import Path

    while not Path(path).exists():
        time.sleep(0.02)


@ct.lattice
def halves(x: int) -> Any:
    return half(half(x))


@ct.lattice
def gated(path: str) -> Any:
    return wait_for(path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Iterator[None]:
    """A server that was started by the command line; this process's own folders are its."""
    with pytest.MonkeyPatch.context() as patch:
        move(tmp_path_factory.mktemp("server"), patch)
        assert run("start", "--no-cluster", "--port", 0).exit_code == 0
        yield
        assert run("stop").exit_code == 0
        clean_up()


@pytest.fixture(scope="module")
def done(server: None) -> str:
    """Id of a dispatch that completed."""
    return ct.dispatch_sync(halves)(12).dispatch_id


@pytest.fixture(scope="module")
def failed(server: None, done: str) -> str:
    """Id of a later one whose second task failed."""
    return ct.dispatch_sync(halves)(6).dispatch_id


def test_list_tells_ids_names_and_states(run: Run, done: str, failed: str) -> None:
    """Newest first, as a table and as JSON, with filters."""
    items = json.loads(run("list", "--json").stdout)
    assert [item["dispatch_id"] for item in items] == [failed, done]
    only = json.loads(run("list", "--json", "--status", "completed").stdout)
    assert [(item["dispatch_id"], item["name"], item["status"]) for item in only] == [(done, "halves", "COMPLETED")]
    assert json.loads(run("list", "--json", "--search", failed[:8]).stdout) == items[:1]

    table = run("list", "--count", 1)
    assert failed in table.stdout
    assert done not in table.stdout

    wrong = run("list", "--status", "purple")
    assert (wrong.exit_code, len(wrong.stderr.splitlines())) == (1, 1)
    assert run("list", "--count", 0).exit_code == 2


def test_show_tells_every_node(run: Run, failed: str) -> None:
    """States, times and errors of nodes, those that never began included."""
    told = json.loads(run("show", failed, "--json").stdout)
    assert told["status"] == "FAILED"
    assert [(node["name"], node["status"]) for node in told["nodes"]] == [
        ("half", "COMPLETED"),
        ("half", "FAILED"),
        (":postprocess:reconstruct", "NEW_OBJECT"),
    ]
    assert "3 is odd" in told["nodes"][1]["error"]

    table = run("show", failed)
    assert table.exit_code == 0
    assert "3 is odd" in table.stdout
    unknown = run("show", "nothing")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "'nothing'" in unknown.stderr


def test_result_prints_the_value_or_says_why_there_is_none(run: Run, done: str, failed: str) -> None:
    """The value goes to standard output alone; a dispatch that failed makes the command fail."""
    value = run("result", done)
    assert (value.exit_code, value.stdout, value.stderr) == (0, "3\n", "")
    assert json.loads(run("result", done, "--json").stdout) == {
        "dispatch_id": done,
        "status": "COMPLETED",
        "result": "3",
        "type": "int",
        "error": None,
    }

    none = run("result", failed)
    assert (none.exit_code, none.stdout) == (1, "")
    assert failed in none.stderr
    as_json = run("result", failed, "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["status"] == "FAILED"


def test_a_dispatch_is_written_into_a_file(run: Run, done: str, tmp_path: Path) -> None:
    """Its suffix says what it becomes; nothing goes to standard output."""
    page = run("export", done, "-o", tmp_path / "run.html")
    assert (page.exit_code, page.stdout) == (0, "")
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "CPU time of tasks" in text
    assert "Completed" in text

    wrong = run("export", done, "-o", tmp_path / "run.exe")
    assert (wrong.exit_code, len(wrong.stderr.splitlines())) == (1, 1)
    assert run("export", "nothing", "-o", tmp_path / "other.html").exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]


def test_two_dispatches_are_compared(run: Run, done: str, failed: str) -> None:
    """As a table of what differs, and as JSON."""
    told = json.loads(run("compare", done, failed, "--json").stdout)
    assert [row["differences"] for row in told["rows"]][:2] == [
        ["inputs", "output"],
        ["status", "inputs", "output", "error"],
    ]
    assert told["rows"][0]["left"]["cpu_s"] >= 0

    table = run("compare", done, failed)
    assert "x: 12 → 6" in table.stdout
    assert run("compare", done, "nothing").exit_code == 1


def test_a_dispatch_is_cancelled(run: Run, server: None, tmp_path: Path) -> None:
    """What was asked for is said, and `result --wait` waits for the end that comes of it."""
    dispatch_id = ct.dispatch(gated)(str(tmp_path / "gate"))
    early = run("result", dispatch_id)
    assert early.exit_code == 1
    assert "--wait" in early.stderr

    assert run("cancel", dispatch_id, "--task", 999).exit_code == 1
    asked = run("cancel", dispatch_id)
    assert (asked.exit_code, asked.stderr) == (0, f"Dispatch {dispatch_id} cancelled.\n")
    ended = run("result", dispatch_id, "--wait")
    assert ended.exit_code == 1
    assert "CANCELLED" in ended.stderr


def test_a_dispatch_is_repeated(run: Run, done: str, failed: str) -> None:
    """As it was, or with new arguments; the new id is all that is printed."""
    again = run("redispatch", done, "--reuse")
    assert again.exit_code == 0
    assert run("result", again.stdout.strip(), "--wait").stdout == "3\n"
    other = run("redispatch", failed, "--args", "[20]")
    assert run("result", other.stdout.strip(), "--wait").stdout == "5\n"

    assert run("redispatch", "nothing").exit_code == 1
    for wrong in ("{}", "[", "3"):
        assert run("redispatch", done, "--args", wrong).exit_code == 2


def test_an_address_can_be_given(run: Run, done: str) -> None:
    """With and without scheme; a wrong one is an error of one line."""
    url = next(part["address"] for part in json.loads(run("status", "--json").stdout) if part["name"] == "server")
    assert done in run("list", "--address", url).stdout
    assert done in run("list", "--address", url.removeprefix("http://").rstrip("/")).stdout
    nobody = run("list", "--address", "localhost:1")
    assert (nobody.exit_code, len(nobody.stderr.splitlines())) == (1, 1)
    disconnect()


def test_cached_results_are_listed_and_forgotten(server: None, run: Run) -> None:
    """By task, by age, or all."""
    ct.dispatch_sync(ct.lattice(lambda: half(8), cache=True))()

    (kept,) = json.loads(run("cache", "list", "--json").stdout)
    assert (kept["name"], kept["hits"]) == ("half", 0)
    assert "half" in run("cache", "list", "--search", "hal").stdout
    assert json.loads(run("cache", "list", "--search", "other", "--json").stdout) == []
    assert "0 cached results" in run("cache", "purge", "--search", "other").output
    assert "0 cached results" in run("cache", "purge", "--unused-days", "1").output
    assert "1 cached result forgotten" in run("cache", "purge", "--search", "half").output
    assert json.loads(run("cache", "list", "--json").stdout) == []
    assert run("cache", "purge", "--unused-days", "-1").exit_code == 2


def test_executors_are_listed_checked_and_tested(run: Run, server: None) -> None:
    """The exit code says whether one can be used."""
    listed = json.loads(run("executors", "list", "--json").stdout)
    assert "local" in {item["name"] for item in listed}
    assert "LocalExecutor" in run("executors").stdout
    good = run("executors", "check", "local")
    assert (good.exit_code, "Free places" in good.stdout) == (0, True)
    passed = run("executors", "test", "local", "--json")
    assert (passed.exit_code, json.loads(passed.stdout)["is_passed"]) == (0, True)
    for verb in ("check", "test"):
        refused = run("executors", verb, "nobody")
        assert (refused.exit_code, "No executor is named 'nobody'" in refused.stderr) == (1, True)
