"""What a store must do with results that other dispatches take over, and with links between dispatches."""

from pathlib import Path

from covalent_lab.ids import NodeId, PayloadRef
from covalent_lab.store.base import Batch, CachedResult, Store
from covalent_lab.testing.store_harness import StoreHarness
from covalent_lab.testing.store_records import LARGE, SMALL, A, B, C, new_dispatch, node_update, payload_row

__all__ = ["StoreReuse"]


def _kept(key: str = "k1", name: str = "fit", at: float = 20.0, ref: PayloadRef = SMALL) -> CachedResult:
    return CachedResult(key=key, dispatch_id=A, node_id=NodeId(1), name=name, ref=ref, created_at=at, used_at=at)


class StoreReuse(StoreHarness):
    """Part of `StoreSuite`."""

    def test_links_between_dispatches_come_back(self, tmp_path: Path) -> None:
        """Parent and origin of a dispatch; what a node became, and whose output it took over."""

        async def work(store: Store) -> None:
            await store.create(new_dispatch(A, redispatched_from=C))
            await store.create(new_dispatch(B, root_dispatch_id=A, parent_id=A, parent_node=NodeId(2)))
            first, second = await store.dispatch(A), await store.dispatch(B)
            assert first is not None
            assert second is not None
            assert (first.parent_id, first.parent_node, first.redispatched_from) == (None, None, C)
            assert (second.parent_id, second.parent_node, second.redispatched_from) == (A, 2, None)
            became = node_update(2, "DISPATCHING", sub_dispatch_id=B, output=SMALL)
            took = node_update(1, "COMPLETED", ended_at=3.0, output=SMALL, reused_from=f"{C}:1")
            await store.record(Batch(nodes=[became, took]))
            await store.record(Batch(nodes=[node_update(2, "COMPLETED", ended_at=4.0)]))
            found = {n.node_id: n for n in (await store.nodes(A))[1]}
            assert (found[NodeId(2)].sub_dispatch_id, found[NodeId(2)].reused_from) == (B, None)
            assert (found[NodeId(1)].sub_dispatch_id, found[NodeId(1)].reused_from) == (None, f"{C}:1")
            assert found[NodeId(1)].output == SMALL

        self.run(tmp_path, work)

    def test_a_kept_result_outlives_its_dispatch(self, tmp_path: Path) -> None:
        """Until it is purged."""

        async def work(store: Store) -> None:
            await store.create(new_dispatch(A))
            payloads = [payload_row(SMALL, b"12345"), payload_row(LARGE, None)]
            await store.record(Batch(payloads=payloads, cached=[_kept(), _kept("k3", ref=LARGE)]))
            await store.delete([A], 30.0)
            found = await store.cached("k1")
            assert found is not None
            assert (found[0], found[1].data) == (_kept(), b"12345")
            assert await store.cached("k2") is None
            assert await store.referenced([SMALL.digest, LARGE.digest]) == {LARGE.digest}
            assert await store.purge_cached(None, None) == 2
            assert await store.cached("k1") is None
            assert not await store.referenced([LARGE.digest])

        self.run(tmp_path, work)

    def test_kept_results_are_counted_listed_and_purged(self, tmp_path: Path) -> None:
        """Last used first; a newer result takes the place of an older one with its key, and keeps its count."""

        async def work(store: Store) -> None:
            await store.create(new_dispatch(A))
            payloads = [payload_row(SMALL, b"12345")]
            both = [_kept("k1"), _kept("k2", "plot", 21.0)]
            await store.record(Batch(payloads=payloads, cached=both, cache_hits=[("k1", 25.0), ("gone", 25.0)]))
            await store.record(Batch(payloads=payloads, cached=[_kept("k1", at=24.0)], cache_hits=[("k1", 26.0)]))
            items, total = await store.list_cached("", 0, 10)
            assert [(r.key, r.hits, r.used_at, r.created_at) for r in items] == [
                ("k1", 2, 26.0, 20.0),
                ("k2", 0, 21.0, 21.0),
            ]
            assert total == 2
            assert [r.key for r in (await store.list_cached("LO", 0, 10))[0]] == ["k2"]
            assert await store.list_cached("%", 0, 10) == ([], 0)
            assert [r.key for r in (await store.list_cached("", 1, 1))[0]] == ["k2"]
            assert await store.purge_cached(["gone"], None) == 0
            assert await store.purge_cached(None, 22.0) == 1
            assert await store.purge_cached(["k1"], 22.0) == 0
            assert [r.key for r in (await store.list_cached("", 0, 10))[0]] == ["k1"]

        self.run(tmp_path, work)
