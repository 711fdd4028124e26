"""What a way of moving files has to offer."""

from collections.abc import Callable
from importlib.util import find_spec

from covalent_lab.files.file import File

__all__ = ["FileTransferStrategy", "target_path"]


class FileTransferStrategy:
    """A way of moving files. Subclasses have those of the three methods that make sense.

    A method is called where the electron is decorated. It returns a function without arguments, which is pickled and
    called where the task runs.

    Example:
        >>> class Link(FileTransferStrategy):
        ...     def cp(self, from_file, to_file):
        ...         def link():
        ...             import os
        ...
        ...             os.link(from_file.filepath, to_file.filepath)
        ...
        ...         return link
    """

    def cp(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Copy from one local place to another.

        Raises:
            NotImplementedError: This strategy does not.
        """
        raise self._cannot("copy local files; use Shutil or Rsync")

    def upload(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Take a local file to a remote place.

        Raises:
            NotImplementedError: This strategy does not.
        """
        raise self._cannot("upload; choose the strategy of the destination's scheme")

    def download(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Bring a remote file to a local place.

        Raises:
            NotImplementedError: This strategy does not.
        """
        raise self._cannot("download; choose the strategy of the source's scheme")

    def _cannot(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} cannot {what}.")

    @staticmethod
    def _check_installed(library: str, requirement: str) -> None:
        """Look for a library without loading it.

        Raises:
            ImportError: It is not installed.
        """
        try:
            found = find_spec(library)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise ImportError(f"{library} is not installed. Use: pip install '{requirement}'.", name=library)


def target_path(from_file: File, to_file: File) -> str:
    """Where a source is to lie: in the destination if that is a folder, else under its name.

    A folder's contents go into the destination itself, unless its own name is to be kept (`include_folder`).
    """
    keeps_name = from_file.include_folder if from_file.is_dir else to_file.is_dir
    path = to_file.filepath.rstrip("/") or "/"
    return f"{path.rstrip('/')}/{from_file.name}" if keeps_name else path
