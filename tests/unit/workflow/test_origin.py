"""Where a dispatch comes from."""

import sys
import types
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell  # noqa: TID253  this is about IPython

from covalent_lab.workflow.origin import dispatch_origin

ENVIRON = {"JPY_SESSION_NAME": "/srv/ada/work/sub/fit.ipynb", "COVALENT_LAB_ROOT": "/srv/ada/work"}


@pytest.fixture
def in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A process that looks like a kernel whose front end named the cell."""
    shell = types.SimpleNamespace(
        kernel=object(), user_ns={}, get_parent=lambda: {"header": {}, "metadata": {"cellId": "c-1", "trusted": True}}
    )
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    return shell


def test_a_notebook_is_told_below_the_servers_root_with_its_cell(in_a_notebook: types.SimpleNamespace) -> None:
    """That is the path by which JupyterLab opens it."""
    assert dispatch_origin(ENVIRON) == {"notebook": "sub/fit.ipynb", "cell_id": "c-1"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"COVALENT_LAB_ROOT": "/elsewhere"}, "/srv/ada/work/sub/fit.ipynb"),
        ({"COVALENT_LAB_ROOT": "/srv/ada/wor"}, "/srv/ada/work/sub/fit.ipynb"),
        ({"COVALENT_LAB_ROOT": ""}, "/srv/ada/work/sub/fit.ipynb"),
        ({"JPY_SESSION_NAME": "/srv/ada/work/Console 1"}, None),
        ({"JPY_SESSION_NAME": ""}, None),
    ],
)
def test_other_places_are_told_as_they_are_or_not_at_all(
    in_a_notebook: types.SimpleNamespace, change: dict[str, str], path: str | None
) -> None:
    """A console is no notebook."""
    assert dispatch_origin({**ENVIRON, **change}).get("notebook") == path


def test_an_editor_that_names_its_notebook_is_believed(in_a_notebook: types.SimpleNamespace) -> None:
    """It starts kernels without a server."""
    in_a_notebook.user_ns["__vsc_ipynb_file__"] = "/srv/ada/fit.ipynb"
    assert dispatch_origin({})["notebook"] == "/srv/ada/fit.ipynb"


@pytest.mark.parametrize("parent", [None, {}, {"metadata": None}, {"metadata": {"cellId": 3}}, "text"])
def test_a_front_end_that_names_no_cell_does_no_harm(in_a_notebook: types.SimpleNamespace, parent: Any) -> None:
    """Whatever it sends."""
    in_a_notebook.get_parent = lambda: parent
    assert dispatch_origin({}) == {}


def test_a_script_is_told_by_its_absolute_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told of an interactive session."""
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert dispatch_origin(ENVIRON) == {}
    main.__file__ = "/srv/ada/sub/../run.py"
    assert dispatch_origin(ENVIRON) == {"script": "/srv/ada/run.py"}


def test_a_shell_in_a_terminal_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although it is IPython."""
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: InteractiveShell.__new__(InteractiveShell))
    assert "notebook" not in dispatch_origin(ENVIRON)


def test_ipython_need_not_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not loaded for this."""
    monkeypatch.delitem(sys.modules, "IPython")
    dispatch_origin({})
    assert "IPython" not in sys.modules
