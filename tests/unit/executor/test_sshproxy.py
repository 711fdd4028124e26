"""One-time passwords, and when a certificate is renewed."""

import asyncio
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from covalent_lab_executors.queues.sshproxy import certificate, read_settings, totp, valid_until

from covalent_lab.errors import BackendError

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SETTINGS = {"password": "pass", "secret": "env:SEED"}


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_one_time_passwords_are_those_of_the_standard(at: float, code: str) -> None:
    """The test vectors of RFC 6238."""
    assert totp(SECRET, at) == code
    assert totp(SECRET.lower()[:16] + " " + SECRET[16:], at) == code


def test_secret_that_is_no_base32() -> None:
    """The message does not repeat it."""
    with pytest.raises(BackendError, match="no Base32") as caught:
        totp("0189!", 0)
    assert "0189" not in str(caught.value)


def test_end_of_a_certificate_is_read() -> None:
    """In local time."""
    text = "        Valid: from 2029-12-31T00:00:00 to 2030-01-02T10:00:00\n"
    assert valid_until(text) == datetime(2030, 1, 2, 10).astimezone()
    assert valid_until("Valid: forever") == datetime.max.replace(tzinfo=UTC)
    assert valid_until("no certificate") is None


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program named sshproxy that writes what it got; answers with the status in the file `status`."""
    program = tmp_path / "bin" / "sshproxy"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >"{tmp_path}/said"; cat >>"{tmp_path}/said"\n'
        f'[ ! -f "{tmp_path}/refuses" ] || {{ echo "Failed: wrong code" >&2; exit 2; }}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("SEED", SECRET)
    return tmp_path


def renewed(folder: Path, now: datetime = NOW) -> str:
    """The certificate beside the key."""
    key = str(folder / "key")
    return asyncio.run(certificate(SETTINGS, username="ada", key=key, cert_file="", now=now))


def test_certificate_that_is_missing_is_made(proxy: Path) -> None:
    """With password and code on standard input."""
    assert renewed(proxy) == str(proxy / "nersc-cert.pub")
    assert (proxy / "said").read_text() == f"-u ada -o {proxy}/key\npass{totp(SECRET, NOW.timestamp())}\n"


def test_certificate_is_kept_until_it_ends(proxy: Path, require: Callable[..., str]) -> None:
    """A real one, for a day."""
    require("ssh-keygen")
    for name in ("ca", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", proxy / name], check=True)
    sign = ["ssh-keygen", "-q", "-s", "ca", "-I", "ada", "-V", "20300101:20300102", "key.pub"]
    subprocess.run(sign, check=True, cwd=proxy)
    (proxy / "key-cert.pub").rename(proxy / "nersc-cert.pub")
    assert renewed(proxy, datetime(2030, 1, 1, 12).astimezone()) == str(proxy / "nersc-cert.pub")
    assert not (proxy / "said").exists()
    renewed(proxy, datetime(2030, 1, 3).astimezone())
    assert (proxy / "said").exists()
    (proxy / "said").unlink()
    (proxy / "key").unlink()
    renewed(proxy, datetime(2030, 1, 1, 12).astimezone())
    assert (proxy / "said").exists()


def test_certificate_that_is_named_after_the_key_is_found(proxy: Path) -> None:
    """Where the usual one is not there."""
    (proxy / "key-cert.pub").touch()
    assert renewed(proxy) == str(proxy / "key-cert.pub")
    (proxy / "nersc-cert.pub").touch()
    assert renewed(proxy) == str(proxy / "nersc-cert.pub")


def test_settings_may_be_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """To JSON in an environment variable; what is no table is refused, and not told."""
    monkeypatch.setenv("PROXY", '{"hosts": ["h"], "password": "env:A", "secret": "env:B"}')
    assert read_settings("env:PROXY") == {"hosts": ["h"], "password": "env:A", "secret": "env:B"}
    assert read_settings(SETTINGS) == SETTINGS
    assert read_settings(None) == {}
    for value in ("pass", '"pass"', "[1]"):
        monkeypatch.setenv("PROXY", value)
        with pytest.raises(BackendError, match="sshproxy is no table") as caught:
            read_settings("env:PROXY")
        assert "pass" not in str(caught.value).replace("password", "")


def test_refusal_is_told(proxy: Path) -> None:
    """In the program's words."""
    (proxy / "refuses").touch()
    with pytest.raises(BackendError, match="Failed: wrong code"):
        renewed(proxy)


def test_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do instead."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendError, match="sshproxy is not installed"):
        renewed(tmp_path)
