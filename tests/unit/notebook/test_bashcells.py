"""A shell cell's variables, and its function where it runs."""

import subprocess
import sys
from typing import Any

import pytest

from covalent_lab import payload
from covalent_lab.errors import UsageError
from covalent_lab.notebook.bashcells import bash_cell_task, exported
from covalent_lab.notebook.cellrun import prepare_bash
from covalent_lab.workflow.task import source_of

NAMES = {"a": 1, "b": "two", "c": 3.0, "d": [4], "ab": 5, "_": 6, "PATH": None}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("echo $a ${b} ${#c} ${!ab} $d $PATH $e", ["a", "b", "c", "ab"]),
        ("echo a {b} \\${c:-0} ${ab%x}", ["c", "ab"]),
        ("echo $1 $$ $? $@ $(a) $((a))", []),
        ("", []),
    ],
)
def test_text_and_numbers_that_are_mentioned_are_exported(source: str, names: list[str]) -> None:
    """As `$name`, in whatever form; other values and other names are not."""
    assert exported(source, NAMES) == {name: NAMES[name] for name in names}


def test_names_of_the_notebooks_machinery_are_not_exported() -> None:
    """Nor are outputs asked for twice given twice."""
    task = prepare_bash("echo $_ $a", NAMES, name="cell", outputs=["x", "x"], hidden={"_": 6})
    assert (dict(task.values), task.gives, task.is_bash) == ({"a": 1}, ("x",), True)


@pytest.mark.parametrize(("source", "outputs"), [("", []), (" \n", []), ("ls", ["a b"]), ("ls", [""]), ("ls", ["1"])])
def test_cells_that_cannot_run_are_refused(source: str, outputs: list[str]) -> None:
    """Before anything is submitted."""
    with pytest.raises(UsageError):
        prepare_bash(source, {}, name="cell", outputs=outputs)


def test_the_function_of_a_cell_needs_nothing_of_this_package() -> None:
    """It travels by value; whoever asks for its source sees the script."""
    task: Any = bash_cell_task("y=$x-1; echo shown", name="cell", takes=("x",), gives=("y", "z"))
    assert source_of(task) == "y=$x-1; echo shown"
    program = (
        "import sys, pickle; sys.modules['covalent_lab'] = None\n"
        "archive = sys.stdin.buffer.read()\n"
        "outcome = pickle.loads(archive[int.from_bytes(archive[8:16], 'big'):])('$(id)')\n"
        "print(outcome.names)\n"
    )
    archive = payload.encode(task).tobytes()
    done = subprocess.run([sys.executable, "-I", "-c", program], input=archive, capture_output=True, check=False)
    assert (done.stdout.decode(), done.stderr.decode()) == ("shown\n{'y': '$(id)-1'}\n", "")
