"""The notebook as a workflow in a real IPython shell: `%%covalent task`, `%covalent draw`, `run` and `forget`."""

import os
import signal
import threading

import pytest
from IPython.core.interactiveshell import InteractiveShell  # noqa: TID253  this is about IPython

from covalent_lab.client.api import get_result
from covalent_lab.client.connection import connect
from covalent_lab.client.repeating import redispatch
from covalent_lab.notebook.taskcells import CellBook
from tests.unit.notebook.shells import Notebook


@pytest.fixture(autouse=True)
def unmarked(shell: InteractiveShell) -> None:
    """No cell is marked when a test begins."""
    CellBook.of(shell).forget()


def newest() -> str:
    return str(connect().list_dispatches(count=1)["items"][0]["dispatch_id"])


def test_marked_cells_run_as_one_workflow_and_give_their_names_back(notebook: Notebook) -> None:
    """Functions of the notebook come along, its values are inputs; nothing runs before it is asked for."""
    notebook.run(
        "import math\nn = 3\ndef root(x):\n    return math.sqrt(x)",
        "%%covalent task --name total\nprint('adding')\ntotal = sum(roots)\ntotal",
        "%%covalent task\nimport os\nroots = [root(x * x) for x in range(n)]\npid = os.getpid()",
    )
    assert (notebook.out, "roots" in notebook) == (
        "○ Pending: roots_pid (marked · takes n, root · gives roots, pid)\n",
        False,
    )
    notebook.run("%covalent run")
    assert notebook.error is None
    assert (notebook["roots"], notebook["total"]) == ([0.0, 1.0, 2.0], 3.0)
    assert notebook["pid"] != os.getpid()
    assert notebook.out.index("Completed: roots_pid") < notebook.out.index("Completed: total (gives total")
    assert "adding\n3.0\n" in notebook.out
    result = get_result(newest())
    assert sorted(node.name for node in result.graph.nodes if not node.name.startswith(":")) == ["roots_pid", "total"]
    assert result.inputs is not None
    assert result.inputs.get_deserialized()["kwargs"] == {"n": 3}
    assert "adding" in result.lattice.workflow_function_string


def test_only_cells_run_again_whose_code_or_inputs_changed(notebook: Notebook) -> None:
    """Comments are no code; a cell whose input turns out the same is not run either."""
    mark = "%%covalent task --name"
    notebook.run(
        "n = 2\nk = 1",
        f"{mark} first\nimport time\nxs = [1] * n\nat_first = time.time()",
        f"{mark} second\nimport time\nys = [k * x for x in xs]\nat_second = time.time()",
        "%covalent run",
    )
    first, second = notebook["at_first"], notebook["at_second"]
    notebook.run(f"{mark} second\nimport time\n\n# the same\nys = [k * x\n      for x in xs]\nat_second = time.time()")
    notebook.run("%covalent run")
    assert (notebook["at_first"], notebook["at_second"]) == (first, second)
    assert notebook.out.count("unchanged: taken over from an earlier run") == 2
    notebook.run("%covalent run k=5")
    assert (notebook["at_first"], notebook["ys"], notebook["k"]) == (first, [5, 5], 1)
    assert notebook["at_second"] > second
    notebook.run("%covalent run --again")
    assert notebook["at_first"] > first


def test_functions_of_the_notebook_count_by_their_code(notebook: Notebook) -> None:
    """Defining one anew changes nothing; changing it does."""
    notebook.run("def f():\n    return 1", "%%covalent task\nimport time\na = f()\nat = time.time()", "%covalent run")
    at = notebook["at"]
    notebook.run("\n\ndef f():\n    return 1  # as before", "%covalent run")
    assert (notebook["a"], notebook["at"]) == (1, at)
    notebook.run("def f():\n    return 2", "%covalent run")
    assert notebook["a"] == 2


