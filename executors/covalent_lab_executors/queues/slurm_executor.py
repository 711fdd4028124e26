"""The executor `slurm`: its arguments, its two-factor login, and the documented methods."""

import asyncio
import secrets
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from covalent_lab import worker
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import BackendError, TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.base import (
    ExecutorHost,
    JobFinished,
    JobSpec,
    JobStatus,
    JobUpdate,
    Option,
    Outcome,
    PayloadSource,
    ShortName,
)
from covalent_lab.executor.classic import AsyncBaseExecutor
from covalent_lab.ids import DispatchId, NodeId, PayloadRef, attempt_id
from covalent_lab_executors.queues.executor import COMMON_OPTIONS, QueueExecutor
from covalent_lab_executors.queues.shell import Shell
from covalent_lab_executors.queues.slurm import SlurmSystem
from covalent_lab_executors.queues.sshproxy import certificate, read_settings
from covalent_lab_executors.queues.system import QueueSystem
from covalent_lab_executors.ssh.shell import SshShell

__all__ = ["SlurmExecutor"]


class SlurmExecutor(QueueExecutor, AsyncBaseExecutor):
    """Runs tasks as jobs of a Slurm cluster.

    Tasks with equal options that become ready together are one job array. The compute nodes need Python of the
    notebook's minor version with cloudpickle, and see the working directory.

        gpu = ct.executor.SlurmExecutor(
            username="ada",
            address="login.cluster.org",
            ssh_key_file="~/.ssh/id_ed25519",
            remote_workdir="/scratch/ada",
            options={"nodes": 1, "gpus": 4, "time": "01:30:00"},
            srun_options={"cpu-bind": "cores"},
        )

        @ct.electron(executor=gpu)
        def train(rate): ...

    The dispatcher uses it by the engine's verbs. An instance in other hands has the documented methods as well.
    """

    short_name: ClassVar[ShortName] = ShortName("slurm")
    system: ClassVar[QueueSystem] = SlurmSystem()
    options: ClassVar[tuple[Option, ...]] = (
        *(option for option in COMMON_OPTIONS if option.name not in ("options", "cache_dir")),
        Option(name="options", default={"parsable": ""}, doc="#SBATCH directives, by long or short name."),
        Option(
            name="cache_dir",
            default="~/.config/covalent/executor_plugins/covalent-slurm-cache",
            doc="Accepted for older programs; nothing is kept on this side.",
        ),
        Option(name="use_srun", default=True, doc="Start the task with srun; if not, the task may use srun itself."),
        Option(name="srun_options", default={}, doc="Options of srun, by long or short name."),
        Option(name="srun_append", default="", doc="Command between srun and Python, as a profiler."),
        Option(name="slurm_path", default="/usr/bin", doc="Folder of Slurm's commands; empty for the module slurm."),
        Option(name="sshproxy", is_secret=True, doc="hosts, password and secret of NERSC's sshproxy."),
    )

    def __init__(
        self,
        username: str | None = None,
        address: str | None = None,
        ssh_key_file: str | None = None,
        cert_file: str | None = None,
        remote_workdir: str | None = None,
        slurm_path: str | None = None,
        conda_env: str | None = None,
        cache_dir: str | None = None,
        options: Mapping[str, Any] | None = None,
        sshproxy: Mapping[str, Any] | None = None,
        srun_options: Mapping[str, Any] | None = None,
        srun_append: str | None = None,
        prerun_commands: Sequence[str] | None = None,
        postrun_commands: Sequence[str] | None = None,
        poll_freq: int | None = None,
        cleanup: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold option values; those that are not given come from the section `executors.slurm` of the configuration.

        Args:
            username: See `options`, as for all others.
            address: See `options`.
            ssh_key_file: See `options`.
            cert_file: See `options`.
            remote_workdir: See `options`.
            slurm_path: See `options`.
            conda_env: See `options`.
            cache_dir: See `options`.
            options: See `options`.
            sshproxy: See `options`.
            srun_options: See `options`.
            srun_append: See `options`.
            prerun_commands: See `options`.
            postrun_commands: See `options`.
            poll_freq: See `options`.
            cleanup: See `options`.
            kwargs: The other options; unknown ones are ignored with a warning.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(**given, **kwargs)

    async def open_shell(self, options: Mapping[str, Any]) -> Shell:
        """Log in; where the configuration says so, `sshproxy` makes key and certificate first.

        Raises:
            BackendError: An option is missing, or the login node cannot be used.
        """
        section = ConfigReader().table("executors").get("slurm", {})
        proxy = read_settings(options.get("sshproxy") or section.get("sshproxy"))
        if options.get("on_login_node") or options.get("address") not in proxy.get("hosts", ()):
            return await super().open_shell(options)
        self.check_access(options)
        made = await certificate(
            proxy,
            username=str(options["username"]),
            key=str(options["ssh_key_file"]),
            cert_file=str(options.get("cert_file") or ""),
        )
        shell = SshShell(self.login({**options, "cert_file": made}))
        await shell.open()
        return shell

    # The documented methods

    async def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        """Run a task as a Slurm job and wait for it; see `BaseExecutor.run`. Its job handle is the attempt's.

        Raises:
            TaskRuntimeError: The task raised; with its traceback.
            TaskCancelledError: The job was cancelled.
            BackendError: The job ended otherwise.
        """
        dispatch_id, node_id = DispatchId(str(task_metadata["dispatch_id"])), NodeId(int(task_metadata["node_id"]))
        number = secrets.randbelow(1 << 32)  # nobody counts attempts here, and an earlier one's files may be there
        spec = JobSpec(
            attempt_id=attempt_id(dispatch_id, node_id, number),
            dispatch_id=dispatch_id,
            node_id=node_id,
            attempt=number,
            name=getattr(function, "__name__", "task"),
            function=_source(function),
            args=[_source(value) for value in args],
            kwargs={name: _source(value) for name, value in kwargs.items()},
            options=self.to_dict()["attributes"],
        )
        with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
            host = _OneJob(folder)
            engine = type(self)()
            await engine.start(host)
            try:
                (handle,) = await engine.submit([spec])
                await self.set_job_handle(dict(handle))
                try:
                    outcome = await asyncio.shield(host.outcome)
                except asyncio.CancelledError:
                    await engine.cancel_jobs({spec.attempt_id: handle})
                    await host.outcome
                    raise
            finally:
                await engine.close()
            self.task_stdout.write(outcome.stdout)
            self.task_stderr.write(outcome.stderr)
            return _value(outcome, host)

    async def cancel(self, task_metadata: Mapping[str, Any], job_handle: Any) -> bool:
        """Cancel a job; returns whether Slurm took the order.

        Args:
            task_metadata: `dispatch_id` and `node_id`.
            job_handle: Slurm's id of the job, or what `run` gave to `set_job_handle`.
        """
        options = self.to_dict()["attributes"]
        shell = await self.open_shell(options)
        try:
            job_id = str(job_handle)
            if isinstance(job_handle, Mapping):
                note = f"{job_handle['folder']}/job-{job_handle['stem']}.id"
                path = note if note.startswith("/") else f"{shell.home}/{note}"
                job_id = self.system.read_id((await shell.read(path) or b"").decode("utf-8", "replace"))
            command = self.system.cancel([job_id])
            return bool(job_id) and (await shell.run(f"{self.system.setup(options)}\n{command}")).status == 0
        finally:
            await shell.close()

    async def get_status(self, info_dict: Mapping[str, Any], conn: Any) -> str:
        """Slurm's word for the state of a job, as `RUNNING`.

        Args:
            info_dict: `job_id`, Slurm's id of the job.
            conn: An asyncssh connection to the login node.

        Raises:
            BackendError: Slurm does not know the job.
        """
        job_id = shlex.quote(str(info_dict["job_id"]))
        setup = self.system.setup(self.to_dict()["attributes"])
        script = f"{setup}\nsqueue -h -t all -j {job_id} -o %T 2>/dev/null || sacct -n -P -X -j {job_id} -o State"
        ran = await conn.run(f"bash -l -c {shlex.quote(script)}")
        words = str(ran.stdout).split()
        if not words:
            raise BackendError(f"Slurm knows no job {info_dict['job_id']}: {str(ran.stderr).strip()}. Correct job_id.")
        return words[0]

    async def perform_cleanup(
        self,
        conn: Any,
        remote_func_filename: str,
        remote_slurm_filename: str,
        remote_py_filename: str,
        remote_result_filename: str,
        remote_stdout_filename: str,
        remote_stderr_filename: str,
    ) -> None:
        """Delete files on the cluster; those that are not there do not matter.

        Args:
            conn: An asyncssh connection to the login node.
            remote_func_filename: A path there, as all others.
            remote_slurm_filename: A path.
            remote_py_filename: A path.
            remote_result_filename: A path.
            remote_stdout_filename: A path.
            remote_stderr_filename: A path.
        """
        paths = [remote_func_filename, remote_slurm_filename, remote_py_filename, remote_result_filename]
        await conn.run(f"rm -f {shlex.join([*paths, remote_stdout_filename, remote_stderr_filename])}")


class _OneJob:
    """A host for one job that nobody else hears of."""

    inline_limit = 65_536

    def __init__(self, folder: str) -> None:
        self.work_dir = self.payload_dir = folder
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def payload_path(self, digest: str) -> str:
        return str(Path(self.payload_dir, digest))

    def report(self, update: JobUpdate) -> None:
        if isinstance(update, JobFinished) and not self.outcome.done():
            self.outcome.set_result(update.outcome)


def _source(value: Any) -> PayloadSource:
    pieces = worker.encode_archive(value)
    return PayloadSource(ref=PayloadRef(*worker.archive_digest(pieces)), data=b"".join(pieces))


def _value(outcome: Outcome, host: ExecutorHost) -> Any:
    failure, output = outcome.failure, outcome.output
    if outcome.status is JobStatus.CANCELLED:
        raise TaskCancelledError("The Slurm job was cancelled.")
    if failure is not None and failure.is_user_error:
        raise TaskRuntimeError(failure.traceback or failure.message)
    if failure is not None or output is None:
        raise BackendError(failure.message if failure else "The Slurm job left no result. Run it again.")
    if output.data is not None:
        return worker.decode_archive(output.data)
    return worker.decode_archive(worker.open_archive(host.payload_path(output.ref.digest)))
