"""The SQL store: the contract, the schema and its migrations, disks that fail."""

import asyncio
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata  # noqa: TID253 - compares the schema with the migrations
from alembic.migration import MigrationContext  # noqa: TID253
from sqlalchemy import create_engine  # noqa: TID253
from sqlalchemy.engine import make_url  # noqa: TID253

from covalent_lab.errors import StoreError
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.store import schema
from covalent_lab.store.base import Batch, ListQuery, Store
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore
from covalent_lab.store.upgrade import run_alembic, upgrade
from covalent_lab.testing.store_records import A, dispatch_update, new_dispatch, node_update
from covalent_lab.testing.store_suite import StoreSuite

OLD = Path(__file__).parent / "old"


class TestFullDurability(StoreSuite):
    """SQLite with every commit on disk."""

    def make(self, folder: Path) -> Store:
        """A store in one file."""
        return sql(folder)


class TestNormalDurability(StoreSuite):
    """SQLite as it is faster."""

    def make(self, folder: Path) -> Store:
        """A store in one file."""
        return sql(folder, "normal")


def sql(folder: Path, durability: str = "full") -> SqlStore:
    """A store in a file below a folder that need not exist."""
    return SqlStore(f"sqlite:///{folder / 'sub' / 'db'}", BlobDir(folder / "payloads"), durability)


def opening(store: Store) -> None:
    """Open and close."""

    async def work() -> None:
        try:
            await store.open()
        finally:
            await store.close()

    asyncio.run(work())


