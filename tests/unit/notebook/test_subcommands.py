"""The sub-commands of `%covalent` and the options of `%%covalent`, in a real shell with a real dispatcher."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter  # noqa: TID253  this is about IPython

import covalent_lab
import covalent_lab as ct
from covalent_lab.client.connection import connect
from covalent_lab.notebook.completion import complete
from covalent_lab.notebook.subcommands import CELL_DEFAULT, LINE_COMMANDS
from tests.unit.notebook.shells import Notebook

FLOW = """
import sys
import covalent_lab as ct

@ct.electron
def double(x):
    print(f"doubling {x}")
    return 2 * x

@ct.electron
def minus(a, b=0):
    print("to err", file=sys.stderr)
    return a - b

@ct.lattice
def flow(x, y=1):
    return minus(double(x), b=double(y))
"""


@pytest.fixture
def done(notebook: Notebook) -> str:
    """Id of a completed dispatch of `flow(5)`; the workflow is defined in the notebook."""
    notebook.run(FLOW)
    notebook.run("result = ct.get_result(ct.dispatch(flow)(5), wait=True)")
    assert notebook["result"].result == 8
    return notebook["result"].dispatch_id


def node_of(result: ct.Result, name: str) -> int:
    return next(node.id for node in result.graph.nodes if node.name == name)


def newest() -> str:
    return connect().list_dispatches(count=1)["items"][0]["dispatch_id"]


# -- results and logs


def test_the_value_of_a_node_is_brought_by_name_or_id(notebook: Notebook, done: str) -> None:
    """A name that several nodes share is refused with their ids."""
    assert notebook.run(f"%covalent result {done} minus") == 8
    assert notebook.run(f"%covalent result {done[:13]} {node_of(notebook['result'], 'double')}") == 10
    notebook.run(f"%covalent result {done} double")
    assert "2 nodes are named 'double'. Give the id of one:" in notebook.out


def test_a_value_can_be_assigned(notebook: Notebook, done: str) -> None:
    """Of the dispatch, or of a node; a name that is none is refused."""
    assert notebook.run(f"%covalent result {done} -o whole") is None
    notebook.run(f"%covalent result {done} minus --output part")
    assert (notebook["whole"], notebook["part"]) == (8, 8)
    notebook.run(f"%covalent result {done} -o 1x")
    assert "'1x', which -o asks for, cannot be" in notebook.out


def test_a_dispatch_can_be_named_by_a_variable(notebook: Notebook, done: str) -> None:
    """One that holds its id, or its result."""
    notebook.run(f"held = {done!r}")
    assert notebook.run("%covalent result held minus") == 8
    assert notebook.run("%covalent result result minus") == 8


def test_logs_show_what_each_task_printed(notebook: Notebook, done: str) -> None:
    """With headings for several tasks; each stream goes where it went."""
    notebook.run(f"%covalent logs {done}")
    first = node_of(notebook["result"], "double")
    assert f"[double({first})]\ndoubling 5\n" in notebook.out
    assert "doubling 1\n" in notebook.out
    assert notebook.err == "to err\n"
    notebook.run(f"%covalent logs {done} minus --stdout")
    assert (notebook.out, notebook.err) == ("Nothing was printed.\n", "")
    notebook.run(f"%covalent logs {done} minus")
    assert (notebook.out, notebook.err) == ("", "to err\n")


def test_the_last_lines_of_logs(notebook: Notebook) -> None:
    """A long log is not needed whole; without an id the newest dispatch is meant."""
    notebook.run("%%covalent\nfor i in range(9):\n    print(i)")
    notebook.run("%covalent logs -n 2")
    assert notebook.out.endswith("]\n7\n8\n")
    notebook.run("%covalent logs -n 0")
    assert notebook.out.endswith("]\n")


def test_a_node_without_a_value_says_why(notebook: Notebook) -> None:
    """Its status, and its error."""
    notebook.run(
        "import covalent_lab as ct\n@ct.electron\ndef bad():\n    raise ValueError('no luck')\n"
        "@ct.lattice\ndef failing():\n    return bad()\nfailed = ct.get_result(ct.dispatch(failing)(), wait=True)"
    )
    notebook.run("%covalent result failed bad")
    assert "(bad) has no value: it is FAILED. " in notebook.out
    assert "no luck" in notebook.out
    notebook.run("%covalent result failed -o x")
    assert "is FAILED: it has no value to assign." in notebook.out


def test_show_tells_a_dispatch_as_text_in_a_terminal(notebook: Notebook, done: str) -> None:
    """The report, with its nodes."""
    notebook.run(f"%covalent show {done}")
    assert notebook.out.startswith(f"✓ Completed  flow  {done}")
    assert "minus(" in notebook.out


def test_the_list_can_be_filtered(notebook: Notebook, done: str) -> None:
    """By status, by text, and by number."""
    notebook.run("%covalent list --status completed --search flow -n 1")
    assert notebook.out.count("✓ Completed") == 1
    notebook.run("%covalent list -s cancelled --search flow")
    assert notebook.out == "No dispatches yet.\n"
    notebook.run("%covalent list -n 0")
    assert "-n takes a number from 1" in notebook.out


def test_a_dispatch_is_written_into_a_file(notebook: Notebook, done: str, tmp_path: Path) -> None:
    """Its suffix chooses the format; one that is not known is told."""
    notebook.run(f"%covalent export {done} '{tmp_path}/a run.mmd'")
    assert "flowchart" in (tmp_path / "a run.mmd").read_text()
    notebook.run(f"%covalent export {done} {tmp_path}/run.exe")
    assert "end its name in one of" in notebook.out


def test_two_dispatches_are_compared(notebook: Notebook, done: str) -> None:
    """A line for each task that differs, or for all."""
    notebook.run(f"again = %covalent redispatch {done} y=2")
    ct.get_result(notebook["again"], wait=True)
    notebook.run(f"%covalent compare {done} again")
    assert "result: 8 → 6" in notebook.out
    assert "x: 1 → 2; output: 2 → 4" in notebook.out
    lines = notebook.out.count("\n")
    notebook.run(f"%covalent compare {done} again --all")
    assert notebook.out.count("\n") > lines


# -- running again


def test_redispatch_changes_the_arguments_that_are_named(notebook: Notebook, done: str) -> None:
    """Others stay as they were; values are expressions of the notebook."""
    notebook.run("k = 3")
    notebook.run(f"again = %covalent redispatch {done} y=k+1")
    assert ct.get_result(notebook["again"], wait=True).result == 2
    notebook.run(f"again = %covalent redispatch --reuse {done} x=max([4, k]), y=len('a b')")
    assert ct.get_result(notebook["again"], wait=True).result == 2
    notebook.run(f"again = %covalent redispatch {done} --reuse")
    assert ct.get_result(notebook["again"], wait=True).result == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("z=1", "takes no argument 'z'. It takes: x, y."),
        ("x", "'x' is no change of an argument; write NAME=VALUE."),
        ("x=1/0", "cannot be evaluated: division by zero."),
    ],
)
def test_changes_that_make_no_sense_start_nothing(notebook: Notebook, done: str, change: str, message: str) -> None:
    """They are told before."""
    before = connect().list_dispatches(count=1)["total"]
    notebook.run(f"%covalent redispatch {done} {change}")
    assert message in notebook.out
    assert connect().list_dispatches(count=1)["total"] == before


def test_a_single_task_can_be_cancelled(notebook: Notebook) -> None:
    """By its name."""
    notebook.run(
        "import covalent_lab as ct, time\n@ct.electron\ndef sleep():\n    time.sleep(600)\n"
        "@ct.lattice\ndef asleep():\n    return sleep()\nslow = ct.dispatch(asleep)()"
    )
    notebook.run("%covalent cancel slow snore")
    assert "has no node named 'snore'; it has sleep" in notebook.out
    notebook.run("%covalent cancel slow sleep")
    assert ct.get_result(notebook["slow"], wait=True).status == "CANCELLED"


# -- debugging


def test_debug_makes_a_cell_that_loads_the_call_of_a_node(notebook: Notebook, done: str) -> None:
    """Its function, and the very arguments; the debugger shows the source that was recorded."""
    notebook.run("del double, minus")
    notebook.run(f"%covalent debug {done} minus")
    cell = notebook.shell.rl_next_input
    node_id = node_of(notebook["result"], "minus")
    call = f"minus, args, kwargs = load_call({done!r}, {node_id})\n%debug minus(*args, **kwargs)\n"
    assert cell.endswith(call)
    notebook.run(cell.replace("%debug ", "stepped = "))
    assert notebook.error is None
    assert (notebook["args"], notebook["kwargs"], notebook["stepped"]) == ((10,), {"b": 2}, 8)


def test_debug_refuses_what_has_no_call(notebook: Notebook, done: str) -> None:
    """Before it makes a cell."""
    parameter = next(node.id for node in notebook["result"].graph.nodes if node.kind == "parameter")
    notebook.run(f"%covalent debug {done} {parameter}")
    assert "calls no function: there is nothing to step through." in notebook.out
    notebook.run(f"%covalent debug {done} 99")
    assert "has no node 99; it has 0 to" in notebook.out


# -- surroundings


def test_executors_are_listed_with_their_options(notebook: Notebook) -> None:
    """One's options with the values they have."""
    notebook.run("%covalent executors")
    assert "\nlocal " in notebook.out
    notebook.run("%covalent executors local")
    assert [line.split()[:2] for line in notebook.out.splitlines() if "time_limit" in line] == [["time_limit", "-1"]]
    notebook.run("%covalent executors nowhere")
    assert "No executor is named 'nowhere'" in notebook.out


