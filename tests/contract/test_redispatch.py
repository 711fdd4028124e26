"""Dispatches that are run again: through a real server and without one, with tasks that leave traces."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect, disconnect
from covalent_lab.client.dispatchers import LocalDispatcher
from covalent_lab.testing.live_server import LiveServer, private_environment

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Traces:
    """A file to which tasks append a letter each time they run."""

    path: Path

    def workflow(self) -> Any:
        """Two tasks in a row and one beside them; the second one fails as long as there is a file `broken`."""
        trace = str(self.path)

        def note(letter: str) -> None:
            with open(trace, "a", encoding="utf-8") as out:
                out.write(letter)
            print("ran", letter)

        @ct.electron
        def first(x: int) -> bytes:
            note("a")
            return bytes(x)

        @ct.electron
        def second(data: bytes) -> int:
            note("b")
            if os.path.exists(trace + ".broken"):
                raise ValueError("broken")
            return len(data)

        @ct.electron
        def beside(y: int) -> int:
            note("c")
            return -y

        @ct.lattice
        def workflow(x: int, *, y: int = 1) -> Any:
            return [second(first(x)), beside(y)]

        return workflow

    @property
    def broken(self) -> Path:
        """While it is there, the second task fails."""
        return self.path.with_name(self.path.name + ".broken")

    def take(self) -> str:
        """What ran since the last time, sorted."""
        ran = "".join(sorted(self.path.read_text(encoding="utf-8")))
        self.path.write_text("", encoding="utf-8")
        return ran


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    """Of this test's tasks."""
    path = tmp_path / "traces"
    path.touch()
    return Traces(path)


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Everything below the test's folder, in this process and in the servers it starts."""
    private = private_environment(tmp_path)
    for name in os.environ:
        if name.startswith(("COVALENT_", "JUPYTER_")):
            monkeypatch.delenv(name)
    for name, value in private.items():
        monkeypatch.setenv(name, value)
    yield private
    disconnect()


def serve(tmp_path: Path, environ: dict[str, str]) -> LiveServer:
    """A Jupyter server with the extension."""
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    return LiveServer.start(root_dir=root, log=tmp_path / "server.log", environ=environ)


@pytest.fixture(params=["embedded", "server"])
def address(request: pytest.FixtureRequest, tmp_path: Path, environ: dict[str, str]) -> Iterator[str | None]:
    """Where to dispatch: in this process, or to a server."""
    if request.param == "embedded":
        yield None
        return
    with serve(tmp_path, environ) as server:
        yield f"{server.url}?token={server.lab_token}"


def ended(dispatch_id: str, address: str | None) -> ct.Result:
    """How it ended."""
    return ct.get_result(dispatch_id, wait=True, dispatcher_addr=address, timeout=200)


def test_from_failure_to_result_without_running_anything_twice(traces: Traces, address: str | None) -> None:
    """A retry, other arguments, another task and a plain repetition, each with the tasks it needs; large values too."""
    size = 200_000
    traces.broken.touch()
    failed = ended(ct.dispatch(traces.workflow(), address)(size, y=2), address)
    assert (failed.status, traces.take()) == ("FAILED", "abc")

    traces.broken.unlink()
    fixed = ended(ct.redispatch(failed.dispatch_id, address, reuse_previous_results=True)(), address)
    assert (fixed.result, traces.take()) == ([size, -2], "b")

    other = ended(ct.redispatch(fixed.dispatch_id, address, reuse_previous_results=True)(size, y=5), address)
    assert (other.result, traces.take()) == ([size, -5], "c")

    replaced = ct.redispatch(other.dispatch_id, address, {"second": lambda data: data[0]}, True)
    changed = ended(replaced(), address)
    assert (changed.result, traces.take()) == ([0, -5], "")
    assert changed.get_node_result(0)["stdout"] == "ran a\n"

    connection = connect(address)
    connection.delete([failed.dispatch_id, fixed.dispatch_id, other.dispatch_id])
    again = ended(ct.redispatch(changed.dispatch_id, address, reuse_previous_results=True)(), address)
    assert (again.result, traces.take()) == ([0, -5], "")
    assert len(again.get_node_result(0)["output"].get_deserialized()) == size
    whole = ended(ct.redispatch(again.dispatch_id, address)(), address)
    assert (whole.result, traces.take()) == ([0, -5], "ac")


def test_a_manifest_is_registered_and_started(traces: Traces, address: str | None) -> None:
    """Step by step, through whatever is there."""
    lattice = traces.workflow()
    lattice.build_graph(3)
    registered = LocalDispatcher.register_manifest(LocalDispatcher.prepare_manifest(lattice), address)
    LocalDispatcher.upload_assets(registered, address)
    dispatch_id = LocalDispatcher.start(registered["metadata"]["dispatch_id"], address)
    assert (ended(dispatch_id, address).result, traces.take()) == ([3, -1], "abc")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_server_killed_before_the_start_forgets_nothing(
    traces: Traces, tmp_path: Path, environ: dict[str, str]
) -> None:
    """The next one shows what will be reused, and does so once it is started."""
    traces.broken.touch()
    with serve(tmp_path, environ) as server:
        address = f"{server.url}?token={server.lab_token}"
        failed = ended(ct.dispatch(traces.workflow(), address)(3), address)
        waiting = LocalDispatcher.register_redispatch(failed.dispatch_id, address, reuse_previous_results=True)()
        server.process.kill()
        server.process.wait(30)
    traces.broken.unlink()
    traces.take()
    with serve(tmp_path, environ) as server:
        address = f"{server.url}?token={server.lab_token}"
        assert set(connect(address).nodes(waiting)["status"]) == {"PENDING_REUSE"}
        LocalDispatcher.start(waiting, address)
        assert (ended(waiting, address).result, traces.take()) == ([3, -1], "b")
