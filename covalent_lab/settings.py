"""Settings of the dispatcher and the SDK: environment first, then the TOML file, then defaults.

Read when asked, never at import; reading never writes. Folders are this product's own (`covalent_lab` below the XDG
folders), so that an installation of Covalent on the same machine keeps its database to itself. Keys and their defaults
are in `config.keys`; here they become fields with types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from covalent_lab.config.keys import default_of
from covalent_lab.config.reader import ConfigReader, config_path

__all__ = ["Settings", "config_path"]


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
    inline_limit: int = default_of("dispatcher.inline_limit")
    durability: str = default_of("dispatcher.durability")
    default_executor: str = default_of("sdk.default_executor")
    address: str = default_of("dispatcher.lab_address")
    lease_s: float = default_of("dispatcher.lease_s")
    executors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read environment and file.

        Raises:
            ConfigError: The file is not TOML, or a value has the wrong type. Names file and value.
        """
        reader = ConfigReader(environ)
        database = reader.environ.get("COVALENT_DATABASE_URL") or f"sqlite:///{reader.value('dispatcher.db_path')}"
        return cls(
            data_dir=Path(reader.value("dispatcher.results_dir")).absolute(),
            database=database,
            workdir=Path(reader.value("executors.local.workdir")),
            inline_limit=reader.value("dispatcher.inline_limit"),
            durability=reader.value("dispatcher.durability"),
            default_executor=reader.value("sdk.default_executor"),
            address=_address(reader),
            lease_s=reader.value("dispatcher.lease_s"),
            executors=reader.table("executors"),
        )


def _address(reader: ConfigReader) -> str:
    """An address counts as configured if someone wrote it down; the default of the table only fills its other half."""
    address = str(reader.value("dispatcher.lab_address"))
    if address or not (reader.given("dispatcher.address") or reader.given("dispatcher.port")):
        return address
    host = str(reader.value("dispatcher.address"))
    return host if ":" in host else f"{host}:{reader.value('dispatcher.port')}"
