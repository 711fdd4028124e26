"""Jobs over SSH whose connection breaks at particular moments."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.ssh.job import RemoteJob
from covalent_lab_executors.ssh.link import Link, News
from covalent_lab_executors.ssh.login import LinkLostError
from covalent_lab_executors.ssh.target import Target

from covalent_lab.executor.base import JobStatus
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import job

NOWHERE = Target(
    hostname="nowhere",
    username="",
    key="",
    port=None,
    known_hosts="",
    attempts=1,
    wait_s=0.0,
    alive_s=1.0,
    python="python",
    conda_env="",
    root="root",
    workers=1,
)


class EndedLink(Link):
    """Its agent answers a job at once, and is gone afterwards."""

    def __init__(self, news: News) -> None:
        super().__init__(NOWHERE)
        self.hello = {"payloads": "/payloads"}
        self.orders: list[str] = []
        self._news = news
        self._inbox: asyncio.Queue[News | None] = asyncio.Queue()

    def inbox(self, name: str) -> asyncio.Queue[News | None]:
        """Where the answer comes."""
        return self._inbox

    async def send(self, control: Mapping[str, Any], body: Sequence[bytes] = ()) -> None:
        """Answer the job; the next order does not arrive."""
        self.orders.append(control["do"])
        if control["do"] != "run":
            raise LinkLostError("The connection broke.")
        self._inbox.put_nowait(self._news)


def test_end_that_has_arrived_counts_though_the_connection_breaks(tmp_path: Path) -> None:
    """The job is not played again: its files on the host may be gone already, and then it would run twice."""

    async def play() -> None:
        answer = {"body": [1, 0, 0], "output": ["digest", 1], "started": 1.0, "ended": 2.0}
        link = EndedLink(({"news": "finished", "answer": answer}, b"7"))
        spec = job(len, [])
        played = RemoteJob(attempt_id=spec.attempt_id, spec=spec, host=FakeHost(tmp_path), workdir="", do_cleanup=True)
        assert (await played.play(link)).status is JobStatus.COMPLETED
        assert link.orders == ["run", "forget"]

    asyncio.run(play())


async def uploading(monkeypatch: pytest.MonkeyPatch) -> tuple[Link, asyncio.Task[None]]:
    """A connection, and a transfer over it that is under way and does not end by itself."""
    begun = asyncio.Event()

    async def never(link: Link, local: str, remote: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Link, "_put", never)
    link = Link(NOWHERE)
    link.hello = {"payloads": "/payloads"}
    upload = asyncio.create_task(link.upload("here", "digest"))
    await begun.wait()
    return link, upload


def test_upload_that_ends_with_its_connection_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another job may hang up a lost connection to make a new one; whoever waits for a transfer hears of it."""

    async def play() -> None:
        link, upload = await uploading(monkeypatch)
        await link.close()
        with pytest.raises(LinkLostError):
            await upload

    asyncio.run(play())


def test_upload_that_is_given_up_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is cancelled does not take that for a broken connection."""

    async def play() -> None:
        link, upload = await uploading(monkeypatch)
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        await link.close()

    asyncio.run(play())
