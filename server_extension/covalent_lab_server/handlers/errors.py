"""Errors as HTTP answers: the one table from error code to status.

4xx for what a caller did, 5xx for bugs and for a lab that is not there.
"""

from http.client import responses
from typing import Any

from tornado.web import HTTPError

from covalent_lab.errors import BackendError, LabError, UsageError

__all__ = ["STATUS_OF_CODE", "ApiError", "bad_request", "code_of", "error_body", "message_of", "status_of"]

STATUS_OF_CODE = {
    "usage": 400,
    "bad_bundle": 400,
    "bad_request": 400,
    "graph_build": 400,
    "unknown_executor": 400,
    "serialization": 400,
    "config": 400,
    "unknown_dispatch": 404,
    "unknown_node": 404,
    "dispatch_active": 409,
    "part_of_dispatch": 409,
    "task": 409,
    "task_runtime": 409,
    "task_cancelled": 409,
    "server_rejected": 502,
    "server_unreachable": 502,
    "backend": 503,
    "command_not_found": 503,
    "store": 503,
    "unavailable": 503,
    "result_timeout": 504,
    "internal": 500,
    "lab_error": 500,
}

_CODE_OF_STATUS = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    503: "unavailable",
}


class ApiError(HTTPError):
    """A refusal with a code of its own.

    Args:
        status: HTTP status.
        code: Stable name for programs.
        message: One line for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, "%s", message)
        self.code = code


def bad_request(message: str) -> ApiError:
    """The error for input that cannot be used."""
    return ApiError(400, "bad_request", message)


def status_of(error: BaseException | None, default: int = 500) -> int:
    """HTTP status of an exception."""
    match error:
        case HTTPError():
            return error.status_code
        case LabError() if error.code in STATUS_OF_CODE:
            return STATUS_OF_CODE[error.code]
        case UsageError():
            return 400
        case BackendError():
            return 503
        case _:
            return default


def code_of(error: BaseException | None, status: int) -> str:
    """Stable code of an exception."""
    if isinstance(error, ApiError | LabError):
        return error.code
    return _CODE_OF_STATUS.get(status, "internal" if status >= 500 else "bad_request")


def message_of(error: BaseException | None, fallback: str) -> str:
    """One line for people; that of an unexpected error is not told to the caller."""
    if isinstance(error, LabError):
        return error.message
    if isinstance(error, HTTPError) and error.log_message:
        return error.log_message % error.args if error.args else error.log_message.replace("%%", "%")
    return fallback


def error_body(error: BaseException | None, status: int) -> dict[str, Any]:
    """The JSON body that tells an error."""
    message = message_of(error, responses.get(status, "Unknown error"))
    return {"error": {"code": code_of(error, status), "message": message}}
