"""The ways in which files are moved; see `covalent_lab.fs`."""

from covalent_lab.files.strategies.azure_blob_strategy import Blob
from covalent_lab.files.strategies.gcloud_strategy import GCloud
from covalent_lab.files.strategies.http_strategy import HTTP
from covalent_lab.files.strategies.rsync_strategy import Rsync
from covalent_lab.files.strategies.s3_strategy import S3
from covalent_lab.files.strategies.shutil_strategy import Shutil

__all__ = ["HTTP", "S3", "Blob", "GCloud", "Rsync", "Shutil"]
