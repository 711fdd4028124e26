"""dispatch, get_result and cancel, as users call them."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np  # noqa: TID253 - results of users are arrays
import pytest

import covalent_lab as ct
from covalent_lab.client import connection, waiting
from covalent_lab.dispatcher.bundle import BundleReader
from covalent_lab.errors import (
    MissingLatticeRecordError,
    MissingNodeError,
    ResultTimeoutError,
    SerializationError,
    ServerUnreachableError,
    StoreError,
)
from covalent_lab.store.blobs import BlobDir
from covalent_lab.testing.fakes import FakeExecutor
from covalent_lab.workflow.bundle import write_bundle

pytestmark = pytest.mark.usefixtures("executor")


@ct.electron
def double(x: Any) -> Any:
    """Twice as much."""
    return 2 * x


@ct.electron
def divide(x: float, y: float) -> float:
    """May fail."""
    return x / y


@ct.electron
def hang(x: Any) -> Any:
    """Runs until it is stopped."""
    return x


@ct.lattice
def quadruple(x: Any, *, and_then: int = 0) -> Any:
    """Four times as much."""
    return double(double(x)) + and_then


@ct.lattice
def broken(x: float) -> Any:
    """Divides by zero."""
    return double(divide(x, 0))


@ct.lattice
def endless(x: Any) -> Any:
    """Does not end by itself."""
    return double(hang(x))


def test_a_dispatch_returns_an_id_and_its_result_comes_later() -> None:
    """Arguments by position and by keyword; the id is text."""
    dispatch_id = ct.dispatch(quadruple)(3, and_then=1)
    assert isinstance(dispatch_id, str)
    result = ct.get_result(dispatch_id, wait=True, timeout=200)
    assert (result.dispatch_id, str(result.status), result.result, result.error) == (
        dispatch_id,
        "COMPLETED",
        13,
        None,
    )


def test_dispatch_sync_waits() -> None:
    """And returns the result object."""
    assert ct.dispatch_sync(quadruple)(5).result == 20


def test_an_array_comes_back_as_it_was() -> None:
    """Through a file, as it is large."""
    array = np.arange(50_000.0)
    assert (ct.dispatch_sync(quadruple)(array).result == 4 * array).all()


def test_the_lattice_that_was_dispatched_is_left_as_it_was() -> None:
    """Two dispatches of one lattice do not disturb each other."""
    ids = [ct.dispatch(quadruple)(n) for n in range(3)]
    assert len(set(ids)) == 3
    assert [ct.get_result(i, wait=True, timeout=200).result for i in ids] == [0, 4, 8]


def test_threads_may_dispatch_at_once() -> None:
    """They share one connection."""
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        found[number] = ct.dispatch_sync(quadruple)(number).result

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {n: 4 * n for n in range(5)}


def test_only_a_lattice_can_be_dispatched() -> None:
    """The message says what to do."""
    with pytest.raises(TypeError, match="takes a lattice, not function"):
        ct.dispatch(lambda x: x)  # type: ignore[arg-type]


def test_an_argument_that_cannot_be_pickled_is_told_at_once(executor: FakeExecutor) -> None:
    """Nothing is submitted."""
    with pytest.raises(SerializationError):
        ct.dispatch(quadruple)(threading.Lock())
    assert executor.submitted == []


def test_a_registered_dispatch_waits_for_its_start() -> None:
    """`disable_run` submits without running."""
    dispatch_id = ct.dispatch(quadruple, disable_run=True)(1)
    assert ct.get_result(dispatch_id).status == "NEW_OBJECT"
    assert not ct.get_result(dispatch_id).status
    connection.connect().start(dispatch_id)
    assert ct.get_result(dispatch_id, wait=True, timeout=200).result == 4


def test_a_failed_dispatch_names_its_tasks_and_has_no_result() -> None:
    """The node's error is the exception's last line."""
    result = ct.dispatch_sync(broken)(1.0)
    assert (str(result.status), result.result) == ("FAILED", None)
    assert result.error == "The following tasks failed:\n0: divide"
    node = result.get_node_result(0)
    assert (node["node_name"], node["error"]) == ("divide", "ZeroDivisionError: float division by zero")
    assert node["output"] is None
    assert "ZeroDivisionError" in node["stderr"]


def test_status_alone_can_be_asked_for() -> None:
    """As a small dictionary."""
    dispatch_id = ct.dispatch(quadruple)(1)
    ct.get_result(dispatch_id, wait=True, timeout=200)
    assert ct.get_result(dispatch_id, status_only=True) == {"id": dispatch_id, "status": "COMPLETED"}


def test_waiting_ends_when_time_is_up_and_the_dispatch_goes_on(executor: FakeExecutor) -> None:
    """The error says how it stands; it is a TimeoutError too."""
    dispatch_id = ct.dispatch(endless)(1)
    with pytest.raises(ResultTimeoutError, match="it goes on") as caught:
        ct.get_result(dispatch_id, wait=True, timeout=0.05)
    assert isinstance(caught.value, TimeoutError)
    assert executor.cancelled == []
    ct.cancel(dispatch_id)
    assert ct.get_result(dispatch_id, wait=True, timeout=200).status == "CANCELLED"


def test_cancel_takes_one_task_several_or_all() -> None:
    """And says what was asked for."""
    dispatch_id = ct.dispatch(endless)(1)
    assert ct.cancel(dispatch_id, 0) == f"Cancelled tasks [0] in dispatch {dispatch_id}."
    assert ct.get_result(dispatch_id, wait=True, timeout=200).status == "CANCELLED"
    assert ct.cancel(dispatch_id, [0, 2]) == f"Cancelled tasks [0, 2] in dispatch {dispatch_id}."
    assert ct.cancel(dispatch_id, (n for n in np.array([0]))) == f"Cancelled tasks [0] in dispatch {dispatch_id}."
    for everything in (None, []):
        assert ct.cancel(dispatch_id, everything) == f"Dispatch {dispatch_id} cancelled."
    for wrong in ("0", 0.5, [None]):
        with pytest.raises(TypeError):
            ct.cancel(dispatch_id, wrong)  # type: ignore[arg-type]


def test_the_deprecated_methods_of_a_lattice_still_dispatch(caplog: pytest.LogCaptureFixture) -> None:
    """With a word in the log."""
    assert ct.get_result(quadruple.dispatch(2), wait=True).result == 8
    assert quadruple.dispatch_sync(2, and_then=1).result == 9
    assert [record.message for record in caplog.records if "deprecated" in record.message] == [
        "Lattice.dispatch is deprecated; use ct.dispatch(lattice)(…).",
        "Lattice.dispatch_sync is deprecated; use ct.dispatch_sync(lattice)(…).",
    ]


def test_an_unknown_id_is_told() -> None:
    """By every function that takes one."""
    for ask in (ct.get_result, ct.cancel, lambda i: ct.get_result(i, wait=True, timeout=5)):
        with pytest.raises(MissingLatticeRecordError, match="No dispatch 'unknown' is recorded"):
            ask("unknown")


def test_cancelling_an_unknown_task_is_told() -> None:
    """The dispatch goes on."""
    dispatch_id = ct.dispatch(endless)(1)
    with pytest.raises(MissingNodeError, match="no node 99"):
        ct.cancel(dispatch_id, 99)
    assert not ct.status.is_terminal(ct.get_result(dispatch_id).status)
    ct.cancel(dispatch_id)


# --- the result


def test_a_result_shows_inputs_times_and_nodes() -> None:
    """Everything a finished dispatch left."""
    result = ct.dispatch_sync(quadruple)(3, and_then=1)
    assert result.inputs is not None
    assert result.inputs.get_deserialized() == {"args": (3,), "kwargs": {"and_then": 1}}
    assert result.start_time is not None
    assert result.end_time is not None
    assert result.start_time <= result.end_time
    nodes = result.get_all_node_results()
    assert [n["node_id"] for n in nodes] == list(range(len(nodes)))
    assert {str(n["status"]) for n in nodes} == {"COMPLETED"}
    outputs = {k: v.get_deserialized() for k, v in result.get_all_node_outputs().items()}
    assert outputs["double(0)"] == 6
    assert outputs["double(2)"] == 12
    text = str(result)
    assert "status: COMPLETED" in text
    assert "result: 13" in text
    assert "double(0): 6" in text


def test_a_result_gives_the_workflow_back() -> None:
    """It can be called again."""
    found = ct.dispatch_sync(quadruple)(3)
    assert found.lattice(5, and_then=2) == 22
    assert found.name == "quadruple"


def test_parts_of_a_result_can_be_left_out() -> None:
    """Neither the value nor nodes' outputs are fetched then."""
    dispatch_id = ct.dispatch(quadruple)(3)
    ct.get_result(dispatch_id, wait=True, timeout=200)
    bare = ct.get_result(dispatch_id, workflow_output=False, intermediate_outputs=False)
    assert bare.result is None
    assert bare.get_node_result(0)["output"] is None


