"""A log file as pages of messages."""

from pathlib import Path
from typing import Any

import pytest

from covalent_lab.config.logpages import entries_of, log_page

TEXT = """a line from before
2026-01-02 03:04:05,678 INFO covalent_lab.store: opened
2026-01-02 03:04:06,000 ERROR covalent_lab.dispatcher: it broke
Traceback (most recent call last):
ZeroDivisionError: division by zero
2026-01-02 03:04:07,000 WARNING covalent_lab.store: slow: 3 s
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log file."""
    path = tmp_path / "dispatcher.log"
    path.write_text(TEXT, encoding="utf-8")
    return path


def page(path: Path, **query: Any) -> dict[str, Any]:
    """A page with the usual query, and changes."""
    usual = {"search": "", "level": "", "sort": "time", "direction": "asc", "offset": 0, "count": 10}
    return log_page(path, **{**usual, **query})


def test_lines_without_a_time_belong_to_the_message_before() -> None:
    """A traceback is part of its message; text before the first one stands alone."""
    found = list(entries_of(TEXT))

    assert [entry.level for entry in found] == ["INFO", "INFO", "ERROR", "WARNING"]
    assert found[0].message == "a line from before"
    assert found[2].message.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert (found[3].time, found[3].logger, found[3].message) == (
        "2026-01-02 03:04:07,000",
        "covalent_lab.store",
        "slow: 3 s",
    )


@pytest.mark.parametrize(
    ("query", "numbers", "total"),
    [
        ({}, [0, 1, 2, 3], 4),
        ({"direction": "desc"}, [3, 2, 1, 0], 4),
        ({"sort": "level", "direction": "desc"}, [2, 3, 1, 0], 4),
        ({"search": "zerodivision"}, [2], 1),
        ({"search": "STORE"}, [1, 3], 2),
        ({"level": "WARNING"}, [2, 3], 2),
        ({"offset": 1, "count": 2}, [1, 2], 4),
        ({"search": "nowhere"}, [], 0),
    ],
    ids=str,
)
def test_pages_are_searched_sorted_and_cut(path: Path, query: dict[str, Any], numbers: list[int], total: int) -> None:
    """The total is that of all that match."""
    found = page(path, **query)

    assert ([item["number"] for item in found["items"]], found["total"]) == (numbers, total)


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Nothing was worth a line yet."""
    assert page(tmp_path / "none.log")["items"] == []
