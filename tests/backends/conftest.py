"""Real services on this machine, each started once, when a test first asks for it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.queues import LSFExecutor, PBSExecutor, SGEExecutor, SlurmExecutor

from tests.backends.dask_cluster import DaskCluster, dask_cluster
from tests.backends.fake_queue import FakeQueue
from tests.backends.http_server import WebServer, web_server
from tests.backends.object_stores import LocalStore, azure_store, azurite_program, google_store, s3_store
from tests.backends.slurm_cluster import SlurmCluster, slurm_cluster
from tests.backends.sshd import SshServer, ssh_server


@pytest.fixture
def web() -> Iterator[WebServer]:
    """An HTTP server."""
    with web_server() as server:
        yield server


@pytest.fixture(scope="session")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A Dask cluster of two workers."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory, require: Callable[..., str]) -> Iterator[SshServer]:
    """An SSH server for this account."""
    sshd, client = require("/usr/sbin/sshd", "sshd"), require("ssh")
    with ssh_server(tmp_path_factory.mktemp("sshd"), sshd, client) as server:
        yield server


@pytest.fixture
def ssh_options(ssh: SshServer, private: Path) -> dict[str, Any]:
    """Options of the SSH executor that lead to that server, with remote folders of the test's own."""
    return {
        **ssh.login(),
        "hostname": ssh.host,
        "python_path": sys.executable,
        "remote_cache": str(private / "remote cache"),
        "remote_workdir": str(private / "remote work"),
        "max_connection_attempts": 2,
        "retry_wait_time": 0,
        "workers": 2,
    }


@pytest.fixture
def other_key(tmp_path: Path, require: Callable[..., str]) -> Path:
    """A private key that no server knows."""
    key = tmp_path / "other key"
    subprocess.run([require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


@pytest.fixture(scope="session")
def slurm_node(tmp_path_factory: pytest.TempPathFactory, require: Callable[..., str]) -> Iterator[SlurmCluster]:
    """A Slurm cluster."""
    programs = [require(f"/usr/sbin/{name}", name) for name in ("munged", "slurmctld", "slurmd")]
    require("sbatch")
    with slurm_cluster(tmp_path_factory.mktemp("slurm"), *programs) as cluster:
        yield cluster


@pytest.fixture
def slurm(slurm_node: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmCluster:
    """That cluster, where commands of this process find it."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_node.config))
    return slurm_node


@pytest.fixture
def queue(request: pytest.FixtureRequest, private: Path, monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    """Programs that answer as a queue system does; its name is the parameter."""
    found = FakeQueue(folder=private / "queue", system=request.param)
    found.install()
    monkeypatch.setenv("PATH", str(found.programs), prepend=":")
    for kind in (LSFExecutor, PBSExecutor, SGEExecutor, SlurmExecutor):
        monkeypatch.setattr(kind, "least_poll_s", 0.1)
    return found


@pytest.fixture
def queue_options(private: Path) -> dict[str, Any]:
    """Options of an executor for a dispatcher on the login node, with a folder of the test's own."""
    return {
        "on_login_node": True,
        "remote_workdir": str(private / "remote work"),
        "python_path": sys.executable,
        "bashrc_path": "",
        "poll_freq": 0,
    }


@pytest.fixture
def slurm_ssh(
    slurm: SlurmCluster, tmp_path_factory: pytest.TempPathFactory, require: Callable[..., str]
) -> Iterator[SshServer]:
    """An SSH server on that cluster's login node."""
    sshd, client = require("/usr/sbin/sshd", "sshd"), require("ssh")
    env = {"SLURM_CONF": str(slurm.config)}
    with ssh_server(tmp_path_factory.mktemp("sshd"), sshd, client, env) as server:
        yield server


@pytest.fixture
def slurm_options(
    slurm: SlurmCluster, queue_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Options that lead to that cluster, which is asked often."""
    monkeypatch.setattr(SlurmExecutor, "least_poll_s", 0.2)
    return queue_options


@pytest.fixture(scope="session")
def s3() -> Iterator[LocalStore]:
    """A service that speaks S3."""
    with s3_store() as store:
        yield store


@pytest.fixture(scope="session")
def google() -> Iterator[LocalStore]:
    """A service that speaks Google Cloud Storage."""
    with google_store() as store:
        yield store


@pytest.fixture(scope="session")
def azure(require: Callable[..., str]) -> Iterator[LocalStore]:
    """A service that speaks Azure Blob Storage; `.ci/azurite` installs it."""
    node, azurite = require("node"), require(azurite_program())
    with azure_store(node, azurite) as store:
        yield store


@pytest.fixture(params=["s3", "google", "azure"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    """Each of the object stores; the environment leads to it."""
    found: LocalStore = request.getfixturevalue(request.param)
    for name, value in found.env.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A local tree: `source/1.txt`, `source/a b/2.txt` and `source/a b/c/3.txt`."""
    for name, text in {"1.txt": "one", "a b/2.txt": "two", "a b/c/3.txt": ""}.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path
