"""One process that runs tasks for the kernel executor: its connection, and the jobs it was given.

Decides when a job is sent, and what becomes of jobs when the connection breaks: they are sent again once the process
is back, and have failed when it does not come back. The counterpart is `covalent_lab/kernel/station.py`.
"""

import asyncio
import os
import platform
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from covalent_lab.executor.base import JobSpec, JobStatus, Line, Outcome, TaskFailure
from covalent_lab.ids import AttemptId, NodeId
from covalent_lab.kernel.messages import pack
from covalent_lab_executors.dask_messages import has_paths, inlined
from covalent_lab_executors.local_messages import FunctionShelf, Placement, encode_job

__all__ = ["CANCELLED", "LOST", "Job", "KernelProcess", "Who", "failed"]

_LOOK_S = 0.25
_NO_NODE = NodeId(-1)

CANCELLED = Outcome(status=JobStatus.CANCELLED)
LOST = Outcome(
    status=JobStatus.LOST,
    failure=TaskFailure(
        message="The kernel of this task is gone, and nobody can tell how the task ended. Run it again.",
        is_user_error=False,
        is_transient=True,
    ),
)


def failed(message: str) -> Outcome:
    """How a job ends that its process could not run."""
    failure = TaskFailure(message=message, is_user_error=False, is_transient=True)
    return Outcome(status=JobStatus.FAILED, failure=failure)


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A job in a process.

    Attributes:
        attempt_id: Which.
        spec: What to run; None if an earlier dispatcher sent it.
        placement: Where large outputs go, if the process sees the dispatcher's files.
        streams: Files that it prints to as well, if the process sees the dispatcher's files.
        thread: `main` or anything else.
        is_sent: Whether the process was told of it.
        is_cancelled: Whether it was asked to stop.
        has_begun: Whether its start was reported.
    """

    attempt_id: AttemptId
    spec: JobSpec | None = None
    placement: Placement | None = None
    streams: Sequence[str] = ()
    thread: str = ""
    is_sent: bool = False
    is_cancelled: bool = False
    has_begun: bool = False

    @property
    def is_main(self) -> bool:
        """Whether it runs in the main thread."""
        return self.thread == "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """What a process says of itself; see `covalent_lab.kernel.identity`."""

    process: str
    kernel: str = ""
    notebook: str = ""
    name: str = ""
    pid: int = 0
    hostname: str = ""

    @classmethod
    def of(cls, hello: Mapping[str, Any]) -> "Who":
        """Read the first message of a process.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        texts = {name: str(hello[name]) for name in ("process", "kernel", "notebook", "name", "hostname")}
        return cls(pid=int(hello["pid"]), **texts)

    def answers_to(self, target: str) -> bool:
        """Whether users may mean this process by a name: its own, its id, its kernel's id, or its notebook's path."""
        own = (self.name, self.process, self.kernel, self.notebook)
        return target in own or self.notebook.endswith(f"/{target.lstrip('/')}")

    def __str__(self) -> str:
        words = [self.name, self.notebook, f"kernel {self.kernel}" if self.kernel else ""]
        return ", ".join(filter(None, words)) or f"process {self.pid} on {self.hostname} ({self.process})"


