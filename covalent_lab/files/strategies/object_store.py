"""What the three object stores have in common: names below a prefix stand for folders."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from covalent_lab.files.file import File
from covalent_lab.files.moving import inside, walk
from covalent_lab.files.strategies.transfer_strategy_base import FileTransferStrategy, target_path

__all__ = ["Bucket", "ObjectStore"]


class Bucket(Protocol):
    """An open connection to one bucket or container."""

    def names(self, prefix: str) -> Iterator[str]:
        """Names of all objects that begin with the prefix."""

    def download(self, name: str, path: str) -> None:
        """Bring one object to a local path, whole or not at all.

        Raises:
            FileNotFoundError: There is no such object.
        """

    def upload(self, path: str, name: str) -> None:
        """Store one local file under a name; what was there is replaced."""


class ObjectStore(FileTransferStrategy):
    """A way of moving files to and from a service that keeps objects under names.

    A folder is all objects below its name; its parts lie at the same places below the destination. Folders that are
    empty do not exist there.
    """

    def bucket(self, file: File) -> AbstractContextManager[Bucket]:
        """Connect to the bucket that a file is in; called where the task runs."""
        raise self._cannot("connect")

    def key_of(self, file: File) -> str:
        """Name of an object within its bucket; for a folder a prefix with a slash at its end."""
        return file.key

    def download(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Get an object, or all that are below a prefix.

        Raises:
            ValueError: The source names no object.
        """
        key = self._checked_key(from_file)
        target = target_path(from_file, to_file)

        def download() -> None:
            with self.bucket(from_file) as bucket:
                if not from_file.is_dir:
                    bucket.download(key, target)
                    return
                found = [name for name in bucket.names(key) if not name.endswith("/")]
                if not found:
                    raise FileNotFoundError(f"There is nothing below {from_file.uri}.")
                os.makedirs(target, exist_ok=True)
                for name in found:
                    bucket.download(name, inside(target, name[len(key) :]))

        return download

    def upload(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Store a file, or all that are in a folder.

        Raises:
            ValueError: The destination names no object.
        """
        key = self._checked_key(to_file)
        keeps_name = from_file.include_folder if from_file.is_dir else to_file.is_dir
        if keeps_name:
            key += f"{from_file.name}/" if from_file.is_dir else from_file.name
        source = from_file.filepath

        def upload() -> None:
            with self.bucket(to_file) as bucket:
                if not from_file.is_dir:
                    bucket.upload(source, key)
                    return
                for path, name in walk(source):
                    bucket.upload(path, f"{key}{name}")

        return upload

    def _checked_key(self, file: File) -> str:
        key = self.key_of(file)
        if not file.host or (not key and not file.is_dir):
            raise ValueError(f"{file.uri} names no object; the form is {file.scheme}://bucket/name.")
        return key
