"""Leptons: what may be asked for, what their nodes are, and what each language does with values."""

import copy
import ctypes
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from covalent_lab import payload
from covalent_lab.errors import UsageError
from covalent_lab.graph.model import Graph
from covalent_lab.workflow.electron import Electron
from covalent_lab.workflow.lattice import lattice
from covalent_lab.workflow.lepton import Lepton
from covalent_lab.workflow.lepton_shell import fill_fields
from tests.unit.workflow.interpreter import evaluate
from tests.unit.workflow.test_electron import FakeCall, FakeExecutor

IN, OUT, BOTH = Lepton.INPUT, Lepton.OUTPUT, Lepton.INPUT_OUTPUT

C_SOURCE = """
#include <string.h>
void scale(double factor, int count, const double *in, double *out) {
    for (int i = 0; i < count; i++) out[i] = factor * in[i];
}
void halve(int *number, int *rest) { *rest = *number % 2; *number /= 2; }
void length(const char *text, int *count) { *count = (int) strlen(text); }
void nothing(int number) { (void) number; }
"""


class FakeTransfer:
    """A file transfer, as electrons see it."""

    order = "before"

    def cp(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """Its two calls."""
        return list, list


@pytest.fixture(scope="module")
def library(require: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A shared library."""
    folder = tmp_path_factory.mktemp("c")
    source, library = folder / "small.c", folder / "libsmall.so"
    source.write_text(C_SOURCE)
    subprocess.run([require("gcc", "cc"), "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


def graph_of(body: Any, **options: Any) -> Graph:
    """The graph of a workflow function."""
    built = lattice(body, **options)
    built.build_graph()
    return built.graph


# -- what may be asked for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"language": "fortran", "command": "x"}, "knows no language 'fortran'"),
        ({"language": "BASH", "command": "x"}, "knows no language 'BASH'"),
        ({"language": "bash"}, "either library_name or command, got neither"),
        ({"language": "shell", "library_name": "a.sh", "function_name": "f", "command": "x"}, "got both"),
        ({}, "either library_name or command, got neither"),
        ({"library_name": "math", "function_name": "sqrt", "command": "x"}, "got both"),
        ({"command": "print(1)"}, "A command is for the shell"),
        ({"library_name": "math"}, "Which function of 'math'"),
        ({"language": "bash", "library_name": "a.sh"}, "Which function of 'a.sh'"),
        ({"language": "C", "library_name": "libm.so"}, "Which function of 'libm.so'"),
        ({"language": "C"}, "needs library_name"),
        ({"language": "c", "library_name": "l", "function_name": "f", "command": "x"}, "takes no command"),
        ({"language": "C", "library_name": "l", "function_name": "f", "named_outputs": ["x"]}, "no named_outputs"),
        (
            {"language": "C", "library_name": "l", "function_name": "f", "argtypes": [(int, 0)]},
            "simple types of ctypes",
        ),
        (
            {"language": "C", "library_name": "l", "function_name": "f", "argtypes": [(ctypes.c_int, OUT)]},
            "which C cannot write to",
        ),
        ({"language": "bash", "command": "x", "argtypes": [int]}, r"each entry is \(type"),
        ({"language": "bash", "command": "x", "argtypes": [(int, 3)]}, r"each entry is \(type"),
        ({"language": "bash", "command": "x", "argtypes": [(list, OUT)]}, "can become one of"),
        ({"language": "bash", "command": "x", "named_outputs": ["a;b"]}, "'a;b' cannot be the name"),
    ],
)
def test_arguments_that_do_not_fit_the_language_are_refused(arguments: dict[str, Any], message: str) -> None:
    """At once, in a sentence."""
    with pytest.raises(ValueError, match=message):
        Lepton(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"command": 5},
        {"command": ["a", 5]},
        {"command": "x", "named_outputs": "x"},
        {"command": "x", "named_outputs": [1]},
        {"command": "x", "display_name": None},
        {"command": "x", "executor": 5},
    ],
)
def test_arguments_of_the_wrong_type_are_refused(arguments: dict[str, Any]) -> None:
    """At once."""
    with pytest.raises(TypeError):
        Lepton("bash", **arguments)


def test_calls_before_a_lepton_deliver_no_arguments() -> None:
    """Except those of file transfers, which the foreign code does not see."""
    with pytest.raises(UsageError, match="unsupported for leptons"):
        Lepton("bash", command="true", call_before=[FakeCall("x")])
    lepton = Lepton("bash", command="true", call_before=[FakeCall()], files=[FakeTransfer()])
    assert len(lepton.metadata["hooks"]["call_before"]) == 3
    assert lepton(files=[("a", "b")]) is None


def test_a_lepton_describes_itself() -> None:
    """Its attributes are what was asked for; types are kept by name."""
    lepton = Lepton(
        "shell", command=["a", "b"], named_outputs=["x"], argtypes=[(int, BOTH)], display_name="do", executor="fake"
    )
    assert isinstance(lepton, Electron)
    assert (lepton.command, lepton.named_outputs, lepton.argtypes) == ("a && b", ["x"], [("int", 2)])
    assert (lepton.language, lepton.library_name, lepton.function_name) == ("shell", "", "")
    assert (lepton.executor, repr(lepton)) == ("fake", "<Lepton do>")
    assert lepton.as_transportable_dict["function_string"] == "a && b\n"
    other = copy.deepcopy(lepton)
    assert (other.command, other.metadata, other.function.__name__) == (lepton.command, lepton.metadata, "do")


# -- nodes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lepton", "name"),
    [
        (Lepton("bash", command="echo 1", display_name="say"), "say"),
        (Lepton("bash", command="echo 1"), "echo 1"),
        (Lepton("bash", command="x" * 300), "x" * 200 + "…"),
        (Lepton("bash", library_name="a.sh", function_name="f"), "f"),
        (Lepton(library_name="math", function_name="sqrt"), "sqrt"),
        (Lepton(library_name="math", function_name="sqrt", display_name="root"), "root"),
    ],
)
def test_a_node_is_called_as_the_lepton_is_shown(lepton: Lepton, name: str) -> None:
    """By display name, else function, else command; an option set later changes nothing of it."""
    lepton.set_metadata("executor", "fake")
    assert graph_of(lambda: [lepton()]).nodes[0].name == name


def test_a_lepton_takes_its_lattices_executor_unless_it_has_one() -> None:
    """As every electron does, and the lepton itself stays as it is."""
    free = Lepton("bash", command="true")
    bound = Lepton("bash", command="true", executor=FakeExecutor(size=2))

    def body() -> Any:
        return [free(), bound()]

    for name in ("first", "second"):
        graph = graph_of(body, executor=name)
        assert [graph.options[graph.nodes[i].options].executor for i in (0, 1)] == [name, "fake"]
    assert free.executor is None


def test_leptons_take_results_of_other_tasks() -> None:
    """By position and by keyword, and give theirs."""
    root = Lepton(library_name="math", function_name="sqrt")
    add = Lepton("bash", command="s=$(($1 + {n}))", named_outputs=["s"], argtypes=[(int, OUT)])
    built = lattice(lambda: add(7, n=Lepton(library_name="math", function_name="floor")(root(16.0))))
    built.build_graph()
    assert evaluate(built.graph, built.payloads) == 11


def test_what_a_worker_gets_needs_nothing_of_this_package(library: str) -> None:
    """The functions of all languages travel by value."""
    leptons = [
        (Lepton(library_name="math", function_name="sqrt"), (4.0,)),
        (Lepton("bash", command="x=$((2 * {n}))", named_outputs=["x"], argtypes=[(int, OUT)]), {"n": 1}),
        (
            Lepton("C", library_name=library, function_name="length", argtypes=[(ctypes.c_char_p, IN), INTS_OUT]),
            ("ab",),
        ),
    ]
    sent = [
        (payload.encode(each.function).tobytes(), args if isinstance(args, tuple) else (), args)
        for each, args in leptons
    ]
    program = (
        "import sys, pickle; sys.modules['covalent_lab'] = None\n"
        "for archive, args, kwargs in pickle.load(sys.stdin.buffer):\n"
        "    data = int.from_bytes(archive[8:16], 'big')\n"
        "    print(pickle.loads(archive[data:])(*args, **(kwargs if isinstance(kwargs, dict) else {})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], input=pickle.dumps(sent), capture_output=True, check=False
    )
    assert (done.stdout.decode().split(), done.stderr.decode()) == (["2.0", "2", "2"], "")


# -- Python -----------------------------------------------------------------------------------------------------------


def test_a_function_of_a_module_is_called() -> None:
    """With whatever arguments; the module is looked for when it runs."""
    assert Lepton("Python", library_name="builtins", function_name="sorted")([2, 1], reverse=True) == [2, 1]
    missing = Lepton(library_name="no_such_module", function_name="f")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        missing()


# -- shell ------------------------------------------------------------------------------------------------------------


def shell(command: Any, *outputs: str, types: list[Any] | None = None) -> Lepton:
    """A lepton whose outputs are text."""
    return Lepton("bash", command=command, named_outputs=outputs, argtypes=types or [(str, OUT)] * len(outputs))


NASTY = [
    "a b",
    "$(touch injected)",
    "`touch injected`",
    "; touch injected",
    "' touch injected '",
    '" ; touch injected ; "',
    "&& touch injected",
    "| touch injected",
    "\n touch injected \n",
    "\\",
    "*",
    "$HOME",
    "{x}",
    "-n",
    "#",
    "ü→",
    "",
]


@pytest.mark.parametrize("value", NASTY)
@pytest.mark.parametrize(
    "command", ["y={x}", 'y="{x}"', "y=''{x}", "y=$x", 'y="$1"', 'y="${1}"', "# don't\ny={x}", "echo \\'; y={x}"]
)
def test_values_are_never_run_as_commands(
    command: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a command mentions them, they arrive as they are."""
    monkeypatch.chdir(tmp_path)
    task = shell(command, "y")
    assert (task(value) if "1" in command else task(x=value)) == value
    assert list(tmp_path.iterdir()) == []


def test_fields_are_one_word_in_any_quotes() -> None:
    """Other braces are the shell's own."""
    names = ["a", "b"]
    assert fill_fields("echo {a} \"<{b}>\" '<{a}>'", names) == 'echo "${a}" "<${b}>" \'<\'"${a}"\'>\''
    untouched = "${a} {{a}} {c} awk '{print $1}' {a,b} \\{a} # it's {a}"
    assert fill_fields(untouched, names) == untouched
    assert fill_fields("'a\\' {a} \"#\" {b}", names) == '\'a\\\' "${a}" "#" "${b}"'


def test_arguments_need_not_be_text() -> None:
    """They are what `str` makes of them."""
    assert shell('y="$1|$2|$3|$x"', "y")(1, 2.5, None, x=[1]) == "1|2.5|None|[1]"


def test_outputs_become_what_their_types_say() -> None:
    """One is given as it is, several as a tuple, none as None; they survive what the command prints and how it ends."""
    kinds = [(int, IN), (int, OUT), (float, OUT), (bool, OUT), (complex, OUT), (str, OUT)]
    task = shell("a=3 b=1e3 c=false d=1+2j e=' x\n\n'; echo a=4; exit 0", *"abcde", types=kinds)
    assert task(1) == (3, 1000.0, False, 1 + 2j, " x\n\n")
    assert shell("true")() is None
    assert shell(["y=1", "y=${y}2"], "y")() == "12"


def test_a_keyword_can_be_changed_and_come_back() -> None:
    """Its type says so, and then there must be as many keywords as such types."""
    task = shell("n=$((n + 1))", "n", types=[(int, BOTH)])
    assert task(n=4) == 5
    with pytest.raises(ValueError, match="Expected 1 keyword arguments"):
        task()
    with pytest.raises(ValueError, match="Expected 2 named outputs"):
        shell("true", "n", types=[(int, OUT), (int, BOTH)])(n=1)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (shell("echo one >&2; echo two >&2; exit 3"), "exit code 3: two\n    one\n    two"),
        (shell(["false", "exit 0"]), "exit code 1"),
        (shell("kill -9 $$"), "signal 9"),
        (shell("echo 'unfinished"), "exit code"),
        (shell("true", "y"), "did not set the shell variable 'y'"),
        (shell("y=1.5", "y", types=[(int, OUT)]), "'y' is '1.5', which is no int"),
    ],
)
def test_a_failing_command_tells_why(task: Lepton, message: str) -> None:
    """Exit code and what it wrote to stderr, or which output is missing or wrong."""
    with pytest.raises((RuntimeError, ValueError)) as caught:
        task()
    assert message in str(caught.value)


