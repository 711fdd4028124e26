"""The logger that plugins of Covalent write to: a child of this package's, at the configured level."""

import logging
import os

from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import ConfigError

__all__ = ["app_log", "log_stack_info"]


def _level() -> int:
    try:
        word = str(ConfigReader().value("sdk.log_level"))
    except ConfigError:  # told where the configuration is needed; a plugin that only logs shall load
        word = ""
    return logging.getLevelNamesMapping().get(word.upper(), logging.WARNING)


app_log = logging.getLogger("covalent_lab.plugins")
app_log.setLevel(_level())
log_stack_info = os.environ.get("LOGSTACK", "TRUE").upper() == "TRUE"
