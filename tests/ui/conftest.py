"""A browser in front of a real JupyterLab, both with folders of their own.

The server is started once for all tests and shows a copy of the tutorials; each test gets a fresh browser context.
A test fails when the page threw an error of its own, whatever else it asserted.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cloudpickle
import pytest

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer, private_environment
from tests.ui import fans, gated
from tests.ui.lab_page import LabPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent.parent
EXPECT_MS = 60_000
OPENED = pytest.StashKey[LabPage]()
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
FOREIGN_ERRORS = re.compile(
    r"reading 'schema'|ResizeObserver loop|Window name candidate"
    r"|Canceled future for create_subshell_request"  # a kernel was restarted while JupyterLab asked it for something
)

for workflows in (fans, gated):
    cloudpickle.register_pickle_by_value(workflows)  # workers of the server do not have the tests on their path


def built_here(folder: Path) -> tuple[str, ...]:
    """Return arguments of a server that shows the front end of this checkout; the folder is for a link to it."""
    extensions = folder / "labextensions"
    extensions.mkdir()
    (extensions / "covalent-lab").symlink_to(ROOT / "covalent_lab" / "labextension")
    return (
        "--expose-app-in-browser",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        f"--LabServerApp.extra_labextensions_path={extensions}",
        f"--JupyterNotebookApp.extra_labextensions_path={extensions}",
    )


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """JupyterLab with the extension as it is built here, on a copy of the tutorials."""
    folder = tmp_path_factory.mktemp("lab")
    notebooks = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    with LiveServer.start(
        root_dir=notebooks,
        log=ROOT / "test-results" / "ui-jupyterlab.log",
        environ=private_environment(folder),
        arguments=built_here(folder),
    ) as server:
        yield server


@pytest.fixture(scope="session")
def browser(require: Callable[..., str]) -> "Iterator[Browser]":
    """Chromium without a window."""
    from playwright.sync_api import expect, sync_playwright

    program = require(*CHROMIUM)
    expect.set_options(timeout=EXPECT_MS)  # Playwright's five seconds are short where tests share a machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(lab_server: LiveServer) -> str:
    """Where clients find the server, with its token for them."""
    return f"{lab_server.url}?token={lab_server.lab_token}"


@pytest.fixture(scope="session")
def submit(address: str) -> Callable[..., str]:
    """Dispatch a workflow and return its id."""
    return lambda lattice, *arguments: ct.dispatch(lattice, dispatcher_addr=address)(*arguments)


@pytest.fixture(scope="session")
def ended(submit: Callable[..., str], address: str) -> Callable[..., str]:
    """Dispatch a workflow, wait for its end and return its id."""

    def run(lattice: Callable[..., object], *arguments: object) -> str:
        dispatch_id = submit(lattice, *arguments)
        ct.get_result(dispatch_id, wait=True, dispatcher_addr=address)
        return dispatch_id

    return run


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A named pipe that a task waits at."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test fails: what is on the page goes into the report, and a picture of it beside the other results."""
    report = yield
    opened = item.stash.get(OPENED, None)
    if report.when == "call" and report.failed and opened is not None:
        with contextlib.suppress(Exception):  # whatever is wrong with the page, the test's own error is told
            opened.screenshot(ROOT / "test-results" / "ui-failures" / f"{item.name}.png")
            report.sections.append(("page", opened.page.locator("body").aria_snapshot()))
            report.sections.append(("focus", str(opened.page.evaluate("() => document.activeElement.outerHTML"))[:300]))
    return report


@pytest.fixture
def lab(browser: "Browser", lab_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """A fresh tab with JupyterLab loaded."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    context.set_default_timeout(EXPECT_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    opened = LabPage(page=page, server=lab_server)
    opened.open()
    request.node.stash[OPENED] = opened
    yield opened
    opened.close_kernels()
    context.close()
    assert [error for error in errors if not FOREIGN_ERRORS.search(error)] == []
