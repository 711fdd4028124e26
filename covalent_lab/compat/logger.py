"""The logger that plugins of Covalent write to: a child of this package's, at the configured level."""

import logging
import os

from covalent_lab.config.reader import ConfigReader

__all__ = ["app_log", "log_stack_info"]

app_log = logging.getLogger("covalent_lab.plugins")
app_log.setLevel(logging.getLevelNamesMapping().get(ConfigReader().value("sdk.log_level").upper(), logging.WARNING))
log_stack_info = os.environ.get("LOGSTACK", "TRUE").upper() == "TRUE"
