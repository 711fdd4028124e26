"""Dependencies in a whole dispatch: an embedded dispatcher and the processes of the local executor."""

import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np  # noqa: TID253 - arguments of users are arrays
import pytest

import covalent_lab as ct

LIBRARY = "deps_sample_library"
MODULE = "deps_sample_module"


pytestmark = pytest.mark.usefixtures("one_worker")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip has no network."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def package(folder: Path, version: str) -> str:
    """A wheel that pip can install without network and tools; returns its path."""
    path = folder / f"{LIBRARY}-{version}-py3-none-any.whl"
    parts = {
        f"{LIBRARY}.py": f"VERSION = {version!r}\n",
        f"{LIBRARY}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {LIBRARY}\nVersion: {version}\n",
        f"{LIBRARY}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in parts.items():
            wheel.writestr(name, text)
        record = "".join(f"{name},,\n" for name in parts)
        wheel.writestr(f"{LIBRARY}-{version}.dist-info/RECORD", record)
    return str(path)


def run(task: Any, *args: Any) -> Any:
    """Dispatch a workflow of one task; returns its result."""
    workflow = ct.lattice(lambda: task(*args))
    return ct.get_result(ct.dispatch(workflow)(), wait=60)


def value_of(task: Any, *args: Any) -> Any:
    """What a workflow of one task returns."""
    result = run(task, *args)
    assert str(result.status) == "COMPLETED", result.error
    return result.result


def test_commands_run_first_and_print_into_the_tasks_output(tmp_path: Path) -> None:
    """In order, with bash, without input, and each in a shell of its own."""
    note = tmp_path / "note"

    def look():
        return open(note).read()

    commands = [f"X=1; echo one ${{X}} > {note}", f'[[ -z "$X" ]] && cat >> {note}', "echo hello; sleep 30 & disown"]
    result = run(ct.electron(look, deps_bash=commands))
    assert result.result == "one 1\n"
    assert result.get_node_result(0)["stdout"] == "hello\n"


def test_a_failing_command_fails_the_task_with_its_words() -> None:
    """Later commands and the task do not run."""
    result = run(ct.electron(lambda: 1, deps_bash=["echo it is broken >&2; exit 3", "echo never"]))
    error = result.get_node_result(0)["error"]
    assert "DepsBash: the command 'echo it is broken >&2; exit 3' ended with exit status 3: it is broken" in error
    assert "never" not in result.get_node_result(0)["stdout"]


def test_calls_surround_the_task_and_deliver_arguments() -> None:
    """bash, calls, task, calls; arrays are arguments like others."""

    def deliver(value):
        os.environ["DELIVERED"] = "yes"
        print("before")
        return value

    def task(x, one=None, many=None):
        print(os.environ["DELIVERED"])
        one += 1  # an array of its own
        return x, one.tolist(), many

    made = ct.electron(
        task,
        deps_bash="echo bash",
        call_before=[
            ct.DepsCall(deliver, [np.arange(3)], retval_keyword="one"),
            ct.DepsCall(deliver, kwargs={"value": 1}, retval_keyword="many"),
            ct.DepsCall(deliver, [2], retval_keyword="many"),
        ],
        call_after=ct.DepsCall(print, ["after"]),
    )
    result = run(made, 0)
    assert result.result == (0, [1, 2, 3], [1, 2])
    assert result.get_node_result(0)["stdout"] == "bash\nbefore\nbefore\nbefore\nyes\nafter\n"


@pytest.mark.parametrize("place", ["call_before", "call_after"])
def test_a_failing_call_is_named(place: str) -> None:
    """By its class and the function's name."""

    def explode():
        raise ValueError("no luck")

    error = run(ct.electron(lambda: 1, **{place: ct.DepsCall(explode)})).get_node_result(0)["error"]
    assert "ValueError: no luck [raised by the dependency DepsCall (explode)]" in error


def test_conflicting_packages_work_in_turn_on_one_worker(tmp_path: Path) -> None:
    """Each set is installed once, belongs to its task only, and is there before the function is loaded."""
    old, new = package(tmp_path, "1.0"), package(tmp_path, "2.0")

    def look():
        import deps_sample_library  # type: ignore[import-not-found]

        return deps_sample_library.VERSION, os.getpid()

    def has():
        import importlib.util

        return importlib.util.find_spec("deps_sample_library") is not None, os.getpid()

    first, pid = value_of(ct.electron(look, deps_pip=[old]))
    listed = tmp_path / "requirements.txt"
    listed.write_text(f"--no-index\n{new}  # the other one\n")
    pip = ct.DepsPip(reqs_path=str(listed))
    assert [first, value_of(ct.electron(look, deps_pip=pip))] == ["1.0", ("2.0", pid)]
    assert value_of(ct.electron(has)) == (False, pid)
    again = run(ct.electron(look, deps_pip=[old]))
    assert (again.result, again.get_node_result(0)["stdout"]) == (("1.0", pid), "")


def test_one_set_is_installed_once_by_workers_side_by_side(tmp_path: Path) -> None:
    """Two processes that want the same packages wait for each other; a third set does not disturb them."""
    (tmp_path / "config" / "covalent.conf").write_text("[executors.local]\nworkers = 2\n")
    one, two = package(tmp_path, "1.0"), package(tmp_path, "2.0")

    def look(x):
        import deps_sample_library

        return x, deps_sample_library.VERSION

    first, second = ct.electron(look, deps_pip=one), ct.electron(look, deps_pip=two)
    workflow = ct.lattice(lambda: [first(0), first(1), second(2), first(3)])
    result = ct.get_result(ct.dispatch(workflow)(), wait=60)
    assert result.result == [(0, "1.0"), (1, "1.0"), (2, "2.0"), (3, "1.0")]
    installed = [path for path in (tmp_path / "data").rglob("packages/*") if path.is_dir()]
    assert len(installed) == 2


def test_a_worker_with_native_code_of_one_task_is_replaced(tmp_path: Path) -> None:
    """Such code cannot be loaded twice into one process, so the next task gets another."""
    try:
        import _ctypes_test as native  # any extension module that is a file of its own
    except ImportError:
        pytest.skip("this Python has no extension module to copy")
    wheel = Path(package(tmp_path, "3.0"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.write(
            native.__file__, Path(native.__file__).name.replace("_ctypes_test", f"{LIBRARY}_native/_ctypes_test")
        )

    def look():
        from deps_sample_library_native import _ctypes_test  # type: ignore[import-not-found]

        return os.getpid() if _ctypes_test else 0

    task = ct.electron(look, deps_pip=str(wheel))
    assert len({value_of(task), value_of(task), value_of(ct.electron(os.getpid))}) == 3


def test_nothing_is_installed_that_is_there_already() -> None:
    """The task uses what its interpreter has."""
    result = run(ct.electron(lambda: len(sys.path), deps_pip=["cloudpickle>=2"]))
    assert result.get_node_result(0)["stdout"] == ""
    assert result.result == value_of(ct.electron(lambda: len(sys.path)))


def test_a_package_that_cannot_be_installed_fails_the_task() -> None:
    """The message names class, package and pip's reason."""
    error = run(ct.electron(lambda: 1, deps_pip=["no-such-package-here"])).get_node_result(0)["error"]
    assert "DepsPip: cannot install no-such-package-here: ERROR:" in error
    assert "No matching distribution" in error


def test_modules_travel_with_submodules_and_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions of theirs are tasks although the worker cannot import them; nothing stays for the next task."""
    folder = tmp_path / "elsewhere" / MODULE
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from . import part\ndef total(x):\n    return x + part.number()\n")
    (folder / "part.py").write_text(
        f"import {MODULE}\nfrom pathlib import Path\n"
        "def number():\n    return int(Path(__file__).with_name('number.txt').read_text())\n"
    )
    (folder / "number.txt").write_text("40")
    monkeypatch.syspath_prepend(str(folder.parent))
    module = __import__(MODULE)
    try:
        assert value_of(ct.electron(module.total, deps_module=module), 2) == 42
        failed = run(ct.electron(module.total), 2)
        assert "No module named" in failed.get_node_result(0)["error"]
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == MODULE]:
            del sys.modules[name]
