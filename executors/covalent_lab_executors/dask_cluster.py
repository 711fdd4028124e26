"""The Dask cluster that comes with the server, as a process: `python -m covalent_lab_executors.dask_cluster`.

Decides what the cluster answers to questions about itself. One line of JSON is a question (`token`, `question`, and
`workers` for `scale`), one line its answer (`answer` or `error`). The port is on the loopback interface; the token is
in a file that only this user can read, and without it nothing is answered. SIGTERM ends the cluster in order.
"""

import argparse
import asyncio
import contextlib
import hmac
import json
import logging
import os
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from covalent_lab.config.background import write_record

__all__ = ["AdminPort", "main"]

_LINE_LIMIT = 65_536
_RESTART_S = 45
_MAX_WORKERS = 10_000

_log = logging.getLogger(__name__)


class AdminPort:
    """Answers questions about a cluster.

    Args:
        cluster: A running `distributed.LocalCluster`, asynchronous.
        token: What a question must carry.
    """

    def __init__(self, cluster: Any, token: str) -> None:
        self._cluster = cluster
        self._token = token

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one question."""
        try:
            answer = await self._answer(await reader.readline())
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError) as error:  # gone, or its line is too long
            _log.info("A question could not be answered: %s", error)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            token, question = str(asked["token"]), asked["question"]
        except (ValueError, KeyError, TypeError):
            return {"error": "This is no question."}
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            return {"error": "The token is wrong."}
        try:
            return {"answer": await self._about(question, asked)}
        except (ValueError, TimeoutError, OSError) as error:
            return {"error": str(error) or type(error).__name__}

    async def _about(self, question: Any, asked: Mapping[str, Any]) -> Any:
        match question:
            case "status":
                alive = {str(name): nanny.is_alive() for name, nanny in self._cluster.workers.items()}
                words = {name: "running" if is_alive else "not running" for name, is_alive in alive.items()}
                return {"scheduler": self._cluster.scheduler.status.name, "workers": words}
            case "info":
                return {
                    "scheduler": self._cluster.scheduler_address,
                    "dashboard": self._cluster.dashboard_link,
                    "workers": {name: self._about_worker(worker) for name, worker in self._workers().items()},
                }
            case "address":
                addresses = {name: worker.address for name, worker in self._workers().items()}
                return {"scheduler": self._cluster.scheduler_address, "workers": addresses}
            case "size":
                return len(self._cluster.scheduler.workers)
            case "restart":
                return await self._restart()
            case "scale":
                return await self._scale(asked.get("workers"))
        raise ValueError(f"{question!r} is no question this cluster knows.")

    async def _scale(self, workers: Any) -> int:
        if not isinstance(workers, int) or isinstance(workers, bool) or not 0 <= workers <= _MAX_WORKERS:
            raise ValueError(f"The number of workers must be between 0 and {_MAX_WORKERS}, not {workers!r}.")
        self._cluster.scale(workers)
        await self._cluster  # until as many are there
        return workers

    async def _restart(self) -> int:
        from distributed import Client  # heavy, and loaded already

        async with Client(self._cluster, asynchronous=True) as client:  # type: ignore[no-untyped-call]
            await client.restart(timeout=_RESTART_S)
        return len(self._cluster.scheduler.workers)

    def _workers(self) -> dict[str, Any]:
        """What the scheduler knows of each worker, by name."""
        return {str(worker.name): worker for worker in self._cluster.scheduler.workers.values()}

    def _about_worker(self, worker: Any) -> dict[str, Any]:
        return {
            "host": worker.host,
            "pid": self._cluster.workers[worker.name].pid,
            "threads": worker.nthreads,
            "memory_limit": worker.memory_limit,
            "folder": worker.local_directory,
        }


async def _run(*, workers: int, threads: int, memory: str, folder: str, record: Path) -> None:
    """Run a cluster until this process is told to end.

    Args:
        workers: How many processes.
        threads: Threads of each.
        memory: Memory of each: `"auto"`, `"0"` for no limit, or as `"2GiB"`.
        folder: For what workers spill to disk.
        record: Private file in which the cluster says where it is.
    """
    from distributed import LocalCluster  # heavy, and this process's only purpose

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cluster = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers,
        threads_per_worker=threads,
        memory_limit=memory,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=folder,
        scheduler_kwargs={"allowed_failures": 0},  # whether a task is tried again is for its own policy to say
        asynchronous=True,
    )
    async with cluster:
        token = secrets.token_urlsafe(32)
        admin = await asyncio.start_server(AdminPort(cluster, token).serve, "127.0.0.1", 0, limit=_LINE_LIMIT)
        host, port = admin.sockets[0].getsockname()[:2]
        write_record(
            record,
            {
                "token": token,
                "scheduler_address": cluster.scheduler_address,
                "dashboard_link": cluster.dashboard_link,
                "process_info": f"{cluster.name} (process {os.getpid()})",
                "admin_host": host,
                "admin_port": port,
            },
        )
        await stop.wait()
        admin.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a cluster until SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser("python -m covalent_lab_executors.dask_cluster")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory", default="auto")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--record", type=Path, required=True)
    given = parser.parse_args(arguments)
    Path(given.folder).mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_run(**vars(given)))
    finally:
        given.record.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
