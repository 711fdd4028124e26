"""A log file as entries that can be searched, sorted and shown a page at a time."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["LEVELS", "LogEntry", "entries_of", "log_page"]

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_BEGIN = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d+)?) ([A-Z]+) (\S+): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One message.

    Attributes:
        number: Its place in the file, from 0 on.
        time: Local time as the file has it; empty for text before the first message.
        level: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
        logger: Who wrote it.
        message: Its text, lines of a traceback included.
    """

    number: int
    time: str
    level: str
    logger: str
    message: str


def entries_of(text: str) -> Iterator[LogEntry]:
    """The messages of a log file, oldest first; a line without a time belongs to the message before it."""
    number, begin, lines = 0, ("", "INFO", ""), list[str]()
    for line in text.splitlines():
        match = _BEGIN.match(line)
        if match is None:
            lines.append(line)
            continue
        if lines:
            yield _entry(number, begin, lines)
            number += 1
        begin, lines = (match[1], match[2], match[3]), [line[match.end() :]]
    if lines:
        yield _entry(number, begin, lines)


def log_page(
    path: Path, *, search: str, level: str, sort: str, direction: str, offset: int, count: int
) -> dict[str, Any]:
    """A part of a log file.

    Args:
        path: The file; one that is not there is an empty log.
        search: Text that messages or loggers contain, in whatever case; empty for all.
        level: Least severity; empty for all.
        sort: `time` or `level`.
        direction: `asc` or `desc`.
        offset: How many to leave out.
        count: How many at most.

    Returns:
        `items`, `total` (of all that match), and `path`.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = ""
    wanted, least = search.lower(), LEVELS.index(level) if level else 0
    found = [
        entry
        for entry in entries_of(text)
        if _severity(entry) >= least and (wanted in entry.message.lower() or wanted in entry.logger.lower())
    ]
    if sort == "level":
        found.sort(key=_severity)
    if direction == "desc":
        found.reverse()
    return {"items": [asdict(e) for e in found[offset : offset + count]], "total": len(found), "path": str(path)}


def _entry(number: int, begin: tuple[str, str, str], lines: list[str]) -> LogEntry:
    time, level, logger = begin
    return LogEntry(number=number, time=time, level=level, logger=logger, message="\n".join(lines))


def _severity(entry: LogEntry) -> int:
    return LEVELS.index(entry.level) if entry.level in LEVELS else 1
