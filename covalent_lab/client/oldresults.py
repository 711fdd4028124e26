"""Takes pickled results of Covalent into the records. The pickle is read by `oldpickle`, in another process."""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from covalent_lab.dispatcher.bundle import BundleReader
from covalent_lab.dispatcher.intake import read_dispatch
from covalent_lab.dispatcher.ownership import new_owner
from covalent_lab.errors import UsageError
from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.settings import Settings
from covalent_lab.store.base import Batch, DispatchUpdate, NewDispatch, NodeUpdate
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore
from covalent_lab.transitions import FeedRecord

__all__ = ["import_result"]

_TIME_LIMIT_S = 600.0
_PIECE = 1 << 20


def import_result(path: Path) -> str:
    """Take a pickled result into the records; returns the id of its dispatch.

    Args:
        path: File with a pickled `Result`. Reading it runs what is written in it.

    Raises:
        UsageError: It is no such file, or its dispatch is among the records already.
        StoreError: The records cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="covalent-lab-") as folder:
        command = [sys.executable, "-P", "-m", "covalent_lab.client.oldpickle", str(path), folder]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIME_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{path} could not be read within {_TIME_LIMIT_S:g} s.") from error
        if done.returncode:
            reason = done.stderr.strip().splitlines()
            raise UsageError(f"{path} cannot be read: {reason[-1] if reason else 'its reader was killed'}")
        outcome = json.loads(Path(folder, "outcome.json").read_text(encoding="utf-8"))
        return asyncio.run(_record(Settings.load(), Path(folder, "bundle"), outcome))


async def _record(settings: Settings, bundle: Path, outcome: dict[str, Any]) -> str:
    blobs = BlobDir(settings.data_dir / "payloads")
    new = await asyncio.to_thread(_read, settings, blobs, bundle, outcome)
    store = SqlStore(settings.database, blobs, settings.durability)
    try:
        await store.open()
        if not await store.create(new):
            raise UsageError(f"Dispatch {new.dispatch_id} is among the records already.")
        await store.record(_batch(new, outcome))
    finally:
        await store.close()
    return new.dispatch_id


def _read(settings: Settings, blobs: BlobDir, bundle: Path, outcome: dict[str, Any]) -> NewDispatch:
    reader = BundleReader(blobs, settings.inline_limit)
    with open(bundle, "rb") as file:
        while piece := file.read(_PIECE):
            reader.feed(piece)
    began = outcome["started_at"] or outcome["ended_at"] or bundle.stat().st_mtime
    new, _ = read_dispatch(
        reader.finish(),
        reader.payloads,
        autostart=False,  # nobody may begin what is over, not even between the two writes
        owner=new_owner(),
        lease_s=settings.lease_s,
        clock=lambda: began,
    )
    return new


def _batch(new: NewDispatch, outcome: dict[str, Any]) -> Batch:
    """Everything at once: how the nodes ended, then how the dispatch did."""
    over_at = outcome["ended_at"] or new.created_at
    nodes = [
        NodeUpdate(
            dispatch_id=new.dispatch_id,
            node_id=NodeId(node["node_id"]),
            state=node["state"],
            attempt=1,
            started_at=node["started_at"],
            ended_at=node["ended_at"] or over_at,
            error=node["error"],
            output=_ref(node["output"]),
            stdout=node["stdout"],
            stderr=node["stderr"],
        )
        for node in outcome["nodes"]
    ]
    counts = {state: sum(node.state == state for node in nodes) for state in ("COMPLETED", "FAILED", "CANCELLED")}
    dispatch = DispatchUpdate(
        dispatch_id=new.dispatch_id,
        state=outcome["state"],
        started_at=outcome["started_at"],
        ended_at=over_at,
        error=outcome["error"],
        completed=counts["COMPLETED"],
        failed=counts["FAILED"],
        cancelled=counts["CANCELLED"],
        result=_ref(outcome["result"]),
    )
    transitions = [_moved(new.dispatch_id, n.node_id, n.state, n.ended_at or over_at, n.error, 1) for n in nodes]
    transitions.append(_moved(new.dispatch_id, None, dispatch.state, over_at, dispatch.error, 0))
    return Batch(transitions=transitions, nodes=nodes, dispatches=[dispatch])


def _moved(
    dispatch_id: DispatchId, node_id: NodeId | None, status: str, at: float, error: str, attempt: int
) -> FeedRecord:
    return FeedRecord(dispatch_id=dispatch_id, node_id=node_id, status=status, at=at, attempt=attempt, error=error)


def _ref(form: list[Any] | None) -> PayloadRef | None:
    return None if form is None else PayloadRef(*form)
