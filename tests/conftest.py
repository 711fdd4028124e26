"""Rules for every test: what a missing program means, and that browser tests run by themselves.

Playwright's and pytest-jupyter's event loops cannot share a process, so `tests/ui` is collected only when it is asked
for by name.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

UI = Path(__file__).parent / "ui"


def pytest_configure() -> None:
    """Interrupts work, also in the background of a shell, which ignores them; examples may take their time."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Hypothesis has limits of milliseconds and seconds, which a busy machine exceeds with tests that are right.
    settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any speed")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave `tests/ui` out of a run that was not started on it."""
    if not collection_path.is_relative_to(UI):
        return None
    asked = [Path(config.invocation_params.dir, argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(UI) for path in asked) else True


def missing(reason: str) -> NoReturn:
    """Skip a test for want of something; under `CI=true` it fails: there everything must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI=true means that everything must run")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _unresolved() -> Iterator[None]:
    """What one test lets archives refer to is not there for the next one."""
    from covalent_lab import worker

    yield
    worker._resolvers.clear()


@pytest.fixture(scope="session")
def require() -> Callable[..., str]:
    """Find a program a test cannot do without: `require("dot")`, or any of several names.

    Where it is missing, see `missing`.
    """

    def find(*programs: str) -> str:
        for program in programs:
            found = shutil.which(program)
            if found is not None:
                return found
        missing(f"{' or '.join(programs)} is not installed")

    return find


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """All folders of client and dispatcher below the test's own; no server is to be found."""
    from covalent_lab.client.connection import disconnect

    for name in ("COVALENT_LAB_URL", "COVALENT_LAB_TOKEN", "COVALENT_DATABASE", "COVALENT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COVALENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "runtime").mkdir()
    yield tmp_path
    disconnect()


@pytest.fixture
def one_worker(private: Path) -> None:
    """One worker process, so that tasks follow each other in it."""
    (private / "config").mkdir()
    (private / "config" / "covalent.conf").write_text("[executors.local]\nworkers = 1\n")
