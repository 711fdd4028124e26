"""What a function computes, as a digest: equal for equal functions of other processes and other days.

A pickle will not do, because it holds file names and line numbers. What counts is the compiled code, defaults, values
in closures, the globals the code names (functions among them in the same way), and the environment: the version of
Python and of the packages it uses. A function that stands for other code tells what counts as its attribute
`covalent_identity`. Comments, formatting and where the function stands do not count; its docstring does.
"""

import builtins
import functools
import hashlib
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from covalent_lab import payload
from covalent_lab.errors import SerializationError

__all__ = ["fingerprint"]

_Parts = Iterator[bytes]


def fingerprint(function: Callable[..., Any]) -> str:
    """Digest (64 hexadecimal digits) of a callable and of what it depends on.

    Args:
        function: A function, method, partial, class or callable object.

    Raises:
        SerializationError: It depends on a value that cannot be pickled, which is named.
    """
    digest = hashlib.sha256()
    for part in ("python", f"{sys.version_info.major}.{sys.version_info.minor}", sys.implementation.name):
        digest.update(part.encode() + b"\0")
    for piece in _of_value(function, "the task's function", set()):
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()


def _of_value(value: Any, what: str, seen: set[int]) -> _Parts:
    if isinstance(value, functools.partial):
        yield b"partial"
        yield from _of_value(value.func, what, seen)
        yield from _of_pickle((value.args, value.keywords), what)
    elif isinstance(value, MethodType):
        yield b"method"
        yield from _of_value(value.__func__, what, seen)
        yield from _of_pickle(value.__self__, what)
    elif isinstance(value, ModuleType):
        yield from _of_module(value.__name__)
    elif isinstance(value, FunctionType):
        yield from _of_function(value, seen)
    elif isinstance(value, type) and _is_by_value(value.__module__):
        yield from _of_class(value, seen)
    elif callable(value) and hasattr(value, "__qualname__"):
        yield from _of_name(value)
    elif _holds_code(value):
        if id(value) in seen:  # it contains itself
            yield b"again"
            return
        seen.add(id(value))
        yield type(value).__name__.encode()
        for part in value.items() if isinstance(value, dict) else value:
            yield from _of_value(part, what, seen)
    else:
        inner = getattr(value, "__wrapped__", None)
        if isinstance(inner, FunctionType):  # an electron, or another decorator's object
            yield from _of_function(inner, seen)
        else:
            yield from _of_pickle(value, what)


def _holds_code(value: Any, depth: int = 3) -> bool:
    """Whether there are functions, classes or modules in a collection: their pickles differ from day to day."""
    if depth == 0 or type(value) not in (tuple, list, dict):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return any(callable(part) or isinstance(part, ModuleType) or _holds_code(part, depth - 1) for part in parts)


def _of_function(function: FunctionType, seen: set[int]) -> _Parts:
    if id(function) in seen:  # it calls itself
        yield b"again"
        return
    seen.add(id(function))
    told = getattr(function, "covalent_identity", None)
    if told is not None:
        yield from _of_value(told, f"what {function.__name__!r} stands for", seen)
        return
    if not _is_by_value(function.__module__):
        yield from _of_name(function)
        return
    inner = getattr(function, "__wrapped__", None)
    if isinstance(inner, FunctionType) and hasattr(function, "electron_object"):
        yield from _of_function(inner, seen)
        return
    name = function.__name__
    yield from _of_code(function.__code__)
    yield from _of_pickle((function.__defaults__, function.__kwdefaults__), f"a default of {name!r}")
    for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # not yet bound
            yield b"unbound"
            continue
        yield variable.encode()
        yield from _of_value(content, f"{variable!r}, which {name!r} uses", seen)
    for variable in sorted(_names_of(function.__code__)):
        if variable in function.__globals__:
            yield variable.encode()
            yield from _of_value(function.__globals__[variable], f"{variable!r}, which {name!r} uses", seen)


def _of_class(kind: type, seen: set[int]) -> _Parts:
    if id(kind) in seen:
        yield b"again"
        return
    seen.add(id(kind))
    yield kind.__qualname__.encode()
    for base in kind.__bases__:
        if base is not object:
            yield from _of_value(base, f"class {kind.__name__}", seen)
    for name, member in sorted(vars(kind).items()):
        plain = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
        if isinstance(plain, FunctionType):
            yield name.encode()
            yield from _of_function(plain, seen)
        elif not name.startswith("__"):
            yield name.encode()
            yield from _of_value(member, f"{name!r} of class {kind.__name__}", seen)


def _of_code(code: CodeType) -> _Parts:
    yield code.co_code
    yield repr((code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_flags)).encode()
    yield repr((code.co_posonlyargcount, code.co_kwonlyargcount)).encode()
    yield code.co_exceptiontable
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        else:
            yield type(constant).__name__.encode()
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant).encode()


def _names_of(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _names_of(constant)
    return found


def _of_name(value: Any) -> _Parts:
    yield f"{value.__module__}.{value.__qualname__}".encode()
    yield from _of_module(value.__module__ or "builtins")


def _of_module(name: str) -> _Parts:
    """A module counts by its name and version, not by its content."""
    top = name.partition(".")[0]
    module = sys.modules.get(top)
    yield name.encode()
    yield str(getattr(module, "__version__", "")).encode()


def _is_by_value(module: str | None) -> bool:
    """Whether something of this module is judged by its code: what the user writes, not what is installed."""
    if module is None or module == "__main__":
        return True
    if module == builtins.__name__ or module.partition(".")[0] in sys.stdlib_module_names:
        return False
    path = getattr(sys.modules.get(module), "__file__", None) or ""
    return bool(path) and not any(f"{part}-packages" in path for part in ("site", "dist"))


def _of_pickle(value: Any, what: str) -> _Parts:
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        yield repr(value).encode()
        return
    try:
        yield payload.encode(value, what=what).ref.digest.encode()
    except SerializationError as error:
        raise SerializationError(f"The results of a task cannot be cached: {error}") from error
