"""Files that are brought to a task before it runs, or taken from it afterwards.

    @ct.electron(files=[ct.fs.TransferFromRemote("s3://bucket/in.csv"), ct.fs.TransferToRemote("s3://bucket/out.csv")])
    def convert(files=[]):
        (_, source), (target, _) = files

`covalent_lab.fs_strategies` has the ways in which they are moved.
"""

from covalent_lab.files.enums import FileSchemes, FtCallDepReturnValue, Order
from covalent_lab.files.file import File, Folder
from covalent_lab.files.file_transfer import FileTransfer, TransferFromRemote, TransferToRemote
from covalent_lab.files.schemes import register_downloader, register_uploader
from covalent_lab.files.strategies.transfer_strategy_base import FileTransferStrategy

__all__ = [
    "File",
    "FileSchemes",
    "FileTransfer",
    "FileTransferStrategy",
    "Folder",
    "FtCallDepReturnValue",
    "Order",
    "TransferFromRemote",
    "TransferToRemote",
    "register_downloader",
    "register_uploader",
]
