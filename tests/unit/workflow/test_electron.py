"""What @electron accepts, and what its functions do outside and inside a build."""

import copy
import functools
import importlib
import inspect
import math
import pickle
from pathlib import Path
from typing import Any

import pytest

from covalent_lab import payload
from covalent_lab.errors import GraphBuildError
from covalent_lab.graph.model import Graph
from covalent_lab.workflow.electron import Electron, electron, wait
from covalent_lab.workflow.lattice import lattice
from tests.unit.workflow.interpreter import evaluate


class FakeExecutor:
    """Describes itself as executors do."""

    short_name = "fake"

    def __init__(self, **attributes: Any) -> None:
        self.attributes = attributes

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"type": "FakeExecutor", "short_name": "fake", "attributes": self.attributes}


class FakeCall:
    """Describes itself as a call dependency does."""

    def __init__(self, retval_keyword: str = "") -> None:
        self.retval_keyword = retval_keyword

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"type": "DepsCall", "short_name": "", "attributes": {"retval_keyword": self.retval_keyword}}


@electron
def double(x: int) -> int:
    """Twice as much."""
    return 2 * x


def graph_of(body: Any, *args: Any) -> Graph:
    """The graph of a workflow function."""
    built = lattice(body)
    built.build_graph(*args)
    return built.graph


def names_of(body: Any, *args: Any) -> list[str]:
    """Node names of a workflow function."""
    return [node.name for node in graph_of(body, *args).nodes]


def value_of(body: Any, *args: Any) -> Any:
    """What the graph of a workflow function computes."""
    built = lattice(body)
    built.build_graph(*args)
    return evaluate(built.graph, built.payloads)


def test_an_electron_is_its_function_outside_a_build() -> None:
    """Name, docstring, signature and behaviour stay."""
    assert double(4) == 8
    assert (double.__name__, double.__doc__) == ("double", "Twice as much.")
    assert list(inspect.signature(double).parameters) == ["x"]
    assert isinstance(double.electron_object, Electron)
    assert double.electron_object(5) == 10


@pytest.mark.parametrize("decorate", [electron, electron(), electron(executor="fake"), functools.partial(electron)])
def test_every_spelling_of_the_decorator_works(decorate: Any) -> None:
    """Bare, with parentheses, with arguments, as a call."""

    def task(x):
        return x + 1

    made = decorate(task)
    assert made(1) == 2
    assert value_of(lambda: made(1)) == 2


def test_lambdas_builtins_methods_partials_classes_and_objects_are_tasks() -> None:
    """Anything callable can be an electron."""

    class Scale:
        def __init__(self, factor):
            self.factor = factor

        def apply(self, x):
            return self.factor * x

        def __call__(self, x):
            return self.factor + x

        @electron
        def method(self, x):
            return self.factor - x

    scale = Scale(3)

    def body():
        return [
            electron(lambda x: x + 1)(1),
            electron(math.sqrt)(4.0),
            electron(max)(1, 5, 2),
            electron(scale.apply)(2),
            electron(functools.partial(pow, 2))(5),
            electron(scale)(1),
            scale.method(1),
            electron(dict)(a=1),
        ]

    tasks = [name for name in names_of(body) if not name.startswith(":")]
    assert tasks == ["<lambda>", "sqrt", "max", "apply", "pow", "Scale", "method", "dict"]
    assert value_of(body) == [2, 2.0, 5, 6, 32, 4, 2, {"a": 1}]


def test_positional_arguments_of_a_builtin_without_signature_are_numbered() -> None:
    """`max` has no signature to read names from."""
    edges = [(edge.name, edge.arg_index) for edge in graph_of(lambda: electron(max)(1, 2)).edges[:2]]
    assert edges == [("arg[0]", 0), ("arg[1]", 1)]


def test_closures_carry_their_present_values_into_each_build() -> None:
    """An electron is pickled anew for each build."""
    factor = 2

    @electron
    def scale(x):
        return factor * x

    built = lattice(lambda: scale(10))
    built.build_graph()
    assert evaluate(built.graph, built.payloads) == 20
    factor = 3
    built.build_graph()
    assert evaluate(built.graph, built.payloads) == 30


def test_an_electron_is_pickled_once_per_build() -> None:
    """All nodes of an electron share one function."""
    graph = graph_of(lambda: [double(i) for i in range(50)])
    assert [function.name for function in graph.functions] == ["double", "list"]


