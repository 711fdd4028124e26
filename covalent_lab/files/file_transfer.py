"""One file, or one folder, that is to be moved before or after a task."""

from collections.abc import Callable
from copy import copy
from typing import Any

from covalent_lab.files.enums import FtCallDepReturnValue, Order
from covalent_lab.files.file import File, Folder
from covalent_lab.files.moving import make_file
from covalent_lab.files.schemes import downloader, uploader
from covalent_lab.files.strategies.shutil_strategy import Shutil
from covalent_lab.files.strategies.transfer_strategy_base import FileTransferStrategy

__all__ = ["FileTransfer", "TransferFromRemote", "TransferToRemote"]


class FileTransfer:
    """A source, a destination, and how and when the one is copied to the other.

    Attributes:
        from_file: The source.
        to_file: The destination.
        order: Before or after the task.
        strategy: What moves the bytes.

    Example:
        >>> transfer = FileTransfer("/data/in.csv", "/scratch/in.csv")
        >>> prepare, copy = transfer.cp()
        >>> prepare()
        ('/data/in.csv', '/scratch/in.csv')
    """

    def __init__(
        self,
        from_file: File | str | None = None,
        to_file: File | str | None = None,
        order: Order | str = Order.BEFORE,
        strategy: FileTransferStrategy | None = None,
    ) -> None:
        """Join two places.

        Args:
            from_file: The source; None for a new temporary file, which the task writes.
            to_file: The destination; None for a new temporary file.
            order: Before or after the task.
            strategy: What moves the bytes; default: what is registered for the scheme of the remote side, and copying
                between two local files.

        Raises:
            AttributeError: An argument is of the wrong type, or no strategy is known for the scheme.
            ValueError: Both sides are remote, or a folder is to become a file.
        """
        source, target = _file(from_file), _file(to_file)
        temporary = Folder if any(side is not None and side.is_dir for side in (source, target)) else File
        self.from_file, self.to_file = source or temporary(), target or temporary()
        if order not in list(Order):
            raise AttributeError(f"A transfer's order is Order.BEFORE or Order.AFTER, not {order!r}.")
        self.order = Order(order)
        if strategy is not None and not isinstance(strategy, FileTransferStrategy):
            raise AttributeError(f"A strategy is an object such as Rsync() or S3(), not {strategy!r}.")
        if self.from_file.is_remote and self.to_file.is_remote:
            problem = "Files cannot be transferred from one remote place to another. Take them to a local file between."
            raise ValueError(problem) if strategy else AttributeError(problem)
        if self.from_file.is_dir and not self.to_file.is_dir:
            raise ValueError(
                f"The folder {self.from_file.filepath!r} cannot be transferred to the file {self.to_file.filepath!r}. "
                "End the destination with a slash."
            )
        self.strategy = strategy or self._default_strategy()

    def cp(
        self, returns: FtCallDepReturnValue = FtCallDepReturnValue.FROM_TO
    ) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """The two calls of the transfer, without arguments, to be made where the task runs.

        Args:
            returns: What the first call returns.

        Returns:
            What makes temporary files and returns `(from_path, to_path)`; and what moves the bytes.

        Raises:
            NotImplementedError: The strategy cannot move files in that direction.
            ValueError: It cannot move what these names stand for.
        """
        paths = self.from_file.filepath, self.to_file.filepath
        result: Any = paths
        if returns != FtCallDepReturnValue.FROM_TO:
            result = paths[returns == FtCallDepReturnValue.TO]
        sides = (self.from_file, self.to_file)
        temporary = [(side.filepath, side.is_dir) for side in sides if side.is_temp_file and not side.is_remote]

        def prepare_files() -> Any:
            for path, is_dir in temporary:
                make_file(path, is_dir)
            return result

        if self.from_file.is_remote:
            move = self.strategy.download
        elif self.to_file.is_remote:
            move = self.strategy.upload
        else:
            move = self.strategy.cp
        return prepare_files, move(self.from_file, self.to_file)

    def _default_strategy(self) -> FileTransferStrategy:
        if self.from_file.is_remote:
            return downloader(self.from_file)
        return uploader(self.to_file) if self.to_file.is_remote else Shutil()

    def __repr__(self) -> str:
        kind = type(self.strategy).__name__
        return f"FileTransfer({self.from_file!r}, {self.to_file!r}, {str(self.order)!r}, {kind})"


def TransferFromRemote(  # noqa: N802 - documented name
    from_filepath: str | File,
    to_filepath: str | File | None = None,
    strategy: FileTransferStrategy | None = None,
    order: Order | str = Order.BEFORE,
) -> FileTransfer:
    """A transfer from another machine or an object store, before the task.

    Args:
        from_filepath: The source.
        to_filepath: The local destination; None for a new temporary file.
        strategy: What moves the bytes; default: what is registered for the scheme.
        order: Ignored: it is always `Order.BEFORE`.

    Raises:
        AttributeError: An argument is of the wrong type, or no strategy is known for the scheme.
        ValueError: The destination is remote as well, or a folder is to become a file.
    """
    return FileTransfer(_remote(from_filepath), to_filepath, Order.BEFORE, strategy)


def TransferToRemote(  # noqa: N802 - documented name
    to_filepath: str | File,
    from_filepath: str | File | None = None,
    strategy: FileTransferStrategy | None = None,
    order: Order | str = Order.AFTER,
) -> FileTransfer:
    """A transfer to another machine or an object store, after the task.

    Args:
        to_filepath: The destination.
        from_filepath: The local source; None for a new temporary file, which the task writes.
        strategy: What moves the bytes; default: what is registered for the scheme.
        order: Ignored: it is always `Order.AFTER`.

    Raises:
        AttributeError: An argument is of the wrong type, or no strategy is known for the scheme.
        ValueError: The source is remote as well, or a folder is to become a file.
    """
    return FileTransfer(from_filepath, _remote(to_filepath), Order.AFTER, strategy)


def _file(value: Any) -> File | None:
    if value is None or isinstance(value, File):
        return value
    if isinstance(value, str):
        return File(value)
    raise AttributeError(f"A transfer takes files, folders and their paths, not {value!r}.")


def _remote(value: Any) -> File:
    if isinstance(value, str):
        return File(value, is_remote=True)
    if not isinstance(value, File):
        raise AttributeError(f"The remote side of a transfer is a path or a File, not {value!r}.")
    file = copy(value)
    file.is_remote = True
    return file
