"""The lab starts and stops with the Jupyter server, and cannot keep it from starting or stopping."""

import asyncio
import json
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_server.discovery import ROOT_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE, Announcement, reachable_url
from covalent_lab_server.lifetime import LabLifetime
from tornado.httpclient import HTTPClientError
from traitlets.config import Config

from covalent_lab.config.background import start_time
from covalent_lab.errors import ConfigError
from tests.server.fake_lab import FakeLab
from tests.server.replies import API, Call

Start = Callable[[], Awaitable[None]]
LOG = logging.getLogger("test")


@pytest.fixture
def runtime_file(jp_runtime_dir: Path) -> Path:
    """Where kernels of other programs look."""
    return jp_runtime_dir / f"covalent-lab-{os.getpid()}.json"


async def test_kernels_are_told_where_the_server_is(
    app: Any, fake_lab: FakeLab, runtime_file: Path, jp_serverapp: Any, jp_base_url: str, jp_http_port: int
) -> None:
    """By environment and by a file that only its owner reads; both disappear with the lab."""
    url = f"http://localhost:{jp_http_port}{jp_base_url}"
    assert (os.environ[URL_VARIABLE], os.environ[TOKEN_VARIABLE]) == (url, app.kernel_token)
    entry = json.loads(runtime_file.read_text())
    assert entry.pop("started_at") > 0
    assert entry == {
        "url": url,
        "token": app.kernel_token,
        "pid": os.getpid(),
        "start": start_time(os.getpid()),
        "data_dir": str(fake_lab.folder),
        "version": "0.1.0",
        "has_lab": False,
    }
    assert stat.S_IMODE(runtime_file.stat().st_mode) == 0o600

    await jp_serverapp.extension_manager.stop_all_extensions()

    assert not {URL_VARIABLE, TOKEN_VARIABLE} & os.environ.keys()
    assert not runtime_file.exists()
    assert fake_lab.closings == 1


async def test_kernels_started_by_the_server_inherit_the_variables(fake_lab: FakeLab, jp_fetch: Any, app: Any) -> None:
    """A process started now sees them."""
    script = f"import os; print(os.environ[{URL_VARIABLE!r}], os.environ[{TOKEN_VARIABLE!r}])"

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()

    assert output.decode().split() == [os.environ[URL_VARIABLE], app.kernel_token]


async def test_stopping_twice_is_harmless(app: Any, fake_lab: FakeLab, call: Call) -> None:
    """The lab is closed once, and routes say that it is gone."""
    await app.stop_extension()
    await app.stop_extension()

    reply = await call("GET", "status")
    assert fake_lab.closings == 1
    assert (reply.status, reply.code) == (503, "unavailable")


async def test_stopping_without_a_start_is_harmless(app: Any) -> None:
    """As when the server fails while it starts."""
    await app.stop_extension()


async def test_before_the_lab_is_open_routes_say_so(app: Any, call: Call) -> None:
    """They ask for a moment's patience."""
    reply = await call("GET", "status")

    assert (reply.status, reply.code) == (503, "unavailable")
    assert "starting" in reply.json["error"]["message"]


class TestLabThatCannotBeOpened:
    """Unwritable disk, corrupt configuration, old database."""

    REASON = "covalent.conf is not valid TOML: line 3. Correct it, or move it away."

    @pytest.fixture(autouse=True)
    def broken(self, app: Any, start: Start, jp_asyncio_loop: asyncio.AbstractEventLoop) -> None:
        def opener() -> FakeLab:
            raise ConfigError(f"covalent.conf is not valid TOML:\n  line 3. {self.REASON.partition('3. ')[2]}")

        app.lifetime.opener = opener
        jp_asyncio_loop.run_until_complete(start())

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "status"), ("GET", "openapi.json"), ("GET", "dispatches"), ("POST", "dispatches"), ("GET", "feed")],
    )
    async def test_every_route_tells_the_reason(self, call: Call, method: str, path: str) -> None:
        """In one line."""
        reply = await call(method, path, body=b"x" if method == "POST" else None)

        assert (reply.status, reply.code) == (503, "unavailable")
        assert reply.json["error"]["message"].endswith(self.REASON)
        assert "\n" not in reply.json["error"]["message"]

    async def test_strangers_are_not_told(self, call: Call) -> None:
        """The reason may name paths."""
        assert (await call("GET", "status", headers={"Authorization": ""})).status == 403

    async def test_the_socket_is_refused(self, jp_ws_fetch: Any) -> None:
        """Before it is one."""
        with pytest.raises(HTTPClientError) as refusal:
            await jp_ws_fetch(*API, "feed")
        assert refusal.value.code == 503

    async def test_jupyter_goes_on_and_kernels_are_told_nothing(self, jp_fetch: Any, runtime_file: Path) -> None:
        """They dispatch by themselves."""
        assert (await jp_fetch("api", "status")).code == 200
        assert URL_VARIABLE not in os.environ
        assert not runtime_file.exists()


