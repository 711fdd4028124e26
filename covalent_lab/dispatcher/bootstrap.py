"""The composition root: settings → a wired dispatcher. Nobody else builds parts."""

from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.dispatcher.ownership import new_owner
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore

__all__ = ["build"]


def build(settings: Settings) -> Dispatcher:
    """A dispatcher that is ready to `run`."""
    blobs = BlobDir(settings.data_dir / "payloads")
    store = SqlStore(settings.database, blobs, settings.durability)
    return Dispatcher(settings, store, blobs, new_owner())
