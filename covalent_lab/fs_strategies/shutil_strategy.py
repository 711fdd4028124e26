"""The strategy that copies local files, under its documented address."""

from covalent_lab.files.strategies.shutil_strategy import Shutil

__all__ = ["Shutil"]