def test_a_node_that_does_not_exist_is_told() -> None:
    """By its number."""
    result = ct.dispatch_sync(quadruple)(3)
    with pytest.raises(MissingNodeError, match="no node 99"):
        result.get_node_result(99)


def test_a_result_that_was_asked_early_is_refreshed_on_demand() -> None:
    """It shows one moment until then."""
    dispatch_id = ct.dispatch(endless)(1)
    result = ct.get_result(dispatch_id)
    before = result.status
    ct.cancel(dispatch_id)
    ct.get_result(dispatch_id, wait=True, timeout=200)
    assert result.status == before
    result.refresh()
    assert result.status == "CANCELLED"


def test_a_deleted_dispatch_is_gone() -> None:
    """Its result object says so when asked for what it has not fetched."""
    result = ct.dispatch_sync(quadruple)(3)
    assert connection.connect().delete([result.dispatch_id])["deleted"] == [result.dispatch_id]
    with pytest.raises(MissingLatticeRecordError):
        result.get_node_result(0)
    with pytest.raises(MissingLatticeRecordError):
        ct.get_result(result.dispatch_id)


# --- connections


def test_a_connection_is_made_once() -> None:
    """And again after it was closed."""
    first = connection.connect()
    assert connection.connect() is first
    connection.disconnect()
    with pytest.raises(StoreError):
        first.status()
    assert connection.connect() is not first


