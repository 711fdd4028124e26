"""One task as a batch job: its files, and how its end becomes an outcome. Decides nothing about other jobs."""

import asyncio
import contextlib
import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from covalent_lab.executor.base import ExecutorHost, JobSpec, JobStatus, Outcome, PayloadSource, TaskFailure
from covalent_lab.ids import AttemptId
from covalent_lab_executors.local_messages import FunctionShelf, Placement, decode_answer, encode_job, explain_death
from covalent_lab_executors.outcomes import failed, lost
from covalent_lab_executors.queues.script import file_name
from covalent_lab_executors.queues.shell import Shell
from covalent_lab_executors.queues.system import JobState, QueueSystem, Seen

__all__ = ["Batch", "QueueJob", "payload_path"]

_FRAME = struct.Struct(">IQ")
_TAIL = 1 << 20
_OUT_OF_MEMORY = re.compile(r"oom[_-]kill|exceeded .*memory limit", re.IGNORECASE)

_WHY = {
    JobState.CANCELLED: "was cancelled on the cluster, by its owner or an administrator. Ask there, or run it again",
    JobState.TIMEOUT: "ran out of its time limit. Ask for more time in the executor's options",
    JobState.OUT_OF_MEMORY: "ran out of memory. Ask for more memory in the executor's options, or use smaller data",
    JobState.NODE_FAIL: "ended because its node failed. Run it again",
    JobState.PREEMPTED: "was stopped to make room for jobs of higher priority. Run it again",
    JobState.FAILED: "failed before its task returned",
    JobState.COMPLETED: "ended without a result file: its task was killed, or a command around it removed the file",
}


