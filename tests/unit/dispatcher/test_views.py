"""What is shown of records, beyond what the queries' tests see."""

import base64

from covalent_lab import payload
from covalent_lab.dispatcher.views import earlier_attempts, with_data
from covalent_lab.store.base import StoredPayload
from covalent_lab.testing.store_records import moved


def test_a_small_result_travels_with_its_view() -> None:
    """Whoever waited for it needs no second request."""
    data = payload.encode(41).tobytes()

    view = with_data({"digest": "d"}, StoredPayload(data=data))

    assert payload.decode(base64.b64decode(view["data"])) == 41


def test_earlier_attempts_are_told_by_the_transitions_that_followed_them() -> None:
    """One that was told to run, one whose start only its end told, and one of which nobody knows; not the last one."""
    first, second, third = (
        {"node_id": 3, "attempt": 1, "started_at": 11.0, "ended_at": 12.0, "error": "lost"},
        {"node_id": 3, "attempt": 2, "started_at": 12.5, "ended_at": 13.0, "error": "ValueError: no"},
        {"node_id": 3, "attempt": 3, "started_at": None, "ended_at": 14.0, "error": "lost"},
    )
    transitions = [
        moved(3, "STARTING", attempt=1, at=10.0),
        moved(3, "RUNNING", attempt=1, at=11.0),
        moved(3, "STARTING", attempt=2, at=12.0, error="lost"),
        moved(3, "STARTING", attempt=3, at=13.0, error="ValueError: no", extra={"started_at": 12.5}),
        moved(3, "STARTING", attempt=4, at=14.0, error="lost"),
        moved(3, "RUNNING", attempt=4, at=15.0),
        moved(3, "COMPLETED", attempt=4, at=16.0),
    ]
    assert earlier_attempts(transitions) == [first, second, third]


def test_large_results_and_files_are_fetched_on_demand() -> None:
    """A view stays small."""
    for stored in (StoredPayload(data=bytes(100_000)), StoredPayload(path="/somewhere"), None):
        assert with_data({"digest": "d"}, stored) == {"digest": "d"}
