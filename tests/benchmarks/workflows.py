"""The tasks and workflows that the benchmarks run. Tasks cost nothing, so that what is measured is ours."""

import random
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cloudpickle

import covalent_lab as ct

__all__ = [
    "add",
    "blocks",
    "chain",
    "diamond",
    "fan",
    "layered",
    "layers",
    "nested",
    "sleepers",
]


@ct.electron
def add(*values: int) -> int:
    """Add up, and one."""
    return sum(values) + 1


@ct.electron
def collect(values: list[int]) -> int:
    """Join a fan."""
    return len(values)


@ct.electron
def make_block(size: int) -> Any:
    """Make a large array where the task runs."""
    import numpy as np

    return np.ones(size // 8)


@ct.electron
def weigh(block: Any) -> float:
    """Read a large array."""
    return float(block.sum())


@ct.electron
def sleep(index: int) -> int:
    """A task that is still there when it is cancelled."""
    import time

    time.sleep(3600)
    return index


@ct.lattice
def fan(width: int) -> Any:
    """As many independent tasks as asked for, and one that joins them."""
    return collect([add(index) for index in range(width)])


@ct.lattice
def chain(length: int) -> Any:
    """Tasks that each wait for the one before."""
    value: Any = 0
    for _ in range(length):
        value = add(value)
    return value


@ct.lattice
def diamond(width: int) -> Any:
    """One task, as many that take its value, and one that joins them."""
    start: Any = add(0)
    return collect([add(start) for _ in range(width)])


@ct.lattice
def layered(count: int, seed: int) -> Any:
    """The random graph of `layers`."""
    made: list[Any] = []
    for parents in layers(count, seed):
        made.append(add(*(made[parent] for parent in parents)))
    return made[-1]


@ct.lattice
def blocks(size: int, consumers: int) -> Any:
    """One large value handed to tasks that read it."""
    block = make_block(size)
    return [weigh(block) for _ in range(consumers)]


@ct.electron
@ct.lattice
def small_fan(width: int) -> Any:
    """A fan that is part of another workflow."""
    return collect([add(index) for index in range(width)])


@ct.lattice
def nested(count: int, width: int) -> Any:
    """Workflows inside a workflow."""
    return collect([small_fan(width) for _ in range(count)])


@ct.lattice
def sleepers(width: int) -> Any:
    """A fan that does not end by itself."""
    return collect([sleep(index) for index in range(width)])


@lru_cache
def layers(count: int, seed: int) -> Sequence[Sequence[int]]:
    """Of each node of a random graph the nodes it waits for: layers of at most 100, up to three parents from the last.

    The last node waits for the whole last layer.
    """
    source = random.Random(seed)
    parents: list[Sequence[int]] = []
    before: range = range(0)
    while len(parents) < count - 1:
        width = min(source.randint(1, 100), count - 1 - len(parents))
        first = len(parents)
        parents += [tuple(sorted(source.sample(before, min(3, len(before))))) for _ in range(width)]
        before = range(first, first + width)
    return (*parents, tuple(before))


cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
