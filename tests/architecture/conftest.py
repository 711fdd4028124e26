"""Where the source is, and what git knows of it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = (
    ROOT / "covalent_lab",
    ROOT / "server_extension" / "covalent_lab_server",
    ROOT / "executors" / "covalent_lab_executors",
)


def is_public(path: Path) -> bool:
    """Say whether a module has names for others: it holds code, and is neither private nor run by a tool of its own."""
    private = path.name.startswith("_") and path.name != "__init__.py"
    return path.stat().st_size > 0 and not private and "migrations" not in path.parts


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `module_path` every module of the three packages, `public_path` those for others."""
    paths = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
    for argument, chosen in {"module_path": paths, "public_path": [path for path in paths if is_public(path)]}.items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, chosen, ids=[str(path.relative_to(ROOT)) for path in chosen])


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the whole project."""
    return ROOT


@pytest.fixture(scope="session")
def tracked_files(root: Path, require: Callable[..., str]) -> list[Path]:
    """Every file under version control."""
    git = require("git")
    answer = subprocess.run([git, "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("not a git work tree")
    return [root / name for name in answer.stdout.split("\0") if name and (root / name).is_file()]
