"""The SSH executor through a real OpenSSH server: what can go wrong, lost connections, restarts, whole dispatches."""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from covalent_lab_executors.ssh import SSHExecutor
from covalent_lab_executors.ssh.target import job_name

import covalent_lab as ct
from covalent_lab import payload
from covalent_lab.executor.base import JobSpec, JobStatus, Outcome, PayloadSource
from covalent_lab.testing import jobs
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, failure_message, job
from tests.backends.remote_dispatches import RemoteDispatches
from tests.backends.sshd import SshServer

pytestmark = pytest.mark.external


def started(
    folder: Path, options: dict[str, Any], host: FakeHost | None = None
) -> AbstractAsyncContextManager[Running]:
    """An executor with these options."""
    return jobs.started(SSHExecutor(**options), host or FakeHost(folder))


def outcome_of(folder: Path, options: dict[str, Any], **fields: Any) -> Outcome:
    """How one small task ends."""

    async def play() -> Outcome:
        async with started(folder, options) as running:
            return await running.outcome(job(lambda: 7, **fields))

    return asyncio.run(play())


def waiting_task() -> Callable[[int], str]:
    """A task that says which process started it, and waits for a word."""

    def wait(port: int) -> str:
        print("before")
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"%d\n" % os.getppid())
            assert connection.recv(2) == b"go"
        return "x" * 100_000

    return wait


def when_there(path: Path) -> None:
    """Wait for a file."""
    while not path.exists():
        time.sleep(0.01)


def plain_python(folder: Path) -> Path:
    """An interpreter with nothing installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


# What can go wrong


def test_missing_key_file_is_named(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """And nothing is tried."""
    message = failure_message(outcome_of(tmp_path, {**ssh_options, "ssh_key_file": str(tmp_path / "none")}))
    assert f"SSH key file {tmp_path / 'none'} does not exist" in message


def test_missing_host_name_is_explained(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """The message names the key of the configuration."""
    assert "executors.ssh.hostname" in failure_message(outcome_of(tmp_path, {**ssh_options, "hostname": ""}))


def test_key_that_the_host_refuses(tmp_path: Path, ssh_options: dict[str, Any], other_key: Path) -> None:
    """The message names host, account and key."""
    message = failure_message(outcome_of(tmp_path, {**ssh_options, "ssh_key_file": str(other_key)}))
    assert f"Could not connect to host 127.0.0.1 as user {ssh_options['username']}" in message
    assert f"it does not accept key {other_key}" in message


def test_unknown_host_is_not_trusted(tmp_path: Path, ssh: SshServer, ssh_options: dict[str, Any]) -> None:
    """A host key that is not the known one ends it, unless any host is accepted."""
    wrong = tmp_path / "known_hosts"
    wrong.write_text(f"[127.0.0.1]:{ssh.port} {' '.join(ssh.key.with_suffix('.pub').read_text().split()[:2])}\n")
    outcome = outcome_of(tmp_path, {**ssh_options, "known_hosts": str(wrong)})
    assert "is not among the known hosts" in failure_message(outcome)
    assert outcome_of(tmp_path, {**ssh_options, "known_hosts": "none"}).status is JobStatus.COMPLETED


@pytest.mark.parametrize(("retry", "tries"), [(True, 2), (False, 1)])
def test_refused_connection_is_tried_again(
    tmp_path: Path, ssh_options: dict[str, Any], retry: bool, tries: int
) -> None:
    """As often as the options say; the failure may pass."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        options = {**ssh_options, "port": unused.getsockname()[1], "retry_connect": retry}
        outcome = outcome_of(tmp_path, options)
    assert f"tries: {tries}" in failure_message(outcome)
    assert outcome.failure is not None
    assert outcome.failure.is_transient