@dataclass(slots=True, kw_only=True, eq=False)
class Batch:
    """Tasks that are submitted together: one, or the elements of an array.

    Attributes:
        stem: Part of the names of its files.
        job_name: What the queue system shows to people.
        options: Option values of the executor.
        folder: Working directory on the cluster; relative ones start at the login folder.
        root: Folder there for what jobs share.
        jobs: The tasks.
        job_id: What the queue system calls it; empty before the submission.
    """

    stem: str
    job_name: str
    options: Mapping[str, Any]
    folder: str
    root: str
    jobs: "list[QueueJob]" = field(default_factory=list)
    job_id: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class QueueJob:
    """One task of a batch.

    Attributes:
        attempt_id: Which.
        batch: Where it belongs to.
        index: Its number in an array; None if the batch has one task only.
        spec: What to run; None if an earlier dispatcher submitted it.
        streams: Paths of standard output and error.
        is_cancelled: Whether somebody asked to stop it.
        is_stopped: Whether the queue system was told.
        started_at: When it began, in POSIX seconds.
        is_told: Whether that has been reported.
        missed: How many answers in a row did not name it, or came before its result was to be seen.
    """

    attempt_id: AttemptId
    batch: Batch
    index: int | None = None
    spec: JobSpec | None = None
    streams: tuple[str, str] = ("", "")
    is_cancelled: bool = False
    is_stopped: bool = False
    started_at: float | None = None
    is_told: bool = False
    missed: int = 0

    def path(self, kind: str, end: str = ".pkl") -> str:
        """One of its files."""
        return f"{self.batch.folder}/{file_name(kind, self.batch.stem, self.index, end)}"

    def read_start(self, text: str | bytes) -> None:
        """Take the time at which it began from what its `begun` file says, if it says anything."""
        with contextlib.suppress(ValueError):
            self.started_at = float(text)

    async def bring(self, shell: Shell, host: ExecutorHost) -> None:
        """Write its function file; the payloads that it refers to are there.

        Raises:
            BackendError: It cannot be written.
        """
        assert self.spec is not None
        payloads = f"{self.batch.root}/payloads"

        def there(source: PayloadSource) -> PayloadSource:
            return (
                source if source.data is not None else replace(source, path=payload_path(payloads, source.ref.digest))
            )

        spec = self.spec
        there_spec = replace(
            spec,
            function=there(spec.function),
            args=[there(source) for source in spec.args],
            kwargs={name: there(source) for name, source in spec.kwargs.items()},
            client={},
        )
        placement = Placement(
            workdir=self.batch.folder,
            inline_limit=host.inline_limit,
            payload_dir=payloads,
            part=self.path("output", ".part"),
            stop="",
            cache_dir=f"{self.batch.root}/modules",
        )
        step, body = encode_job(there_spec, placement, FunctionShelf())
        text = json.dumps({"step": step}).encode()
        await shell.write(self.path("func"), b"".join((_FRAME.pack(len(text), sum(map(len, body))), text, *body)))

    async def end(self, shell: Shell, host: ExecutorHost, seen: Seen | None, system: QueueSystem) -> Outcome | None:
        """How it ended; None if its result may still be on its way through the cluster's file system.

        Args:
            shell: The login node.
            host: Gets its output.
            seen: What the queue system says; None if it does not know the job any more.
            system: Its language.

        Raises:
            BackendError: The files cannot be read.
        """
        out, err = [(await shell.read(path, _TAIL) or b"").decode("utf-8", "replace") for path in self.streams]
        if self.started_at is None:
            self.read_start(await shell.read(self.path("begun", ".txt")) or b"")
        ended = Outcome(status=JobStatus.CANCELLED, stdout=out, stderr=err, started_at=self.started_at)
        if self.is_cancelled:
            return ended
        result = None
        if seen is None or seen.state in (JobState.COMPLETED, JobState.FAILED):
            result = await shell.read(self.path("result"))
        if result is not None:
            return replace(await self._told(result, shell, host), stdout=out, stderr=err)
        if seen is None or seen.state is JobState.COMPLETED:
            self.missed += 1
            if self.missed < system.patience:
                return None
        title = system.title
        where = f"{title} job {self.batch.job_id}{'' if self.index is None else f' (element {self.index})'}"
        if seen is None:
            return replace(
                lost(f"{where} is not known to {title} any more, and left no result. Run it again."), stdout=out
            )
        said = f" ({seen.reason})" if seen.reason else ""
        lines = " / ".join([line.strip() for line in err.splitlines() if line.strip()][-3:])
        state = JobState.OUT_OF_MEMORY if _OUT_OF_MEMORY.search(lines) else seen.state
        failure = TaskFailure(
            message=f"{where} {_WHY[state]}{said}" + (f". It said: {lines}" if lines else ""),
            is_user_error=False,
            is_transient=state in (JobState.NODE_FAIL, JobState.PREEMPTED),
        )
        return replace(ended, status=JobStatus.FAILED, failure=failure)

    async def _told(self, result: bytes, shell: Shell, host: ExecutorHost) -> Outcome:
        try:
            middle = _FRAME.size + _FRAME.unpack_from(result)[0]
            answer = json.loads(result[_FRAME.size : middle])
            if "died" in answer:
                return replace(failed(explain_death(int(answer["died"]))), started_at=self.started_at)
            outcome = decode_answer(answer, result[middle:])
        except (struct.error, KeyError, TypeError, ValueError) as error:
            return failed(f"The result of {self.attempt_id} cannot be read: {error}. Run it again.")
        if outcome.output is not None and outcome.output.data is None:
            await self._fetch(outcome.output.ref.digest, shell, host)
        return outcome

    async def _fetch(self, digest: str, shell: Shell, host: ExecutorHost) -> None:
        path = Path(host.payload_path(digest))
        if not await asyncio.to_thread(path.exists):
            part = Path(host.work_dir, f"{digest}-{id(self)}.part")
            try:
                await shell.get(payload_path(f"{self.batch.root}/payloads", digest), str(part))
                await asyncio.to_thread(_place, part, path)
            finally:
                await asyncio.to_thread(part.unlink, missing_ok=True)

    def files(self) -> Sequence[str]:
        """All files of its own; those of the batch are not among them."""
        own = [self.path("func"), self.path("result"), self.path("begun", ".txt"), self.path("output", ".part")]
        return [*own, *(path for path in self.streams if path.startswith(f"{self.batch.folder}/std"))]


def payload_path(payloads: str, digest: str) -> str:
    """Where a payload is on the cluster."""
    return f"{payloads}/{digest[:2]}/{digest}"


def _place(part: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
