"""A cell's source as a function that runs anywhere."""

import inspect
import subprocess
import sys
import traceback

import cloudpickle
import pytest

from covalent_lab.notebook.remote import Shipped, cell_task, graph_task


def run(source, gives=(), gives_new=False, **names):
    task = cell_task(source, name="cell", takes=tuple(names), gives=gives, gives_new=gives_new)
    return task(*names.values())


def test_a_cell_takes_names_and_gives_back_names_and_its_last_value() -> None:
    """Assigned names come back if asked for, the last expression as the value."""
    outcome = run("y = x + 1\nz = 2\ny * 2", gives=("y", "never"), x=3)
    assert (outcome.value, outcome.names, outcome.lost, outcome.shown) == (8, {"y": 4}, {}, [])


@pytest.mark.parametrize("source", ["", "x = 1", "# nothing", "for i in range(2): pass"])
def test_a_cell_without_a_last_expression_has_no_value(source: str) -> None:
    """Like a notebook's own cell."""
    assert run(source).value is None


def test_functions_of_a_cell_see_its_other_names() -> None:
    """Definitions share one module, as in a notebook."""
    outcome = run("def f(n):\n    return 1 if n == 0 else n * f(n - 1) + k\nk = 0\nf(4)", gives=("f",))
    assert (outcome.value, cloudpickle.loads(cloudpickle.dumps(outcome)).names["f"](3)) == (24, 6)


def test_standard_pickle_works_inside_a_cell() -> None:
    """What a cell defines can be found in `__main__`, which is put back afterwards."""
    main = sys.modules["__main__"]
    outcome = run("import pickle\nclass P: pass\npickle.loads(pickle.dumps(P())).__class__ is P")
    assert (outcome.value, sys.modules["__main__"] is main) == (True, True)


def test_names_that_cannot_be_pickled_are_named_and_the_others_come_back() -> None:
    """One bad name does not cost the rest."""
    outcome = run("import threading\nlock = threading.Lock()\nx = 1\nlock", gives=("threading", "lock", "x"))
    assert (sorted(outcome.names), list(outcome.lost), outcome.value) == (["threading", "x"], ["lock"], None)
    assert outcome.text.startswith("<unlocked _thread.lock")


def test_star_imports_bring_their_names() -> None:
    """Nobody can know them beforehand."""
    outcome = run("from string import *\nx = 1", gives=("x",), gives_new=True)
    assert outcome.names["ascii_lowercase"].startswith("abc")


def test_tracebacks_show_the_cell_with_the_notebooks_line_numbers() -> None:
    """Line 1 is the magic."""
    with pytest.raises(ZeroDivisionError) as caught:
        run("a = 1\n\ndef f():\n    return a / 0\nf()")
    text = "".join(traceback.format_exception(caught.value))
    assert 'File "<covalent cell>", line 5, in f\n    return a / 0\n' in text
    assert 'File "<covalent cell>", line 6, in <module>\n    f()\n' in text


def test_the_main_module_is_put_back_after_an_error() -> None:
    """A worker process runs other tasks afterwards."""
    main = sys.modules["__main__"]
    with pytest.raises(KeyError):
        run("raise KeyError(1)")
    assert sys.modules["__main__"] is main


def test_a_task_shows_the_cell_as_its_source_and_its_names_as_parameters() -> None:
    """Tracing and the node panel ask the function itself."""
    task = cell_task("if a:\n\n    b = '''x\ny'''\n", name="cell_3", takes=("a", "c"), gives=())
    assert inspect.getsource(task) == "def cell_3(a, c):\n    if a:\n\n        b = '''x\n    y'''\n"
    assert str(inspect.signature(task)) == "(a, c)"


