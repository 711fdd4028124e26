"""A Jupyter server for notebooks under test: kernels find it as they would at home.

nbval starts kernels without a server, so one is started first, with private folders, and announced by environment
variables. Run notebooks as `python -m pytest --nbval-lax -p no:cacheprovider tests/notebook notebooks`.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from covalent_lab.testing.live_server import LiveServer, private_environment

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
_server = pytest.StashKey[tuple[LiveServer, pytest.MonkeyPatch, "tempfile.TemporaryDirectory[str]"]]()


def _start(config: pytest.Config) -> LiveServer:
    if _server not in config.stash:
        folder = tempfile.TemporaryDirectory(prefix="covalent-lab-", ignore_cleanup_errors=True)
        environ = private_environment(Path(folder.name))
        server = LiveServer.start(root_dir=NOTEBOOKS, log=Path(folder.name, "server.log"), environ=environ)
        patch = pytest.MonkeyPatch()
        environ |= {"COVALENT_LAB_URL": server.url, "COVALENT_LAB_TOKEN": server.lab_token}
        for name in environ.keys() - os.environ.keys() | {n for n in environ if environ[n] != os.environ.get(n)}:
            patch.setenv(name, environ[name])
        config.stash[_server] = (server, patch, folder)
    return config.stash[_server][0]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Kernels of notebooks are started while they are collected or run: the server must be there before."""
    option = session.config.option
    if getattr(option, "nbval", False) or getattr(option, "nbval_lax", False):
        _start(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server."""
    if _server in config.stash:
        server, patch, folder = config.stash[_server]
        del config.stash[_server]
        patch.undo()
        server.stop()
        folder.cleanup()


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """The server that kernels find."""
    was_running = _server in request.config.stash
    yield _start(request.config)
    if not was_running:
        pytest_unconfigure(request.config)
