"""Leptons, dispatched: a dispatcher in this process, and the real local executor."""

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect
from covalent_lab.errors import GraphBuildError

pytestmark = pytest.mark.usefixtures("private")


def result_of(body: Any, *args: Any) -> Any:
    """The result of a workflow function, dispatched."""
    return ct.get_result(ct.dispatch(ct.lattice(body))(*args), wait=True)


def test_leptons_of_all_languages_work_together(tmp_path: Path, require: Callable[..., str]) -> None:
    """Values go from one to the other; what commands print is in the node's output."""
    source, library = tmp_path / "add.c", tmp_path / "libadd.so"
    source.write_text("void add(double a, double b, double *sum) { *sum = a + b; }")
    subprocess.run([require("gcc", "cc"), "-shared", "-fPIC", "-o", library, source], check=True)
    (tmp_path / "lib.sh").write_text('twice() { echo "doubling $1"; n=$(($1 * 2)); }\n')
    root = ct.Lepton(library_name="math", function_name="isqrt")
    twice = ct.Lepton(
        "bash",
        library_name=str(tmp_path / "lib.sh"),
        function_name="twice",
        named_outputs=["n"],
        argtypes=[(int, ct.Lepton.OUTPUT)],
    )
    number = ctypes.c_double
    add = ct.Lepton(
        "C",
        library_name=str(library),
        function_name="add",
        argtypes=[(number, 0), (number, 0), (ctypes.POINTER(number), ct.Lepton.OUTPUT)],
    )

    result = result_of(lambda x: add(twice(root(x)), 0.5), 17)
    assert (result.status, result.result) == ("COMPLETED", 8.5)
    names = [connect().node(result.dispatch_id, i)["name"] for i in range(4)]
    assert names == ["isqrt", ":parameter:17", "twice", "add"]
    assert connect().stream(result.dispatch_id, 2, "stdout", 0)["text"] == "doubling 4\n"


def test_results_cannot_become_commands(tmp_path: Path) -> None:
    """Nor can what a user gives."""
    quote = ct.Lepton(
        "bash",
        command=f"cd {tmp_path} && text={{text}}$1",
        named_outputs=["text"],
        argtypes=[(str, ct.Lepton.OUTPUT)],
    )

    def body(text: str) -> Any:
        return quote(quote("$(touch a)", text=text), text="`touch b`")

    assert result_of(body, "'; touch c; '").result == "`touch b`'; touch c; '$(touch a)"
    assert list(tmp_path.glob("?")) == []


def test_a_failing_command_fails_its_node() -> None:
    """With its last line as the reason, and everything it wrote in the node's stderr."""
    broken = ct.Lepton("bash", command="echo first >&2; echo no luck >&2; exit 4", display_name="broken")
    result = result_of(lambda: [broken()])
    assert result.status == "FAILED"
    assert "The command ended with exit code 4: no luck" in connect().node(result.dispatch_id, 0)["error"]
    assert connect().stream(result.dispatch_id, 0, "stderr", 0)["text"].startswith("first\nno luck\n")


def test_a_function_that_returns_a_command_is_a_task(tmp_path: Path) -> None:
    """Bare or with options; lists are joined; its node is called as the command unless it has a name."""

    @ct.leptons.bash
    def mark(name: str) -> str:
        """Make a file."""
        return f"touch {tmp_path}/{name}"

    @ct.leptons.bash(display_name="both", executor="local")
    def mark_both(first: str, second: str) -> list[str]:
        return [f"touch {tmp_path}/{first}", f"touch {tmp_path}/{second}"]

    def body(name: str) -> Any:
        return ct.wait(mark_both("y", "z"), mark(name))

    result = result_of(body, "x")
    assert (result.status, result.result) == ("COMPLETED", None)
    assert sorted(path.name for path in tmp_path.glob("?")) == ["x", "y", "z"]
    names = {connect().node(result.dispatch_id, i)["name"] for i in (0, 1)}
    assert names == {"both", f"touch {tmp_path}/x"}
    assert (mark.__name__, mark.__doc__, mark("w")) == ("mark", "Make a file.", None)
    assert (tmp_path / "w").exists()


def test_commands_cannot_be_written_with_results_of_other_tasks() -> None:
    """The error says what to do instead; so do those of other mistakes."""

    @ct.leptons.bash
    def show(values: Any) -> str:
        return f"echo {values}"

    @ct.electron
    def one() -> int:
        return 1

    for body in (lambda: show(one()), lambda: show([{"a": one()}]), lambda: show(values=one())):
        with pytest.raises(GraphBuildError, match="while the workflow is built"):
            ct.lattice(body).build_graph()
    with pytest.raises(TypeError, match="takes a function, not a str"):
        ct.leptons.bash("ls")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="The command of a Lepton is text, not a NoneType"):
        ct.leptons.bash(lambda: None)()  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match="got neither"):
        ct.leptons.bash(lambda: "")()
