"""Google Cloud Storage."""

import base64
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from covalent_lab.files.file import File
from covalent_lab.files.moving import Counted, check_digests, check_size, explain_missing, md5_of, progress, replacing
from covalent_lab.files.strategies.object_store import Bucket, ObjectStore

__all__ = ["GCloud"]


class GCloud(ObjectStore):
    """`gs://bucket/name`, by google-cloud-storage.

    Without arguments Google's library finds credentials and project by itself where the task runs;
    `STORAGE_EMULATOR_HOST` there names another service than Google's.
    """

    def __init__(self, credentials: str | None = None, project_id: str | None = None) -> None:
        """Say whose credentials to use.

        Args:
            credentials: Path of a service account's JSON file, also where the task runs: it does not travel.
            project_id: Project; default: the service account's.

        Raises:
            ImportError: google-cloud-storage is not installed.
            ValueError: There is no such file.
        """
        self._check_installed("google.cloud.storage", "covalent-lab[gcp]")
        self.credentials = os.path.expanduser(credentials) if credentials else None
        self.project_id = project_id
        if self.credentials and not os.path.isfile(self.credentials):
            raise ValueError(
                f"There is no file {self.credentials!r}. credentials is the path of a service account's key."
            )

    @contextmanager
    def bucket(self, file: File) -> Iterator[Bucket]:
        """Connect to a bucket."""
        with explain_missing("google-cloud-storage", "covalent-lab[gcp]"):
            from google.cloud.storage import Client

        options = {"project": self.project_id} if self.project_id else {}
        if self.credentials:
            client = Client.from_service_account_json(self.credentials, **options)
        else:
            client = Client(**options)
        with closing(client):
            yield _Bucket(client, file.host)


class _Bucket:
    """Google's library tries again by itself, and has the service verify what is uploaded."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = client.bucket(bucket)

    def names(self, prefix: str) -> Iterator[str]:
        for blob in self._client.list_blobs(self._bucket, prefix=prefix):
            yield blob.name

    def download(self, name: str, path: str) -> None:
        from google.api_core.exceptions import NotFound

        what = f"gs://{self._bucket.name}/{name}"
        blob = self._bucket.blob(name)
        try:
            blob.reload()
            with replacing(path) as part:
                with open(part, "wb") as file:
                    blob.download_to_file(Counted(file, progress(what, blob.size)))
                _check(what, blob, part)
        except NotFound as error:
            raise FileNotFoundError(f"There is no object {what}.") from error

    def upload(self, path: str, name: str) -> None:
        from google.cloud.storage.retry import DEFAULT_RETRY

        what, size = f"gs://{self._bucket.name}/{name}", os.stat(path).st_size
        blob = self._bucket.blob(name)
        with open(path, "rb") as file:
            blob.upload_from_file(Counted(file, progress(what, size)), size=size, checksum="md5", retry=DEFAULT_RETRY)


def _check(what: str, blob: Any, path: str) -> None:
    """Compare size and, unless the object was composed of others, MD5. Stored compressed, it arrives unpacked."""
    if blob.content_encoding == "gzip":
        return
    check_size(what, blob.size, os.stat(path).st_size)
    if blob.md5_hash:
        check_digests(what, {"md5": base64.b64decode(blob.md5_hash)}, {"md5": md5_of(path)})
