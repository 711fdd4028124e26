"""A workflow of equal lanes, for tests of what the screen makes of many nodes."""

from collections.abc import Sequence

import covalent_lab as ct

__all__ = ["halves", "lanes", "wrapped"]


@ct.electron
def load(number: int) -> int:
    """Begin a lane."""
    return number


@ct.electron
def square(number: int) -> int:
    """End a lane."""
    return number * number


@ct.electron
def add_up(numbers: Sequence[int]) -> int:
    """Join the lanes."""
    return sum(numbers)


@ct.lattice
def lanes(count: int) -> int:
    """As many lanes as asked for, and their sum."""
    total: int = add_up([square(load(number)) for number in range(count)])
    return total


part = ct.electron(lanes)


@ct.lattice
def halves(count: int) -> int:
    """Lanes in two workflows of their own."""
    total: int = add_up([part(count), part(count)])
    return total


all_halves = ct.electron(halves)


@ct.lattice
def wrapped(count: int) -> int:
    """A workflow in a workflow in a workflow."""
    total: int = add_up([all_halves(count)])
    return total
