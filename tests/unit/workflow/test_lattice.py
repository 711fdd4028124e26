"""What a lattice keeps, what a build leaves behind, and what an error does not."""

import asyncio
import copy
import threading
from typing import Any

import pytest

from covalent_lab import payload
from covalent_lab.errors import GraphBuildError, SerializationError
from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import Lattice, lattice
from covalent_lab.workflow.tracing import active_trace
from tests.unit.workflow.interpreter import evaluate


@electron
def add(a, b=1):
    return a + b


@lattice
def workflow(x, *, y=2):
    """Adds."""
    return add(x, y)


def names(built: Lattice) -> list[str]:
    """Names of the built nodes."""
    return [node.name for node in built.graph.nodes]


def test_a_lattice_is_its_function_outside_a_build() -> None:
    """Name, docstring and behaviour stay."""
    assert workflow(1) == 3
    assert (workflow.__name__, workflow.__doc__) == ("workflow", "Adds.")
    assert "return add(x, y)" in workflow.workflow_function_string


def test_a_build_keeps_the_inputs_as_given() -> None:
    """Arguments and keywords, apart."""
    built = copy.deepcopy(workflow)
    assert built.inputs is None
    built.build_graph(5, y=6)
    assert built.inputs is not None
    assert built.inputs.get_deserialized() == {"args": (5,), "kwargs": {"y": 6}}
    assert built.kwargs == {"y": 6}


def test_a_copy_of_a_lattice_is_not_built() -> None:
    """A dispatch builds a copy; the user's object stays as it was."""
    built = lattice(lambda: add(1))
    built.build_graph()
    made = copy.deepcopy(built)
    assert (built.is_built, made.is_built) == (True, False)
    made.set_metadata("executor", "other")
    assert built.metadata["executor"] is None


def test_asking_for_the_graph_before_a_build_says_what_to_do() -> None:
    """There is no empty graph to mistake for one."""
    with pytest.raises(GraphBuildError, match=r"call build_graph"):
        lattice(lambda: 1).graph  # noqa: B018


@pytest.mark.parametrize(
    ("args", "kwargs", "kind", "message"),
    [
        ((), {}, TypeError, "misses the argument 'x'"),
        ((1, 2), {}, ValueError, "takes 1 positional argument, but 2 were given"),
        ((1,), {"z": 3}, ValueError, "no keyword argument 'z'"),
    ],
)
def test_wrong_arguments_are_refused(args: Any, kwargs: Any, kind: type[Exception], message: str) -> None:
    """Before the function runs, with this file and line."""
    with pytest.raises(kind, match=message) as caught:
        workflow.build_graph(*args, **kwargs)
    assert "test_lattice.py:" in str(caught.value)
    assert not workflow.is_built


def test_an_error_in_the_body_is_raised_as_it_is_and_leaves_nothing() -> None:
    """Neither a graph nor an open build; not even the graph of an earlier build."""
    fails = False

    @lattice
    def sometimes():
        add(1)
        if fails:
            raise ZeroDivisionError("mine")

    sometimes.build_graph()
    fails = True
    with pytest.raises(ZeroDivisionError, match="mine"):
        sometimes.build_graph()
    assert not sometimes.is_built
    assert sometimes.payloads == {}
    assert active_trace() is None
    assert add(1) == 2


def test_building_a_lattice_inside_another_build_is_refused() -> None:
    """And the outer build is over."""
    outer = lattice(lambda: workflow.build_graph(1))
    with pytest.raises(ValueError, match="while another lattice is being built"):
        outer.build_graph()
    assert active_trace() is None


def test_calling_a_lattice_inside_a_build_joins_its_tasks() -> None:
    """Inlined, not nested."""
    outer = lattice(lambda: add(workflow(1)))
    outer.build_graph()
    assert names(outer)[:4] == ["add", ":parameter:1", ":parameter:2", "add"]
    assert evaluate(outer.graph, outer.payloads) == 4


def test_builds_in_several_threads_do_not_meet() -> None:
    """Each thread records its own calls, however they interleave."""
    barrier = threading.Barrier(4)

    def body(n):
        for i in range(n):
            add(i)
            barrier.wait(timeout=120)

    built = [lattice(body) for _ in range(4)]
    threads = [threading.Thread(target=one.build_graph, args=(5,)) for one in built]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(one.graph.nodes) for one in built] == [12] * 4


def test_a_coroutine_started_in_a_build_does_not_record_after_it() -> None:
    """It inherits the context, but the build is over."""

    async def later(gate: asyncio.Event) -> int:
        await gate.wait()
        return add(1)

    async def main() -> Any:
        gate = asyncio.Event()
        started = []
        built = lattice(lambda: started.append(asyncio.ensure_future(later(gate))))
        built.build_graph()
        gate.set()
        return await started[0]

    assert asyncio.run(main()) == 2