def test_draw_shows_the_workflow_without_running_it(notebook: Notebook) -> None:
    """Cells are its tasks, names its edges, parameters its inputs."""
    notebook.run("n = 3", "%%covalent task\nxs = [n]", "%%covalent task --name show\nprint(xs)", "%covalent draw")
    assert notebook.out == (
        "notebook: 3 tasks, 1 parameter, 5 edges, 4 levels\n"
        "    xs(0) ← 3\n      show(2) ← xs(0)\n        result(3) ← show(2)\n"
    )
    assert "xs" not in notebook


def test_a_failing_cell_is_told_by_cell_and_line_and_the_others_names_come_back(notebook: Notebook) -> None:
    """What follows it does not run."""
    notebook.run(
        "%%covalent task --name good\na = 1",
        "%%covalent task --name bad\nprint('before')\nb = a\nb / 0",
        "%%covalent task --name after\nc = b",
        "%covalent run",
    )
    assert type(notebook.error).__name__ == "TaskRuntimeError"
    assert str(notebook.error).endswith(" bad, line 4: ZeroDivisionError: division by zero")
    assert notebook.out.count('bad>", line 4, in <module>') == 2
    assert "runner" not in notebook.out
    assert "before\n" in notebook.out
    assert (notebook["a"], "b" in notebook, "Completed: after" in notebook.out) == (1, False, False)


