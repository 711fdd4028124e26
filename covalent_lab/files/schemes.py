"""Which strategy moves the files of a scheme, where none is named."""

from covalent_lab.files.enums import FileSchemes
from covalent_lab.files.file import File, allow_scheme
from covalent_lab.files.strategies.azure_blob_strategy import Blob
from covalent_lab.files.strategies.gcloud_strategy import GCloud
from covalent_lab.files.strategies.http_strategy import HTTP
from covalent_lab.files.strategies.s3_strategy import S3
from covalent_lab.files.strategies.transfer_strategy_base import FileTransferStrategy

__all__ = ["downloader", "register_downloader", "register_uploader", "uploader"]

_STRATEGIES: dict[str, type[FileTransferStrategy]] = {
    FileSchemes.S3: S3,
    FileSchemes.GCloud: GCloud,
    FileSchemes.Blob: Blob,
    FileSchemes.HTTP: HTTP,
    FileSchemes.HTTPS: HTTP,
}
_downloaders = dict(_STRATEGIES)
_uploaders = dict(_STRATEGIES)


def register_downloader(scheme: str, strategy: type[FileTransferStrategy]) -> None:
    """Use a strategy to download files of a scheme, which may be a new one.

    Args:
        scheme: What is before `://`, e.g. `"sftp"`.
        strategy: A subclass of `FileTransferStrategy` that can be made without arguments and has `download`.

    Raises:
        TypeError: It is not one.
    """
    _register(_downloaders, scheme, strategy)


def register_uploader(scheme: str, strategy: type[FileTransferStrategy]) -> None:
    """Use a strategy to upload files of a scheme, which may be a new one.

    Args:
        scheme: What is before `://`, e.g. `"sftp"`.
        strategy: A subclass of `FileTransferStrategy` that can be made without arguments and has `upload`.

    Raises:
        TypeError: It is not one.
    """
    _register(_uploaders, scheme, strategy)


def downloader(file: File) -> FileTransferStrategy:
    """The strategy for a source.

    Raises:
        AttributeError: None is registered.
    """
    return _strategy(_downloaders, file, "register_downloader")


def uploader(file: File) -> FileTransferStrategy:
    """The strategy for a destination.

    Raises:
        AttributeError: None is registered.
    """
    return _strategy(_uploaders, file, "register_uploader")


def _register(table: dict[str, type[FileTransferStrategy]], scheme: str, strategy: type[FileTransferStrategy]) -> None:
    if not isinstance(strategy, type) or not issubclass(strategy, FileTransferStrategy):
        raise TypeError(f"Register a subclass of FileTransferStrategy, not {strategy!r}.")
    allow_scheme(scheme)
    table[scheme.lower()] = strategy


def _strategy(table: dict[str, type[FileTransferStrategy]], file: File, register: str) -> FileTransferStrategy:
    if file.scheme not in table:
        raise AttributeError(
            f"No strategy is known for remote files of the scheme {str(file.scheme)!r}. "
            f"Give one, e.g. strategy=Rsync(user=…, host=…), or register a class by {register}."
        )
    return table[file.scheme]()
