"""What a task costs, counted instead of timed: statements, commits, messages, requests, bytes and files.

Machines differ in speed and not in these, so a change that makes every task do more shows here. The bounds are what
is reasonable, not what is reached.
"""

import os
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import sqlalchemy as sa  # noqa: TID253 - its events count statements
import urllib3  # noqa: TID253 - its pool is where requests leave

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from covalent_lab.testing.live_server import LiveServer, private_environment
from covalent_lab.workflow.bundle import write_bundle

WIDTH = 400


@ct.electron
def add(value: int) -> int:
    """A small task."""
    return value + 1


@ct.electron
def total(values: list[int]) -> int:
    """Join a fan."""
    return sum(values)


@ct.lattice
def fan(width: int) -> Any:
    """Tasks that do not wait for each other, and one for all of them."""
    return total([add(index) for index in range(width)])


@ct.lattice
def chain(length: int) -> Any:
    """Tasks that each wait for the one before."""
    value: Any = 0
    for _ in range(length):
        value = add(value)
    return value


@pytest.fixture(autouse=True)
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """All folders below the test's own; no server is to be found."""
    private = private_environment(tmp_path)
    for name in os.environ:
        if name.startswith(("COVALENT_", "JUPYTER_")):
            monkeypatch.delenv(name)
    for name, value in private.items():
        monkeypatch.setenv(name, value)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
    yield private
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    disconnect()


@pytest.fixture
def sql(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts what SQLite is told from now on, rows one by one: `COMMIT`, `INSERT`, `UPDATE`, `SELECT`, …"""
    counts: Counter[str] = Counter()

    def connected(connection: Any, _: Any) -> None:
        connection.set_trace_callback(lambda statement: counts.update([statement.split(None, 1)[0].upper()]))

    sa.event.listen(sa.Engine, "connect", connected)
    yield counts
    sa.event.remove(sa.Engine, "connect", connected)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each write to a local socket: what workers are sent, and not the wake-ups of event loops."""
    sizes: list[int] = []

    def counting(name: str) -> Callable[..., Any]:
        original = getattr(socket.socket, name)

        def write(self: socket.socket, data: Any, *rest: Any) -> Any:
            size = sum(map(len, data)) if name == "sendmsg" else len(data)
            if self.family == socket.AF_UNIX and size > 1:
                sizes.append(size)
            return original(self, data, *rest)

        return write

    for name in ("send", "sendall", "sendmsg"):
        monkeypatch.setattr(socket.socket, name, counting(name))
    return sizes


def ran(lattice: Any, size: int) -> Any:
    """Dispatch, wait, and return the value."""
    return ct.get_result(ct.dispatch(lattice)(size), wait=True, timeout=200).result


def test_statements_and_commits_of_a_fan_grow_with_ticks_not_with_tasks(sql: Counter[str]) -> None:
    """A task writes a few rows; commits are those of ticks, and nothing that was written is read back."""
    assert ran(fan, 2) == 3
    sql.clear()

    assert ran(fan, WIDTH) == WIDTH * (WIDTH + 1) / 2
    rows = sum(sql[word] for word in ("INSERT", "UPDATE", "DELETE", "REPLACE"))
    assert 0 < rows <= 7 * WIDTH
    assert 0 < sql["COMMIT"] <= WIDTH / 4
    assert sql["SELECT"] <= 20


def test_a_result_that_is_taken_over_costs_one_record(sql: Counter[str]) -> None:
    """That it is there; the rest is copied by a few statements for all of them."""
    dispatch_id = ct.dispatch(fan)(WIDTH)
    ct.get_result(dispatch_id, wait=True, timeout=60)
    sql.clear()

    again = ct.redispatch(dispatch_id, reuse_previous_results=True)()
    assert ct.get_result(again, wait=True, timeout=60).result == WIDTH * (WIDTH + 1) / 2
    assert WIDTH < sql["INSERT"] + sql["UPDATE"] < 1.2 * WIDTH
    assert sql["COMMIT"] <= 5


def test_a_link_of_a_chain_costs_a_few_commits(sql: Counter[str]) -> None:
    """Nothing is left to share between ticks here, but each link still takes no more than its states."""
    assert ran(chain, 2) == 2
    sql.clear()

    assert ran(chain, 50) == 50
    assert 0 < sql["COMMIT"] <= 3 * 50
    assert sql["SELECT"] <= 20


def test_a_task_is_one_small_message_at_most(messages: list[int]) -> None:
    """The function travels once to each worker; of a task there is its argument and who it is."""
    assert ran(fan, 2) == 3
    messages.clear()

    assert ran(fan, WIDTH) == WIDTH * (WIDTH + 1) / 2
    assert 0 < len(messages) <= WIDTH + 20
    assert sum(messages) <= 1_500 * WIDTH


def test_small_tasks_leave_no_files(environ: dict[str, str]) -> None:
    """Their values are in the database; what is in the folder does not depend on how many there were."""

    def files() -> int:
        return sum(len(names) for _, _, names in os.walk(environ["COVALENT_DATA_DIR"]))

    assert ran(fan, 2) == 3
    before = files()

    assert ran(fan, WIDTH) == WIDTH * (WIDTH + 1) / 2
    assert files() - before <= 4


@pytest.mark.parametrize("lattice", [fan, chain], ids=["fan", "chain"])
def test_a_request_holds_what_is_alike_once(lattice: Any) -> None:
    """A further node with the function of others adds a few bytes: its place in the graph, and its argument."""

    def size_of(count: int) -> int:
        lattice.build_graph(count)
        return sum(memoryview(piece).nbytes for piece in write_bundle(lattice, "0" * 36))

    few, many = size_of(1_000), size_of(3_000)
    assert (many - few) / 2_000 <= 60


@pytest.mark.slow
def test_dispatch_and_result_are_a_few_requests_on_one_connection(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tasks there are: nothing is asked again and again, and no connection is opened for each.

    `dispatch_sync` needs one request for a short workflow, and none where it went before: a socket is open by then.
    """
    requests: list[tuple[str, str]] = []
    pools: set[urllib3.HTTPConnectionPool] = set()
    original = urllib3.HTTPConnectionPool.urlopen

    def counting(self: urllib3.HTTPConnectionPool, method: str, url: str, *rest: Any, **options: Any) -> Any:
        requests.append((method, url))
        pools.add(self)
        return original(self, method, url, *rest, **options)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", counting)
    (tmp_path / "root").mkdir()
    with LiveServer.start(root_dir=tmp_path / "root", log=tmp_path / "server.log", environ=environ):
        assert ran(fan, 2) == 3
        requests.clear()

        assert ran(fan, WIDTH) == WIDTH * (WIDTH + 1) / 2
        separately = list(requests)
        requests.clear()

        assert ct.dispatch_sync(fan)(2).result == 3
        together = list(requests)
        requests.clear()

        assert ct.dispatch_sync(fan)(2).result == 3
        disconnect()
    assert len(separately) <= 3, separately
    assert len(together) <= 2, together
    assert requests == []
    assert sum(pool.num_connections for pool in pools) <= 2
