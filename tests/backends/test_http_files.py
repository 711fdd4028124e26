"""Downloads and uploads against a real server, which sometimes answers badly."""

import base64
import hashlib
import os
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from covalent_lab.files import moving
from covalent_lab.fs import TransferFromRemote, TransferToRemote
from tests.backends.http_server import Answer, WebServer


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without a pause."""
    monkeypatch.setattr(moving, "DELAYS_S", (0, 0, 0))


def get(url: str, target: Path | str) -> None:
    """Transfer at once."""
    TransferFromRemote(url, str(target)).cp()[1]()


def put(source: Path, url: str) -> None:
    """Transfer at once."""
    TransferToRemote(url, str(source)).cp()[1]()


def digests(content: bytes) -> dict[str, str]:
    """Headers with checksums of a body."""
    md5, sha = (base64.b64encode(hashlib.new(name, content).digest()).decode() for name in ("md5", "sha256"))
    return {"Content-MD5": md5, "Digest": f"SHA-256={sha},unixsum=30637", "Repr-Digest": f"sha-256=:{sha}:"}


def test_a_file_is_got(web: WebServer, tmp_path: Path) -> None:
    """With the whole query; folders above are made; in a folder it keeps its name."""
    web.files["/a/b.csv?x=1&y=a/b"] = content = os.urandom(3 << 20)
    get(f"{web.url}/a/b.csv?x=1&y=a/b", tmp_path / "new" / "target")
    get(f"{web.url}/a/b.csv?x=1&y=a/b", f"{tmp_path}/folder/")
    assert (tmp_path / "new" / "target").read_bytes() == content
    assert (tmp_path / "folder" / "b.csv").read_bytes() == content


def test_a_file_is_put(web: WebServer, tmp_path: Path) -> None:
    """Streamed, with its length, and without a type, which a signed address might not allow."""
    content = os.urandom(3 << 20)
    (tmp_path / "source").write_bytes(content)
    put(tmp_path / "source", f"{web.url}/up?signature=abc")
    (method, path, headers) = web.requests[0]
    assert web.files == {"/up?signature=abc": content}
    assert (method, path, headers["Content-Length"]) == ("PUT", "/up?signature=abc", str(3 << 20))
    assert not {"Content-Type", "Content-type", "Transfer-Encoding"} & set(headers)


def test_an_empty_file_goes_both_ways(web: WebServer, tmp_path: Path) -> None:
    """Nothing is a content too."""
    (tmp_path / "source").touch()
    put(tmp_path / "source", f"{web.url}/empty")
    get(f"{web.url}/empty", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b""


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_told_once_and_without_secrets(status: int, web: WebServer, tmp_path: Path) -> None:
    """The target stays as it was."""
    (tmp_path / "target").write_text("old")
    web.answers = [Answer(status=status)] * 2
    with pytest.raises(HTTPError, match=f"{status}.*GET {web.url}/none") as caught:
        get(f"{web.url}/none?token=secret", tmp_path / "target")
    with pytest.raises(HTTPError, match=f"{status}.*PUT {web.url}/none"):
        put(tmp_path / "target", f"{web.url}/none?token=secret")
    assert len(web.requests) == 2
    assert "secret" not in str(caught.value)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"target": "old"}


def test_failures_that_may_pass_are_tried_again(
    web: WebServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An overloaded server, a body that breaks off, and one that was damaged on the way."""
    web.files["/a?token=secret"] = b"content"
    web.answers = [
        Answer(status=503),
        Answer(content=b"cont", length=7, headers={"Connection": "close"}),
        Answer(content=b"c0ntent", headers=digests(b"content")),
    ]
    get(f"{web.url}/a?token=secret", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"content"
    said = capsys.readouterr().err
    assert [word in said for word in ("503", "4 of 7 bytes", "md5")] == [True] * 3
    assert "secret" not in said
    web.answers = [Answer(status=500), Answer(status=429)]
    put(tmp_path / "target", f"{web.url}/b")
    assert web.files["/b"] == b"content"


def test_failures_that_do_not_pass_end_it(web: WebServer, tmp_path: Path) -> None:
    """After four tries; nothing is left behind."""
    web.answers = [Answer(status=503)] * 9
    with pytest.raises(HTTPError, match="503"):
        get(f"{web.url}/a", tmp_path / "target")
    assert len(web.requests) == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Content-MD5", "Digest", "Repr-Digest"])
def test_checksums_that_the_server_tells_are_verified(name: str, web: WebServer, tmp_path: Path) -> None:
    """Each on its own; algorithms that are not known here are passed over."""
    header = {name: digests(b"content")[name]}
    web.answers = [Answer(content=b"content", headers=header)]
    get(f"{web.url}/a", tmp_path / "target")
    web.answers = [Answer(content=b"c0ntent", headers=header)] * 4
    with pytest.raises(OSError, match="damaged"):
        get(f"{web.url}/a", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"content"


def test_a_server_that_is_not_there_is_told(web: WebServer, tmp_path: Path) -> None:
    """After it was asked again."""
    from socket import socket

    with socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(URLError, match="refused"):
            get(f"http://127.0.0.1:{taken.getsockname()[1]}/a", tmp_path / "target")


def test_transfers_report_how_far_they_are(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both directions; without the address's query."""
    monkeypatch.setattr(moving, "LARGE", 0)
    monkeypatch.setattr(moving, "INTERVAL_S", 0)
    (tmp_path / "source").write_bytes(bytes(2 << 20))
    put(tmp_path / "source", f"{web.url}/a?token=secret")
    assert f"PUT {web.url}/a: 2 of 2 MiB" in capsys.readouterr().err
    get(f"{web.url}/a?token=secret", tmp_path / "target")
    assert f"GET {web.url}/a: 2 of 2 MiB" in capsys.readouterr().err
