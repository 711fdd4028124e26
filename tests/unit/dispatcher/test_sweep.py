"""Payload files that nobody refers to do not stay for ever."""

import asyncio
import os
import time
from pathlib import Path

from covalent_lab.dispatcher.bootstrap import build
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir


def test_forgotten_files_are_removed_at_the_next_start(tmp_path: Path) -> None:
    """Old ones without a record go, unfinished ones too; young ones may belong to a job that is about to report."""
    settings = Settings(data_dir=tmp_path, database=f"sqlite:///{tmp_path / 'db.sqlite'}", workdir=tmp_path / "work")
    blobs = BlobDir(tmp_path / "payloads")
    written = []
    for text in (b"old", b"young"):
        writer = blobs.writer()
        writer.write(text)
        written.append(blobs.path(writer.commit().digest))
    unfinished = blobs.root / "new-left"
    unfinished.write_bytes(b"half")
    long_ago = time.time() - 200_000
    for path in (written[0], unfinished):
        os.utime(path, (long_ago, long_ago))

    async def start_and_stop() -> None:
        dispatcher = build(settings)
        done = asyncio.Event()
        running = asyncio.create_task(dispatcher.run(done.set))
        await done.wait()
        while written[0].exists() or unfinished.exists():  # noqa: ASYNC110 - files tell nobody
            await asyncio.sleep(0)
        dispatcher.stop()
        await running

    asyncio.run(asyncio.wait_for(start_and_stop(), 120))
    assert [path.exists() for path in written] == [False, True]
