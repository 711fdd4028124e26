"""Dispatches as HTML and text."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from covalent_lab.notebook.report import (
    NODE_LIMIT,
    DispatchReport,
    NodeRow,
    Progress,
    duration,
    progress_html,
    progress_text,
    report_html,
    report_text,
)

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVIL = "<img src=x onerror=alert(1)>'\"&"


class _Tags(HTMLParser):
    """Collects elements and text, and insists that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str] = {}
        self.words = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.update(attrs)
        self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words += data


def report(**changes) -> DispatchReport:
    fields = {
        "dispatch_id": "0b5e",
        "name": "sweep",
        "status": "FAILED",
        "rows": [
            NodeRow(node_id=0, name="ok", status="COMPLETED", started_at=START, ended_at=START + timedelta(seconds=2)),
            NodeRow(node_id=1, name="bad", status="FAILED", error="ValueError: no\nmore"),
        ],
        "started_at": START,
        "ended_at": START + timedelta(seconds=65),
        "error": "1 task failed\nTraceback …",
        "url": "http://127.0.0.1:8888/lab?dispatch=0b5e",
    }
    return DispatchReport(**{**fields, **changes})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (-1, "0.00 s"), (0.314, "0.31 s"), (9.999, "10.0 s"), (59.96, "1 min 00 s"), (185, "3 min 05 s"),
     (3599.7, "1 h 00 min"), (7800, "2 h 10 min")],
)  # fmt: skip
def test_durations_are_short_and_round_upwards_cleanly(seconds: float | None, text: str) -> None:
    """No "60.0 s" and no "60 min"."""
    assert duration(seconds) == text


def test_a_report_shows_status_error_and_failed_nodes_first() -> None:
    """What matters comes first."""
    page = _Tags(report_html(report()))
    for part in ("Failed", "sweep", "0b5e", "1 min 05 s", "1 task failed", "2 nodes: 1 failed, 1 completed"):
        assert part in page.words
    assert page.words.index("bad") < page.words.index("ok")
    assert "more" not in page.words.partition("ValueError: no")[2][:20]


@pytest.mark.parametrize("field", ["dispatch_id", "name", "status", "error", "result", "url"])
def test_no_field_can_inject_markup(field: str) -> None:
    """Every value is escaped, in text and in attributes."""
    plain = _Tags(report_html(report(result="5")))
    page = _Tags(report_html(report(**{"result": "5", field: EVIL})))
    assert "img" not in page.tags
    assert set(page.tags) <= set(plain.tags)


def test_node_names_and_errors_cannot_inject_markup() -> None:
    """They are user's text, too."""
    page = _Tags(report_html(report(rows=[NodeRow(node_id=0, name=EVIL, status=EVIL, error=EVIL)])))
    assert "img" not in page.tags
    assert page.words.count("<img") >= 2


def test_links_lead_to_http_addresses_only() -> None:
    """A `javascript:` address must not become a link."""
    assert "a" not in _Tags(report_html(report(url="javascript:alert(1)"))).tags
    assert "a" not in _Tags(report_html(report(url=None))).tags
    attributes = _Tags(report_html(report())).attributes
    assert attributes["data-commandlinker-command"] == "covalent-lab:open-dispatch"
    assert attributes["data-commandlinker-args"] == '{"dispatchId": "0b5e"}'


def test_long_lists_and_texts_are_cut() -> None:
    """A report of 5,000 nodes stays readable."""
    rows = [NodeRow(node_id=i, name="n", status="COMPLETED") for i in range(5000)]
    page = report_html(report(rows=rows, error="e" * 10**6, result="r" * 10**6))
    assert len(page) < 200_000
    assert f"… and {5000 - NODE_LIMIT} more nodes" in page


def test_a_running_dispatch_has_no_times_and_no_result() -> None:
    """Nothing is made up."""
    running = report(status="RUNNING", started_at=None, ended_at=None, error="", result=None, rows=[])
    assert report_text(running) == "▶ Running  sweep  0b5e"


def test_the_text_form_says_the_same() -> None:
    """For terminals."""
    assert report_text(report(result="5")) == (
        "✗ Failed  sweep  0b5e  1 min 05 s\n1 task failed\nTraceback …\nresult: 5\n2 nodes: 1 failed, 1 completed\n"
        "  ✗ bad(1)  ValueError: no\n  ✓ ok(0)  2.00 s"
    )


def test_an_unknown_status_shows_its_own_word() -> None:
    """A newer server may know more."""
    assert "New thing" in _Tags(report_html(report(status="NEW_THING"))).words


def test_progress_is_one_line() -> None:
    """Below a running cell."""
    progress = Progress(dispatch_id="0b5e", name="cell_1", status="STARTING", executor="ssh", elapsed_s=1.5)
    assert progress_text(progress) == "◔ Starting: cell_1 on ssh, 1.50 s (0b5e)"
    assert _Tags(progress_html(progress)).words == "◔ Startingcell_1on ssh · 1.50 s"


@pytest.mark.parametrize("status", ["NEW_OBJECT", "STARTING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "ODD"])
def test_colours_of_badges_come_from_the_theme_with_a_fallback(status: str) -> None:
    """No fixed light ground under the words: that would shine in a dark theme."""
    html = progress_html(Progress(dispatch_id="0b5e", name="sweep", status=status))
    assert "border:1px solid var(--jp-" in html
    assert "background:color-mix(in srgb,var(--jp-" in html
    assert "background:#" not in html
