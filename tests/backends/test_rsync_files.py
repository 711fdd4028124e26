"""rsync, on one machine and over a real SSH server."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from covalent_lab.files import moving
from covalent_lab.fs import File, FileTransfer, Folder, TransferFromRemote, TransferToRemote
from covalent_lab.fs_strategies import Rsync
from tests.backends.sshd import SshServer

TREE = {"1.txt": "one", "a b/2.txt": "two", "a b/c/3.txt": ""}


@pytest.fixture(autouse=True)
def installed(require: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """rsync is there, and tries again without a pause."""
    require("rsync")
    monkeypatch.setattr(moving, "DELAYS_S", (0, 0, 0))


@pytest.fixture
def far(ssh: SshServer, monkeypatch: pytest.MonkeyPatch) -> Rsync:
    """A way to the SSH server."""
    monkeypatch.setenv("PATH", f"{ssh.programs}{os.pathsep}{os.environ['PATH']}")
    return Rsync(user=ssh.user, host=ssh.host, private_key_path=str(ssh.key))


def tree(folder: Path) -> dict[str, str]:
    """Content of each file below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_local_files_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into folders that are made; names that look like options, hosts or commands are names."""
    monkeypatch.chdir(folder)
    for name in ("-rf", "host:name", "$(touch evil) ; touch evil", "quote'\"s"):
        Path(name).write_text(name)
        FileTransfer(name, f"new/deep/{name}", strategy=Rsync()).cp()[1]()
        assert Path("new/deep", name).read_text() == name
    FileTransfer(f"{folder}/source/", f"{folder}/copy/", strategy=Rsync()).cp()[1]()
    assert tree(folder / "copy") == TREE
    assert not Path("evil").exists()


def test_the_folder_itself_can_be_taken_along(folder: Path) -> None:
    """As rsync does without a slash."""
    FileTransfer(Folder(f"{folder}/source", include_folder=True), f"{folder}/copy/", strategy=Rsync()).cp()[1]()
    assert tree(folder / "copy") == {f"source/{name}": text for name, text in TREE.items()}


def test_a_failure_tells_what_rsync_said(folder: Path) -> None:
    """By the documented error."""
    with pytest.raises(CalledProcessError) as caught:
        FileTransfer(f"{folder}/none", f"{folder}/copy", strategy=Rsync()).cp()[1]()
    assert caught.value.returncode == 23
    assert "No such file" in caught.value.stderr
    assert "No such file" in caught.value.__notes__[0]


def test_a_missing_program_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not a missing file."""
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(FileNotFoundError, match="rsync is not installed"):
        FileTransfer(f"{folder}/source/1.txt", f"{folder}/copy", strategy=Rsync()).cp()[1]()


def test_files_go_to_another_machine_and_come_back(far: Rsync, folder: Path) -> None:
    """Names that a shell would change stay as they are."""
    for name in ("plain", "two words", "$(touch evil);`touch evil`", "quote'\"s", "ü"):
        (folder / "up").write_text(name)
        TransferToRemote(f"{folder}/{name}", f"{folder}/up", far).cp()[1]()
        TransferFromRemote(f"{folder}/{name}", f"{folder}/new {name}/down", far).cp()[1]()
        assert (folder / f"new {name}" / "down").read_text() == name
    assert not list(folder.rglob("evil"))


def test_folders_go_to_another_machine_and_come_back(far: Rsync, folder: Path) -> None:
    """Their contents, or themselves."""
    TransferToRemote(f"{folder}/far/", f"{folder}/source/", far).cp()[1]()
    TransferFromRemote(File(f"{folder}/far", is_dir=True, include_folder=True), f"{folder}/back/", far).cp()[1]()
    assert tree(folder / "back") == {f"far/{name}": text for name, text in TREE.items()}


@pytest.mark.parametrize("name", ["a[1].txt", "a*.txt", "a?.txt", "b\\c"])
def test_names_are_not_taken_for_patterns(name: str, far: Rsync, folder: Path) -> None:
    """A neighbour that the pattern would match is neither brought nor overwritten."""
    (folder / "a1.txt").write_text("neighbour")
    (folder / name).write_text("right")
    TransferFromRemote(f"{folder}/{name}", f"{folder}/down", far).cp()[1]()
    assert (folder / "down").read_text() == "right"
    if set("*?[") & set(name):
        with pytest.raises(ValueError, match="pattern"):
            TransferToRemote(f"{folder}/{name}", f"{folder}/down", far).cp()


def test_a_key_may_lie_anywhere(ssh: SshServer, far: Rsync, folder: Path) -> None:
    """Also where the path has spaces and quotes."""
    key = folder / 'it\'s a "key"'
    shutil.copy(ssh.key, key)
    key.chmod(0o600)
    strategy = Rsync(user=ssh.user, host=ssh.host, private_key_path=str(key))
    TransferFromRemote(f"{folder}/source/1.txt", f"{folder}/down", strategy).cp()[1]()
    assert (folder / "down").read_text() == "one"


def test_without_the_right_key_it_fails_and_asks_nobody(ssh: SshServer, far: Rsync, folder: Path) -> None:
    """At once: it would not get better."""
    (folder / "key").write_text("not a key")
    (folder / "key").chmod(0o600)
    strategy = Rsync(user=ssh.user, host=ssh.host, private_key_path=str(folder / "key"))
    with pytest.raises(CalledProcessError, match="255") as caught:
        TransferFromRemote(f"{folder}/source/1.txt", f"{folder}/down", strategy).cp()[1]()
    assert "Permission denied" in caught.value.stderr


def test_a_machine_that_refuses_is_tried_again(
    far: Rsync, ssh: SshServer, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be starting."""
    from socket import socket

    with socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        wrapper = folder / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {ssh.programs}/ssh -p {taken.getsockname()[1]} "$@"\n')
        wrapper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(CalledProcessError):
            TransferFromRemote(f"{folder}/source/1.txt", f"{folder}/down", far).cp()[1]()
    assert capsys.readouterr().err.count("trying again") == 3
