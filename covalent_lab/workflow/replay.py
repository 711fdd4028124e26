"""Runs a workflow function again when its tasks are done: each call of an electron gives the output of its node.

Decides which node a call stands for: calls come in the order of the build. Where outputs come from is not known here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Graph, NodeKind

__all__ = ["Call", "Replay", "ReplayTask", "active_replay", "calls_of"]

_active: ContextVar["Replay | None"] = ContextVar("covalent_lab_replay", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an electron in a build.

    Attributes:
        node_id: Its node.
        name: Name of the electron.
    """

    node_id: int
    name: str


def calls_of(graph: Graph) -> list[Call]:
    """The calls a graph was made from, in their order; nodes that tracing added by itself are left out."""
    calls = []
    for node in graph.nodes:
        function = "" if node.function is None else graph.functions[node.function].name
        if node.kind is NodeKind.SUBLATTICE:
            calls.append(Call(node_id=node.id, name=node.name.removeprefix(":sublattice:")))
        elif node.kind is NodeKind.FUNCTION and not _is_derived(node.name, function):
            calls.append(Call(node_id=node.id, name=node.name))
    return calls


def _is_derived(name: str, function: str) -> bool:
    """Whether a node reads an attribute or an item, or applies an operator."""
    return function.startswith(("binary ", "unary ")) or (name.startswith(":") and function in ("getattr", "getitem"))


def active_replay() -> "Replay | None":
    """The replay that answers calls of electrons here, if a workflow function runs again."""
    return _active.get()


class Replay:
    """One run of a workflow function with known outputs.

    Args:
        calls: The calls of the build.
        output_of: The output of a node; raises if there is none.
    """

    def __init__(self, calls: Sequence[Call], output_of: Callable[[int], Any]) -> None:
        self._calls = calls
        self._names = {call.name for call in calls}
        self._output_of = output_of
        self._next = 0

    def run(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """What the workflow function returns.

        Raises:
            UsageError: It calls other electrons than it did when the graph was built.
            Exception: Whatever the workflow function raises.
        """
        self._next = 0
        with _answering(self):
            value = function(*args, **kwargs)
        if self._next < len(self._calls):
            raise _differs(f"it no longer calls {self._calls[self._next].name!r}")
        return value

    def call(self, name: str) -> Any:
        """The output of the next call.

        Raises:
            UsageError: Another call was due.
        """
        if self._next == len(self._calls):
            raise _differs(f"{name!r} was called although no call was left")
        due = self._calls[self._next]
        if name != due.name and name in self._names:  # a name that never occurs is that of a replaced electron
            raise _differs(f"{name!r} was called where it was {due.name!r}")
        self._next += 1
        return self._output_of(due.node_id)


@contextmanager
def _answering(replay: Replay) -> Iterator[None]:
    token = _active.set(replay)
    try:
        yield
    finally:
        _active.reset(token)


def _differs(how: str) -> UsageError:
    return UsageError(
        f"The workflow function does not do the same as when its graph was built: {how}. "
        "Make its calls depend on its arguments only; random choices and conditions belong into tasks."
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReplayTask:
    """A postprocess node's function: the workflow function, run again where the outputs of all nodes arrive.

    Attributes:
        function: The workflow function.
        calls: The calls of its build.
    """

    function: Callable[..., Any]
    calls: Sequence[Call]

    def __call__(self, inputs: Mapping[str, Any], /, **outputs: Any) -> Any:
        """The workflow's value; `outputs` holds that of node 3 as `node:3`."""
        replay = Replay(self.calls, lambda node_id: outputs[f"node:{node_id}"])
        return replay.run(self.function, inputs["args"], inputs["kwargs"])
