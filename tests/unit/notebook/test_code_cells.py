"""Which code cells of a notebook file are tasks, and where parameters are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covalent_lab.errors import UsageError
from covalent_lab.notebook.documents import CodeCell, is_marked, runs_workflow, tasks_of, with_parameters


def cells(*sources: str, tagged: int = 0) -> list[CodeCell]:
    return [CodeCell(number=n, source=source, is_parameters=n == tagged) for n, source in enumerate(sources, start=1)]


@pytest.mark.parametrize(
    ("sources", "tasks"),
    [
        (("import os\n%matplotlib inline", "n = 1", "def f(): return n", "y = f()"), {4}),
        (("n = 1", "n = n + 1", "m = n"), {1, 2, 3}),
        (("c = {'a': 1}", "c['a'] = 2", "d = c"), {1, 2, 3}),
        (("def f():\n    return k", "k = g()", "def g():\n    return f"), {1, 2, 3}),
        (("'''Text.'''\nclass A:\n    x: int = 1\npass", "A()"), {2}),
        (("import numpy as np", "import numpy as np\nnp.ones(1)"), {2}),
        (("x: list = [1, -2]", "print(x)"), {2}),
        (("!pip list",), set()),
    ],
)
def test_cells_that_only_define_stay_with_the_notebook(sources: tuple[str, ...], tasks: set[int]) -> None:
    """Unless what they define is bound elsewhere too, or they read what a task binds."""
    assert tasks_of(cells(*sources)) == tasks


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = f()\n%time x", r"cell \[1\], line 2: '%time x' is for the notebook only"),
        ("%%bash\nls", r"cell \[1\], line 1: '%%bash' is for the notebook only"),
        ("x = (", r"cell \[1\], line 1 is not Python: '\(' was never closed"),
        ("await f()", r"cell \[1\]: Line 1: .* await"),
    ],
)
def test_cells_that_cannot_be_tasks_are_refused_by_number_and_line(source: str, message: str) -> None:
    """Before anything runs."""
    with pytest.raises(UsageError, match=message):
        tasks_of(cells(source))


def test_parameters_replace_what_the_notebook_assigns() -> None:
    """In place, so that what is computed from them follows; marked cells are left alone."""
    changed = with_parameters(
        cells("é = 'ü'; n = [1,\n  2]  # two\nm = 2 * n[0]", "%%covalent task\nn = 5", "%time 1\nk: int = 1"),
        {"n": {"a": None}, "k": "x'y"},
    )
    assert [cell.source for cell in changed] == [
        "é = 'ü'; n = {'a': None}  # two\nm = 2 * n[0]",
        "%%covalent task\nn = 5",
        '%time 1\nk: int = "x\'y"',
    ]


@pytest.mark.parametrize(
    ("sources", "tagged", "name", "value", "message"),
    [
        (
            ("n = 1",),
            0,
            "k",
            1,
            "There is no parameter 'k': an unmarked cell would have to assign it. Assigned there: n",
        ),
        (("n = 1", "k = 1"), 1, "k", 1, "the cell tagged parameters would have to assign it. Assigned there: n"),
        (("a, b = 1, 2\nif a:\n    c = 1",), 0, "c", 1, "Assigned there: nothing"),
        (("n = 1\nn = 2",), 0, "n", 1, r"'n' is assigned in cell \[1\], line 1 and cell \[1\], line 2. Tag"),
        (("n = 1",), 0, "n", object(), "cannot be written into a cell"),
    ],
)
def test_parameters_that_have_no_single_place_are_refused(
    sources: tuple[str, ...], tagged: int, name: str, value: object, message: str
) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match=message):
        with_parameters(cells(*sources, tagged=tagged), {name: value})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_literal_arrives_as_it_is(value: object) -> None:
    """Whatever text is around it."""
    [changed] = with_parameters(cells("ä = '💡'; n = 0; z = n"), {"n": value})
    space: dict[str, object] = {}
    exec(changed.source, space)
    assert (space["n"], space["z"]) == (value, value)


def test_marks_and_runs_are_recognised() -> None:
    """By their magic, not by words in a text."""
    assert [is_marked(text) for text in ("\n%%covalent task -e a", "%%covalent tasks", "x = '%%covalent task'")] == [
        True, False, False
    ]  # fmt: skip
    assert [runs_workflow(text) for text in ("x\n  %covalent run n=1", "%covalent runs", "# %covalent run")] == [
        True, False, False
    ]  # fmt: skip
