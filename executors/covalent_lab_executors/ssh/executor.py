"""The SSH executor: options, the five verbs, and which connection a job is played on."""

import asyncio
import logging
import posixpath
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobFinished,
    JobHandle,
    JobIdentified,
    JobSpec,
    JobStatus,
    Option,
    Outcome,
    ShortName,
)
from covalent_lab.executor.completed import completed
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId
from covalent_lab_executors.local import LocalExecutor
from covalent_lab_executors.outcomes import failed, lost
from covalent_lab_executors.ssh.job import RemoteJob, check_python
from covalent_lab_executors.ssh.link import Link
from covalent_lab_executors.ssh.login import ConnectError, LinkLostError
from covalent_lab_executors.ssh.target import DEFAULTS, Target

__all__ = ["SSHExecutor"]

_log = logging.getLogger(__name__)
_MAX_LOSSES = 5


class SSHExecutor(Executor):
    """Runs tasks on a host that is reached by SSH and has Python and cloudpickle, and nothing else of this package.

    One connection serves all tasks for the same host, account and Python. Tasks go on when it breaks, or when the
    dispatcher stops, and are found again. Host keys are checked.

        gpu = ct.executor.SSHExecutor("ada", "gpu.example.org", ssh_key_file="~/.ssh/id_ed25519", python_path="python3")

        @ct.electron(executor=gpu)
        def train(rate): ...
    """

    short_name: ClassVar[ShortName] = ShortName("ssh")
    jobs_survive = True
    options: ClassVar[tuple[Option, ...]] = (
        Option(name="username", default="", doc="Account on the host; yours if empty."),
        Option(name="hostname", default="", doc="Name or address of the host."),
        Option(
            name="ssh_key_file", doc="Your private key; if empty, ~/.ssh/id_rsa, or what your SSH configuration says."
        ),
        Option(name="cache_dir", doc="Accepted for older programs; nothing is kept on this side."),
        Option(name="python_path", default="", doc="Python on the host, of the notebook's minor version."),
        Option(name="conda_env", doc="Conda environment on the host that is activated before."),
        Option(name="remote_cache", default="", doc="Folder on the host for jobs and payloads: .cache/covalent."),
        Option(name="run_local_on_ssh_fail", default=False, doc="Run a task here if the host cannot be used."),
        Option(name="remote_workdir", default="", doc="Working directory of tasks on the host: covalent-workdir."),
        Option(name="create_unique_workdir", doc="Give each task a folder of its own in remote_workdir."),
        Option(name="poll_freq", default=15, doc="Seconds between signs of life asked of a silent host."),
        Option(name="do_cleanup", default=True, doc="Delete a task's files on the host when it has ended."),
        Option(name="retry_connect", default=True, doc="Try again when a connection is refused or lost."),
        Option(name="max_connection_attempts", default=5, doc="How often to try."),
        Option(name="retry_wait_time", default=5, doc="Seconds between two tries."),
        Option(name="port", doc="Port; that of the SSH configuration, or 22, if empty."),
        Option(name="known_hosts", default="", doc='File of host keys, if not the usual; "none" accepts any host.'),
        Option(name="proxy_jump", default="", doc='Hosts on the way, as `ssh -J` has them; "none" for no host.'),
        Option(name="workers", doc="Most tasks at a time on the host; its number of CPUs if empty."),
        Option(name="remote_dir", default="", doc="Older name of remote_cache."),
        Option(name="time_limit", default=-1, doc="Seconds after which a task is stopped; -1 for never."),
        Option(name="retries", default=0, doc="How often a failed task is tried again."),
    )

    def __init__(
        self,
        username: str = "",
        hostname: str = "",
        ssh_key_file: str | None = None,
        cache_dir: str | None = None,
        python_path: str = "",
        conda_env: str | None = None,
        remote_cache: str = "",
        run_local_on_ssh_fail: bool | None = None,
        remote_workdir: str = "",
        create_unique_workdir: bool | None = None,
        poll_freq: int | None = None,
        do_cleanup: bool | None = None,
        retry_connect: bool | None = None,
        max_connection_attempts: int | None = None,
        retry_wait_time: int | None = None,
        **values: Any,
    ) -> None:
        """Hold option values; those that are empty come from the section `executors.ssh` of the configuration.

        Args:
            username: See `options`, as for all others.
            hostname: See `options`.
            ssh_key_file: See `options`.
            cache_dir: See `options`.
            python_path: See `options`.
            conda_env: See `options`.
            remote_cache: See `options`.
            run_local_on_ssh_fail: See `options`.
            remote_workdir: See `options`.
            create_unique_workdir: See `options`.
            poll_freq: See `options`.
            do_cleanup: See `options`.
            retry_connect: See `options`.
            max_connection_attempts: See `options`.
            retry_wait_time: See `options`.
            values: The other options; arguments of older versions are ignored with a warning.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "values", "__class__")}
        known = {option.name for option in self.options}
        unknown = sorted(set(values) - known)
        if unknown:
            warnings.warn(
                f"SSHExecutor ignores {', '.join(unknown)}: it has no such option. Remove it.",
                UserWarning,
                stacklevel=2,
            )
        given |= {name: value for name, value in values.items() if name in known}
        given["remote_cache"] = given["remote_cache"] or given.get("remote_dir")
        held = completed(type(self), given)
        super().__init__(**{**held, "remote_cache": held["remote_cache"] or held["remote_dir"], "remote_dir": ""})
        self._host: ExecutorHost | None = None
        self._local: LocalExecutor | None = None
        self._jobs: dict[AttemptId, RemoteJob] = {}
        self._playing: dict[AttemptId, asyncio.Task[None]] = {}
        self._links: dict[Target, asyncio.Task[Link]] = {}

    async def start(self, host: ExecutorHost) -> None:
        """Connect to nothing yet: the first job of a host does."""
        self._host = host

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Send jobs, as soon as there is a connection."""
        for spec in specs:
            options = self._options(spec.options)
            workdir = str(options.get("remote_workdir") or DEFAULTS["remote_workdir"])
            if options.get("create_unique_workdir"):
                workdir = posixpath.join(workdir, spec.dispatch_id, f"node_{spec.node_id}")
            self._play(spec.attempt_id, spec, options, workdir)
        return [{"options": self._options(spec.options)} for spec in specs]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Find jobs again that an earlier dispatcher sent; what is not on the host is LOST."""
        local = {attempt_id: handle for attempt_id, handle in handles.items() if handle.get("is_local")}
        if local:
            await (await self._local_executor()).watch(local)
        for attempt_id, handle in handles.items():
            if attempt_id not in local:
                self._play(attempt_id, None, handle.get("options", {}), "")

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Ask tasks to end, with their children, and kill them a second later; what was not sent yet never is."""
        if self._local is not None:
            await self._local.cancel_jobs(handles)
        for attempt_id in handles:
            job = self._jobs.get(attempt_id)
            if job is None:
                continue
            try:
                await job.stop(1.0)
            except LinkLostError:
                continue  # the next connection begins with it
            if not job.was_sent:
                self._playing[attempt_id].cancel()

    async def printed(self, attempt_id: AttemptId, stream: str, offset: int, limit: int) -> bytes:
        """Ask the host."""
        job = self._jobs.get(attempt_id)
        return b"" if job is None else await job.printed(stream, offset, limit)

    async def check(self) -> Health:
        """Connect to the configured host, and start Python there."""
        options = self._options({})
        if not options.get("hostname"):
            return Health(
                is_usable=False,
                summary="No host is configured: set hostname here, or name one in each SSHExecutor of a workflow.",
            )
        link = await self._link(Target.of(options))
        hello = link.hello
        trouble = f"Python on {link.address} cannot run tasks: {hello['trouble']}. Install cloudpickle there."
        return Health(
            is_usable=not hello["trouble"],
            summary=trouble if hello["trouble"] else f"Connected to {link.address}.",
            facts={
                "Host": link.address,
                "Places": hello["workers"],
                "Python": hello["python"],
                "Program": hello["program"],
                "cloudpickle": hello.get("cloudpickle", "not found"),
                "Folder": hello["root"],
            },
        )

    async def close(self) -> None:
        """Hang up. Tasks go on, and `watch` finds them."""
        for task in list(self._playing.values()):
            task.cancel()
        await asyncio.gather(*self._playing.values(), return_exceptions=True)
        links, self._links = self._links, {}
        for opening in links.values():
            opening.cancel()
            for link in await asyncio.gather(opening, return_exceptions=True):
                if isinstance(link, Link):
                    await link.close()
        if self._local is not None:
            await self._local.close()

    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a job: its executor instance's, else this one's."""
        own = {option.name: getattr(self, option.name, option.default) for option in self.options}
        return own | {name: value for name, value in given.items() if name in own and value not in (None, "")}

    def _play(self, attempt_id: AttemptId, spec: JobSpec | None, options: Mapping[str, Any], workdir: str) -> None:
        if attempt_id in self._jobs:
            return
        assert self._host is not None, "not started"
        job = self._jobs[attempt_id] = RemoteJob(
            attempt_id=attempt_id,
            spec=spec,
            host=self._host,
            workdir=workdir,
            do_cleanup=bool(options.get("do_cleanup", True)),
        )
        task = asyncio.create_task(self._run(job, options), name=f"ssh job {attempt_id}")
        self._playing[attempt_id] = task
        task.add_done_callback(lambda task: self._played(job, task))

    def _played(self, job: RemoteJob, task: asyncio.Task[None]) -> None:
        del self._playing[job.attempt_id], self._jobs[job.attempt_id]
        if task.cancelled() and job.is_cancelled and not job.was_sent:  # perhaps before its first step
            self._report(job, Outcome(status=JobStatus.CANCELLED))

    def _report(self, job: RemoteJob, outcome: Outcome) -> None:
        assert self._host is not None
        self._host.report(JobFinished(attempt_id=job.attempt_id, outcome=outcome))

    async def _run(self, job: RemoteJob, options: Mapping[str, Any]) -> None:
        """Play a job to its end, whatever comes."""
        try:
            outcome = await self._outcome(job, options)
        except BackendError as error:
            if job.was_sent and isinstance(error, ConnectError):
                outcome = lost(f"The task may still run, but its host cannot be asked. {error}")
            elif isinstance(error, ConnectError) and job.spec is not None and options.get("run_local_on_ssh_fail"):
                await self._run_here(job, job.spec, error)
                return
            else:
                outcome = failed(str(error), is_transient=isinstance(error, ConnectError))
        except Exception as error:  # noqa: BLE001 - a job never stays in flight
            outcome = failed(f"The SSH executor failed: {type(error).__name__}: {error}")
        self._report(job, outcome)

    async def _outcome(self, job: RemoteJob, options: Mapping[str, Any]) -> Outcome:
        target = Target.of(options)
        for _ in range(_MAX_LOSSES):
            link = await self._link(target)
            if job.spec is not None:
                check_python(job.spec, link)
            try:
                return await job.play(link)
            except LinkLostError:
                continue
        return lost(f"The connection to {target.address} broke {_MAX_LOSSES} times; the task may still run there.")

    async def _link(self, target: Target) -> Link:
        """The open connection of a target; jobs that need it wait for the same one."""
        opening = self._links.get(target)
        if opening is None or (
            opening.done() and (opening.cancelled() or opening.exception() is not None or opening.result().is_lost)
        ):
            stale = opening
            opening = self._links[target] = asyncio.create_task(_opened(target, stale), name=f"ssh {target.hostname}")
        return await asyncio.shield(opening)

    async def _run_here(self, job: RemoteJob, spec: JobSpec, error: BackendError) -> None:
        """Give a job to a worker process of this machine."""
        assert self._host is not None
        _log.warning("task %s runs on the dispatcher's machine instead: %s", job.attempt_id, error)
        self._host.report(JobIdentified(attempt_id=job.attempt_id, handle={"is_local": True}))
        await (await self._local_executor()).submit([replace(spec, options={})])

    async def _local_executor(self) -> LocalExecutor:
        if self._local is None:
            assert self._host is not None, "not started"
            self._local = LocalExecutor()
            await self._local.start(self._host)
        return self._local


async def _opened(target: Target, stale: "asyncio.Task[Link] | None") -> Link:
    if stale is not None and not stale.cancelled() and stale.exception() is None:
        await stale.result().close()
    link = Link(target)
    await link.open()
    return link
