"""What went wrong, as an HTTP status and a code."""

import logging
from typing import Any

import pytest
from covalent_lab_server.handlers.errors import STATUS_OF_CODE, status_of

from covalent_lab import errors
from covalent_lab.errors import BackendError, LabError, UsageError, error_of_code
from tests.server.fake_lab import FakeLab
from tests.server.replies import Call

ALL_CODES = sorted({getattr(errors, name).code for name in errors.__all__ if name.endswith("Error")})


def test_every_error_of_the_package_has_a_status() -> None:
    """A new error class must be given one."""
    assert set(ALL_CODES) <= STATUS_OF_CODE.keys()


@pytest.mark.parametrize("code", ALL_CODES)
async def test_errors_of_the_lab_keep_their_code(call: Call, fake_lab: FakeLab, code: str) -> None:
    """Code and message reach the caller, with the status of the table."""
    fake_lab.failure = error_of_code(code, f"An error of code {code}.")

    reply = await call("GET", "status")

    assert (reply.status, reply.code) == (STATUS_OF_CODE[code], code)
    assert reply.json["error"]["message"] == f"An error of code {code}."


async def test_a_bug_is_answered_without_its_details(
    call: Call, fake_lab: FakeLab, caplog: pytest.LogCaptureFixture
) -> None:
    """They are in the log."""
    fake_lab.failure = ZeroDivisionError("a secret of the server")

    reply = await call("GET", "status")

    assert (reply.status, reply.code) == (500, "internal")
    assert b"secret" not in reply.body
    assert any(
        record.levelno == logging.ERROR and record.exc_info and "secret" in str(record.exc_info[1])
        for record in caplog.records
    )


async def test_a_callers_mistake_leaves_no_traceback_in_the_log(
    call: Call, fake_lab: FakeLab, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs are for the owner of the server."""
    await call("GET", "dispatches/nobody")

    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(("family", "status"), [(UsageError, 400), (BackendError, 503), (LabError, 500)])
def test_errors_with_unknown_codes_follow_their_family(family: type[LabError], status: int) -> None:
    """A plugin's own errors."""
    kind: Any = type("PluginError", (family,), {"code": "plugin"})

    assert status_of(kind("Something is odd.")) == status


async def test_percent_signs_in_messages_are_harmless(call: Call, fake_lab: FakeLab) -> None:
    """User input is no format string."""
    reply = await call("GET", "dispatches", sort="100%s%d")

    assert "100%s%d" in reply.json["error"]["message"]
