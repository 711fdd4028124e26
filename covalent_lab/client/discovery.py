"""Find the dispatcher that belongs to this process's surroundings; see the folder's README for the order."""

import atexit
import contextlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from covalent_lab.client.connection import Connection
from covalent_lab.client.http import HttpConnection, extra_headers
from covalent_lab.errors import LabError, ServerUnreachableError
from covalent_lab.settings import Settings

__all__ = ["Candidate", "discover", "running_servers", "runtime_dir", "split_address"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A server that may be there. `token` is empty if it needs none, or none is known."""

    url: str
    token: str
    data_dir: str = ""
    started_at: float = 0.0


def discover(
    settings: Settings,
    address: str | None,
    environ: Mapping[str, str] | None = None,
    *,
    may_start: bool = True,
) -> Connection:
    """Connect to the first dispatcher that answers.

    Args:
        settings: Where the store is.
        address: Explicit address.
        environ: Environment variables.
        may_start: Whether to start a dispatcher in this process if there is none.

    Raises:
        ServerUnreachableError: An address was given or configured, and nothing answers there; or nothing answers and
            none may be started.
        StoreError: A dispatcher in this process cannot be started.
        ConfigError: `COVALENT_EXTRA_HEADERS` cannot be used.
    """
    environ = os.environ if environ is None else environ
    headers = extra_headers(environ)
    explicit = address or settings.address
    if explicit:
        connection = HttpConnection(*_with_token(split_address(explicit), environ), headers)
        connection.status()
        return connection
    for candidate in _candidates(settings, environ):
        connection = HttpConnection(candidate.url, candidate.token, headers)
        try:
            connection.status()
        except LabError as error:
            _log.info("%s does not answer: %s", candidate.url, error)
            connection.close()
        else:
            return connection
    if not may_start:
        raise ServerUnreachableError(environ.get("COVALENT_LAB_URL") or "any known address")
    if environ.get("COVALENT_LAB_URL"):
        _log.warning("The Jupyter server at %s is gone; running in this process.", environ["COVALENT_LAB_URL"])
    from covalent_lab.client.local import LocalConnection  # the dispatcher is heavy, and often elsewhere

    local = LocalConnection(settings)
    atexit.register(local.close)
    return local


def _candidates(settings: Settings, environ: Mapping[str, str]) -> Iterator[Candidate]:
    url = environ.get("COVALENT_LAB_URL")
    if url:
        yield Candidate(url=url, token=environ.get("COVALENT_LAB_TOKEN", ""))
    found = [s for s in running_servers(environ) if Path(s.data_dir) == settings.data_dir and s.url != url]
    yield from sorted(found, key=lambda server: -server.started_at)


def running_servers(environ: Mapping[str, str] | None = None) -> Iterator[Candidate]:
    """Servers that left a runtime file and whose process exists."""
    folder = runtime_dir(os.environ if environ is None else environ)
    for path in sorted(folder.glob("covalent-lab-*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            form: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            os.kill(int(form["pid"]), 0)
            yield Candidate(
                url=str(form["url"]),
                token=str(form["token"]),
                data_dir=str(form.get("data_dir", "")),
                started_at=float(form.get("started_at", 0.0)),
            )


def runtime_dir(environ: Mapping[str, str]) -> Path:
    """Jupyter's runtime folder."""
    given = environ.get("JUPYTER_RUNTIME_DIR")
    if given:
        return Path(given)
    from jupyter_core.paths import jupyter_runtime_dir  # light, but only needed outside of kernels

    return Path(jupyter_runtime_dir())


def split_address(address: str) -> tuple[str, str]:
    """Base URL (with a slash at its end) and token of an address as users write it.

    Example:
        >>> split_address("localhost:8888"), split_address("http://h:1/user/x?token=t")
        (('http://localhost:8888/', ''), ('http://h:1/user/x/', 't'))
    """
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ServerUnreachableError(address, "it is neither host:port nor an http(s) URL")
    path = parts.path.removesuffix("/lab").removesuffix("/tree").rstrip("/") + "/"
    token = parse_qs(parts.query).get("token", [""])[0]
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), token


def _with_token(address: tuple[str, str], environ: Mapping[str, str]) -> tuple[str, str]:
    url, token = address
    if token:
        return url, token
    port = urlsplit(url).port
    if environ.get("COVALENT_LAB_URL") == url:
        return url, environ.get("COVALENT_LAB_TOKEN", "")
    for server in running_servers(environ):
        if urlsplit(server.url).port == port and _is_local(url):
            return url, server.token
    return url, environ.get("JUPYTER_TOKEN", "")


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
