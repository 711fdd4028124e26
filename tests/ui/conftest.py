"""A browser in front of a real JupyterLab, both with folders of their own.

The server is started once for all tests and shows a copy of the tutorials; each test gets a fresh browser context.
A test fails when the page threw an error of its own, whatever else it asserted.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from covalent_lab.testing.live_server import LiveServer, private_environment
from tests.ui.lab_page import LabPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Errors of JupyterLab and its own extensions, seen without covalent_lab as well.
FOREIGN_ERRORS = re.compile(r"reading 'schema'|ResizeObserver loop")


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """JupyterLab with the extension as it is built here, on a copy of the tutorials."""
    folder = tmp_path_factory.mktemp("lab")
    notebooks = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    extensions = folder / "labextensions"
    extensions.mkdir()
    (extensions / "covalent-lab").symlink_to(ROOT / "covalent_lab" / "labextension")
    with LiveServer.start(
        root_dir=notebooks,
        log=ROOT / "test-results" / "ui-jupyterlab.log",
        environ=private_environment(folder),
        arguments=("--expose-app-in-browser", f"--LabServerApp.extra_labextensions_path={extensions}"),
    ) as server:
        yield server


@pytest.fixture(scope="session")
def browser(require: Callable[..., str]) -> "Iterator[Browser]":
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    program = require(*CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def lab(browser: "Browser", lab_server: LiveServer) -> Iterator[LabPage]:
    """A fresh tab with JupyterLab loaded."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    opened = LabPage(page=page, server=lab_server)
    opened.open()
    yield opened
    opened.close_kernels()
    context.close()
    assert [error for error in errors if not FOREIGN_ERRORS.search(error)] == []
