"""Transfers with real services in a whole dispatch: the worker has the environment, and the code came with the task."""

import os
import signal
import threading
from pathlib import Path

import pytest

import covalent_lab as ct
from tests.backends.http_server import Answer, WebServer
from tests.backends.object_stores import LocalStore

pytestmark = pytest.mark.usefixtures("one_worker")


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


def test_a_transfer_can_be_cancelled(web: WebServer, tmp_path: Path) -> None:
    """While the server keeps it waiting; the target is not touched, and the worker goes on with other tasks."""
    released, target = threading.Event(), tmp_path / "target"
    target.write_text("old")
    web.answers = [Answer(content=b"half", length=8, hold=released)]

    @ct.electron(files=[ct.fs.TransferFromRemote(f"{web.url}/in.txt", str(target))])
    def read(files=()):
        return "ran"

    @ct.lattice
    def workflow():
        return read()

    dispatch_id = ct.dispatch(workflow)()
    try:
        assert web.holding.wait(60)
        ct.cancel(dispatch_id)
        result = ct.get_result(dispatch_id, wait=60)
    finally:
        released.set()
    assert str(result.status) == "CANCELLED"
    assert target.read_text() == "old"
    web.files["/in.txt"] = b"new"
    assert ct.get_result(ct.dispatch(workflow)(), wait=60).result == "ran"
    assert target.read_text() == "new"


def test_a_worker_that_dies_during_a_transfer_fails_the_task(web: WebServer, tmp_path: Path) -> None:
    """As it would during the task; the target is not touched."""
    released, target, pid = threading.Event(), tmp_path / "target", tmp_path / "pid"
    web.answers = [Answer(content=b"half", length=8, hold=released)]

    class Fragile(ct.fs.FileTransferStrategy):
        def download(self, from_file, to_file):
            fetch = ct.fs_strategies.HTTP().download(from_file, to_file)

            def download():
                import os

                pid.write_text(str(os.getpid()))
                fetch()

            return download

    @ct.electron(files=[ct.fs.TransferFromRemote(f"{web.url}/in.txt", str(target), Fragile())])
    def read(files=()):
        return "ran"

    @ct.lattice
    def workflow():
        return read()

    dispatch_id = ct.dispatch(workflow)()
    try:
        assert web.holding.wait(60)
        os.kill(int(pid.read_text()), signal.SIGKILL)
        result = ct.get_result(dispatch_id, wait=60)
    finally:
        released.set()
    assert str(result.status) == "FAILED"
    assert not target.exists()
