"""Files on a host, by SFTP: written whole or not at all. Errors are the library's, unless `told` says otherwise."""

import contextlib
import posixpath
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from covalent_lab.errors import BackendError
from covalent_lab_executors.ssh.login import LinkLostError, said

__all__ = ["put", "stage", "told", "write"]


async def put(sftp: Any, local: str, path: str) -> None:
    """Copy a file there; nobody ever sees half of it."""
    part = f"{path}.{uuid.uuid4().hex}.part"
    await sftp.put(local, part)
    await sftp.posix_rename(part, path)


async def write(sftp: Any, path: str, content: bytes) -> None:
    """Write a file there, likewise."""
    part = f"{path}.{uuid.uuid4().hex}.part"
    async with sftp.open(part, "wb") as file:
        await file.write(content)
    await sftp.posix_rename(part, path)


async def stage(sftp: Any, folder: str, contents: Mapping[str, bytes]) -> str:
    """Bring files into a folder that is named after them, unless they are there.

    Args:
        sftp: The client.
        folder: Where.
        contents: By file name; the last is the one that matters: once it is there, all are.

    Returns:
        The path of the last one.
    """
    last = posixpath.join(folder, list(contents)[-1])
    if not await sftp.isfile(last):
        await sftp.makedirs(folder, exist_ok=True)
        for name, content in contents.items():
            await write(sftp, posixpath.join(folder, name), content)
    return last


@contextlib.contextmanager
def told(address: str, what: str) -> Iterator[None]:
    """Turn errors of the library into ours.

    Args:
        address: Whose files they are.
        what: Message of a refusal; `{}` is where the reason goes.

    Raises:
        LinkLostError: The connection broke.
        BackendError: The host refuses.
    """
    import asyncssh

    try:
        yield
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError) as error:
        raise LinkLostError(f"The connection to {address} broke.") from error
    except (OSError, asyncssh.Error) as error:
        raise BackendError(what.format(said(error))) from error
