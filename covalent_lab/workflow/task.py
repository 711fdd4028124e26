"""What tracing needs to know about one electron: its name, callable, options and signature.

Made once per electron and never changed; an electron that gets other options gets another `Task`.
"""

import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from covalent_lab.workflow.build_error import build_error
from covalent_lab.workflow.options import TaskOptions

__all__ = ["Signature", "Task", "Workflow", "callable_name", "keep_source", "source_of"]

_KINDS_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_KINDS_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How arguments find their parameters.

    Attributes:
        positional: Names of the parameters that take positional arguments.
        by_name: Names of the parameters that take keyword arguments.
        required: Names of the parameters without default.
        takes_more_positional: There is `*args`, or the signature is unknown.
        takes_any_keyword: There is `**kwargs`, or the signature is unknown.
    """

    positional: tuple[str, ...] = ()
    by_name: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    takes_more_positional: bool = True
    takes_any_keyword: bool = True

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Signature":
        """Read a callable's signature; one that has none (many builtins) takes everything."""
        try:
            parameters = inspect.signature(function).parameters.values()
        except (ValueError, TypeError):
            return cls()
        kinds = {parameter.kind for parameter in parameters}
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return cls(
            positional=tuple(p.name for p in parameters if p.kind in _KINDS_BY_POSITION),
            by_name=tuple(p.name for p in parameters if p.kind in _KINDS_BY_NAME),
            required=tuple(p.name for p in parameters if p.default is p.empty and p.kind not in variable),
            takes_more_positional=inspect.Parameter.VAR_POSITIONAL in kinds,
            takes_any_keyword=inspect.Parameter.VAR_KEYWORD in kinds,
        )

    def positional_names(self, count: int, called: str) -> Sequence[str]:
        """Edge names of `count` positional arguments.

        Raises:
            ValueError: So many are not accepted.
        """
        known = len(self.positional)
        if count <= known:
            return self.positional[:count]
        if not self.takes_more_positional:
            raise build_error(
                f"{called}() takes {known} positional argument{'' if known == 1 else 's'}, but {count} "
                f"{'was' if count == 1 else 'were'} given."
            )
        return (*self.positional, *(f"arg[{i}]" for i in range(known, count)))

    def check_keywords(self, kwargs: Mapping[str, Any], positional: int, called: str) -> None:
        """Refuse keyword arguments that no parameter takes, or that were given by position already.

        Raises:
            ValueError: There are such.
        """
        if not kwargs:
            return
        unknown = [] if self.takes_any_keyword else [name for name in kwargs if name not in self.by_name]
        if unknown:
            raise build_error(
                f"{called}() has no keyword argument{'' if len(unknown) == 1 else 's'} "
                f"{', '.join(map(repr, unknown))}.",
                f"It has: {', '.join(self.by_name) or 'none'}.",
            )
        twice = [name for name in self.positional[:positional] if name in kwargs and name in self.by_name]
        if twice:
            raise build_error(f"{called}() got several values for {', '.join(map(repr, twice))}.")

    def check_call(self, args: Sequence[Any], kwargs: Mapping[str, Any], called: str) -> None:
        """Refuse arguments with which a call could not even start.

        Raises:
            ValueError: There are too many, or unknown ones.
            TypeError: A required one is missing.
        """
        self.positional_names(len(args), called)
        self.check_keywords(kwargs, len(args), called)
        given = {*self.positional[: len(args)], *(name for name in self.by_name if name in kwargs)}
        missing = [name for name in self.required if name not in given]
        if missing:
            plural = "" if len(missing) == 1 else "s"
            raise build_error(f"{called}() misses the argument{plural} {', '.join(map(repr, missing))}.")


class Workflow(ABC):
    """What an electron needs to know of a lattice to stand for it."""

    __name__: str

    @abstractmethod
    def plain_function(self) -> Callable[..., Any]:
        """The workflow function as the user wrote it."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One electron, as tracing sees it.

    Attributes:
        name: Name of its ordinary nodes.
        function: What a node runs.
        options: What the electron itself asks for.
        lattice: The lattice object, if the electron stands for a sublattice.
    """

    name: str
    function: Callable[..., Any]
    options: TaskOptions
    lattice: Workflow | None = None

    @cached_property
    def signature(self) -> Signature:
        """How calls are matched."""
        return Signature.of(self.function)


def callable_name(function: Any) -> str:
    """What users call a callable; objects without a name are called by their type (partials by what they wrap)."""
    name = getattr(function, "__name__", None)
    if isinstance(name, str):
        return name
    wrapped = getattr(function, "func", None)
    return callable_name(wrapped) if callable(wrapped) else type(function).__name__


def source_of(function: Any) -> str:
    """Source text of a callable, empty if it has none; one that stands for foreign code tells it by an attribute."""
    told = getattr(function, "covalent_source", None)
    if isinstance(told, str):
        return told
    if not isinstance(function, FunctionType):
        return _found_source(function)
    source = _sources.get(function)
    if source is None:
        source = _sources[function] = _found_source(function)
    return source


_sources: WeakKeyDictionary[FunctionType, str] = WeakKeyDictionary()
"""Finding a function in its file takes longer than all else that building does with it, and it stays what it was."""


def _found_source(function: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def keep_source(function: Any, source: str) -> None:
    """Let `source_of` find what it found elsewhere: a function that came by value has no file to read it from."""
    if source and isinstance(function, FunctionType) and not source_of(function):
        function.__dict__["covalent_source"] = source
