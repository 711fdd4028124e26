"""Job → what a worker process is told, and its answer → outcome. Pure: no files, processes or clock.

The counterpart is `covalent_lab/worker.py`; control parts are JSON, payloads travel beside them as raw bytes.
"""

import functools
import json
import os
import signal
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from covalent_lab.executor.base import JobSpec, JobStatus, NewPayload, Outcome, PayloadSource, TaskFailure, Usage
from covalent_lab.ids import AttemptId, DispatchId, PayloadRef

__all__ = ["FunctionShelf", "Placement", "decode_answer", "encode_job", "encode_message", "explain_death"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a job runs and where it leaves what it makes.

    Attributes:
        workdir: Working directory of the task; the worker makes it.
        inline_limit: Outputs of at most this many bytes come back in the answer.
        payload_dir: Larger ones become files below it.
        part: Where such a file is written until its digest is known.
        stop: A file that names the later steps of a job that are not to be run, a line each, while there are any.
        cache_dir: Where packages and modules that tasks bring along are kept.
        note: A warning for the task's standard error, or empty.
    """

    workdir: str
    inline_limit: int
    payload_dir: str
    part: str
    stop: str
    cache_dir: str
    note: str = ""


class FunctionShelf:
    """Which functions one worker holds: least recently used ones are given up beyond a count and a size."""

    def __init__(self, max_count: int = 128, max_size: int = 256 << 20) -> None:
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._total = 0
        self._max_count = max_count
        self._max_size = max_size

    def use(self, ref: PayloadRef) -> tuple[bool, Sequence[str]]:
        """Note a use; returns whether the worker holds the function already, and which ones it must forget."""
        if ref.digest in self._sizes:
            self._sizes.move_to_end(ref.digest)
            return True, ()
        self._sizes[ref.digest] = ref.size
        self._total += ref.size
        forgotten = []
        while len(self._sizes) > 1 and (len(self._sizes) > self._max_count or self._total > self._max_size):
            digest, size = self._sizes.popitem(last=False)
            self._total -= size
            forgotten.append(digest)
        return False, forgotten


def encode_job(
    spec: JobSpec,
    placement: Placement,
    shelf: FunctionShelf,
    then: Sequence[tuple[JobSpec, Placement]] = (),
    at: int = 0,
) -> tuple[dict[str, Any], list[bytes]]:
    """What the message that starts a job says of it, and its part of that message's body.

    Args:
        spec: Its first step.
        placement: Where that runs.
        shelf: Functions the worker holds.
        then: Its later steps.
        at: Where in the body its part begins.

    Raises:
        ValueError: A payload has neither bytes nor a path, nor is it the output of an earlier step.
    """
    _check_sources([spec, *(step for step, _ in then)])
    body: list[bytes] = []
    steps: list[dict[str, Any]] = []
    for step, place in ((spec, placement), *then):
        own: list[bytes] = []
        steps.append({**_encode_step(step, place, shelf, own), "at": at})
        at += sum(map(len, own))
        body += own
    return {**steps[0], "then": steps[1:]}, body


def encode_message(jobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The control part of a message with these jobs; what all of them say alike is in it once."""
    first, *others = jobs
    shared = {key: value for key, value in first.items() if others and all(job[key] == value for job in others)}
    own = [{key: value for key, value in job.items() if key not in shared} for job in jobs] if shared else jobs
    return {"shared": shared, "jobs": own}


def _check_sources(steps: Sequence[JobSpec]) -> None:
    before: set[AttemptId] = set()
    for spec in steps:
        for source in (spec.function, *spec.args, *spec.kwargs.values()):
            if source.step is not None and source.step not in before:
                raise ValueError(f"{source.step} is not an earlier step of its job")
            if source.data is None and source.path is None and source.step is None:
                raise ValueError(f"payload {source.ref.digest} has neither bytes nor a path")
        before.add(spec.attempt_id)


def _encode_step(spec: JobSpec, placement: Placement, shelf: FunctionShelf, body: list[bytes]) -> dict[str, Any]:
    def where(source: PayloadSource) -> int | str | dict[str, str]:
        if source.step is not None:
            return {"step": source.step}
        if source.data is not None:
            body.append(source.data)
            return len(source.data)
        return source.path or ""

    is_known, forgotten = shelf.use(spec.function.ref)
    task = {"electron_id": spec.node_id, "name": spec.name, "attempt": spec.attempt}
    return {
        "job": spec.attempt_id,
        "name": spec.name,
        "function": [spec.function.ref.digest, None if is_known else where(spec.function)],
        "forget": list(forgotten),
        "args": [where(source) for source in spec.args],
        "kwargs": {name: where(source) for name, source in spec.kwargs.items()},
        "hooks": dict(spec.hooks),
        "env": {
            "COVALENT_DISPATCH_ID": spec.dispatch_id,
            "COVALENT_TASK_ID": str(spec.node_id),
            "COVALENT_TASKS": json.dumps([task]),
            "COVALENT_CACHE_DIR": placement.cache_dir,
            **spec.env,
        },
        "folder": _folder(spec.dispatch_id, spec.client.get("cwd", "")),
        "workdir": placement.workdir,
        "inline_limit": placement.inline_limit,
        "payload_dir": placement.payload_dir,
        "part": placement.part,
        "stop": placement.stop,
        "note": placement.note,
    }


@functools.lru_cache(256)
def _folder(dispatch_id: DispatchId, folder: str) -> str:
    """The folder of the notebook, if it is on this machine; looked for once for each dispatch."""
    return folder if os.path.isabs(folder) and os.path.isdir(folder) else ""


def decode_answer(control: Mapping[str, Any], body: bytes) -> Outcome:
    """The outcome a worker reports.

    Raises:
        KeyError, TypeError, ValueError: The answer is not one that `worker.py` sends.
    """
    lengths = [int(length) for length in control["body"]]
    if len(lengths) != 3 or min(lengths) < 0 or sum(lengths) != len(body):
        raise ValueError("the lengths do not add up")
    out, err = lengths[0], lengths[0] + lengths[1]
    failure = control.get("failure")
    output = None
    if failure is None:
        digest, size = control["output"]
        output = NewPayload(ref=PayloadRef(str(digest), int(size)), data=body[:out] if out else None)
    return Outcome(
        status=JobStatus.COMPLETED if failure is None else JobStatus.FAILED,
        output=output,
        failure=None
        if failure is None
        else TaskFailure(
            message=str(failure["message"]),
            is_user_error=bool(failure["is_user_error"]),
            traceback=str(failure["traceback"]),
        ),
        stdout=body[out:err].decode("utf-8", "replace"),
        stderr=body[err:].decode("utf-8", "replace"),
        started_at=float(control["started"]),
        ended_at=float(control["ended"]),
        usage=Usage.from_json(control["usage"]) if "usage" in control else None,
    )


def explain_death(exit_code: int) -> str:
    """Say how a worker process ended; negative codes are signals, as in `subprocess`."""
    if exit_code >= 0:
        return (
            f"The task's process ended with exit code {exit_code} before the task returned. "
            "Something called os._exit, or native code gave up; see stderr."
        )
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = "unknown"
    advice = "A crash in native code; see stderr."
    if -exit_code == signal.SIGKILL:
        advice = "The machine may have run out of memory, or somebody killed it; try smaller data or fewer workers."
    elif -exit_code == signal.SIGTERM:
        advice = "Something outside the dispatch asked it to stop."
    return f"The task's process was killed by signal {-exit_code} ({name}). {advice}"
