"""MIME bundles of lattices and results."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.notebook import display
from covalent_lab.notebook.display import LATTICE_MIME, graph_bundle, result_bundle


@ct.electron
def inverse(x):
    return 1 / x


@ct.electron
def total(xs):
    return sum(xs)


@ct.lattice
def sweep(numbers):
    """Invert and add up."""
    return total([inverse(x) for x in numbers])


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A dispatcher in this process with a store of its own."""
    monkeypatch.setenv("COVALENT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("COVALENT_LAB_URL", raising=False)
    disconnect()
    yield
    disconnect()


def test_outside_a_notebook_drawing_prints_the_graph_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts and terminals."""
    sweep.draw([1, 2])
    shown = capsys.readouterr().out
    assert shown.startswith("sweep: ")
    assert "total" in shown


def test_drawing_does_not_load_ipython() -> None:
    """A script that draws stays light."""
    program = (
        "import sys, covalent_lab as ct\n@ct.lattice\ndef w(): return 1\nw.draw()\n"
        "assert not {'IPython', 'anywidget', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_graph_has_a_form_for_every_front_end(mime_schema: jsonschema.Draft7Validator) -> None:
    """JSON for ours, SVG for the others, text for terminals."""
    sweep.build_graph([1, 2])
    bundle = graph_bundle(sweep.graph, "sweep")
    assert sorted(bundle) == [LATTICE_MIME, "image/svg+xml", "text/plain"]
    mime_schema.validate(bundle[LATTICE_MIME])
    graph = graph_from_wire(bundle[LATTICE_MIME]["graph"])
    assert [node.name for node in graph.nodes] == [node.name for node in sweep.graph.nodes]
    assert any("return 1 / x" in function.source for function in graph.functions)


def test_a_drawn_lattice_says_what_it_is(
    monkeypatch: pytest.MonkeyPatch, mime_schema: jsonschema.Draft7Validator
) -> None:
    """Without a server to ask, the description and the source come with the output."""
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(display, "current_screen", lambda: SimpleNamespace(show=shown.append))
    sweep.draw([1])
    view = shown[0][LATTICE_MIME]
    mime_schema.validate(view)
    assert (view["doc"], "total([inverse(x)" in view["source"]) == ("Invert and add up.", True)


def test_the_graph_of_a_dispatch_comes_without_sources(mime_schema: jsonschema.Draft7Validator) -> None:
    """The server has them."""
    sweep.build_graph([1])
    view = graph_bundle(sweep.graph, "sweep", dispatch_id="d")[LATTICE_MIME]
    assert not [function for function in view["graph"]["functions"] if function.get("source")]
    assert "source" not in view


def test_json_is_left_out_where_it_would_bloat_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture says enough of a very large graph."""
    sweep.build_graph(list(range(1000)))
    bundle = graph_bundle(sweep.graph, "sweep")
    assert (LATTICE_MIME in bundle, len(bundle["image/svg+xml"]) < 10_000) == (True, True)
    monkeypatch.setattr(display, "_JSON_LIMIT", 10_000)
    assert sorted(graph_bundle(sweep.graph, "sweep")) == ["image/svg+xml", "text/plain"]


def test_a_completed_result_shows_its_value_and_its_nodes(lab: None) -> None:
    """From previews: no value is loaded."""
    result = ct.get_result(ct.dispatch(sweep)([1, 2]), wait=True)
    bundle = result_bundle(result)
    assert bundle["text/plain"].splitlines()[1:] == [
        "result: 1.5",
        "5 nodes: 5 completed",
        *(line for line in bundle["text/plain"].splitlines() if line.startswith("  ✓ ")),
    ]
    assert "Open graph" not in bundle["text/html"]
    assert result._repr_mimebundle_(include=None, exclude=None) == bundle


def test_a_failed_result_shows_the_traceback(lab: None) -> None:
    """Why, and where."""
    text = result_bundle(ct.get_result(ct.dispatch(sweep)([1, 0]), wait=True))["text/plain"]
    assert text.startswith("✗ Failed  sweep")
    assert "return 1 / x" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "  ○ total(4)" in text


def test_a_result_of_no_dispatch_shows_its_plain_form() -> None:
    """Made by hand, it has nowhere to ask."""
    assert list(result_bundle(ct.Result())) == ["text/plain"]
