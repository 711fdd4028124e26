"""Azure Blob Storage."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from covalent_lab.files.file import File
from covalent_lab.files.moving import Counted, check_digests, check_size, explain_missing, md5_of, progress, replacing
from covalent_lab.files.strategies.object_store import Bucket, ObjectStore

__all__ = ["Blob"]


class Blob(ObjectStore):
    """`blob://ACCOUNT.blob.core.windows.net/CONTAINER/NAME`, by azure-storage-blob.

    Without arguments the environment where the task runs decides: `AZURE_STORAGE_CONNECTION_STRING`, which may lead to
    another service than Azure's, else the chain of Azure's `DefaultAzureCredential`.
    """

    def __init__(
        self, client_id: str | None = None, client_secret: str | None = None, tenant_id: str | None = None
    ) -> None:
        """Name a service principal, by all three arguments or none.

        The secret travels with the task and is kept with the records of the dispatch. Where that is not wanted, set
        `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` and `AZURE_TENANT_ID` where the task runs instead.

        Args:
            client_id: The principal.
            client_secret: Its secret.
            tenant_id: Where it is.

        Raises:
            ImportError: azure-storage-blob or azure-identity is not installed.
            ValueError: Some of the arguments are missing.
        """
        for library in ("azure.storage.blob", "azure.identity"):
            self._check_installed(library, "covalent-lab[azure]")
        self.client_id = client_id
        self.client_secret = client_secret
        self.tenant_id = tenant_id
        given = (client_id, client_secret, tenant_id)
        if any(given) and not all(given):
            raise ValueError("Blob takes client_id, client_secret and tenant_id together, or none of them.")

    def key_of(self, file: File) -> str:
        """The name behind the container's.

        Raises:
            ValueError: The URI names no container.
        """
        container, _, name = file.key.partition("/")
        if not container:
            raise ValueError(
                f"{file.uri} names no container; the form is blob://ACCOUNT.blob.core.windows.net/CONTAINER/NAME."
            )
        return name

    @contextmanager
    def bucket(self, file: File) -> Iterator[Bucket]:
        """Connect to a container."""
        with explain_missing("azure-storage-blob", "covalent-lab[azure]"):
            from azure.identity import ClientSecretCredential, DefaultAzureCredential
            from azure.storage.blob import BlobServiceClient

        with ExitStack() as stack:
            connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
            if connection and not self.client_id:
                service = stack.enter_context(closing(BlobServiceClient.from_connection_string(connection)))
                account = file.host.partition(".")[0]
                if service.account_name != account:
                    raise ValueError(
                        f"{file.uri} is in the account {account!r}, but AZURE_STORAGE_CONNECTION_STRING is for "
                        f"{service.account_name!r}. Unset it, or name that account."
                    )
            else:
                credential: ClientSecretCredential | DefaultAzureCredential
                if self.client_id and self.client_secret and self.tenant_id:
                    credential = ClientSecretCredential(self.tenant_id, self.client_id, self.client_secret)
                else:
                    credential = DefaultAzureCredential()
                stack.enter_context(closing(credential))
                address = f"https://{file.host}"
                service = stack.enter_context(closing(BlobServiceClient(address, credential=credential)))
            container = stack.enter_context(closing(service.get_container_client(file.key.partition("/")[0])))
            yield _Container(container)


class _Container:
    """Azure's library tries again by itself."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def names(self, prefix: str) -> Iterator[str]:
        yield from self._client.list_blob_names(name_starts_with=prefix)

    def download(self, name: str, path: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        what = self._what(name)
        try:
            stream = self._client.download_blob(name, max_concurrency=4)
            with replacing(path) as part:
                with open(part, "wb") as file:
                    stream.readinto(Counted(file, progress(what, stream.size)))
                check_size(what, stream.size, os.stat(part).st_size)
                if told := stream.properties.content_settings.content_md5:
                    check_digests(what, {"md5": bytes(told)}, {"md5": md5_of(part)})
        except ResourceNotFoundError as error:
            raise FileNotFoundError(f"There is no object {what}.") from error

    def upload(self, path: str, name: str) -> None:
        from azure.storage.blob import ContentSettings

        what, size = self._what(name), os.stat(path).st_size
        settings = ContentSettings(content_md5=bytearray(md5_of(path)))  # what downloads are compared with
        with open(path, "rb") as file:
            content = Counted(file, progress(what, size))
            self._client.upload_blob(
                name, content, length=size, overwrite=True, validate_content=True, content_settings=settings
            )

    def _what(self, name: str) -> str:
        return f"blob://{self._client.primary_hostname}/{self._client.container_name}/{name}"