def test_a_thread_started_in_a_build_runs_plain_python() -> None:
    """A new thread has no active build."""
    results = []

    def body():
        thread = threading.Thread(target=lambda: results.append(add(1)))
        thread.start()
        thread.join()

    built = lattice(body)
    built.build_graph()
    assert results == [2]
    assert names(built) == [":postprocess:reconstruct", ":parameter:None"]


def test_asynchronous_and_generator_functions_are_refused() -> None:
    """They could not be run to their end."""

    async def coroutine():
        return 1

    def generator():
        yield 1

    for function in (coroutine, generator, 3):
        with pytest.raises(TypeError):
            lattice(function)  # type: ignore[call-overload]


def test_an_argument_that_cannot_be_pickled_is_named() -> None:
    """One line: which argument of which task, where."""
    lock = threading.Lock()
    with pytest.raises(SerializationError, match=r"Cannot pickle argument 'b' of 'add' \[.*test_lattice.py:\d+"):
        lattice(lambda: add(1, b=lock)).build_graph()
    with pytest.raises(SerializationError, match="Cannot pickle argument 'x' of lattice"):
        lattice(lambda x: 1).build_graph(lock)
    with pytest.raises(SerializationError, match="the function of task"):
        lattice(electron(lambda: lock)).build_graph()


def test_equal_values_are_stored_once() -> None:
    """By digest; equal numbers of different type stay apart."""
    built = lattice(lambda: [add(1), add(1), add(1.0), add(True), add("1")])
    built.build_graph()
    values = [node.value for node in built.graph.nodes if node.value]
    assert len(values) == 5
    assert len(set(values)) == 4


def test_an_array_keeps_the_value_it_had_at_the_call() -> None:
    """Although its memory changes later, before the dispatch is sent."""
    numpy = pytest.importorskip("numpy")

    @lattice
    def fill(buffer):
        buffer[:] = 1
        first = add(buffer, 0)
        buffer[:] = 2
        return [first, add(buffer, 0)]

    fill.build_graph(numpy.zeros(1000))
    first, second = evaluate(fill.graph, fill.payloads)
    assert (first[0], second[0]) == (1, 2)
    assert fill.inputs is not None
    assert fill.inputs.get_deserialized()["args"][0][0] == 0


def test_long_texts_are_shortened_in_names_only() -> None:
    """The value is whole."""
    built = lattice(lambda: add("x" * 5000, ""))
    built.build_graph()
    assert len(built.graph.nodes[1].name) < 300
    assert evaluate(built.graph, built.payloads) == "x" * 5000


def test_an_object_whose_text_form_fails_is_still_an_argument() -> None:
    """Its type names the node."""

    class Odd:
        def __str__(self):
            raise RuntimeError

    built = lattice(lambda: electron(lambda odd: 1)(Odd()))
    built.build_graph()
    assert built.graph.nodes[1].name == ":parameter:<Odd>"


def test_a_list_that_contains_itself_is_refused() -> None:
    """Instead of a stack overflow."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(GraphBuildError, match="contains itself"):
        lattice(lambda: add(endless)).build_graph()


def test_replaced_electrons_are_used_by_name() -> None:
    """Names that do not occur are ignored."""
    built = lattice(lambda: add(1))
    built.replace_electrons = {"add": lambda a, b=1: a - b, "other": add}
    built.build_graph()
    assert evaluate(built.graph, built.payloads) == 0
    assert set(built.replace_electrons) == {"add", "other"}


def test_packed_tasks_share_the_group_of_their_electron() -> None:
    """Collections before, items after."""
    built = lattice(lambda: add([1], [2])[0])
    built.task_packing = True
    built.build_graph()
    groups = {node.name: node.task_group for node in built.graph.nodes if not node.name.startswith(":param")}
    assert groups == {"add": 0, ":electron_list:": 0, ":add.__getitem__": 0, ":postprocess:reconstruct": 7}


def test_a_sublattice_travels_whole_and_keeps_its_electrons() -> None:
    """The lattice travels whole, as value of its own parameter."""
    made = electron(workflow)
    assert made(1) == 3
    built = lattice(lambda: made(1, y=4))
    built.build_graph()
    assert evaluate(built.graph, built.payloads) == 5
    value = built.graph.nodes[1].value
    assert value is not None
    twin = payload.decode(built.payloads[value].tobytes())
    twin.build_graph(1)
    assert "add" in names(twin)
    assert built.graph.nodes[2].name.startswith(':parameter:{"executor": "local"')


def test_the_pickled_workflow_function_builds_the_same_graph() -> None:
    """Electrons stay electrons in it."""
    twin: Lattice = Lattice(workflow.workflow_function)
    twin.build_graph(1)
    workflow.build_graph(1)
    assert names(twin) == names(workflow)


def test_json_that_is_no_lattice_is_refused() -> None:
    """With one line."""
    with pytest.raises(ValueError, match="not the JSON form"):
        Lattice.deserialize_from_json("[]")


def test_versions_are_recorded() -> None:
    """For whoever looks at an old dispatch."""
    assert workflow.python_version.startswith("3.")
    assert isinstance(workflow.covalent_version, str)
