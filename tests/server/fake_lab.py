"""A lab that keeps dispatches in dictionaries and runs nothing: tests say what happens to them.

For what a real lab cannot be made to do at will: fail, hang, end its feed, or tell when a client went away.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from covalent_lab import payload, worker
from covalent_lab.dispatcher.bundle import BundleReader
from covalent_lab.errors import MissingLatticeRecordError, MissingNodeError
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir

INLINE_LIMIT = 65_536
_EVERYTHING = 1 << 40
VERSION = "0.1.0"
_EXECUTOR = {
    "name": "local",
    "class_name": "LocalExecutor",
    "summary": "",
    "origin": "",
    "is_default": True,
    "is_started": True,
    "is_outdated": False,
    "trouble": "",
    "queued": 0,
    "running": 1,
    "settings": [{"name": "workers", "kind": "any", "value": 2, "default": None, "is_set": True, "doc": ""}],
}


@dataclass(frozen=True, slots=True)
class StoredPayload:
    """Where an archive is."""

    data: bytes | None
    path: str | None


class FakeSubmission:
    """Reads a bundle as it comes; remembers what was done to it."""

    def __init__(self, lab: "FakeLab") -> None:
        self.lab = lab
        self.received = 0
        self.largest = 0
        self.is_aborted = False
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self._reader = BundleReader(BlobDir(lab.folder), _EVERYTHING)

    def feed(self, chunk: bytes) -> None:
        self.received += len(chunk)
        self.largest = max(self.largest, len(chunk))
        self.begun.set()
        self._reader.feed(chunk)

    async def finish(self, start: bool = True) -> tuple[str, bool]:
        header = self._reader.finish()
        self.ended.set()
        archives = {ref.digest: data for ref, data in self._reader.payloads.items() if data is not None}
        known = {"graph": json.loads(header["graph"]), "payloads": list(self._reader.payloads)}
        return self.lab.add({**header, **known}, archives, start=start)

    async def finish_and_wait(self, wait_s: float, start: bool = True) -> tuple[dict[str, Any], bool]:
        dispatch_id, created = await self.finish(start)
        return await self.lab.detail(dispatch_id, wait_s), created

    def abort(self) -> None:
        self.is_aborted = True
        self.ended.set()


class FakeSubscription:
    """Frames that a test put there."""

    def __init__(self, hello: Mapping[str, Any], frames: "asyncio.Queue[Mapping[str, Any] | Exception | None]") -> None:
        self.hello = hello
        self.frames = frames
        self.closed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Mapping[str, Any]]:
        yield self.hello
        while (frame := await self.frames.get()) is not None:
            if isinstance(frame, Exception):
                raise frame
            yield frame

    def close(self) -> None:
        self.closed.set()


class FakeLab:
    """Does what `covalent_lab.dispatcher.lab.Lab` promises, without running a task."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder, database="", workdir=folder)
        self.seq = 0
        self.records: dict[str, dict[str, Any]] = {}
        self.archives: dict[str, bytes] = {}
        self.submissions: list[FakeSubmission] = []
        self.subscriptions: list[FakeSubscription] = []
        self.subscribed_after: list[int | None] = []
        self.notices: list[tuple[str, int, Mapping[str, Any]]] = []
        self.failure: Exception | None = None
        self.waiting = asyncio.Event()
        self.wait_ended = asyncio.Event()
        self.terminal = asyncio.Event()
        self.closings = 0

    def close(self) -> None:
        self.closings += 1

    def add(self, header: Mapping[str, Any], archives: Mapping[str, bytes], *, start: bool) -> tuple[str, bool]:
        dispatch_id = header["dispatch_id"]
        if dispatch_id in self.records:
            return dispatch_id, False
        self.seq += 1
        self.archives.update(archives)
        self.records[dispatch_id] = {**header, "status": "RUNNING" if start else "NEW_OBJECT"}
        return dispatch_id, True

    async def status(self) -> dict[str, Any]:
        self._check()
        running = sum(record["status"] == "RUNNING" for record in self.records.values())
        return {
            "status": "running",
            "version": VERSION,
            "dispatches": len(self.records),
            "running": running,
            "seq": self.seq,
            "uptime_s": 1.5,
            "pid": 1,
            "store": "memory",
            "results_dir": "results",
        }

    def submission(self) -> FakeSubmission:
        self._check()
        self.submissions.append(FakeSubmission(self))
        return self.submissions[-1]

    async def start(self, dispatch_id: str) -> dict[str, Any]:
        record = self._record(dispatch_id)
        record["status"] = "RUNNING"
        return {"dispatch_id": dispatch_id, "status": "STARTING"}

    async def redispatch(
        self, dispatch_id: str, new_id: str, *, reuse_previous_results: bool, start: bool
    ) -> tuple[str, bool]:
        header = {**self._record(dispatch_id), "dispatch_id": new_id, "reuses": reuse_previous_results}
        return self.add(header, {}, start=start)

    async def list_dispatches(
        self,
        search: str = "",
        status: str = "",
        sort: str = "created_at",
        direction: str = "desc",
        offset: int = 0,
        count: int = 50,
        parent: str | None = None,
    ) -> dict[str, Any]:
        self._check()
        chosen = [
            r
            for r in self.records.values()
            if search in r["name"]
            and (not status or r["status"] in status.split(","))
            and (parent is None or r.get("parent_dispatch_id") == parent)
        ]
        if sort == "name":
            chosen.sort(key=lambda record: record["name"], reverse=direction == "desc")
        counts = {r["status"]: sum(o["status"] == r["status"] for o in chosen) for r in chosen}
        page = [self._summary(record) for record in chosen[offset : offset + count]]
        return {"items": page, "total": len(chosen), "counts": counts, "seq": self.seq}

    async def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        record = self._record(dispatch_id)
        if wait_s:
            self.waiting.set()
            try:
                await self.terminal.wait()
            finally:
                self.wait_ended.set()
        metadata = record["metadata"]
        return {
            **self._summary(record),
            "seq": self.seq,
            "doc": record["doc"],
            "source": record["source"],
            "inputs": self._preview(record["inputs"]),
            "result": None,
            "lattice": self._preview(record["lattice"]),
            **{key: metadata[key] for key in metadata if "executor" in key},
            "hooks": {},
            "replacements": {},
            "python_version": record["client"]["python_version"],
            "lab_version": record["client"]["lab_version"],
        }

    async def graph(self, dispatch_id: str) -> bytes:
        return json.dumps(self._record(dispatch_id)["graph"]).encode()

    async def nodes(self, dispatch_id: str) -> dict[str, Any]:
        self._record(dispatch_id)
        names = ("node_id", "status", "attempt", "started_at", "ended_at", "error")
        names = (*names, "output", "output_size", "stdout", "stderr")
        return {"seq": self.seq, **{name: [] for name in names}}

    async def node(self, dispatch_id: str, node_id: int) -> dict[str, Any]:
        columns = self._node_columns(dispatch_id, node_id)
        return {
            "node_id": node_id,
            "name": columns["name"][node_id],
            "kind": columns["kind"][node_id],
            "status": "NEW_OBJECT",
            "attempt": 0,
            "started_at": None,
            "ended_at": None,
            "error": "",
            "executor": "local",
            "executor_data": {},
            "hooks": {},
            "function_name": "task",
            "source": "",
            "doc": "",
            "inputs": [],
            "output": None,
            "stdout": "",
            "stderr": "",
            "seq": self.seq,
        }

    async def stream(self, dispatch_id: str, node_id: int, stream: str, offset: int) -> dict[str, Any]:
        self._node_columns(dispatch_id, node_id)
        text = f"{stream} of node {node_id}\n"[offset:]
        return {"text": text, "offset": offset + len(text), "done": True}

    async def payload(self, dispatch_id: str, digest: str) -> StoredPayload:
        archive = self._archive(dispatch_id, digest)
        if len(archive) <= INLINE_LIMIT:
            return StoredPayload(archive, None)
        path = self.folder / digest
        if not path.exists():
            path.write_bytes(archive)
        return StoredPayload(None, str(path))

    async def preview(self, dispatch_id: str, digest: str) -> dict[str, Any]:
        archive = self._archive(dispatch_id, digest)
        shown = payload.preview(archive)
        rich = {mime: base64.b64encode(b"picture").decode() for mime in shown.rich}
        return {"digest": digest, "size": len(archive), "type": shown.type, "text": shown.text, "rich": rich}

    async def export(self, dispatch_id: str, format: str) -> str:
        return f"<{format}>{self._record(dispatch_id)['name']}</{format}>"

    async def compare(self, left: str, right: str) -> dict[str, Any]:
        sides = [self._summary(self._record(dispatch_id)) for dispatch_id in (left, right)]
        names = ("dispatch_id", "name", "status", "started_at", "ended_at")
        left_side, right_side = ({**{name: side[name] for name in names}, "error": ""} for side in sides)
        none = {"is_equal": True, "left": None, "right": None}
        found = {"is_same_graph": True, "inputs": none, "result": none, "rows": [], "hidden": 0, "differing": 0}
        return {"left": left_side, "right": right_side, **found}

    async def cancel(self, dispatch_id: str, task_ids: Sequence[int] | None) -> dict[str, Any]:
        self._record(dispatch_id)["status"] = "CANCELLED"
        what = f"Dispatch {dispatch_id}" if task_ids is None else f"Tasks {list(task_ids)} of {dispatch_id}"
        return {"message": f"{what} cancelled."}

    async def notify(self, dispatch_id: str, node_id: int, body: Mapping[str, Any]) -> bool:
        self._node_columns(dispatch_id, node_id)
        self.notices.append((dispatch_id, node_id, body))
        return True

    async def delete(self, ids: Sequence[str]) -> dict[str, Any]:
        self._check()
        active = [i for i in ids if i in self.records and self.records[i]["status"] == "RUNNING"]
        missing = [i for i in ids if i not in self.records]
        deleted = [i for i in ids if i not in active and i not in missing]
        for dispatch_id in deleted:
            del self.records[dispatch_id]
        return {"deleted": deleted, "missing": missing, "active": active}

    async def delete_matching(self, search: str, statuses: Sequence[str]) -> dict[str, Any]:
        chosen = [r for r in self.records.values() if search in r["name"]]
        return await self.delete([r["dispatch_id"] for r in chosen if not statuses or r["status"] in statuses])

    async def overview(self) -> dict[str, Any]:
        page = await self.list_dispatches()
        latest = page["items"][-1] if page["items"] else None
        return {"total": page["total"], "counts": page["counts"], "latest": latest, "runtime_s": 0.0, "seq": self.seq}

    async def cached_results(self, search: str = "", offset: int = 0, count: int = 50) -> dict[str, Any]:
        self._check()
        return {"items": [], "total": 0}

    async def purge_cached_results(self, keys: Sequence[str] | None, unused_s: float | None) -> dict[str, Any]:
        self._check()
        return {"purged": 0}

    async def executors(self) -> dict[str, Any]:
        self._check()
        return {"items": [_EXECUTOR]}

    async def executor_health(self, name: str) -> dict[str, Any]:
        self._check()
        facts, links = [{"name": "Python", "value": "3.11"}], [{"name": "Dashboard", "url": "http://x"}]
        return {"name": name, "is_usable": True, "summary": "", "facts": facts, "links": links, "took_s": 0.1}

    async def configure_executor(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        self._check()
        return _EXECUTOR

    async def test_executor(self, name: str, wait_s: float) -> dict[str, Any]:
        self._check()
        times = {"waited_s": 0.1, "ran_s": None}
        place = {"host": "", "python": "", "program": ""}
        return {"name": name, "dispatch_id": None, "status": None, "is_passed": False, "summary": "", **place, **times}

    def subscribe(self, after: int | None = None) -> FakeSubscription:
        self._check()
        self.subscribed_after.append(after)
        hello = {"type": "hello", "seq": self.seq, "version": VERSION}
        self.subscriptions.append(FakeSubscription(hello, asyncio.Queue()))
        return self.subscriptions[-1]

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _record(self, dispatch_id: str) -> dict[str, Any]:
        self._check()
        if dispatch_id not in self.records:
            raise MissingLatticeRecordError(dispatch_id)
        return self.records[dispatch_id]

    def _node_columns(self, dispatch_id: str, node_id: int) -> dict[str, Any]:
        columns: dict[str, Any] = self._record(dispatch_id)["graph"]["nodes"]
        if node_id >= len(columns["name"]):
            raise MissingNodeError(f"Dispatch {dispatch_id} has no node {node_id}.")
        return columns

    def _archive(self, dispatch_id: str, digest: str) -> bytes:
        if digest not in {known for known, _ in self._record(dispatch_id)["payloads"]}:
            raise MissingNodeError(f"Dispatch {dispatch_id} has no payload {digest}.")
        return self.archives[digest]

    def _summary(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "dispatch_id": record["dispatch_id"],
            "root_dispatch_id": record["root_dispatch_id"],
            "name": record["name"],
            "status": record["status"],
            "total": sum(kind != "parameter" for kind in record["graph"]["nodes"]["kind"]),
            "completed": 0,
            "failed": 0,
            "cancelled": 0,
            "created_at": 1.0,
            "started_at": None,
            "ended_at": None,
            "error": None,
        }

    def _preview(self, digest: str | None) -> dict[str, Any] | None:
        if digest is None:
            return None
        archive = self.archives[digest]
        kind = worker.read_header(archive)["type"]
        return {"digest": digest, "size": len(archive), "type": kind, "text": worker.read_text(archive), "rich": []}
