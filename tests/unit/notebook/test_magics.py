"""`%%covalent` and `%covalent` in a real IPython shell, with a dispatcher in this process and real workers."""

import os
import signal
import threading

import pytest

import covalent_lab
from covalent_lab.client.connection import connect
from covalent_lab.notebook.magics import unload_ipython_extension
from tests.unit.notebook.shells import Notebook


def test_a_cell_runs_in_another_process_with_the_names_it_needs(notebook: Notebook) -> None:
    """Collections, modules and functions of the notebook go there; assigned names and the last value come back."""
    notebook.run(
        "import math, os, threading\nxs = [1, 4]\ndef root(x):\n    return math.sqrt(x)\nunused = threading.Lock()"
    )
    value = notebook.run("%%covalent\npid = os.getpid()\nroots = [root(x) for x in xs]\nsum(roots)")
    assert (value, notebook["roots"], notebook["pid"] != os.getpid()) == (3.0, [1.0, 2.0], True)
    assert notebook.error is None


def test_what_a_cell_prints_appears_in_the_notebook(notebook: Notebook) -> None:
    """Both streams, exactly."""
    notebook.run("%%covalent\nimport sys\nprint('to out')\nprint('to err', file=sys.stderr)")
    assert "to out\n" in notebook.out
    assert notebook.err == "to err\n"
    assert "Completed: cell_" in notebook.out


def test_a_semicolon_hides_the_last_value(notebook: Notebook) -> None:
    """As in any cell."""
    assert notebook.run("%%covalent\n1 + 1;") is None


def test_functions_and_classes_of_a_cell_can_be_used_afterwards(notebook: Notebook) -> None:
    """They come back by value."""
    notebook.run("%%covalent\nk = 2\ndef double(x):\n    return k * x\nclass P:\n    size = 3")
    assert notebook.run("double(P().size)") == 6


def test_only_the_outputs_asked_for_come_back(notebook: Notebook) -> None:
    """`-o` may be repeated."""
    notebook.run("%%covalent -o a -o b\na = 1\nb = 2\nc = 3\nif c > 3:\n    b = 4")
    assert (notebook["a"], notebook["b"], "c" in notebook) == (1, 2, False)
    notebook.run("%%covalent -o d\nif a > 5:\n    d = 1")
    assert notebook.err == "Not brought back: d (the cell did not assign it this time)\n"


def test_an_error_shows_the_cells_own_lines_and_nothing_else(notebook: Notebook) -> None:
    """The remote traceback takes the place of the local one."""
    notebook.run("%%covalent --name fit\nprint('before')\ndef f(x):\n    return 1 / x\nf(0)")
    assert notebook.out.partition("Traceback")[2] == (
        ' (most recent call last):\n  File "<covalent cell>", line 5, in <module>\n    f(0)\n'
        '  File "<covalent cell>", line 4, in f\n    return 1 / x\n           ~~^~~\n'
        "ZeroDivisionError: division by zero\n"
    )
    assert (type(notebook.error).__name__, notebook.err) == ("TaskRuntimeError", "")
    assert "before\n" in notebook.out
    assert "Failed: fit" in notebook.out


def test_a_chain_of_errors_is_shown_whole(notebook: Notebook) -> None:
    """The cause is what helps."""
    notebook.run("%%covalent\ntry:\n    {}[1]\nexcept KeyError as e:\n    raise ValueError('no') from e")
    assert "KeyError: 1\n\nThe above exception was the direct cause" in notebook.out
    assert notebook.out.endswith("ValueError: no\n")
    assert "runner" not in notebook.out


