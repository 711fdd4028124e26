"""Object stores on this machine: moto for S3, an emulator for Google's, Azurite for Azure's."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from covalent_lab.files.strategies.object_store import ObjectStore
from covalent_lab.fs_strategies import S3, Blob, GCloud
from tests.backends.service import serving

__all__ = ["LocalStore", "azure_store", "azurite_program", "google_store", "s3_store"]

BUCKET = "samples"
MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("port", server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
GOOGLE = """
import sys
from http import server as http
from gcp_storage_emulator import server
http.HTTPServer = http.ThreadingHTTPServer
service = server.create_server("127.0.0.1", 0, in_memory=True)
service.start()
print("port", service._api._httpd.server_port, flush=True)
sys.stdin.read()
service.stop()
"""
ACCOUNT = "devstoreaccount1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStore:
    """A service that runs here, and a bucket in it.

    Attributes:
        strategy: What moves files to and from it.
        root: URI of the bucket, with a slash at its end.
        env: Variables by which a task finds the service.
    """

    strategy: ObjectStore
    root: str
    env: dict[str, str] = field(default_factory=dict)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of this process for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def s3_store() -> Iterator[LocalStore]:
    """Amazon's, by moto."""
    import boto3

    with serving([sys.executable, "-c", MOTO], r"^port (\d+)") as found:
        env = {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{found[1]}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        with environment(env), closing(boto3.client("s3")) as client:
            client.create_bucket(Bucket=BUCKET)
        yield LocalStore(strategy=S3(), root=f"s3://{BUCKET}/", env=env)


@contextmanager
def google_store() -> Iterator[LocalStore]:
    """Google's, by gcp-storage-emulator."""
    from google.cloud.storage import Client

    with serving([sys.executable, "-c", GOOGLE], r"^port (\d+)") as found:
        env = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{found[1]}", "GOOGLE_CLOUD_PROJECT": "lab"}
        with environment(env), closing(Client()) as client:
            client.create_bucket(BUCKET)
        yield LocalStore(strategy=GCloud(), root=f"gs://{BUCKET}/", env=env)


@contextmanager
def azure_store(node: str, azurite: str) -> Iterator[LocalStore]:
    """Azure's, by Azurite.

    Args:
        node: Program that runs JavaScript.
        azurite: Path of the emulator's program.
    """
    from azure.storage.blob import BlobServiceClient

    key = base64.b64encode(os.urandom(48)).decode()
    command = [node, azurite, "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]
    command += ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with serving(command, r"listens on (http://\S+)", {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}) as found:
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={found[1]}/{ACCOUNT};"
        )
        with closing(BlobServiceClient.from_connection_string(connection)) as service:
            service.create_container(BUCKET)
        env = {"AZURE_STORAGE_CONNECTION_STRING": connection}
        yield LocalStore(strategy=Blob(), root=f"blob://{ACCOUNT}.blob.core.windows.net/{BUCKET}/", env=env)


def azurite_program() -> str:
    """Path at which `.ci/azurite` puts the emulator."""
    script = Path(__file__).parents[2] / ".ci" / "azurite"
    return subprocess.check_output(["bash", script, "--where"], text=True).strip()
