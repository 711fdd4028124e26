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
from covalent_lab.ids import AttemptId
from covalent_lab_executors.local_messages import (
    FunctionShelf,
    Placement,
    decode_answer,
    encode_job,
    encode_message,
    explain_death,
)

__all__ = [
    "Place",
    "Reply",
    "decode_reply",
    "encode_collect",
    "encode_order",
    "encode_question",
    "encode_stop",
    "has_paths",
    "inlined",
    "paths_of",
    "programs",
    "shipped",
]

_FRAME = struct.Struct(">IQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where jobs run and where they leave what they make, as far as that is known before a worker has them.

    Attributes:
        key: Their Dask key.
        workdir: As users write it; empty for the worker's own.
        is_unique: Whether each task has a folder of its own there.
        cache_dir: As users write it; empty for the worker's own.
        share: A file by which a worker knows that it sees the server's files.
        payload_dir: Where it then leaves large outputs.
        inline_limit: What is larger than this many bytes is large.
        topic: Of the events by which it tells that jobs began.
    """

    key: str
    workdir: str
    is_unique: bool
    cache_dir: str
    share: str
    payload_dir: str
    inline_limit: int
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a worker says of an order.

    Attributes:
        answers: Steps that ended, in order, and how.
        returned: Jobs that did not begin, and will not.
        kept: Digests of outputs that have stayed on the worker.
        wants_bytes: Whether none did because it needs the bytes of their files.
    """

    answers: Sequence[tuple[AttemptId, Outcome]] = ()
    returned: Sequence[AttemptId] = ()
    kept: Sequence[str] = ()
    wants_bytes: bool = False


def encode_order(specs: Sequence[JobSpec], place: Place, values: Sequence[str] = ()) -> bytes:
    """The message that starts jobs, one after the other.

    Args:
        specs: The jobs.
        place: Where they run.
        values: Digests of payloads that come beside it.

    Raises:
        ValueError: A payload has neither bytes nor a path.
    """
    shelf, jobs, body, end = FunctionShelf(max_count=1 << 30, max_size=1 << 62), [], list[bytes](), 0
    for spec in specs:
        later = [(step, _placement(step, place)) for step in spec.then]
        job, own = encode_job(spec, _placement(spec, place), shelf, later, end)
        begin, end = end, end + sum(map(len, own))
        for step, told in zip((spec, *spec.then), (job, *job["then"]), strict=True):
            told["subfolder"] = f"{step.dispatch_id}/node_{step.node_id}" if place.is_unique else ""
            told["wanted_python"] = step.client.get("python_version", "")
        jobs.append({**job, "span": [begin, end]})
        body += own
    told = {
        "key": place.key,
        "share": place.share,
        "payload_dir": place.payload_dir,
        "topic": place.topic,
        "inline_limit": place.inline_limit,
        "has_paths": any(map(has_paths, specs)),
        "values": list(values),
    }
    return _message({**encode_message(jobs), "place": told}, body)


def _placement(spec: JobSpec, place: Place) -> Placement:
    return Placement(
        workdir=place.workdir,
        inline_limit=place.inline_limit,
        payload_dir=place.payload_dir,
        part=os.path.join(place.payload_dir, f"dask-{spec.attempt_id}.part"),
        stop="",
        cache_dir=place.cache_dir,
    )


def encode_stop(key: str, steps: Sequence[str], grace_s: float) -> bytes:
    """The message that stops steps of an order."""
    return _message({"steps": [f"{key} {step}" for step in steps], "grace_s": grace_s}, ())


def encode_collect(key: str) -> bytes:
    """The message that takes back what has not begun of an order."""
    return _message({"key": key}, ())


def encode_question(key: str, step: str, stream: str, offset: int, limit: int) -> bytes:
    """The message that asks what a step of an order has printed."""
    return _message({"step": f"{key} {step}", "stream": stream, "offset": offset, "limit": limit}, ())


def _message(control: Mapping[str, Any], body: Sequence[bytes]) -> bytes:
    text = json.dumps(control).encode()
    return b"".join((_FRAME.pack(len(text), sum(map(len, body))), text, *body))


def paths_of(spec: JobSpec) -> Mapping[str, str]:
    """The files among the payloads of a job, by digest."""
    sources = (source for step in (spec, *spec.then) for source in (step.function, *step.args, *step.kwargs.values()))
    return {source.ref.digest: source.path for source in sources if source.path is not None}


def has_paths(spec: JobSpec) -> bool:
    """Whether a payload of the job is a file."""
    return bool(paths_of(spec))


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
        then=tuple(map(inlined, spec.then)),
    )


def decode_reply(reply: bytes) -> Reply:
    """What a worker reports of an order.

    Raises:
        KeyError, TypeError, ValueError, struct.error: It is no answer of `dask_worker.py`.
    """
    middle = _FRAME.size + _FRAME.unpack_from(reply)[0]
    control = json.loads(reply[_FRAME.size : middle])
    if control.get("wants_bytes"):
        return Reply(wants_bytes=True)
    answers = []
    for answer in control["answers"]:
        end = middle + sum(answer.get("body", ()))
        answers.append((AttemptId(answer["job"]), _outcome(answer, reply[middle:end])))
        middle = end
    returned, kept = control["returned"], control.get("kept", ())
    return Reply(answers=answers, returned=list(map(AttemptId, returned)), kept=list(map(str, kept)))


def _outcome(control: Mapping[str, Any], body: bytes) -> Outcome:
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

    def covalent_task(module_name: str, programs: Mapping[str, bytes], verb: str, order: bytes, *values: bytes) -> Any:
        import sys
        import types
        import zlib

        module = sys.modules.get(module_name)
        if module is None:
            made = types.ModuleType(module_name)
            exec(zlib.decompress(programs["dask_worker.py"]), made.__dict__)
            module = sys.modules.setdefault(module_name, made)
        return getattr(module, verb)(programs, order, *values)

    return covalent_task
