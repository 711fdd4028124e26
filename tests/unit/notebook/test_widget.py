"""The live picture follows the feed."""

import queue
import threading
from typing import Any

import pytest

from covalent_lab.errors import ConfigError
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.notebook import widget
from covalent_lab.notebook.widget import LiveLattice
from tests.unit.notebook.graphs import map_reduce

ID = "0b5e"


class FakeFeed:
    def __init__(self) -> None:
        self.frames: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.is_closed = threading.Event()

    def __iter__(self):
        while (frame := self.frames.get(timeout=120)) is not None:
            yield frame

    def close(self) -> None:
        self.is_closed.set()
        self.frames.put(None)


class FakeConnection:
    """A dispatch whose state the test writes by hand."""

    url = None

    def __init__(self) -> None:
        self.feed = FakeFeed()
        self.after: int | None = None
        self.snapshot = {"status": "RUNNING", "seq": 10}
        self.states = {"seq": 12, "node_id": [0], "status": ["RUNNING"], "attempt": [1], "started_at": [5.0],
                       "ended_at": [None], "error": [""]}  # fmt: skip

    def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        return {"name": "sweep", "total": 5, **self.snapshot}

    def graph(self, dispatch_id: str) -> dict[str, Any]:
        return graph_to_wire(map_reduce(1))

    def nodes(self, dispatch_id: str) -> dict[str, Any]:
        return self.states

    def subscribe(self, after: int | None = None) -> FakeFeed:
        self.after = after
        return self.feed

    def send(self, *items: dict[str, Any]) -> None:
        self.feed.frames.put({"type": "transitions", "items": [{"dispatch_id": ID, **item} for item in items]})


@pytest.fixture
def connection(tmp_path, monkeypatch: pytest.MonkeyPatch):
    module = tmp_path / "widget.js"
    module.write_text("export default { render() {} }")
    monkeypatch.setattr(widget, "MODULE", module)
    connection = FakeConnection()
    yield connection
    connection.feed.close()


def followed(connection: FakeConnection) -> LiveLattice:
    live = LiveLattice(ID, connection)
    live.follow()
    return live


def test_a_picture_begins_with_the_present_state(connection: FakeConnection) -> None:
    """Without waiting for the feed."""
    live = LiveLattice(ID, connection, height=300)
    assert (live.name, live.status, live.completed, live.total, live.height) == ("sweep", "RUNNING", 0, 5, 300)
    assert live.nodes["status"] == ["RUNNING"]
    assert live.graph["version"] == 1


def test_transitions_reach_the_picture_until_the_dispatch_ends(connection: FakeConnection) -> None:
    """Late and foreign ones are ignored; the feed is left at the end."""
    live = followed(connection)
    connection.send(
        {"seq": 9, "node_id": 0, "status": "FAILED", "at": 1.0},
        {"seq": 13, "node_id": 0, "status": "COMPLETED", "at": 6.0},
        {"seq": 14, "node_id": 1, "status": "RUNNING", "at": 6.5, "attempt": 2},
        {"seq": 15, "node_id": 1, "status": "FAILED", "at": 7.0, "error": "ValueError: no"},
        {"seq": 16, "node_id": 3, "status": "COMPLETED", "at": 7.0, "dispatch_id": "another"},
    )
    connection.send({"seq": 17, "node_id": None, "status": "FAILED", "at": 7.5})
    assert live.wait(20)
    assert connection.feed.is_closed.wait(20)
    assert (connection.after, live.status, live.completed) == (10, "FAILED", 1)
    assert live.nodes == {
        "seq": 17, "node_id": [0, 1], "status": ["COMPLETED", "FAILED"], "attempt": [1, 2],
        "started_at": [5.0, 6.5], "ended_at": [6.0, 7.0], "error": ["", "ValueError: no"],
    }  # fmt: skip


def test_after_a_reset_the_state_is_loaded_afresh(connection: FakeConnection) -> None:
    """The feed forgot what was missed."""
    live = followed(connection)
    connection.snapshot = {"status": "COMPLETED", "seq": 99}
    connection.states = {**connection.states, "seq": 99, "status": ["COMPLETED"], "ended_at": [9.0]}
    connection.feed.frames.put({"type": "reset", "seq": 99})
    assert live.wait(20)
    assert (live.status, live.completed, live.nodes["seq"]) == ("COMPLETED", 1, 99)


def test_closing_the_widget_ends_following(connection: FakeConnection) -> None:
    """A deleted output must not hold a subscription."""
    live = followed(connection)
    live.close()
    assert connection.feed.is_closed.wait(20)
    assert live.wait(20)


def test_a_dispatch_that_is_over_is_not_followed(connection: FakeConnection) -> None:
    """There is nothing to wait for."""
    connection.snapshot = {"status": "COMPLETED", "seq": 10}
    live = followed(connection)
    assert (live.wait(0), connection.after) == (True, None)


def test_a_missing_front_end_says_how_to_build_it(connection: FakeConnection, monkeypatch, tmp_path) -> None:
    """A working tree without a build."""
    monkeypatch.setattr(widget, "MODULE", tmp_path / "nothing.js")
    with pytest.raises(ConfigError, match="jlpm build:widget"):
        LiveLattice(ID, connection)
