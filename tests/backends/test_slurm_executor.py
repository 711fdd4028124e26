"""The Slurm executor on a real cluster: over SSH and on the login node, arrays, failures, restarts, dispatches."""

import asyncio
import getpass
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.queues import SlurmExecutor

import covalent_lab as ct
from covalent_lab import payload
from covalent_lab.errors import TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.base import JobStatus, Outcome, PayloadSource
from covalent_lab.testing import jobs
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, failure_message, job
from tests.backends.conda import conda_with
from tests.backends.remote_dispatches import RemoteDispatches
from tests.backends.slurm_cluster import SlurmCluster
from tests.backends.sshd import SshServer, ssh_server

pytestmark = pytest.mark.external


@pytest.fixture
def over_ssh(slurm_ssh: SshServer, slurm_options: dict[str, Any]) -> dict[str, Any]:
    """Options that lead to the login node by SSH."""
    return {**slurm_options, **slurm_ssh.login(), "on_login_node": False, "address": slurm_ssh.host}


def started(
    folder: Path, options: dict[str, Any], host: FakeHost | None = None
) -> AbstractAsyncContextManager[Running]:
    """An executor with these options."""
    return jobs.started(SlurmExecutor(**options), host or FakeHost(folder))


def outcome_of(
    folder: Path, options: dict[str, Any], function: Callable[[], Any] = lambda: 7, **fields: Any
) -> Outcome:
    """How one task ends."""

    async def play() -> Outcome:
        async with started(folder, options) as running:
            return await running.outcome(job(function, **fields))

    return asyncio.run(play())


def waiting_task() -> Callable[[int], str]:
    """A task that tells its job id, and waits for a word."""

    def wait(port: int) -> str:
        print("before", flush=True)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(os.environ["SLURM_JOB_ID"].encode() + b"\n")
            assert connection.recv(2) == b"go"
        return "x" * 100_000

    return wait


# Over SSH


def test_tasks_run_over_ssh(tmp_path: Path, over_ssh: dict[str, Any]) -> None:
    """Large values go there and back as files, streams with them, and nothing but what is shared stays."""
    data = os.urandom(1_000_000)
    archive = payload.encode(data)
    (tmp_path / "data").write_bytes(archive.tobytes())
    source = PayloadSource(ref=archive.ref, path=str(tmp_path / "data"))

    def turn(value: bytes) -> bytes:
        print("turning")
        return value[::-1]

    async def play() -> None:
        async with started(tmp_path, over_ssh) as running:
            outcome = await running.outcome(job(turn, source))
            assert running.load(outcome) == data[::-1]
            assert (outcome.stdout, outcome.stderr) == ("turning\n", "")
            assert await running.value(job(len, source, node_id=1)) == len(data)
            await running.value(job(len, source, node_id=2))
            left = {name for name in os.listdir(over_ssh["remote_workdir"]) if "-dispatch-2" not in name}
            assert {name for name in left if not name.startswith(".covalent-lab-")} == {"payloads"}

    asyncio.run(play())


def test_broken_connection_does_not_disturb_a_job(
    tmp_path: Path, slurm_ssh: SshServer, over_ssh: dict[str, Any]
) -> None:
    """It is followed again over another one, and reported once."""

    def sessions() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes()
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    above = Path(f"/proc/{parent}/cmdline").read_bytes()
                except OSError:
                    continue
                if words.startswith(b"sshd:") and str(slurm_ssh.key.parent).encode() in above:
                    found.append(int(entry.name))
        return found

    async def play() -> None:
        async with Beacon() as beacon, started(tmp_path, over_ssh) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            await beacon.word()
            for pid in await asyncio.to_thread(sessions):
                os.kill(pid, signal.SIGKILL)
            beacon.answer()
            assert running.load(await running.host.finished(spec.attempt_id)) == "x" * 100_000
            assert len(running.host.updates) == 2

    asyncio.run(play())


@pytest.mark.parametrize("name", ["username", "address", "ssh_key_file"])
def test_missing_option_is_named(tmp_path: Path, over_ssh: dict[str, Any], name: str) -> None:
    """With its key in the configuration."""
    assert f"executors.slurm.{name}" in failure_message(outcome_of(tmp_path, {**over_ssh, name: ""}))


def test_missing_files_are_named(tmp_path: Path, over_ssh: dict[str, Any]) -> None:
    """Key and certificate."""
    nowhere = str(tmp_path / "none")
    assert f"SSH key file {nowhere} does not exist" in failure_message(
        outcome_of(tmp_path, {**over_ssh, "ssh_key_file": nowhere})
    )
    message = failure_message(outcome_of(tmp_path, {**over_ssh, "cert_file": nowhere}))
    assert f"Certificate file {nowhere} does not exist" in message


