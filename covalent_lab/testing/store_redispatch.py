"""What a store must do when a new dispatch takes over results of an old one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.store.base import Batch, NewDispatch, NodeRecord, Store, StoredPayload
from covalent_lab.testing.store_harness import StoreHarness
from covalent_lab.testing.store_records import (
    LARGE,
    SMALL,
    A,
    B,
    new_dispatch,
    node_record,
    node_update,
    payload_row,
)

__all__ = ["StoreRedispatch"]

_GRAPH = PayloadRef("9" * 40, 5)
_ONE, _TWO = NodeId(1), NodeId(2)


async def _source(store: Store) -> None:
    """A dispatch with two nodes that completed, one of them with a large output, and one that failed."""
    rows = [payload_row(_GRAPH, b"graph"), payload_row(SMALL, b"12345"), payload_row(LARGE, None)]
    await store.create(new_dispatch(payloads=rows))
    ended: dict[str, Any] = {"started_at": 20.0, "ended_at": 21.0}
    nodes = [
        node_update(1, "COMPLETED", output=SMALL, stdout="out", stderr="err", **ended),
        node_update(2, "COMPLETED", output=LARGE, **ended),
        node_update(3, "FAILED", error="no", **ended),
    ]
    await store.record(Batch(nodes=nodes))


def _repeat(**changes: Any) -> NewDispatch:
    return new_dispatch(B, redispatched_from=A, **changes)


class StoreRedispatch(StoreHarness):
    """Part of `StoreSuite`."""

    def test_what_is_reused_waits_in_the_new_dispatch_with_outputs_and_streams(self, tmp_path: Path) -> None:
        """Small outputs are copied, large ones shared."""

        async def work(store: Store) -> tuple[Any, ...]:
            await _source(store)
            await store.create(_repeat(reused={_ONE: SMALL, _TWO: LARGE}, copied={_GRAPH.digest}))
            record = await store.dispatch(B)
            assert record is not None
            assert record.redispatched_from == A
            payloads = await store.payloads(B)
            return (await store.nodes(B))[1], await store.streams(B, _ONE), payloads

        nodes, streams, payloads = self.run(tmp_path, work)
        assert nodes == [
            node_record(1, "PENDING_REUSE", 0, output=SMALL, has_stdout=True, has_stderr=True, reused_from=f"{A}:1"),
            node_record(2, "PENDING_REUSE", 0, output=LARGE, reused_from=f"{A}:2"),
        ]
        assert streams == ("out", "err", "")
        assert payloads.keys() == {_GRAPH.digest, SMALL.digest, LARGE.digest}
        assert payloads[SMALL.digest] == StoredPayload(data=b"12345")
        assert payloads[LARGE.digest].data is None

    @pytest.mark.parametrize("is_together", [False, True], ids=["later", "with-the-dispatch"])
    def test_completing_a_reused_node_keeps_its_output_and_streams(self, tmp_path: Path, is_together: bool) -> None:
        """Only state and times are news, whether they come with the dispatch or later."""

        async def work(store: Store) -> tuple[Sequence[NodeRecord], tuple[str, str, str]]:
            await _source(store)
            fields: dict[str, Any] = {"output": SMALL, "reused_from": f"{A}:1", "started_at": 30.0, "ended_at": 30.0}
            completed = Batch(nodes=[node_update(1, "COMPLETED", 0, B, **fields)])
            await store.create(_repeat(reused={_ONE: SMALL}), completed if is_together else None)
            if not is_together:
                await store.record(completed)
            return (await store.nodes(B))[1], await store.streams(B, _ONE)

        nodes, streams = self.run(tmp_path, work)
        fields = {"started_at": 30.0, "ended_at": 30.0, "has_stdout": True, "has_stderr": True}
        assert nodes == [node_record(1, "COMPLETED", 0, output=SMALL, reused_from=f"{A}:1", **fields)]
        assert streams == ("out", "err", "")

    def test_deleting_the_old_dispatch_leaves_the_new_one_whole(self, tmp_path: Path) -> None:
        """The shared file stays until the last dispatch that refers to it goes."""

        async def work(store: Store) -> tuple[Any, ...]:
            await _source(store)
            await store.create(_repeat(reused={_ONE: SMALL, _TWO: LARGE}))
            await store.delete([A], 40.0)
            kept = await store.referenced([LARGE.digest])
            return kept, len((await store.nodes(B))[1]), await store.payload(B, SMALL.digest)

        assert self.run(tmp_path, work) == ({LARGE.digest}, 2, StoredPayload(data=b"12345"))

    @pytest.mark.parametrize(
        "taken",
        [{"reused": {NodeId(3): SMALL}}, {"reused": {NodeId(9): SMALL}}, {"copied": ["0" * 40]}],
        ids=["failed", "unknown", "payload"],
    )
    def test_taking_over_what_is_not_there_leaves_nothing_behind(self, tmp_path: Path, taken: dict[str, Any]) -> None:
        """The old dispatch may have been deleted in between."""

        async def work(store: Store) -> Any:
            await _source(store)
            with pytest.raises(MissingLatticeRecordError):
                await store.create(_repeat(**taken))
            return await store.dispatch(B), (await store.nodes(B))[1], dict(await store.payloads(B))

        assert self.run(tmp_path, work) == (None, [], {})

    def test_many_nodes_are_taken_over_at_once(self, tmp_path: Path) -> None:
        """More than one statement can name."""
        outputs = {NodeId(n): PayloadRef(f"{n:040x}", 1) for n in range(2_500)}

        async def work(store: Store) -> int:
            await store.create(new_dispatch(payloads=[payload_row(ref, b"x") for ref in outputs.values()]))
            times: dict[str, Any] = {"started_at": 1.0, "ended_at": 2.0}
            await store.record(
                Batch(nodes=[node_update(n, "COMPLETED", output=r, **times) for n, r in outputs.items()])
            )
            await store.create(_repeat(reused=outputs))
            return len((await store.nodes(B))[1])

        assert self.run(tmp_path, work) == 2_500
