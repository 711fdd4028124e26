"""A real OpenSSH server on a loopback port, with keys of its own, for the account that runs the tests."""

import getpass
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import psutil

from tests.backends.service import Service

__all__ = ["SshServer", "ssh_server"]

SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey "{folder}/host_key"
PidFile none
AuthorizedKeysFile "{folder}/user_key.pub"
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
"""
CLIENT = """
Host 127.0.0.1
    Port {port}
    UserKnownHostsFile "{folder}/known_hosts"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    IdentitiesOnly yes
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SshServer:
    """How the server is reached.

    Attributes:
        host: Its address.
        port: Its port.
        user: The account.
        key: Path of the private key that it accepts.
        client_config: Path of a configuration for `ssh -F`, which knows port and host key.
        programs: A folder for the front of PATH, in which `ssh` uses that configuration.
        restart: Breaks all connections, and starts the server again.
    """

    host: str
    port: int
    user: str
    key: Path
    client_config: Path
    programs: Path
    restart: Callable[[], None]

    def login(self) -> dict[str, Any]:
        """Options of executors that log in there, but for the host."""
        known_hosts = str(self.key.parent / "known_hosts")
        return {"username": self.user, "port": self.port, "ssh_key_file": str(self.key), "known_hosts": known_hosts}


@contextmanager
def ssh_server(
    folder: Path, sshd: str, ssh: str, env: Mapping[str, str] | None = None, settings: Sequence[str] = ()
) -> Iterator[SshServer]:
    """Run a server until the block ends.

    Args:
        folder: For keys and configurations.
        sshd: Absolute path of the server's program.
        ssh: Absolute path of the client's program.
        env: Variables of its sessions.
        settings: More lines of its configuration.
    """
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    host_key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    set_env = [f"SetEnv {name}={value}\n" for name, value in (env or {}).items()]
    lines = [SERVER.format(folder=folder, port=port), *set_env, *(f"{line}\n" for line in settings)]
    (folder / "sshd_config").write_text("".join(lines))
    (folder / "ssh_config").write_text(CLIENT.format(folder=folder, port=port))
    (folder / "programs").mkdir()
    wrapper = folder / "programs" / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(ssh)} -F {shlex.quote(f"{folder}/ssh_config")} "$@"\n')
    wrapper.chmod(0o755)
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    service = Service([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], "Server listening on 127.0.0.1")

    def restart() -> None:
        sessions = [found for found in psutil.Process(service.pid).children(recursive=True) if found.name() == "sshd"]
        service.stop()
        for session in sessions:
            with suppress(psutil.NoSuchProcess):
                session.kill()
        service.start()

    try:
        service.start()
        yield SshServer(
            host="127.0.0.1",
            port=port,
            user=getpass.getuser(),
            key=folder / "user_key",
            client_config=folder / "ssh_config",
            programs=folder / "programs",
            restart=restart,
        )
    finally:
        service.stop()