def test_a_value_that_cannot_leave_its_cell_is_told_where_it_is_missed(notebook: Notebook) -> None:
    """With the reason; a cell that nobody takes it from only says so."""
    notebook.run("%%covalent task --name one\nimport threading\nlock = threading.Lock()", "%covalent run")
    assert (notebook.error, "lock" in notebook) == (None, False)
    assert "lock is not brought back (lock: cannot pickle '_thread.lock' object)" in notebook.out
    notebook.run("%%covalent task --name two\nx = lock.locked()", "%covalent run")
    assert "NameError: 'lock' cannot leave the cell 'one': lock: cannot pickle" in notebook.out


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["%covalent run"], "No cell is marked as a task. Begin cells with %%covalent task"),
        (["%covalent draw"], "No cell is marked as a task"),
        (["%%covalent task\nx = (1"], "SyntaxError: '(' was never closed"),
        (["%%covalent task\n\n!ls"], "Line 3: '!ls' is for the notebook only"),
        (["%%covalent task\nfrom os import *"], "Line 2: nobody can tell which names"),
        (["%%covalent task --name a\nx = 1", "%%covalent task --name b\nx = 2",
          "%%covalent task --name c\ny = x", "%covalent draw"], "c, line 2: which one is meant?"),
        (["%%covalent task\ny = nowhere", "%covalent run"], "reads 'nowhere', which neither the notebook"),
        (["n = 1", "%%covalent task\ny = n", "%covalent run k=2"],
         "No marked cell takes 'k' from the notebook. They take n."),
        (["n = 1", "%%covalent task\ny = n", "%covalent run n"], "write NAME=VALUE"),
        (["n = 1", "%%covalent task\ny = n", "%covalent run n=1/0"], "cannot be evaluated: division by zero"),
        (["def f():\n    return s", "def g():\n    return f()", "%%covalent task --name a\ns = 1",
          "%%covalent task\ny = g()", "%covalent run"], "f() of the notebook, which the cells take as 'g', reads 's'"),
        (["%covalent forget x"], "No marked cell is called 'x'. There are: none."),
        (["import threading\nlock = threading.Lock()", "%%covalent task\ny = lock", "%covalent run"], "Cannot pickle"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_anything_is_submitted(notebook: Notebook, cells: list[str], message: str) -> None:
    """By a line, without frames of this package."""
    before = connect().list_dispatches(count=1)["total"]
    notebook.run(*cells)
    assert notebook.error is not None
    assert message in notebook.out + notebook.err
    assert "notebookcommands.py" not in notebook.out + notebook.err
    assert connect().list_dispatches(count=1)["total"] == before


def test_a_refused_cell_is_not_marked_any_more(notebook: Notebook) -> None:
    """The workflow is that of the cells as they stand."""
    notebook.run("%%covalent task --name a\nx = 1", "%%covalent task --name a\nx = (")
    assert CellBook.of(notebook.shell).cells == ()


def test_a_semicolon_hides_the_last_value(notebook: Notebook) -> None:
    """As in any cell."""
    notebook.run("%%covalent task --name seen\n'shown'", "%%covalent task --name quiet\n'hidden';", "%covalent run")
    assert "'shown'" in notebook.out
    assert "'hidden'" not in notebook.out


def test_forget_unmarks_cells_by_name_or_all(notebook: Notebook) -> None:
    """For cells that were deleted from the notebook."""
    notebook.run("%%covalent task\na = 1", "%%covalent task\nb = 1", "%%covalent task\nc = 1", "%covalent forget a")
    assert [cell.task.name for cell in CellBook.of(notebook.shell).cells] == ["b", "c"]
    notebook.run("%covalent forget")
    assert (notebook.out, CellBook.of(notebook.shell).cells) == ("Unmarked: b, c.\n", ())


def test_a_warning_is_told_and_the_cells_run(notebook: Notebook) -> None:
    """It may be meant."""
    notebook.run(
        "class Box:\n    x = 1\n    def grow(self):\n        self.x += 1",
        "%%covalent task --name make\nbox = Box()",
        "%%covalent task --name grow\nbox.grow()",
        "%%covalent task --name read\nseen = box.x",
        "%covalent run",
    )
    assert notebook.err.startswith("Warning: cell [")
    assert "calls a method of 'box'" in notebook.err
    assert notebook["seen"] == 1


def test_options_of_a_cell_are_those_of_its_task(notebook: Notebook) -> None:
    """Executors by name or variable, retries, and never taking over a result."""
    notebook.run(
        "from covalent_lab_executors.local import LocalExecutor\nhere = LocalExecutor(workdir='w')",
        "%%covalent task -e here --retries 2 --no-cache\nimport time\na = time.time()",
        "%covalent run --executor local",
    )
    first = notebook["a"]
    notebook.run("%covalent run")
    assert notebook["a"] > first
    options = [option for option in get_result(newest()).graph.options if option.executor_data]
    assert [option.executor_data["attributes"]["retries"] for option in options] == [2]


def test_a_run_in_the_background_is_brought_by_result(notebook: Notebook) -> None:
    """Also the names of cells that are not the last."""
    notebook.run("%%covalent task\na = 1", "%%covalent task\nb = a + 1\nb", "%covalent run --background")
    dispatch_id = newest()
    assert "a" not in notebook
    get_result(dispatch_id, wait=True)
    notebook.run(f"%covalent result {dispatch_id[:8]}")
    assert (notebook["a"], notebook["b"]) == (1, 2)


def test_a_run_can_be_dispatched_again_with_another_parameter(notebook: Notebook) -> None:
    """It is a workflow like any other."""
    notebook.run("n = 1\ndef twice(x):\n    return 2 * x", "%%covalent task\na = twice(n)\na", "%covalent run")
    again = get_result(redispatch(newest())(n=21), wait=True)
    assert again.result.names == {"a": 42}


def test_an_interrupt_cancels_the_run(notebook: Notebook) -> None:
    """The stop button; the cell that ran says so."""
    notebook.run("%%covalent task --name sleeper\nimport time\ntime.sleep(600)")

    def interrupt_when_it_runs() -> None:
        feed = connect().subscribe()
        for frame in feed:
            if any(item["status"] == "RUNNING" and item["node_id"] == 0 for item in frame.get("items", ())):
                feed.close()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_when_it_runs, daemon=True).start()
    notebook.run("%covalent run")
    assert isinstance(notebook.error, KeyboardInterrupt)
    assert get_result(newest(), wait=True).status == "CANCELLED"
    assert "Cancelled: sleeper" in notebook.out
