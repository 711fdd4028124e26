"""What executors of queue systems have in common: options, the five verbs, and which tasks become one batch job."""

import asyncio
import hashlib
import json
import logging
import os
import posixpath
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    Executor,
    ExecutorHost,
    JobFinished,
    JobHandle,
    JobSpec,
    JobStatus,
    JobUpdate,
    Option,
    Outcome,
)
from covalent_lab.executor.completed import completed
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId
from covalent_lab_executors.outcomes import failed, lost
from covalent_lab_executors.queues.cluster import Cluster
from covalent_lab_executors.queues.job import Batch, QueueJob
from covalent_lab_executors.queues.shell import LocalShell, Shell
from covalent_lab_executors.queues.system import QueueSystem
from covalent_lab_executors.ssh.login import Login, key_file
from covalent_lab_executors.ssh.shell import SshShell
from covalent_lab_executors.ssh.target import remote_path

__all__ = ["COMMON_OPTIONS", "QueueExecutor"]

_log = logging.getLogger(__name__)
_ARRAY_LIMIT = 500

COMMON_OPTIONS = (
    Option(name="username", default="", doc="Account on the login node."),
    Option(name="address", default="", doc="Name or address of the login node."),
    Option(name="ssh_key_file", default="", doc="Your private key."),
    Option(name="cert_file", doc="Certificate of the key, if the login node asks for one."),
    Option(name="port", doc="Port; that of the SSH configuration, or 22, if empty."),
    Option(name="known_hosts", default="", doc='File of host keys, if not the usual; "none" accepts any host.'),
    Option(name="proxy_jump", default="", doc='Hosts on the way, as `ssh -J` has them; "none" for no host.'),
    Option(name="on_login_node", default=False, doc="The dispatcher runs on the login node: submit without SSH."),
    Option(name="remote_workdir", default="covalent-workdir", doc="Working directory, seen by all nodes."),
    Option(name="create_unique_workdir", default=False, doc="Give each task a folder of its own in remote_workdir."),
    Option(name="variables", default={}, doc="Environment variables that the script exports."),
    Option(name="conda_env", default="", doc="Conda environment that the script activates."),
    Option(name="python_path", default="python", doc="Python on the compute nodes."),
    Option(name="options", default={}, doc="Directives of the script, by name."),
    Option(name="prerun_commands", default=[], doc="Shell commands before the task."),
    Option(name="postrun_commands", default=[], doc="Shell commands after the task."),
    Option(name="bashrc_path", default="$HOME/.bashrc", doc="File that the script reads first; empty for none."),
    Option(name="poll_freq", default=5, doc="Seconds between two questions to the queue system, at least 5."),
    Option(name="cleanup", default=True, doc="Delete a task's files on the cluster when it has ended."),
    Option(name="cache_dir", default="", doc="Accepted for older programs; nothing is kept on this side."),
    Option(name="ignore_versions", default=False, doc="Do not compare versions of Python and cloudpickle."),
    Option(name="log_stdout", default="", doc="File for standard output in the results folder."),
    Option(name="log_stderr", default="", doc="File for standard error in the results folder."),
    Option(name="time_limit", default=-1, doc="Seconds after which a task is stopped; -1 for never."),
    Option(name="retries", default=0, doc="How often a failed task is tried again."),
)
"""What all of them take."""

_UNKEPT = frozenset({"sshproxy"})
"""Options that are not stored with a job, as there are secrets in them; the configuration has them."""
_ACCESS = ("username", "address", "port", "ssh_key_file", "cert_file", "known_hosts", "proxy_jump", "on_login_node")


