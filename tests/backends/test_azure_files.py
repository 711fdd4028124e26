"""What is special about Azure Blob Storage."""

from pathlib import Path

import pytest

from covalent_lab.fs import File, TransferFromRemote, TransferToRemote
from covalent_lab.fs_strategies import Blob
from tests.backends.object_stores import LocalStore


def test_an_account_that_the_connection_is_not_for_is_refused(
    azure: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than to serve files of another account."""
    for name, value in azure.env.items():
        monkeypatch.setenv(name, value)
    transfer = TransferFromRemote("blob://other.blob.core.windows.net/samples/x")
    with pytest.raises(ValueError, match=r"account 'other'.*'devstoreaccount1'"):
        transfer.cp()[1]()


def test_a_damaged_object_is_found(azure: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checksum is stored with it, and compared when it comes back."""
    from azure.storage.blob import BlobServiceClient, ContentSettings

    for name, value in azure.env.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "source").write_text("x")
    TransferToRemote(f"{azure.root}damaged", str(tmp_path / "source"), azure.strategy).cp()[1]()
    with BlobServiceClient.from_connection_string(azure.env["AZURE_STORAGE_CONNECTION_STRING"]) as service:
        blob = service.get_blob_client("samples", "damaged")
        assert blob.get_blob_properties().content_settings.content_md5
        blob.set_http_headers(ContentSettings(content_md5=bytearray(16)))
    with pytest.raises(OSError, match="md5"):
        TransferFromRemote(f"{azure.root}damaged", str(tmp_path / "target"), azure.strategy).cp()[1]()
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("strategy", [Blob(), Blob(client_id="a", client_secret="b", tenant_id="c")])
def test_without_a_connection_string_azure_itself_is_meant(strategy: Blob, monkeypatch: pytest.MonkeyPatch) -> None:
    """A principal that is named counts before the environment; nothing is sent yet."""
    if strategy.client_id:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=eA==")
    else:
        monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING", raising=False)
    with strategy.bucket(File("blob://me.blob.core.windows.net/box/folder/name")) as container:
        assert container._client.url == "https://me.blob.core.windows.net/box"
