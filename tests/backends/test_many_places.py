"""One workflow over many places: the notebook about it on real backends, and what large values cost the server."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from covalent_lab.config.toml import dump
from covalent_lab.testing.live_server import LiveServer, private_environment
from tests.backends.dask_cluster import DaskCluster
from tests.backends.slurm_cluster import SlurmCluster

pytestmark = pytest.mark.external

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "05_many_places.ipynb"
PLACES = ("kernel", "local", "dask", "ssh", "slurm")
LARGE = """
import covalent_lab as ct

SIZE = 100_000_000

@ct.electron(executor="kernel")
def make():
    import numpy as np
    return np.arange(SIZE // 8)

@ct.electron(executor="local")
def near(values):
    return values[::-1].copy()

@ct.electron(executor="ssh")
def far(values):
    return values + 1

@ct.lattice
def workflow():
    return far(near(make()))

result = ct.get_result(ct.dispatch(workflow)(), wait=True)
assert result.status == ct.status.COMPLETED, result.error
values = result.result
print(values.nbytes, int(values[0]), int(values[-1]))
"""


@pytest.fixture
def server(
    dask: DaskCluster, ssh_options: dict[str, Any], slurm: SlurmCluster, slurm_options: dict[str, Any], tmp_path: Path
) -> Iterator[LiveServer]:
    """A Jupyter server whose configuration names a cluster, a host and a queue system; kernels of the test find it."""
    settings = {
        "dask": {"scheduler_address": dask.address},
        "executors": {"ssh": ssh_options, "slurm": {**slurm_options, "poll_freq": 5}},
    }
    environ = private_environment(tmp_path / "places") | {"COVALENT_CONFIG_DIR": str(tmp_path / "config")}
    (tmp_path / "config").mkdir(exist_ok=True)
    (tmp_path / "config" / "covalent.conf").write_text(dump(settings))
    root = tmp_path / "root"
    root.mkdir()
    with LiveServer.start(root_dir=root, log=tmp_path / "server.log", environ=environ) as found:
        environ |= {"COVALENT_LAB_URL": found.url, "COVALENT_LAB_TOKEN": found.lab_token}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            yield found


def printed(notebook: nbformat.NotebookNode, folder: Path) -> str:
    """Run a notebook in a kernel; returns what its cells printed."""
    nbclient.NotebookClient(notebook, timeout=400, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output["text"] for output in outputs if output.output_type == "stream")


def peak_bytes(pid: int) -> int:
    """The most memory a process has had since `forget_peak`."""
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found) * 1024


def forget_peak(pid: int) -> None:
    """Let the peak begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def test_the_notebook_runs_in_all_places(server: LiveServer, tmp_path: Path) -> None:
    """It finds all of them, and each node prints where it is."""
    text = printed(nbformat.read(NOTEBOOK, as_version=4), tmp_path)

    for place in PLACES:
        assert re.search(rf"^{place} +yes: Python 3", text, re.MULTILINE)
    for words in ("in the kernel", "in a process of the server", "part 3 on dask", "by ssh", "as a job of slurm"):
        assert words in text


@pytest.mark.skipif(
    not os.path.exists("/proc/self/clear_refs"), reason="only Linux tells how much memory a process had"
)
def test_large_values_pass_the_server_by(server: LiveServer, tmp_path: Path) -> None:
    """100 MB go from a kernel to a local process to another machine, and come back; the server's memory stays small."""
    warm = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LARGE.replace("100_000_000", "100_000"))])
    printed(warm, tmp_path)
    forget_peak(server.process.pid)
    before = peak_bytes(server.process.pid)

    large = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LARGE)])
    assert printed(large, tmp_path) == "100000000 12500000 1\n"

    assert peak_bytes(server.process.pid) - before < 30_000_000
