"""One cluster as one account sees it: submits batches, asks for all their states at once, fetches what they leave.

Lost connections are opened again, and nothing is concluded from an answer that did not come.
"""

import asyncio
import base64
import contextlib
import logging
import posixpath
import shlex
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from importlib import metadata
from importlib.resources import files
from typing import TypeVar

from covalent_lab import worker
from covalent_lab.errors import BackendError
from covalent_lab.executor.base import ExecutorHost, JobFinished, JobSpec, JobStarted, JobStatus, JobUpdate, Outcome
from covalent_lab_executors.outcomes import failed, lost
from covalent_lab_executors.queues.job import Batch, QueueJob, payload_path
from covalent_lab_executors.queues.script import render
from covalent_lab_executors.queues.shell import Shell
from covalent_lab_executors.queues.system import Order, QueueSystem, Seen, StatusError
from covalent_lab_executors.ssh.login import ConnectError, LinkLostError
from covalent_lab_executors.ssh.shell import Ran

__all__ = ["Cluster"]

T = TypeVar("T")
_log = logging.getLogger(__name__)
_FILES = (
    ("covalent_lab", "worker.py"),
    ("covalent_lab", "worker_surroundings.py"),
    ("covalent_lab_executors", "queues/task.py"),
)
_TRIES, _AT_A_TIME, _KEPT_DAYS, _CLEAN_S, _CANCEL_S = 3, 16, 30, 10.0, 60.0
_SUBMIT_S = 60.0
"""How long a submission may take that nobody waits for any more."""
_NO_COMMANDS, _UNDER_WAY, _LOCK_S = 127, 75, 100


