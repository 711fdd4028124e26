"""A real Dask cluster in a process of its own: the one that comes with the server."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from tests.backends.service import Service

__all__ = ["DaskCluster", "dask_cluster"]

_PROGRAM = """
import json, sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=int(sys.argv[2]), processes=True, host="127.0.0.1",
        dashboard_address=None, local_directory=sys.argv[3], memory_limit=0,
        scheduler_port=int(sys.argv[5]), scheduler_kwargs={"allowed_failures": int(sys.argv[4])},
        resources={"BENCH": 1},
    ) as cluster:
        print("cluster", json.dumps({"address": cluster.scheduler_address}), flush=True)
        sys.stdin.read()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskCluster:
    """A running cluster.

    Attributes:
        address: Of its scheduler.
        restart: Ends scheduler and workers, and starts others at the same address.
    """

    address: str
    restart: Callable[[], None]


@contextmanager
def dask_cluster(folder: Path, *, workers: int = 2, threads: int = 1, failures: int = 0) -> Iterator[DaskCluster]:
    """A cluster until the block ends; its workers begin their own folders below `folder`, and each has one `BENCH`.

    Args:
        folder: Where workers have their files.
        workers: How many processes.
        threads: Threads of each.
        failures: How many lost workers a task may survive.
    """
    program = folder / "cluster.py"
    program.write_text(_PROGRAM)
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    numbers = [str(workers), str(threads), str(folder), str(failures), str(port)]
    service = Service([sys.executable, str(program), *numbers], r"^cluster (.*)$")

    def restart() -> None:
        service.stop()
        service.start()

    try:
        said: dict[str, Any] = json.loads(service.start().group(1))
        yield DaskCluster(address=said["address"], restart=restart)
    finally:
        service.stop()
