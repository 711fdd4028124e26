"""Copies on one machine."""

import os
from pathlib import Path

import pytest

from covalent_lab.files import moving
from covalent_lab.fs import File, FileTransfer, Folder
from covalent_lab.fs_strategies.shutil_strategy import Shutil


def copy(source: File | str, target: File | str) -> None:
    """Transfer at once."""
    FileTransfer(source, target, strategy=Shutil()).cp()[1]()


def tree(folder: Path) -> dict[str, str]:
    """Content of each file below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_copied_with_its_permissions_and_times(tmp_path: Path) -> None:
    """Folders above are made, what was there is replaced."""
    source, target = tmp_path / "source", tmp_path / "new" / "deep" / "target"
    source.write_text("hello")
    source.chmod(0o640)
    os.utime(source, (1, 2))
    for _ in range(2):
        copy(str(source), str(target))
        assert (target.read_text(), target.stat().st_mode & 0o777, target.stat().st_mtime) == ("hello", 0o640, 2)
        source.write_text("hello")
        os.utime(source, (1, 2))
    copy(str(source), f"{tmp_path}/folder/")
    assert tree(tmp_path / "folder") == {"source": "hello"}


def test_a_folder_is_copied_into_another(tmp_path: Path) -> None:
    """Its contents, or itself as well; what else is there stays."""
    for name in ("source/a/1", "source/2", "target/a/0"):
        File(f"{tmp_path}/{name}").touch()
    copy(f"{tmp_path}/source/", f"{tmp_path}/target/")
    assert sorted(tree(tmp_path / "target")) == ["2", "a/0", "a/1"]
    copy(Folder(f"{tmp_path}/source", include_folder=True), Folder(f"{tmp_path}/into"))
    assert sorted(tree(tmp_path / "into")) == ["source/2", "source/a/1"]


def test_a_missing_source_leaves_the_target_alone(tmp_path: Path) -> None:
    """And nothing half-done."""
    (tmp_path / "target").write_text("old")
    with pytest.raises(FileNotFoundError):
        copy(f"{tmp_path}/none", f"{tmp_path}/target")
    assert tree(tmp_path) == {"target": "old"}


def test_a_copy_reports_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Network file systems are slow too."""
    monkeypatch.setattr(moving, "LARGE", 0)
    monkeypatch.setattr(moving, "INTERVAL_S", 0)
    (tmp_path / "source").write_bytes(bytes(2 << 20))
    copy(f"{tmp_path}/source", f"{tmp_path}/target")
    assert f"{tmp_path}/source: 2 of 2 MiB" in capsys.readouterr().err