def test_host_that_cannot_be_reached(tmp_path: Path, over_ssh: dict[str, Any]) -> None:
    """The message names host, user and key."""
    wrong = tmp_path / "known_hosts"
    wrong.touch()
    message = failure_message(outcome_of(tmp_path, {**over_ssh, "known_hosts": str(wrong)}))
    assert f"host 127.0.0.1 as user {over_ssh['username']}" in message


def test_login_node_behind_another_host(tmp_path: Path, slurm_ssh: SshServer, over_ssh: dict[str, Any]) -> None:
    """Which has to be there."""
    there, nowhere = f"{slurm_ssh.user}@{slurm_ssh.host}:{slurm_ssh.port}", f"{slurm_ssh.host}:1"
    assert outcome_of(tmp_path, {**over_ssh, "proxy_jump": there}).status is JobStatus.COMPLETED
    message = failure_message(outcome_of(tmp_path, {**over_ssh, "proxy_jump": nowhere}))
    assert "Could not connect to host 127.0.0.1 as user (yours)" in message


PROXY = """#!{python}
import subprocess, sys, time
from covalent_lab_executors.queues.sshproxy import totp

with open("{folder}/calls", "a") as file:
    file.write("called ")
answer = sys.stdin.readline().strip()
if answer not in ["pass" + totp("{secret}", time.time() + later) for later in (-30, 0, 30)]:
    sys.exit("Failed: wrong code")
key = sys.argv[sys.argv.index("-o") + 1]
subprocess.run(["rm", "-f", key, key + ".pub"], check=True)
subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
sign = ["ssh-keygen", "-q", "-s", "{folder}/ca", "-I", "lab", "-n", "{user}", "-V", "+1h", key + ".pub"]
subprocess.run(sign, check=True)
"""


