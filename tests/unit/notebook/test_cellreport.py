"""What stands below a marked cell."""

from covalent_lab.notebook.cellreport import CellReport, cell_report


def test_a_cell_that_ended_shows_all_it_left() -> None:
    """Status, streams, figures and values, in both forms; printed text is escaped."""
    found = cell_report(
        CellReport(
            name="fit<b>",
            status="COMPLETED",
            note="gives a",
            elapsed_s=1.5,
            printed="1 < 2\n",
            errors="warned\n",
            shown=[
                {"image/png": "aGk=\n", "text/plain": "<Figure>"},
                {"text/html": "<table></table>", "text/plain": "table"},
                {"text/plain": ["a ", "<b>"]},
            ],
        )
    )
    assert found["text/plain"] == ("✓ Completed: fit<b> (gives a · 1.50 s)\n1 < 2\nwarned\n<Figure>\ntable\na <b>")
    html = found["text/html"]
    assert "fit&lt;b&gt;" in html
    assert "1 &lt; 2" in html
    assert 'src="data:image/png;base64,aGk="' in html
    assert "<table></table>" in html
    assert "a &lt;b&gt;" in html


def test_a_cell_that_waits_is_one_line() -> None:
    """Nothing is left of an earlier run."""
    assert cell_report(CellReport(name="fit"))["text/plain"] == "○ Pending: fit"


def test_a_failed_cell_ends_with_its_traceback() -> None:
    """After what it printed."""
    found = cell_report(CellReport(name="fit", status="FAILED", printed="x\n", traceback="Traceback\nE: <y>\n"))
    assert found["text/plain"] == "✗ Failed: fit\nx\nTraceback\nE: <y>"
    assert "E: &lt;y&gt;" in found["text/html"]
