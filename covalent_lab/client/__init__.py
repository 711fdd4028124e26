"""Running workflows: see README.md in this folder."""

from covalent_lab.client.api import cancel, dispatch, dispatch_sync, get_result, get_result_async
from covalent_lab.client.connection import Connection, connect, disconnect
from covalent_lab.client.result import Result
from covalent_lab.client.status import Status

__all__ = [
    "Connection",
    "Result",
    "Status",
    "cancel",
    "connect",
    "disconnect",
    "dispatch",
    "dispatch_sync",
    "get_result",
    "get_result_async",
]
