"""A real Jupyter server with the extension, as a child process: for tests, notebooks under test and first runs.

It decides how to start a server, when it is ready (both it and the extension have written their runtime files) and how
it ends. It knows nothing of dispatches, and takes every folder from the environment it is given.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from covalent_lab.errors import BackendError

__all__ = ["LiveServer", "private_environment"]

_STOP_S = 60.0
_PROBE_S = 0.05
_FOLDERS = {
    "HOME": "home",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_CACHE_HOME": "home/.cache",
    "JUPYTER_CONFIG_DIR": "jupyter/config",
    "JUPYTER_DATA_DIR": "jupyter/data",
    "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
    "JUPYTERLAB_SETTINGS_DIR": "jupyter/settings",
    "JUPYTERLAB_WORKSPACES_DIR": "jupyter/workspaces",
    "IPYTHONDIR": "ipython",
    "COVALENT_DATA_DIR": "covalent",
}
_NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"


def private_environment(folder: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy an environment with every folder that Jupyter and covalent_lab write to moved below `folder`.

    Args:
        folder: Where the folders are made.
        environ: What to copy; the present environment by default. Settings of covalent_lab in it are left out.
    """
    environ = os.environ if environ is None else environ
    private = {name: value for name, value in environ.items() if not name.startswith(("COVALENT_", "JUPYTER_"))}
    for name, place in _FOLDERS.items():
        path = folder / place
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        private[name] = str(path)
    news = Path(private["JUPYTERLAB_SETTINGS_DIR"], _NEWS)
    news.parent.mkdir(parents=True, exist_ok=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    return private


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveServer:
    """A running server; leaving its context stops it.

    Attributes:
        process: The server.
        url: Address with base URL and final slash.
        token: The token of the whole server; empty where a password is set instead.
        lab_token: The token that opens the routes of covalent_lab only.
        log: File with everything the server wrote.
    """

    process: subprocess.Popen[bytes]
    url: str
    token: str
    lab_token: str
    log: Path

    @classmethod
    def start(
        cls,
        *,
        root_dir: Path,
        log: Path,
        environ: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        port: int = 0,
        timeout_s: float = 200.0,
    ) -> Self:
        """Start a server on 127.0.0.1 and wait until it and the extension are ready.

        Args:
            root_dir: Folder that JupyterLab shows.
            log: File for the server's output; replaced.
            environ: Environment of the server; the present one by default.
            arguments: Further arguments on its command line.
            port: 0 takes a free one.
            timeout_s: How long the start may take.

        Raises:
            BackendError: The server ended or was not ready in time. Names the log file and its last line.
        """
        environ = dict(os.environ if environ is None else environ)
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
        command += [f"--ServerApp.root_dir={root_dir}", *arguments]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt at the terminal reaches us only, and we stop it in order
            )
        try:
            jupyter, lab = _wait_until_ready(process, _runtime_dir(environ), log, timeout_s)
        except BaseException:
            _stop(process)
            raise
        return cls(process=process, url=lab["url"], token=jupyter.get("token", ""), lab_token=lab["token"], log=log)

    def page(self, notebook: str = "", *, is_fresh: bool = False) -> str:
        """Return the address of JupyterLab, logged in, with a notebook open if one is named.

        Args:
            notebook: Path below the root folder.
            is_fresh: True forgets which tabs were open the last time.
        """
        place = f"lab/tree/{quote(notebook)}" if notebook else "lab"
        query = {"reset": ""} if is_fresh else {}
        if self.token:
            query["token"] = self.token
        return f"{self.url}{place}" + (f"?{urlencode(query)}" if query else "")

    def stop(self) -> None:
        """End the server and its kernels; harmless when repeated."""
        _stop(self.process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _runtime_dir(environ: Mapping[str, str]) -> Path:
    """Ask Jupyter, with the server's environment, where its runtime files go."""
    if "JUPYTER_RUNTIME_DIR" in environ:
        return Path(environ["JUPYTER_RUNTIME_DIR"])
    program = "from jupyter_core.paths import jupyter_runtime_dir as d; print(d())"
    answer = subprocess.run(
        [sys.executable, "-c", program], env=dict(environ), capture_output=True, text=True, check=True
    )
    return Path(answer.stdout.strip())


def _wait_until_ready(
    process: subprocess.Popen[bytes], runtime_dir: Path, log: Path, timeout_s: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    files = (runtime_dir / f"jpserver-{process.pid}.json", runtime_dir / f"covalent-lab-{process.pid}.json")
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        read = [_read(file) for file in files]
        if read[0] is not None and read[1] is not None:
            return read[0], read[1]
        try:
            process.wait(_PROBE_S)
        except subprocess.TimeoutExpired:
            continue
        raise BackendError(f"JupyterLab ended with status {process.returncode}: {_last_line(log)} (see {log}).")
    raise BackendError(f"JupyterLab was not ready after {timeout_s:.0f} s: {_last_line(log)} (see {log}).")


def _read(file: Path) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet, or written at this moment
        return None
    return entry


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
