"""The common part of all dependencies: a function to apply, and how it is written as JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["Deps", "texts"]


def texts(value: Any, owner: str, argument: str) -> list[str]:
    """A text or several, as a list.

    Raises:
        TypeError: It is something else.
    """
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)) or not all(isinstance(entry, str) for entry in entries):
        raise TypeError(f"{owner}: {argument} must be a string or a list of strings, not {value!r}.")
    return list(entries)


class Deps:
    """A function that is applied where a task runs, before or after it.

    Attributes:
        apply_fn: The function.
        apply_args: Its positional arguments.
        apply_kwargs: Its keyword arguments.
        retval_keyword: Name under which the task gets what the function returns; empty for not at all.
    """

    def __init__(
        self,
        apply_fn: Callable[..., Any] | None = None,
        apply_args: Sequence[Any] = [],
        apply_kwargs: Mapping[str, Any] = {},
        *,
        retval_keyword: str = "",
    ) -> None:
        """Pickle function and arguments; later changes of them do not show.

        Raises:
            SerializationError: One of them cannot be pickled.
        """
        self.apply_fn = TransportableObject.make_transportable(apply_fn)
        self.apply_args = TransportableObject.make_transportable(list(apply_args))
        self.apply_kwargs = TransportableObject.make_transportable(dict(apply_kwargs))
        self.retval_keyword = retval_keyword

    @property
    def short_name(self) -> str:
        """Name of the package the class comes from."""
        return type(self).__module__.partition(".")[0]

    def apply(self) -> tuple[TransportableObject, TransportableObject, TransportableObject, str]:
        """Function, positional arguments and keyword arguments, transportable, and the keyword for what it returns."""
        return self.apply_fn, self.apply_args, self.apply_kwargs, self.retval_keyword

    def to_dict(self) -> dict[str, Any]:
        """JSON form: `{"type", "short_name", "attributes"}`."""
        attributes = {
            name: value.to_dict() if isinstance(value, TransportableObject) else value
            for name, value in vars(self).items()
        }
        return {"type": type(self).__name__, "short_name": self.short_name, "attributes": attributes}

    def from_dict(self, object_dict: Mapping[str, Any]) -> Self:
        """Take over what a `to_dict` form says; returns this object.

        Raises:
            ValueError: The form is not one of this class.
        """
        if not isinstance(object_dict, Mapping) or object_dict.get("type") != type(self).__name__:
            raise ValueError(f"This is not the dictionary form of a {type(self).__name__}: {object_dict!r:.200}")
        attributes = object_dict.get("attributes")
        missing = vars(self).keys() - attributes.keys() if isinstance(attributes, Mapping) else vars(self).keys()
        if missing or not isinstance(attributes, Mapping):
            names = ", ".join(sorted(missing))
            raise ValueError(f"The dictionary form of this {type(self).__name__} lacks {names}.")
        found = {
            name: TransportableObject.from_dict(attributes[name]) if name.startswith("apply_") else attributes[name]
            for name in vars(self)
        }
        vars(self).update(found)
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # from_dict changes it

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("apply_"))
        return f"{type(self).__name__}({shown})"
