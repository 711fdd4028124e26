"""What users write type-checks, and their mistakes do not."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


@pytest.mark.slow
def test_mypy_accepts_and_rejects_what_it_should() -> None:
    """Exactly the marked lines are errors, with the marked codes."""
    api = pytest.importorskip("mypy.api")
    files = [FOLDER / "accepted.py", FOLDER / "rejected.py"]
    report, trouble, _ = api.run(
        ["--config-file", str(ROOT / "pyproject.toml"), "--follow-imports=silent", *map(str, files)]
    )
    assert trouble == ""
    found = {
        (Path(match[1]).name, int(match[2]), match[3])
        for match in re.finditer(r"^(.+?):(\d+): error: .*\[([a-z-]+)\]$", report, re.MULTILINE)
    }
    expected = {
        (file.name, number, match[1])
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if (match := re.search(r"# error: \[([a-z-]+)\]$", line))
    }
    assert found == expected, report
