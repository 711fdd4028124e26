"""The sum that `make test` ends with."""

from pathlib import Path

import pytest

from tests import run_all

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure/></testcase>
<testcase name="c"><error/><failure/></testcase><testcase name="d"><skipped/></testcase><testcase name="e"/>
</testsuite></testsuites>"""


def test_a_report_is_counted_by_how_each_test_ended(tmp_path: Path) -> None:
    """Errors in fixtures are failures, and a test is counted once."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT)

    assert run_all.count(report) == run_all.Counts(passed=2, failed=2, skipped=1)


@pytest.mark.parametrize("text", [None, "", "<testsuites><testcase"])
def test_a_report_that_is_missing_or_broken_off_is_a_failure(text: str | None, tmp_path: Path) -> None:
    """A suite that crashed cannot pass for an empty one."""
    report = tmp_path / "report.xml"
    if text is not None:
        report.write_text(text)

    assert run_all.count(report) == run_all.Counts(failed=1)


def test_an_unknown_suite_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name runs nothing and says which names there are."""
    assert run_all.main(["browsr"]) == 2
    assert "No suite browsr; there are browser, frontend" in capsys.readouterr().err
