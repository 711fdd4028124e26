"""Copies on one machine."""

import os
import shutil
from collections.abc import Callable

from covalent_lab.files.file import File
from covalent_lab.files.moving import CHUNK, Counted, check_size, progress, replacing
from covalent_lab.files.strategies.transfer_strategy_base import FileTransferStrategy, target_path

__all__ = ["Shutil"]


class Shutil(FileTransferStrategy):
    """Copies files and folders with their times and permissions. Missing folders are made, present files replaced."""

    def cp(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Copy a file, or everything in a folder."""
        source, target, is_dir = from_file.filepath, target_path(from_file, to_file), from_file.is_dir

        def copy() -> None:
            if is_dir:
                shutil.copytree(source, target, copy_function=_copy_file, dirs_exist_ok=True)
            else:
                _copy_file(source, target)

        return copy


def _copy_file(source: str, target: str) -> None:
    size = os.stat(source).st_size
    with replacing(target) as part:
        with open(source, "rb") as read, open(part, "wb") as write:
            shutil.copyfileobj(Counted(read, progress(source, size)), write, CHUNK)
            check_size(source, size, write.tell())
        shutil.copystat(source, part)