def test_two_factor_login(
    tmp_path: Path,
    slurm: SlurmCluster,
    slurm_options: dict[str, Any],
    require: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The login node trusts certificates only; one is made with a one-time password, and again when it ended.

    The program that makes it stands for that of the service.
    """
    secret, user = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", getpass.getuser()
    subprocess.run([require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ca"], check=True)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "sshproxy"
    program.write_text(PROXY.format(python=sys.executable, folder=tmp_path, secret=secret, user=user))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("LAB_PASSWORD", "pass")
    monkeypatch.setenv("LAB_SEED", secret)
    proxy = {"hosts": ["127.0.0.1"], "password": "env:LAB_PASSWORD", "secret": "env:LAB_SEED"}
    ct.set_config("executors.slurm.sshproxy", proxy)
    (tmp_path / "sshd").mkdir()
    settings = [f'TrustedUserCAKeys "{tmp_path}/ca.pub"']
    sshd, ssh, env = require("/usr/sbin/sshd", "sshd"), require("ssh"), {"SLURM_CONF": str(slurm.config)}
    with ssh_server(tmp_path / "sshd", sshd, ssh, env, settings) as server:
        options = {**slurm_options, **server.login(), "on_login_node": False, "address": server.host}
        options["ssh_key_file"] = str(tmp_path / "nersc")
        for _ in range(2):
            assert outcome_of(tmp_path, options).status is JobStatus.COMPLETED
        assert (tmp_path / "calls").read_text() == "called "
        ended = ["-V", "20200101:20200102", str(tmp_path / "nersc.pub")]
        subprocess.run(["ssh-keygen", "-q", "-s", tmp_path / "ca", "-I", "lab", "-n", user, *ended], check=True)
        assert outcome_of(tmp_path, options).status is JobStatus.COMPLETED
        assert (tmp_path / "calls").read_text() == "called called "
        (tmp_path / "nersc").unlink()
        monkeypatch.setenv("LAB_PASSWORD", "wrong")
        assert "Failed: wrong code" in failure_message(outcome_of(tmp_path, options))
        assert "has no ssh_key_file" in failure_message(outcome_of(tmp_path, {**options, "ssh_key_file": ""}))


# What the cluster refuses, and what goes wrong there


def test_options_that_slurm_refuses(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """In Slurm's words."""
    message = failure_message(outcome_of(tmp_path, {**slurm_options, "options": {"partition": "none"}}))
    assert "Slurm refused the job: sbatch: error: invalid partition specified: none" in message


def test_commands_that_are_not_there(
    tmp_path: Path, slurm_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message asks for slurm_path."""
    for name in ("bash", "mkdir", "find", "touch", "cat", "mv", "rm"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Set slurm_path" in failure_message(outcome_of(tmp_path, {**slurm_options, "slurm_path": ""}))


def test_working_directory_that_cannot_be_made(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """The message names it, and the option."""
    (tmp_path / "file").touch()
    options = {**slurm_options, "remote_workdir": str(tmp_path / "file" / "below")}
    assert "Choose another remote_workdir" in failure_message(outcome_of(tmp_path, options))


def test_python_of_another_version(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """Ends the job before the task, unless versions do not matter."""
    client = {"python_version": "3.9.1"}
    message = failure_message(outcome_of(tmp_path, slurm_options, client=client))
    assert "on the compute node, but the workflow was written with 3.9" in message
    relaxed = {**slurm_options, "ignore_versions": True}
    assert outcome_of(tmp_path, relaxed, client=client).status is JobStatus.COMPLETED


def test_conda_environment_that_is_not_there(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """Ends the job before the task."""
    message = failure_message(outcome_of(tmp_path, {**slurm_options, "conda_env": "none"}))
    assert "Conda environment none cannot be activated" in message


def test_task_runs_in_its_conda_environment(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """With the Python of that environment, which needs cloudpickle; conda is where the script's first file says."""
    program = conda_with(tmp_path / "conda", "my lab", bare="bare")
    (tmp_path / "bashrc").write_text(f'export PATH="{program.parent}:$PATH"\n')
    options = {**slurm_options, "bashrc_path": str(tmp_path / "bashrc"), "python_path": "python"}

    def where() -> None:
        print(sys.prefix)

    assert outcome_of(tmp_path, {**options, "conda_env": "my lab"}, where).stdout == f"{tmp_path}/conda/envs/my lab\n"
    message = failure_message(outcome_of(tmp_path, {**options, "conda_env": "bare"}))
    assert "cloudpickle is missing on the compute node" in message
    assert f"{tmp_path}/conda/envs/bare/bin/python -m pip install cloudpickle==" in message
    message = failure_message(outcome_of(tmp_path, {**options, "conda_env": "none"}))
    assert "Conda environment none cannot be activated" in message


def test_commands_and_variables_around_the_task(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """In order, in one log; without srun too."""
    (tmp_path / "bashrc").write_text("export FROM_RC=rc\n")
    options = {
        **slurm_options,
        "bashrc_path": str(tmp_path / "bashrc"),
        "variables": {"WORD": "$FROM_RC word"},
        "prerun_commands": ["echo before"],
        "postrun_commands": ["echo after"],
        "use_srun": False,
    }

    def say() -> str:
        print(os.environ["WORD"])
        return os.environ.get("SLURM_STEP_ID", "")

    outcome = outcome_of(tmp_path, options, say)
    assert outcome.stdout == "before\nrc word\nafter\n"


def test_only_the_first_of_several_ranks_answers(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """All of them run the task."""
    options = {**slurm_options, "options": {"ntasks": 3}, "srun_options": {"n": 3}}

    def rank() -> str:
        print("here")
        return os.environ["SLURM_PROCID"]

    outcome = outcome_of(tmp_path, options, rank)
    assert outcome.output is not None
    assert outcome.output.data is not None
    assert payload.decode(outcome.output.data) == "0"
    assert outcome.stdout == "here\n" * 3


def test_job_that_somebody_else_cancels(tmp_path: Path, slurm: SlurmCluster, slurm_options: dict[str, Any]) -> None:
    """Is a failure, with what it printed."""

    async def play() -> None:
        async with Beacon() as beacon, started(tmp_path, slurm_options) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            job_id = (await beacon.word()).decode()
            await asyncio.to_thread(slurm.say, "scancel", job_id)
            outcome = await running.host.finished(spec.attempt_id)
            assert f"Slurm job {job_id} was cancelled on the cluster" in failure_message(outcome)
            assert outcome.stdout == "before\n"

    asyncio.run(play())


def test_job_that_uses_too_much_memory(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """Slurm's reason is in the message."""

    def swell(port: int) -> None:
        data = bytearray(os.urandom(1)) * 400_000_000
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.recv(1)
        del data

    async def play() -> None:
        async with Beacon() as beacon, started(tmp_path, {**slurm_options, "options": {"mem": "100M"}}) as running:
            outcome = await running.outcome(job(swell, beacon.port))
            assert "memory" in failure_message(outcome).lower()

    asyncio.run(play())


# Arrays, cancellation, files


def test_jobs_with_equal_options_are_one_array(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """Others are jobs of their own; the job's name is the documented one."""

    def place(number: int) -> tuple[int, str, str]:
        return number, os.environ.get("SLURM_ARRAY_JOB_ID", ""), os.environ["SLURM_JOB_NAME"]

    specs = [job(place, n, node_id=n) for n in range(3)]
    other = job(place, 3, node_id=3, options={"variables": {"A": "1"}})

    async def play() -> None:
        async with started(tmp_path, slurm_options) as running:
            await running.submit(*specs, other)
            found = [running.load(await running.host.finished(spec.attempt_id)) for spec in (*specs, other)]
            (array,) = {job_id for _, job_id, _ in found[:3]}
            assert array
            assert [number for number, _, _ in found] == [0, 1, 2, 3]
            assert found[3] == (3, "", "covalent-3-dispatch")

    asyncio.run(play())


def test_job_that_was_not_submitted_yet_never_is(
    tmp_path: Path, slurm: SlurmCluster, slurm_options: dict[str, Any]
) -> None:
    """If it is cancelled at once."""

    async def play() -> None:
        async with started(tmp_path, slurm_options) as running:
            spec = job(lambda: 1, dispatch_id="never")
            await running.submit(spec)
            await running.cancel(spec)
            assert (await running.host.finished(spec.attempt_id)).status is JobStatus.CANCELLED
            assert len(running.host.updates) == 1

    asyncio.run(play())
    assert "covalent-0-never" not in slurm.say("squeue", "-h", "-t", "all", "-o", "%j")


@pytest.mark.parametrize("cleans", [True, False])
def test_files_of_a_job_are_deleted_at_its_end(tmp_path: Path, slurm_options: dict[str, Any], cleans: bool) -> None:
    """Unless they shall stay; their names are the documented ones."""
    folder = Path(slurm_options["remote_workdir"], "dispatch", "node_0")

    async def play() -> None:
        async with started(tmp_path, {**slurm_options, "cleanup": cleans, "create_unique_workdir": True}) as running:
            assert await running.value(job(os.getcwd)) == str(folder)
            await running.value(job(lambda: 1, node_id=1))
            names = {"func-dispatch-0.pkl", "result-dispatch-0.pkl", "slurm-dispatch-0.sh"}
            names |= {"stdout-dispatch-0.log", "stderr-dispatch-0.log"}
            assert names <= set(os.listdir(folder)) or cleans
            assert not (names & set(os.listdir(folder)) and cleans)

    asyncio.run(play())


# Restarts


@pytest.mark.parametrize("is_over", [True, False])
def test_another_dispatcher_takes_jobs_up(tmp_path: Path, slurm_options: dict[str, Any], is_over: bool) -> None:
    """An array by its handles, whether it ended meanwhile or not."""
    host = FakeHost(tmp_path)

    async def play() -> None:
        async with Beacon() as beacon:
            specs = [job(waiting_task(), beacon.port, node_id=node) for node in range(2)]
            async with started(tmp_path, slurm_options) as running:
                handles = await running.submit(*specs)
                for _ in specs:
                    await beacon.word()
            assert host.outcomes() == {}
            if is_over:
                beacon.answer()
                for _ in specs:
                    await beacon.gone()
            async with started(tmp_path, {}, host) as running:
                await running.executor.watch({s.attempt_id: h for s, h in zip(specs, handles, strict=True)})
                if not is_over:
                    beacon.answer()
                for spec in specs:
                    assert running.load(await host.finished(spec.attempt_id)) == "x" * 100_000

    asyncio.run(play())


def test_repeated_submission_by_another_dispatcher_runs_once(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """As happens where the first one died before it knew."""

    async def play() -> None:
        async with Beacon() as beacon:
            spec = job(waiting_task(), beacon.port)
            async with started(tmp_path, slurm_options) as running:
                await running.submit(spec)
                first = await beacon.word()
            async with started(tmp_path, slurm_options) as running:
                await running.submit(spec)
                await running.host.start_of(spec.attempt_id)
                beacon.answer()
                assert running.load(await running.host.finished(spec.attempt_id)) == "x" * 100_000
            assert first

    asyncio.run(play())


@pytest.mark.parametrize("how", ["watched", "submitted again"])
def test_job_whose_id_was_not_written_down_is_found(
    tmp_path: Path, slurm: SlurmCluster, slurm_options: dict[str, Any], how: str
) -> None:
    """By its script, as Slurm knows it; so it runs once, and the next dispatcher finds the id."""
    notes, name = slurm_options["remote_workdir"], how.replace(" ", "-")

    async def play() -> None:
        async with Beacon() as beacon:
            specs = [job(waiting_task(), beacon.port, dispatch_id=name, node_id=node) for node in range(2)]
            async with started(tmp_path, slurm_options) as running:
                handles = await running.submit(*specs)
                for _ in specs:
                    await beacon.word()
            (note,) = [Path(notes, file) for file in os.listdir(notes) if file.endswith(".id")]
            job_id = note.read_text()
            note.unlink()
            async with started(tmp_path, slurm_options) as running:
                if how == "watched":
                    await running.executor.watch({s.attempt_id: h for s, h in zip(specs, handles, strict=True)})
                else:
                    await running.submit(*specs)
                for spec in specs:
                    await running.host.start_of(spec.attempt_id)
                assert note.read_text().strip() == job_id.strip()
                beacon.answer()
                for spec in specs:
                    assert running.load(await running.host.finished(spec.attempt_id)) == "x" * 100_000

    asyncio.run(play())
    assert len(slurm.say("squeue", "-h", "-t", "all", "-n", f"covalent-0-{name}", "-o", "%F").split()) == 2


def test_job_that_was_never_submitted_is_lost(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """Never completed; nor is one whose handle says nothing."""

    async def play() -> None:
        async with started(tmp_path, slurm_options) as running:
            specs = [job(lambda: 1, node_id=node) for node in range(2)]
            handle = {"stem": "none-0", "name": "n", "index": None, "folder": "none", "options": slurm_options}
            await running.executor.watch({specs[0].attempt_id: handle, specs[1].attempt_id: {}})
            for spec in specs:
                assert (await running.host.finished(spec.attempt_id)).status is JobStatus.LOST

    asyncio.run(play())


# The documented methods


def test_documented_methods(tmp_path: Path, over_ssh: dict[str, Any], slurm: SlurmCluster) -> None:
    """`run` returns or raises, `cancel` ends a job, `get_status` tells Slurm's word, `perform_cleanup` deletes."""
    import asyncssh

    metadata = {"dispatch_id": "d", "node_id": 0, "results_dir": str(tmp_path)}

    def divide(x: int, by: int = 1) -> float:
        print("dividing")
        return x / by

    async def play() -> None:
        executor = SlurmExecutor(**over_ssh)
        assert await executor.run(divide, [6], {"by": 2}, metadata) == 3.0
        assert executor.task_stdout.getvalue() == "dividing\n"
        with pytest.raises(TaskRuntimeError, match="ZeroDivisionError"):
            await executor.run(divide, [6], {"by": 0}, metadata)
        async with Beacon() as beacon:
            running = asyncio.create_task(executor.run(waiting_task(), [beacon.port], {}, metadata))
            job_id = (await beacon.word()).decode()
            async with asyncssh.connect(
                over_ssh["address"],
                over_ssh["port"],
                client_keys=[over_ssh["ssh_key_file"]],
                known_hosts=over_ssh["known_hosts"],
            ) as connection:
                assert await executor.get_status({"job_id": job_id}, connection) == "RUNNING"
                assert await executor.cancel(metadata, job_id)
                with pytest.raises(ct.errors.BackendError, match="was cancelled on the cluster"):
                    await running
                files = [str(tmp_path / name) for name in "abcdef"]
                for file in files[:5]:
                    await asyncio.to_thread(Path(file).touch)
                await executor.perform_cleanup(connection, *files)

    asyncio.run(play())
    assert not [name for name in "abcdef" if (tmp_path / name).exists()]


def test_cancelled_run_cancels_its_job(tmp_path: Path, slurm_options: dict[str, Any]) -> None:
    """And waits for its end."""

    async def play() -> None:
        async with Beacon() as beacon:
            metadata = {"dispatch_id": "d", "node_id": 0, "results_dir": str(tmp_path)}
            running = asyncio.create_task(
                SlurmExecutor(**slurm_options).run(waiting_task(), [beacon.port], {}, metadata)
            )
            await beacon.word()
            running.cancel()
            with pytest.raises((asyncio.CancelledError, TaskCancelledError)):
                await running
            await beacon.gone()

    asyncio.run(play())


class TestSlurmDispatches(RemoteDispatches):
    """Whole dispatches."""

    name, make = "slurm", SlurmExecutor

    @pytest.fixture
    def options(self, slurm_options: dict[str, Any]) -> dict[str, Any]:
        """How it is reached."""
        return slurm_options
