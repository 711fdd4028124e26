"""Two-factor login by NERSC's `sshproxy`: one-time passwords, and certificates that are renewed when they end."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
import shutil
import struct
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from covalent_lab.errors import BackendError
from covalent_lab.executor.secrets import is_reference, resolved

__all__ = ["certificate", "read_settings", "totp", "valid_until"]

_PROGRAM, _STEP_S, _DIGITS, _TIMEOUT_S = "sshproxy", 30, 6, 120.0
_VALID = re.compile(r"Valid: (?:from \S+ to (\S+)|(forever))")


def totp(secret: str, at: float) -> str:
    """The one-time password of a moment (RFC 6238, SHA-1, six digits, 30 seconds).

    Args:
        secret: Base32, as the service shows it; spaces, hyphens and letter case do not matter.
        at: POSIX seconds.

    Raises:
        BackendError: The secret is not Base32.

    Example:
        >>> totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59)
        '287082'
    """
    plain = re.sub(r"[\s=-]", "", secret).upper()
    try:
        key = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except binascii.Error:
        raise BackendError("The secret of sshproxy is no Base32. Copy it from the address of the seed.") from None
    digest = hmac.digest(key, struct.pack(">Q", int(at) // _STEP_S), hashlib.sha1)
    begin = digest[-1] & 15
    number = struct.unpack_from(">I", digest, begin)[0] & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def valid_until(listing: str) -> datetime | None:
    """When a certificate ends, from what `ssh-keygen -L` says of it, in local time; None if it says nothing of that."""
    found = _VALID.search(listing)
    if found is None:
        return None
    return datetime.max.replace(tzinfo=UTC) if found[2] else datetime.fromisoformat(found[1]).astimezone()


async def certificate(
    settings: Mapping[str, Any], *, username: str, key: str, cert_file: str, now: datetime | None = None
) -> str:
    """A certificate that is valid: the one that is there, else a new one.

    Args:
        settings: `password` and `secret`, or references to them.
        username: Account of the service.
        key: Path of the private key, which is renewed together with the certificate.
        cert_file: Path of the certificate; empty for `nersc-cert.pub` beside the key, or that which has the key's name.
        now: The time; None for this moment.

    Returns:
        Its path.

    Raises:
        BackendError: The program is missing, or refuses.
    """
    private, path = await asyncio.to_thread(_files, key, cert_file)
    moment = now or datetime.now(UTC)
    if await asyncio.to_thread(lambda: private.is_file() and path.is_file()):
        _, listing, _ = await _ran("ssh-keygen", "-L", "-f", str(path))
        until = valid_until(listing)
        if until is not None and until > moment:
            return str(path)
    if shutil.which(_PROGRAM) is None:
        raise BackendError(
            "sshproxy is not installed where the dispatcher runs. Put it on the PATH under that name, or renew the "
            "certificate yourself and leave [executors.slurm.sshproxy] away."
        )
    values = resolved({name: settings.get(name, "") for name in ("password", "secret")})
    if not (values["password"] and values["secret"]):
        raise BackendError("sshproxy needs password and secret. Set both in [executors.slurm.sshproxy].")
    answer = f"{values['password']}{totp(str(values['secret']), moment.timestamp())}\n"
    status, _, err = await _ran(_PROGRAM, "-u", username, "-o", str(private), answer=answer)
    if status:
        raise BackendError(f"sshproxy did not renew the certificate of {username}: {err.strip() or status}.")
    return str((await asyncio.to_thread(_files, key, cert_file))[1])


def read_settings(value: Any) -> Mapping[str, Any]:
    """The table that the option `sshproxy` is, or refers to as JSON in an environment variable.

    Raises:
        BackendError: It is none.
    """
    if is_reference(value):
        text = resolved({"sshproxy": value})["sshproxy"]
        try:
            value = json.loads(text)
        except ValueError:
            value = text
    if not isinstance(value or {}, Mapping):
        raise BackendError(
            "sshproxy is no table. Set hosts, password and secret in [executors.slurm.sshproxy], or refer to an "
            "environment variable that has them as a JSON object."
        )
    return value or {}


def _files(key: str, cert_file: str) -> tuple[Path, Path]:
    """Key and certificate; the service's usual one, unless only the one is there that is named after the key."""
    private = Path(key).expanduser()
    if cert_file:
        return private, Path(cert_file).expanduser()
    usual, own = private.with_name("nersc-cert.pub"), private.with_name(f"{private.name}-cert.pub")
    return private, own if own.is_file() and not usual.is_file() else usual


async def _ran(*command: str, answer: str = "") -> tuple[int, str, str]:
    try:
        ran = await asyncio.to_thread(
            subprocess.run, command, input=answer, capture_output=True, timeout=_TIMEOUT_S, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise BackendError(f"{command[0]} does not end. Try it by hand.") from None
    except OSError as error:
        raise BackendError(f"{command[0]} cannot be started: {error}. Install it where the dispatcher runs.") from error
    return ran.returncode, ran.stdout, ran.stderr
