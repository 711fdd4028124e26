"""Errors of graph building, with the line of user code that caused them."""

import os
import sys

from covalent_lab.errors import GraphBuildError

__all__ = ["build_error", "user_location"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def build_error(problem: str, remedy: str = "") -> GraphBuildError:
    """An error that says what is wrong, where the user wrote it, and what to do instead."""
    return GraphBuildError(f"{problem} [{user_location()}]{' ' + remedy if remedy else ''}")


def user_location() -> str:
    """File, line and function of the innermost frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    name, line = frame.f_code.co_filename, frame.f_lineno
    function = frame.f_code.co_name
    inside = "" if function == "<module>" else f", in {function}"
    if f"{os.sep}ipykernel_" in name or name.startswith("<ipython-input"):
        return f"notebook cell, line {line}{inside}"
    return f"{name}:{line}{inside}"