async def test_a_runtime_folder_that_cannot_be_written_is_no_obstacle(
    app: Any, start: Start, call: Call, jp_serverapp: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Kernels of this server still find it."""
    obstacle = tmp_path / "a file"
    obstacle.write_text("")
    jp_serverapp.runtime_dir = str(tmp_path)
    app.serverapp.set_trait("runtime_dir", str(tmp_path))
    app.lifetime.opener = lambda: FakeLab(tmp_path)
    (tmp_path / f"covalent-lab-{os.getpid()}.json").mkdir()

    await start()

    assert (await call("GET", "status")).status == 200
    assert URL_VARIABLE in os.environ
    assert any("kernels of other programs" in record.getMessage() for record in caplog.records)
    (tmp_path / f"covalent-lab-{os.getpid()}.json").rmdir()


async def test_the_reason_for_a_missing_lab_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Once, as an error, with its traceback."""

    def opener() -> FakeLab:
        raise OSError("Read-only file system")

    lifetime = LabLifetime(opener, LOG)  # type: ignore[arg-type]

    assert not await lifetime.open()

    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, lifetime.reason)
    assert record.exc_info


async def test_a_lab_that_does_not_close_is_left_behind(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """The server stops in time and says so."""
    release = threading.Event()
    lab = FakeLab(tmp_path)
    lab.close = lambda: bool(release.wait(30))  # type: ignore[method-assign,assignment,return-value]
    lifetime = LabLifetime(lambda: lab, LOG)  # type: ignore[arg-type,return-value]
    await lifetime.open()

    await lifetime.close(0.01)

    release.set()
    assert "did not stop within" in caplog.text
    assert lifetime.lab is None


async def test_a_lab_that_fails_to_close_is_reported(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """And does not keep the server from stopping."""

    def close() -> None:
        raise OSError("disk gone")

    lab = FakeLab(tmp_path)
    lab.close = close  # type: ignore[method-assign]
    lifetime = LabLifetime(lambda: lab, LOG)  # type: ignore[arg-type,return-value]
    await lifetime.open()

    await lifetime.close(10)

    assert "did not stop cleanly" in caplog.text


async def test_a_lab_that_opens_while_the_server_stops_is_closed(tmp_path: Path) -> None:
    """Within the time-out by the server, after it by itself."""
    loop = asyncio.get_running_loop()
    for timeout_s in (10.0, 0.01):
        release, entered = threading.Event(), asyncio.Event()
        lab = FakeLab(tmp_path)

        def opener(release: threading.Event = release, entered: asyncio.Event = entered, lab: FakeLab = lab) -> FakeLab:
            loop.call_soon_threadsafe(entered.set)
            release.wait(30)
            return lab

        lifetime = LabLifetime(opener, LOG)  # type: ignore[arg-type]
        opening = asyncio.ensure_future(lifetime.open())
        await entered.wait()
        closing = asyncio.ensure_future(lifetime.close(timeout_s))
        if timeout_s < 1:
            await closing
        release.set()
        await asyncio.gather(opening, closing)

        assert (lab.closings, lifetime.lab) == (1, None)


@pytest.mark.parametrize(
    ("ip", "base_url", "is_https", "url"),
    [
        ("localhost", "/", False, "http://localhost:8888/"),
        ("", "/", False, "http://127.0.0.1:8888/"),
        ("*", "/", False, "http://127.0.0.1:8888/"),
        ("0.0.0.0", "/user/ada/", False, "http://127.0.0.1:8888/user/ada/"),
        ("::", "/", False, "http://[::1]:8888/"),
        ("::1", "/", False, "http://[::1]:8888/"),
        ("10.0.0.5", "/lab", True, "https://10.0.0.5:8888/lab/"),
        ("127.0.0.1", "/a%40b/", False, "http://127.0.0.1:8888/a%40b/"),
    ],
)
def test_a_url_can_be_reached_from_this_machine(ip: str, base_url: str, is_https: bool, url: str) -> None:
    """Wildcards become loopback addresses."""
    assert reachable_url(ip=ip, port=8888, base_url=base_url, is_https=is_https) == url


def test_a_unix_socket_has_no_url() -> None:
    """Kernels then dispatch by themselves."""
    assert reachable_url(ip="", port=0, base_url="/", is_https=False, socket_path="/run/jupyter.sock") is None


def test_variables_that_were_set_before_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server inside a kernel of another one leaves that one's variables alone."""
    monkeypatch.setenv(URL_VARIABLE, "http://other/")
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    announcement = Announcement(url="http://ours/", token="t", runtime_dir=tmp_path / "new", root_dir="/srv")

    announcement.publish({})
    announcement.publish({})
    during = (os.environ[URL_VARIABLE], os.environ[TOKEN_VARIABLE], os.environ[ROOT_VARIABLE])
    announcement.withdraw()
    announcement.withdraw()

    assert during == ("http://ours/", "t", "/srv")
    assert ROOT_VARIABLE not in os.environ
    assert os.environ[URL_VARIABLE] == "http://other/"
    assert TOKEN_VARIABLE not in os.environ
    assert list((tmp_path / "new").iterdir()) == []


def test_the_runtime_file_replaces_one_left_by_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that others could read, and a half-written one."""
    for name in (URL_VARIABLE, TOKEN_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    announcement = Announcement(url="http://ours/", token="t", runtime_dir=tmp_path)
    for stale in (announcement.path, announcement.path.with_suffix(".part")):
        stale.write_text("stale")
        stale.chmod(0o644)

    announcement.publish({})

    assert json.loads(announcement.path.read_text())["url"] == "http://ours/"
    assert stat.S_IMODE(announcement.path.stat().st_mode) == 0o600
    announcement.withdraw()


class TestDisabledExtension:
    """`CovalentLabApp.enabled = False`."""

    @pytest.fixture
    def jp_server_config(self) -> Config:
        return Config(
            {
                "ServerApp": {"jpserver_extensions": {"covalent_lab_server": True}},
                "CovalentLabApp": {"enabled": False},
            }
        )

    async def test_nothing_is_served_or_started(self, app: Any, start: Start, call: Call) -> None:
        """The server is as if the extension were not there."""
        await start()

        assert (await call("GET", "status")).status == 404
        assert app.lifetime.lab is None
        assert URL_VARIABLE not in os.environ


def test_jupyter_accepts_the_extension(tmp_path: Path) -> None:
    """`jupyter server extension list` validates it."""
    config = Path(__file__).parents[2] / "server_extension/covalent_lab_server/jupyter-config/covalent_lab.json"
    folder = tmp_path / "jupyter_server_config.d"
    folder.mkdir()
    (folder / config.name).write_bytes(config.read_bytes())
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)

    listed = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        timeout=200,
    )

    lines = (listed.stdout + listed.stderr).splitlines()
    assert any("covalent_lab_server" in line and "OK" in line for line in lines), lines


def test_a_lab_that_opens_when_its_server_is_gone_does_not_complain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's event loop may close between a look at it and the news; nobody waits for them any more."""
    begun, goes_on = threading.Event(), threading.Event()

    def opener() -> Any:
        begun.set()
        goes_on.wait(120)
        raise ConfigError("too late")

    async def give_up() -> None:
        opening = asyncio.ensure_future(LabLifetime(opener, LOG).open())
        await asyncio.to_thread(begun.wait, 120)
        opening.cancel()
        await asyncio.wait([opening])

    loop = asyncio.new_event_loop()
    loop.run_until_complete(give_up())
    loop.run_until_complete(loop.shutdown_default_executor())
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "covalent-lab-open"]
    monkeypatch.setattr(loop, "is_closed", lambda: False)
    loop.close()
    goes_on.set()
    thread.join(120)  # an error in it would fail this test
