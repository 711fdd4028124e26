"""Runs tasks in the notebook's own kernel, or in any process that dispatches: values stay there, and are shared.

Decides which process runs a job, and what its news mean; sending is `kernel_process.py`. Processes connect by
themselves, through the dispatcher (`Executor.admit`).
"""

import asyncio
import contextlib
import itertools
import os
import secrets
import struct
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobFinished,
    JobHandle,
    JobSpec,
    JobStarted,
    JobStatus,
    Line,
    NewPayload,
    Option,
    Outcome,
    ShortName,
)
from covalent_lab.executor.completed import completed
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId, DispatchId
from covalent_lab.kernel.messages import pack, unpack
from covalent_lab.worker import store_archive
from covalent_lab_executors.kernel_process import CANCELLED, LOST, Job, KernelProcess, Who, failed
from covalent_lab_executors.local_messages import Placement, decode_answer

__all__ = ["KernelExecutor"]


class KernelExecutor(Executor):
    """Runs tasks in the kernel that dispatched them, or in another one, in threads of it.

    Values pass from task to task of one kernel as they are, so they need not be picklable: open connections, models on
    a GPU, generators, locks. What tasks print is captured. A task shares everything else with the notebook: modules,
    working directory, environment; and it cannot be killed, only asked to stop.

    Example:
        >>> import covalent_lab as ct
        >>> @ct.electron(executor="kernel")
        ... def connect(path):
        ...     import sqlite3
        ...     return sqlite3.connect(path, check_same_thread=False)
        >>> @ct.electron(executor=ct.executor.KernelExecutor(thread="main"))     # doctest: +SKIP
        ... def draw(points): ...
    """

    short_name: ClassVar[ShortName] = ShortName("kernel")
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            name="kernel",
            default="",
            doc="Which kernel: a name given to serve_kernel, a kernel's id or a notebook's path; if "
            "empty, the one that dispatched.",
        ),
        Option(name="thread", default="", doc="'main' for the kernel's main thread; a thread of its own if empty."),
        Option(name="threads", default=8, doc="Most tasks at a time in one kernel, those of its main thread apart."),
        Option(
            name="reconnect_s", default=10.0, doc="How long a kernel is waited for whose connection broke, seconds."
        ),
        Option(name="grace_s", default=1.0, doc="Seconds until a cancelled task that does not end is left to itself."),
        Option(name="time_limit", default=-1, doc="Seconds after which a task is asked to stop; -1 for never."),
        Option(name="retries", default=0, doc="How often a failed task is tried again."),
    )

    def __init__(self, kernel: str = "", thread: str = "", **values: Any) -> None:
        """Hold option values; those not given come from the section `executors.kernel` of the configuration.

        Raises:
            TypeError: An argument is not an option of this executor.
            ValueError: `thread` is neither empty nor "main".
        """
        if thread not in ("", "main"):
            raise ValueError(f"thread must be 'main', or empty for a thread of its own, not {thread!r}.")
        super().__init__(**completed(type(self), {"kernel": kernel, "thread": thread, **values}))
        self._host: ExecutorHost | None = None
        self._share = ""
        self._until = 0.0
        self._processes: dict[str, KernelProcess] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._questions = itertools.count()
        self._asked: dict[int, asyncio.Future[bytes]] = {}

    async def start(self, host: ExecutorHost) -> None:
        """Wait for processes."""
        try:
            self._share = await asyncio.to_thread(_sign, host.work_dir)
        except OSError as error:
            raise BackendError(f"The kernel executor cannot use its folder: {error}. Check its permissions.") from error
        self._host = host
        self._until = asyncio.get_running_loop().time() + self._wait_s

    async def admit(self, line: Line) -> Line:
        """A process connects; it is known once it has said who it is."""
        self._started()
        line(pack({"do": "welcome", "share": self._share}))
        process: KernelProcess | None = None

        def from_process(message: bytes | None) -> None:
            nonlocal process
            if message is None:
                if process is not None:
                    process.disconnect(line, self._wait_s)
                return
            try:
                control, body = unpack(message)
                if control["news"] == "hello":
                    process = self._greet(control, line)
                elif process is not None:
                    self._hear(process, control, body)
            except (KeyError, TypeError, ValueError, struct.error):
                line(None)  # it is none of ours

        return from_process

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Give jobs to their processes; a job whose process is not there fails, with a list of those that are."""
        host = self._started()
        handles: list[JobHandle] = []
        for spec in specs:
            try:
                process = self._process_for(spec)
            except BackendError as error:
                handles.append({})
                host.report(JobFinished(attempt_id=spec.attempt_id, outcome=failed(str(error))))
                continue
            handles.append({"process": process.who.process})
            if spec.attempt_id not in process.jobs:
                place = Placement(
                    workdir="",
                    inline_limit=host.inline_limit,
                    payload_dir=host.payload_dir,
                    part=os.path.join(host.payload_dir, f"kernel-{secrets.token_hex(8)}.part"),
                    stop="",
                    cache_dir="",
                )
                thread = str(self._option(spec, "thread") or "")
                stem = os.path.join(host.work_dir, secrets.token_hex(8))
                streams = [f"{stem}.out", f"{stem}.err"] if process.has_files else []
                process.add(Job(attempt_id=spec.attempt_id, spec=spec, placement=place, streams=streams, thread=thread))
        return handles

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Wait for the processes of earlier jobs; LOST are those whose process does not come, or does not know them."""
        self._started()
        for attempt_id, handle in handles.items():
            process = self._awaited(Who(process=str(handle.get("process", ""))))
            if attempt_id not in process.jobs:
                process.watch(Job(attempt_id=attempt_id, is_sent=True))

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Drop queued jobs; ask running ones to stop, and report them CANCELLED at the latest after `grace_s`."""
        for process in list(self._processes.values()):
            for job in [process.jobs[attempt_id] for attempt_id in handles if attempt_id in process.jobs]:
                if not job.is_cancelled:
                    given = getattr(self, "grace_s", 1.0) if job.spec is None else self._option(job.spec, "grace_s")
                    process.stop(job, _seconds(given))

    async def printed(self, attempt_id: AttemptId, stream: str, offset: int, limit: int) -> bytes:
        """Ask the job's process, if it is connected."""
        process = next((process for process in self._processes.values() if attempt_id in process.jobs), None)
        if process is None or not process.is_connected:
            return b""
        number, answer = next(self._questions), asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        process.tell(
            {"do": "print", "job": attempt_id, "stream": stream, "offset": offset, "limit": limit, "question": number}
        )
        try:
            return bytes(await answer)
        finally:
            del self._asked[number]

    def dispatch_over(self, dispatch_id: DispatchId, *, is_deleted: bool) -> None:
        """Let kernels give up values that nobody needs any more."""
        for process in self._processes.values():
            process.tell({"do": "forget", "dispatch_id": dispatch_id, "is_deleted": is_deleted}, is_owed=True)

    async def check(self) -> Health:
        """Tell which kernels are connected; a test task goes to the first of them, unless one is configured."""
        there = [process for process in self._processes.values() if process.is_connected]
        configured = str(getattr(self, "kernel", "") or "")
        matching = [process for process in there if not configured or process.who.answers_to(configured)]
        if not matching:
            which = f"the configured kernel {configured!r}" if configured else "a kernel"
            return Health(is_usable=False, summary=f"It waits for {which} to connect. {self._listing()}")
        words = {str(process.who): f"{len(process.jobs)} tasks, process {process.who.pid}" for process in there}
        return Health(
            is_usable=True,
            summary=f"Connected kernels: {len(there)}.",
            facts=words,
            trial={} if configured else {"kernel": matching[0].who.process},
        )

    async def close(self) -> None:
        """Let processes go; their tasks run on, and the next dispatcher watches them."""
        for process in self._processes.values():
            process.close()
        self._processes.clear()
        for task in self._tasks:
            task.cancel()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_result(b"")

    # Processes

    def _process_for(self, spec: JobSpec) -> KernelProcess:
        target = str(self._option(spec, "kernel") or "")
        if target:
            found = [process for process in self._processes.values() if process.who.answers_to(target)]
            found = [process for process in found if process.is_connected] or found
            if len(found) == 1:
                return found[0]
            raise BackendError(
                f"No kernel is called {target!r}. {self._listing()}"
                if not found
                else f"Several kernels are called {target!r}: give a kernel's id. {self._listing()}"
            )
        own, kernel = spec.client.get("process", ""), spec.client.get("kernel", "")
        if own in self._processes:
            return self._processes[own]
        for process in self._processes.values():
            if kernel and process.who.kernel == kernel and process.is_connected:
                return process  # the same notebook, after a restart
        if own and asyncio.get_running_loop().time() < self._until:
            return self._awaited(Who(process=own, kernel=kernel))
        raise BackendError(
            "The kernel that dispatched this workflow is not connected: it was restarted, has ended, or was not asked "
            f"to run tasks (covalent_lab.serve_kernel()). {self._listing()}"
        )

    def _listing(self) -> str:
        there = sorted(str(process.who) for process in self._processes.values() if process.is_connected)
        if not there:
            return "No kernel is connected; covalent_lab.serve_kernel() connects the one in which it is called."
        return f"Connected: {'; '.join(there)}."

    def _awaited(self, who: Who) -> KernelProcess:
        process = self._processes.get(who.process)
        if process is None:
            process = self._processes[who.process] = self._new(who)
            process.expect(self._wait_s)
        return process

    def _new(self, who: Who) -> KernelProcess:
        return KernelProcess(
            who=who,
            threads=max(1, int(getattr(self, "threads", 8))),
            on_gone=self._on_gone,
            on_end=self._finish,
        )

    def _greet(self, hello: Mapping[str, Any], line: Line) -> KernelProcess:
        who = Who.of(hello)
        process = self._processes.get(who.process)
        if process is None:
            process = self._processes[who.process] = self._new(who)
        process.who, process.has_files = who, bool(hello["has_files"])
        process.connect(line, set(hello["jobs"]))
        for other in [p for p in self._processes.values() if p is not process and who.kernel]:
            if other.who.kernel == who.kernel:  # the kernel was restarted
                self._on_gone(other)
        return process

    def _on_gone(self, process: KernelProcess) -> None:
        self._processes.pop(process.who.process, None)
        for job in list(process.jobs.values()):
            if job.is_cancelled:
                outcome = CANCELLED
            elif job.spec is None:
                outcome = LOST
            else:
                outcome = failed(
                    f"The kernel of this task ({process.who}) was restarted or ended, or its connection did not come "
                    "back, before the task returned. Run the dispatch again."
                )
            self._finish(process, job, outcome)
        process.close()

    # News

    def _hear(self, process: KernelProcess, control: Mapping[str, Any], body: bytes) -> None:
        name = AttemptId(str(control["job"]))
        job = process.jobs.get(name)
        if control["news"] == "began":
            if job is not None:
                self._tell_start(job, float(control["at"]))
        elif control["news"] == "printed":
            answer = self._asked.get(int(control["question"]))
            if answer is not None and not answer.done():
                answer.set_result(body)
        elif control["news"] == "ended":
            process.known.discard(name)
            if job is None:
                process.tell({"do": "taken", "job": name})
            elif control.get("is_stopped") or job.is_cancelled:
                self._take(process, job, _stopped(control, body))
            else:
                self._take(process, job, decode_answer(control, body))

    def _take(self, process: KernelProcess, job: Job, outcome: Outcome) -> None:
        host, output = self._started(), outcome.output
        if output is None or output.data is None or len(output.data) <= host.inline_limit:
            self._finish(process, job, outcome)
        else:
            self._spawn(self._take_placed(process, job, replace(outcome, output=None), output))

    async def _take_placed(self, process: KernelProcess, job: Job, outcome: Outcome, output: NewPayload) -> None:
        """Put a large output in its file, where the process could not write it."""
        assert output.data is not None
        folder = self._started().payload_dir
        part = os.path.join(folder, f"kernel-{secrets.token_hex(8)}.part")
        try:
            await asyncio.to_thread(store_archive, [output.data], folder, part)
        except OSError as error:
            outcome = failed(f"The result of this task cannot be stored: {error}. Make room, and run it again.")
        else:
            outcome = replace(outcome, output=NewPayload(ref=output.ref))
        self._finish(process, job, outcome)

    def _finish(self, process: KernelProcess, job: Job, outcome: Outcome) -> None:
        if job.attempt_id not in process.jobs:
            return
        if outcome.started_at is not None:
            self._tell_start(job, outcome.started_at)
        self._started().report(JobFinished(attempt_id=job.attempt_id, outcome=outcome))
        for path in job.streams:
            with contextlib.suppress(OSError):
                os.unlink(path)
        process.remove(job)
        process.tell({"do": "taken", "job": job.attempt_id})

    def _tell_start(self, job: Job, at: float) -> None:
        if not job.has_begun:
            job.has_begun = True
            out, err = job.streams or (None, None)
            self._started().report(JobStarted(attempt_id=job.attempt_id, at=at, stdout_path=out, stderr_path=err))

    # Options

    @property
    def _wait_s(self) -> float:
        return _seconds(getattr(self, "reconnect_s", 10.0))

    def _option(self, spec: JobSpec, name: str) -> Any:
        given = spec.options.get(name)
        return getattr(self, name) if given in (None, "") else given

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _started(self) -> ExecutorHost:
        if self._host is None:
            raise BackendError("The kernel executor was not started. Await start() before any other verb.")
        return self._host


def _stopped(control: Mapping[str, Any], body: bytes) -> Outcome:
    """The outcome of a job that was stopped, with what it printed."""
    first, out, _ = (int(length) for length in control["body"])
    return Outcome(
        status=JobStatus.CANCELLED,
        stdout=body[first : first + out].decode("utf-8", "replace"),
        stderr=body[first + out :].decode("utf-8", "replace"),
        started_at=float(control["started"]),
        ended_at=float(control["ended"]),
    )


def _seconds(value: Any) -> float:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return 1.0


def _sign(folder: str) -> str:
    """A file by which a process knows that it sees this machine's files."""
    for path in Path(folder).glob("here-*"):
        return str(path)
    made = Path(folder, f"here-{secrets.token_hex(16)}")
    made.touch()
    return str(made)
