"""Amazon S3, and services that speak its language."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from covalent_lab.files.file import File
from covalent_lab.files.moving import check_digests, check_size, explain_missing, md5_of, progress, replacing
from covalent_lab.files.strategies.object_store import Bucket, ObjectStore

__all__ = ["S3"]


class S3(ObjectStore):
    """`s3://bucket/name`, by boto3.

    Without arguments boto3 finds credentials and region by itself where the task runs; `AWS_ENDPOINT_URL_S3` there
    names another service than Amazon's.
    """

    def __init__(
        self, credentials: str | None = None, profile: str | None = None, region_name: str | None = None
    ) -> None:
        """Say whose credentials to use.

        Args:
            credentials: Path of a credentials file, where the task runs. It becomes `AWS_SHARED_CREDENTIALS_FILE`
                there, also for the task itself.
            profile: Profile in that file.
            region_name: Region, e.g. `"eu-central-1"`.

        Raises:
            ImportError: boto3 is not installed.
        """
        self._check_installed("boto3", "covalent-lab")
        self.credentials = credentials
        self.profile = profile
        self.region_name = region_name

    @contextmanager
    def bucket(self, file: File) -> Iterator[Bucket]:
        """Connect to a bucket."""
        with explain_missing("boto3", "boto3"):
            import boto3
            from botocore.config import Config

        if self.credentials:
            os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.path.expanduser(self.credentials)
        session = boto3.Session(profile_name=self.profile, region_name=self.region_name)
        config = Config(retries={"mode": "standard", "max_attempts": 5})
        with closing(session.client("s3", config=config)) as client:
            yield _Bucket(client, file.host)


class _Bucket:
    """boto3 tries again, moves large objects in parts, and has the service verify what arrives."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def names(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for entry in page.get("Contents", ()):
                yield entry["Key"]

    def download(self, name: str, path: str) -> None:
        from botocore.exceptions import ClientError

        what = f"s3://{self._bucket}/{name}"
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchBucket"):
                raise FileNotFoundError(f"There is no object {what}.") from error
            raise
        with replacing(path) as part:
            report = progress(what, head["ContentLength"])
            self._client.download_file(self._bucket, name, part, Callback=report)
            _check(what, head, part)

    def upload(self, path: str, name: str) -> None:
        report = progress(f"s3://{self._bucket}/{name}", os.stat(path).st_size)
        self._client.upload_file(path, self._bucket, name, Callback=report)


def _check(what: str, head: dict[str, Any], path: str) -> None:
    """Compare size, and where the service's tag is the content's MD5 (neither parts nor keys of one's own) that."""
    check_size(what, head["ContentLength"], os.stat(path).st_size)
    tag = head["ETag"].strip('"')
    of_content = head.get("ServerSideEncryption", "AES256") == "AES256" and "SSECustomerAlgorithm" not in head
    if of_content and len(tag) == 32 and "--x-s3/" not in what:
        check_digests(what, {"md5": bytes.fromhex(tag)}, {"md5": md5_of(path)})
