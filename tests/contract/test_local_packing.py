"""Task packing in a whole dispatch: an embedded dispatcher and the processes of the local executor."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from covalent_lab.executor.base import JobStatus
from covalent_lab.executor.registry import load
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Running, chained, job

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests


pytestmark = pytest.mark.usefixtures("private")


class Door:
    """A port at which tasks knock and wait."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port = listener.getsockname()[1]

    def visitor(self) -> socket.socket:
        """Wait for the next task that knocks."""
        return self._listener.accept()[0]


@pytest.fixture
def door() -> Iterator[Door]:
    """Closed in the end, so that nobody waits there any longer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(120)
        yield Door(listener)


@contextmanager
def let_in(door: Door) -> Iterator[None]:
    """Hold the next task that knocks until the block is over."""
    with door.visitor() as visitor:
        yield
        visitor.sendall(b"!")


def knock(port: int) -> None:
    """What a task does at the door."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.recv(1)


class Room:
    """A result whose items take as long as the test likes."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __getitem__(self, key: str) -> str:
        print("looking for", key)
        if key == "behind the door":
            knock(self.port)
        return key.upper()


@ct.electron
def enter(port: int) -> Room:
    """Make a result with items."""
    print("entered")
    return Room(port)


@ct.electron
def split(values: list[int], names: dict[str, int]) -> tuple[Any, ...]:
    """Give several values."""
    print(len(values), "values")
    return values[0], sorted(values), names


@ct.electron
def join(*parts: Any) -> str:
    """Use what was split."""
    return repr(parts)


@ct.lattice
def unpacking() -> Any:
    """Collections before, items and attributes after, and one task needs those of another."""
    first, middle, names = split([3, 1, 2], {"a": 1, "b": 2})
    others = split([first, middle[1]], {"c": names["a"]})
    return join(first.real, others[0], [others[2]["c"]])


@ct.lattice
def missing() -> Any:
    """One of several items is not there."""
    first, second = split([7], {})[:2]
    return [first, split([first], {})[9], join(second)]


def outcome(lattice: Any, *, packs: bool) -> tuple[Any, ...]:
    """How a dispatch ended, and for each node its state and what it printed."""
    lattice.task_packing = packs
    dispatch_id = ct.dispatch(lattice)()
    result = ct.get_result(dispatch_id, wait=60)
    nodes = [(n["node_name"], str(n["status"]), n["stdout"], n["error"]) for n in result.get_all_node_results()]
    return str(result.status), result.result, nodes


@pytest.mark.parametrize("lattice", [unpacking, missing], ids=["unpacking", "missing"])
def test_packing_changes_nothing_that_users_see(lattice: Any) -> None:
    """Values, states, attempts, streams and errors of all nodes are those of a dispatch that was not packed."""
    packed, plain = outcome(lattice, packs=True), outcome(lattice, packs=False)
    assert packed == plain
    assert packed[0] == ("COMPLETED" if lattice is unpacking else "FAILED")


def rooms(port: int) -> str:
    """Dispatch a workflow that takes three items, the second of which keeps it waiting."""

    @ct.lattice
    def workflow() -> Any:
        room = enter(port)
        return [room[key] for key in ("here", "behind the door", "there")]

    workflow.task_packing = True
    return ct.dispatch(workflow)()


def nodes(dispatch_id: str) -> dict[str, list[tuple[int, str, int]]]:
    """Id, state and attempt of the nodes that were started, by name."""
    result = ct.get_result(dispatch_id)
    columns = result.node_states()
    found: dict[str, list[tuple[int, str, int]]] = {}
    for node, *rest in sorted(zip(columns["node_id"], columns["status"], columns["attempt"], strict=True)):
        found.setdefault(result.graph.nodes[node].name, []).append((node, *rest))
    return found


def second_item(dispatch_id: str) -> int:
    """Id of the node of the second item, as soon as it is recorded that the first one was taken."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        _, *others = nodes(dispatch_id).get(":enter.__getitem__", [(0, "", 0)])
        if others:
            return others[0][0]
    raise TimeoutError(dispatch_id)


def test_cancelling_the_step_that_runs_leaves_the_others_alone(door: Door) -> None:
    """The item after it is taken all the same, by another worker."""
    dispatch_id = rooms(door.port)
    with door.visitor() as visitor:
        ct.cancel(dispatch_id, second_item(dispatch_id))
        assert visitor.recv(1) == b""  # the task is gone
    assert str(ct.get_result(dispatch_id, wait=60).status) == "CANCELLED"
    found = nodes(dispatch_id)
    assert [state for _, state, _ in found["enter"]] == ["COMPLETED"]
    assert [state for _, state, _ in found[":enter.__getitem__"]] == ["COMPLETED", "CANCELLED", "COMPLETED"]


def test_a_restart_in_the_middle_goes_on_with_the_step_that_ran(door: Door) -> None:
    """The steps before it do not run again."""
    dispatch_id = rooms(door.port)
    with door.visitor() as visitor:
        second_item(dispatch_id)
        disconnect()  # the dispatcher, and its workers with it
        assert visitor.recv(1) == b""
    ct.get_result(dispatch_id)
    with let_in(door):
        pass
    result = ct.get_result(dispatch_id, wait=60)
    assert result.result == ["HERE", "BEHIND THE DOOR", "THERE"]
    found = nodes(dispatch_id)
    assert [attempt for _, _, attempt in found["enter"]] == [1]
    assert [attempt for _, _, attempt in found[":enter.__getitem__"]] == [1, 2, 1]


@pytest.mark.parametrize("count", [3, 200])
def test_functions_of_steps_that_were_not_run_need_not_be_sent_again(tmp_path: Path, count: int) -> None:
    """Also where the worker keeps fewer functions than the job has."""

    def fail() -> None:
        raise ValueError("no")

    def constant(number: int) -> Any:
        return lambda: number

    async def main() -> None:
        host, executor = FakeHost(tmp_path), load("local")(workers=1)
        await executor.start(host)
        running = Running(executor=executor, host=host)
        later = [job(constant(n), node_id=n) for n in range(1, count)]
        await running.submit(chained(job(fail), *later))
        await host.finished(job(fail).attempt_id)
        for spec in later:
            assert await running.value(spec) == spec.node_id
        again = [job(constant(n), node_id=count + n) for n in range(1, count)]
        await running.submit(chained(*again))
        assert running.load(await host.finished(again[-1].attempt_id)) == count - 1
        await executor.close()

    asyncio.run(main())


def test_a_cancel_that_meets_a_step_just_begun_stops_it(tmp_path: Path, door: Door) -> None:
    """The executor has not read yet that the step before has ended."""

    async def main() -> None:
        host, executor = FakeHost(tmp_path), load("local")(workers=1, grace_s=0.2)
        await executor.start(host)
        running = Running(executor=executor, host=host)
        first, second, third = (job(knock, door.port, node_id=n) for n in range(3))
        await running.submit(chained(first, second, third))
        await host.start_of(first.attempt_id)
        with let_in(door):  # from here on the event loop stands still
            pass
        visitor = door.visitor()
        assert first.attempt_id not in host.outcomes()
        await running.cancel(second)
        assert (await host.finished(second.attempt_id)).status is JobStatus.CANCELLED
        assert visitor.recv(1) == b""
        visitor.close()
        assert (await host.finished(first.attempt_id)).status is JobStatus.COMPLETED
        assert third.attempt_id not in host.outcomes()
        assert await running.value(job(int, node_id=4)) == 0
        await executor.close()

    asyncio.run(main())
