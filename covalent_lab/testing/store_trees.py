"""What a store must do with dispatches that are parts of others."""

from collections.abc import Sequence
from pathlib import Path

from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.store.base import Batch, DispatchRecord, ListQuery, NodeRecord, Store
from covalent_lab.testing.store_harness import StoreHarness
from covalent_lab.testing.store_records import LARGE, SMALL, A, B, C, new_dispatch, node_update

__all__ = ["StoreTrees"]

D = DispatchId("dddd")


async def _plant(store: Store) -> None:
    """B is what node 3 of A became, C what node 0 of B became; D is another root."""
    await store.create(new_dispatch(A, created_at=1.0))
    await store.create(new_dispatch(B, root_dispatch_id=A, parent_id=A, parent_node=NodeId(3), created_at=2.0))
    await store.create(new_dispatch(C, root_dispatch_id=A, parent_id=B, parent_node=NodeId(0), created_at=3.0))
    await store.create(new_dispatch(D, created_at=4.0))


class StoreTrees(StoreHarness):
    """Part of `StoreSuite`."""

    def test_a_part_knows_its_root_and_its_parent(self, tmp_path: Path) -> None:
        """A root has no parent."""

        async def work(store: Store) -> Sequence[DispatchRecord | None]:
            await _plant(store)
            return [await store.dispatch(name) for name in (A, C)]

        found = self.run(tmp_path, work)
        links = [(r.root_dispatch_id, r.parent_id, r.parent_node) for r in found if r is not None]
        assert links == [(A, None, None), (A, B, 0)]

    def test_the_parts_of_a_dispatch_are_listed_by_their_parent(self, tmp_path: Path) -> None:
        """One level at a time, with their own counts."""

        async def work(store: Store) -> list[tuple[list[str], int]]:
            await _plant(store)
            pages = [await store.list_dispatches(ListQuery(parent=parent)) for parent in (None, A, B, C)]
            return [([item.dispatch_id for item in page.items], sum(page.counts.values())) for page in pages]

        assert self.run(tmp_path, work) == [([D, A], 2), ([B], 1), ([C], 1), ([], 0)]

    def test_deleting_a_root_deletes_its_tree(self, tmp_path: Path) -> None:
        """A part by itself is left alone."""

        async def work(store: Store) -> tuple[Sequence[DispatchId], set[DispatchId], list[bool]]:
            await _plant(store)
            refused = [t.dispatch_id for t in await store.delete([B, C], 9.0)]
            gone = {t.dispatch_id for t in await store.delete([A], 9.0)}
            return refused, gone, [await store.dispatch(name) is None for name in (A, B, C, D)]

        assert self.run(tmp_path, work) == ([], {A, B, C}, [True, True, True, False])

    def test_a_node_that_became_a_dispatch_says_so_for_ever(self, tmp_path: Path) -> None:
        """While it is dispatching its output is what it built, and its streams are those of the build."""

        async def work(store: Store) -> tuple[NodeRecord, tuple[str, str, str], NodeRecord]:
            await store.create(new_dispatch())
            built = node_update(1, "DISPATCHING", sub_dispatch_id=B, output=LARGE, stdout="out", stderr="err")
            await store.record(Batch(nodes=[node_update(1, "RUNNING"), node_update(2, "RUNNING")]))
            await store.record(Batch(nodes=[built]))
            _, before = await store.nodes(A, NodeId(1))
            streams = await store.streams(A, NodeId(1))
            await store.record(Batch(nodes=[node_update(1, "COMPLETED", output=SMALL, ended_at=9.0)]))
            _, after = await store.nodes(A, NodeId(1))
            return before[0], streams, after[0]

        before, streams, after = self.run(tmp_path, work)
        assert (before.state, before.sub_dispatch_id, before.output) == ("DISPATCHING", B, LARGE)
        assert streams == ("out", "err", "")
        assert (after.state, after.sub_dispatch_id, after.output) == ("COMPLETED", B, SMALL)
