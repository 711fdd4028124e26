"""What every store must do: subclass `StoreSuite`, say how to make a store, and pytest runs the rest.

    class TestMyStore(StoreSuite):
        def make(self, folder: Path) -> Store:
            return MyStore(folder / "db")

Each test runs in event loops of its own, as stores must not tie themselves to one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from covalent_lab.errors import StoreError
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.store.base import (
    Batch,
    DispatchRecord,
    ListQuery,
    NodeRecord,
    Page,
    Store,
    StoredPayload,
)
from covalent_lab.testing.store_records import (
    LARGE,
    SMALL,
    A,
    B,
    C,
    dispatch_update,
    moved,
    new_dispatch,
    node_record,
    node_update,
    payload_row,
)
from covalent_lab.transitions import FeedRecord

__all__ = ["StoreSuite"]

from covalent_lab.testing.store_redispatch import StoreRedispatch
from covalent_lab.testing.store_reuse import StoreReuse
from covalent_lab.testing.store_sharing import StoreSharing
from covalent_lab.testing.store_trees import StoreTrees


class StoreSuite(StoreSharing, StoreReuse, StoreRedispatch, StoreTrees):
    """The tests. Every one of them is a guarantee of `Store`."""

    # --- dispatches

    def test_a_created_dispatch_comes_back_whole(self, tmp_path: Path) -> None:
        """Every field, also after the store was closed and opened again."""
        new = new_dispatch(
            inputs=SMALL, lattice=LARGE, payloads=[payload_row(SMALL, b"12345"), payload_row(LARGE, None)]
        )
        assert self.run(tmp_path, lambda store: store.create(new)) == 1
        found = self.run(tmp_path, lambda store: store.dispatch(A))
        assert found == DispatchRecord(
            dispatch_id=A,
            root_dispatch_id=A,
            name=new.name,
            doc=new.doc,
            source=new.source,
            state="NEW_OBJECT",
            error="",
            created_at=10.0,
            started_at=None,
            ended_at=None,
            total=3,
            completed=0,
            failed=0,
            cancelled=0,
            inputs=SMALL,
            lattice=LARGE,
            result=None,
            metadata=new.metadata,
            client=new.client,
            autostart=True,
            owner="me",
            cancel_requested="",
            seq=1,
        )

    def test_creation_is_the_first_transition_and_describes_the_dispatch(self, tmp_path: Path) -> None:
        """Whoever follows the feed can show a row without asking."""

        async def work(store: Store) -> Sequence[FeedRecord]:
            await store.create(new_dispatch())
            return await store.transitions_after(0, 10)

        extra = {"name": "sweep", "total": 3, "root_dispatch_id": A}
        assert self.run(tmp_path, work) == [moved(None, "NEW_OBJECT", seq=1, at=10.0, extra=extra)]

    def test_a_dispatch_is_there_together_with_its_first_tick(self, tmp_path: Path) -> None:
        """What the tick decided follows the creation, in numbers as in time."""
        batch = Batch(
            transitions=[moved(None, "RUNNING"), moved(1, "STARTING", attempt=1)],
            nodes=[node_update(1, "STARTING")],
            dispatches=[dispatch_update(A, state="RUNNING")],
        )

        async def work(store: Store) -> tuple[int, Sequence[Any], str, Sequence[Any], int]:
            first = await store.create(new_dispatch(), batch)
            again = await store.create(new_dispatch(), batch)
            told = [(r.seq, r.node_id, r.status) for r in await store.transitions_after(0, 10)]
            found = await store.dispatch(A)
            _, nodes = await store.nodes(A)
            return first, told, found.state if found else "", [(n.node_id, n.state) for n in nodes], again

        told = [(1, None, "NEW_OBJECT"), (2, None, "RUNNING"), (3, 1, "STARTING")]
        assert self.run(tmp_path, work) == (1, told, "RUNNING", [(1, "STARTING")], 0)

    def test_creating_an_id_again_changes_nothing(self, tmp_path: Path) -> None:
        """A repeated submission is answered with 0; name and sequence stay."""

        async def work(store: Store) -> tuple[int, str | None, int]:
            await store.create(new_dispatch())
            again = await store.create(new_dispatch(name="other", payloads=[payload_row(SMALL, b"12345")]))
            found = await store.dispatch(A)
            assert await store.payloads(A) == {}
            return again, found.name if found else None, await store.last_seq()

        assert self.run(tmp_path, work) == (0, "sweep", 1)

    def test_unknown_dispatches_are_none_or_empty(self, tmp_path: Path) -> None:
        """No verb raises for an id that is not there."""

        async def work(store: Store) -> list[Any]:
            return [
                await store.dispatch(A),
                await store.graph(A),
                await store.nodes(A),
                await store.streams(A, NodeId(0)),
                await store.payload(A, SMALL.digest),
                await store.payloads(A),
                await store.delete([A], 1.0),
                await store.owners(),
                await store.last_seq(),
            ]

        empty: list[Any] = [None, None, (0, []), ("", "", ""), None, {}, [], [], 0]
        assert [list(v) if isinstance(v, tuple) and not v else v for v in self.run(tmp_path, work)] == empty

    def test_the_graph_comes_back_byte_for_byte(self, tmp_path: Path) -> None:
        """It is text for others to read, and stays as it was sent."""

        async def work(store: Store) -> bytes | None:
            await store.create(new_dispatch())
            return await store.graph(A)

        assert self.run(tmp_path, work) == new_dispatch().graph

    def test_state_counters_and_result_of_a_dispatch_are_updated(self, tmp_path: Path) -> None:
        """Everything in an update is seen, nothing else changes."""
        update = dispatch_update(
            state="FAILED",
            started_at=11.0,
            ended_at=15.0,
            error="no",
            completed=1,
            failed=2,
            cancelled=3,
            result=SMALL,
            cancel_requested="all",
        )

        async def work(store: Store) -> tuple[DispatchRecord | None, DispatchRecord | None]:
            await store.create(new_dispatch())
            before = await store.dispatch(A)
            await store.record(Batch(dispatches=[update]))
            return before, await store.dispatch(A)

        before, after = self.run(tmp_path, work)
        assert before is not None
        assert after == replace(
            before,
            state="FAILED",
            started_at=11.0,
            ended_at=15.0,
            error="no",
            completed=1,
            failed=2,
            cancelled=3,
            result=SMALL,
            cancel_requested="all",
        )

    # --- nodes

    def test_a_node_goes_from_queued_to_done(self, tmp_path: Path) -> None:
        """Each state is seen as recorded, the last one with output, times and text."""

        async def work(store: Store) -> list[Sequence[NodeRecord]]:
            await store.create(new_dispatch())
            seen = []
            for update in (
                node_update(1, "STARTING"),
                node_update(1, "RUNNING", started_at=21.0),
                node_update(
                    1, "COMPLETED", started_at=21.0, ended_at=22.0, output=SMALL, stdout="é\n", traceback="never"
                ),
            ):
                await store.record(Batch(nodes=[update]))
                seen.append((await store.nodes(A))[1])
            assert await store.streams(A, NodeId(1)) == ("é\n", "", "never")
            return seen

        assert self.run(tmp_path, work) == [
            [node_record(1, "STARTING")],
            [node_record(1, "RUNNING", started_at=21.0)],
            [node_record(1, "COMPLETED", started_at=21.0, ended_at=22.0, output=SMALL, has_stdout=True)],
        ]

    def test_cancelled_nodes_that_never_began_need_no_updates(self, tmp_path: Path) -> None:
        """Where the batch says so: they are what their transitions say; nobody else's nodes change."""

        async def work(store: Store) -> Sequence[NodeRecord]:
            await store.create(new_dispatch())
            await store.record(Batch(nodes=[node_update(0, "PENDING_REUSE", 0), node_update(3, "RUNNING")]))
            gone = [moved(node, "CANCELLED", at=30.0) for node in (0, 1)]
            others = [moved(None, "CANCELLED"), moved(2, "COMPLETED"), moved(3, "CANCELLED", attempt=1)]
            await store.record(Batch(transitions=[*gone, *others], tells_of_unbegun=True))
            await store.record(Batch(transitions=[moved(4, "CANCELLED")]))
            return (await store.nodes(A))[1]

        assert self.run(tmp_path, work) == [
            node_record(0, "CANCELLED", 0, ended_at=30.0),
            node_record(1, "CANCELLED", 0, ended_at=30.0),
            node_record(3, "RUNNING"),
        ]

    def test_a_node_can_complete_in_its_first_record(self, tmp_path: Path) -> None:
        """A short task starts and ends within one tick."""

        async def work(store: Store) -> Sequence[NodeRecord]:
            await store.create(new_dispatch())
            await store.record(Batch(nodes=[node_update(0, "FAILED", ended_at=22.0, error="no", stderr="Traceback")]))
            return (await store.nodes(A))[1]

        assert self.run(tmp_path, work) == [node_record(0, "FAILED", ended_at=22.0, error="no", has_stderr=True)]

    def test_a_new_attempt_replaces_the_last_one(self, tmp_path: Path) -> None:
        """Attempt, error and times are those of the new attempt."""

        async def work(store: Store) -> Sequence[NodeRecord]:
            await store.create(new_dispatch())
            await store.record(Batch(nodes=[node_update(0, "RUNNING", started_at=5.0)]))
            await store.record(Batch(nodes=[node_update(0, "STARTING", 2, error="lost")]))
            return (await store.nodes(A))[1]

        assert self.run(tmp_path, work) == [node_record(0, "STARTING", 2, error="lost")]

    def test_a_handle_is_kept_while_the_node_moves(self, tmp_path: Path) -> None:
        """It is there when a restarted dispatcher looks for running jobs."""

        async def work(store: Store) -> Sequence[NodeRecord]:
            await store.create(new_dispatch())
            await store.record(Batch(nodes=[node_update(0, "STARTING"), node_update(1, "STARTING")]))
            await store.record(Batch(handles=[(A, NodeId(0), '{"job": 7}')]))
            await store.record(Batch(nodes=[node_update(0, "RUNNING", started_at=5.0)]))
            return (await store.nodes(A))[1]

        assert self.run(tmp_path, work) == [
            node_record(0, "RUNNING", started_at=5.0, handle='{"job": 7}'),
            node_record(1, "STARTING"),
        ]

    def test_one_node_can_be_asked_for(self, tmp_path: Path) -> None:
        """The answer holds that node, or nothing if it has no state yet."""

        async def work(store: Store) -> tuple[Any, Any]:
            await store.create(new_dispatch())
            await store.record(Batch(nodes=[node_update(n, "STARTING") for n in range(3)], transitions=[moved(0, "X")]))
            return await store.nodes(A, NodeId(1)), await store.nodes(A, NodeId(9))

        one, none = self.run(tmp_path, work)
        assert (one[0], list(one[1])) == (2, [node_record(1, "STARTING")])
        assert (none[0], list(none[1])) == (2, [])

    def test_nodes_of_one_dispatch_do_not_show_in_another(self, tmp_path: Path) -> None:
        """Equal node numbers in two dispatches are two nodes."""

        async def work(store: Store) -> list[Sequence[NodeRecord]]:
            await store.create(new_dispatch(A))
            await store.create(new_dispatch(B))
            await store.record(Batch(nodes=[node_update(0, "STARTING"), node_update(0, "RUNNING", 2, B)]))
            return [(await store.nodes(A))[1], (await store.nodes(B))[1]]

        assert self.run(tmp_path, work) == [[node_record(0, "STARTING")], [node_record(0, "RUNNING", 2)]]

    # --- transitions

    def test_sequence_numbers_rise_by_one_over_everything(self, tmp_path: Path) -> None:
        """`record` returns the first number of its batch; creations, batches and deletions share the count."""

        async def work(store: Store) -> tuple[list[int], list[int]]:
            firsts = [
                await store.create(new_dispatch(A)),
                await store.record(Batch(transitions=[moved(0, "STARTING"), moved(1, "STARTING")])),
                await store.create(new_dispatch(B)),
                await store.record(Batch(transitions=[moved(0, "RUNNING")])),
            ]
            firsts.append((await store.delete([B], 9.0))[0].seq)
            return firsts, [r.seq for r in await store.transitions_after(0, 100)]

        assert self.run(tmp_path, work) == ([1, 2, 4, 5, 6], [1, 2, 3, 5, 6])

    def test_transitions_of_repeated_nodes_come_back(self, tmp_path: Path) -> None:
        """Of those nodes of one dispatch that took more than one attempt, with what each attempt ended by."""
        items = [
            moved(1, "STARTING", attempt=1),
            moved(2, "STARTING", attempt=1),
            moved(1, "STARTING", attempt=2, error="lost", extra={"started_at": 21.0}),
            moved(1, "STARTING", B, attempt=2),
        ]
        nodes = [node_update(1, "STARTING", 2), node_update(2, "STARTING"), node_update(1, "STARTING", 2, B)]

        async def work(store: Store) -> Sequence[FeedRecord]:
            await store.create(new_dispatch(A))
            await store.create(new_dispatch(B))
            await store.record(Batch(transitions=items, nodes=nodes))
            return await store.repeated(A)

        assert list(self.run(tmp_path, work)) == [replace(items[0], seq=3), replace(items[2], seq=5)]

    def test_transitions_come_back_in_order_and_whole(self, tmp_path: Path) -> None:
        """All fields, from a number on, and no more than asked for."""
        items = [moved(n, "STARTING", attempt=n, error=f"é{n}", extra={"n": [n]}) for n in range(1, 6)]

        async def work(store: Store) -> tuple[Sequence[FeedRecord], int]:
            await store.create(new_dispatch())
            await store.record(Batch(transitions=items))
            return await store.transitions_after(3, 2), await store.last_seq()

        found, last = self.run(tmp_path, work)
        assert list(found) == [replace(items[2], seq=4), replace(items[3], seq=5)]
        assert last == 6

    def test_an_empty_batch_takes_no_number(self, tmp_path: Path) -> None:
        """Recording a handle, or nothing, does not move the feed."""

        async def work(store: Store) -> int:
            await store.create(new_dispatch())
            await store.record(Batch())
            await store.record(Batch(handles=[(A, NodeId(0), "{}")]))
            return await store.last_seq()

        assert self.run(tmp_path, work) == 1

    def test_a_batch_that_cannot_be_recorded_leaves_nothing(self, tmp_path: Path) -> None:
        """One bad transition undoes nodes, dispatches and payloads of its batch."""
        bad: Any = None
        batch = Batch(
            nodes=[node_update(0, "STARTING")],
            dispatches=[dispatch_update(state="RUNNING")],
            payloads=[payload_row(SMALL, b"12345")],
            transitions=[moved(0, "STARTING"), moved(1, bad)],
        )

        async def work(store: Store) -> list[Any]:
            await store.create(new_dispatch())
            with pytest.raises(StoreError):
                await store.record(batch)
            found = await store.dispatch(A)
            nodes = (await store.nodes(A))[1]
            return [found and found.state, list(nodes), list(await store.payloads(A)), await store.last_seq()]

        assert self.run(tmp_path, work) == ["NEW_OBJECT", [], [], 1]

    def test_a_store_works_on_after_a_failed_batch(self, tmp_path: Path) -> None:
        """The next batch gets the number that the failed one would have had."""
        bad: Any = None

        async def work(store: Store) -> int:
            await store.create(new_dispatch())
            with pytest.raises(StoreError):
                await store.record(Batch(transitions=[moved(1, bad)]))
            return await store.record(Batch(transitions=[moved(1, "STARTING")]))

        assert self.run(tmp_path, work) == 2

    # --- payloads

    def test_a_small_payload_is_bytes_and_a_large_one_a_path(self, tmp_path: Path) -> None:
        """Exactly one of the two is given; the path ends in the digest."""

        async def work(store: Store) -> tuple[StoredPayload | None, StoredPayload | None]:
            await store.create(new_dispatch(payloads=[payload_row(SMALL, b"12345")]))
            await store.record(Batch(payloads=[payload_row(LARGE, None)]))
            return await store.payload(A, SMALL.digest), await store.payload(A, LARGE.digest)

        small, large = self.run(tmp_path, work)
        assert small == StoredPayload(data=b"12345")
        assert large is not None
        assert large.data is None
        assert str(large.path).endswith(LARGE.digest)

    def test_a_payload_is_seen_through_its_own_dispatch_only(self, tmp_path: Path) -> None:
        """Knowing a digest is not enough."""

        async def work(store: Store) -> StoredPayload | None:
            await store.create(new_dispatch(A, payloads=[payload_row(SMALL, b"12345")]))
            await store.create(new_dispatch(B))
            return await store.payload(B, SMALL.digest)

        assert self.run(tmp_path, work) is None

    def test_recording_a_payload_twice_keeps_one(self, tmp_path: Path) -> None:
        """Two tasks may return the same value."""

        async def work(store: Store) -> Mapping[str, StoredPayload]:
            await store.create(new_dispatch(payloads=[payload_row(SMALL, b"12345")]))
            await store.record(Batch(payloads=[payload_row(SMALL, b"12345"), payload_row(SMALL, b"12345")]))
            return await store.payloads(A)

        assert dict(self.run(tmp_path, work)) == {SMALL.digest: StoredPayload(data=b"12345")}

    # --- lists

    def test_the_list_holds_root_dispatches_newest_first(self, tmp_path: Path) -> None:
        """Sub-dispatches are left out of items, total and counts."""

        async def work(store: Store) -> Page:
            await store.create(new_dispatch(A, created_at=1.0))
            await store.create(new_dispatch(B, created_at=2.0))
            await store.create(new_dispatch(C, created_at=3.0, root_dispatch_id=A))
            await store.record(Batch(dispatches=[dispatch_update(A, "COMPLETED")]))
            return await store.list_dispatches(ListQuery())

        page = self.run(tmp_path, work)
        assert [i.dispatch_id for i in page.items] == [B, A]
        assert (page.total, dict(page.counts), page.seq) == (2, {"COMPLETED": 1, "NEW_OBJECT": 1}, 3)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"search": "SWEEP"}, [A, B]),
            ({"search": "100%"}, [C]),
            ({"search": "_"}, []),
            ({"search": "bbb"}, [B]),
            ({"search": "nowhere"}, []),
            ({"statuses": ("FAILED",)}, [B]),
            ({"statuses": ("FAILED", "RUNNING", "NEW_OBJECT", "COMPLETED")}, [A, B, C]),
            ({"statuses": ("FAILED",), "search": "100%"}, []),
            ({"sort": "id", "direction": "desc"}, [C, B, A]),
            ({"sort": "name"}, [C, A, B]),
            ({"sort": "created_at"}, [A, B, C]),
            ({"sort": "created_at", "direction": "desc"}, [C, B, A]),
            ({"sort": "started_at"}, [B, A, C]),
            ({"sort": "started_at", "direction": "desc"}, [A, B, C]),
            ({"sort": "ended_at"}, [A, B, C]),
            ({"sort": "runtime"}, [A, B, C]),
            ({"sort": "runtime", "direction": "desc"}, [B, A, C]),
            ({"sort": "status"}, [A, B, C]),
            ({"offset": 1}, [B, C]),
            ({"offset": 1, "count": 1}, [B]),
            ({"offset": 7}, []),
        ],
        ids=str,
    )
    def test_the_list_is_searched_filtered_sorted_and_cut(
        self, tmp_path: Path, query: Mapping[str, Any], found: Sequence[DispatchId]
    ) -> None:
        """Searching ignores case and takes every character as it is; missing times come last both ways."""

        async def work(store: Store) -> Page:
            await store.create(new_dispatch(A, name="sweep a", created_at=1.0))
            await store.create(new_dispatch(B, name="Sweep b", created_at=2.0))
            await store.create(new_dispatch(C, name="100% sure", created_at=3.0))
            ended = dispatch_update(A, "COMPLETED", started_at=5.0, ended_at=6.0)
            await store.record(Batch(dispatches=[ended, dispatch_update(B, "FAILED", started_at=4.0, ended_at=9.0)]))
            return await store.list_dispatches(ListQuery(**({"direction": "asc"} | dict(query))))

        page = self.run(tmp_path, work)
        names = [i.dispatch_id for i in page.items]
        # Upper before lower case, or the other way round, is the database's business.
        assert names == found or (query == {"sort": "name"} and names == [C, B, A])

    def test_what_runs_has_run_until_now(self, tmp_path: Path) -> None:
        """Only if the time is given; what has not begun comes last. Parts do not count in the total."""

        async def work(store: Store) -> list[Any]:
            for number, dispatch_id in enumerate((A, B, C)):
                await store.create(new_dispatch(dispatch_id, created_at=float(number)))
            ended = dispatch_update(A, "COMPLETED", started_at=5.0, ended_at=8.0)
            await store.record(Batch(dispatches=[ended, dispatch_update(B, "RUNNING", started_at=6.0)]))
            pages = [
                await store.list_dispatches(ListQuery(sort="runtime", direction=direction, now=now))
                for direction, now in (("desc", 20.0), ("asc", 20.0), ("desc", None))
            ]
            return [[item.dispatch_id for item in page.items] for page in pages] + [await store.total_runtime()]

        assert self.run(tmp_path, work) == [[B, A, C], [A, B, C], [A, C, B], 3.0]

    # --- deletion

    def test_deleting_removes_everything_and_leaves_a_tombstone(self, tmp_path: Path) -> None:
        """Records, nodes, payloads and transitions are gone; the tombstone has the next number."""

        async def work(store: Store) -> list[Any]:
            await store.create(new_dispatch(payloads=[payload_row(SMALL, b"12345")]))
            await store.record(Batch(nodes=[node_update(0, "STARTING")], transitions=[moved(0, "STARTING")]))
            tombstones = list(await store.delete([A, B], 50.0))
            assert list(await store.transitions_after(0, 10)) == tombstones
            nodes = list((await store.nodes(A))[1])
            return [tombstones, await store.dispatch(A), await store.graph(A), nodes, list(await store.payloads(A))]

        assert self.run(tmp_path, work) == [[moved(None, "DELETED", seq=3, at=50.0)], None, None, [], []]

    def test_other_dispatches_survive_a_deletion(self, tmp_path: Path) -> None:
        """Even one that shares a payload."""

        async def work(store: Store) -> list[Any]:
            await store.create(new_dispatch(A, payloads=[payload_row(SMALL, b"12345")]))
            await store.create(new_dispatch(B, payloads=[payload_row(SMALL, b"12345", B)]))
            await store.record(Batch(nodes=[node_update(0, "STARTING", 1, B)]))
            await store.delete([A], 50.0)
            return [list((await store.nodes(B))[1]), await store.payload(B, SMALL.digest)]

        assert self.run(tmp_path, work) == [[node_record(0, "STARTING")], StoredPayload(data=b"12345")]

    def test_what_the_last_attempt_used_comes_back(self, tmp_path: Path) -> None:
        """Not what an earlier one did, nor before there is an end."""

        async def work(store: Store) -> list[Any]:
            await store.create(new_dispatch())
            seen = []
            for attempt, usage in ((1, {"cpu_s": 1.5, "host": "é"}), (2, None), (3, {"cpu_s": 2.5})):
                await store.record(Batch(nodes=[node_update(0, "RUNNING", attempt)]))
                await store.record(Batch(nodes=[node_update(0, "FAILED", attempt, ended_at=9.0, usage=usage)]))
                seen += [node.usage for node in (await store.nodes(A))[1]]
            return seen

        assert self.run(tmp_path, work) == [{"cpu_s": 1.5, "host": "é"}, None, {"cpu_s": 2.5}]

    def test_a_payload_file_goes_with_the_last_dispatch_that_refers_to_it(self, tmp_path: Path) -> None:
        """Not earlier."""

        async def create(store: Store) -> StoredPayload | None:
            await store.create(new_dispatch(A, payloads=[payload_row(LARGE, None)]))
            await store.create(new_dispatch(B, payloads=[payload_row(LARGE, None, B)]))
            return await store.payload(A, LARGE.digest)

        stored = self.run(tmp_path, create)
        assert stored is not None
        assert stored.path is not None
        path = Path(stored.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        self.run(tmp_path, lambda store: store.delete([A], 50.0))
        assert path.exists()
        self.run(tmp_path, lambda store: store.delete([B], 51.0))
        assert not path.exists()

    def test_a_payload_file_stays_that_is_recorded_again_meanwhile(self, tmp_path: Path) -> None:
        """Another dispatch may bring the same value at the very moment at which the first is deleted."""

        async def create(store: Store) -> StoredPayload | None:
            await store.create(new_dispatch(A, payloads=[payload_row(LARGE, None)]))
            return await store.payload(A, LARGE.digest)

        async def replace(store: Store) -> None:
            await asyncio.gather(
                store.delete([A], 50.0), store.create(new_dispatch(B, payloads=[payload_row(LARGE, None, B)]))
            )

        stored = self.run(tmp_path, create)
        assert stored is not None
        assert stored.path is not None
        path = Path(stored.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        self.run(tmp_path, replace)
        assert path.exists()

    def test_a_deleted_id_can_be_used_again(self, tmp_path: Path) -> None:
        """Nothing of the old dispatch shows in the new one."""

        async def work(store: Store) -> tuple[int, Any]:
            await store.create(new_dispatch())
            await store.record(Batch(nodes=[node_update(0, "STARTING")]))
            await store.delete([A], 50.0)
            return await store.create(new_dispatch()), list((await store.nodes(A))[1])

        assert self.run(tmp_path, work) == (3, [])
