"""Settings of the dispatcher and the SDK: environment first, then the TOML file, then defaults.

Read when asked, never at import; reading never writes. Folders are this product's own (`covalent_lab` below the XDG
folders), so that an installation of Covalent on the same machine keeps its database to itself.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from covalent_lab.errors import ConfigError

__all__ = ["Settings", "config_path"]

_APP = "covalent_lab"


def _xdg(variable: str, fallback: str, environ: Mapping[str, str]) -> Path:
    return Path(environ.get(variable) or Path.home() / fallback)


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Where the configuration file is looked for: `COVALENT_CONFIG_DIR`, `XDG_CONFIG_DIR`, else `~/.config`."""
    environ = os.environ if environ is None else environ
    folder = environ.get("COVALENT_CONFIG_DIR")
    if folder:
        return Path(folder).expanduser() / "covalent.conf"
    base = environ.get("XDG_CONFIG_DIR") or environ.get("XDG_CONFIG_HOME")
    return Path(base or Path.home() / ".config") / _APP / "covalent.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a dispatcher and the SDK need to know.

    Attributes:
        data_dir: Payload files and working files of executors.
        database: SQLAlchemy URL of the store.
        workdir: Where local tasks run.
        inline_limit: Payloads of at most this many bytes live in the database.
        durability: `"full"`: a power cut loses nothing that was announced; `"normal"`: a crash of the program loses
            nothing.
        default_executor: Short name of the executor used where none is chosen.
        address: Explicit address of a dispatcher, empty to discover it.
        lease_s: How long a dispatcher that stopped without a word keeps its dispatches, in seconds.
        executors: Configured option values, per executor name.
    """

    data_dir: Path
    database: str
    workdir: Path
    inline_limit: int = 65_536
    durability: str = "full"
    default_executor: str = "local"
    address: str = ""
    lease_s: float = 15.0
    executors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read environment and file.

        Raises:
            ConfigError: The file is not TOML, or a value has the wrong type. Names file and value.
        """
        environ = os.environ if environ is None else environ
        path = config_path(environ)
        file = _read(path)
        reader = _Reader(file, path)
        data_home = _xdg("XDG_DATA_HOME", ".local/share", environ) / _APP
        cache_home = _xdg("XDG_CACHE_HOME", ".cache", environ) / _APP
        given = environ.get("COVALENT_DATA_DIR") or reader.text("dispatcher.results_dir", "")
        data_dir = Path(given).expanduser() if given else data_home / "data"
        database = environ.get("COVALENT_DATABASE_URL") or ""
        if not database:
            db_path = environ.get("COVALENT_DATABASE") or reader.text("dispatcher.db_path", "")
            parent = data_dir if given else data_home
            database = f"sqlite:///{Path(db_path).expanduser() if db_path else parent / 'dispatcher_db.sqlite'}"
        durability = reader.text("dispatcher.durability", "full")
        if durability not in ("full", "normal"):
            raise ConfigError(f'{path}: dispatcher.durability is {durability!r}; write "full" or "normal" instead.')
        workdir = reader.text("executors.local.workdir", "")
        return cls(
            data_dir=data_dir.absolute(),
            database=database,
            workdir=Path(workdir).expanduser() if workdir else cache_home / "workdir",
            inline_limit=reader.integer("dispatcher.inline_limit", 65_536),
            durability=durability,
            default_executor=reader.text("sdk.default_executor", "local"),
            address=reader.text("dispatcher.lab_address", ""),
            lease_s=reader.number("dispatcher.lease_s", 15.0),
            executors=reader.table("executors"),
        )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    try:
        return tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}. Correct it, or move it away.") from error


class _Reader:
    """Looks up dotted keys and checks types."""

    def __init__(self, file: Mapping[str, Any], path: Path) -> None:
        self._file = file
        self._path = path

    def _find(self, key: str, default: Any, kind: type | tuple[type, ...], wanted: str) -> Any:
        value: Any = self._file
        for part in key.split("."):
            if not isinstance(value, Mapping) or part not in value:
                return default
            value = value[part]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ConfigError(f"{self._path}: {key} is {value!r}; it must be {wanted}.")
        return value

    def text(self, key: str, default: str) -> str:
        return str(self._find(key, default, str, "a text"))

    def integer(self, key: str, default: int) -> int:
        return int(self._find(key, default, int, "a whole number"))

    def number(self, key: str, default: float) -> float:
        return float(self._find(key, default, (int, float), "a number"))

    def table(self, key: str) -> Mapping[str, Mapping[str, Any]]:
        tables = self._find(key, {}, Mapping, "a table")
        for name, table in tables.items():
            if not isinstance(table, Mapping):
                raise ConfigError(f"{self._path}: {key}.{name} is {table!r}; it must be a table.")
        return dict(tables)