class Cluster:
    """A queue system behind a login node.

    Args:
        system: Its language.
        open_shell: Logs in.
        host: Where payloads are.
        report: Told about starts and ends.
        patience_s: How long jobs are followed while the login node cannot be reached, in seconds.
        least_poll_s: Shortest pause between two questions, in seconds.
    """

    def __init__(
        self,
        *,
        system: QueueSystem,
        open_shell: Callable[[], Awaitable[Shell]],
        host: ExecutorHost,
        report: Callable[[JobUpdate], None],
        patience_s: float,
        least_poll_s: float,
    ) -> None:
        self._system, self._open_shell, self._host, self._report = system, open_shell, host, report
        self._patience_s, self._least_poll_s = patience_s, least_poll_s
        self._jobs: dict[str, QueueJob] = {}  # those that were submitted, by what the system calls them
        self._opening: asyncio.Task[Shell] | None = None
        self._following: asyncio.Task[None] | None = None
        self._rubbish: set[str] = set()
        self._wake = asyncio.Event()
        self._has_swept = False

    async def submit(self, batch: Batch) -> None:
        """Bring a batch there and submit it, unless that has been done; then follow it.

        Raises:
            BackendError: That cannot be done.
        """
        for attempt in range(1, _TRIES + 1):
            shell = await self._shell()
            try:
                await self._submit(shell, batch, may_leave_out=attempt == 1)
                break
            except LinkLostError:
                if attempt == _TRIES:
                    raise
        self._follow(batch)
        await self._cancel_late()

    async def find(self, batch: Batch) -> None:
        """Follow a batch that an earlier dispatcher submitted.

        Raises:
            BackendError: It cannot be asked for, or was never submitted.
        """
        since = time.monotonic()
        while True:
            try:
                shell = await self._shell()
                self._place(batch, shell)
                batch.job_id = await self._noted(shell, batch) or await self._recalled(shell, batch)
                if batch.job_id or not await self._may_be_submitted(shell, batch, since):
                    break
                await asyncio.sleep(self._least_poll_s)
            except (ConnectError, LinkLostError, StatusError) as error:
                if any(self._is_given_up(job, since) for job in batch.jobs):
                    raise
                _log.warning("%s cannot be asked: %s", self._system.title, error)
                await asyncio.sleep(self._least_poll_s)
        if not batch.job_id:
            raise BackendError(f"The job is not on {shell.address}, or was never submitted. Run it again.")
        self._follow(batch)
        await self._cancel_late()

    async def _may_be_submitted(self, shell: Shell, batch: Batch, since: float) -> bool:
        """Whether an earlier dispatcher may have ended while the system was taking a batch, which goes on then."""
        return time.monotonic() - since <= _SUBMIT_S and await shell.read(self._script(batch), 1) is not None

    async def cancel(self, jobs: Iterable[QueueJob]) -> None:
        """End jobs that were submitted; what becomes of them is told as for any other."""
        told = [job for job in jobs if self._jobs.get(self._element(job)) is job]
        if not told:
            return
        elements = [self._element(job) for job in told]
        try:
            ran = await self._command(await self._shell(), told[0].batch, self._system.cancel(elements))
            for job in told:
                job.is_stopped = ran.status == 0
            if ran.status:
                _log.warning("%s did not cancel %s: %s", self._system.title, ", ".join(elements), ran.err.strip())
        except BackendError as error:
            _log.warning("%s could not be told to cancel %s: %s", self._system.title, ", ".join(elements), error)
        self._wake.set()

    async def _cancel_late(self) -> None:
        """Cancel what could not be before."""
        await self.cancel([job for job in self._jobs.values() if job.is_cancelled and not job.is_stopped])

    async def printed(self, job: QueueJob, stream: str, offset: int, limit: int) -> bytes:
        """Part of what a job has printed so far, as far as the login node sees its file.

        Raises:
            BackendError: The login node cannot be asked.
        """
        path = shlex.quote(job.streams[stream == "stderr"])
        shell = await self._shell()
        ran = await shell.run(f"tail -c +{offset + 1} {path} | head -c {limit} | base64")
        return base64.b64decode(ran.out)

    async def survey(self, options: Mapping[str, object]) -> tuple[str, Mapping[str, str]]:
        """The login node's name, and what is known of the partitions or queues behind it.

        Raises:
            BackendError: The login node cannot be reached, or the system does not answer.
        """
        shell = await self._shell()
        ran = await self._ask(shell, options, self._system.survey() or ":")
        if ran.status == _NO_COMMANDS:
            raise BackendError(self._refusal(ran, shell))
        try:
            return shell.address, self._system.read_survey(ran.status, ran.out, ran.err)
        except StatusError as error:
            raise BackendError(f"{self._system.title} does not answer on {shell.address}: {error}.") from error

    async def close(self) -> None:
        """Hang up; jobs go on."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
        opened, self._opening = self._opening, None
        if opened is None:
            return
        opened.cancel()
        (shell,) = await asyncio.gather(opened, return_exceptions=True)
        if not isinstance(shell, BaseException):
            with contextlib.suppress(TimeoutError, BackendError):
                async with asyncio.timeout(_CLEAN_S):
                    await self._clean(shell)
            await shell.close()

    # Submission

    async def _submit(self, shell: Shell, batch: Batch, may_leave_out: bool) -> None:
        self._place(batch, shell)
        runner = await self._prepare(shell, batch)
        await _each(lambda job: job.bring(shell, self._host), [job for job in batch.jobs if not job.is_cancelled])
        if may_leave_out:  # an attempt that broke off may have submitted them
            for job in [job for job in batch.jobs if job.is_cancelled]:
                self._finish(job, Outcome(status=JobStatus.CANCELLED))
                batch.jobs.remove(job)
        if not batch.jobs:
            return
        script = self._script(batch)
        if await shell.read(script, 1) is not None:  # an attempt that broke off may have submitted it
            try:
                await self._recalled(shell, batch)
            except StatusError as error:
                raise ConnectError(f"{self._system.title} does not answer on {shell.address}: {error}.") from error
        await shell.write(script, self._render(batch, runner).encode())
        ran = await self._command(shell, batch, self._submission(batch))
        if ran.status == _UNDER_WAY:
            raise LinkLostError(f"An earlier try to submit this job on {shell.address} has not ended.")
        batch.job_id = self._system.read_id(ran.out) if not ran.status else ""
        if not batch.job_id:
            raise BackendError(self._refusal(ran, shell))

    def _submission(self, batch: Batch) -> str:
        """Shell commands that submit a batch, unless its id is noted; then they say it.

        A lock lets them wait for an earlier try, which may go on where its connection broke. Where files cannot be
        locked they do without.
        """
        submit, note = self._system.submit(shlex.quote(self._script(batch))), shlex.quote(self._note(batch))
        return (
            f"{{ flock -w {_LOCK_S} -E {_UNDER_WAY} 9 2>/dev/null; [ $? != {_UNDER_WAY} ] || exit {_UNDER_WAY}\n"
            f'[ -s {note} ] || {{ said=$({submit} 9>&-) && echo "$said" >{note}.part && mv {note}.part {note}; }} '
            f"&& cat {note}; }} 9>{note}.lock"
        )

    async def _prepare(self, shell: Shell, batch: Batch) -> str:
        """Make folders, copy what is not there; returns the path of the runner."""
        payloads = f"{batch.root}/payloads"
        folders = shlex.join([batch.folder, payloads])
        wanted = _payload_files(job.spec for job in batch.jobs)
        sweep = "" if self._has_swept else f"\nfind . -type f -mtime +{_KEPT_DAYS} -delete"
        self._has_swept = True
        ran = await shell.run(
            f"mkdir -p {folders} && cd {shlex.quote(payloads)} || exit\n"
            f"for name in {' '.join(posixpath.relpath(payload_path('/', digest), '/') for digest in wanted)}\n"
            'do [ -f "$name" ] && touch "$name" || { mkdir -p "${name%/*}"; echo "${name##*/}"; }; done'
            f"{sweep}"
        )
        if ran.status or ran.err.strip():
            raise BackendError(
                f"The folder {batch.folder} on {shell.address} cannot be used: {ran.err.strip()}. Choose another "
                "remote_workdir."
            )
        for digest in ran.out.split():
            await shell.put(wanted[digest], payload_path(payloads, digest))
        contents = {posixpath.basename(name): (files(package) / name).read_bytes() for package, name in _FILES}
        digest = sha256(b"".join(contents.values())).hexdigest()[:16]
        return await shell.stage(f"{batch.root}/.covalent-lab-{digest}", contents)

    def _render(self, batch: Batch, runner: str) -> str:
        try:
            return render(self._system, self._order(batch, runner))
        except (AttributeError, TypeError, ValueError) as error:
            raise BackendError(f"The executor's options make no {self._system.title} script: {error}.") from error

    def _order(self, batch: Batch, runner: str = "") -> Order:
        spec = next((job.spec for job in batch.jobs), None)
        return Order(
            job_name=batch.job_name,
            folder=batch.folder,
            runner=runner,
            stem=batch.stem,
            indices=[job.index for job in batch.jobs if job.index is not None],
            options=batch.options,
            versions=() if spec is None or batch.options.get("ignore_versions") else _versions(spec),
        )

    def _refusal(self, ran: Ran, shell: Shell) -> str:
        title, said = self._system.title, ran.err.strip() or ran.out.strip() or f"exit status {ran.status}"
        if ran.status == _NO_COMMANDS:
            return (
                f"The commands of {title} are not found on {shell.address} ({said}). Set "
                f"{self._system.path_option} to their folder."
            )
        return f"{title} refused the job: {said}. Correct the executor's options."

    async def _noted(self, shell: Shell, batch: Batch) -> str:
        """The id that was written down when a batch was submitted; empty if it was not."""
        return self._system.read_id((await shell.read(self._note(batch)) or b"").decode("utf-8", "replace"))

    async def _recalled(self, shell: Shell, batch: Batch) -> str:
        """The id by which the system knows a batch that was submitted, but not written down; then it is.

        Raises:
            StatusError: The system does not answer.
        """
        if await self._noted(shell, batch) or not (question := self._system.ask_scripts()):
            return ""
        ran = await self._command(shell, batch, question)
        if ran.status == _NO_COMMANDS:
            return ""
        job_id = self._system.read_script(ran.status, ran.out, ran.err, self._script(batch))
        if job_id:
            await shell.write(self._note(batch), f"{job_id}\n".encode())
        return job_id

    # Following

    def _follow(self, batch: Batch) -> None:
        order = self._order(batch)
        for job in batch.jobs:
            job.streams = self._system.streams(order, batch.job_id, job.index)
            self._jobs[self._element(job)] = job
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._play(), name=f"{self._system.title} jobs")

    async def _play(self) -> None:
        reached_at = time.monotonic()
        while self._jobs:
            await self._pause()
            try:
                await self._poll(await self._shell())
                reached_at = time.monotonic()
            except Exception as error:  # noqa: BLE001 - nothing is known then of any job, and it may pass
                known = isinstance(error, BackendError | StatusError)
                _log.warning("%s cannot be asked: %s", self._system.title, error, exc_info=None if known else error)
                for job in [job for job in self._jobs.values() if self._is_given_up(job, reached_at)]:
                    self._finish(job, lost(f"The job may still run, but its cluster cannot be asked. {error}"))

    def _is_given_up(self, job: QueueJob, since: float) -> bool:
        """Whether the cluster has been silent for so long that a job counts as lost."""
        patience_s = min(self._patience_s, _CANCEL_S) if job.is_cancelled else self._patience_s
        return time.monotonic() - since > patience_s

    async def _pause(self) -> None:
        pause_s = min((_seconds(job.batch.options.get("poll_freq")) for job in self._jobs.values()), default=0.0)
        try:
            async with asyncio.timeout(max(pause_s, self._least_poll_s)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _poll(self, shell: Shell) -> None:
        await self._cancel_late()
        jobs = dict(self._jobs)  # others may come while it is asked
        states = await self._states(shell, jobs)
        ended = []
        for element, job in jobs.items():
            if element in states and not states[element].state.is_final:
                job.missed = 0
            else:
                ended.append(job)
        await _each(lambda job: self._end(shell, job, states.get(self._element(job))), ended)
        await self._clean(shell)

    async def _clean(self, shell: Shell) -> None:
        """Delete files that nobody needs any longer."""
        paths = list(self._rubbish)
        if paths:
            ran = await shell.run(f"rm -f {shlex.join(paths)}")
            if ran.status:
                _log.warning("files of ended jobs stay on %s: %s", shell.address, ran.err.strip())
            self._rubbish.difference_update(paths)

    async def _states(self, shell: Shell, jobs: Mapping[str, QueueJob]) -> Mapping[str, Seen]:
        """What the system says of jobs, and which of them have begun."""
        batch = next(iter(jobs.values())).batch
        system, job_ids = self._system, sorted({job.batch.job_id for job in jobs.values()})
        begun = {job.path("begun", ".txt"): job for job in jobs.values() if job.started_at is None}
        look = f"grep -H . {shlex.join(begun)} /dev/null 2>/dev/null" if begun else ":"
        ran = await self._command(
            shell,
            batch,
            f"out=$({system.ask(job_ids)}); status=$?; {look}; echo ---; printf '%s' \"$out\"; exit $status",
        )
        marks, _, out = ran.out.partition("---\n")
        for line in marks.splitlines():
            path, _, text = line.rpartition(":")
            if path in begun:
                begun[path].read_start(text)
                self._tell_start(begun[path])
        states = dict(system.read_states(ran.status, out, ran.err))
        unknown = sorted({job.batch.job_id for element, job in jobs.items() if element not in states})
        if unknown and (question := system.ask_history(unknown)):
            ran = await self._command(shell, batch, question)
            states = {**system.read_history(ran.status, ran.out, ran.err), **states}
        return states

    def _tell_start(self, job: QueueJob) -> None:
        if job.started_at is not None and not job.is_told:
            job.is_told = True
            self._report(JobStarted(attempt_id=job.attempt_id, at=job.started_at))

    async def _end(self, shell: Shell, job: QueueJob, seen: Seen | None) -> None:
        """Report the end of a job."""
        try:
            outcome = await job.end(shell, self._host, seen, self._system)
        except LinkLostError:
            raise
        except Exception as error:  # noqa: BLE001 - a job never stays in flight
            outcome = failed(f"The result of the job cannot be fetched: {type(error).__name__}: {error}")
        if outcome is None:
            return
        self._finish(job, outcome)
        batch = job.batch
        batch.jobs.remove(job)
        if batch.options.get("cleanup", True):
            self._rubbish.update(job.files())
            if not batch.jobs:
                self._rubbish.update((self._note(batch), f"{self._note(batch)}.lock", self._script(batch)))

    def _finish(self, job: QueueJob, outcome: Outcome) -> None:
        self._jobs.pop(self._element(job), None)
        if job.started_at is None:
            job.started_at = outcome.started_at
        self._tell_start(job)
        self._report(JobFinished(attempt_id=job.attempt_id, outcome=outcome))

    # Parts

    async def _shell(self) -> Shell:
        """The open connection; who needs it waits for the same one."""
        opening = self._opening
        if opening is None or (
            opening.done() and (opening.cancelled() or opening.exception() is not None or opening.result().is_lost)
        ):
            opening = self._opening = asyncio.create_task(self._reopened(opening))
        return await asyncio.shield(opening)

    async def _reopened(self, stale: "asyncio.Task[Shell] | None") -> Shell:
        if stale is not None and not stale.cancelled() and stale.exception() is None:
            await stale.result().close()
        return await self._open_shell()

    async def _command(self, shell: Shell, batch: Batch, command: str) -> Ran:
        """Run a command of the system for a batch."""
        return await self._ask(shell, batch.options, command)

    async def _ask(self, shell: Shell, options: Mapping[str, object], command: str) -> Ran:
        """Run a command of the system."""
        setup = self._system.setup(options)
        return await shell.run(f"{setup}\n{command}" if setup else command)

    def _place(self, batch: Batch, shell: Shell) -> None:
        batch.folder = posixpath.normpath(posixpath.join(shell.home, batch.folder))
        batch.root = posixpath.normpath(posixpath.join(shell.home, batch.root))

    def _element(self, job: QueueJob) -> str:
        return self._system.element(job.batch.job_id, job.index)

    def _script(self, batch: Batch) -> str:
        return self._path(batch, self._system.script_prefix, ".sh")

    def _note(self, batch: Batch) -> str:
        return self._path(batch, "job", ".id")

    def _path(self, batch: Batch, kind: str, end: str) -> str:
        return f"{batch.folder}/{kind}-{batch.stem}{end}"


async def _each(work: "Callable[[QueueJob], Awaitable[T]]", jobs: Sequence[QueueJob]) -> list[T]:
    """Do something with jobs, some at a time; the first error is raised when all are done."""
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def one(job: QueueJob) -> T:
        async with gate:
            return await work(job)

    found = await asyncio.gather(*map(one, jobs), return_exceptions=True)
    done = []
    for result in found:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done


def _payload_files(specs: "Iterable[JobSpec | None]") -> Mapping[str, str]:
    """Files of this machine that jobs need, by digest."""
    sources = [source for spec in specs if spec for source in (spec.function, *spec.args, *spec.kwargs.values())]
    return {source.ref.digest: source.path for source in sources if source.data is None and source.path}


def _versions(spec: JobSpec) -> Sequence[str]:
    python = ".".join(str(spec.client.get("python_version") or "").split(".")[:2])
    source = spec.function
    try:
        header = worker.read_header(source.data if source.data is not None else worker.open_archive(source.path or ""))
    except (OSError, ValueError):
        header = {}  # what is wrong with it will be told by the worker
    try:
        package = metadata.version("covalent-lab")
    except metadata.PackageNotFoundError:
        package = ""
    return python, str(header.get("cloudpickle_version", "")), package


def _seconds(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
