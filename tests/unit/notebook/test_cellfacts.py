"""What a cell tells its neighbours: imports, changes in place, lines, and what hides names."""

import pytest

from covalent_lab.errors import UsageError
from covalent_lab.notebook.cellfacts import read_cell


@pytest.mark.parametrize(
    ("source", "sure", "maybe"),
    [
        ("xs.append(1)", {"xs": 2}, {}),
        ("y = 1\nxs['a'] = y\nxs.b = y", {"xs": 3}, {}),
        ("del xs[0]", {"xs": 2}, {}),
        ("xs[0] += 1", {"xs": 2}, {}),
        ("model.fit(data)", {"model": 2}, {}),
        ("frame.drop(columns=['a'], inplace=True)", {"frame": 2}, {}),
        ("frame.drop(columns=['a'], inplace=False)", {}, {"frame": 2}),
        ("xs = []\nxs.append(1)", {}, {}),
        ("ys = xs.copy()", {}, {}),
        ("log.info('x')", {}, {"log": 2}),
        ("log.parent.info('x')", {}, {"log": 2}),
        ("import numpy as np\nnp.random.seed(1)\nnp.x = 1", {}, {}),
        ("def f():\n    xs.append(1)", {"xs": 3}, {}),
        ("def f(xs):\n    xs.append(1)\nxs", {}, {}),
        ("a, b[0] = c", {"b": 2}, {}),
    ],
)
def test_changes_in_place_of_what_comes_from_outside_are_found(source: str, sure: object, maybe: object) -> None:
    """What the cell made itself, and what a function calls by another name, does not count."""
    facts = read_cell(source)
    assert (facts.changes, facts.may_change) == (sure, maybe)


def test_plain_imports_can_be_repeated_elsewhere() -> None:
    """Not those under a condition, nor names that are assigned as well."""
    facts = read_cell(
        "import numpy as np, os.path\nfrom a.b import c as d, e\nfrom . import f\n"
        "if d:\n    import later\nimport g\ng = 1\nfrom __future__ import annotations\nx = np"
    )
    assert facts.imports == {
        "np": "import numpy as np",
        "os": "import os.path",
        "d": "from a.b import c as d",
        "e": "from a.b import e",
        "f": "from . import f",
    }
    assert facts.gives == ("later", "g", "annotations", "x")


@pytest.mark.parametrize(
    ("source", "loops"),
    [
        ("for i in xs:\n    t = i", {"i"}),
        ("for i in xs:\n    pass\ni = 1", set()),
        ("try:\n    a\nexcept E as e:\n    pass", {"e"}),
        ("for a, (b, *c) in xs:\n    pass", {"a", "b", "c"}),
    ],
)
def test_loop_variables_are_told_apart(source: str, loops: set[str]) -> None:
    """They are leftovers, not what a cell means to give."""
    assert read_cell(source).loop_only == loops


def test_lines_are_those_of_the_notebook() -> None:
    """The magic is line 1; the first use counts."""
    facts = read_cell("y = x\nfor i in x:\n    y = i")
    assert (facts.line_of("x", is_assigned=False), facts.line_of("y", is_assigned=True)) == (2, 2)
    assert facts.line_of("i", is_assigned=True) == 3
    assert read_cell("y = x", first_line=1).line_of("y", is_assigned=True) == 1


def test_comments_and_layout_are_no_part_of_a_cells_identity() -> None:
    """What it does is."""
    assert read_cell("x = [1,\n  2]  # two").identity == read_cell("\nx = [1, 2]", first_line=7).identity
    assert read_cell("x = 1").identity != read_cell("x = 2").identity


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\nfrom numpy import *", "Line 3: nobody can tell which names `from numpy import \\*` brings"),
        ("exec('x = 1')", "Line 2: a cell of a workflow cannot call exec"),
        ("def f():\n    return eval('x')", "Line 3: a cell of a workflow cannot call eval"),
        ("globals()['x'] = 1", "Line 2: .* globals"),
        ("get_ipython().run_line_magic('time', '')", "tasks run without IPython"),
        ("\nawait f()", "Line 3: .* await"),
    ],
)
def test_what_hides_names_is_refused_with_its_line(source: str, message: str) -> None:
    """An analysis would have to guess."""
    with pytest.raises(UsageError, match=message):
        read_cell(source)
