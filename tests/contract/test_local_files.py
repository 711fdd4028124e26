"""File transfers in a whole dispatch: an embedded dispatcher and the processes of the local executor."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.workflow.options import encode_hooks

BARE_WORKER = """
import base64, json, pickle, sys

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "covalent_lab":
            raise ImportError("covalent_lab is not installed here")

sys.meta_path.insert(0, Absent())
hooks = json.load(sys.stdin)
for hook in hooks["call_before"] + hooks["call_after"]:
    call = pickle.loads(base64.b64decode(hook["attributes"]["apply_fn"]["attributes"]["_object"]))
    if hook["attributes"]["retval_keyword"]:
        print(json.dumps(call()))
    elif "calls" in sys.argv:
        call()
"""


pytestmark = pytest.mark.usefixtures("one_worker")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for the files of a test, with `in.txt` in it."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "in.txt").write_text("hello")
    return folder


def run(task: Callable[[], Any]) -> Any:
    """Dispatch a workflow of one task; returns its result."""

    @ct.lattice
    def workflow():
        return task()

    return ct.get_result(ct.dispatch(workflow)(), wait=60)


def value_of(task: Callable[[], Any]) -> Any:
    """What a workflow of one task returns."""
    result = run(task)
    assert str(result.status) == "COMPLETED", result.error
    return result.result


def on_bare_worker(transfers: list[ct.fs.FileTransfer], *how: str) -> list[Any]:
    """Load transfers where the package cannot be imported, and make their first calls, or all; returns the paths."""
    answer = subprocess.run(
        [sys.executable, "-c", BARE_WORKER, *how],
        input=json.dumps(encode_hooks(files=transfers)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_files_come_before_the_task_and_go_after_it(data: Path) -> None:
    """The task gets both paths of each transfer, in the order of their declaration."""
    out, copied, target = (f"{data}/{name}" for name in ("out.txt", "copied.txt", "far/target.txt"))
    transfers = [ct.fs.FileTransfer(out, target, order=ct.fs.Order.AFTER), ct.fs.FileTransfer(f"{data}/in.txt", copied)]

    @ct.electron(files=transfers)
    def shout(mark, files=()):
        (written, gone), (_, read) = files
        with open(read) as source, open(written, "w") as sink:
            sink.write(source.read().upper() + mark)
        return files, os.path.exists(gone)

    files, early = value_of(lambda: shout("!"))
    assert files == [(out, target), (f"{data}/in.txt", copied)]
    assert not early
    assert Path(target).read_text() == "HELLO!"


def test_a_single_transfer_is_a_list_too(data: Path) -> None:
    """With temporary files where no path is given."""

    @ct.electron(files=[ct.fs.FileTransfer(f"{data}/in.txt")])
    def read(files=()):
        with open(files[0][1]) as file:
            return file.read(), files[0][1]

    text, path = value_of(read)
    assert text == "hello"
    assert path.startswith("/tmp/")
    os.unlink(path)


def test_calls_of_the_user_see_the_files(data: Path) -> None:
    """`call_before` runs after the transfers that come before, `call_after` after those that go."""
    seen = f"{data}/seen"

    def look(path, name):
        with open(path) as file, open(f"{seen}-{name}", "w") as sink:
            sink.write(file.read())

    @ct.electron(
        files=[
            ct.fs.FileTransfer(f"{data}/in.txt", f"{data}/a"),
            ct.fs.FileTransfer(f"{data}/b", f"{data}/c", "after"),
        ],
        call_before=ct.DepsCall(look, [f"{data}/a", "before"]),
        call_after=ct.DepsCall(look, [f"{data}/c", "after"]),
    )
    def work(files=()):
        with open(files[1][0], "w") as file:
            file.write("made")

    value_of(work)
    assert (Path(f"{seen}-before").read_text(), Path(f"{seen}-after").read_text()) == ("hello", "made")


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_transfer_that_fails_fails_the_task(order: str, data: Path) -> None:
    """With the reason; a task does not run without its files."""

    @ct.electron(files=[ct.fs.FileTransfer(f"{data}/none", f"{data}/copy", order)])
    def work(files=()):
        print("ran")

    result = run(work)
    assert str(result.status) == "FAILED"
    assert "No such file" in result.get_node_result(0)["error"]
    assert result.get_node_result(0)["stdout"] == ("ran\n" if order == "after" else "")
    assert not (data / "copy").exists()


def test_parts_of_a_result_do_not_move_the_files_again(data: Path) -> None:
    """The source is gone by then."""

    @ct.electron(files=[ct.fs.FileTransfer(f"{data}/in.txt", f"{data}/copy")])
    def read(files=()):
        (source, copy) = files[0]
        os.unlink(source)
        with open(copy) as file:
            return [file.read()]

    assert value_of(lambda: read()[0]) == "hello"


def test_a_strategy_of_the_user_travels_with_the_task(data: Path) -> None:
    """It is a class of the notebook or script."""

    class Reversed(ct.fs.FileTransferStrategy):
        def download(self, from_file, to_file):
            def download():
                with open(from_file.filepath) as source, open(to_file.filepath, "w") as sink:
                    sink.write(source.read()[::-1])

            return download

    ct.fs.register_downloader("backwards", Reversed)

    @ct.electron(files=[ct.fs.TransferFromRemote(f"backwards://here{data}/in.txt", f"{data}/copy")])
    def read(files=()):
        with open(files[0][1]) as file:
            return file.read()

    assert value_of(read) == "olleh"


def test_leptons_have_files_around_them(data: Path) -> None:
    """Commands name the paths themselves."""
    lepton = ct.Lepton(
        "bash",
        command=f"tr a-z A-Z < {data}/copy > {data}/made",
        files=[
            ct.fs.FileTransfer(f"{data}/in.txt", f"{data}/copy"),
            ct.fs.FileTransfer(f"{data}/made", f"{data}/out", order="after"),
        ],
    )
    value_of(lepton)
    assert (data / "out").read_text() == "HELLO"


def test_transfers_run_where_this_package_is_not_installed(data: Path) -> None:
    """Their code travels with them."""
    transfers = [
        ct.fs.FileTransfer(f"{data}/in.txt", f"{data}/copy"),
        ct.fs.FileTransfer(f"{data}/", f"{data}/../folder/", order=ct.fs.Order.AFTER),
    ]
    assert on_bare_worker(transfers, "calls") == [
        [f"{data}/in.txt", f"{data}/copy"],
        [f"{data}/", f"{data.parent}/folder/"],
    ]
    assert sorted(os.listdir(data.parent / "folder")) == ["copy", "in.txt"]


@pytest.mark.parametrize("uri", ["s3://b/k", "gs://b/k", "blob://a.b/c/k", "http://h/k", "/k"])
def test_every_strategy_loads_where_this_package_is_not_installed(uri: str) -> None:
    """Libraries of object stores are asked for when files are moved, not before."""
    strategy = ct.fs_strategies.Rsync(host="far") if uri == "/k" else None
    transfers = [
        ct.fs.TransferFromRemote(uri, "/here", strategy=strategy),
        ct.fs.TransferToRemote(uri, "/here", strategy=strategy),
    ]
    path = transfers[0].from_file.filepath
    assert on_bare_worker(transfers) == [[path, "/here"], ["/here", path]]


def test_files_are_still_files_when_a_task_returns_them(data: Path) -> None:
    """Only what is called around a task is pickled by value."""

    @ct.electron(files=[ct.fs.FileTransfer(f"{data}/in.txt", f"{data}/copy")])
    def name(files=()):
        return ct.fs.File(files[0][1])

    assert isinstance(value_of(name), ct.fs.File)


def test_a_task_with_files_is_never_taken_over_from_an_earlier_dispatch(data: Path) -> None:
    """Its files may have changed, and what it leaves may be gone."""

    @ct.electron(files=[ct.fs.FileTransfer(f"{data}/in.txt", f"{data}/copy")], cache=True)
    def read(files=()):
        with open(files[0][1]) as file:
            return file.read()

    assert value_of(read) == "hello"
    (data / "in.txt").write_text("changed")
    assert value_of(read) == "changed"