def test_a_function_keeps_the_source_it_was_found_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what the function does, whatever becomes of its file."""
    file = tmp_path / "written_by_test.py"
    file.write_text("def f(x):\n    return x + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    function = importlib.import_module("written_by_test").f
    assert graph_of(lambda: electron(function)(1)).functions[0].source == "def f(x):\n    return x + 1\n"
    file.write_text("def f(x):\n    return x + 222\n")
    assert "x + 1\n" in graph_of(lambda: electron(function)(1)).functions[0].source


def test_functions_carry_source_and_docstring() -> None:
    """The screens show both."""
    function = graph_of(lambda: double(1)).functions[0]
    assert function.doc == "Twice as much."
    assert "return 2 * x" in function.source


def test_an_electron_that_calls_electrons_runs_them_as_plain_functions() -> None:
    """Recursion through the decorated name works in a task."""

    @electron
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    assert value_of(lambda: factorial(5)) == 120


def test_electrons_inside_arguments_travel_as_plain_functions() -> None:
    """Functions may be values."""

    @electron
    def apply(function, x):
        return function(x)

    assert value_of(lambda: apply(double, 4)) == 8
    assert value_of(lambda: apply(double.electron_object, 4)) == 8


def test_decorating_twice_keeps_what_is_not_given_again() -> None:
    """The outer decorator adds to the inner one."""
    inner = electron(lambda x: x, executor="one", deps_bash="true")
    outer = electron(inner, executor="two")
    assert outer.electron_object.metadata["executor"] == "two"
    assert outer.electron_object.metadata["hooks"] == inner.electron_object.metadata["hooks"]
    assert value_of(lambda: outer(3)) == 3


def test_a_lattice_of_an_electron_is_a_workflow_of_one_task() -> None:
    """Decorators may be stacked the other way round."""
    built = lattice(electron(lambda x: x + 1))
    built.build_graph(1)
    assert [node.name for node in built.graph.nodes] == ["<lambda>", ":parameter:1", ":postprocess:reconstruct"]


@pytest.mark.parametrize("function", [3, "name", None, [len]])
def test_only_callables_can_be_electrons(function: Any) -> None:
    """Anything else is refused at once."""
    with pytest.raises(TypeError, match="takes a function"):
        electron()(function)


def test_metadata_is_read_and_set_by_key() -> None:
    """None where nothing was said; unknown keys are refused; the mapping itself is read-only."""
    task = electron(lambda: 1).electron_object
    assert task.metadata == {"executor": None, "executor_data": None, "hooks": None}
    task.executor = FakeExecutor(a=1)
    assert task.get_metadata("executor") == task.executor == "fake"
    assert task.get_metadata("executor_data") == FakeExecutor(a=1).to_dict()
    task.set_metadata("executor", "local")
    assert task.metadata == {"executor": "local", "executor_data": {}, "hooks": None}
    with pytest.raises(KeyError, match="colour"):
        task.get_metadata("colour")
    with pytest.raises(KeyError, match="colour"):
        task.set_metadata("colour", "red")
    with pytest.raises(TypeError):
        task.metadata["executor"] = "x"  # type: ignore[index]


@pytest.mark.parametrize("executor", [3, object(), FakeExecutor, "", ["local"]])
def test_an_executor_of_the_wrong_type_is_refused(executor: Any) -> None:
    """Classes count as wrong: an instance is needed."""
    with pytest.raises(TypeError, match="executor"):
        electron(lambda: 1, executor=executor)
    with pytest.raises(TypeError, match="executor"):
        lattice(lambda: 1, workflow_executor=executor)


def test_the_old_name_of_executor_wins_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    """`backend` is deprecated."""
    made = electron(lambda: 1, backend="old", executor="new")
    assert made.electron_object.executor == "old"
    assert "deprecated" in caplog.text


@pytest.mark.parametrize(
    "bad", [{"deps_bash": 3}, {"deps_pip": [1]}, {"call_before": [len]}, {"deps_module": "math"}, {"call_after": 1}]
)
def test_dependencies_of_the_wrong_type_are_refused(bad: dict[str, Any]) -> None:
    """The message names what was given."""
    with pytest.raises(TypeError):
        electron(lambda: 1, **bad)


def test_options_that_are_not_json_are_refused() -> None:
    """They could not travel."""
    with pytest.raises(TypeError, match="JSON"):
        electron(lambda: 1, executor=FakeExecutor(a=object()))


def test_calling_a_bound_electron_makes_another_node() -> None:
    """The copy is independent of the original."""

    def body():
        first = double(1)
        return first(2)

    assert names_of(body) == ["double", ":parameter:1", "double", ":parameter:2", ":postprocess:reconstruct"]
    assert value_of(body) == 4


def test_keywords_that_a_hook_delivers_are_dropped() -> None:
    """The hook's value arrives at run time."""
    task = electron(lambda x, files=None: x, call_before=[FakeCall("files")])
    assert [edge.name for edge in graph_of(lambda: task(1, files=[])).edges if edge.target == 0] == ["x"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: double(1, 2), r"double\(\) takes 1 positional argument, but 2 were given"),
        (lambda: double(y=1), r"has no keyword argument 'y'.*It has: x"),
        (lambda: double(1, x=2), "several values for 'x'"),
    ],
)
def test_wrong_arguments_are_refused_where_they_are_given(call: Any, message: str) -> None:
    """ValueError, with this file and line."""
    with pytest.raises(ValueError, match=message) as caught:
        graph_of(call)
    assert "test_electron.py:" in str(caught.value)


