"""Who takes which name from whom: the edges, the complaints, and that a planned run does what a notebook does."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covalent_lab.errors import UsageError
from covalent_lab.notebook.cellfacts import read_cell
from covalent_lab.notebook.cellgraph import GraphPlan, PlannedCell, plan_cells


def plan(*sources: str, known: Sequence[str] = (), fixed: Sequence[str] = (), is_ordered: bool = False) -> GraphPlan:
    cells = [PlannedCell(label=f"cell {n}", facts=read_cell(source)) for n, source in enumerate(sources, start=1)]
    return plan_cells(cells, known, fixed=fixed, is_ordered=is_ordered)


def edges(made: GraphPlan) -> list[tuple[int, str, int]]:
    """(giver, name, taker), by number."""
    return [
        (giver + 1, name, taker)
        for taker, cell in enumerate(made.cells, start=1)
        for name, giver in cell.from_cells.items()
    ]


def test_names_make_the_edges_wherever_the_cells_stand() -> None:
    """Cells may be marked in any order; what no cell assigns comes from the notebook."""
    made = plan("total = sum(ys)", "xs = list(range(n))", "ys = [scale * x for x in xs]", known=["n", "scale", "k"])
    assert edges(made) == [(3, "ys", 1), (2, "xs", 3)]
    assert [cell.from_notebook for cell in made.cells] == [(), ("n",), ("scale",)]
    assert made.order == (1, 2, 0)


def test_imports_of_one_cell_serve_the_others_without_an_edge() -> None:
    """A module is not worth waiting for."""
    made = plan("import numpy as np\na = np.ones(3)", "b = np.zeros(3)", "import numpy as np\nc = np")
    assert edges(made) == []
    assert [cell.imports for cell in made.cells] == [(), ("import numpy as np",), ()]


def test_what_several_cells_assign_for_themselves_makes_no_edge() -> None:
    """Loop variables and figures are called alike everywhere."""
    made = plan("for i in [1]:\n    a = i\nprint(i)", "fig = 1\nfor i in [2]:\n    b = i", "fig = 2\nc = 3")
    assert edges(made) == []


@pytest.mark.parametrize(
    ("sources", "known", "message"),
    [
        (
            ["x = 1", "x = 2", "y = 1\nz = x"],
            [],
            "'x' is assigned by cell 1, line 2 and cell 2, line 2, and read by cell 3, line 3: which one is meant? "
            "Give one of them another name, or put them into one cell.",
        ),
        (
            ["xs = [1]", "xs.append(2)", "y = xs"],
            [],
            "'xs' is assigned or changed by cell 1, line 2 and cell 2, line 2, and read by cell 3, line 2: which one "
            "is meant? Change it in the cell that makes it, or give the changed value another name.",
        ),
        (
            ["from a import f", "from b import f", "y = f()"],
            [],
            "'f' is assigned by cell 1, line 2 and cell 2, line 2, and read by cell 3, line 2: which one is meant? "
            "Give one of them another name, or put them into one cell.",
        ),
        (
            ["n = n + 1"],
            ["n"],
            "cell 1, line 2 reads 'n', which the notebook has, and then assigns or changes it: a second run would "
            "begin with what the first one left. Assign to another name.",
        ),
        (
            ["y = z"],
            [],
            "cell 1, line 2 reads 'z', which neither the notebook nor a marked cell has. Assign it in a cell of the "
            "notebook and run that, or mark the cell that assigns it.",
        ),
        (
            ["a = b", "b = a"],
            [],
            "Cells wait for each other: cell 1, line 2 reads 'b' of cell 2; cell 2, line 2 reads 'a' of cell 1. Put "
            "them into one cell, or assign a name before it is read in the cell that means its own.",
        ),
    ],
    ids=["assigned twice", "changed elsewhere", "imported twice", "read and assigned", "nowhere", "circle"],
)
def test_what_is_ambiguous_is_told_by_cell_and_line(sources: list[str], known: list[str], message: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError) as told:
        plan(*sources, known=known)
    assert str(told.value) == message


def test_all_complaints_come_at_once() -> None:
    """One run shows everything there is to correct."""
    with pytest.raises(UsageError) as told:
        plan("a = p", "b = q")
    assert [line.partition(" reads ")[0] for line in str(told.value).splitlines()] == [
        "cell 1, line 2",
        "cell 2, line 2",
    ]


def test_a_method_that_may_change_what_others_take_is_warned_of() -> None:
    """Only where another cell would notice; modules are not changed by their functions."""
    made = plan("m = make()", "m.train()", "p = m", known=["make", "log"], fixed=["make"])
    assert made.warnings == (
        "cell 2, line 2 calls a method of 'm', which comes from cell 1. If that changes it, cell 3 will not see the "
        "change: each cell gets a copy of its own. Move the call into the cell that makes it.",
    )
    assert plan("m = 1", "m.train()").warnings == ()
    assert plan("plt.plot(1)\nplt.title = 2", "plt.show()", known=["plt"], fixed=["plt"]).cells[0].gives == ()


def test_what_a_cell_assigns_is_never_taken_from_the_notebook() -> None:
    """After a run the notebook has it, and another run must not depend on that."""
    made = plan("if flag:\n    x = 1\ny = x", known=["flag", "x", "y"])
    assert made.cells[0].from_notebook == ("flag",)


def test_in_order_the_nearest_cell_above_gives() -> None:
    """As in a notebook that is run from the top."""
    made = plan("x = [1]", "y = x", "x = x + [2]", "x.append(3)", "z = x", is_ordered=True)
    assert edges(made) == [(1, "x", 2), (1, "x", 3), (3, "x", 4), (4, "x", 5)]
    with pytest.raises(
        UsageError, match=r"cell 1, line 2 reads 'b', which is assigned below it only, by cell 2, line 2"
    ):
        plan("a = b", "b = 1", is_ordered=True)


NAMES = st.sampled_from("abc")


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Statements on lists of numbers that make no two names for one list."""
    a, b, c, number = draw(NAMES), draw(NAMES), draw(NAMES), draw(st.integers(0, 3))
    return draw(
        st.sampled_from(
            [
                f"{a} = [{number}]",
                f"{a} = {b} + {c}",
                f"{a} = [x + {number} for x in {b}]",
                f"{a}.append({number})",
                f"{a}[0] = {number}",
                f"{a} += [{number}]",
                f"if len({a}) > {number}:\n    {b} = {c} + [{number}]",
                f"for i in {a}[:2]:\n    {b} = [i]",
                f"def f(x):\n    return x + {a}[:1]\n{b} = f({c})",
            ]
        )
    )


