"""What runs at this moment, and in which state the database is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from covalent_lab.client import cluster
from covalent_lab.client.discovery import running_servers
from covalent_lab.client.http import HttpConnection
from covalent_lab.config.reader import ConfigReader
from covalent_lab.config.serverfiles import ServerFiles
from covalent_lab.errors import LabError, StoreError
from covalent_lab.settings import Settings

__all__ = ["Part", "survey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of an installation.

    Attributes:
        name: What it is.
        state: In a word or a few.
        address: Where it is; empty if it is nowhere.
        pid: Its process; None if it has none.
    """

    name: str
    state: str
    address: str = ""
    pid: int | None = None


def survey() -> Sequence[Part]:
    """Server, Jupyter servers with the user interface, Dask cluster, triggers and database, in this order."""
    return [_server(), *_jupyter(), _cluster(), _triggers(), _database()]


def _server() -> Part:
    running = ServerFiles.load().running()
    if running is None:
        return Part(name="server", state="stopped")
    connection = HttpConnection(running["url"], running["token"])
    try:
        connection.status()
        state = "running"
    except LabError as error:
        state = f"does not answer: {error}"
    finally:
        connection.close()
    return Part(name="server", state=state, address=running["url"], pid=running["pid"])


def _jupyter() -> Iterator[Part]:
    headless = ServerFiles.load().running()
    own = None if headless is None else headless["url"]
    found = [server for server in running_servers() if server.url != own]
    for server in found:
        yield Part(name="user interface", state="running", address=server.url, pid=server.pid)
    if not found:
        yield Part(name="user interface", state="stopped")


def _cluster() -> Part:
    running = cluster.running()
    if running is None:
        return Part(name="dask", state="stopped")
    return Part(name="dask", state="running", address=running["scheduler_address"], pid=running["pid"])


def _triggers() -> Part:
    chosen = ConfigReader().value("dispatcher.triggers")
    return Part(name="triggers", state="disabled" if chosen == "off" else "stopped")


def _database() -> Part:
    from covalent_lab.store.upgrade import is_outdated, revision_of, shown  # heavy: SQLAlchemy

    database = Settings.load().database
    try:
        revision = revision_of(database)
        state = "absent" if revision is None else "outdated" if is_outdated(database) else "current"
    except StoreError as error:
        return Part(name="database", state=str(error))
    return Part(name="database", state=f"{state} (schema {revision})" if revision else state, address=shown(database))