class QueueExecutor(Executor):
    """Runs tasks as batch jobs of a cluster, which is reached by SSH or is where the dispatcher runs.

    One connection serves all tasks for the same login node. Jobs go on when it breaks, or when the dispatcher stops,
    and are found again. A subclass names its system and its options.
    """

    jobs_survive = True
    system: ClassVar[QueueSystem]
    least_poll_s: ClassVar[float] = 5.0
    """Shortest pause between two questions to the queue system, in seconds."""
    patience_s: ClassVar[float] = 24 * 3600.0
    """How long jobs are followed while the login node cannot be reached, in seconds."""

    def __init__(self, **values: Any) -> None:
        """Hold option values: those given, else those of the configuration, else the defaults.

        Args:
            values: Options; None stands for one that is not given. Others are ignored with a warning.
        """
        known = {option.name for option in type(self).options}
        if unknown := sorted(set(values) - known):
            warnings.warn(
                f"{type(self).__name__} ignores {', '.join(unknown)}: it has no such option. Remove it.",
                UserWarning,
                stacklevel=3,
            )
        held = completed(type(self), {name: value for name, value in values.items() if name in known}, empty=(None,))
        held["poll_freq"] = max(self.least_poll_s, _number(held["poll_freq"]))
        super().__init__(**held)
        self._host: ExecutorHost | None = None
        self._clusters: dict[str, Cluster] = {}
        self._jobs: dict[AttemptId, QueueJob] = {}
        self._submitting: set[asyncio.Task[None]] = set()

    async def start(self, host: ExecutorHost) -> None:
        """Connect to nothing yet: the first job of a cluster does."""
        self._host = host

    async def submit(self, specs: Sequence[JobSpec]) -> Sequence[JobHandle]:
        """Take over jobs; those with equal options that come together become an array."""
        new = {spec.attempt_id: spec for spec in specs if spec.attempt_id not in self._jobs}
        groups: dict[str, list[JobSpec]] = {}
        for spec in new.values():
            groups.setdefault(self._group(spec), []).append(spec)
        for group in groups.values():
            for begin in range(0, len(group), _ARRAY_LIMIT):
                self._submit(group[begin : begin + _ARRAY_LIMIT])
        return [_handle(self._jobs[spec.attempt_id]) for spec in specs]

    async def watch(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Follow jobs again that an earlier dispatcher submitted; what was never submitted is LOST."""
        batches: dict[str, Batch] = {}
        for attempt_id, handle in handles.items():
            if attempt_id in self._jobs:
                continue
            try:
                stem = str(handle["stem"])
                batch = batches.setdefault(
                    stem, self._batch(stem, str(handle["name"]), handle["options"], str(handle["folder"]))
                )
            except (KeyError, TypeError):
                self._finish(attempt_id, lost("The handle of the job says nothing of it. Run it again."))
                continue
            self._add(batch, attempt_id, handle.get("index"), None)
        for batch in batches.values():
            self._spawn(self._find(batch))

    async def cancel_jobs(self, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Tell the queue system to end jobs; each is reported when it has. What was not submitted yet never is."""
        found: dict[int, tuple[Cluster, list[QueueJob]]] = {}
        for attempt_id in handles:
            job = self._jobs.get(attempt_id)
            if job is not None and not job.is_cancelled:
                job.is_cancelled = True
                cluster = self._cluster(job.batch.options)
                found.setdefault(id(cluster), (cluster, []))[1].append(job)
        for cluster, jobs in found.values():
            self._spawn(cluster.cancel(jobs))

    async def printed(self, attempt_id: AttemptId, stream: str, offset: int, limit: int) -> bytes:
        """Ask the login node."""
        job = self._jobs.get(attempt_id)
        if job is None or job.started_at is None:
            return b""
        return await self._cluster(job.batch.options).printed(job, stream, offset, limit)

    async def check(self) -> Health:
        """Log in as configured, and ask for the partitions or queues."""
        options = self._options({})
        address, places = await self._cluster(options).survey(options)
        names = ", ".join(places)
        return Health(
            is_usable=True,
            summary=f"{self.system.title} answers on {address}{f': {names}' if names else ''}.",
            facts={"Login node": address, **places},
        )

    async def close(self) -> None:
        """Hang up. Jobs go on, and `watch` finds them."""
        for task in list(self._submitting):
            task.cancel()
        await asyncio.gather(*self._submitting, return_exceptions=True)
        clusters, self._clusters = list(self._clusters.values()), {}
        for cluster in clusters:
            await cluster.close()

    async def open_shell(self, options: Mapping[str, Any]) -> Shell:
        """Log in.

        Raises:
            BackendError: An option is missing, or the login node cannot be used.
        """
        if options.get("on_login_node"):
            return LocalShell()
        shell = SshShell(self.login(options))
        await shell.open()
        return shell

    def check_access(self, options: Mapping[str, Any]) -> None:
        """See that there is what a login needs.

        Raises:
            BackendError: An option is missing.
        """
        for name in ("username", "address", "ssh_key_file"):
            if not options.get(name):
                raise BackendError(
                    f"{type(self).__name__} has no {name}. Give one, or set executors.{self.short_name}.{name}; on the "
                    "login node itself, set on_login_node."
                )

    def login(self, options: Mapping[str, Any]) -> Login:
        """Where, as whom and with which key.

        Raises:
            BackendError: An option is missing, or names a file that is not there.
        """
        self.check_access(options)
        certificate = os.path.expanduser(str(options.get("cert_file") or ""))
        if certificate and not os.path.isfile(certificate):
            raise BackendError(f"Certificate file {certificate} does not exist. Correct cert_file, or leave it away.")
        return Login(
            hostname=str(options["address"]),
            username=str(options["username"]),
            key=key_file(str(options["ssh_key_file"]), f"executors.{self.short_name}.ssh_key_file"),
            certificate=certificate,
            port=int(options["port"]) if options.get("port") else None,
            known_hosts=os.path.expanduser(str(options.get("known_hosts") or "")),
            proxy_jump=str(options.get("proxy_jump") or ""),
            attempts=3,
            wait_s=2.0,
            alive_s=15.0,
        )

    # Batches

    def _submit(self, specs: Sequence[JobSpec]) -> None:
        first, options = specs[0], self._options(specs[0].options)
        stem, folder = _stem(first), str(options["remote_workdir"])
        if options.get("create_unique_workdir"):
            folder = posixpath.join(folder, first.dispatch_id, f"node_{first.node_id}")
        name = f"covalent-{first.node_id}-{first.dispatch_id}"
        if len(specs) > 1:
            digest = hashlib.sha256("".join(spec.attempt_id for spec in specs).encode()).hexdigest()
            stem = f"{stem}-{digest[:8]}"
        batch = self._batch(stem, name, options, folder)
        for index, spec in enumerate(specs):
            self._add(batch, spec.attempt_id, index if len(specs) > 1 else None, spec)
        self._spawn(self._send(batch))

    def _batch(self, stem: str, name: str, options: Mapping[str, Any], folder: str) -> Batch:
        complete = self._options(options)
        root = remote_path(str(complete["remote_workdir"]))
        return Batch(stem=stem, job_name=name, options=complete, folder=remote_path(folder), root=root)

    def _add(self, batch: Batch, attempt_id: AttemptId, index: int | None, spec: JobSpec | None) -> None:
        job = QueueJob(attempt_id=attempt_id, batch=batch, index=index, spec=spec)
        batch.jobs.append(job)
        self._jobs[attempt_id] = job

    def _group(self, spec: JobSpec) -> str:
        """Jobs of one group can be elements of one array."""
        options = self._options(spec.options)
        given = options.get("options") or {}
        if not self.system.index_variable or options.get("create_unique_workdir") or "array" in given or "a" in given:
            return str(spec.attempt_id)
        return json.dumps([options, spec.dispatch_id, dict(spec.client)], sort_keys=True, default=str)

    async def _send(self, batch: Batch) -> None:
        await self._guarded(batch, self._cluster(batch.options).submit, failed)

    async def _find(self, batch: Batch) -> None:
        await self._guarded(batch, self._cluster(batch.options).find, lambda message, _: lost(message))

    async def _guarded(
        self, batch: Batch, work: Callable[[Batch], Awaitable[None]], ending: Callable[[str, bool], Outcome]
    ) -> None:
        jobs = list(batch.jobs)
        try:
            await work(batch)
        except Exception as error:  # noqa: BLE001 - a job never stays in flight
            message, may_pass = str(error), isinstance(error, BackendError) and error.transient
            if not isinstance(error, BackendError):
                _log.exception("%s failed", type(self).__name__)
                message = f"{type(error).__name__}: {error}"
            for job in jobs:
                if job.attempt_id in self._jobs:
                    is_over = job.is_cancelled and job.spec is not None
                    outcome = Outcome(status=JobStatus.CANCELLED) if is_over else ending(message, may_pass)
                    self._finish(job.attempt_id, outcome)

    def _finish(self, attempt_id: AttemptId, outcome: Outcome) -> None:
        self._report(JobFinished(attempt_id=attempt_id, outcome=outcome))

    def _report(self, update: JobUpdate) -> None:
        assert self._host is not None, "not started"
        if isinstance(update, JobFinished):
            self._jobs.pop(update.attempt_id, None)
        self._host.report(update)

    def _cluster(self, options: Mapping[str, Any]) -> Cluster:
        """That of these options; jobs for the same login node share it."""
        assert self._host is not None, "not started"
        key = json.dumps([options.get(name) for name in (*_ACCESS, self.system.path_option)])
        if key not in self._clusters:
            self._clusters[key] = Cluster(
                system=self.system,
                open_shell=lambda: self.open_shell(options),
                host=self._host,
                report=self._report,
                patience_s=self.patience_s,
                least_poll_s=self.least_poll_s,
            )
        return self._clusters[key]

    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a job: its executor instance's, else this one's."""
        own = {option.name: getattr(self, option.name, option.default) for option in type(self).options}
        return own | {name: value for name, value in given.items() if name in own and value is not None}

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._submitting.add(task)
        task.add_done_callback(self._submitting.discard)


def _handle(job: QueueJob) -> JobHandle:
    batch = job.batch
    options = {name: value for name, value in batch.options.items() if name not in _UNKEPT}
    return {"stem": batch.stem, "name": batch.job_name, "index": job.index, "folder": batch.folder, "options": options}


def _stem(spec: JobSpec) -> str:
    """The part of file names that tells a task: `D-N`, and the attempt after the first."""
    text = f"{spec.dispatch_id}-{spec.node_id}" + (f"-{spec.attempt}" if spec.attempt > 1 else "")
    plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in text)
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