def _is_gone(who: Who) -> bool:
    """Whether a process of this machine has ended for certain."""
    try:
        os.kill(who.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@dataclass(slots=True, kw_only=True, eq=False)
class KernelProcess:
    """A process, connected or not.

    Attributes:
        who: What it said of itself.
        threads: Most jobs at a time, those of the main thread not counted.
        on_gone: Called when it does not come back, or has ended.
        on_end: Called with a job that ended otherwise than by an answer of the process, and how.
        has_files: Whether it sees the dispatcher's files.
        jobs: All of its jobs that have not ended.
        known: The jobs that it knew when it connected, but for those it has answered since.
    """

    who: Who
    threads: int
    on_gone: "Callable[[KernelProcess], None]"
    on_end: "Callable[[KernelProcess, Job, Outcome], None]"
    has_files: bool = False
    jobs: dict[AttemptId, Job] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    _line: Line | None = None
    _waiting: deque[Job] = field(default_factory=deque)
    _owed: list[bytes] = field(default_factory=list)
    _back: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def is_connected(self) -> bool:
        """Whether messages reach it."""
        return self._line is not None

    def connect(self, line: Line, known: "set[str]") -> None:
        """It is there, or there again, and knows these jobs."""
        self.known = known
        if self._line is not None and self._line is not line:
            self._line(None)
        self._line = line
        self._back.set()
        self.tell({"do": "known"})
        for message in self._owed:
            line(message)
        self._owed.clear()
        for job in list(self.jobs.values()):
            if job.is_sent and job.attempt_id in known:
                if job.is_cancelled:
                    self.stop(job, 0.0)
            elif job.is_cancelled:
                self.on_end(self, job, CANCELLED)
            elif job.is_sent and job.spec is None:
                self.on_end(self, job, LOST)
            elif job.is_sent:
                self._send(job)
        self.send_waiting()

    def disconnect(self, line: Line, wait_s: float) -> None:
        """A connection broke; the process has `wait_s` seconds to come back."""
        if self._line is line:
            self._line = None
            self.expect(wait_s)

    def expect(self, wait_s: float) -> None:
        """Wait for it to connect, in the background."""
        self._back.clear()
        self._spawn(self._wait(wait_s))

    def add(self, job: Job) -> None:
        """Give it a job, now or when it has time."""
        self.jobs[job.attempt_id] = job
        self._waiting.append(job)
        self.send_waiting()

    def watch(self, job: Job) -> None:
        """Wait for a job that an earlier dispatcher sent; it is LOST if the process, once there, does not know it."""
        self.jobs[job.attempt_id] = job
        if self.is_connected and job.attempt_id not in self.known:
            self.on_end(self, job, LOST)

    def remove(self, job: Job) -> None:
        """A job has ended."""
        if self.jobs.pop(job.attempt_id, None) is not None and not job.is_sent:
            self._waiting.remove(job)
        self.send_waiting()

    def stop(self, job: Job, grace_s: float) -> None:
        """Ask it to end a job, at once if it was not sent; a process that is not there is asked when it is back."""
        job.is_cancelled = True
        if not job.is_sent:
            self.on_end(self, job, CANCELLED)
        else:
            self.tell({"do": "stop", "job": job.attempt_id, "grace_s": grace_s})

    def tell(self, control: Mapping[str, Any], *, is_owed: bool = False) -> None:
        """Send something; if it is not there, later or (unless that is owed to it) never."""
        if self._line is not None:
            self._line(pack(control))
        elif is_owed:
            self._owed.append(pack(control))

    def close(self) -> None:
        """Let it go."""
        if self._line is not None:
            self._line(None)
            self._line = None
        for task in self._tasks:
            task.cancel()

    def send_waiting(self) -> None:
        """Send jobs while it has time for them."""
        if self._line is None:
            return
        sent = [job for job in self.jobs.values() if job.is_sent]
        free = {True: 1 - sum(job.is_main for job in sent), False: self.threads - sum(not job.is_main for job in sent)}
        for job in list(self._waiting):
            if free[job.is_main] > 0:
                free[job.is_main] -= 1
                self._waiting.remove(job)
                self._send(job)

    def _send(self, job: Job) -> None:
        job.is_sent = True
        assert job.spec is not None
        if has_paths(job.spec) and not self.has_files:
            self._spawn(self._send_inlined(job, job.spec))
        else:
            self._post(job, job.spec)

    async def _send_inlined(self, job: Job, spec: JobSpec) -> None:
        try:
            spec = await asyncio.to_thread(inlined, spec)
        except OSError as error:
            self.on_end(self, job, failed(f"The inputs of this task cannot be read: {error}. Run it again."))
            return
        self._post(job, spec)

    def _post(self, job: Job, spec: JobSpec) -> None:
        if self._line is None or job.attempt_id not in self.jobs:
            return  # it is sent once the process is back
        if job.is_cancelled:
            self.on_end(self, job, CANCELLED)
            return
        assert job.placement is not None
        try:
            control, body = encode_job(spec, job.placement, FunctionShelf())
        except ValueError as error:
            self.on_end(self, job, failed(f"This task cannot be sent: {error}."))
            return
        from_nodes = spec.arg_nodes or [_NO_NODE] * len(spec.args)
        nodes = {
            "node": [spec.dispatch_id, spec.node_id],
            "arg_nodes": [[node, arg.ref.digest] for node, arg in zip(from_nodes, spec.args, strict=True)],
            "kwarg_nodes": {n: [spec.kwarg_nodes.get(n, _NO_NODE), a.ref.digest] for n, a in spec.kwargs.items()},
        }
        place = {"streams": job.streams} if self.has_files else {"inline_limit": 1 << 62, "streams": []}
        self._line(pack({"do": "run", **control, **nodes, **place, "thread": job.thread}, *body))

    async def _wait(self, wait_s: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        is_here = self.has_files and self.who.hostname == platform.node()  # of others nobody can say
        while not (is_here and _is_gone(self.who)) and (left := until - loop.time()) > 0:
            try:
                await asyncio.wait_for(self._back.wait(), min(left, _LOOK_S))
            except TimeoutError:
                continue
            return
        self.on_gone(self)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
