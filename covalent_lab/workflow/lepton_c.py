"""Functions of shared C libraries as tasks, through ctypes.

Types travel by name and are looked up where the task runs; the function made here travels by value.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["c_task", "check_c_types"]


def check_c_types(argtypes: Sequence[tuple[str, int]]) -> None:
    """Refuse types that no call can use.

    Raises:
        ValueError: A type is not one of ctypes, or C would write to something that is no pointer.
    """
    for index, (name, direction) in enumerate(argtypes):
        kind = getattr(ctypes, name.removeprefix("LP_"), None)
        if not (isinstance(kind, type) and issubclass(kind, ctypes._SimpleCData)):
            raise ValueError(
                f"argtypes[{index}] is {name}; a C function takes the simple types of ctypes (such as c_double) and "
                "pointers to them."
            )
        if direction and not name.startswith("LP_"):
            raise ValueError(f"argtypes[{index}] is {name}, which C cannot write to: use ctypes.POINTER({name}).")


def c_task(
    library: str, function: str, argtypes: Sequence[tuple[str, int]], *, drops_files: bool
) -> Callable[..., Any]:
    """Make the function that calls into a library.

    Args:
        library: Path of the shared library, or a name that the system's loader finds.
        function: The symbol.
        argtypes: Name of the type and direction (0 in, 1 out, 2 both) of each argument.
        drops_files: Whether a file transfer delivers the keyword `files`, which C does not take.
    """
    types = tuple(argtypes)

    def task(*args: Any, **kwargs: Any) -> Any:
        import ctypes

        if drops_files:
            kwargs.pop("files", None)
        if kwargs:
            raise ValueError(f"A C function takes no keyword arguments, got {', '.join(map(repr, kwargs))}.")
        given = sum(direction != 1 for _, direction in types)
        if len(args) not in (given, len(types)):
            raise ValueError(f"{function}() takes {given} arguments, got {len(args)}.")
        rest = list(args)
        values = [rest.pop(0) if len(args) == len(types) or way != 1 else None for _, way in types]
        handle = ctypes.CDLL(library)
        symbol = handle[function]
        symbol.restype = None
        symbol.argtypes = [c_type(name) for name, _ in types]
        cells = [cell(i, name, way, value) for i, ((name, way), value) in enumerate(zip(types, values))]  # noqa: B905
        symbol(*cells)
        found = [
            list(held) if isinstance(held, ctypes.Array) else held.value
            for held, (_, way) in zip(cells, types)  # noqa: B905
            if way
        ]
        return tuple(found) if len(found) > 1 else found[0] if found else None

    def c_type(name: str) -> Any:
        import ctypes

        kind = getattr(ctypes, name[3:] if name[:3] == "LP_" else name)
        return ctypes.POINTER(kind) if name[:3] == "LP_" else kind

    def cell(index: int, name: str, way: int, value: Any) -> Any:
        """The C object of one argument; ctypes passes it by reference where a pointer is expected."""
        import ctypes

        is_pointer = name[:3] == "LP_"
        kind: Any = getattr(ctypes, name[3:] if is_pointer else name)
        if hasattr(value, "tolist"):  # arrays and scalars of NumPy
            value = value.tolist()
        try:
            if is_pointer and isinstance(value, (list, tuple, range, bytes, bytearray)):
                made = (kind * len(value))(*value)
                if way != 1:
                    for old, new in zip(value, made):  # noqa: B905
                        check_fit(old, new)
                return made
            if value is None and way == 1:
                return kind()
            if value is None and is_pointer:
                raise ValueError("a value is needed")
            if name == "c_char_p" and isinstance(value, str):
                value = value.encode()
            made = kind(value)
            check_fit(value, made.value)
            return made
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"Argument {index} of {function}() is {value!r}, which is no {name}: {error}.") from error

    def check_fit(old: Any, new: Any) -> None:
        if is_integer(old) and is_integer(new) and old != new:  # ctypes cuts such numbers off
            raise ValueError(f"{old} does not fit")

    def is_integer(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    return task
