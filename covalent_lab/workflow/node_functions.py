"""What the nodes run that tracing adds by itself: collections, operators, attributes, items, sublattices.

They must load where this package is not installed: functions of the standard library are pickled by reference, the few
written here by value (`standalone.py`).
"""

import operator
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from covalent_lab import payload
from covalent_lab.graph.model import Function
from covalent_lab.payload import Payload
from covalent_lab.workflow.standalone import standalone
from covalent_lab.workflow.task import source_of

__all__ = ["BINARY_OPERATORS", "UNARY_OPERATORS", "node_function"]

BINARY_OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
UNARY_OPERATORS: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "abs": operator.abs}


@cache
def node_function(name: str) -> tuple[Function, Payload]:
    """A function by its name in this module's tables, pickled once per process.

    Args:
        name: `list`, `tuple`, `set`, `frozenset`, `dict`, `getattr`, `getitem`, `reconstruct`, `sublattice`,
            `binary X` or `unary X` with an operator X.
    """
    function = _find(name)
    encoded = payload.encode(function, what=f"the built-in function {name!r}")
    doc = getattr(function, "__doc__", None) or ""
    return Function(name=name, payload=encoded.ref, source=source_of(function), doc=doc), encoded


def _find(name: str) -> Callable[..., Any]:
    kind, _, symbol = name.partition(" ")
    if kind == "binary":
        return standalone(_binary(BINARY_OPERATORS[symbol]))
    if kind == "unary":
        return standalone(_unary(UNARY_OPERATORS[symbol]))
    return _BY_NAME[name]


def _binary(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def binary_operator(arg_1, arg_2):  # type: ignore[no-untyped-def]
        return function(arg_1, arg_2)

    return cast(Callable[..., Any], binary_operator)


def _unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    def unary_operator(arg_1):  # type: ignore[no-untyped-def]
        return function(arg_1)

    return cast(Callable[..., Any], unary_operator)


def _make_list(*items):  # type: ignore[no-untyped-def]
    return list(items)


def _make_tuple(*items):  # type: ignore[no-untyped-def]
    return items


def _make_set(*items):  # type: ignore[no-untyped-def]
    return set(items)


def _make_frozenset(*items):  # type: ignore[no-untyped-def]
    return frozenset(items)


def _make_dict(keys, values):  # type: ignore[no-untyped-def]
    return dict(zip(keys, values))  # noqa: B905  both come from one dictionary


def _reconstruct(retval, **delivered):  # type: ignore[no-untyped-def]
    return retval


def _run_sublattice(lattice, json_parent_metadata, /, *args, **kwargs):  # type: ignore[no-untyped-def]
    try:
        from covalent_lab.workflow.sublattices import build_sublattice
    except ImportError as error:
        import sys

        raise RuntimeError(
            f"A sublattice is built where it runs, which needs covalent-lab there: {error}. Install the version of "
            f"the client for {sys.executable}, or choose another workflow_executor."
        ) from error
    return build_sublattice(lattice, json_parent_metadata, args, kwargs)


_BY_NAME: dict[str, Callable[..., Any]] = {
    "list": standalone(_make_list),
    "tuple": standalone(_make_tuple),
    "set": standalone(_make_set),
    "frozenset": standalone(_make_frozenset),
    "dict": standalone(_make_dict),
    "reconstruct": standalone(_reconstruct),
    "sublattice": standalone(_run_sublattice),
    "getattr": getattr,
    "getitem": operator.getitem,
}
