"""The documented examples of the executors for Dask, SSH and Slurm, each on the real thing.

Addresses and accounts are exchanged for those of the tests' own; what else is exchanged, and why, is said there.
"""

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab import compat
from tests.backends.dask_cluster import DaskCluster
from tests.backends.slurm_cluster import SlurmCluster
from tests.backends.sshd import SshServer

pytestmark = pytest.mark.external

EXAMPLES = Path(__file__).resolve().parents[1] / "contract" / "reference_examples"
WITHOUT_GPU = {
    r'"qos": "regular",\s+': "",  # it has no accounting
    r'"constraint": "gpu",\s+': "",
    r'"G": 4,\s+': "",
    r',\s+"gpu-bind": "single:1"': "",
    "01:30:00": "00:30:00",  # its partition gives an hour at most
    "module load package/1.2.3": "true",
    "dcgmi profile --pause": "true",
    "dcgmi profile --resume": "true",
    r"nsys profile [^\"]*": "env",
    r'"n": 4': '"n": 1',  # a job of this size has one processor
    r'"c": 8': '"c": 1',
}
"""What a cluster of one small node has not."""


@pytest.fixture
def aliases() -> Iterator[None]:
    """`import covalent` means this package."""
    compat.install()
    yield
    compat.uninstall()


def configure(name: str, options: Mapping[str, Any]) -> None:
    """What the examples leave to the configuration."""
    for option, value in options.items():
        ct.set_config(f"executors.{name}.{option}", value)


def result_of(file: str, task: str, folder: Path, exchanged: Mapping[str, str], *args: Any) -> Any:
    """What a task of an example returns."""
    code = (EXAMPLES / file).read_text(encoding="utf-8")
    for pattern, instead in exchanged.items():
        code, count = re.subn(pattern, lambda _, instead=instead: instead, code)
        assert count == 1, pattern
    (folder / file).write_text(code, encoding="utf-8")
    electron = runpy.run_path(str(folder / file))[task]

    @ct.lattice
    def workflow(*args: Any) -> Any:
        return electron(*args)

    result = ct.dispatch_sync(workflow)(*args)
    assert result.status == ct.status.COMPLETED, result.error
    return result.result


def test_dask_cluster_as_documented() -> None:
    """The script that starts a cluster prints where it is."""
    guarded = f"if __name__ == '__main__':\n    import runpy\n    runpy.run_path({str(EXAMPLES / 'dask_cluster.py')!r})"
    ended = subprocess.run([sys.executable, "-c", guarded], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"tcp://127\.0\.0\.1:\d+\n", ended.stdout)


@pytest.mark.usefixtures("aliases")
def test_dask_executor_as_documented(dask: DaskCluster, private: Path) -> None:
    """With the address that the cluster has."""
    exchanged = {"tcp://127.0.0.1:55564": dask.address}
    assert result_of("dask_object.py", "my_custom_task", private, exchanged, 1, 2) == 3


@pytest.mark.usefixtures("aliases")
def test_ssh_executor_as_documented(ssh: SshServer, ssh_options: dict[str, Any], private: Path) -> None:
    """By name, and as an object with account, host, folder and key of its own."""
    configure("ssh", ssh_options)
    assert result_of("ssh_by_name.py", "my_task", private, {}) != ""
    exchanged = {
        '"user"': repr(ssh.user),
        "host2.hostname.org": ssh.host,
        "/tmp/covalent": str(private / "remote"),
        'ssh_key_file="[^"]*"': f'ssh_key_file="{ssh.key}"',
    }
    ct.set_config("executors.ssh.remote_cache", "")
    assert result_of("ssh_object.py", "my_custom_task", private, exchanged, 1, 2) == 3
    assert (private / "remote").is_dir()


@pytest.mark.usefixtures("aliases")
def test_slurm_executor_as_documented(slurm: SlurmCluster, slurm_options: dict[str, Any], private: Path) -> None:
    """By name, and as an object with directives, commands around the task and a program before it."""
    configure("slurm", slurm_options)
    assert result_of("slurm_by_name.py", "my_task", private, {}, 1, 2) == 3
    exchanged = {**WITHOUT_GPU, "/scratch/user/experiment1": str(private / "experiment1")}
    assert result_of("slurm_object.py", "my_custom_task", private, exchanged, 1, 2) == 3
    assert (private / "experiment1").is_dir()
