"""Every key that has a default: section, kind, default and the environment variable that overrides it.

Defaults are written as they are shown; `{name}` stands for a folder of `reader.folders`, or for another key.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["KEYS", "Key", "Kind", "default_of"]


class Kind(Enum):
    """What a value must be; the text completes "it must be"."""

    TEXT = "a text"
    PATH = "a text with a path"
    INTEGER = "a whole number"
    NUMBER = "a number"
    FLAG = 'true or false, or "true" or "false"'
    SWITCH = "true or false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key.

    Attributes:
        name: With its section, joined by dots.
        kind: What the value must be. A `FLAG` is told as the text `"true"` or `"false"`, a `SWITCH` as a truth value.
        default: Its value where nothing else is said.
        variable: Environment variable that overrides the file; empty for none.
        choices: The only values that are allowed; empty for any.
    """

    name: str
    kind: Kind
    default: str | int | float | bool
    variable: str = ""
    choices: tuple[str, ...] = ()


def _key(name: str, kind: Kind, default: Any, variable: str = "", *choices: str) -> Key:
    return Key(name=name, kind=kind, default=default, variable=variable, choices=choices)


_ALL = (
    _key("sdk.config_file", Kind.PATH, "{config_file}"),
    _key("sdk.log_dir", Kind.PATH, "{cache}", "COVALENT_LOGDIR"),
    _key("sdk.log_level", Kind.TEXT, "warning", "LOGLEVEL"),
    _key("sdk.enable_logging", Kind.FLAG, "true", "COVALENT_LOG_TO_FILE"),
    _key("sdk.executor_dir", Kind.PATH, "{config}/executor_plugins", "COVALENT_EXECUTOR_DIR"),
    _key("sdk.no_cluster", Kind.FLAG, "false", "COVALENT_DISABLE_DASK"),
    _key("sdk.exhaustive_postprocess", Kind.FLAG, "false"),
    _key("sdk.progress", Kind.FLAG, "true"),
    _key("sdk.cache_results", Kind.FLAG, "false", "COVALENT_CACHE_RESULTS"),
    _key("sdk.dispatch_cache_dir", Kind.PATH, "{cache}/dispatches", "COVALENT_DISPATCH_CACHE_DIR"),
    _key("sdk.task_packing", Kind.FLAG, "false", "COVALENT_ENABLE_TASK_PACKING"),
    _key("sdk.results_dir", Kind.PATH, "{cache}/results", "COVALENT_RESULTS_DIR"),
    _key("sdk.default_executor", Kind.TEXT, "local"),
    _key("dispatcher.address", Kind.TEXT, "localhost", "COVALENT_DISPATCHER_ADDR"),
    _key("dispatcher.port", Kind.INTEGER, 48008, "COVALENT_SVC_PORT"),
    _key("dispatcher.lab_address", Kind.TEXT, ""),
    _key("dispatcher.cache_dir", Kind.PATH, "{cache}", "COVALENT_CACHE_DIR"),
    _key("dispatcher.results_dir", Kind.PATH, "{data}/data", "COVALENT_DATA_DIR"),
    _key("dispatcher.log_dir", Kind.PATH, "{sdk.log_dir}"),
    _key("dispatcher.db_path", Kind.PATH, "{records}/dispatcher_db.sqlite", "COVALENT_DATABASE"),
    _key("dispatcher.durability", Kind.TEXT, "full", "", "full", "normal"),
    _key("dispatcher.inline_limit", Kind.INTEGER, 65_536),
    _key("dispatcher.lease_s", Kind.NUMBER, 15.0),
    _key("dispatcher.heartbeat_interval", Kind.INTEGER, 5, "COVALENT_HEARTBEAT_INTERVAL"),
    _key("dispatcher.heartbeat_file", Kind.PATH, "{dispatcher.cache_dir}/heartbeat", "COVALENT_HEARTBEAT_FILE"),
    _key("dispatcher.triggers", Kind.TEXT, "on", "", "on", "off", "only"),
    _key("dispatcher.use_async_dispatcher", Kind.FLAG, "true", "COVALENT_USE_ASYNC_DISPATCHER"),
    _key("dispatcher.asset_cache_size", Kind.INTEGER, 32, "COVALENT_ASSET_CACHE_SIZE"),
    _key("dispatcher.qelectron_db_path", Kind.PATH, "{data}/qelectron_db"),
    _key("dask.cache_dir", Kind.PATH, "{dispatcher.cache_dir}"),
    _key("dask.log_dir", Kind.PATH, "{sdk.log_dir}"),
    _key("dask.mem_per_worker", Kind.TEXT, "auto"),
    _key("dask.threads_per_worker", Kind.INTEGER, 1),
    _key("dask.num_workers", Kind.INTEGER, "{cpus}"),
    _key("dask.scheduler_address", Kind.TEXT, ""),
    _key("dask.dashboard_link", Kind.TEXT, ""),
    _key("dask.process_info", Kind.TEXT, ""),
    _key("dask.pid", Kind.INTEGER, 0),
    _key("dask.admin_host", Kind.TEXT, ""),
    _key("dask.admin_port", Kind.INTEGER, 0),
    _key("workflow_data.storage_type", Kind.TEXT, "local"),
    _key("workflow_data.base_dir", Kind.PATH, "{data}/workflow_data"),
    _key("workflow_data.db_path", Kind.PATH, "{dispatcher.db_path}"),
    _key("user_interface.address", Kind.TEXT, "localhost"),
    _key("user_interface.port", Kind.INTEGER, "{dispatcher.port}"),
    _key("user_interface.dev_port", Kind.INTEGER, 49009),
    _key("user_interface.log_dir", Kind.PATH, "{sdk.log_dir}"),
    _key("user_interface.dispatch_db", Kind.PATH, "{dispatcher.db_path}"),
    _key("executors.local.workdir", Kind.PATH, "{cache}/workdir"),
    _key("executors.local.create_unique_workdir", Kind.SWITCH, False),
    _key("executors.local.log_stdout", Kind.TEXT, "stdout.log"),
    _key("executors.local.log_stderr", Kind.TEXT, "stderr.log"),
    _key("executors.local.cache_dir", Kind.PATH, "{cache}"),
    _key("executors.dask.log_stdout", Kind.TEXT, "stdout.log"),
    _key("executors.dask.log_stderr", Kind.TEXT, "stderr.log"),
)

KEYS = {key.name: key for key in _ALL}


def default_of(name: str) -> Any:
    """The default of a key as the table has it, for defaults elsewhere that shall be the same."""
    return KEYS[name].default
