"""Whom to log in as, where, and with which key; and the connection that this makes. Knows nothing of what it is for."""

import asyncio
import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from socket import gaierror
from typing import Any

from covalent_lab.errors import BackendError

__all__ = ["ConnectError", "LinkLostError", "Login", "connect", "key_file", "said"]


_JUMP = re.compile(r"(?:(?P<user>.+)@)?(?P<host>\[[^]]+\]|[^:@\s]+)(?::(?P<port>\d+))?")


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
        proxy_jump: Hosts on the way, as `ssh -J` has them; empty for those of the SSH configuration, `none` for none.
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
    proxy_jump: str = ""
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
    """An open connection; refused and lost ones are tried again. The hosts on the way are left when it is closed.

    Raises:
        ConnectError: A host cannot be reached, is not the one of the known hosts, or refuses the key.
    """
    return await _connected(login, [login.key] if login.key else [])


async def _connected(login: Login, keys: Sequence[Any]) -> Any:
    async with contextlib.AsyncExitStack() as exits:
        gate, before = _gate(login), None
        if gate is not None:
            before = await exits.enter_async_context(await _connected(gate, _keys_of_gate(gate)))
        connection = await _tried(
            login, {**_options(login), "client_keys": keys or (), "tunnel": before or _tunnel(login)}
        )
        if before is not None:
            connection.set_tunnel(before)  # which it closes
        exits.pop_all()
        return connection


async def _tried(login: Login, options: Mapping[str, Any]) -> Any:
    import asyncssh

    for attempt in range(1, login.attempts + 1):
        try:
            return await asyncssh.connect(login.hostname, connect_timeout=30, **options)
        except asyncssh.HostKeyNotVerifiable as error:
            raise ConnectError(
                f"The key of {login.address} is not among the known hosts: {said(error)}. Add it with `ssh-keyscan` "
                'after checking it, name the file as known_hosts, or accept any host with known_hosts="none".'
            ) from error
        except asyncssh.PermissionDenied as error:
            shown = f"key {login.key}" if login.key else "the keys of the SSH configuration"
            advice = (
                f"The key has a passphrase: let an SSH agent hold it where the dispatcher runs (`ssh-add {login.key}`)."
                if _has_passphrase(login.key)
                else "Add its public key to authorized_keys there; on the hosts of ProxyJump as well, if there are any."
            )
            raise ConnectError(
                f"Could not connect to {login.address}: it does not accept {shown} ({said(error)}). {advice}"
            ) from error
        except (OSError, asyncssh.DisconnectError, asyncssh.ChannelOpenError) as error:
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
    options["ignore_encrypted"] = True  # an agent may have the key
    options |= {"client_certs": [login.certificate]} if login.certificate else {}
    options |= {"username": login.username} if login.username else {}
    options |= {"port": login.port} if login.port else {}
    if login.known_hosts:
        options["known_hosts"] = None if login.known_hosts == "none" else login.known_hosts
    return options


def _tunnel(login: Login) -> Any:
    """What the library shall do of itself: what the SSH configuration says, unless nothing is wanted."""
    return None if login.proxy_jump == "none" else ()


def _gate(login: Login) -> Login | None:
    """The last host on the way, which is reached by those before it.

    Raises:
        ConnectError: The option does not name hosts.
    """
    if login.proxy_jump in ("", "none"):
        return None
    before, _, last = login.proxy_jump.rpartition(",")
    found = _JUMP.fullmatch(last.strip())
    if found is None:
        raise ConnectError(
            f"proxy_jump is {login.proxy_jump!r}. Give [user@]host[:port], or several of them with commas between."
        )
    return replace(
        login,
        hostname=found["host"].strip("[]"),
        username=found["user"] or "",
        port=int(found["port"]) if found["port"] else None,
        proxy_jump=before,
    )


def _keys_of_gate(gate: Login) -> Sequence[Any]:
    """The key of the host behind it, and those that the SSH configuration has for it."""
    import asyncssh

    configured = asyncssh.SSHClientConnectionOptions(config=(), host=gate.hostname).client_keys or ()
    return [*([gate.key] if gate.key else []), *configured]


def _has_passphrase(key: str) -> bool:
    import asyncssh

    try:
        if key:
            asyncssh.read_private_key(key)
    except asyncssh.KeyImportError as error:
        return str(error).startswith("Passphrase")
    return False


def said(error: BaseException) -> str:
    """What an error says, in a sentence of another message."""
    return str(error).strip().rstrip(".") or type(error).__name__
