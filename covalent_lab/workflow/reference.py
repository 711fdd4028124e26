"""Stands for the value of a node that has not run: records attributes, items, unpacking and operators.

Decides which Python expressions on a future value become nodes, and which are mistakes. The nodes themselves are made
by the trace it belongs to.
"""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from covalent_lab.workflow.build_error import build_error, build_warning
from covalent_lab.workflow.unpacking import consumer_at

if TYPE_CHECKING:
    from covalent_lab.workflow.tracing import Trace

__all__ = ["Output"]

_USE_A_TASK = "Do it inside a task (@ct.electron), where the value is known."


def _binary(symbol: str, *, reflected: bool = False) -> Callable[["Output", Any], Any]:
    def record(self: "Output", other: Any) -> Any:
        trace = self._open_trace(f"use the operator {symbol} on")
        return trace.binary(symbol, other, self) if reflected else trace.binary(symbol, self, other)

    return record


def _unary(symbol: str) -> Callable[["Output"], Any]:
    def record(self: "Output") -> Any:
        return self._open_trace(f"use the operator {symbol} on").unary(symbol, self)

    return record


def _mistake(problem: str, remedy: str = _USE_A_TASK) -> Callable[..., NoReturn]:
    def refuse(self: "Output", *_: Any) -> NoReturn:
        raise build_error(f"{problem}: the result of {self._label!r} is not known while the workflow is built.", remedy)

    return refuse


class Output:
    """The future value of one node. `==` and `hash` are those of the object, not of the value."""

    __slots__ = ()
    __array_ufunc__ = None  # so that `array + output` comes here as one operator
    __pandas_priority__ = 10_000

    _trace: "Trace"
    _label: str
    _node_id: int | None

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "_repr_", "_ipython_")) or name == "keys":
            raise AttributeError(f"The result of a task has no attribute {name!r} while the workflow is built.")
        if not self._trace.is_active:
            raise AttributeError(
                f"Cannot read {name!r} of the result of {self._label!r}: the workflow it belongs to is built already. "
                "Use get_result() for its value."
            )
        return self._trace.attribute(self, name)

    def __getitem__(self, key: Any) -> Any:
        return self._open_trace("take an item of").item(self, key)

    def __iter__(self) -> Iterator[Any]:
        trace = self._open_trace("iterate over")
        frame = sys._getframe(1)
        consumer = consumer_at(frame.f_code, frame.f_lasti)
        if consumer.target_count is not None:
            return iter(trace.unpack(self, consumer.target_count))
        if consumer.has_star_target:
            raise build_error(
                f"Cannot unpack the result of {self._label!r} into a starred target: the length of an unfinished task "
                "is unknown.",
                "Name every target, or take items by index.",
            )
        raise build_error(
            f"Cannot iterate over the result of {self._label!r}: the length of an unfinished task is unknown.",
            "Take items by index (result[0]), or loop inside a sublattice: ct.electron(ct.lattice(f)).",
        )

    def __str__(self) -> str:
        if self._trace.is_active:
            build_warning(
                f"The text of the result of {self._label!r} names the task, not its value, which is not known while "
                "the workflow is built.",
                "Print it, or make a text of it, inside a task (@ct.electron).",
            )
        return repr(self)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise build_error(
            f"The result of {self._label!r} is not known yet and cannot be pickled.",
            "Pass it to tasks directly or inside lists, tuples, sets and dictionaries; not inside other objects or "
            "as a variable that a task's function refers to.",
        )

    def __copy__(self) -> "Output":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Output":
        return self

    def _open_trace(self, action: str) -> "Trace":
        if not self._trace.is_active:
            raise build_error(
                f"Cannot {action} the result of {self._label!r}: the workflow it belongs to is built already.",
                "Use get_result() for its value, and do not keep results of a workflow function outside it.",
            )
        return self._trace

    __add__, __radd__ = _binary("+"), _binary("+", reflected=True)
    __sub__, __rsub__ = _binary("-"), _binary("-", reflected=True)
    __mul__, __rmul__ = _binary("*"), _binary("*", reflected=True)
    __truediv__, __rtruediv__ = _binary("/"), _binary("/", reflected=True)
    __floordiv__, __rfloordiv__ = _binary("//"), _binary("//", reflected=True)
    __mod__, __rmod__ = _binary("%"), _binary("%", reflected=True)
    __pow__, __rpow__ = _binary("**"), _binary("**", reflected=True)
    __matmul__, __rmatmul__ = _binary("@"), _binary("@", reflected=True)
    __lt__, __le__, __gt__, __ge__ = _binary("<"), _binary("<="), _binary(">"), _binary(">=")
    __neg__, __pos__, __abs__ = _unary("-"), _unary("+"), _unary("abs")

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _mistake("Bit operators are not recorded")
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __invert__ = _mistake("Bit operators are not recorded")
    __divmod__ = __rdivmod__ = __round__ = _mistake("divmod() and round() are not recorded")
    __trunc__ = __floor__ = __ceil__ = _mistake("Rounding is not recorded")
    __format__ = _mistake("Cannot format as text (f-string, format())")
    __len__ = _mistake("Cannot take len()")
    __contains__ = _mistake("Cannot use 'in'")
    __reversed__ = _mistake("Cannot use reversed()")
    __int__ = __float__ = __complex__ = __index__ = _mistake("Cannot make a number")
    __bool__ = _mistake(
        "Cannot use as a condition (if, while, and, or, not)",
        "Decide inside a task, or in a sublattice: ct.electron(ct.lattice(f)).",
    )
    __setitem__ = __delitem__ = _mistake("Cannot change items")
