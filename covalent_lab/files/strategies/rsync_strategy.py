"""Copies by rsync, also over SSH."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from subprocess import DEVNULL, PIPE, CalledProcessError, Popen

from covalent_lab.files.file import File
from covalent_lab.files.moving import persist
from covalent_lab.files.strategies.transfer_strategy_base import FileTransferStrategy

__all__ = ["Rsync"]

_LOST = (10, 12, 30, 35)  # rsync's exit codes for a connection that broke or stood still
_SSH_FAILED = 255
_MAY_PASS = re.compile("reset by peer|refused|timed out|closed by|temporary failure", re.IGNORECASE)


class Rsync(FileTransferStrategy):
    """Copies by rsync: only what differs, with times, permissions and links.

    rsync must be installed where the task runs, and on the remote host. Over SSH, ports and other options come from
    the user's `~/.ssh/config`; the host must be in `known_hosts`, and nothing is asked.
    """

    def __init__(self, user: str = "", host: str = "", private_key_path: str | None = None) -> None:
        """Say how the remote side is reached; nothing is needed between local files.

        Args:
            user: Account on the remote host; empty for what SSH takes.
            host: Name or address of the remote host.
            private_key_path: Key for SSH; None for those that SSH finds.

        Raises:
            FileNotFoundError: There is no such key.
        """
        self.user = user
        self.host = host
        self.private_key_path = os.path.expanduser(private_key_path) if private_key_path else None
        if self.private_key_path and not os.path.exists(self.private_key_path):
            raise FileNotFoundError(f"There is no private key {self.private_key_path!r}. Check private_key_path.")

    def cp(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Copy on the machine that runs the task."""
        source, target = _local(from_file), _local(to_file)

        def copy() -> None:
            _make_parent(target)
            _run(["rsync", "-a", source, target])

        return copy

    def upload(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Copy to the host.

        Raises:
            ValueError: No host was named, or the destination has a name that rsync would take for a pattern.
        """
        if re.search(r"[*?[]", to_file.filepath):
            raise ValueError(
                f"rsync would take the destination {to_file.filepath!r} for a pattern. Choose another name."
            )
        command = [*self._over_ssh(), _local(from_file), self._remote(to_file.filepath)]

        def upload() -> None:
            _run(command)

        return upload

    def download(self, from_file: File, to_file: File) -> Callable[[], None]:
        """Copy from the host.

        Raises:
            ValueError: No host was named.
        """
        path, target = from_file.filepath, _local(to_file)
        source = re.sub(r"[\\*?[]", r"\\\g<0>", path) if re.search(r"[*?[]", path) else path  # a name, not a pattern
        command = [*self._over_ssh(), self._remote(source), target]

        def download() -> None:
            _make_parent(target)
            _run(command)

        return download

    def _over_ssh(self) -> list[str]:
        shell = f"ssh -i {_quoted(self.private_key_path)}" if self.private_key_path else "ssh"
        return ["rsync", "-s", "-ae", shell]  # -s: no shell on the other side sees the paths

    def _remote(self, path: str) -> str:
        if not self.host or self.host.startswith("-") or self.user.startswith("-"):
            raise ValueError(f"Rsync to or from another machine needs its name, not {self.host!r}: Rsync(host=…).")
        return f"{self.user}@{self.host}:{path}" if self.user else f"{self.host}:{path}"


def _local(file: File) -> str:
    """A path that rsync takes neither for an option nor for a host."""
    return file.filepath if file.filepath.startswith("/") else f"./{file.filepath}"


def _quoted(path: str) -> str:
    """A word of rsync's own small shell language, which doubles a quote within quotes."""
    return path if re.fullmatch(r"[\w@%+=:,./-]+", path) else "'" + path.replace("'", "''") + "'"


def _make_parent(target: str) -> None:
    os.makedirs(os.path.dirname(target.rstrip("/")) or ".", exist_ok=True)


def _run(command: Sequence[str]) -> None:
    def once() -> None:
        # where SSH would ask for a password, it runs a program that gives none, rather than to wait for somebody
        env = {**os.environ, "SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
        try:
            process = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=env)
        except FileNotFoundError as error:
            raise FileNotFoundError("rsync is not installed where the task runs.") from error
        out, err = process.communicate()
        said = err.decode("utf-8", "replace")
        if process.returncode:
            failure = CalledProcessError(process.returncode, command, out, said)
            failure.add_note(said)
            raise failure
        sys.stderr.write(said)

    def may_pass(error: Exception) -> bool:
        if not isinstance(error, CalledProcessError):
            return False
        return error.returncode in _LOST or (error.returncode == _SSH_FAILED and bool(_MAY_PASS.search(error.stderr)))

    persist("rsync", once, may_pass)