def test_dispatches_survive_the_connection(private: Path) -> None:
    """A later one, in the same process or another, finds them."""
    dispatch_id = ct.dispatch(quadruple)(3)
    ct.get_result(dispatch_id, wait=True, timeout=200)
    connection.disconnect()
    assert ct.get_result(dispatch_id).result == 12
    assert (private / "data").is_dir()


def test_an_address_where_nobody_answers_is_told() -> None:
    """Whatever form it has; no dispatcher is started instead."""
    for address in ("127.0.0.1:9", "http://127.0.0.1:9/", "ftp://somewhere"):
        with pytest.raises(ServerUnreachableError, match="No covalent_lab server answers"):
            ct.dispatch(quadruple, dispatcher_addr=address)(1)
    assert connection._open == {}


def test_the_feed_is_followed_in_the_callers_thread() -> None:
    """Frames up to the end of a dispatch, then closed from another thread."""
    dispatch_id = ct.dispatch(quadruple)(1)
    reader = connection.connect().subscribe(0)
    seen = []
    for frame in reader:
        seen += [i for i in frame.get("items", ()) if i["dispatch_id"] == dispatch_id and i["node_id"] is None]
        if seen and seen[-1]["status"] == "COMPLETED":
            threading.Thread(target=reader.close).start()
            break
    assert [i["status"] for i in seen] == ["NEW_OBJECT", "STARTING", "RUNNING", "COMPLETED"]


def test_waiting_survives_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server was restarted elsewhere: the client looks for it again and goes on waiting."""
    dispatch_id = ct.dispatch(quadruple)(3)
    real = connection.connect()
    real.detail(dispatch_id, 20.0)
    tries: list[str] = []

    class Lost:
        """A connection to a server that is gone."""

        url = "http://127.0.0.1:9/"

        def detail(self, name: str, wait_s: float = 0.0) -> dict[str, Any]:
            raise ServerUnreachableError(self.url)

    def again(failed: Any, address: str | None = None) -> Any:
        tries.append(failed.url)
        if len(tries) < 3:
            raise ServerUnreachableError(failed.url)
        return real

    monkeypatch.setattr(waiting, "connect", lambda address=None: Lost())
    monkeypatch.setattr(waiting, "reconnect", again)
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)
    assert ct.get_result(dispatch_id, wait=True).result == 12
    assert tries == [Lost.url] * 3


# --- the bundle


def test_what_the_client_writes_the_dispatcher_reads(tmp_path: Path) -> None:
    """Every payload of the graph, the inputs and the function arrive."""
    lattice = ct.lattice(quadruple.workflow_function)
    lattice.build_graph(np.zeros(20_000), and_then=1)
    reader = BundleReader(BlobDir(tmp_path), 1_000)
    for piece in write_bundle(lattice, "some-id"):
        reader.feed(bytes(piece))
    header = reader.finish()
    assert (header["dispatch_id"], header["name"], header["client"]["lab_version"]) == (
        "some-id",
        "quadruple",
        ct.__version__,
    )
    digests = {ref.digest for ref in reader.payloads}
    assert {d for d, _ in json.loads(header["graph"])["payloads"]} | {header["inputs"], header["lattice"]} <= digests
    assert any(data is None for data in reader.payloads.values())
