"""Large payloads as content-addressed files: `payloads/ab/abcdef…`.

A file appears under its name only when it is complete, so a name that exists is a payload that can be read.
"""

import contextlib
import hashlib
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from covalent_lab.errors import StoreError
from covalent_lab.ids import PayloadRef

__all__ = ["BlobDir", "BlobWriter"]


class BlobDir:
    """A folder of payload files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def path(self, digest: str) -> Path:
        """Where the payload of this digest is, or would be."""
        return self.root / digest[:2] / digest

    def writer(self) -> "BlobWriter":
        """Begin a new file."""
        return BlobWriter(self)

    def older_than(self, date: float) -> Sequence[str]:
        """Digests of files last written before a date (POSIX seconds); unfinished files of that age are removed."""
        found: list[str] = []
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime >= date:
                        continue
                    if folder == str(self.root):
                        path.unlink()
                    else:
                        found.append(name)
        return found

    def hold(self, digests: Iterable[str]) -> None:
        """Let this process not remove files until `release`, as often: they are about to be recorded."""
        with self._lock:
            self._held.update(digests)

    def release(self, digests: Iterable[str]) -> None:
        """Undo a `hold`: what refers to the files is recorded, or nothing will."""
        with self._lock:
            for digest in digests:
                self._held[digest] -= 1
                if not self._held[digest]:
                    del self._held[digest]

    @contextlib.contextmanager
    def holding(self, digest: str) -> Iterator[None]:
        """Hold a file until the block ends."""
        self.hold((digest,))
        try:
            yield
        finally:
            self.release((digest,))

    def remove(self, digests: Iterable[str]) -> None:
        """Delete files that nobody holds; those that are gone already do not matter."""
        for digest in digests:
            with self._lock, contextlib.suppress(FileNotFoundError):
                if digest not in self._held:
                    self.path(digest).unlink()


class BlobWriter:
    """Writes one payload in pieces, under a temporary name until `commit`."""

    def __init__(self, blobs: BlobDir) -> None:
        self._blobs = blobs
        self._digest = hashlib.sha256()
        self._size = 0
        self._file: IO[bytes] | None = None
        try:
            blobs.root.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.NamedTemporaryFile(dir=blobs.root, prefix="new-", delete=False)  # noqa: SIM115
        except OSError as error:
            raise StoreError(
                f"Cannot write below {blobs.root}: {error.strerror}. Check space and permissions."
            ) from error

    def write(self, piece: bytes | memoryview) -> None:
        """Add bytes.

        Raises:
            StoreError: The disk is full or cannot be written; the file is gone then.
        """
        if self._file is None:
            raise StoreError("This payload file was given up.")
        self._digest.update(piece)
        self._size += len(piece)
        try:
            self._file.write(piece)
        except OSError as error:
            self.abort()
            raise StoreError(
                f"Cannot write a payload of more than {self._size} bytes below {self._blobs.root}: "
                f"{error.strerror}. Make room on that disk."
            ) from error

    @property
    def ref(self) -> PayloadRef:
        """Digest and size of what was written so far."""
        return PayloadRef(self._digest.hexdigest()[:40], self._size)

    def commit(self) -> PayloadRef:
        """Give the file its name."""
        if self._file is None:
            raise StoreError("This payload file was given up.")
        ref = self.ref
        target = self._blobs.path(ref.digest)
        try:
            self._file.flush()
            os.fdatasync(self._file.fileno())
            self._file.close()
            target.parent.mkdir(exist_ok=True)
            os.replace(self._file.name, target)
        except OSError as error:
            self.abort()
            raise StoreError(f"Cannot write {target}: {error.strerror}. Make room on that disk.") from error
        self._file = None
        return ref

    def abort(self) -> None:
        """Forget it. Safe to call twice."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                os.unlink(self._file.name)
            self._file = None
