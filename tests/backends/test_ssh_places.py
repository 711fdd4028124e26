"""How an SSH executor gets to its host and its Python: names and jump hosts of the SSH configuration, conda."""

import asyncio
import getpass
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.ssh import SSHExecutor

from covalent_lab.executor.base import JobStatus, Outcome
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import failure_message, job, started
from tests.backends.conda import conda_with
from tests.backends.service import serving as running_program
from tests.backends.sshd import SshServer, ssh_server

pytestmark = pytest.mark.external

CONFIG = """
Host {name}
    HostName {server.host}
    Port {server.port}
    User {server.user}
    IdentityFile "{key}"
    UserKnownHostsFile "{folder}/known_hosts"
    {more}
"""


@pytest.fixture
def home(private: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A login folder for the client, with a folder for its SSH configuration."""
    (private / "home" / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(private / "home"))
    return private / "home"


@contextmanager
def serving(folder: Path, require: Callable[..., str], **env: str) -> Iterator[SshServer]:
    """One more SSH server."""
    folder.mkdir()
    with ssh_server(folder, require("/usr/sbin/sshd", "sshd"), require("ssh"), env) as server:
        yield server


def entry(name: str, server: SshServer, key: Path | None = None, more: str = "") -> str:
    """What an SSH configuration says of a server."""
    return CONFIG.format(name=name, server=server, key=key or server.key, folder=server.key.parent, more=more)


def outcome_of(folder: Path, task: Callable[[], Any], **options: Any) -> tuple[Outcome, Any]:
    """How a task ends, and what it returns."""

    async def play() -> tuple[Outcome, Any]:
        async with started(SSHExecutor(**options), FakeHost(folder)) as running:
            outcome = await running.outcome(job(task))
            return outcome, running.load(outcome) if outcome.status is JobStatus.COMPLETED else None

    return asyncio.run(play())


# Hosts


def test_host_key_and_jumps_come_from_the_ssh_configuration(
    tmp_path: Path, home: Path, ssh: SshServer, other_key: Path, require: Callable[..., str]
) -> None:
    """A name is enough; without the right key for the jump host nobody gets through, and the message says so."""

    def task() -> int:
        return 7

    options = {"hostname": "far", "python_path": sys.executable, "remote_cache": str(tmp_path / "remote")}
    with serving(tmp_path / "gate", require) as gate:
        config = home / ".ssh" / "config"
        far = entry("far", ssh, more="ProxyJump gate")
        config.write_text(far + entry("gate", gate))
        assert outcome_of(tmp_path, task, **options)[1] == 7
        config.write_text(far + entry("gate", gate, other_key))
        message = failure_message(outcome_of(tmp_path, task, **options)[0])
        assert "it does not accept the keys of the SSH configuration" in message
        assert "on the hosts of ProxyJump as well" in message


@contextmanager
def letting_in(folder: Path, require: Callable[..., str], server: SshServer) -> Iterator[SshServer]:
    """One more SSH server, which accepts the key of another; its known hosts have both."""
    with serving(folder, require) as gate:
        for name, theirs in (("user_key.pub", server.key.with_suffix(".pub")), ("known_hosts", known_hosts(server))):
            with (folder / name).open("a") as file:
                file.write(theirs.read_text())
        yield gate


def known_hosts(server: SshServer) -> Path:
    """The file with its host key."""
    return server.key.parent / "known_hosts"


def test_hosts_on_the_way_are_an_option(
    tmp_path: Path, home: Path, ssh_options: dict[str, Any], ssh: SshServer, require: Callable[..., str]
) -> None:
    """One or several, with the key and the known hosts of the one behind them; a configuration is not needed."""

    def task() -> int:
        return 7

    with letting_in(tmp_path / "gate", require, ssh) as gate, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        options = {**ssh_options, "known_hosts": str(known_hosts(gate))}
        way = f"{getpass.getuser()}@127.0.0.1:{gate.port}"
        assert outcome_of(tmp_path, task, **options, proxy_jump=way)[1] == 7
        assert outcome_of(tmp_path, task, **options, proxy_jump=f"{way}, [127.0.0.1]:{gate.port}")[1] == 7
        closed = unused.getsockname()[1]
        message = failure_message(outcome_of(tmp_path, task, **options, proxy_jump=f"gate@127.0.0.1:{closed}")[0])
        assert "Could not connect to host 127.0.0.1 as user gate" in message
        message = failure_message(outcome_of(tmp_path, task, **{**options, "port": closed}, proxy_jump=way)[0])
        assert "tries: 2" in message  # a host behind another one may come back as well
    message = failure_message(outcome_of(tmp_path, task, **options, proxy_jump="a b")[0])
    assert "Give [user@]host[:port]" in message


def test_hosts_on_the_way_have_the_names_and_keys_of_the_ssh_configuration(
    tmp_path: Path, home: Path, ssh: SshServer, ssh_options: dict[str, Any], require: Callable[..., str]
) -> None:
    """And the option wins over what is configured: another way, or none."""

    def task() -> int:
        return 7

    config = home / ".ssh" / "config"
    options = {"hostname": "far", **{name: ssh_options[name] for name in ("python_path", "remote_cache")}}
    with serving(tmp_path / "gate", require) as gate:
        config.write_text(entry("far", ssh, more="ProxyJump nowhere") + entry("gate", gate))
        assert outcome_of(tmp_path, task, **options, ssh_key_file=str(ssh.key), proxy_jump="gate")[1] == 7
        assert outcome_of(tmp_path, task, **options, proxy_jump="none")[1] == 7
        assert outcome_of(tmp_path, task, **options, retry_connect=False)[0].status is JobStatus.FAILED


def test_key_with_a_passphrase_is_used_by_an_agent(
    tmp_path: Path,
    home: Path,
    ssh: SshServer,
    ssh_options: dict[str, Any],
    require: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without one, the message says how to give it to one."""

    def task() -> int:
        return 7

    locked = tmp_path / "locked"
    shutil.copy(ssh.key, locked)
    subprocess.run([require("ssh-keygen"), "-q", "-p", "-P", "", "-N", "secret", "-f", locked], check=True)
    options = {**ssh_options, "ssh_key_file": str(locked)}
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    message = failure_message(outcome_of(tmp_path, task, **options)[0])
    assert (
        f"The key has a passphrase: let an SSH agent hold it where the dispatcher runs (`ssh-add {locked}`)" in message
    )
    agent = str(home / "agent")
    with running_program([require("ssh-agent"), "-D", "-a", agent], "SSH_AUTH_SOCK"):
        monkeypatch.setenv("SSH_AUTH_SOCK", agent)
        subprocess.run([require("ssh-add"), "-q", ssh.key], check=True)
        assert outcome_of(tmp_path, task, **options)[1] == 7


def test_without_a_key_or_a_configuration_the_usual_key_is_named(tmp_path: Path, home: Path) -> None:
    """There is nothing to log in with."""
    message = failure_message(outcome_of(tmp_path, lambda: 7, hostname="far")[0])
    assert f"SSH key file {home.resolve() / '.ssh' / 'id_rsa'} does not exist" in message


# Conda


def test_task_runs_in_its_conda_environment(
    tmp_path: Path, ssh_options: dict[str, Any], require: Callable[..., str]
) -> None:
    """With the Python of that environment, which needs cloudpickle; one that is not there is named."""
    conda = tmp_path / "conda"
    program = conda_with(conda, "lab", bare="bare")

    def where() -> str:
        return sys.prefix

    with serving(tmp_path / "sshd", require, CONDA_EXE=str(program)) as server:
        options = {**ssh_options, **server.login(), "python_path": "python"}
        assert outcome_of(tmp_path, where, **options, conda_env="lab")[1] == str(conda / "envs" / "lab")
        message = failure_message(outcome_of(tmp_path, where, **options, conda_env="bare")[0])
        assert f"{conda}/envs/bare/bin/python -m pip install cloudpickle" in message
        message = failure_message(outcome_of(tmp_path, where, **options, conda_env="none")[0])
        assert "Conda environment 'none' cannot be used on host 127.0.0.1" in message
        assert "EnvironmentNameNotFound: none" in message
