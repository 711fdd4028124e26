"""The number of targets is read from bytecode."""

import dis
from types import CodeType
from typing import Any

import pytest

from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import lattice
from covalent_lab.workflow.unpacking import Consumer, consumer_at


def place_of(code: CodeType, *names: str) -> int:
    """Offset of the first instruction with one of these names."""
    return next(step.offset for step in dis.get_instructions(code) if step.opname in names)


@pytest.mark.parametrize("count", [1, 2, 3, 255, 256, 300, 70_000])
def test_counts_of_any_size_are_read(count: int) -> None:
    """Beyond 255 the argument is spread over several instructions."""
    code = compile(", ".join(f"a{i}" for i in range(count)) + ", = e", "<test>", "exec")
    consumer = consumer_at(code, place_of(code, "UNPACK_SEQUENCE"))
    assert consumer.target_count == count
    assert not consumer.has_star_target


def test_starred_targets_are_told_apart() -> None:
    """Their number is not fixed."""
    code = compile("a, *b = e", "<test>", "exec")
    consumer = consumer_at(code, place_of(code, "UNPACK_EX"))
    assert consumer.target_count is None
    assert consumer.has_star_target


def test_loops_are_no_unpacking() -> None:
    """GET_ITER has no targets."""
    code = compile("for a in e: pass", "<test>", "exec")
    assert consumer_at(code, place_of(code, "GET_ITER")) == Consumer("GET_ITER", 0)


def test_specialised_instructions_are_still_read() -> None:
    """The interpreter rewrites hot unpackings in place."""

    class Twins:
        seen: set[int | None] = set()  # noqa: RUF012

        def __iter__(self) -> Any:
            import sys

            frame = sys._getframe(1)
            self.seen.add(consumer_at(frame.f_code, frame.f_lasti).target_count)
            return iter((1, 2))

    for value in [(1, 2)] * 200 + [Twins()] * 20:
        a, b = value
    assert (a, b) == (1, 2)
    assert Twins.seen == {2}


def test_nested_targets_and_loop_targets_are_counted_each() -> None:
    """Every unpacking has its own instruction."""

    @electron
    def t(x):
        return x

    def body():
        (a, (b, c)), d = t(1), 2
        pairs = [(e, f) for e, f in [t(2)]]
        [g, h, i] = t(3)
        return a, b, c, d, pairs, g, h, i

    built = lattice(body)
    built.build_graph()
    items = [node.name for node in built.graph.nodes if "()" in node.name]
    assert items == [
        ":t()[0]",
        ":t()[1]",
        "::t()[1]()[0]",
        "::t()[1]()[1]",
        ":t()[0]",
        ":t()[1]",
        ":t()[0]",
        ":t()[1]",
        ":t()[2]",
    ]
