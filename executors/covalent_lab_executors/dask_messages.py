"""Job → what a Dask worker is told, and its answer → outcome.

The counterpart is `dask_worker.py`. Both directions are bytes whose control part is JSON: what a task made is never
unpickled here.
"""

import json
import os
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from covalent_lab.executor.base import JobSpec, JobStatus, Outcome, PayloadSource, TaskFailure
from covalent_lab_executors.local_messages import FunctionShelf, Placement, decode_answer, encode_job, explain_death

__all__ = [
    "Place",
    "decode_reply",
    "encode_order",
    "encode_question",
    "encode_stop",
    "has_paths",
    "inlined",
    "programs",
    "shipped",
]

_FRAME = struct.Struct(">IQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job runs and where it leaves what it makes, as far as that is known before a worker has it.

    Attributes:
        key: Its Dask key.
        workdir: As users write it; empty for the worker's own.
        subfolder: Below it; empty for none.
        cache_dir: As users write it; empty for the worker's own.
        share: A file by which a worker knows that it sees the server's files.
        payload_dir: Where it then leaves large outputs.
        inline_limit: What is larger than this many bytes is large.
        topic: Of the event by which it tells that the job began.
    """

    key: str
    workdir: str
    subfolder: str
    cache_dir: str
    share: str
    payload_dir: str
    inline_limit: int
    topic: str


def encode_order(spec: JobSpec, place: Place) -> bytes:
    """The message that starts a job.

    Raises:
        ValueError: A payload has neither bytes nor a path.
    """
    placement = Placement(
        workdir=place.workdir,
        inline_limit=place.inline_limit,
        payload_dir=place.payload_dir,
        part=os.path.join(place.payload_dir, f"dask-{spec.attempt_id}.part"),
        stop="",
        cache_dir=place.cache_dir,
    )
    control, body = encode_job(spec, placement, FunctionShelf())
    told = {
        "key": place.key,
        "subfolder": place.subfolder,
        "share": place.share,
        "topic": place.topic,
        "has_paths": has_paths(spec),
        "python": spec.client.get("python_version", ""),
    }
    return _message({**control, "place": told}, body)


def encode_stop(keys: Sequence[str], grace_s: float) -> bytes:
    """The message that stops the jobs of some keys."""
    return _message({"keys": list(keys), "grace_s": grace_s}, ())


def encode_question(key: str, stream: str, offset: int, limit: int) -> bytes:
    """The message that asks what a job has printed."""
    return _message({"key": key, "stream": stream, "offset": offset, "limit": limit}, ())


def _message(control: Mapping[str, Any], body: Sequence[bytes]) -> bytes:
    text = json.dumps(control).encode()
    return b"".join((_FRAME.pack(len(text), sum(map(len, body))), text, *body))


def has_paths(spec: JobSpec) -> bool:
    """Whether a payload of the job is a file."""
    return any(source.path is not None for source in (spec.function, *spec.args, *spec.kwargs.values()))


def inlined(spec: JobSpec) -> JobSpec:
    """The job with the bytes of its files in place of their paths; blocks.

    Raises:
        OSError: A file cannot be read.
    """

    def read(source: PayloadSource) -> PayloadSource:
        return source if source.path is None else PayloadSource(ref=source.ref, data=Path(source.path).read_bytes())

    return replace(
        spec,
        function=read(spec.function),
        args=tuple(map(read, spec.args)),
        kwargs={name: read(source) for name, source in spec.kwargs.items()},
    )


def decode_reply(reply: bytes) -> Outcome | None:
    """The outcome that a worker reports; None if it wants the bytes of the job's files.

    Raises:
        KeyError, TypeError, ValueError, struct.error: It is no answer of `dask_worker.py`.
    """
    middle = _FRAME.size + _FRAME.unpack_from(reply)[0]
    control, body = json.loads(reply[_FRAME.size : middle]), reply[middle:]
    if control.get("wants_bytes"):
        return None
    if control.get("is_stopped"):
        return Outcome(status=JobStatus.CANCELLED)
    if "trouble" in control:
        message = f"The Dask worker cannot start a process for the task: {control['trouble']}. Free its disk or memory."
        failure = TaskFailure(message=message, is_user_error=False, is_transient=True)
        return Outcome(status=JobStatus.FAILED, failure=failure)
    if "python" in control:
        theirs, ours = control["python"], control["wanted"]
        message = (
            f"The Dask worker has Python {theirs} ({control['program']}), but the workflow was written with {ours}. "
            f"Start its workers with Python {'.'.join(ours.split('.')[:2])}, or use another cluster."
        )
        return Outcome(status=JobStatus.FAILED, failure=TaskFailure(message=message, is_user_error=False))
    if "death" in control:
        _, out, _ = control["body"]
        return Outcome(
            status=JobStatus.FAILED,
            failure=TaskFailure(message=explain_death(int(control["death"])), is_user_error=False),
            stdout=body[:out].decode("utf-8", "replace"),
            stderr=body[out:].decode("utf-8", "replace"),
            started_at=float(control["started"]),
            ended_at=float(control["ended"]),
        )
    return decode_answer(control, body)


@cache
def programs() -> Mapping[str, bytes]:
    """The programs that travel to workers: compressed text by file name."""
    here, there = files("covalent_lab_executors"), files("covalent_lab")
    homes = {"dask_worker.py": here, "worker.py": there, "worker_surroundings.py": there}
    return {name: zlib.compress((home / name).read_bytes()) for name, home in homes.items()}


def shipped() -> Callable[[str, Mapping[str, bytes], str, bytes], Any]:
    """The function that Dask workers call; it is pickled by value, because nobody can import it."""

    def covalent_task(module_name: str, programs: Mapping[str, bytes], verb: str, order: bytes) -> Any:
        import sys
        import types
        import zlib

        module = sys.modules.get(module_name)
        if module is None:
            made = types.ModuleType(module_name)
            exec(zlib.decompress(programs["dask_worker.py"]), made.__dict__)
            module = sys.modules.setdefault(module_name, made)
        return getattr(module, verb)(programs, order)

    return covalent_task
