"""Start and stop the server that runs without JupyterLab, and with it the Dask cluster.

Decides what a start needs (a free port, a current schema), which choices it writes to the configuration, and when the
server counts as there: when it answers. The server itself is a process of its own that outlives its starter.
"""

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from covalent_lab.client import cluster
from covalent_lab.client.http import HttpConnection
from covalent_lab.client.processes import end, spawn, wait_until_there
from covalent_lab.config.access import set_config
from covalent_lab.config.reader import ConfigReader
from covalent_lab.config.serverfiles import ServerFiles
from covalent_lab.errors import StoreError, UsageError

__all__ = ["Choices", "Started", "start", "stop"]

_PORTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is asked of a start; None leaves it as it is configured, anything else is written to the configuration.

    Attributes:
        develop: Log everything; for this start only.
        port: Port of the server; the next free one is taken if it is in use.
        mem_per_worker: Memory of a worker of the Dask cluster, as `"2GiB"` or `"auto"`.
        workers: How many there are.
        threads_per_worker: Threads of each.
        ignore_migrations: Start on a database of an older version, which the server then upgrades; for this start only.
        has_cluster: Whether a Dask cluster is started as well.
        triggers: `"on"`, `"off"` or `"only"`.
    """

    develop: bool = False
    port: int | None = None
    mem_per_worker: str | None = None
    workers: int | None = None
    threads_per_worker: int | None = None
    ignore_migrations: bool = False
    has_cluster: bool | None = None
    triggers: str | None = None

    def to_config(self) -> dict[str, Any]:
        """The keys that are written."""
        keys = {
            "user_interface.port": self.port or None,
            "dask.mem_per_worker": self.mem_per_worker,
            "dask.num_workers": self.workers,
            "dask.threads_per_worker": self.threads_per_worker,
            "sdk.no_cluster": None if self.has_cluster is None else str(not self.has_cluster).lower(),
            "dispatcher.triggers": self.triggers,
        }
        return {key: value for key, value in keys.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A server that answers.

    Attributes:
        url: Its address.
        pid: Its process.
        was_running: Whether it ran before it was asked for.
    """

    url: str
    pid: int
    was_running: bool


def start(choices: Choices) -> Started:
    """Start the server and wait until it answers; one that runs already is left as it is.

    Raises:
        StoreError: The database is of another version.
        UsageError: A choice makes no sense.
        BackendError: The server, or the cluster, ended or did not answer in time. Names the log file.
    """
    files = ServerFiles.load()
    with _turn(files):
        if running := files.running():
            return Started(url=running["url"], pid=running["pid"], was_running=True)
        if not choices.ignore_migrations:
            _check_schema()
        if changes := choices.to_config():
            set_config(changes)
        reader = ConfigReader()
        is_open = reader.environ.get("COVALENT_SERVER_IFACE_ANY", "").lower() in ("1", "true", "yes", "on")
        host = "0.0.0.0" if is_open else reader.value("user_interface.address")
        wanted = reader.value("user_interface.port") if choices.port is None else choices.port
        port = _free_port(host, wanted)
        keeps_log = reader.value("sdk.enable_logging") == "true"
        began_cluster = reader.value("sdk.no_cluster") != "true" and cluster.start()
        try:
            return _start_server(files, host, port, keeps_log=keeps_log, develop=choices.develop)
        except BaseException:
            if began_cluster:
                cluster.stop()
            raise


def stop() -> bool:
    """End the server and its Dask cluster in order; False if neither ran.

    Unfinished dispatches go on with the next start. A server that does not end in time is killed.
    """
    files = ServerFiles.load()
    if not files.cache_dir.exists():  # nobody ever started; leave no trace either
        return False
    with _turn(files):
        running = files.running()
        if running is not None:
            end(running["pid"], running["start"])
            files.record.unlink(missing_ok=True)
        had_cluster = cluster.stop()
        return running is not None or had_cluster


def _start_server(files: ServerFiles, host: str, port: int, *, keeps_log: bool, develop: bool) -> Started:
    log = files.log if keeps_log else None
    arguments = [f"--ip={host}", f"--port={port}"]
    arguments += ["--debug"] * develop + ["--log-file"] * keeps_log
    process = spawn("covalent_lab_server", arguments, log)
    try:
        said = wait_until_there(process, files.running, "The server", log)
        connection = HttpConnection(said["url"], said["token"])
        connection.status()
        connection.close()
    except BaseException:
        end(*process)
        raise
    _tell_clients(urlsplit(said["url"]).port or port)
    return Started(url=said["url"], pid=said["pid"], was_running=False)


def _tell_clients(port: int) -> None:
    """Where the file names the port that clients use, it is this one from now on."""
    reader = ConfigReader({k: v for k, v in os.environ.items() if k != "COVALENT_SVC_PORT"})
    if reader.given("dispatcher.port") and reader.value("dispatcher.port") != port:
        set_config("dispatcher.port", port)


def _check_schema() -> None:
    from covalent_lab.settings import Settings
    from covalent_lab.store.upgrade import is_outdated  # heavy: SQLAlchemy

    database = Settings.load().database
    if is_outdated(database):
        raise StoreError(
            "The database was written by an older version. Upgrade it with `covalent-lab db migrate`, after a copy if "
            "in doubt; or start with --ignore-migrations, and the server does so."
        )


def _free_port(host: str, wanted: int) -> int:
    """The first free port from the one wanted on; 0 stays 0, which lets the system choose.

    Raises:
        UsageError: The address is none of this machine's, or no port is free.
    """
    if wanted == 0:
        return 0
    for port in range(wanted, min(wanted + _PORTS, 65536)):
        if _is_free(host, port):
            return port
    raise UsageError(f"No port from {wanted} to {wanted + _PORTS - 1} is free on {host}. Name another with --port.")


def _is_free(host: str, port: int) -> bool:
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"{host} is no address of this machine; correct user_interface.address.") from error
    for family, kind, protocol, _, place in places:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(place)
        except OSError as error:
            # Where there is no IPv6, the server leaves that address out as well.
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return False
    return True


@contextlib.contextmanager
def _turn(files: ServerFiles) -> Iterator[None]:
    """One at a time: whoever starts or stops holds the lock, which ends with its process."""
    files.cache_dir.mkdir(parents=True, exist_ok=True)
    with open(files.lock, "a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
