"""A client with a dispatcher in this process, whose executor calls the functions right here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from covalent_lab import payload
from covalent_lab.dispatcher import lab
from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.dispatcher.ownership import new_owner
from covalent_lab.executor.base import JobSpec, Outcome, PayloadSource
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir
from covalent_lab.store.sql import SqlStore
from covalent_lab.testing.fakes import FakeExecutor, completed, failed


def run_here(spec: JobSpec) -> Outcome | None:
    """Call the function; a job whose name begins with `hang` runs until it is stopped."""
    if spec.name.startswith("hang"):
        return None
    try:
        function = _load(spec.function)
        return completed(function(*map(_load, spec.args), **{k: _load(v) for k, v in spec.kwargs.items()}))
    except Exception as error:  # noqa: BLE001 - user code
        return failed(f"{type(error).__name__}: {error}")


def _load(source: PayloadSource) -> object:
    return payload.decode(source.data if source.data is not None else payload.open_file(source.path or ""))


@pytest.fixture
def executor(private: Path, monkeypatch: pytest.MonkeyPatch) -> FakeExecutor:
    """The executor of every dispatcher in this process."""
    fake = FakeExecutor(run_here)

    def build(settings: Settings) -> Dispatcher:
        blobs = BlobDir(settings.data_dir / "payloads")
        store = SqlStore(settings.database, blobs, "normal")
        return Dispatcher(settings, store, blobs, new_owner(), create=lambda name, configured: fake)

    monkeypatch.setattr(lab, "build", build)
    return fake


@pytest.fixture
def write_config(private: Path) -> Callable[[str], None]:
    """Write the configuration file."""

    def write(text: str) -> None:
        folder = private / "config"
        folder.mkdir(exist_ok=True)
        (folder / "covalent.conf").write_text(text)

    return write
