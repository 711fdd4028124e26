"""`export` writes what its argument says, from a real dispatch or a lattice."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client import exporting
from covalent_lab.client.exporting import compare, export
from covalent_lab.errors import GraphBuildError, MissingLatticeRecordError, UsageError
from covalent_lab.testing.fakes import FakeExecutor
from tests.conftest import missing


@ct.electron
def half(x: int) -> float:
    return x / 2


@ct.electron
@ct.lattice
def part(x: int) -> Any:
    return half(x)


@ct.lattice
def flow(x: int) -> Any:
    return part(half(x))


PNG = b"\x89PNG\r\n"


def test_a_dispatch_is_written_in_each_format(executor: FakeExecutor, tmp_path: Path) -> None:
    """By its id or its result; the script has what sublattices call, and runs."""
    result = ct.dispatch_sync(flow)(12)
    for name, words in (
        ("a.svg", "</svg>"),
        ("a.mmd", "flowchart"),
        ("a.DOT", "digraph"),
        ("a.html", "Completed"),
        ("a.py", "def part(x"),
    ):
        assert export(result.dispatch_id, tmp_path / name) == tmp_path / name
        assert words in (tmp_path / name).read_text(encoding="utf-8")
    assert "6.0" in (tmp_path / "a.html").read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "script"}
    exec((tmp_path / "a.py").read_text(encoding="utf-8"), namespace)
    namespace["flow"].build_graph()
    assert len(namespace["flow"].graph.nodes) == len(result.graph.nodes)
    assert export(result, str(tmp_path / "b.svg")).read_text().startswith("<svg")


def test_two_dispatches_are_compared(executor: FakeExecutor) -> None:
    """From what is stored of them."""
    ids = [ct.dispatch_sync(flow)(x).dispatch_id for x in (12, 14)]

    found = compare(*ids)

    assert [found[side]["dispatch_id"] for side in ("left", "right")] == ids
    assert found["result"] == {"is_equal": False, "left": "3.0", "right": "3.5"}
    assert found["rows"][0]["inputs"] == [{"name": "x", "left": "12", "right": "14"}]
    with pytest.raises(MissingLatticeRecordError):
        compare(ids[0], "unknown")


def test_a_lattice_is_written_without_being_dispatched(tmp_path: Path) -> None:
    """Its values are at hand."""
    flow.build_graph(12)
    assert "half(12)" in export(flow, tmp_path / "flow.py").read_text()
    assert "Built, not dispatched." in export(flow, tmp_path / "flow.html").read_text()
    with pytest.raises(GraphBuildError, match="build_graph"):
        export(ct.lattice(lambda: 1), tmp_path / "x.svg")


@pytest.mark.parametrize("name", ["flow.exe", "flow", ".svg"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    """With the suffixes there are."""
    with pytest.raises(UsageError, match=r"end its name in one of \.svg, .*\.png"):
        export("some-id", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", [None, 3, ""])
def test_other_things_are_refused(tmp_path: Path, target: Any) -> None:
    """They are no dispatch."""
    with pytest.raises(UsageError, match="give a dispatch id"):
        export(target, tmp_path / "x.svg")


def test_a_png_is_drawn_by_graphviz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Callable[..., str]
) -> None:
    """Where cairosvg is not installed."""
    require("dot")
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    flow.build_graph(12)
    assert export(flow, tmp_path / "flow.png").read_bytes().startswith(PNG)


def test_a_png_is_drawn_by_cairosvg_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It draws the picture that .svg has, twice as large, also where Graphviz is not installed."""
    image = pytest.importorskip("PIL.Image")
    need_cairosvg()
    monkeypatch.setattr(exporting.shutil, "which", lambda name: None)
    flow.build_graph(12)
    head = re.search(r'width="(\d+)" height="(\d+)"', export(flow, tmp_path / "flow.svg").read_text())
    assert head is not None
    with image.open(export(flow, tmp_path / "flow.png")) as drawn:
        assert drawn.size == (2 * int(head[1]), 2 * int(head[2]))
        assert len(drawn.getcolors(1 << 20)) > 10  # and not an empty picture


def need_cairosvg() -> None:
    """Skip where it, or the library that it draws with, is missing; under `CI=true` everything must run."""
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError) as error:
        missing(f"cairosvg cannot be used: {error}")


def test_without_either_a_png_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    monkeypatch.setattr(exporting.shutil, "which", lambda name: None)
    flow.build_graph(12)
    with pytest.raises(UsageError, match="cairosvg or the program dot"):
        export(flow, tmp_path / "flow.png")
    assert list(tmp_path.iterdir()) == []
