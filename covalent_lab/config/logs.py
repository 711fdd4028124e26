"""Log files: how much goes into them, and that they stay small."""

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from covalent_lab.config.reader import ConfigReader
from covalent_lab.config.serverfiles import ServerFiles

__all__ = ["keep_log", "log_level", "log_to_file", "rotate"]

_LIMIT = 5_000_000
_KEPT = 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_level(reader: ConfigReader) -> int:
    """`sdk.log_level` as a number of `logging`; a word that is no level counts as `warning`."""
    return logging.getLevelNamesMapping().get(str(reader.value("sdk.log_level")).upper(), logging.WARNING)


def log_to_file(path: Path, level: int, *, is_shared: bool = False) -> None:
    """Have this package's loggers write to a file as well; the file is made by the first line. Repeating is harmless.

    Args:
        path: The file; it takes the place of one of the same name in another folder.
        level: Least severity that is written.
        is_shared: Whether several processes write to it; it is then not rotated while they do.
    """
    logger = logging.getLogger("covalent_lab")
    for other in [h for h in logger.handlers if isinstance(h, _Quiet) and h.get_name() == path.name]:
        if other.baseFilename == str(path):
            return
        logger.removeHandler(other)
        other.close()
    handler = _Quiet(path, maxBytes=0 if is_shared else _LIMIT, backupCount=_KEPT, encoding="utf-8", delay=True)
    handler.set_name(path.name)
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > level:
        logger.setLevel(level)


def keep_log() -> None:
    """Have this package's messages written to the dispatcher's log, if the configuration wants log files.

    Several servers of a user share the file; it is moved aside when one of them starts and it has grown too large.

    Raises:
        ConfigError: The configuration cannot be used.
    """
    reader = ConfigReader()
    if reader.value("sdk.enable_logging") == "true":
        path = ServerFiles.load().dispatcher_log
        rotate(path)
        log_to_file(path, log_level(reader), is_shared=True)


def rotate(path: Path, limit: int = _LIMIT) -> bool:
    """Move a file that has grown too large aside, as `name.1`, and older ones on; True if it was moved."""
    try:
        if path.stat().st_size < limit:
            return False
    except FileNotFoundError:
        return False
    for number in range(_KEPT, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            os.replace(older, path.with_name(f"{path.name}.{number}"))
    return True


class _Quiet(RotatingFileHandler):
    """Makes the folder when the first line comes; a disk that cannot be written to is no reason to disturb anybody."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name logging calls
        """Nothing."""
