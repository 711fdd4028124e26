"""Expressions on a future value that no graph can express: each is refused where it stands, with a remedy."""

import math
import operator
from typing import Any

import pytest

from covalent_lab.errors import GraphBuildError, GraphBuildWarning, SerializationError
from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import lattice
from tests.unit.workflow.interpreter import evaluate


@electron
def t(x):
    return x


def build(body: Any, *args: Any) -> Any:
    """Build a workflow function; returns what its graph computes."""
    built = lattice(body)
    built.build_graph(*args)
    return evaluate(built.graph, built.payloads)


def starred(e):
    a, *b = e
    return a, b


def for_loop(e):
    for _ in e:
        pass


def if_statement(e):
    if e:
        return 1
    return 2


def print_starred(e):
    return max(*e)


ITERATIONS = {
    "for": for_loop,
    "list": list,
    "tuple": tuple,
    "sum": sum,
    "zip": lambda e: list(zip(e, [1], strict=False)),
    "map": lambda e: list(map(str, e)),
    "comprehension": lambda e: [x for x in e],
    "call": print_starred,
    "display": lambda e: [*e],
    "dict": dict,
    "sorted": sorted,
}


@pytest.mark.parametrize("name", ITERATIONS)
def test_iterating_is_refused(name: str) -> None:
    """The length is unknown; the message suggests indexing and sublattices."""
    with pytest.raises(
        GraphBuildError, match=r"length of an unfinished task is unknown.*\[.*test_misuse.py:\d+.*index"
    ):
        build(lambda: ITERATIONS[name](t([1, 2])))


def test_starred_targets_are_refused() -> None:
    """As a ValueError, as documented."""
    with pytest.raises(ValueError, match=r"starred target.*test_misuse.py:\d+, in starred"):
        build(lambda: starred(t([1, 2])))


@pytest.mark.parametrize(
    "expression",
    [
        if_statement,
        lambda e: not e,
        lambda e: e and 1,
        lambda e: 1 < e < 3,
        len,
        int,
        float,
        complex,
        round,
        lambda e: 1 in e,
        lambda e: [1, 2][e],
        lambda e: e & 1,
        lambda e: 1 | e,
        lambda e: e << 1,
        lambda e: ~e,
        lambda e: divmod(e, 2),
        reversed,
        lambda e: operator.setitem(e, 0, 1),
        lambda e: f"{e}",
        lambda e: f"{e:.2f}",
        "{}".format,
        format,
        range,
        math.sqrt,
        math.floor,
    ],
)
def test_what_needs_the_value_is_refused(expression: Any) -> None:
    """A TypeError with place and remedy."""
    with pytest.raises(TypeError, match=r"not known while the workflow is built.*test_misuse.py:\d+.*") as caught:
        build(lambda: expression(t(1)))
    assert "task" in str(caught.value)


def test_an_error_shows_the_line_that_caused_it() -> None:
    """As text, so that it can be found in a notebook whose cells were edited since."""

    def body():
        x = t(1)
        return "many" if x > 2 else "few"

    with pytest.raises(GraphBuildError) as caught:
        build(body)
    assert str(caught.value).count("\n") == 0
    assert ', in body: return "many" if x > 2 else "few"] Decide inside a task, or in a sublattice' in str(caught.value)
    assert "the result of 't_>_2'" in str(caught.value)


@pytest.mark.parametrize("make", [str, lambda e: "%s" % e, print], ids=["str", "percent", "print"])  # noqa: UP031
def test_text_of_a_result_names_its_task_and_warns(make: Any) -> None:
    """Printing is how people look into things, so it goes on; the warning stands at the user's line."""
    with pytest.warns(GraphBuildWarning, match=r"names the task, not its value.*inside a task") as caught:
        build(lambda: [make(t(1)), None][1])
    assert caught[0].filename == __file__


