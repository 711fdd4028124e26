"""The files of this package on this machine: what they say, and how one gets rid of them."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from covalent_lab.client.discovery import running_servers
from covalent_lab.config.form import is_secret
from covalent_lab.config.reader import ConfigReader, folders
from covalent_lab.config.serverfiles import ServerFiles
from covalent_lab.errors import UsageError
from covalent_lab.settings import Settings

__all__ = ["PurgePlan", "delete", "log_text", "plan_purge", "shown_config"]

_HIDDEN = "********"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """What a purge does.

    Attributes:
        delete: Files and folders that are deleted; each lies in a folder of this package.
        leave: What is configured to lie elsewhere, and is left.
    """

    delete: Sequence[Path]
    leave: Sequence[Path]


def plan_purge(*, is_hard: bool) -> PurgePlan:
    """Find what is there to delete: logs, caches and configuration.

    Args:
        is_hard: Also the database and the payload files.

    Raises:
        UsageError: The database is to be deleted, and a Jupyter server uses it.
        ConfigError: The configuration cannot be used; correct it, for it says where everything is.
    """
    if is_hard:
        _check_unused()
    delete: list[Path] = []
    leave: list[Path] = []
    for path in sorted({path.absolute() for path in _targets(is_hard=is_hard)}):
        if not path.exists() or any(above in (path, *path.parents) for above in delete):
            continue
        (delete if _is_ours(path) else leave).append(path)
    return PurgePlan(delete=delete, leave=leave)


def delete(plan: PurgePlan) -> None:
    """Carry out a purge.

    Raises:
        UsageError: Something in it has become a link that leads out of this package's folders.
        OSError: Something cannot be deleted.
    """
    for path in plan.delete:
        if not _is_ours(path):
            raise UsageError(f"{path} is not in a folder of covalent_lab; it is left as it is.")
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def log_text(path: str | Path) -> str:
    """What a log file holds.

    Raises:
        UsageError: There is none.
    """
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no log at {path}; nothing was started yet, or sdk.enable_logging is off."
        ) from error


def shown_config() -> dict[str, Any]:
    """The whole configuration, without its secrets.

    Raises:
        ConfigError: It cannot be used.
    """
    return _without_secrets(ConfigReader().tree())


def _without_secrets(tree: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_secrets(value) if isinstance(value, dict) else _HIDDEN if value and is_secret(name) else value
        for name, value in tree.items()
    }


def _targets(*, is_hard: bool) -> Iterator[Path]:
    reader, files = ConfigReader(), ServerFiles.load()
    yield reader.path.parent
    for key in (
        "sdk.log_dir",
        "sdk.dispatch_cache_dir",
        "dispatcher.cache_dir",
        "dispatcher.log_dir",
        "dask.cache_dir",
    ):
        yield Path(reader.value(key))
    yield from (files.log.parent, files.cluster_log.parent, files.heartbeat)
    if is_hard:
        settings = Settings.load()
        yield settings.data_dir
        database = Path(reader.value("dispatcher.db_path"))
        yield from (database, *(database.with_name(f"{database.name}{end}") for end in ("-wal", "-shm")))


def _is_ours(path: Path) -> bool:
    """Whether a path lies in, or is, one of the folders that bear this package's name, links followed."""
    environ = {k: v for k, v in ConfigReader().environ.items() if k != "COVALENT_CONFIG_DIR"}
    real = path.resolve()
    return any(own.resolve() in (real, *real.parents) for own in folders(environ).values())


def _check_unused() -> None:
    data_dir, own = Settings.load().data_dir, ServerFiles.load().running()
    for server in running_servers():
        if Path(server.data_dir) == data_dir and (own is None or server.url != own["url"]):
            raise UsageError(f"The Jupyter server at {server.url} uses these records. Stop it first.")