@pytest.mark.parametrize(
    ("cell", "kind", "message"),
    [
        ("%%covalent\nmissing + 1", "NameError", "NameError: name 'missing' is not defined"),
        ("%%covalent\nlock.acquire()", "SerializationError", "Cannot pickle the variable 'lock' (lock)"),
        ("%%covalent\n[lock]", "SerializationError", "Cannot pickle the variable 'lock' (lock)"),
        ("%%covalent\nboxed", "SerializationError", "Cannot pickle the variable 'boxed' (list)"),
        ("%%covalent\nx = (1", "UsageError", "SyntaxError: '(' was never closed"),
        ("%%covalent\n\nawait f()", "UsageError", "Line 3: a %%covalent cell cannot await"),
        ("%%covalent\n!ls", "UsageError", "Line 2: '!ls' is for the notebook only"),
        ("%%covalent\n%time 1", "UsageError", "Line 2: '%time 1' is for the notebook only"),
        ("%%covalent -o y\nx = 1", "UsageError", "The cell never assigns 'y'"),
        ("%%covalent --nope\nx = 1", "UsageError", "unrecognized arguments: --nope"),
        ("%%covalent --bash\n  ", "UsageError", "The cell is empty"),
        ("%%covalent --bash -o a;b\nls", "UsageError", "'a;b', which -o asks for, cannot be"),
        ("%covalent nope", "UsageError", "%covalent has no sub-command 'nope'. It has status, list,"),
        ("%covalent cancel", "UsageError", "ID"),
        ("%covalent result ffffffff", "MissingLatticeRecordError", "No dispatch 'ffffffff'"),
        ("%covalent open", "UsageError", "No Jupyter server shows this dispatch"),
    ],
)
def test_mistakes_are_told_in_a_line_before_anything_is_submitted(
    notebook: Notebook, cell: str, kind: str, message: str
) -> None:
    """No frames of this package, and nothing in the list."""
    notebook.run("import threading\nlock = threading.Lock()\nboxed = [lock]")
    notebook.run("%%covalent\n0")
    before = connect().list_dispatches(count=1)["total"]
    notebook.run(cell)
    assert type(notebook.error).__name__ == kind
    assert message in notebook.out + notebook.err
    assert "magics.py" not in notebook.out + notebook.err
    assert connect().list_dispatches(count=1)["total"] == before


def test_names_assigned_on_one_path_only_need_not_exist(notebook: Notebook) -> None:
    """They are taken where they do."""
    cell = "%%covalent\ntry:\n    seen\nexcept NameError:\n    seen = 0\nseen += 1\nseen"
    assert [notebook.run(cell), notebook.run(cell)] == [1, 2]


def test_values_that_cannot_come_back_are_named(notebook: Notebook) -> None:
    """The others do, and the last value is shown as text."""
    notebook.run("%%covalent\nimport threading\nlock = threading.Lock()\nx = 1\nlock")
    assert notebook["x"] == 1
    assert "lock" not in notebook
    assert notebook.err == "Not brought back: lock (lock: cannot pickle '_thread.lock' object)\n"
    assert "<unlocked _thread.lock" in notebook.out


def test_an_executor_can_be_named_or_given_by_its_variable(notebook: Notebook) -> None:
    """Names that no executor has are reported as such."""
    notebook.run("from covalent_lab_executors.local import LocalExecutor\nhere = LocalExecutor()")
    assert notebook.run("%%covalent -e here\n5") == 5
    assert notebook.run("%%covalent -e local\n6") == 6
    notebook.run("%%covalent -e nowhere\n7")
    assert "No executor is named 'nowhere'" in notebook.out


def test_a_cell_can_be_a_shell_script(notebook: Notebook) -> None:
    """It sees text and numbers it mentions, shows its streams, and gives back the variables asked for."""
    notebook.run("name, n, ratio, unlike = 'a $(id) b', 3, 0.5, [1]; hidden = 'x'")
    value = notebook.run(
        "%%covalent --bash -o total -o said -o never\n"
        'total=$((n + 1))\nsaid="$name/${ratio}/${#n}/$unlike"\n'
        'echo "out $(printenv hidden)"; echo err >&2\nexit 0'
    )
    assert (value, notebook.error) == (None, None)
    assert (notebook["total"], notebook["said"], "never" in notebook) == ("4", "a $(id) b/0.5/1/", False)
    assert "out \n" in notebook.out
    assert notebook.err == "err\nNot brought back: never (the cell did not assign it this time)\n"


