"""What is special about S3."""

import os
from pathlib import Path
from typing import Any

import pytest

from covalent_lab.fs import TransferFromRemote, TransferToRemote
from covalent_lab.fs_strategies import S3
from tests.backends.object_stores import LocalStore


@pytest.fixture
def bucket(s3: LocalStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """URI of the bucket; the environment leads to it."""
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    return s3.root


def test_names_that_lead_out_of_the_target_are_refused(bucket: str, tmp_path: Path) -> None:
    """Whoever may write to the bucket may not write elsewhere."""
    (tmp_path / "evil").write_text("x")
    TransferToRemote(f"{bucket}tree/../../evil", str(tmp_path / "evil")).cp()[1]()
    with pytest.raises(ValueError, match="name"):
        TransferFromRemote(f"{bucket}tree/", f"{tmp_path}/a/b/").cp()[1]()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["evil"]


def test_damage_on_the_way_is_found_and_leaves_the_target_alone(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By size and by the service's checksum."""
    from s3transfer.manager import TransferManager

    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("content")
    target.write_text("old")
    TransferToRemote(f"{bucket}damaged", str(source)).cp()[1]()
    for damaged, message in (("c0ntent", "md5"), ("cont", "4 of 7 bytes")):
        genuine = TransferManager.download

        def download(self: Any, name: str, key: str, path: str, *rest: Any, text: str = damaged, **more: Any) -> Any:
            future = genuine(self, name, key, path, *rest, **more)  # noqa: B023 - used within the loop
            future.result()
            Path(path).write_text(text)
            return future

        with monkeypatch.context() as patch:
            patch.setattr(TransferManager, "download", download)
            with pytest.raises(OSError, match=message):
                TransferFromRemote(f"{bucket}damaged", str(target)).cp()[1]()
    assert sorted(os.listdir(tmp_path)) == ["source", "target"]
    assert target.read_text() == "old"


def test_a_credentials_file_with_a_profile_is_used(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task finds it as well."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    secrets = tmp_path / "credentials"
    secrets.write_text("[lab]\naws_access_key_id = one\naws_secret_access_key = two\n")
    source = tmp_path / "source"
    source.write_text("x")
    strategy = S3(credentials=str(secrets), profile="lab", region_name="us-east-1")
    TransferToRemote(f"{bucket}by-profile", str(source), strategy).cp()[1]()
    assert os.environ["AWS_SHARED_CREDENTIALS_FILE"] == str(secrets)
