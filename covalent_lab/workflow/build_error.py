"""Errors of graph building, with the line of user code that caused them."""

import linecache
import os
import sys
import warnings
from types import FrameType

from covalent_lab.errors import GraphBuildError, GraphBuildWarning

__all__ = ["build_error", "build_warning", "user_location"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


_LINE_LIMIT = 120


def build_error(problem: str, remedy: str = "") -> GraphBuildError:
    """An error that says what is wrong, where the user wrote it, and what to do instead."""
    frame = _user_frame()
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip()
    shown = f": {line[:_LINE_LIMIT]}" if line else ""
    return GraphBuildError(f"{problem} [{_place(frame)}{shown}]{' ' + remedy if remedy else ''}")


def build_warning(problem: str, remedy: str) -> None:
    """Warn of something that works but is hardly meant, at the line where the user wrote it."""
    frame = _user_frame()
    warnings.warn_explicit(
        f"{problem} [{_place(frame)}] {remedy}",
        GraphBuildWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def user_location() -> str:
    """File, line and function of the innermost frame outside this package."""
    return _place(_user_frame())


def _user_frame() -> FrameType:
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _place(frame: FrameType) -> str:
    name, line = frame.f_code.co_filename, frame.f_lineno
    function = frame.f_code.co_name
    inside = "" if function == "<module>" else f", in {function}"
    if f"{os.sep}ipykernel_" in name or name.startswith("<ipython-input"):
        return f"notebook cell, line {line}{inside}"
    return f"{name}:{line}{inside}"
