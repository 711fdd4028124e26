"""The Dask cluster that comes with the server: started and stopped with it, asked over its admin port.

The cluster is a process of `covalent_lab_executors.dask_cluster`; this is the other end of its line. A question and its
answer are one line of JSON each; the token that the process wrote into its private file goes with every question.
"""

import json
import socket
from typing import Any

from covalent_lab.client.processes import end, spawn, wait_until_there
from covalent_lab.config.access import get_config, set_config
from covalent_lab.config.background import read_record
from covalent_lab.config.keys import default_of
from covalent_lab.config.reader import ConfigReader
from covalent_lab.config.serverfiles import ServerFiles
from covalent_lab.errors import BackendError

__all__ = ["ask", "describe", "log_path", "running", "start", "stop"]

_ANSWER_S = 60.0
_TOLD = ("scheduler_address", "dashboard_link", "process_info", "pid", "admin_host", "admin_port")


def running() -> dict[str, Any] | None:
    """What the cluster says of itself: `pid, scheduler_address, dashboard_link, admin_host, admin_port, …`; or None."""
    return read_record(ServerFiles.load().cluster)


def log_path() -> str:
    """The file the cluster writes to."""
    return str(ServerFiles.load().cluster_log)


def ask(question: str, **fields: Any) -> Any:
    """Put a question to the cluster: `status`, `info`, `address`, `size`, `restart`, `scale` (with `workers`).

    Raises:
        BackendError: It does not run, does not answer, or refuses.
    """
    there = running()
    if there is None:
        raise BackendError("The Dask cluster is not running. Start it with `covalent-lab restart --with-cluster`.")
    line = json.dumps({"token": there["token"], "question": question, **fields}) + "\n"
    try:
        with socket.create_connection((there["admin_host"], there["admin_port"]), timeout=_ANSWER_S) as connection:
            connection.sendall(line.encode())
            with connection.makefile("rb") as reader:
                answer = json.loads(reader.readline())
    except (OSError, ValueError) as error:
        raise BackendError(f"The Dask cluster does not answer: {error}. See {log_path()}.") from error
    if "error" in answer:
        raise BackendError(f"The Dask cluster refused: {answer['error']}")
    return answer["answer"]


def describe() -> dict[str, Any]:
    """The cluster for people: whether it runs, where, with which workers; `trouble` if it runs and does not answer."""
    there = running()
    view: dict[str, Any] = {
        "is_running": there is not None,
        "scheduler_address": "" if there is None else there["scheduler_address"],
        "dashboard_link": "" if there is None else there["dashboard_link"],
        "pid": None if there is None else there["pid"],
        "trouble": "",
        "workers": [],
    }
    if there is not None:
        try:
            workers = ask("info")["workers"]
        except BackendError as error:
            return {**view, "trouble": error.message}
        view["workers"] = [{"name": name, **about} for name, about in workers.items()]
    return view


def start() -> bool:
    """Start the cluster as it is configured, and write to the configuration where it is; False if it runs already.

    Raises:
        BackendError: It ended, or did not answer in time. Names the log file.
    """
    if running() is not None:
        return False
    reader, files = ConfigReader(), ServerFiles.load()
    values = {
        "workers": reader.value("dask.num_workers"),
        "threads": reader.value("dask.threads_per_worker"),
        "memory": reader.value("dask.mem_per_worker"),
        "folder": reader.value("dask.cache_dir"),
        "record": files.cluster,
    }
    log = files.cluster_log if reader.value("sdk.enable_logging") == "true" else None
    process = spawn("covalent_lab_executors.dask_cluster", [f"--{name}={value}" for name, value in values.items()], log)
    said = wait_until_there(process, running, "The Dask cluster", log)
    set_config({f"dask.{key}": said[key] for key in _TOLD})
    return True


def stop() -> bool:
    """End the cluster, and forget in the configuration where it was; False if it did not run."""
    there = running()
    if there is not None:
        end(there["pid"], there["start"])
        ServerFiles.load().cluster.unlink(missing_ok=True)
    if ConfigReader().given("dask.scheduler_address") and get_config("dask.scheduler_address"):
        set_config({f"dask.{key}": default_of(f"dask.{key}") for key in _TOLD})
    return there is not None