def test_an_executor_is_checked_and_tested(notebook: Notebook) -> None:
    """As on the command line; what makes no sense is refused."""
    notebook.run("%covalent executors check local")
    assert "Usable" in notebook.out
    assert "cloudpickle" in notebook.out
    notebook.run("%covalent executors test local")
    assert [line.split() for line in notebook.out.splitlines() if "Passed" in line] == [["Passed", "yes"]]
    notebook.run("%covalent executors check kernel")
    assert "No kernel is connected" in notebook.out
    notebook.run("import covalent_lab as ct; ct.serve_kernel()")
    notebook.run("%covalent executors check kernel")
    assert "Connected kernels: 1." in notebook.out
    notebook.run("%covalent executors test kernel")
    assert [line.split() for line in notebook.out.splitlines() if "Passed" in line] == [["Passed", "yes"]]
    for line in ("check", "test", "try local", "check local now"):
        notebook.run(f"%covalent executors {line}")
        assert "Write %covalent executors" in notebook.out


def test_the_configuration_is_shown_and_changed(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values are JSON where they can be."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    assert notebook.run("%covalent config sdk.no_cluster") == "false"
    notebook.run("%covalent config sdk.no_cluster true")
    assert notebook.run("%covalent config sdk.no_cluster") == "true"
    notebook.run("%covalent config sdk")
    assert "sdk.no_cluster" in notebook.out
    notebook.run("%covalent config sdk.nope")
    assert "sdk.nope" in notebook.out
    notebook.run("%covalent config dispatcher.port many")
    assert type(notebook.error).__name__ == "ConfigError"


def test_draw_builds_a_workflow_without_running_it(notebook: Notebook) -> None:
    """Arguments are written as in a call; what ran already shows how it stands."""
    notebook.run(FLOW)
    before = connect().list_dispatches(count=1)["total"]
    notebook.run("%covalent draw flow 3, y=len('abc')")
    assert notebook.out.startswith("flow: ")
    assert connect().list_dispatches(count=1)["total"] == before
    notebook.run("%covalent draw sys")
    assert "'sys' is no workflow of this notebook" in notebook.out
    notebook.run("finished = ct.get_result(ct.dispatch(flow)(5), wait=True)")
    for drawn in (
        "%covalent draw finished",
        f"%covalent draw {notebook['finished'].dispatch_id[:13]}",
        "finished.draw()",
    ):
        notebook.run(drawn)
        assert "✓ Completed  flow" in notebook.out
    notebook.run("%covalent draw flow 1/0")
    assert "cannot be evaluated: division by zero." in notebook.out


# -- options of a cell


def test_a_cell_takes_only_the_inputs_it_may(notebook: Notebook) -> None:
    """What it needs beyond them is told before it runs."""
    notebook.run("a, b = 1, 2")
    assert notebook.run("%%covalent --inputs a,b\na + b") == 3
    notebook.run("%%covalent -i a\na + b")
    assert "The cell needs b, which -i leaves out." in notebook.out
    notebook.run("%%covalent -i nope\na")
    assert "'nope', which -i names, is not defined" in notebook.out
    assert notebook.run("%%covalent -i ''\n1") == 1


def test_a_shell_script_gets_the_inputs_that_are_named(notebook: Notebook) -> None:
    """Also those it mentions nowhere."""
    notebook.run("word, unlike = 'hello', [1]")
    notebook.run("%%covalent --bash -i word -o seen\nseen=$(printenv word)")
    assert notebook["seen"] == "hello"
    notebook.run("%%covalent --bash -i unlike\ntrue")
    assert "'unlike', which -i names, is neither a text nor a number" in notebook.out


def test_outputs_can_be_joined_by_commas(notebook: Notebook) -> None:
    """Or repeated."""
    notebook.run("%%covalent --outputs a,b -o c\na, b, c, d = 1, 2, 3, 4")
    assert (notebook["a"], notebook["b"], notebook["c"], "d" in notebook) == (1, 2, 3, False)


def test_a_cell_that_takes_too_long_is_stopped(notebook: Notebook) -> None:
    """After the limit of its line."""
    notebook.run("%%covalent --time-limit 0.2\nimport time\ntime.sleep(600)")
    assert type(notebook.error).__name__ == "TaskRuntimeError"
    assert "limit" in notebook.out


def test_a_cell_is_tried_again(notebook: Notebook, tmp_path: Path) -> None:
    """As often as its line says; other options of its executor stay."""
    notebook.run(f"mark = {str(tmp_path / 'mark')!r}")
    cell = "import os\nwas = os.path.exists(mark)\nopen(mark, 'w').close()\nassert was\n'second'"
    assert notebook.run(f"%%covalent --retries 1 -e local\n{cell}") == "second"
    node = connect().node(newest(), 0)
    assert (node["attempt"], node["executor_data"]["attributes"]["retries"]) == (2, 1)


def test_an_equal_cell_can_take_over_its_result(notebook: Notebook) -> None:
    """With --cache only."""
    cell = "import uuid\nstr(uuid.uuid4())"
    first = notebook.run(f"%%covalent --cache --name once\n{cell}")
    assert notebook.run(f"%%covalent --cache --name once\n{cell}") == first
    assert notebook.run(f"%%covalent --name once\n{cell}") != first


def test_packages_travel_with_a_cell(notebook: Notebook) -> None:
    """What is there already is not installed."""
    assert notebook.run("%%covalent --deps-pip packaging --deps-pip 'cloudpickle>=1'\n3") == 3
    assert notebook.error is None
    deps = json.dumps(connect().node(newest(), 0)["hooks"]["deps"])
    assert ("packaging" in deps, "cloudpickle>=1" in deps) == (True, True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--time-limit soon", "invalid time in seconds value: 'soon'"),
        ("--time-limit 0", "invalid time in seconds value: '0'"),
        ("--retries -1", "--retries"),
        ("--retries 1 -e nowhere", "No executor is named 'nowhere'"),
        ("'open", "cannot be read: No closing quotation"),
        ("frobnicate", "has no sub-command 'frobnicate'"),
    ],
)
def test_lines_that_make_no_sense_are_told(notebook: Notebook, line: str, message: str) -> None:
    """Before anything is submitted."""
    notebook.run(f"%%covalent {line}\n1")
    assert message in notebook.out


