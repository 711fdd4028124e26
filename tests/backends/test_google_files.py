"""What is special about Google Cloud Storage."""

import json
from pathlib import Path

import pytest

from covalent_lab.fs import File, TransferFromRemote, TransferToRemote
from covalent_lab.fs_strategies import GCloud
from tests.backends.object_stores import LocalStore


def test_a_damaged_object_is_found(google: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the service sends no checksum along with the content; the target is left alone."""
    from google.cloud.storage import Blob

    for name, value in google.env.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "source").write_text("content")
    (tmp_path / "target").write_text("old")
    TransferToRemote(f"{google.root}damaged", str(tmp_path / "source")).cp()[1]()
    genuine = Blob.download_to_file

    def download(self, file):
        genuine(self, file)
        file.seek(0)
        file.write(b"c0ntent")

    monkeypatch.setattr(Blob, "download_to_file", download)
    with pytest.raises(OSError, match="md5"):
        TransferFromRemote(f"{google.root}damaged", str(tmp_path / "target")).cp()[1]()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"source": "content", "target": "old"}


@pytest.mark.parametrize(("asked", "project"), [(None, "of-the-account"), ("other", "other")])
def test_a_service_account_is_taken_from_its_file(
    asked: str | None, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its project, unless another is named; nothing is sent yet."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "project_id": "of-the-account",
        "client_email": "me@lab",
        "token_uri": "https://token",
        "private_key": key.private_bytes(*form).decode(),
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    with GCloud(credentials=str(path), project_id=asked).bucket(File("gs://box/name")) as bucket:
        assert (bucket._client.project, bucket._bucket.name) == (project, "box")
