"""Whatever is passed arrives: random nested arguments, and payloads that need nothing of this package."""

import subprocess
import sys
from collections import OrderedDict, namedtuple
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covalent_lab.graph.model import Graph, NodeKind
from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import lattice
from tests.unit.workflow.interpreter import evaluate


@electron
def same(value):
    return value


@electron
def collect(*args, **kwargs):
    return args, kwargs


class Marked:
    """Stands for a value that the workflow gets from a task."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marked) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


scalars = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=3) | st.binary()
)
keys = st.integers(0, 9) | st.text(max_size=2) | st.tuples(st.integers(0, 3), st.text(max_size=1))
leaves = scalars | scalars.map(Marked)
nested = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.sets(st.integers(0, 9) | st.integers(0, 9).map(Marked), max_size=3)
    ),
    max_leaves=12,
)


def computed(value: Any) -> Any:
    """The same structure, with every marked leaf coming out of a task."""
    if isinstance(value, Marked):
        return same(value.value)
    if isinstance(value, dict):
        return {key: computed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return type(value)(computed(item) for item in value)
    return value


@settings(max_examples=60, deadline=None)
@given(st.lists(nested, max_size=3), st.dictionaries(st.sampled_from("abc"), nested, max_size=2), nested)
def test_nested_arguments_arrive_as_in_plain_python(args: Any, kwargs: Any, returned: Any) -> None:
    """Positional, keyword and returned structures, with tasks anywhere in them."""

    def body():
        first = collect(*map(computed, args), **{name: computed(item) for name, item in kwargs.items()})
        return [first, computed(returned)]

    built = lattice(body)
    built.build_graph()
    assert repr_sorted(evaluate(built.graph, built.payloads)) == repr_sorted(body())


def repr_sorted(value: Any) -> str:
    """Text that tells 1 from 1.0 and True, and does not depend on the order of sets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {repr_sorted(item)}" for key, item in value.items()) + "}"
    if isinstance(value, set):
        return f"set({sorted(map(repr, value))})"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(repr_sorted, value))})"
    return repr(value)


Point = namedtuple("Point", "x y")


def kinds(graph: Graph) -> list[NodeKind]:
    """Kinds of the nodes below the first."""
    return [node.kind for node in graph.nodes[1:]]


@pytest.mark.parametrize("value", [Point(1, 2), OrderedDict(a=1), range(3), frozenset([1, 2])])
def test_special_collections_without_tasks_are_one_parameter_or_keep_their_type(value: Any) -> None:
    """They arrive as what they are."""
    built = lattice(lambda: same(value))
    built.build_graph()
    found = evaluate(built.graph, built.payloads)
    assert (type(found), found) == (type(value), value)


def test_a_task_inside_a_special_collection_makes_it_a_plain_one() -> None:
    """A named tuple with a task in it arrives as a tuple."""
    built = lattice(lambda: same(Point(same(1), OrderedDict(a=same(2)))))
    built.build_graph()
    assert evaluate(built.graph, built.payloads) == (1, {"a": 2})


def test_two_tasks_with_equal_values_become_one_element_of_a_set() -> None:
    """As in plain Python."""
    built = lattice(lambda: same({same(1), same(1)}))
    built.build_graph()
    assert evaluate(built.graph, built.payloads) == {1}


@electron
def helper(x):
    return x + 1


@electron
def caller(x):
    return helper(x) * 10


def test_tasks_load_where_this_package_is_not_installed() -> None:
    """Functions of nodes and electrons, in an interpreter that cannot import it."""

    def body(p):
        a, b = caller([p, (p, {p})][0]), electron(lambda d: d)({"k": p})
        return [-(a + 1), b["k"], a.real, a // 2]

    for function in (helper.electron_object.function, caller.electron_object.function, body):
        function.__module__ = "__main__"  # as in a notebook
    helper.__module__ = "__main__"
    built = lattice(body, deps_bash="true")
    built.build_graph(1)
    functions = [built.payloads[f.payload].tobytes() for f in built.graph.functions]
    assert len(functions) > 8
    script = """if True:
        import pickle, struct, sys
        sys.modules["covalent_lab"] = None
        for line in sys.stdin:
            archive = bytes.fromhex(line)
            function = pickle.loads(archive[struct.unpack_from(">QQ", archive)[1]:])
            if function.__name__ == "caller":
                print(function(1))
    """
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="\n".join(archive.hex() for archive in functions),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert (done.stderr, done.stdout) == ("", "20\n")
