"""Paths and URIs: what a `File` makes of them."""

import os
from pathlib import Path

import pytest

from covalent_lab.fs import File, FileSchemes, FileTransferStrategy, Folder, register_downloader


@pytest.mark.parametrize(
    ("given", "scheme", "path", "uri"),
    [
        ("/a/b.txt", FileSchemes.File, "/a/b.txt", "file:///a/b.txt"),
        ("/a//./c/../b.txt", FileSchemes.File, "/a/b.txt", "file:///a//./c/../b.txt"),
        ("a/b.txt", FileSchemes.File, "a/b.txt", "file://a/b.txt"),
        ("file:///a/b c%20d.txt", FileSchemes.File, "/a/b c d.txt", "file:///a/b%20c%20d.txt"),
        ("/a/b?c#d%20e", FileSchemes.File, "/a/b?c#d%20e", "file:///a/b%3Fc%23d%2520e"),
        ("/a/über", FileSchemes.File, "/a/über", "file:///a/%C3%BCber"),
        ("s3://bucket/x y/k%20?#", FileSchemes.S3, "/x y/k%20?#", "s3://bucket/x y/k%20?#"),
        ("S3://bucket/k", FileSchemes.S3, "/k", "s3://bucket/k"),
        ("gs://bucket/k", FileSchemes.GCloud, "/k", "gs://bucket/k"),
        ("blob://a.blob.core.windows.net/c/b", FileSchemes.Blob, "/c/b", "blob://a.blob.core.windows.net/c/b"),
        ("http://host:80/a?b=c/d/", FileSchemes.HTTP, "/a", "http://host:80/a?b=c/d/"),
        ("https://host", FileSchemes.HTTPS, "/", "https://host"),
        ("ftp://host/a", FileSchemes.FTP, "/a", "ftp://host/a"),
        ("globus://end/a", FileSchemes.Globus, "/a", "globus://end/a"),
    ],
)
def test_a_place_is_read_from_its_text(given: str, scheme: str, path: str, uri: str) -> None:
    """Scheme, path and URI; what is not of the local file system is remote; the URI names the same place again."""
    file = File(given)
    assert (file.scheme, file.filepath, file.uri) == (scheme, path, uri)
    assert file.is_remote == (scheme != "file")
    assert File(file.uri).uri == uri


@pytest.mark.parametrize("kind", [File, Folder])
def test_folders_end_with_a_slash_unless_they_are_meant_themselves(kind: type[File]) -> None:
    """Either way of saying that it is a folder."""
    folder = File("/a/b/") if kind is File else Folder("/a/b")
    assert (folder.is_dir, folder.filepath, folder.name) == (True, "/a/b/", "b")
    assert kind("/a/b/", is_dir=True, include_folder=True).filepath == "/a/b"
    assert File("s3://bucket/a/").filepath == "/a/"
    assert Folder("s3://bucket/a").key == "a/"
    assert Folder("/").filepath == "/"


def test_remote_files_without_a_scheme_are_said_to_be_so() -> None:
    """Rsync's, for example."""
    assert File("/a", is_remote=True).is_remote
    assert not File("/a").is_remote


def test_without_a_path_there_is_a_new_temporary_file() -> None:
    """Each time another one, below /tmp."""
    one, two = File(), File()
    assert one.filepath == f"/tmp/{one.id}"
    assert one.filepath != two.filepath
    assert one.is_temp_file
    assert not File("/a").is_temp_file
    assert Folder().filepath.endswith("/")


@pytest.mark.parametrize("given", [1, Path("/a"), b"/a", []])
def test_paths_are_text(given: object) -> None:
    """Anything else is refused by the documented error."""
    with pytest.raises(AttributeError, match="text"):
        File(given)  # type: ignore[arg-type]


def test_an_empty_path_is_refused() -> None:
    """It is no temporary file, and no folder either."""
    with pytest.raises(ValueError, match="empty"):
        File("")
    assert not File("s3://bucket").is_dir


def test_unknown_schemes_are_refused_until_they_are_registered() -> None:
    """The message says how; passwords in addresses are not part of it."""
    with pytest.raises(ValueError, match="register_downloader"):
        File("lab-archive://host/a")

    class Archive(FileTransferStrategy):
        """Fetches from nowhere."""

    register_downloader("lab-archive", Archive)
    assert File("LAB-archive://host/a").scheme == "lab-archive"
    with pytest.raises(TypeError, match="subclass"):
        register_downloader("x", Archive())  # type: ignore[arg-type]


def test_touch_makes_files_and_folders(tmp_path: Path) -> None:
    """With those above them; what is there stays."""
    (tmp_path / "old").write_text("kept")
    for name in ("old", "a/b", "c/d/"):
        File(f"{tmp_path}/{name}").touch()
    assert (tmp_path / "old").read_text() == "kept"
    assert (tmp_path / "a" / "b").read_text() == ""
    assert os.listdir(tmp_path / "c" / "d") == []


def test_secrets_of_presigned_addresses_are_not_shown() -> None:
    """Neither in the text form nor in messages."""
    assert "secret" not in repr(File("https://host/a?signature=secret"))
