"""Values that stay in a process: how long, and for whom."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from covalent_lab import payload, worker
from covalent_lab.errors import SerializationError
from covalent_lab.kernel.table import ValueTable


@pytest.fixture
def table() -> Iterator[ValueTable]:
    made = ValueTable("here", max_values=3, max_copied_bytes=5000)
    made.announce()
    yield made
    worker._resolvers.clear()


def keep(table: ValueTable, node: int, value: Any, dispatch_id: str = "d") -> tuple[bytes, str]:
    archive = b"".join(table.keep((dispatch_id, node), "task", value))
    return archive, worker.archive_digest([archive])[0]


def test_the_very_object_is_found_by_its_node_and_record(table: ValueTable) -> None:
    """Equal values of two nodes are told apart; a record of another value is not taken for this one."""
    one, two = [1], [1]
    _, digest = keep(table, 1, one)
    keep(table, 2, two)
    assert table.find(("d", 1), digest) == (one,)
    found = table.find(("d", 1), digest)
    assert found is not None
    assert found[0] is one
    assert table.find(("d", 1), "0" * 40) is None
    assert table.find(("e", 1), digest) is None


def test_what_can_be_pickled_is_recorded_as_it_is(table: ValueTable) -> None:
    archive, _ = keep(table, 1, {"a": [1, 2]})
    assert not payload.is_reference(archive)
    assert payload.decode(archive) == {"a": [1, 2]}


def test_what_cannot_is_described_and_found_in_this_process(table: ValueTable) -> None:
    lock = threading.Lock()
    archive, digest = keep(table, 1, lock)
    assert payload.is_reference(archive)
    assert payload.preview(archive).type == "_thread.lock"
    assert payload.preview(archive).text == str(lock)
    assert payload.decode(archive) is lock
    assert table.find(("d", 1), digest) == (lock,)


def test_elsewhere_and_afterwards_it_says_where_it_was(table: ValueTable, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, _ = keep(table, 1, threading.Lock())
    monkeypatch.setattr("covalent_lab.kernel.table.process_id", lambda: "another")
    with pytest.raises(
        SerializationError, match=r"lives in the kernel here, which is not this one .* or was restarted"
    ):
        payload.decode(archive)
    monkeypatch.undo()
    assert table.forget(None, only_copied=False) == 1
    with pytest.raises(SerializationError, match=r"does not keep it any more\. Run its task again"):
        payload.decode(archive)
    worker._resolvers.clear()
    with pytest.raises(SerializationError, match=r"\(_thread.lock\) cannot be pickled and lives in the kernel here"):
        payload.decode(archive)


def test_the_end_of_a_dispatch_frees_what_is_recorded(table: ValueTable) -> None:
    keep(table, 1, [1])
    keep(table, 2, threading.Lock())
    keep(table, 1, [1], "other")
    assert table.forget(["d"], only_copied=True) == 1
    assert len(table) == 2
    assert table.forget(["d"], only_copied=False) == 1
    assert len(table) == 1


def test_the_oldest_go_when_there_are_many(table: ValueTable) -> None:
    """First those that are recorded elsewhere."""
    locks = [keep(table, n, threading.Lock())[1] for n in (1, 2)]
    copied = keep(table, 3, [3])[1]
    newest = keep(table, 4, threading.Lock())[1]
    assert table.find(("d", 3), copied) is None
    keep(table, 5, threading.Lock())
    assert table.find(("d", 1), locks[0]) is None
    assert table.find(("d", 2), locks[1]) is not None
    assert table.find(("d", 4), newest) is not None


def test_recorded_values_are_kept_up_to_a_size(table: ValueTable) -> None:
    """The newest stays whatever its size."""
    first = keep(table, 1, "x" * 2000)[1]
    second = keep(table, 2, "x" * 9000)[1]
    assert table.find(("d", 1), first) is None
    assert table.find(("d", 2), second) is not None
    keep(table, 2, 1)
    keep(table, 1, "x" * 2000)
    assert len(table) == 2
