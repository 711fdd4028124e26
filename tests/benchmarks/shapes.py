"""The table of workflows that are timed, with what each must give, its target and the same work on the floor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import workflows
from floor import Floor
from timing import MEBIBYTE

__all__ = ["SHAPES", "Shape", "fan"]

_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One workflow to time.

    Attributes:
        lattice: The workflow.
        arguments: What it is called with.
        expected: Its result: a wrong one is not worth timing.
        tasks: How many tasks it has.
        floor: The same work on the floor.
        target_s: The time to reach on two idle cores; None where there is no target.
        is_large: Only run when asked for.
    """

    lattice: Any
    arguments: tuple[Any, ...]
    expected: object
    tasks: int
    floor: Callable[[Floor], object]
    target_s: float | None = None
    is_large: bool = False


def fan(width: int, target_s: float | None = None, **more: Any) -> Shape:
    """Independent tasks, and one that joins them."""
    return Shape(
        lattice=workflows.fan,
        arguments=(width,),
        expected=width,
        tasks=width + 1,
        floor=lambda floor: floor.graph([*([()] * width), range(width)]),
        target_s=target_s,
        **more,
    )


def _chain(length: int, target_s: float | None, **more: Any) -> Shape:
    return Shape(
        lattice=workflows.chain,
        arguments=(length,),
        expected=length,
        tasks=length,
        floor=lambda floor: floor.graph([(), *((before,) for before in range(length - 1))]),
        target_s=target_s,
        **more,
    )


def _blocks(megabytes: int, consumers: int, target_s: float | None, **more: Any) -> Shape:
    size = megabytes * MEBIBYTE
    return Shape(
        lattice=workflows.blocks,
        arguments=(size, consumers),
        expected=[size / 8] * consumers,
        tasks=1 + consumers,
        floor=lambda floor: floor.blocks(size, consumers),
        target_s=target_s,
        **more,
    )


def _layered_value(count: int) -> int:
    values: list[int] = []
    for parents in workflows.layers(count, _SEED):
        values.append(sum(values[parent] for parent in parents) + 1)
    return values[-1]


SHAPES: Mapping[str, Shape] = {
    "one task": _chain(1, 0.005),
    "fan 100": fan(100, 0.05),
    "fan 1,000": fan(1_000, 0.40),
    "fan 5,000": fan(5_000, 1.8),
    "fan 50,000": fan(50_000, None, is_large=True),
    "chain 200": _chain(200, 0.15),
    "chain 2,000": _chain(2_000, None, is_large=True),
    "diamond 200": Shape(
        lattice=workflows.diamond,
        arguments=(200,),
        expected=200,
        tasks=202,
        floor=lambda floor: floor.graph([(), *([(0,)] * 200), range(1, 201)]),
    ),
    "layered 2,000": Shape(
        lattice=workflows.layered,
        arguments=(2_000, _SEED),
        expected=_layered_value(2_000),
        tasks=2_000,
        floor=lambda floor: floor.graph(workflows.layers(2_000, _SEED)),
    ),
    "100 MB to 1": _blocks(100, 1, 0.35),
    "100 MB to 10": _blocks(100, 10, None),
    "1 GB to 1": _blocks(1_000, 1, None, is_large=True),
    "nested 10×10": Shape(
        lattice=workflows.nested,
        arguments=(10, 10),
        expected=10,
        tasks=121,
        floor=lambda floor: floor.graph(
            [*([()] * 100), *(range(10 * i, 10 * i + 10) for i in range(10)), range(100, 110)]
        ),
        target_s=0.25,
    ),
}
