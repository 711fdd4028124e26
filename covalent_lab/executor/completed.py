"""Option values of an executor that is made: those given, else those of the configuration, else the defaults."""

import copy
from collections.abc import Mapping
from typing import Any

from covalent_lab.config.reader import ConfigReader
from covalent_lab.executor.base import Executor

__all__ = ["completed"]


def completed(kind: type[Executor], given: Mapping[str, Any], empty: tuple[Any, ...] = (None, "")) -> dict[str, Any]:
    """The values of all options of a class; what is given besides is kept, for the class to refuse.

    Secrets are not taken from the configuration: they are read where they are used.

    Args:
        kind: The class; the configuration has its values in the section `executors.<short name>`.
        given: Values by option.
        empty: Values that stand for one that is not given.

    Raises:
        ConfigError: The configuration cannot be read.
    """
    configured = ConfigReader().table("executors").get(str(kind.short_name), {})
    found = dict(given)
    for option in kind.options:
        if found.get(option.name) in empty:
            said = option.default if option.is_secret else configured.get(option.name, option.default)
            found[option.name] = copy.deepcopy(said)
    return found
