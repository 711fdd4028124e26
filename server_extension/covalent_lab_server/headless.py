"""A Jupyter server with this extension and nothing else: no JupyterLab, no kernels, no terminals, no other extension.

Decides what it says of itself while it runs (record, pid file, heartbeat) and that it ends when there is no lab to
serve. Who may come in is Jupyter's own affair, as in any other server: the token is asked for on every route. Paths and
addresses come from covalent_lab's configuration; `jupyter_server_config.py` counts as well (certificates, passwords).
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.serverapp import ServerApp
from tornado.ioloop import PeriodicCallback

from covalent_lab._version import __version__
from covalent_lab.config.background import write_record
from covalent_lab.config.logs import log_level, log_to_file, rotate
from covalent_lab.config.reader import ConfigReader
from covalent_lab.config.serverfiles import ServerFiles

if TYPE_CHECKING:
    from covalent_lab_server.app import CovalentLabApp

__all__ = ["HeadlessServer", "Presence", "main"]


class Presence:
    """What is seen of the server from outside, from `appear` until `vanish`.

    Args:
        files: Where it is written.
        keeps_log: Whether what this process prints goes to `files.log`, which is then kept small.
    """

    def __init__(self, files: ServerFiles, *, keeps_log: bool) -> None:
        self._files = files
        self._keeps_log = keeps_log
        self._is_there = False

    def appear(self, *, url: str, token: str, data_dir: str) -> None:
        """Say where the server is.

        Raises:
            OSError: The files cannot be written.
        """
        self._is_there = True
        self._files.pid.parent.mkdir(parents=True, exist_ok=True)
        self._files.pid.write_text(f"{os.getpid()}\n", encoding="ascii")
        self.beat()
        form = {"url": url, "token": token, "data_dir": data_dir, "version": __version__, "has_lab": False}
        write_record(self._files.record, {**form, "started_at": time.time()})

    def beat(self) -> None:
        """Give a sign of life."""
        self._write("ALIVE")
        if self._keeps_log and rotate(self._files.log):
            _print_to(self._files.log)

    def vanish(self) -> None:
        """Take everything back; harmless when repeated."""
        if self._is_there:
            self._is_there = False
            self._files.record.unlink(missing_ok=True)
            self._files.pid.unlink(missing_ok=True)
            self._write("DEAD")

    def _write(self, word: str) -> None:
        path = self._files.heartbeat
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{datetime.now(UTC).isoformat()}\n{word}\n", encoding="ascii")
        except OSError as error:  # a full disk must not end the server
            logging.getLogger(__name__).warning("%s cannot be written: %s", path, error)


class HeadlessServer(ServerApp):
    """Serves the extension's routes, and Jupyter's few that logging in needs."""

    name = "jupyter_server"
    default_services = ("auth", "api", "security", "shutdown")  # type: ignore[assignment]
    no_browser_open_file = True  # it would hold the token, for nothing
    presence: Presence
    heartbeat_s: float
    has_failed = False
    _heart: PeriodicCallback | None = None

    def find_server_extensions(self) -> None:
        """Look for no others: what is enabled for JupyterLab is not wanted here."""
        self.jpserver_extensions = {"covalent_lab_server": True}

    def _get_urlparts(self, *args: Any, **options: Any) -> Any:
        """Addresses are written to the log, and the token is not."""
        return super()._get_urlparts(*args, **{**options, "include_token": False})

    async def _post_start(self) -> None:
        await super()._post_start()  # type: ignore[no-untyped-call]
        app = cast("CovalentLabApp", self.extension_manager.extension_points["covalent_lab"].app)
        if app.lifetime.lab is None or app.announcement is None:
            self.log.critical("%s", app.lifetime.reason or "Kernels cannot find this server; it ends.")
            self.has_failed = True
            self.stop()
            return
        self.presence.appear(
            url=app.announcement.url, token=app.kernel_token, data_dir=str(app.lifetime.lab.settings.data_dir)
        )
        self._heart = PeriodicCallback(self.presence.beat, self.heartbeat_s * 1000)
        self._heart.start()

    async def _cleanup(self) -> None:
        if self._heart is not None:
            self._heart.stop()
        try:
            await super()._cleanup()
        finally:
            self.presence.vanish()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is told to end (SIGTERM); returns the exit code.

    Args:
        arguments: `--ip`, `--port` (0 takes a free one), `--debug`, and `--log-file` if what this process prints
            goes to the log file and shall be kept small.

    Raises:
        ConfigError: The configuration cannot be used.
    """
    parser = argparse.ArgumentParser("python -m covalent_lab_server")
    parser.add_argument("--ip", default="localhost")
    parser.add_argument("--port", type=int, default=48008)
    parser.add_argument("--debug", action="store_true")
    parser.add_argument("--log-file", action="store_true")
    given = parser.parse_args(arguments)

    reader, files = ConfigReader(), ServerFiles.load()
    level = logging.DEBUG if given.debug else log_level(reader)
    logging.basicConfig(level=max(level, logging.INFO), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("covalent_lab").setLevel(level)
    if reader.value("sdk.enable_logging") == "true":
        log_to_file(files.dispatcher_log, level)
    root = files.cache_dir / "server"
    root.mkdir(parents=True, exist_ok=True)
    server = HeadlessServer.instance()
    server.presence = Presence(files, keeps_log=given.log_file)
    server.heartbeat_s = files.heartbeat_s
    server.initialize(
        [
            f"--ip={given.ip}",
            f"--port={given.port}",
            "--no-browser",
            f"--log-level={level}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={root}",
            f"--ServerApp.allow_remote_access={given.ip == '0.0.0.0'}",
            "--ServerApp.default_url=/covalent/api/v1/status",
            *(["--allow-root"] if os.geteuid() == 0 else []),
        ]
    )
    server.start()
    return 1 if server.has_failed else 0


def _print_to(path: Path) -> None:
    """Have everything this process prints, its libraries included, go to a new file."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
    finally:
        os.close(descriptor)
