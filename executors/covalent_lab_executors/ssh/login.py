"""Whom to log in as, where, and with which key; and the connection that this makes. Knows nothing of what it is for."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from socket import gaierror
from typing import Any

from covalent_lab.errors import BackendError

__all__ = ["ConnectError", "LinkLostError", "Login", "connect", "key_file", "said"]


class ConnectError(BackendError):
    """The host cannot be used."""

    transient = True


class LinkLostError(BackendError):
    """The connection broke; the jobs on the host go on."""

    transient = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Everything that a connection depends on.

    Attributes:
        hostname: Host.
        username: Account there.
        key: Path of the private key, expanded; empty for those of the SSH configuration and its agent.
        certificate: Path of the key's certificate; empty for none.
        port: Port; None for that of the SSH configuration, or 22.
        known_hosts: File of host keys; empty for the usual one, `none` to accept any.
        attempts: How often a connection is tried.
        wait_s: Pause between two tries, in seconds.
        alive_s: Seconds between signs of life that are asked of the host.
    """

    hostname: str
    username: str
    key: str
    certificate: str = ""
    port: int | None
    known_hosts: str
    attempts: int
    wait_s: float
    alive_s: float

    @property
    def address(self) -> str:
        """The host and the account, for messages."""
        return f"host {self.hostname} as user {self.username or '(yours)'}"


def key_file(path: str, option: str) -> str:
    """The path of a private key, expanded.

    Args:
        path: As the user gave it.
        option: Key of the configuration, for the message.

    Raises:
        BackendError: There is no such file.
    """
    key = os.path.realpath(os.path.expanduser(path))
    if not os.path.isfile(key):
        raise BackendError(
            f"SSH key file {key} does not exist. Give the path of your private key as ssh_key_file, or set {option}."
        )
    return key


async def connect(login: Login) -> Any:
    """An open connection; refused and lost ones are tried again.

    Raises:
        ConnectError: The host cannot be reached, is not the one of the known hosts, or refuses the key.
    """
    import asyncssh

    for attempt in range(1, login.attempts + 1):
        try:
            return await asyncssh.connect(login.hostname, connect_timeout=30, **_options(login))
        except asyncssh.HostKeyNotVerifiable as error:
            raise ConnectError(
                f"The key of {login.address} is not among the known hosts: {said(error)}. Add it with `ssh-keyscan` "
                'after checking it, name the file as known_hosts, or accept any host with known_hosts="none".'
            ) from error
        except asyncssh.PermissionDenied as error:
            shown = f"key {login.key}" if login.key else "the keys of the SSH configuration"
            raise ConnectError(
                f"Could not connect to {login.address}: it does not accept {shown} ({said(error)}). Add its public "
                "key to authorized_keys there; on the hosts of ProxyJump as well, if there are any."
            ) from error
        except (OSError, asyncssh.DisconnectError) as error:
            is_final = attempt == login.attempts or isinstance(error, TimeoutError | gaierror)
            if is_final:
                raise ConnectError(
                    f"Could not connect to {login.address} ({said(error)}; tries: {attempt}). Check name, port and "
                    "network."
                ) from error
            await asyncio.sleep(login.wait_s)
        except (asyncssh.Error, ValueError) as error:
            raise ConnectError(f"Could not connect to {login.address}: {said(error)}.") from error
    raise AssertionError("unreachable")


def _options(login: Login) -> Mapping[str, Any]:
    options: dict[str, Any] = {"keepalive_interval": login.alive_s}
    options |= {"client_keys": [login.key]} if login.key else {}
    options |= {"client_certs": [login.certificate]} if login.certificate else {}
    options |= {"username": login.username} if login.username else {}
    options |= {"port": login.port} if login.port else {}
    if login.known_hosts:
        options["known_hosts"] = None if login.known_hosts == "none" else login.known_hosts
    return options


def said(error: BaseException) -> str:
    """What an error says, in a sentence of another message."""
    return str(error).strip().rstrip(".") or type(error).__name__