def test_printing_of_anything_else_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Also of collections with results in them."""
    build(lambda: print("building", [t(1)]))
    assert capsys.readouterr().out == "building [<Electron t, node 0>]\n"


def test_a_mapping_cannot_be_expanded() -> None:
    """`**e` would need its keys."""
    with pytest.raises(TypeError):
        build(lambda: t(**t({"x": 1})))


def test_identity_and_text_stay_those_of_the_object() -> None:
    """They never make a node."""

    def body():
        a, b = t(1), t(1)
        assert a == a  # noqa: PLR0124
        assert a != b
        assert len({a, b, a}) == 2
        assert "node 0" in f"{a!r}"

    assert build(body) is None


@pytest.mark.parametrize("name", ["__foo__", "keys", "_repr_html_", "_ipython_display_"])
def test_names_that_protocols_probe_for_are_not_recorded(name: str) -> None:
    """So that displaying or copying a future value adds nothing."""

    def body():
        return hasattr(t(1), name)

    assert build(body) is False


def test_calling_a_method_of_a_result_is_refused() -> None:
    """It would have to run now."""
    with pytest.raises(GraphBuildError, match="Call it inside a task"):
        build(lambda: t("a").upper())


def test_a_result_hidden_in_an_object_is_refused() -> None:
    """Only plain collections are looked into."""

    class Box:
        def __init__(self, content):
            self.content = content

    with pytest.raises(SerializationError, match="Pass it to tasks directly"):
        build(lambda: t(Box(t(1))))


def test_a_result_used_by_a_task_through_a_closure_is_refused() -> None:
    """It would not be an edge."""

    def body():
        first = t(1)
        return electron(lambda: first)()

    with pytest.raises(SerializationError, match="Pass it to tasks directly"):
        build(body)


def test_results_of_another_build_are_refused() -> None:
    """A global that survived from an earlier build is a mistake."""
    kept = []
    build(lambda: kept.append(t(1)))
    with pytest.raises(GraphBuildError, match="belongs to another build"):
        build(lambda: t(kept[0]))


def test_results_cannot_be_used_after_the_build() -> None:
    """The message points to get_result."""
    kept: list[Any] = []
    build(lambda: kept.append(t(1)))
    for use in (lambda e: e + 1, lambda e: e[0], lambda e: e(1), lambda e: -e, list):
        with pytest.raises(GraphBuildError, match="built already"):
            use(kept[0])
    with pytest.raises(AttributeError, match="built already"):
        kept[0].anything  # noqa: B018
    assert not hasattr(kept[0], "anything")


def test_options_of_a_node_cannot_be_changed() -> None:
    """Set them on the electron instead."""

    def body():
        t(1).executor = "dask"

    with pytest.raises(GraphBuildError, match="electron_object"):
        build(body)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">="])
def test_operators_are_recorded_from_both_sides(symbol: str) -> None:
    """The graph computes what Python computes."""
    apply = eval(f"lambda a, b: a {symbol} b")
    assert build(lambda: apply(t(7), 2)) == apply(7, 2)
    assert build(lambda: apply(7, t(2))) == apply(7, 2)
    assert build(lambda: apply(t(7), t(2))) == apply(7, 2)


def test_unary_operators_are_recorded() -> None:
    """Minus, plus and abs."""
    assert build(lambda: [-t(3), +t(3), abs(t(-3))]) == [-3, 3, 3]


def test_an_array_and_a_result_make_one_node() -> None:
    """Not one for each element."""
    numpy = pytest.importorskip("numpy")
    built = lattice(lambda: numpy.arange(3) + t(1))
    built.build_graph()
    assert len(built.graph.nodes) == 5
    assert list(evaluate(built.graph, built.payloads)) == [1, 2, 3]


def test_slices_and_nested_items_are_recorded() -> None:
    """Keys may be anything that pickles."""
    assert build(lambda: t([[1, 2, 3], 4])[0][1:]) == [2, 3]
    assert build(lambda: t({(1, 2): 3})[1, 2]) == 3