def test_a_task_runs_where_this_package_is_not_installed() -> None:
    """The function travels by value, and so does what it returns."""
    task = cell_task("y = len(xs)\ny", name="cell", takes=("xs",), gives=("y",))
    program = (
        "import sys, cloudpickle\nsys.modules['covalent_lab'] = None\n"
        "task, xs = cloudpickle.load(sys.stdin.buffer)\nsys.stdout.buffer.write(cloudpickle.dumps(task(xs)))"
    )
    sent = cloudpickle.dumps((task, Shipped.of([1, 2])))
    done = subprocess.run([sys.executable, "-I", "-c", program], input=sent, capture_output=True, check=True)
    outcome = cloudpickle.loads(done.stdout)
    assert (outcome.value, outcome.names, str(outcome), type(outcome).covalent_cell) == (2, {"y": 2}, "2\ny = 2", 1)


@pytest.mark.parametrize("value", [[1, [2]], (1,), {1}, {"a": [1]}, 5, "x"])
def test_a_shipped_value_arrives_as_itself(value: object) -> None:
    """Previews show the text of the value, too."""
    shipped = Shipped.of(value)
    assert (cloudpickle.loads(cloudpickle.dumps(shipped)), str(shipped)) == (value, str(value))
    assert type(shipped).__name__ == type(value).__name__


def test_open_figures_come_back_as_images_and_are_closed() -> None:
    """Plotting in a cell shows the plot below it."""
    pytest.importorskip("matplotlib").use("agg")
    import matplotlib.pyplot as plot

    kept = plot.figure()
    outcome = run("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\nfig", gives=("fig",))
    assert [sorted(bundle) for bundle in outcome.shown] == [["image/png", "text/plain"]]
    assert (plot.get_fignums(), outcome._repr_png_()[:4]) == ([kept.number], b"\x89PNG")
    plot.close(kept)


def test_what_a_cell_displays_comes_back_in_order() -> None:
    """`display` exists there as it does in a notebook."""
    source = (
        "class T:\n    def _repr_html_(self): return '<b>t</b>'\n    def __repr__(self): return 't'\ndisplay(1, T())"
    )
    assert run(source).shown == [{"text/plain": "1"}, {"text/plain": "t", "text/html": "<b>t</b>"}]


def in_graph(source, takes, gives=(), **options):
    return graph_task(source, name="cell", file="<cell 3>", first_line=2, takes=takes, gives=gives, **options)


def test_a_cell_of_a_workflow_takes_names_from_the_outcomes_of_others() -> None:
    """Beside values, imports that others make, and functions that are part of its code."""
    first = in_graph("xs = [1, 2]\nhidden = 3", {}, gives=("xs",))()
    second = in_graph(
        "y = math.prod(xs) + double(k)", {"xs": "first", "k": ""}, gives=("y",), imports=["import math"],
        fixed={"double": lambda x: 2 * x},
    )  # fmt: skip
    assert second(first, 5).names == {"y": 12}
    assert list(inspect.signature(second).parameters) == ["xs", "k"]


def test_a_name_that_another_cell_could_not_give_is_told_with_the_reason() -> None:
    """One that it did not assign this time is simply not there."""
    first = in_graph("import threading\nlock = threading.Lock()", {}, gives=("lock", "never"))()
    with pytest.raises(NameError, match="'lock' cannot leave the cell 'first': lock: cannot pickle"):
        in_graph("lock", {"lock": "first"})(first)
    with pytest.raises(NameError, match="name 'never' is not defined"):
        in_graph("never", {"never": "first"})(first)


def test_equal_outcomes_have_equal_pickles_in_any_process() -> None:
    """So that what takes them is recognised as unchanged."""
    code = (
        "import cloudpickle, sys\nfrom covalent_lab.notebook.remote import graph_task\n"
        "task = graph_task('xs = [1]\\nxs', name='c', file='<c>', first_line=2, takes={}, gives=('xs',))\n"
        "sys.stdout.buffer.write(cloudpickle.dumps(task()))"
    )
    found = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(found) == 1
    assert cloudpickle.loads(found.pop()).names == {"xs": [1]}
