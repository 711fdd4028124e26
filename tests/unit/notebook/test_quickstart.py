"""The first notebook, and the module that repeats its workflow."""

import ast
import json
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"


def code_cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def bodies(source: str) -> dict[str, list[str]]:
    return {
        node.name: [ast.dump(statement) for statement in node.body]
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    """Outputs belong to whoever runs them."""
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code_cells(path))


def test_the_module_repeats_the_notebooks_workflow() -> None:
    """`make run` must not drift from what the notebook explains."""
    shown: dict[str, list[str]] = {}
    for cell in code_cells(NOTEBOOKS / "01_quickstart.ipynb"):
        source = "".join(cell["source"])
        if not source.startswith(("%", "!")):
            shown |= bodies(source)
    module = bodies((NOTEBOOKS / "quickstart_workflow.py").read_text())
    assert {name: shown[{"workflow": "sweep"}.get(name, name)] for name in module} == module