def test_a_failing_shell_script_shows_its_exit_code_and_what_it_wrote(notebook: Notebook) -> None:
    """Nothing of the Python that ran it, and the notebook's variables stay as they were."""
    notebook.run("x = 1")
    notebook.run("%%covalent --bash -o x --name script\nx=2\necho before\necho one >&2; echo two >&2\nexit 3")
    assert type(notebook.error).__name__ == "TaskRuntimeError"
    assert "before\n" in notebook.out
    assert "Failed: script" in notebook.out
    assert notebook.out.endswith("\nRuntimeError: The command ended with exit code 3: two\n    one\n    two\n")
    assert "Traceback" not in notebook.out
    assert (notebook.err, notebook["x"]) == ("one\ntwo\n", 1)


def test_a_shell_script_may_contain_what_python_cells_may_not(notebook: Notebook) -> None:
    """Its text is the shell's alone; a failing Python in it is shown as the shell shows it."""
    assert notebook.run("%%covalent --bash -o y\n! false\ny='it''s' # ?") is None
    assert notebook["y"] == "its"
    notebook.run("%%covalent --bash\nexec >&2\necho Traceback '(most recent call last):'\necho KeyError\nexit 1")
    assert "The command ended with exit code 1: KeyError" in notebook.out


def test_a_cell_need_not_be_waited_for(notebook: Notebook) -> None:
    """Its names and its value are fetched later, by any beginning of the id."""
    assert notebook.run("%%covalent --no-wait --name later\nanswer = 42\nanswer") is None
    assert "answer" not in notebook
    dispatch_id = connect().list_dispatches(count=1)["items"][0]["dispatch_id"]
    connect().detail(dispatch_id, wait_s=60)
    assert (notebook.run(f"%covalent result {dispatch_id[:13]}"), notebook["answer"]) == (42, 42)


def test_interrupting_the_notebook_cancels_the_cell(notebook: Notebook) -> None:
    """Ctrl-C, or the stop button."""

    def interrupt_when_it_runs() -> None:
        connection = connect()
        feed = connection.subscribe()
        for frame in feed:
            if any(item["status"] == "RUNNING" and item["node_id"] == 0 for item in frame.get("items", ())):
                feed.close()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_when_it_runs, daemon=True).start()
    notebook.run("%%covalent\nimport time\ntime.sleep(600)")
    assert isinstance(notebook.error, KeyboardInterrupt)
    assert connect().list_dispatches(count=1)["items"][0]["status"] == "CANCELLED"
    assert "Cancelled: cell_" in notebook.out
    assert notebook.out.endswith("KeyboardInterrupt\n")


def test_the_line_magic_lists_and_tells_and_cancels(notebook: Notebook) -> None:
    """What a dashboard would show, in a line each."""
    notebook.run("%%covalent --name shown\n1")
    dispatch_id = connect().list_dispatches(count=1)["items"][0]["dispatch_id"]
    notebook.run("%covalent list")
    assert notebook.out.startswith(f"{dispatch_id}  shown")
    assert "✓ Completed" in notebook.out.splitlines()[0]
    notebook.run("%covalent")
    assert notebook.out.startswith(f"covalent_lab {covalent_lab.__version__} in this process")
    notebook.run(f"%covalent cancel {dispatch_id}")
    assert dispatch_id in notebook.out


def test_the_result_of_an_ordinary_dispatch_is_a_result(notebook: Notebook) -> None:
    """Not what a cell gives."""
    notebook.run(
        "import covalent_lab as ct\n@ct.lattice\ndef plain(x):\n    return x\n"
        "dispatch_id = ct.dispatch(plain)(3)\nct.get_result(dispatch_id, wait=True);"
    )
    result = notebook.run(f"%covalent result {notebook['dispatch_id']}")
    assert (type(result).__name__, result.result) == ("Result", 3)


def test_figures_of_a_cell_are_shown(notebook: Notebook) -> None:
    """A terminal shows their text."""
    pytest.importorskip("matplotlib")
    notebook.run("%%covalent\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2]);")
    assert "<Figure size" in notebook.out
    assert type(notebook["fig"]).__name__ == "Figure"


def test_the_extension_can_be_unloaded_and_loaded_again(notebook: Notebook) -> None:
    """As any other."""
    unload_ipython_extension(notebook.shell)
    notebook.run("%covalent status")
    assert "not found" in notebook.err + notebook.out
    covalent_lab.load_ipython_extension(notebook.shell)
    assert notebook.run("%%covalent\n2") == 2
