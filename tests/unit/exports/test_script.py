"""Scripts make the calls of a graph again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.exports.definitions import define, identifier, unknown_names
from covalent_lab.exports.run import Run
from covalent_lab.exports.script import python_script
from covalent_lab.graph.model import Graph, NodeKind
from tests.unit.exports.runs import run_of

FACTOR = 3


@ct.electron(executor="dask", deps_pip=["numpy"])
def add(x: Any, y: Any = 2) -> Any:
    """Doc."""
    return x + y * FACTOR


@ct.electron
def pair(a: Any, *more: Any, **named: Any) -> Any:
    return [a, 2]


double = ct.electron(lambda x: 2 * x)


@ct.electron
@ct.lattice
def inner(z: Any) -> Any:
    return add(z)


@ct.lattice
def everything(a: Any, b: Any = 3) -> Any:
    """What it
    does."""
    first = add(a, y=b)
    both = pair(first, "it's", k=first, **{"odd name": -1.5})
    one, _ = both
    total = one + both[1] - -3
    twice = double([total, (first, {"p": {"q": both.real}}), None, True])
    power = -abs(2**first)
    last = add(twice, power)
    ct.wait(last, [both])
    return {"last": last, "rest": [power, 1]}


@ct.lattice
def nesting(a: Any) -> Any:
    return inner(a)


@ct.lattice
def opaque(a: Any) -> Any:
    return add(a)


def form(graph: Graph) -> tuple[Sequence[Any], Sequence[Any]]:
    """A graph without numbers: parameters and functions called, and what each takes from which."""
    called = [node.name if node.function is None else graph.functions[node.function].name for node in graph.nodes]
    names = list(zip(called, (node.kind for node in graph.nodes), strict=True))
    edges = [
        (names[e.source], names[e.target], e.name.partition("node:")[0], e.param_type, e.arg_index) for e in graph.edges
    ]
    return sorted(names), sorted(edges, key=repr)


def loaded(run: Run, **names: Any) -> dict[str, Any]:
    """What a run's script defines."""
    namespace = {"__name__": "script", **names}
    exec(compile(python_script(run), "script.py", "exec"), namespace)
    return namespace


def test_a_script_builds_the_same_graph() -> None:
    """Positional and named arguments, collections, operators, items, attributes, order without data."""
    run = run_of(everything, 1)

    again = loaded(run, FACTOR=FACTOR)["everything"]
    again.build_graph()

    assert form(again.graph) == form(run.graph)
    assert again.__doc__ == everything.__doc__
    assert [o.executor for o in again.graph.options] == [o.executor for o in run.graph.options]


def test_the_header_says_what_is_missing() -> None:
    """Names that sources use, dependencies, and where it came from."""
    header = python_script(run_of(everything, 1)).partition("import covalent_lab")[0]

    assert "from dispatch d1, 1970-01-01 00:01 UTC" in header
    assert "import or define it here: FACTOR" in header
    assert "dependencies and calls around add" in header
    assert "the source of" not in header


def test_values_that_are_no_text_come_from_the_dispatch() -> None:
    """Or, where nothing was dispatched, from whoever runs the script."""
    run = run_of(opaque, object())
    text = python_script(run)
    node = next(node.id for node in run.graph.nodes if node.kind is NodeKind.PARAMETER)

    assert f"def opaque(value_{node}):" in text
    assert f'value_{node}=recorded.get_node_result({node})["output"].get_deserialized()' in text
    assert f"value_{node}=...," in python_script(replace(run, dispatch_id=""))


@pytest.mark.parametrize("value", [range(60), float("nan"), "x" * 10_001, {"a": [object()]}])
def test_values_whose_text_is_not_all_of_them_are_not_guessed(value: Any) -> None:
    """Abbreviated, too long, or not Python."""
    assert "value_" in python_script(run_of(opaque, value))


@pytest.mark.parametrize("value", [b"\x00'", 'say "x"\n\\', (1,), -0.5, 1j, {"a": {1, 2}}, [], None, ...])
def test_other_values_are_written_as_they_are(value: Any) -> None:
    """So that the script needs nothing but itself."""
    run = run_of(opaque, value)
    again = loaded(run, FACTOR=1)["opaque"]
    if value is ...:
        assert "value_" in python_script(run)
        return
    again.build_graph()
    assert form(again.graph) == form(run.graph)


def test_a_sublattice_is_defined_with_what_it_calls() -> None:
    """If its own dispatch is at hand; else its place is marked."""
    run = run_of(nesting, 1)
    node = next(node.id for node in run.graph.nodes if node.kind is NodeKind.SUBLATTICE)
    part = run_of(opaque, 1, dispatch_id="part", source="def inner(z):\n    return add(z)\n")
    known = replace(run, nodes={**run.nodes, node: replace(run.nodes[node], sub_dispatch_id="part")}, parts=[part])

    found = loaded(known, FACTOR=1)
    found["nesting"].build_graph()

    assert form(found["nesting"].graph)[0][-1][1] is NodeKind.SUBLATTICE
    assert found["add"](1, 1) == 2
    with pytest.raises(NotImplementedError, match="the source of inner was not recorded; write it here"):
        loaded(run)["inner"](1)


def test_functions_of_one_name_stay_apart() -> None:
    """The second gets another name."""

    def first() -> Any:
        def same(x: Any) -> Any:
            return 1

        return same

    def second() -> Any:
        def same(x: Any) -> Any:
            return 2

        return same

    one, two = ct.electron(first()), ct.electron(second())

    @ct.lattice
    def both(a: Any) -> Any:
        return [one(a), two(a)]

    found = loaded(run_of(both, 1))
    assert (found["same_2"](0), found["both"].__name__) == (2, "both")


def test_only_a_definition_is_taken_from_a_source() -> None:
    """Nothing else that stood beside it runs."""
    assert define(
        "f", "import os\nos.abort()\n@deco(1)\n@ct.electron(executor=e)\ndef f(x):\n    return x\n", ["ct.electron"]
    ).text == ("# It was decorated with @ct.electron(executor=e)\n@ct.electron\n@deco(1)\ndef f(x):\n    return x")
    assert define("f", "f = ct.electron(lambda x: x)", ["a", "b"]).text == "f = a(b(lambda x: x))"
    odd = 'def f(x):\r\n    return "\x0c\u2028"\r\n'
    assert define("f", odd, []).text == 'def f(x):\n    return "\x0c\u2028"'
    for source in ("", "def f(:", "f = [lambda: 1, lambda: 2]", "\0"):
        assert not define("my f", source, []).is_recovered


@pytest.mark.parametrize(
    ("text", "name"), [("<lambda>", "lambda_"), ("1st", "task_1st"), ("?", "task"), ("a b", "a_b")]
)
def test_names_become_identifiers(text: str, name: str) -> None:
    """Whatever a function was called."""
    assert identifier(text) == name


def test_unknown_names_are_those_that_nothing_defines() -> None:
    """Imports, arguments, targets and built-in names are known."""
    code = (
        "import a.b\nfrom c import d as e\ndef f(x, *y):\n    z = [i for i in x]\n    return a, e, z, y, len, np, f\n"
    )
    assert unknown_names(code) == ["np"]
