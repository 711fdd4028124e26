"""What a store must do when several dispatchers, or several callers of one, use it at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from covalent_lab.ids import DispatchId
from covalent_lab.store.base import (
    Batch,
    Store,
)
from covalent_lab.testing.store_records import (
    A,
    B,
    C,
    dispatch_update,
    moved,
    new_dispatch,
    node_update,
)

__all__ = ["StoreSharing"]

from covalent_lab.testing.store_harness import StoreHarness


class StoreSharing(StoreHarness):
    """Part of `StoreSuite`."""

    # --- owners

    @pytest.mark.parametrize(
        ("who", "taken"),
        [
            ({}, [B]),
            ({"gone": ["lives"]}, [A, B]),
            ({"protected": ["lapsed"]}, []),
            ({"protected": ["lapsed"], "gone": ["lives"]}, [A]),
        ],
        ids=str,
    )
    def test_unfinished_dispatches_of_owners_that_are_gone_are_taken_over(
        self, tmp_path: Path, who: Mapping[str, Sequence[str]], taken: Sequence[DispatchId]
    ) -> None:
        """Lapsed leases and owners known to be gone; never those protected, never what is over."""

        async def work(store: Store) -> tuple[list[DispatchId], list[str]]:
            await store.create(new_dispatch(A, owner="lives", lease_until=100.0))
            await store.create(new_dispatch(B, owner="lapsed", lease_until=40.0))
            await store.create(new_dispatch(C, owner="lapsed", lease_until=40.0))
            await store.record(Batch(dispatches=[dispatch_update(C, "COMPLETED")]))
            options: dict[str, Any] = {"protected": [], "gone": []} | dict(who)
            found = await store.acquire("new", now=50.0, lease_until=150.0, **options)
            again = await store.acquire("newer", now=60.0, lease_until=160.0, protected=["lapsed"], gone=[])
            assert list(again) == []
            return sorted(found), sorted(await store.owners())

        found, owners = self.run(tmp_path, work)
        assert found == taken
        assert ("new" in owners) == bool(taken)

    def test_only_one_of_two_takes_a_dispatch(self, tmp_path: Path) -> None:
        """Two dispatchers that find the same lapsed lease do not both run the work."""

        async def work(first: Store) -> list[list[DispatchId]]:
            await first.create(new_dispatch(A, owner="lapsed", lease_until=40.0))
            async with self.opened(tmp_path) as second:
                found = await asyncio.gather(
                    first.acquire("one", protected=[], gone=[], now=50.0, lease_until=150.0),
                    second.acquire("two", protected=[], gone=[], now=50.0, lease_until=150.0),
                )
            return sorted(list(f) for f in found)

        assert self.run(tmp_path, work) == [[], [A]]

    def test_a_renewed_lease_is_not_taken(self, tmp_path: Path) -> None:
        """Only what belongs to the one who renews is prolonged."""

        async def work(store: Store) -> list[DispatchId]:
            await store.create(new_dispatch(A, owner="one", lease_until=40.0))
            await store.create(new_dispatch(B, owner="two", lease_until=40.0))
            await store.renew("one", 90.0)
            return list(await store.acquire("new", protected=[], gone=[], now=50.0, lease_until=150.0))

        assert self.run(tmp_path, work) == [B]

    def test_what_was_released_is_anybodys(self, tmp_path: Path) -> None:
        """Unfinished dispatches of that owner only; they need no lease to lapse."""

        async def work(store: Store) -> tuple[list[str], list[DispatchId]]:
            await store.create(new_dispatch(A, owner="one", lease_until=90.0))
            await store.create(new_dispatch(B, owner="two", lease_until=90.0))
            await store.create(new_dispatch(C, owner="one", lease_until=90.0))
            await store.record(Batch(dispatches=[dispatch_update(C, "COMPLETED")]))
            await store.release("one")
            owners = sorted(await store.owners())
            return owners, list(await store.acquire("new", protected=[], gone=[""], now=50.0, lease_until=150.0))

        assert self.run(tmp_path, work) == (["", "two"], [A])

    # --- several at once

    def test_two_stores_in_one_place_share_one_sequence(self, tmp_path: Path) -> None:
        """Whatever is written from both, no number is used twice and none is left out."""

        async def write(store: Store, dispatch_id: DispatchId) -> None:
            await store.create(new_dispatch(dispatch_id))
            for node in range(20):
                await store.record(Batch(transitions=[moved(node, "STARTING", dispatch_id), moved(node, "X")]))

        async def work(first: Store) -> list[int]:
            async with self.opened(tmp_path) as second:
                await asyncio.gather(write(first, A), write(second, B))
                assert await first.last_seq() == await second.last_seq()
                return [record.seq for record in await first.transitions_after(0, 1000)]

        assert self.run(tmp_path, work) == list(range(1, 83))

    def test_reads_do_not_wait_for_writes(self, tmp_path: Path) -> None:
        """Many questions at once, among writes, are all answered from a consistent state."""

        async def work(store: Store) -> None:
            await store.create(new_dispatch())

            async def write() -> None:
                for node in range(30):
                    await store.record(
                        Batch(transitions=[moved(node, "STARTING")], nodes=[node_update(node, "STARTING")])
                    )

            async def read() -> None:
                for _ in range(30):
                    seq, nodes = await store.nodes(A)
                    assert len(nodes) == seq - 1

            await asyncio.gather(write(), read(), read())

        self.run(tmp_path, work)

    def test_closing_twice_does_no_harm(self, tmp_path: Path) -> None:
        """Nor does closing what was never opened."""

        async def work() -> None:
            store = self.make(tmp_path)
            await store.open()
            await store.close()
            await store.close()
            await self.make(tmp_path).close()

        asyncio.run(work())