def test_task_runs_here_if_it_shall(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """In a process of its own, when the host cannot be used."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        options = {**ssh_options, "port": unused.getsockname()[1], "run_local_on_ssh_fail": True}

        async def play() -> None:
            async with started(tmp_path, options) as running:
                assert await running.value(job(os.getpid)) != os.getpid()

        asyncio.run(play())


def test_python_that_does_not_start(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """The message names it, and the option."""
    message = failure_message(outcome_of(tmp_path, {**ssh_options, "python_path": "/no such/python"}))
    assert "'/no such/python' does not start on host 127.0.0.1" in message
    assert "Set python_path" in message


def test_python_of_another_version(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """What another minor version has pickled is not loaded."""
    message = failure_message(outcome_of(tmp_path, ssh_options, client={"python_version": "3.9.1"}))
    assert "but the workflow was written with 3.9.1" in message
    assert "to a Python 3.9 there" in message


def test_python_needs_cloudpickle_only(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """Without it the message says how to install it; with nothing else a task runs."""
    python = plain_python(tmp_path / "venv")
    options = {**ssh_options, "python_path": str(python)}
    message = failure_message(outcome_of(tmp_path, options))
    assert "No module named 'cloudpickle'" in message
    assert "-m pip install cloudpickle" in message
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    shutil.copytree(Path(cloudpickle.__file__).parent, packages / "cloudpickle")
    assert outcome_of(tmp_path, options).status is JobStatus.COMPLETED


def test_conda_environment_that_is_not_there(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """The message names it, and the option."""
    message = failure_message(outcome_of(tmp_path, {**ssh_options, "conda_env": "no such"}))
    assert "Conda environment 'no such' cannot be used" in message


# Files


def test_large_payload_travels_once(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """50 MB there and back; a second task finds it there."""
    data = os.urandom(50_000_000)
    archive = payload.encode(data)
    path = tmp_path / "data"
    path.write_bytes(archive.tobytes())
    source = PayloadSource(ref=archive.ref, path=str(path))
    there = Path(ssh_options["remote_cache"], "payloads", archive.ref.digest[:2], archive.ref.digest)

    async def play() -> None:
        async with started(tmp_path, ssh_options) as running:
            assert await running.value(job(lambda value: value[::-1], source)) == data[::-1]
            inode = os.stat(there).st_ino
            assert await running.value(job(len, source, node_id=1)) == len(data)
            assert os.stat(there).st_ino == inode

    asyncio.run(play())


@pytest.mark.parametrize("cleans", [True, False])
def test_files_of_a_job_are_deleted_at_its_end(tmp_path: Path, ssh_options: dict[str, Any], cleans: bool) -> None:
    """Unless they shall stay."""
    jobs = Path(ssh_options["remote_cache"], "jobs")

    async def play() -> None:
        async with started(tmp_path, {**ssh_options, "do_cleanup": cleans}) as running:
            await running.value(job(lambda: 1))
            await running.value(job(lambda: 1, node_id=1))
            names = [name.rpartition("-")[0] for name in os.listdir(jobs)]
            assert ("dispatch_0_1" in names) is not cleans

    asyncio.run(play())


def test_unique_working_directory(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """Named after dispatch and node."""

    async def play() -> None:
        async with started(tmp_path, {**ssh_options, "create_unique_workdir": True}) as running:
            expected = os.path.join(ssh_options["remote_workdir"], "dispatch", "node_3")
            assert await running.value(job(os.getcwd, node_id=3)) == expected

    asyncio.run(play())


def test_job_that_was_not_sent_yet_never_is(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """If it is cancelled at once."""

    async def play() -> None:
        async with started(tmp_path, ssh_options) as running:
            spec = job(lambda: 1)
            await running.submit(spec)
            await running.cancel(spec)
            assert (await running.host.finished(spec.attempt_id)).status is JobStatus.CANCELLED
            assert len(running.host.updates) == 1

    asyncio.run(play())


# Lost connections and restarts


async def parent_of(pid: int) -> int:
    """The process that started another."""
    text = await asyncio.to_thread(Path(f"/proc/{pid}/stat").read_text)
    return int(text.rpartition(")")[2].split()[1])


def test_broken_connection_does_not_disturb_a_task(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """It runs on, is found again, and reported started and finished once; what waited runs too."""

    async def play() -> FakeHost:
        async with Beacon() as beacon, started(tmp_path, {**ssh_options, "workers": 1}) as running:
            spec, queued = job(waiting_task(), beacon.port), job(lambda: "queued", node_id=1)
            await running.submit(spec, queued)
            agent = int(await beacon.word())
            os.kill(await parent_of(agent), signal.SIGKILL)
            after = job(lambda: "after", node_id=2, options={"workers": 2})
            assert await running.value(after) == "after"
            beacon.answer()
            outcome = await running.host.finished(spec.attempt_id)
            assert running.load(outcome) == "x" * 100_000
            assert outcome.stdout == "before\n"
            assert running.load(await running.host.finished(queued.attempt_id)) == "queued"
            assert len(running.host.updates) == 6
            return running.host

    asyncio.run(play()).outcomes()


def test_task_of_a_broken_connection_can_be_cancelled(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """Whoever started it."""

    async def play() -> None:
        async with Beacon() as beacon, started(tmp_path, ssh_options) as running:
            spec = job(waiting_task(), beacon.port)
            await running.submit(spec)
            agent = int(await beacon.word())
            os.kill(await parent_of(agent), signal.SIGKILL)
            await running.cancel(spec)
            outcome = await running.host.finished(spec.attempt_id)
            assert (outcome.status, outcome.stdout) == (JobStatus.CANCELLED, "before\n")
            await beacon.gone()

    asyncio.run(play())


@pytest.mark.parametrize("is_over", [True, False])
def test_another_dispatcher_takes_a_task_up(tmp_path: Path, ssh_options: dict[str, Any], is_over: bool) -> None:
    """By its handle, whether it ended meanwhile or not."""
    host = FakeHost(tmp_path)

    async def play() -> None:
        async with Beacon() as beacon:
            async with started(tmp_path, ssh_options) as running:
                spec = job(waiting_task(), beacon.port)
                (handle,) = await running.submit(spec)
                await beacon.word()
            assert host.outcomes() == {}
            if is_over:
                beacon.answer()
                await beacon.gone()
            async with started(tmp_path, {}, host) as running:
                await running.executor.watch({spec.attempt_id: handle})
                if not is_over:
                    beacon.answer()
                assert running.load(await host.finished(spec.attempt_id)) == "x" * 100_000

    asyncio.run(play())


def test_what_jobs_need_is_kept_until_a_dispatcher_comes(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """Also after days: inputs of those that wait, and results that nobody has fetched; of other payloads one is."""
    options, host = {**ssh_options, "workers": 1}, FakeHost(tmp_path)
    remote = Path(ssh_options["remote_cache"])
    archive = payload.encode(os.urandom(100_000))
    (tmp_path / "data").write_bytes(archive.tobytes())
    source = PayloadSource(ref=archive.ref, path=str(tmp_path / "data"))

    def when_ended(spec: JobSpec) -> None:
        with (remote / "jobs" / job_name(spec.attempt_id) / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)

    def grow_old() -> Path:
        forgotten = remote / "payloads" / "forgotten"
        forgotten.touch()
        for folder, _, names in os.walk(remote / "payloads"):
            for name in names:
                os.utime(Path(folder, name), (0, 0))
        return forgotten

    async def play() -> None:
        async with Beacon() as beacon:
            async with started(tmp_path, options) as running:
                specs = [job(waiting_task(), beacon.port), job(len, source, node_id=1)]
                handles = [*await running.submit(specs[0])]
                await beacon.word()
                handles += await running.submit(specs[1])
                there = remote / "jobs" / job_name(specs[1].attempt_id) / "job"
                await asyncio.to_thread(when_there, there)
            beacon.answer()
            await asyncio.to_thread(when_ended, specs[0])
            forgotten = await asyncio.to_thread(grow_old)
            async with started(tmp_path, {}, host) as running:
                await running.executor.watch({s.attempt_id: h for s, h in zip(specs, handles, strict=True)})
                assert running.load(await host.finished(specs[0].attempt_id)) == "x" * 100_000
                assert running.load(await host.finished(specs[1].attempt_id)) == 100_000
            assert not await asyncio.to_thread(forgotten.exists)

    asyncio.run(play())


def test_job_that_is_not_there_is_lost(tmp_path: Path, ssh_options: dict[str, Any]) -> None:
    """Never completed."""

    async def play() -> None:
        async with started(tmp_path, ssh_options) as running:
            spec = job(lambda: 1)
            await running.executor.watch({spec.attempt_id: {"options": ssh_options}})
            assert (await running.host.finished(spec.attempt_id)).status is JobStatus.LOST

    asyncio.run(play())


class TestSSHDispatches(RemoteDispatches):
    """Whole dispatches."""

    name, make = "ssh", SSHExecutor

    @pytest.fixture
    def options(self, ssh_options: dict[str, Any]) -> dict[str, Any]:
        """How it is reached."""
        return ssh_options


# Options


def test_empty_options_come_from_the_configuration(private: Path) -> None:
    """Under both names of the remote folder; what is given wins."""
    ct.set_config("executors.ssh.hostname", "a.example.org")
    ct.set_config("executors.ssh.remote_dir", "/older")
    found = SSHExecutor("ada", python_path="python3").to_dict()["attributes"]
    assert (found["username"], found["hostname"], found["python_path"]) == ("ada", "a.example.org", "python3")
    assert found["remote_cache"] == "/older"
    assert SSHExecutor(remote_dir="/mine").to_dict()["attributes"]["remote_cache"] == "/mine"
    ct.set_config("executors.ssh.remote_cache", "/newer")
    assert SSHExecutor().to_dict()["attributes"]["remote_cache"] == "/newer"


def test_arguments_of_older_versions_are_ignored_with_a_warning(private: Path) -> None:
    """The warning names them."""
    with pytest.warns(UserWarning, match="SSHExecutor ignores python3_path"):
        executor = SSHExecutor("ada", "host", python3_path="python3")
    assert executor.to_dict()["attributes"]["hostname"] == "host"