@pytest.mark.parametrize("is_migrated", [False, True], ids=["new", "migrated"])
def test_migrations_lead_to_exactly_the_schema_in_the_code(tmp_path: Path, is_migrated: bool) -> None:
    """A column added to one and forgotten in the other shows here."""
    if is_migrated:
        run_alembic(f"sqlite:///{tmp_path}/sub/db", ["upgrade", "head"])
    opening(sql(tmp_path))
    engine = create_engine(f"sqlite:///{tmp_path}/sub/db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == schema.HEAD
        assert compare_metadata(context, schema.metadata) == []
        filled = {table.name for table in schema.metadata.sorted_tables if connection.execute(table.select()).first()}
        assert filled == {"sequence"}
    engine.dispose()


@pytest.mark.parametrize("saved", sorted(OLD.glob("*.sql")), ids=lambda path: path.stem)
def test_a_database_of_every_earlier_version_is_read(tmp_path: Path, saved: Path) -> None:
    """The saved one holds a finished dispatch `old` and an unfinished one, `unfinished`."""
    (tmp_path / "sub").mkdir()
    with sqlite3.connect(tmp_path / "sub/db") as connection:
        connection.executescript(saved.read_text())
    connection.close()

    async def work() -> None:
        store = sql(tmp_path)
        await store.open()
        try:
            found = await store.dispatch(DispatchId("old"))
            assert found is not None
            assert (found.state, found.completed, found.name) == ("COMPLETED", 3, "sweep")
            assert await store.graph(DispatchId("old"))
            assert len((await store.nodes(DispatchId("old")))[1]) == 1
            assert await store.owners() == ["me"]
            assert await store.record(Batch()) == await store.last_seq() + 1
        finally:
            await store.close()

    asyncio.run(work())


def test_the_saved_databases_include_the_present_version() -> None:
    """Whoever raises the version saves a database of it."""
    assert schema.HEAD in {path.stem for path in OLD.glob("*.sql")}


def test_many_processes_may_migrate_at_once(tmp_path: Path) -> None:
    """A server and two kernels start together on an empty folder; all of them get in."""
    url = make_url(f"sqlite:///{tmp_path}/db")
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(upgrade, url) for _ in range(3)]:
            done.result()
    upgrade(url)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    """The message says what to do."""
    opening(sql(tmp_path))
    with sqlite3.connect(tmp_path / "sub/db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"newer version of covalent-lab \(schema 9999\). Upgrade the package"):
        opening(sql(tmp_path))


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Nothing is created in it."""
    (tmp_path / "sub").mkdir()
    with sqlite3.connect(tmp_path / "sub/db") as connection:
        connection.execute("create table precious (x)")
    connection.close()
    with pytest.raises(StoreError, match="holds tables of another program"):
        opening(sql(tmp_path))
    with sqlite3.connect(tmp_path / "sub/db") as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("precious",)]
    connection.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """Not as an SQLAlchemy traceback."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/db").write_bytes(b"this is not a database, and it is long enough to be sure" * 20)
    with pytest.raises(StoreError, match="not a database"):
        opening(sql(tmp_path))


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands where a folder is needed."""
    (tmp_path / "sub").write_text("in the way")
    with pytest.raises(StoreError, match="failed"):
        opening(sql(tmp_path))


def test_a_folder_in_place_of_the_database_is_told(tmp_path: Path) -> None:
    """It cannot be opened."""
    (tmp_path / "sub/db").mkdir(parents=True)
    with pytest.raises(StoreError, match="unable to open"):
        opening(sql(tmp_path))


def test_a_damaged_table_is_told_and_does_not_end_the_process(tmp_path: Path) -> None:
    """A verb on a broken database raises StoreError."""

    async def work() -> None:
        store = sql(tmp_path)
        await store.open()
        try:
            with sqlite3.connect(tmp_path / "sub/db") as connection:
                connection.execute("drop table node")
            connection.close()
            with pytest.raises(StoreError, match="no such table"):
                await store.nodes(DispatchId("x"))
        finally:
            await store.close()

    asyncio.run(work())


def test_a_list_of_many_dispatches_can_be_deleted_at_once(tmp_path: Path) -> None:
    """More than the number of parameters that old SQLite versions allow."""

    async def work() -> None:
        store = sql(tmp_path, "normal")
        await store.open()
        try:
            ids = [DispatchId(f"d{n}") for n in range(1_200)]
            for dispatch_id in ids[:5]:
                await store.create(new_dispatch(dispatch_id))
            assert len(await store.delete(ids, 1.0)) == 5
            assert (await store.list_dispatches(ListQuery())).total == 0
        finally:
            await store.close()

    asyncio.run(work())


# --- payload files


def test_a_payload_file_appears_only_when_complete(tmp_path: Path) -> None:
    """Until then it has another name, outside the folders of digests."""
    blobs = BlobDir(tmp_path / "payloads")
    writer = blobs.writer()
    writer.write(b"abc")
    writer.write(memoryview(b"def"))
    ref = writer.ref
    assert not blobs.path(ref.digest).exists()
    assert writer.commit() == ref
    assert blobs.path(ref.digest).read_bytes() == b"abcdef"
    assert ref.size == 6
    assert [p.name for p in (tmp_path / "payloads").iterdir()] == [ref.digest[:2]]


def test_an_aborted_payload_leaves_no_file(tmp_path: Path) -> None:
    """Aborting twice does no harm, and nothing can be written afterwards."""
    writer = BlobDir(tmp_path).writer()
    writer.write(b"abc")
    writer.abort()
    writer.abort()
    assert list(tmp_path.iterdir()) == []
    for verb in (lambda: writer.write(b"x"), writer.commit):
        with pytest.raises(StoreError):
            verb()


def test_writing_the_same_payload_twice_keeps_one_file(tmp_path: Path) -> None:
    """The second replaces the first by equal bytes."""
    for _ in range(2):
        writer = BlobDir(tmp_path).writer()
        writer.write(b"abc")
        digest = writer.commit().digest
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / digest[:2] / digest]


def test_files_that_are_held_stay(tmp_path: Path) -> None:
    """As long as somebody holds them."""
    blobs = BlobDir(tmp_path)
    writer = blobs.writer()
    writer.write(b"value")
    digest = writer.commit().digest
    with blobs.holding(digest):
        blobs.hold([digest])
        blobs.remove([digest])
    blobs.remove([digest])
    assert blobs.path(digest).exists()
    blobs.release([digest])
    blobs.remove([digest])
    assert not blobs.path(digest).exists()


def test_removing_files_that_are_gone_does_not_matter(tmp_path: Path) -> None:
    """Somebody may have cleaned up by hand."""
    BlobDir(tmp_path).remove(["0" * 40])


def test_a_payload_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "payloads").write_text("in the way")
    with pytest.raises(StoreError, match="Cannot write below"):
        BlobDir(tmp_path / "payloads").writer()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_told_and_the_file_given_up(tmp_path: Path) -> None:
    """The size written so far is in the message."""
    writer = BlobDir(tmp_path).writer()
    with open("/dev/full", "wb", buffering=0) as full:
        file = writer._file
        assert file is not None
        os.dup2(full.fileno(), file.fileno())
        with pytest.raises(StoreError, match="No space left on device"):
            writer.write(b"x" * 10_000_000)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_change_of_a_dispatch_does_not_write_its_graph_again(tmp_path: Path) -> None:
    """The graph of many nodes is written once; each change afterwards costs as little as for a few nodes."""
    graph = os.urandom(5_000_000)

    async def work() -> tuple[int, bytes | None]:
        store = sql(tmp_path)
        await store.open()
        try:
            await store.create(new_dispatch(graph=graph))
            with sqlite3.connect(tmp_path / "sub/db") as connection:
                connection.execute("pragma wal_checkpoint(truncate)")
            connection.close()
            await store.record(Batch(dispatches=[dispatch_update(A, "RUNNING", started_at=1.0)]))
            return (tmp_path / "sub/db-wal").stat().st_size, await store.graph(A)
        finally:
            await store.close()

    written, kept = asyncio.run(work())
    assert 0 < written < 200_000
    assert kept == graph


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """Whoever asks while the server stops gets a reason."""

    async def work() -> None:
        store = sql(tmp_path)
        await store.open()
        await store.close()
        with pytest.raises(StoreError, match="is closed"):
            await store.record(Batch())
        with pytest.raises(StoreError, match="is closed"):
            await store.dispatch(A)

    asyncio.run(work())


def test_files_are_looked_up_by_an_index_in_which_small_payloads_do_not_stand(tmp_path: Path) -> None:
    """Else each small output would change a page somewhere in a large index."""

    async def work() -> None:
        store = sql(tmp_path)
        await store.open()
        await store.close()

    asyncio.run(work())
    with sqlite3.connect(tmp_path / "sub/db") as connection:
        query = "explain query plan select digest from payload where digest in ('1', '2') and data is null"
        assert "payload_file_by_digest" in str(connection.execute(query).fetchall())
        query = "select sql from sqlite_master where type = 'index' and tbl_name = 'payload' and sql is not null"
        ((index,),) = connection.execute(query)
        assert index.endswith("WHERE data is null")
    connection.close()


def save_present_version(target: Path) -> None:
    """Write a database of the present version for later ones to read; run by hand when the version rises."""
    folder = target.parent / "new"

    async def work() -> None:
        store = sql(folder)
        await store.open()
        await store.create(new_dispatch(DispatchId("old")))
        await store.create(new_dispatch(DispatchId("unfinished")))
        update = node_update(2, "COMPLETED", 1, DispatchId("old"), started_at=1.0, ended_at=2.0)
        ended = dispatch_update(DispatchId("old"), "COMPLETED", started_at=1.0, ended_at=2.0, completed=3)
        await store.record(Batch(nodes=[update], dispatches=[ended], handles=[(DispatchId("old"), NodeId(2), "{}")]))
        await store.close()

    asyncio.run(work())
    with sqlite3.connect(folder / "sub/db") as connection:
        target.write_text("\n".join(connection.iterdump()) + "\n")
    connection.close()
    shutil.rmtree(folder)