# -- help and completion


@pytest.mark.parametrize("line", ["%covalent debug?", "%covalent debug --help", "%covalent debug -h"])
def test_a_sub_command_explains_itself(notebook: Notebook, line: str) -> None:
    """With its arguments."""
    notebook.run(line)
    assert notebook.out.startswith("usage: %covalent debug ID NODE\n")
    assert "steps through the call here" in notebook.out


def test_both_magics_explain_themselves(notebook: Notebook) -> None:
    """By the question mark and by --help, with all that they can do."""
    for line in ("%covalent?", "%covalent --help", "%covalent -h"):
        notebook.run(line)
        assert "redispatch" in notebook.out
        assert "run a dispatch again" in notebook.out
    for line in ("%%covalent?", "%%covalent --help\n1"):
        notebook.run(line)
        assert "--time-limit SECONDS" in notebook.out


def test_the_guide_names_every_sub_command_and_option() -> None:
    """And no others."""
    guide = (Path(covalent_lab.__file__).parents[1] / "docs" / "magics.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`%covalent ([a-z]+) ?[^?`]*` \|", guide)) == set(LINE_COMMANDS)
    told = set(re.findall(r"`(--[a-z-]+)(?: [A-Z]+)?` \|", guide))
    declared = [
        [name for name in action.option_strings if name.startswith("--")] for action in CELL_DEFAULT.parser("").actions
    ]
    assert told == {names[0] for names in declared}
    for command in LINE_COMMANDS.values():
        for action in command.parser("").actions:
            assert not action.option_strings or any(name in guide for name in action.option_strings)


