"""The documents keep up with the code: commands, files and settings they name exist, and all settings are named."""

import re
from pathlib import Path

import pytest

from covalent_lab.config.keys import KEYS

PLACES_OF_TESTS = ("tests", "labextension/tests")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/settings.md")


def texts(root: Path, folder: str) -> str:
    """Return the source of a whole package."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((root / folder).rglob("*.py")))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_that_are_named_exist(name: str, root: Path) -> None:
    """Each `make …` of a document is a target of the Makefile."""
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", (root / name).read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert named - targets == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_are_named_exist(name: str, root: Path) -> None:
    """Each path in backticks and each link to a file of the project leads somewhere."""
    text = (root / name).read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text)) | set(re.findall(r"\]\(((?!http)[^)#]+)\)", text))
    built = {path for path in paths if path.startswith(("bench-results", ".venv", "src/"))}

    assert {path for path in paths - built if not (root / path).exists()} == set()


def test_tests_that_hold_the_workbench_exist(root: Path) -> None:
    """Each row of the tables of docs/workbench.md names a test, and each test named is a file."""
    text = (root / "docs" / "workbench.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| what \| test \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = "".join(tables).splitlines()
    named = re.compile(r"`((?:\w+/)*(?:test_\w+\.py|\w+\.spec\.tsx?))`")
    files = {path.relative_to(root).as_posix() for place in PLACES_OF_TESTS for path in (root / place).rglob("*.*")}

    assert rows
    assert [row for row in rows if not named.search(row.rpartition("| ")[2]) and "suite" not in row] == []
    assert {name for name in named.findall(text) if not any(path.endswith(f"/{name}") for path in files)} == set()


def test_settings_are_documented(root: Path) -> None:
    """Every variable and trait that the code reads has a line in the list of settings, and no others do."""
    listed = (root / "docs" / "settings.md").read_text(encoding="utf-8")
    code = "\n".join(texts(root, folder) for folder in ("covalent_lab", "server_extension", "executors"))
    app = (root / "server_extension" / "covalent_lab_server" / "app.py").read_text(encoding="utf-8")
    read = {
        *re.findall(r"\bCOVALENT_[A-Z_]*[A-Z]\b", code),
        *(
            f"CovalentLabApp.{name}"
            for name in re.findall(r"^    (\w+) = (?:Bool|Float|Int|Unicode)\(", app, re.MULTILINE)
        ),
    }
    named = set(re.findall(r"`(COVALENT_[A-Z_]+|CovalentLabApp\.\w+)`", listed))

    assert named == read


def test_each_key_is_documented_with_its_variable(root: Path) -> None:
    """Every key of the table has one line, which names the variable that overrides it; no other key has one."""
    lines = (root / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    told = {row[0].strip("`"): row[2].strip("`") for row in rows if len(row) == 4}

    assert told == {key.name: key.variable for key in KEYS.values()}
