"""Tells kernels where this server is and which token opens its covalent routes.

Kernels started by this server inherit three environment variables; those started by somebody else (an editor, nbclient)
find a file in Jupyter's runtime directory. Decides which URL a process on this machine can reach; knows nothing of
the lab.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from covalent_lab.config.background import write_record

__all__ = ["ROOT_VARIABLE", "TOKEN_VARIABLE", "URL_VARIABLE", "Announcement", "reachable_url"]

URL_VARIABLE = "COVALENT_LAB_URL"
TOKEN_VARIABLE = "COVALENT_LAB_TOKEN"
ROOT_VARIABLE = "COVALENT_LAB_ROOT"

_LOOPBACK = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def reachable_url(*, ip: str, port: int, base_url: str, is_https: bool, socket_path: str = "") -> str | None:
    """The URL under which a process on this machine reaches the server, with a final slash.

    Returns:
        None when the server listens on a Unix socket: HTTP clients cannot be expected to follow such a URL, and a
        kernel that finds none runs its dispatches itself.
    """
    if socket_path:
        return None
    host = _LOOPBACK.get(ip, ip)
    netloc = f"[{host}]" if ":" in host else host
    base = f"/{base_url.strip('/')}/".replace("//", "/")
    return f"{'https' if is_https else 'http'}://{netloc}:{port}{base}"


class Announcement:
    """What is published for kernels, from `publish` until `withdraw`.

    Args:
        url: Of the Jupyter server, with its base URL.
        token: Valid for covalent routes only.
        runtime_dir: Jupyter's runtime directory.
        root_dir: The folder that the paths of notebooks start from; empty if there is none.
    """

    def __init__(self, *, url: str, token: str, runtime_dir: Path, root_dir: str = "") -> None:
        self.url = url
        self._root_dir = root_dir
        self._token = token
        self.path = runtime_dir / f"covalent-lab-{os.getpid()}.json"
        self._before: dict[str, str | None] | None = None

    def publish(self, details: Mapping[str, Any]) -> None:
        """Set the environment variables and write the file.

        Args:
            details: Further entries of the file.

        Raises:
            OSError: The file cannot be written; the variables are set all the same.
        """
        ours = {URL_VARIABLE: self.url, TOKEN_VARIABLE: self._token, ROOT_VARIABLE: self._root_dir}
        if self._before is None:
            self._before = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        write_record(self.path, {"url": self.url, "token": self._token, "started_at": time.time(), **details})

    def withdraw(self) -> None:
        """Undo `publish`; harmless when repeated."""
        before, self._before = self._before, None
        for name, value in (before or {}).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if before is not None:
            self.path.unlink(missing_ok=True)
