"""What is shown of records, beyond what the queries' tests see."""

import base64

from covalent_lab import payload
from covalent_lab.dispatcher.views import with_data
from covalent_lab.store.base import StoredPayload


def test_a_small_result_travels_with_its_view() -> None:
    """Whoever waited for it needs no second request."""
    data = payload.encode(41).tobytes()

    view = with_data({"digest": "d"}, StoredPayload(data=data))

    assert payload.decode(base64.b64decode(view["data"])) == 41


def test_large_results_and_files_are_fetched_on_demand() -> None:
    """A view stays small."""
    for stored in (StoredPayload(data=bytes(100_000)), StoredPayload(path="/somewhere"), None):
        assert with_data({"digest": "d"}, stored) == {"digest": "d"}