cells_of_statements = st.lists(st.lists(statements(), min_size=1, max_size=2).map("\n".join), min_size=3, max_size=7)
START = {"a": [0], "b": [1, 2], "c": [3]}


def run_planned(sources: Sequence[str], made: GraphPlan, order: Sequence[int]) -> dict[str, Any]:
    """Each cell by itself, on copies of what it takes; what the last ones give, by the order of the cells."""
    given: dict[int, dict[str, Any]] = {}
    for place in order:
        cell = made.cells[place]
        space: dict[str, Any] = {name: copy.deepcopy(START[name]) for name in cell.from_notebook}
        for name, giver in cell.from_cells.items():
            if name in given[giver]:
                space[name] = copy.deepcopy(given[giver][name])
        exec(sources[place], space)
        given[place] = {name: space[name] for name in cell.gives if name in space}
    return {name: value for place in range(len(sources)) for name, value in given.get(place, {}).items()}


def run_from_top(sources: Sequence[str], start: dict[str, Any]) -> dict[str, Any]:
    space = copy.deepcopy(start)
    for source in sources:
        exec(source, space)
    return space


def values(names: dict[str, Any]) -> dict[str, Any]:
    return {name: names[name] for name in "abc" if name in names}


@settings(max_examples=300)
@given(cells_of_statements)
def test_cells_in_order_give_what_the_notebook_gives_from_the_top(sources: list[str]) -> None:
    """Whatever the cells assign, change in place, or assign on one path only."""
    sources = [f"a, b, c = {START['a']}, {START['b']}, {START['c']}", *sources]
    made = plan(*sources, is_ordered=True)
    assert values(run_planned(sources, made, made.order)) == values(run_from_top(sources, {}))


@given(cells_of_statements, st.randoms(use_true_random=False))
def test_accepted_cells_give_the_same_in_any_order(sources: list[str], random: Any) -> None:
    """Marking cells in another order does not change what comes out, if they are not refused."""
    try:
        made = plan(*sources, known=list(START))
    except UsageError:
        return
    shuffled = list(enumerate(sources))
    random.shuffle(shuffled)
    again = plan(*(source for _, source in shuffled), known=list(START))
    moved = [place for place, _ in shuffled]
    before = {(taker, name): giver for taker, cell in enumerate(made.cells) for name, giver in cell.from_cells.items()}
    after = {
        (moved[taker], name): moved[giver]
        for taker, cell in enumerate(again.cells)
        for name, giver in cell.from_cells.items()
    }
    assert before == after
    results: list[Callable[[], dict[str, Any]]] = [
        lambda: run_planned(sources, made, made.order),
        lambda: run_planned([source for _, source in shuffled], again, again.order),
    ]
    outcomes = []
    for result in results:
        try:
            outcomes.append({name: value for name, value in values(result()).items() if _givers(made, name) == 1})
        except NameError:
            outcomes.append({})
    assert outcomes[0] == outcomes[1]


def _givers(made: GraphPlan, name: str) -> int:
    return sum(name in cell.gives for cell in made.cells)
