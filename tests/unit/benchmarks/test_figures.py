"""What the benchmarks say of their figures, without measuring anything."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import figures
from floor import Floor
from shapes import SHAPES


def written(path: Path, *found: figures.Figure) -> Path:
    """A file as a run leaves it."""
    path.write_text(json.dumps({"figures": [asdict(figure) for figure in found]}))
    return path


def test_the_median_decides_whether_a_target_is_met() -> None:
    """One slow run is not a miss; a target of nothing can be missed as well."""
    fan = figures.Figure(name="fan", values=[0.1, 0.2, 9.0], target=0.2)
    slow = figures.Figure(name="fan", values=[0.3], target=0.2)
    files = figures.Figure(name="files", values=[1], unit="files", target=0)
    assert [figure.verdict for figure in (fan, slow, files)] == ["met", "missed 1.50x", "missed"]


def test_two_runs_are_compared_by_time_and_by_floor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What only one of them has is left out."""
    old = written(
        tmp_path / "old.json",
        figures.Figure(name="fan", values=[0.2], floor=0.1),
        figures.Figure(name="gone", values=[1.0]),
    )
    new = written(tmp_path / "new.json", figures.Figure(name="fan", values=[0.1], floor=0.1, target=0.2))
    figures.compare(old, new)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["fan", "200.0", "ms", "100.0", "ms", "0.50", "2.0", "→", "1.0", "met"]
    assert len(lines) == 3


def test_a_comparison_needs_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how to get them."""
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["figures.py"])
    with pytest.raises(SystemExit):
        figures.main()
    assert "run `make bench` before and after" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["one task", "fan 100", "diamond 200", "layered 2,000"])
def test_the_floor_does_the_work_of_the_shape(name: str, tmp_path: Path) -> None:
    """Every task runs after its parents and adds one to their sum."""
    shape = SHAPES[name]
    with Floor(tmp_path) as floor:
        value = shape.floor(floor)
    expected = {"fan 100": 101, "diamond 200": 401}.get(name, shape.expected)
    assert value == expected