def completed(notebook: Notebook, text: str) -> list[str]:
    with provisionalcompleter():  # as kernels complete
        return [found.text for found in notebook.shell.Completer.completions(text, len(text))]


def offered(notebook: Notebook, text: str) -> list[str]:
    """What this package alone adds to a completion."""
    return complete(notebook.shell, text)[1]


def test_words_are_completed(notebook: Notebook, done: str) -> None:
    """Sub-commands, options, ids, nodes, executors, keys and variables."""
    assert completed(notebook, "%covalent re") == ["redispatch", "result"]
    assert completed(notebook, f"%covalent show {done[:6]}") == [done]
    assert done in completed(notebook, "%covalent cancel ")
    assert completed(notebook, f"%covalent debug {done} mi") == ["minus"]
    assert completed(notebook, "%covalent result result mi") == ["minus"]
    assert str(node_of(notebook["result"], "double")) in completed(notebook, f"%covalent debug {done} ")
    assert offered(notebook, f"%covalent debug {done} minus ") == []
    assert completed(notebook, "%covalent draw fl") == ["flow"]
    assert completed(notebook, "x = 1\n%covalent draw fl") == ["flow"]
    assert completed(notebook, "again = %covalent redis") == ["redispatch"]
    assert completed(notebook, "%covalent config sdk.no_c") == ["sdk.no_cluster"]
    assert completed(notebook, "%covalent executors lo") == ["local"]
    assert completed(notebook, "%covalent executors check lo") == ["local"]
    assert completed(notebook, "%covalent executors che") == ["check"]
    assert completed(notebook, "%covalent list -s COMP") == ["COMPLETED"]
    assert completed(notebook, "%covalent redispatch x --re") == ["--reuse"]
    assert offered(notebook, "%covalent redispatch x --") == ["--help", "--reuse"]
    assert offered(notebook, "%covalent nope ") == []


def test_the_line_of_a_cell_is_completed(notebook: Notebook) -> None:
    """Its options, and what follows them."""
    notebook.run("from covalent_lab_executors.local import LocalExecutor\nlocal_two = LocalExecutor()\nwords = 1")
    assert completed(notebook, "%%covalent --ba") == ["--background", "--bash"]
    assert completed(notebook, "%%covalent -e loc") == ["local", "local_two"]
    assert completed(notebook, "%%covalent --executor=local_") == ["local_two"]
    assert completed(notebook, "%%covalent --bash -i wor") == ["words"]
    assert offered(notebook, "%%covalent --name ") == []


def test_completion_never_fails(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it start a dispatcher."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("covalent_lab.notebook.offers.is_covalent_running", broken)
    assert offered(notebook, "%covalent show ") == []
    assert offered(notebook, "%covalent show 'open ") == []
