"""Transfers with real services in a whole dispatch: the worker has the environment, and the code came with the task."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from tests.backends.http_server import WebServer
from tests.backends.object_stores import LocalStore


@pytest.fixture(autouse=True)
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything below the test's folder."""
    for name in ("COVALENT_LAB_URL", "COVALENT_LAB_TOKEN", "COVALENT_DATABASE", "COVALENT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COVALENT_DATA_DIR", str(tmp_path / "records"))
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    for name in ("runtime", "config"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "covalent.conf").write_text("[executors.local]\nworkers = 1\n")
    yield
    disconnect()


def test_a_task_gets_a_file_from_the_web_and_leaves_one_in_a_store(
    store: LocalStore, web: WebServer, tmp_path: Path
) -> None:
    """Temporary files between; a second task reads what the first one left."""
    web.files["/in.txt"] = b"hello"
    target = f"{store.root}made/{tmp_path.name}.txt"

    @ct.electron(
        files=[ct.fs.TransferFromRemote(f"{web.url}/in.txt"), ct.fs.TransferToRemote(target, strategy=store.strategy)]
    )
    def shout(files=()):
        (_, source), (made, _) = files
        with open(source) as file, open(made, "w") as sink:
            sink.write(file.read().upper())
        return [source, made]

    @ct.electron(files=[ct.fs.TransferFromRemote(target, str(tmp_path / "back"), strategy=store.strategy)])
    def read(files=()):
        with open(files[0][1]) as file:
            return file.read()

    @ct.lattice
    def workflow():
        used = shout()
        return used, ct.wait(read(), used)

    result = ct.get_result(ct.dispatch(workflow)(), wait=60)
    assert str(result.status) == "COMPLETED", result.error
    used, text = result.result
    for path in used:
        Path(path).unlink()
    assert text == "HELLO"
    assert len(web.requests) == 1
