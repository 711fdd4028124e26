"""The command line with every folder of its own, in this process and in others."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from covalent_lab.cli.commands import _commands
from covalent_lab.client.connection import disconnect
from covalent_lab.config.background import read_record
from covalent_lab.config.keys import KEYS
from covalent_lab.config.serverfiles import ServerFiles
from covalent_lab.testing.live_server import private_environment

ROOT = Path(__file__).parents[2]
Run = Callable[..., Result]


def move(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Point this process, and those it starts, to folders below one of the test's own."""
    private = private_environment(folder)
    for name in os.environ:
        if name not in private:
            patch.delenv(name)
    for name in filter(None, (key.variable for key in KEYS.values())):
        patch.delenv(name, raising=False)
        private.pop(name, None)
    for name, value in private.items():
        patch.setenv(name, value)
    path = os.pathsep.join(str(ROOT / part) for part in (".", "server_extension", "executors"))
    patch.setenv("PYTHONPATH", path)


def clean_up() -> None:
    """End what a failed test left behind."""
    disconnect()
    files = ServerFiles.load()
    for record in (files.record, files.cluster):
        left = read_record(record)
        if left is not None:
            os.kill(left["pid"], signal.SIGKILL)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new user's folders."""
    move(tmp_path, monkeypatch)
    yield tmp_path / "home"
    clean_up()


@pytest.fixture(scope="session")
def run() -> Run:
    """Call the command line in this process: `run("list", "--json")`."""

    def call(*arguments: Any, **options: Any) -> Result:
        return CliRunner().invoke(_commands, [str(part) for part in arguments], prog_name="covalent-lab", **options)

    return call
