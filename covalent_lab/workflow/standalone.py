"""Functions of this package that load where the package is not installed: cloudpickle takes them by value."""

import builtins
from collections.abc import Callable
from types import FunctionType
from typing import Any, cast

__all__ = ["standalone"]


def standalone(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy that is pickled by value: its module is disguised as `__main__`, which never goes by reference.

    It sees none of its module's names, so it imports what it needs by itself.
    """
    original = cast(FunctionType, function)
    made = FunctionType(
        original.__code__.replace(co_filename="<workflow>"),
        {"__name__": "__main__", "__builtins__": builtins},
        original.__name__,
        original.__defaults__,
        original.__closure__,
    )
    made.__doc__ = original.__doc__
    made.__module__ = "__main__"
    made.__qualname__ = original.__name__
    return made
