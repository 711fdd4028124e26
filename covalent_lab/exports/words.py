"""Figures in words for people: durations, sizes, moments."""

from datetime import UTC, datetime

__all__ = ["duration", "moment", "size"]

_UNITS = ("kB", "MB", "GB", "TB")


def duration(seconds: float | None) -> str:
    """Seconds with about three digits: `4.2 ms`, `3.2 s`, `4 m 05 s`, `2 h 07 m`; empty for None."""
    if seconds is None:
        return ""
    if seconds < 0.00995:
        return f"{round(seconds * 1000, 1):g} ms"
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} m"


def size(count: float | None) -> str:
    """Bytes: `312 B`, `4.1 kB`, `20 MB`; empty for None."""
    if count is None:
        return ""
    if count < 1000:
        return f"{count:.0f} B"
    unit = 0
    value = count / 1000
    while value >= 1000 and unit + 1 < len(_UNITS):
        value /= 1000
        unit += 1
    return f"{value:.{1 if value < 10 else 0}f} {_UNITS[unit]}"


def moment(at: float | None) -> str:
    """A POSIX time in UTC; empty for None. Files are read elsewhere, so the reader's own clock does not count."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
