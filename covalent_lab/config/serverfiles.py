"""Files of the server that the command line starts: where it says that it runs, and what it writes down."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from covalent_lab.config.background import read_record
from covalent_lab.config.reader import ConfigReader

__all__ = ["ServerFiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFiles:
    """Paths, as the configuration has them at this moment.

    Attributes:
        cache_dir: Folder of `record`, `pid` and `lock`.
        record: Private file with address and token, there while the server runs.
        pid: The process's number and nothing else, for other programs.
        lock: Held by who starts or stops the server.
        heartbeat: Rewritten while the server lives; its last line is DEAD after an orderly end.
        heartbeat_s: Seconds between two beats.
        log: What the server writes.
        dispatcher_log: What the dispatcher and its executors log.
        cluster: Private file of the Dask cluster, there while it runs.
        cluster_log: What the cluster writes.
    """

    cache_dir: Path
    record: Path
    pid: Path
    lock: Path
    heartbeat: Path
    heartbeat_s: float
    log: Path
    dispatcher_log: Path
    cluster: Path
    cluster_log: Path

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Ask environment and file.

        Raises:
            ConfigError: They cannot be used.
        """
        reader = ConfigReader(environ)

        def path(name: str) -> Path:
            return Path(reader.value(name)).absolute()

        cache = path("dispatcher.cache_dir")
        return cls(
            cache_dir=cache,
            record=cache / "ui.json",
            pid=cache / "ui.pid",
            lock=cache / "ui.lock",
            heartbeat=path("dispatcher.heartbeat_file"),
            heartbeat_s=max(1, reader.value("dispatcher.heartbeat_interval")),
            log=path("user_interface.log_dir") / "covalent_ui.log",
            dispatcher_log=path("dispatcher.log_dir") / "dispatcher.log",
            cluster=path("dask.cache_dir") / "dask.json",
            cluster_log=path("dask.log_dir") / "dask_cluster.log",
        )

    def running(self) -> dict[str, Any] | None:
        """What the running server says of itself: `pid, start, url, token, data_dir, started_at`; None without one."""
        return read_record(self.record)
