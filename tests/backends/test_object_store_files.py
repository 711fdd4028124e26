"""One suite for all object stores, each a real service on this machine."""

import os
import uuid
from pathlib import Path

import pytest

from covalent_lab.files import moving
from covalent_lab.fs import File, Folder, TransferFromRemote, TransferToRemote
from tests.backends.object_stores import LocalStore

TREE = {"1.txt": "one", "a b/2.txt": "two", "a b/c/3.txt": ""}


@pytest.fixture
def root(store: LocalStore) -> str:
    """URI of a part of the bucket that no other test uses."""
    return f"{store.root}{uuid.uuid4()}/"


def upload(source: File | str | Path, target: File | str, store: LocalStore) -> None:
    """Transfer at once."""
    source = str(source) if isinstance(source, Path) else source
    TransferToRemote(target, source, store.strategy).cp()[1]()


def download(source: File | str, target: File | str | Path, store: LocalStore) -> None:
    """Transfer at once."""
    target = str(target) if isinstance(target, Path) else target
    TransferFromRemote(source, target, store.strategy).cp()[1]()


def tree(folder: Path) -> dict[str, str]:
    """Content of each file below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_file_goes_there_and_comes_back(store: LocalStore, root: str, tmp_path: Path) -> None:
    """The same bytes, under a name with special characters; folders above are made, and files replaced."""
    source, back = tmp_path / "source", tmp_path / "new" / "back"
    for content in (b"first\n\r\0\xff", b"second"):
        source.write_bytes(content)
        upload(source, f"{root}ü b+c/d.txt", store)
        download(f"{root}ü b+c/d.txt", back, store)
        assert back.read_bytes() == content
    assert os.listdir(back.parent) == ["back"]


def test_a_file_keeps_its_name_in_a_folder(store: LocalStore, root: str, tmp_path: Path) -> None:
    """In both directions."""
    (tmp_path / "named").write_text("x")
    upload(tmp_path / "named", f"{root}folder/", store)
    download(f"{root}folder/named", f"{tmp_path}/back/", store)
    assert tree(tmp_path / "back") == {"named": "x"}


def test_a_folder_goes_there_and_comes_back(store: LocalStore, root: str, folder: Path) -> None:
    """Each object `prefix/a/b` lands at `target/a/b`; neighbours whose names begin alike stay away."""
    upload(Folder(f"{folder}/source"), f"{root}copy/", store)
    upload(folder / "source" / "1.txt", f"{root}copy2", store)
    download(f"{root}copy/", f"{folder}/back/", store)
    assert tree(folder / "back") == TREE
    download(f"{root}copy/a b/", Folder(f"{folder}/part"), store)
    assert tree(folder / "part") == {"2.txt": "two", "c/3.txt": ""}


def test_the_folder_itself_can_be_taken_along(store: LocalStore, root: str, folder: Path) -> None:
    """In both directions."""
    upload(Folder(f"{folder}/source", include_folder=True), root, store)
    download(Folder(f"{root}source", include_folder=True), f"{folder}/back/", store)
    assert tree(folder / "back") == {f"source/{name}": text for name, text in TREE.items()}


def test_a_missing_object_is_told_and_leaves_the_target_alone(store: LocalStore, root: str, tmp_path: Path) -> None:
    """A single one, and a folder without contents."""
    (tmp_path / "target").write_text("old")
    with pytest.raises(FileNotFoundError, match="no object"):
        download(f"{root}none", tmp_path / "target", store)
    with pytest.raises(FileNotFoundError, match="nothing below"):
        download(f"{root}none/", f"{tmp_path}/folder/", store)
    with pytest.raises(FileNotFoundError):
        upload(tmp_path / "none", f"{root}x", store)
    assert tree(tmp_path) == {"target": "old"}


def test_large_files_go_in_parts(store: LocalStore, root: str, tmp_path: Path) -> None:
    """Above the size from which each library splits them."""
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(1 << 20) * 34)
    upload(source, f"{root}large", store)
    download(f"{root}large", back, store)
    assert back.read_bytes() == source.read_bytes()


def test_transfers_report_how_far_they_are(
    store: LocalStore, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both directions, by the object's name."""
    monkeypatch.setattr(moving, "LARGE", 0)
    monkeypatch.setattr(moving, "INTERVAL_S", 0)
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(bytes(2 << 20))
    upload(source, f"{root}told", store)
    assert "told: 2 of 2 MiB" in capsys.readouterr().err
    download(f"{root}told", back, store)
    assert "told: 2 of 2 MiB" in capsys.readouterr().err