def test_missing_arguments_are_left_to_the_task() -> None:
    """A hook may deliver them."""
    assert names_of(lambda: double()) == ["double", ":postprocess:reconstruct"]  # noqa: PLW0108  the lattice itself has no parameters


def test_wait_outside_a_build_returns_the_child() -> None:
    """Plain Python needs no ordering."""
    assert wait(3, [4]) == 3


def test_wait_takes_one_or_many_and_ignores_repetition() -> None:
    """Each pair is joined by one edge; the method form does the same."""

    def body():
        a, b = double(1), double(2)
        b.wait_for(a)
        wait(b, [a, a])
        return wait(b, (x for x in [a]))

    waits = [edge for edge in graph_of(body).edges if edge.name == "!waiting_edge" and edge.target == 2]
    assert [(edge.source, edge.target) for edge in waits] == [(0, 2)]


def test_tasks_that_wait_for_each_other_are_refused() -> None:
    """The message names the line of the wait and the tasks."""

    def body():
        a = double(1)
        b = double(a)
        wait(a, b)

    with pytest.raises(GraphBuildError, match=r"test_electron.py:\d+, in body.*double → double → double"):
        graph_of(body)
    with pytest.raises(GraphBuildError, match="cannot wait for itself"):
        graph_of(lambda: wait(a := double(1), [a]))


def test_waiting_for_a_later_call_is_allowed() -> None:
    """Order of calls is not order of running."""

    def body():
        a = double(1)
        wait(a, double(2))

    assert (2, 0) in {(edge.source, edge.target) for edge in graph_of(body).edges if edge.name == "!waiting_edge"}


@pytest.mark.parametrize("call", [lambda: wait(3, double(1)), lambda: wait(double(1), [3]), lambda: wait(double(1), 4)])
def test_wait_refuses_what_is_not_a_task(call: Any) -> None:
    """Values cannot wait."""
    with pytest.raises(GraphBuildError, match="wait"):
        graph_of(call)


def test_electrons_can_be_pickled_and_copied_as_electrons() -> None:
    """Only tasks see the bare function; lattices that travel keep their electrons."""
    task = electron(math.floor, executor="fake").electron_object
    for made in (pickle.loads(pickle.dumps(task)), copy.deepcopy(task)):
        assert made.metadata == task.metadata
        assert made(1.5) == 1
    twin = payload.decode(payload.encode(double).tobytes())
    assert isinstance(twin.electron_object, Electron)


def test_a_transportable_dictionary_describes_an_electron() -> None:
    """Name, function, source and what was set."""
    form = electron(math.floor, executor="fake").electron_object.as_transportable_dict
    assert (form["name"], form["function_string"]) == ("floor", "")
    assert form["metadata"] == {"executor": "fake", "executor_data": {}}
    assert form["function"]["type"] == "TransportableObject"


def test_an_operator_outside_a_build_is_applied() -> None:
    """As documented; an unknown one is a KeyError."""
    assert double.electron_object.get_op_function(2, 3, "*") == 6
    with pytest.raises(KeyError):
        double.electron_object.get_op_function(2, 3, "&&")


def test_kwargs_are_those_of_the_call() -> None:
    """`kwargs` tells the keyword arguments of a call, those of a repeated call included, and is empty elsewhere."""
    seen: list[dict[str, Any]] = []

    @lattice
    def workflow(y: int) -> Any:
        first = double(x=y)
        again = first(x=5)
        seen.extend(dict(bound.kwargs) for bound in (first, again, first + 1, double(3)))
        return again

    workflow.build_graph(4)

    assert seen == [{"x": 4}, {"x": 5}, {}, {}]
    assert dict(double.electron_object.kwargs) == {}


def test_metadata_of_an_unset_executor_leaves_the_executor_alone() -> None:
    """`executor_data=None` beside an executor instance does not undo what the instance says."""
    made = Electron(abs, metadata={"executor": FakeExecutor(size=3), "executor_data": None})

    assert made.metadata["executor_data"]["attributes"] == {"size": 3}