@pytest.mark.parametrize("call", [lambda t: t(**{"a b": 1}), lambda t: t(**{"x=1;ls": 1}), lambda t: t("a\0b")])
def test_what_no_shell_can_take_is_refused(call: Any) -> None:
    """Names that are none, and zero characters."""
    with pytest.raises(ValueError, match=r"cannot be the name|zero character"):
        call(shell("true"))


def test_streams_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Where Python prints."""
    shell("echo out; echo err >&2")()
    assert capsys.readouterr() == ("out\n", "err\n")


@pytest.mark.parametrize("has_bash", [True, False])
def test_functions_of_scripts_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Callable[..., str], has_bash: bool
) -> None:
    """With quoted positionals; in sh where there is no bash."""
    folder = tmp_path / "it's here"
    folder.mkdir()
    (folder / "lib.sh").write_text('greet() { text="$greeting $1/$2"; shell="${BASH_VERSION:+bash}"; }\n')
    if not has_bash:
        (tmp_path / "sh").symlink_to(require("dash", "sh"))
        monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(folder)
    for script in ("lib.sh", str(folder / "lib.sh")):
        task = Lepton(
            "bash",
            library_name=script,
            function_name="greet",
            named_outputs=["text", "shell"],
            argtypes=[(str, OUT), (str, OUT)],
        )
        text, shell_name = task("a b", "$(id)", greeting="hi")
        assert text == "hi a b/$(id)"
        assert shell_name == "bash" or not has_bash


def test_without_any_shell_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That names what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="Neither bash nor sh"):
        shell("true")()


# -- C ----------------------------------------------------------------------------------------------------------------

INTS_OUT = (ctypes.POINTER(ctypes.c_int), OUT)
INTS_BOTH = (ctypes.POINTER(ctypes.c_int), BOTH)
DOUBLES = ctypes.POINTER(ctypes.c_double)
SCALE = [(ctypes.c_double, IN), (ctypes.c_int, IN), (DOUBLES, IN), (DOUBLES, OUT)]


def in_c(library: str, name: str, *types: Any) -> Lepton:
    """A lepton of a C function."""
    return Lepton("C", library_name=library, function_name=name, argtypes=types)


def test_c_functions_are_called(library: str) -> None:
    """Scalars, arrays and text go in; what is not input only comes out, in order."""
    assert in_c(library, "halve", INTS_BOTH, INTS_OUT)(9) == (4, 1)
    assert in_c(library, "halve", INTS_BOTH, INTS_OUT)(9, None) == (4, 1)
    assert in_c(library, "scale", *SCALE)(0.5, 3, [2, 4.0, 6], [0.0] * 3) == [1.0, 2.0, 3.0]
    assert in_c(library, "length", (ctypes.c_char_p, IN), INTS_OUT)("four") == 4
    assert in_c(library, "nothing", (ctypes.c_int, IN))(1) is None
    assert in_c(library, "nothing", (ctypes.c_int, IN)).argtypes == [("c_int", 0)]


def test_arrays_of_numpy_are_taken(library: str) -> None:
    """Of one dimension."""
    numpy = pytest.importorskip("numpy")
    values = numpy.arange(3, dtype="float32")
    task = in_c(library, "scale", *SCALE)
    assert task(numpy.float64(2), numpy.int64(3), values, values) == [0.0, 2.0, 4.0]
    with pytest.raises(ValueError, match="Argument 2"):
        task(2.0, 1, numpy.ones((2, 2)), [0.0])


@pytest.mark.parametrize(
    ("name", "types", "args", "message"),
    [
        ("nothing", [(ctypes.c_int, IN)], (1.5,), "Argument 0 of nothing"),
        ("nothing", [(ctypes.c_int, IN)], ([1],), "Argument 0 of nothing"),
        ("nothing", [(ctypes.c_int, IN)], (2**40,), "does not fit"),
        ("nothing", [(ctypes.c_int, IN)], (), "takes 1 arguments, got 0"),
        ("nothing", [(ctypes.c_int, IN)], (1, 2), "takes 1 arguments, got 2"),
        ("halve", [INTS_BOTH, INTS_OUT], ("9",), "Argument 0 of halve"),
        ("halve", [INTS_BOTH, INTS_OUT], (None,), "a value is needed"),
        ("halve", [INTS_BOTH, INTS_OUT], ([2**31],), "does not fit"),
    ],
)
def test_values_that_do_not_fit_their_c_types_are_refused(
    library: str, name: str, types: list[Any], args: tuple[Any, ...], message: str
) -> None:
    """Before C sees them."""
    with pytest.raises(ValueError, match=message):
        in_c(library, name, *types)(*args)


def test_c_takes_no_keywords_and_needs_its_library(library: str) -> None:
    """Both are told when it runs."""
    with pytest.raises(ValueError, match="no keyword arguments"):
        in_c(library, "nothing", (ctypes.c_int, IN))(number=1)
    with pytest.raises(OSError, match=r"libnowhere\.so"):
        in_c("./libnowhere.so", "f")()
    with pytest.raises(AttributeError, match="no_such"):
        in_c(library, "no_such")()
