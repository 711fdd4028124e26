"""A workflow function that runs a second time: each call of an electron gives the output of its node."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from covalent_lab import payload
from covalent_lab.errors import UsageError
from covalent_lab.graph.model import ParamType
from covalent_lab.workflow.electron import electron, wait
from covalent_lab.workflow.lattice import Lattice, lattice
from covalent_lab.workflow.replay import Call, Replay, active_replay, calls_of
from tests.unit.workflow.interpreter import evaluate
from tests.unit.workflow.vectors import VECTORS, Vector


@dataclass
class Pair:
    """Something no graph could take apart."""

    left: Any
    right: Any


@electron
def t(x):
    return x


@electron
def other(x):
    return x


@pytest.fixture
def exhaustive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The configuration asks for it."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    (tmp_path / "covalent.conf").write_text('[sdk]\nexhaustive_postprocess = "true"\n')
    return


@pytest.mark.usefixtures("exhaustive")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector.number))
def test_exhaustive_postprocessing_gives_what_plain_python_gives(vector: Vector) -> None:
    """Through operators, attributes, items, unpacking, sublattices and collections."""
    built = vector.build()
    last = built.graph.nodes[vector.nodes.index(":postprocess:reconstruct")]
    assert last.name == ":postprocess:"
    function = payload.decode(built.payloads[built.graph.functions[last.function or 0].payload].tobytes())
    assert list(function.calls) == calls_of(built.graph)
    inputs = built.inputs
    assert inputs is not None
    call = inputs.get_deserialized()
    assert evaluate(built.graph, built.payloads) == built(*call["args"], **call["kwargs"])


@pytest.mark.usefixtures("exhaustive")
def test_an_exhaustive_postprocess_node_takes_every_output() -> None:
    """By keyword, after the inputs of the workflow; what the workflow returns is not looked into."""
    built: Lattice[..., Any] = lattice(lambda x: Pair(t(x), wait(t(2), t(1))))
    built.build_graph(7)
    [node] = [n.id for n in built.graph.nodes if n.name == ":postprocess:"]
    edges = {e.name: e.param_type for e in built.graph.edges if e.target == node}
    assert edges == {
        "inputs": ParamType.ARG,
        **{f"node:{call.node_id}": ParamType.KWARG for call in calls_of(built.graph)},
    }
    twin = Lattice.deserialize_from_json(built.serialize_to_json())
    assert evaluate(twin.graph, twin.payloads) == Pair(7, 2)


def test_without_the_setting_the_value_is_rebuilt_from_what_was_returned() -> None:
    """The postprocess node has its documented other name."""
    built = lattice(lambda: t(1))
    built.build_graph()
    assert built.graph.nodes[-1].name == ":postprocess:reconstruct"


def run_again(function: Callable[..., Any], *names: str) -> Any:
    """Replay calls of these names, whose outputs are 0, 1, …"""
    calls = [Call(node_id=i, name=name) for i, name in enumerate(names)]
    return Replay(calls, lambda node_id: node_id).run(function, (), {})


def test_calls_that_differ_from_the_build_are_told() -> None:
    """One too many, one too few, another one; nothing stays active after an error."""
    with pytest.raises(UsageError, match="'t' was called although no call was left"):
        run_again(lambda: [t(1), t(2)], "t")
    with pytest.raises(UsageError, match=r"it no longer calls 'other'.*depend on its arguments only"):
        run_again(lambda: t(1), "t", "other")
    with pytest.raises(UsageError, match="'t' was called where it was 'other'"):
        run_again(lambda: [t(1), other(2)], "other", "t")
    with pytest.raises(ZeroDivisionError):
        run_again(lambda: t(1) / 0, "t")
    assert active_replay() is None
    assert t(5) == 5


def test_a_replaced_electron_answers_for_the_one_it_replaced() -> None:
    """Its node has the new name, the function calls the old one."""
    built: Lattice[..., Any] = lattice(lambda: [t(1), other(2)])
    built.replace_electrons = {"t": lambda x: x}
    built.build_graph()
    calls = calls_of(built.graph)
    assert calls[0].name == "<lambda>"
    assert Replay(calls, lambda node_id: f"output {node_id}").run(built.plain_function(), (), {}) == [
        "output 0",
        "output 2",
    ]


def test_what_an_electron_is_called_does_not_hide_its_calls() -> None:
    """Also where tracing uses the same names for nodes of its own."""
    built = lattice(lambda: electron(getattr)(t(1), "real") + t([2])[0])
    built.build_graph()
    assert [call.name for call in calls_of(built.graph)] == ["t", "getattr", "t"]
