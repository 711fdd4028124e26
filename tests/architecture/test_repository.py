"""What holds for the repository as a whole: versions agree, import rules hold, nothing is tied to one machine."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

TEXT = frozenset({".cfg", ".css", ".ipynb", ".js", ".json", ".md", ".mjs", ".py", ".toml", ".ts", ".tsx", ".yml", ""})
# Folders of somebody's own machine; written apart so that this file does not match itself.
MACHINE_PATHS = re.compile("(?<![\\w.])/(?:" + "|".join(["home", "root", "Users", "wo" + "rk"]) + ")/[\\w.]")
ALLOWED = frozenset({"/home/jovyan/", "/home/user/.ssh/"})  # of an image; of a documented example


def test_versions_agree(root: Path) -> None:
    """The front end, the installed distribution, the package and the change log name one version."""
    version = json.loads((root / "labextension" / "package.json").read_text())["version"]
    newest = re.search(r"^## \[(\d[^\]]*)\]", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    answer = subprocess.run(
        [sys.executable, "-c", "import covalent_lab; print(covalent_lab.__version__)"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert newest is not None
    assert [newest[1], metadata.version("covalent-lab"), answer.stdout.strip()] == [version] * 3, answer.stderr


def test_import_rules_hold(root: Path) -> None:
    """The contracts of pyproject.toml are kept."""
    program = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([program, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_no_file_names_a_folder_of_one_machine(tracked_files: list[Path]) -> None:
    """Nothing under version control holds a path of the machine it was written on."""
    found = [
        f"{path}: {match[0]}"
        for path in tracked_files
        if path.suffix in TEXT
        for match in MACHINE_PATHS.finditer(path.read_text(encoding="utf-8", errors="replace"))
        if not any(path_text in match.string[match.start() : match.end() + 20] for path_text in ALLOWED)
    ]

    assert found == []


def test_notebooks_are_stored_without_outputs(tracked_files: list[Path]) -> None:
    """Tutorials are committed as they were written: no outputs, no execution counts."""
    ran = []
    for path in tracked_files:
        if path.suffix != ".ipynb":
            continue
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
            ran.append(path)

    assert ran == []


def test_generated_files_are_not_committed(tracked_files: list[Path], root: Path) -> None:
    """The built front end is made at installation and never committed."""
    built = [
        path
        for path in tracked_files
        if {"node_modules", "__pycache__"} & set(path.parts)
        or path.is_relative_to(root / "covalent_lab" / "labextension")
        or path.is_relative_to(root / "covalent_lab" / "notebook" / "static")
    ]

    assert built == []
