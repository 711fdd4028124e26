"""Which pairs of files can be transferred, and how."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from covalent_lab.fs import (
    File,
    FileTransfer,
    FileTransferStrategy,
    Folder,
    FtCallDepReturnValue,
    Order,
    TransferFromRemote,
    TransferToRemote,
    register_uploader,
)
from covalent_lab.fs_strategies import HTTP, S3, Blob, GCloud, Rsync, Shutil
from covalent_lab.workflow.options import encode_hooks

STORES = {"s3://b/k": S3, "gs://b/k": GCloud, "blob://a.b/c/k": Blob, "http://h/k": HTTP, "https://h/k": HTTP}


class Noted(FileTransferStrategy):
    """Says which way it was asked to go."""

    def upload(self, from_file: File, to_file: File) -> Callable[[], Any]:
        """Up."""
        return lambda: ("up", from_file.filepath, to_file.filepath)

    def download(self, from_file: File, to_file: File) -> Callable[[], Any]:
        """Down."""
        return lambda: ("down", from_file.filepath, to_file.filepath)


def test_local_files_are_copied_by_shutil() -> None:
    """Texts become files, in the order that was given."""
    transfer = FileTransfer("/a", "/b")
    assert (transfer.from_file.filepath, transfer.to_file.filepath) == ("/a", "/b")
    assert (transfer.order, type(transfer.strategy)) == (Order.BEFORE, Shutil)


@pytest.mark.parametrize(("uri", "strategy"), STORES.items())
def test_the_scheme_of_the_remote_side_chooses_the_strategy(uri: str, strategy: type) -> None:
    """In both directions."""
    down, up = TransferFromRemote(uri), TransferToRemote(uri)
    assert (type(down.strategy), down.order, down.to_file.is_temp_file) == (strategy, Order.BEFORE, True)
    assert (type(up.strategy), up.order, up.from_file.is_temp_file) == (strategy, Order.AFTER, True)


def test_the_order_of_downloads_and_uploads_is_fixed() -> None:
    """What is asked for is ignored; transfers in general take it, also as text."""
    assert TransferFromRemote("s3://b/k", order=Order.AFTER).order == Order.BEFORE
    assert TransferToRemote("s3://b/k", order=Order.BEFORE).order == Order.AFTER
    assert FileTransfer("/a", "/b", order="after").order is Order.AFTER


def test_a_path_can_be_made_remote() -> None:
    """Also one that is a File already, which stays as it was."""
    file = Folder("/a", include_folder=True)
    transfer = TransferFromRemote(file, "/b/", strategy=Rsync(host="far"))
    assert transfer.from_file.is_remote
    assert transfer.from_file.include_folder
    assert not file.is_remote


@pytest.mark.parametrize(
    "make",
    [
        lambda: FileTransfer(1, "/b"),  # type: ignore[arg-type]
        lambda: FileTransfer("/a", Path("/b")),  # type: ignore[arg-type]
        lambda: FileTransfer("/a", "/b", "during"),
        lambda: FileTransfer("/a", "/b", strategy=Shutil),  # type: ignore[arg-type]
        lambda: TransferFromRemote(None),  # type: ignore[arg-type]
        lambda: TransferFromRemote("/a"),
        lambda: TransferToRemote("ftp://h/a"),
        lambda: FileTransfer("s3://b/k", "gs://b/k"),
    ],
)
def test_what_cannot_be_meant_is_an_attribute_error(make: Callable[[], FileTransfer]) -> None:
    """Wrong types, schemes without strategy, and two remote sides without one."""
    with pytest.raises(AttributeError):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: FileTransfer("s3://b/k", "gs://b/k", strategy=S3()),
        lambda: TransferFromRemote("s3://b/k/", "/a"),
        lambda: TransferToRemote("s3://b/k", "/a/"),
        lambda: FileTransfer("/a/", "/b"),
        lambda: FileTransfer("sftp-unknown://h/a", "/b"),
    ],
)
def test_what_cannot_be_done_is_a_value_error(make: Callable[[], FileTransfer]) -> None:
    """Remote to remote, folders into files, unknown schemes."""
    with pytest.raises(ValueError, match=r"\."):
        make()


def test_the_first_call_makes_temporary_files_and_tells_the_paths() -> None:
    """A folder where the other side is one."""
    transfer = TransferFromRemote("s3://b/k")
    prepare = transfer.cp()[0]
    path = Path(transfer.to_file.filepath)
    assert not path.exists()
    assert prepare() == ("/k", str(path))
    assert path.read_bytes() == b""
    path.unlink()
    transfer = TransferToRemote("s3://b/folder/")
    folder = Path(transfer.from_file.filepath)
    assert transfer.cp()[0]() == (f"{folder}/", "/folder/")
    folder.rmdir()


def test_one_path_alone_can_be_asked_for() -> None:
    """Source or destination."""
    transfer = FileTransfer("/a", "/b")
    assert transfer.cp(FtCallDepReturnValue.FROM)[0]() == "/a"
    assert transfer.cp(FtCallDepReturnValue.TO)[0]() == "/b"


def test_the_direction_decides_the_method() -> None:
    """Up, down, or a copy, which this strategy has not; the calls survive pickling."""
    up = TransferToRemote("/far", "/near", strategy=Noted()).cp()
    down = TransferFromRemote("/far", "/near", strategy=Noted()).cp()
    found = [pickle.loads(cloudpickle.dumps(call))() for call in (*up, *down)]
    assert found == [("/near", "/far"), ("up", "/near", "/far"), ("/far", "/near"), ("down", "/far", "/near")]
    with pytest.raises(NotImplementedError, match="Noted cannot copy"):
        FileTransfer("/a", "/b", strategy=Noted()).cp()


@pytest.mark.parametrize("strategy", [HTTP(), S3(), GCloud(), Blob()])
def test_strategies_of_remote_places_do_not_copy(strategy: FileTransferStrategy) -> None:
    """And say what does."""
    with pytest.raises(NotImplementedError, match="Shutil or Rsync"):
        FileTransfer("/a", "/b", strategy=strategy).cp()


def test_shutil_reaches_no_other_machine() -> None:
    """It says so when the electron is decorated."""
    for transfer in (TransferToRemote("/a", "/b", Shutil()), TransferFromRemote("/a", "/b", Shutil())):
        with pytest.raises(NotImplementedError, match="choose the strategy"):
            transfer.cp()


def test_a_registered_strategy_is_taken_for_its_scheme() -> None:
    """Only in the direction it was registered for."""
    register_uploader("noted", Noted)
    assert TransferToRemote("noted://h/a", "/b").cp()[1]() == ("up", "/b", "/a")
    with pytest.raises(AttributeError, match="register_downloader"):
        TransferFromRemote("noted://h/a")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TransferFromRemote("s3://bucket").cp(), "names no object"),
        (lambda: TransferToRemote("gs:///name").cp(), "names no object"),
        (lambda: TransferToRemote("blob://account/container").cp(), "names no object"),
        (lambda: TransferToRemote("blob://account").cp(), "names no container"),
        (lambda: TransferFromRemote("http://h/folder/").cp(), "folder"),
        (lambda: TransferToRemote("http://h/folder/", "/a").cp(), "folder"),
        (lambda: TransferFromRemote("/a", strategy=Rsync()).cp(), "needs its name"),
        (lambda: TransferToRemote("/a", strategy=Rsync(host="-oProxyCommand=x")).cp(), "needs its name"),
        (lambda: Blob(client_id="x"), "together"),
        (lambda: GCloud(credentials="/no/such/file"), "no file"),
    ],
)
def test_places_that_a_strategy_cannot_serve_are_refused_early(make: Callable[[], Any], message: str) -> None:
    """Where the electron is decorated, not where it runs."""
    with pytest.raises(ValueError, match=message):
        make()


def test_a_missing_key_is_told_at_once() -> None:
    """By the documented error."""
    with pytest.raises(FileNotFoundError, match="no private key"):
        Rsync(user="me", host="far", private_key_path="/no/such/key")


@pytest.mark.parametrize(
    ("strategy", "library", "extra"),
    [(S3, "boto3", "covalent-lab"), (GCloud, "google.cloud.storage", "[gcp]"), (Blob, "azure.identity", "[azure]")],
)
def test_a_missing_library_is_told_with_the_extra_that_brings_it(
    strategy: Callable[[], Any], library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is run."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=library) as caught:
        strategy()
    assert extra in str(caught.value)


def test_describing_a_transfer_loads_no_library_of_an_object_store() -> None:
    """That costs a second; they are loaded where the files are moved."""
    program = (
        "import sys; from covalent_lab.fs import TransferFromRemote as T\n"
        "for uri in ('s3://b/k', 'gs://b/k', 'blob://a.b/c/k', 'http://h/k'): T(uri).cp()\n"
        "print({'boto3', 'azure.storage.blob', 'google.cloud.storage', 'urllib3'} & set(sys.modules))"
    )
    root = Path(__file__).parents[3]
    assert subprocess.check_output([sys.executable, "-c", program], text=True, cwd=root) == "set()\n"


def test_secrets_are_not_part_of_what_is_shown() -> None:
    """The text form of what travels is stored beside it, as a preview."""
    transfers = [
        TransferFromRemote("blob://a.b/c/k", strategy=Blob("me", "secret", "here")),
        TransferToRemote("https://host/a?signature=secret"),
    ]
    assert "secret" not in json.dumps(encode_hooks(files=transfers)) + repr(transfers) + repr(transfers[0].strategy)
