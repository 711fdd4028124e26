"""`covalent-lab run`: notebooks as workflows, headless, against a real server and real kernels."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect
from tests.cli.conftest import Run, clean_up, move


def write(folder: Path, *sources: str, parameters: int | None = None, language: str = "python") -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if parameters is not None:
        cells[parameters].metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {
        "name": "python3", "display_name": "Python 3", "language": language,
    }})  # fmt: skip
    path = folder / "study.ipynb"
    nbformat.write(notebook, path)
    return path


def outputs(path: Path) -> list[str]:
    """The text below each code cell."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return ["\n".join(_text(output) for output in cell.outputs) for cell in cells]


def _text(output: Any) -> str:
    return output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", "")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Iterator[None]:
    """A server that was started by the command line; this process's own folders are its."""
    with pytest.MonkeyPatch.context() as patch:
        move(tmp_path_factory.mktemp("server"), patch)
        assert run("start", "--no-cluster", "--port", 0).exit_code == 0
        yield
        assert run("stop").exit_code == 0
        clean_up()


MARKED = (
    "import math\nn = 2\nnames = ['é', 'b']\ndef square(x):\n    return x * x",
    "%%covalent task --name squares\nprint('squaring')\nxs = [square(x) for x in range(n)]",
    "%%covalent task --name total\ntotal = math.fsum(xs)\n(names, total)",
)


def test_marked_cells_run_as_a_workflow_and_what_they_leave_stands_below_them(
    server: None, run: Run, tmp_path: Path
) -> None:
    """In a copy; the notebook itself stays as it was."""
    path = write(tmp_path, *MARKED)
    before = path.read_bytes()
    done = run("run", path, "-p", "n=4", "-p", 'names=["ü"]', "--json")
    assert (done.exit_code, path.read_bytes()) == (0, before)
    form = json.loads(done.stdout)
    assert (form["output"], form["error"], len(form["dispatch_ids"])) == (str(tmp_path / "study.executed.ipynb"), "", 1)
    below = outputs(tmp_path / "study.executed.ipynb")
    assert below[0] == ""
    assert below[1].startswith("✓ Completed: squares (gives xs")
    assert below[1].endswith("\nsquaring")
    assert below[2].endswith("\n(['ü'], 14.0)")
    sources = [cell.source for cell in nbformat.read(tmp_path / "study.executed.ipynb", as_version=4).cells]
    assert sources == ["import math\nn = 4\nnames = ['ü']\ndef square(x):\n    return x * x", *MARKED[1:]]
    shown = json.loads(run("show", form["dispatch_ids"][0], "--json").stdout)
    assert (shown["name"], shown["status"]) == ("study", "COMPLETED")

    run("run", path, "-p", "n=4", "-o", tmp_path / "again.ipynb")
    squares, total = outputs(tmp_path / "again.ipynb")[1:]
    assert "unchanged: taken over from an earlier run" in squares  # by another kernel
    assert "unchanged" not in total  # it takes names, which were others


def test_a_notebook_without_marks_runs_cell_by_cell_in_order(server: None, run: Run, tmp_path: Path) -> None:
    """Imports, definitions and literals stay in the kernel; names are assigned again as in any notebook."""
    path = write(
        tmp_path,
        "%matplotlib inline\nimport os, math",
        "n = 3",
        "def double(x):\n    return 2 * x",
        "xs = list(range(n))",
        "xs = [double(x) for x in xs]\nhere = os.getpid()",
        "xs.append(10)",
        "print(sum(xs), os.getpid() == here)",
    )
    out = tmp_path / "done.ipynb"
    done = run("run", path, "-p", "n=4", "-o", out)
    assert done.exit_code == 0, done.output
    below = outputs(out)
    assert below[:3] == ["", "", ""]
    assert below[6].splitlines()[-1].startswith("22 ")
    assert [cell.source for cell in nbformat.read(out, as_version=4).cells][3] == "xs = list(range(n))"
    shown = json.loads(run("show", done.stdout.strip(), "--json").stdout)
    assert [node["name"] for node in shown["nodes"] if not node["name"].startswith(":")] == [
        "xs", "xs_here", "xs", "cell_7"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ((*MARKED[:2], "%%covalent task\ny = 1\nxs[7]"), "cell [3] y, line 3: IndexError: list index out of range"),
        (("import math\n\n1 / 0", *MARKED[1:]), "cell [1], line 3: ZeroDivisionError: division by zero"),
        (("%%covalent task\nx = 1", "%%covalent task --name b\ny = zz"), "cell [2] b, line 2 reads 'zz'"),
        (("%%covalent task\n\n!ls",), "Line 3: '!ls' is for the notebook only"),
        (("x = [1]", "y = x[0]\ny / 0"), "cell [2] y, line 2: ZeroDivisionError: division by zero"),
        (("%%covalent task\nx = 1", "import os\nos._exit(1)"), "cell [2]: the kernel died."),
    ],
    ids=["task", "kernel", "ambiguous", "shell", "unmarked", "crash"],
)
def test_a_failure_is_told_by_cell_and_line_and_the_copy_is_saved(
    server: None, run: Run, tmp_path: Path, sources: tuple[str, ...], message: str
) -> None:
    """Exit code 1; what ran before is in the copy."""
    done = run("run", write(tmp_path, *sources))
    assert done.exit_code == 1
    assert message in done.stderr
    assert (tmp_path / "study.executed.ipynb").exists()


