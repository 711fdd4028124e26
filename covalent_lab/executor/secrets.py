"""Option values that nobody may see: which they are, how they are shown, and how references to them are resolved.

A reference, `env:NAME`, travels and is stored as it is; the variable is read where the executor runs.
"""

import os
from collections.abc import Mapping
from typing import Any, TypeGuard

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import Executor

__all__ = ["MASK", "is_reference", "is_secret", "redacted", "references", "resolved"]

MASK = "***"
_PREFIX = "env:"


def is_reference(value: Any) -> TypeGuard[str]:
    """Whether a value stands for a secret, as `env:NAME` does."""
    return isinstance(value, str) and value.startswith(_PREFIX)


def is_secret(kind: type, name: str, value: Any) -> bool:
    """Whether a value of an executor class must not be shown: the class says so, or it is a reference."""
    if is_reference(value):
        return True
    named: tuple[str, ...] = getattr(kind, "secrets", ())
    if issubclass(kind, Executor):
        named = tuple(option.name for option in kind.options if option.is_secret)
    return bool(value) and name in named


def redacted(kind: type, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as they may be shown."""
    return {name: MASK if is_secret(kind, name, value) else value for name, value in attributes.items()}


def references(attributes: Mapping[str, Any]) -> frozenset[str]:
    """Names of the attributes that refer to secrets."""
    return frozenset(name for name, value in attributes.items() if is_reference(value))


def resolved(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with the values of the variables they refer to.

    Raises:
        BackendError: There is no such variable. Names it, and tells no value.
    """
    return {name: _resolved(name, value) for name, value in attributes.items()}


def _resolved(name: str, value: Any) -> Any:
    if not is_reference(value):
        return value
    variable = value.removeprefix(_PREFIX)
    if variable not in os.environ:
        raise BackendError(
            f"Option {name!r} refers to the environment variable {variable}, which is not set where the dispatcher "
            "runs. Set it, and start the dispatcher again."
        )
    return os.environ[variable]
