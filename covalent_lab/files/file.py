"""Places of files: on this machine, on another one, or in an object store."""

import posixpath
import re
from urllib.parse import quote, unquote
from uuid import uuid4

from covalent_lab.files.enums import FileSchemes
from covalent_lab.files.moving import make_file

__all__ = ["File", "Folder", "allow_scheme"]

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_registered: set[str] = set()


def allow_scheme(scheme: str) -> None:
    """Let files have one more scheme, such as `"sftp"`."""
    _registered.add(scheme.lower())


class File:
    """A file or a folder, by its path or its URI.

    Nothing is opened or checked: a path may be one of the machine on which the task will run. Paths are taken as they
    are; a `file://` URI is percent-decoded.

    Attributes:
        id: Unique text; part of the name of a temporary file.
        is_remote: It is not in the file system of the machine that runs the task.
        is_dir: It is a folder.
        include_folder: Transfers take the folder itself, not only what is in it.
        is_temp_file: No path was given, so it is a new one in `/tmp`. Nobody removes it but the system. All calls of an
            electron share it, so give paths that differ to those that write at the same time.

    Example:
        >>> file = File("s3://bucket/folder/data.csv")
        >>> file.scheme, file.filepath, file.is_remote, file.is_dir
        (<FileSchemes.S3: 's3'>, '/folder/data.csv', True, False)
        >>> Folder("/data/in").filepath, Folder("/data/in", include_folder=True).filepath
        ('/data/in/', '/data/in')
    """

    def __init__(
        self,
        filepath: str | None = None,
        is_remote: bool = False,
        is_dir: bool = False,
        include_folder: bool = False,
    ) -> None:
        """Name a place.

        Args:
            filepath: Path or URI; None for a new temporary one.
            is_remote: It is on another machine. Always true of schemes other than `file`.
            is_dir: It is a folder. Always true of paths that end with a slash.
            include_folder: Transfer the folder itself, not only its contents.

        Raises:
            AttributeError: The path is not text.
            ValueError: The path is empty, or the scheme is not known.
        """
        if filepath is not None and not isinstance(filepath, str):
            raise AttributeError(f"A file's path is text, not {filepath!r}. Use str(path).")
        if filepath == "":
            raise ValueError("A file's path is empty. Leave it away for a temporary file.")
        self.id = str(uuid4())
        self.is_temp_file = filepath is None
        given = f"/tmp/{self.id}" if filepath is None else filepath
        found = _URI.fullmatch(given)
        scheme, rest = (found[1].lower(), found[2]) if found else ("file", given)
        self._scheme = _known(scheme, given)
        self._rest = unquote(rest) if found and scheme == "file" else rest
        self.is_remote = is_remote or scheme != "file"
        self.is_dir = is_dir or self._path.endswith("/")
        self.include_folder = include_folder

    @property
    def scheme(self) -> str:
        """A member of `FileSchemes`, or the text that was registered."""
        return self._scheme

    @property
    def uri(self) -> str:
        """The whole URI, with `file://` for a path."""
        rest = quote(self._rest) if self._scheme == "file" else self._rest
        return f"{self._scheme}://{rest}"

    @property
    def host(self) -> str:
        """What is before the path: a host, a bucket or an account. Empty for the scheme `file`."""
        return "" if self._scheme == "file" else self._rest.partition("/")[0]

    @property
    def key(self) -> str:
        """What follows the host and a slash, exactly as it was written, but with a slash at the end of a folder's."""
        key = self._rest.partition("/")[2]
        return f"{key}/" if self.is_dir and key and not key.endswith("/") else key

    @property
    def filepath(self) -> str:
        """The path alone, normalised. A folder's ends with a slash, unless the folder itself is meant."""
        path = posixpath.normpath(self._path or "/")
        if self.is_dir:
            path = path.rstrip("/") or "/"
            return path if self.include_folder or path == "/" else f"{path}/"
        return path

    @property
    def name(self) -> str:
        """Last part of the path."""
        return posixpath.basename(self.filepath.rstrip("/"))

    def touch(self) -> None:
        """Make it, and the folders above it, in this machine's file system."""
        make_file(self.filepath, self.is_dir)

    @property
    def _path(self) -> str:
        if self._scheme == "file":
            return self._rest
        if self._scheme in (FileSchemes.HTTP, FileSchemes.HTTPS):
            rest = re.split("[?#]", self._rest, maxsplit=1)[0]
        else:
            rest = self._rest
        _, slash, path = rest.partition("/")
        return slash + path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_without_query(self.uri)!r})"


class Folder(File):
    """A folder, by its path or its URI: a `File` with `is_dir`."""

    def __init__(
        self,
        filepath: str | None = None,
        is_remote: bool = False,
        is_dir: bool = True,
        include_folder: bool = False,
    ) -> None:
        """Name a folder; see `File`."""
        super().__init__(filepath, is_remote, is_dir, include_folder)


def _known(scheme: str, given: str) -> str:
    if scheme in _registered and scheme not in list(FileSchemes):
        return scheme
    try:
        return FileSchemes(scheme)
    except ValueError:
        known = ", ".join([*FileSchemes, *sorted(_registered)])
        raise ValueError(
            f"The scheme of {_without_query(given)!r} is not one of {known}. "
            "Register a strategy for it by register_downloader or register_uploader."
        ) from None


def _without_query(uri: str) -> str:
    """Presigned addresses carry their secret in the query."""
    return uri.partition("?")[0] if uri.lower().startswith("http") else uri