def test_a_notebook_that_runs_itself_uses_the_executor_asked_for(server: None, run: Run, tmp_path: Path) -> None:
    """Its own line is kept, and what comes behind it sees the results."""
    path = write(tmp_path, "%load_ext covalent_lab", "%%covalent task\nx = 20", "%covalent run --again", "x + 1")
    done = run("run", path, "--executor", "local")
    assert done.exit_code == 0, done.output
    executed = nbformat.read(tmp_path / "study.executed.ipynb", as_version=4)
    below = outputs(tmp_path / "study.executed.ipynb")
    assert (executed.cells[2].source, below[0], below[3]) == ("%covalent run --again", "", "21")
    assert len(done.stdout.split()) == 1
    assert run("run", path, "--executor", "nowhere").exit_code == 1


@pytest.mark.parametrize(
    ("sources", "options", "code", "message"),
    [
        (MARKED, ["-p", "k=1"], 1, "There is no parameter 'k': an unmarked cell would have to assign it. "
         "Assigned there: n, names."),
        (("n = 1", "n = 2"), ["-p", "n=3"], 1, "'n' is assigned in cell [1], line 1 and cell [2], line 1."),
        (MARKED, ["-p", "n"], 2, "'n' is not of the form NAME=VALUE."),
        (("import os",), [], 1, "The notebook has nothing to run"),
        (("x = input()", "y = x\n%time z = y"), [], 1, "cell [2], line 2: '%time z = y' is for the notebook only"),
        (("y = [1", ), [], 1, "cell [1], line 1 is not Python"),
        (("exec('x')",), [], 1, "cell [1]: Line 1: a cell of a workflow cannot call exec()"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_before_a_kernel_starts(
    server: None, run: Run, tmp_path: Path, sources: tuple[str, ...], options: list[str], code: int, message: str
) -> None:
    """No copy is written."""
    done = run("run", write(tmp_path, *sources), *options)
    assert (done.exit_code, (tmp_path / "study.executed.ipynb").exists()) == (code, False)
    assert message in " ".join(done.stderr.split())


def test_only_notebooks_in_python_are_run(server: None, run: Run, tmp_path: Path) -> None:
    """Anything else is named for what it is."""
    done = run("run", write(tmp_path, "x <- 1", language="R"))
    assert (done.exit_code, "is in R; only notebooks in Python" in done.stderr) == (1, True)
    (tmp_path / "text.ipynb").write_text("no notebook")
    done = run("run", tmp_path / "text.ipynb")
    assert (done.exit_code, "is not a notebook" in done.stderr) == (1, True)


def test_a_tagged_cell_has_the_parameters(server: None, run: Run, tmp_path: Path) -> None:
    """Also where other cells assign the same names."""
    path = write(tmp_path, "n: int = 1  # é\nk = 'a'", "%%covalent task\nm = (n, k)\nm", "n = 1", parameters=0)
    done = run("run", path, "-p", "n=5", "-p", "k=text", "-o", tmp_path / "out.ipynb")
    assert done.exit_code == 0, done.output
    assert nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[0].source == "n: int = 5  # é\nk = 'text'"


def test_an_interrupt_cancels_the_dispatch_and_saves_the_copy(server: None, tmp_path: Path) -> None:
    """Whoever presses Ctrl-C wants nothing to go on."""
    path = write(tmp_path, "%%covalent task --name sleeper\nimport time\ntime.sleep(600)")
    feed = connect().subscribe()
    command = [sys.executable, "-m", "covalent_lab", "run", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for frame in feed:
            running = [item for item in frame.get("items", ()) if item["status"] == "RUNNING" and item["node_id"] == 0]
            if running:
                feed.close()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=200)
    assert process.returncode != 0
    assert ct.get_result(running[0]["dispatch_id"], wait=True).status == "CANCELLED"
    assert "sleeper" in outputs(tmp_path / "study.executed.ipynb")[0]


def test_the_server_is_started_where_none_runs(
    home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays, so that the dispatch can be looked at."""
    monkeypatch.setenv("COVALENT_DISABLE_DASK", "1")
    done = run("run", write(tmp_path, "%%covalent task\nx = 1"))
    assert done.exit_code == 0, done.output
    assert "Started the server at http" in done.stderr
    assert json.loads(run("list", "--json").stdout)[0]["name"] == "study"
    assert run("stop").exit_code == 0
