"""Downloads and uploads by HTTP, with what every Python has."""

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from covalent_lab.files.file import File
from covalent_lab.files.moving import (
    CHUNK,
    Counted,
    DamagedFileError,
    check_digests,
    check_size,
    persist,
    progress,
    replacing,
)
from covalent_lab.files.strategies.transfer_strategy_base import FileTransferStrategy, target_path

__all__ = ["HTTP"]

_TIMEOUT_S = 60.0
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_ALGORITHMS = {"md5": "md5", "sha": "sha1", "sha-256": "sha256", "sha-512": "sha512"}


class HTTP(FileTransferStrategy):
    """GET, and PUT for uploads: also to the presigned addresses that object stores give out.

    Proxies are those of the environment (`https_proxy`). Checksums that the server sends (`Content-MD5`, `Digest`,
    `Repr-Digest`) are verified.
    """

    def download(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Get one file.

        Raises:
            ValueError: It is a folder.
        """
        _check_is_file(from_file)
        url, path = from_file.uri, target_path(from_file, to_file)

        def download() -> None:
            persist(f"GET {_shown(url)}", lambda: _get(url, path), _may_pass)

        return download

    def upload(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Put one file.

        Raises:
            ValueError: Source or destination is a folder.
        """
        _check_is_file(from_file)
        _check_is_file(to_file)
        path, url = from_file.filepath, to_file.uri

        def upload() -> None:
            persist(f"PUT {_shown(url)}", lambda: _put(path, url), _may_pass)

        return upload


class _Put(Request):
    """A PUT without the Content-Type that would be added: addresses may be signed for having none."""

    def has_header(self, header_name: str) -> bool:
        return header_name == "Content-type" or super().has_header(header_name)


def _get(url: str, path: str) -> None:
    shown = _shown(url)
    request = Request(url, headers={"User-Agent": "covalent-lab"})
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as answer, replacing(path) as part, open(part, "wb") as file:
            length = answer.headers.get("Content-Length")
            expected = _digests(answer.headers)
            hashes = {name: hashlib.new(name, usedforsecurity=False) for name in expected}
            advance = progress(f"GET {shown}", int(length) if length else None)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                advance(len(chunk))
                for found in hashes.values():
                    found.update(chunk)
            if length:
                check_size(shown, int(length), file.tell())
            check_digests(shown, expected, {name: found.digest() for name, found in hashes.items()})
    except HTTPError as error:
        raise _refused("GET", shown, error) from None


def _put(path: str, url: str) -> None:
    size = os.stat(path).st_size
    headers = {"User-Agent": "covalent-lab", "Content-Length": str(size)}
    try:
        with open(path, "rb") as file:
            content = Counted(file, progress(f"PUT {_shown(url)}", size))
            with urlopen(_Put(url, data=content, headers=headers, method="PUT"), timeout=_TIMEOUT_S):
                return
    except HTTPError as error:
        raise _refused("PUT", _shown(url), error) from None


def _refused(method: str, shown: str, error: HTTPError) -> HTTPError:
    error.close()
    return HTTPError(shown, error.code, f"{error.reason} ({method} {shown})", error.headers, None)


def _digests(headers: Mapping[str, str]) -> dict[str, bytes]:
    """Checksums of the content, by the name of the algorithm."""
    pairs = [("md5", headers.get("Content-MD5", ""))]
    for name in ("Digest", "Repr-Digest", "Content-Digest"):
        pairs += [entry.strip().partition("=")[::2] for entry in headers.get(name, "").split(",")]
    return {
        _ALGORITHMS[name.lower()]: base64.b64decode(value.strip(": "))
        for name, value in pairs
        if value and name.lower() in _ALGORITHMS
    }


def _may_pass(error: Exception) -> bool:
    if isinstance(error, HTTPError):
        return error.code in _MAY_PASS
    return isinstance(error, (URLError, ConnectionError, TimeoutError, HTTPException, DamagedFileError))


def _shown(url: str) -> str:
    """The address without what may be secret: password and query."""
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])


def _check_is_file(file: File) -> None:
    if file.is_dir:
        raise ValueError(f"HTTP transfers single files, and {file.filepath!r} is a folder. Leave the last slash away.")
