"""`import covalent`: how it comes to mean this package, when it does not, and how programs are run with it."""

import importlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import pytest

import covalent_lab as ct
from covalent_lab import compat
from covalent_lab.compat.finder import resolve
from covalent_lab.errors import UsageError


def run(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """`python -m covalent_lab.compat`, in a process of its own."""
    paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-m", "covalent_lab.compat", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": paths, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("installed")
def test_documented_ways_to_import_give_the_same_objects() -> None:
    """Modules, names from modules, submodules as attributes and star imports all lead to this package's objects."""
    covalent: Any = importlib.import_module("covalent")
    electron: Any = importlib.import_module("covalent._workflow.electron")
    names: dict[str, Any] = {}
    exec("from covalent import *\nfrom covalent._shared_files import logger\nimport covalent.executor as e", names)

    assert covalent.electron is electron.electron is names["electron"] is ct.electron
    assert covalent.__version__ == ct.__version__
    assert covalent._workflow.electron is ct.electron
    assert covalent._workflow.transport.TransportableObject is ct.TransportableObject
    assert covalent.executor is names["e"] is importlib.import_module("covalent.executor")
    assert names["logger"].app_log.name == "covalent_lab.plugins"
    assert {"electron", "lattice", "executor", "_workflow"} <= set(dir(covalent))


def test_nothing_is_importable_unless_asked_for() -> None:
    """Without `install`, and after `uninstall`, `import covalent` fails as it does anywhere."""
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("covalent")
        compat.install()
        compat.install()
        importlib.import_module("covalent._api.apiclient")
        compat.uninstall()


@pytest.mark.usefixtures("installed")
def test_names_that_are_not_there_are_missed_as_usual() -> None:
    """An unknown module is not found, and an unknown name of a known one is no attribute."""
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("covalent.no_such_module")
    with pytest.raises(ImportError, match="no_such_name"):
        exec("from covalent._workflow.electron import no_such_name")
    assert not hasattr(importlib.import_module("covalent"), "no_such_name")
    with pytest.raises(AttributeError, match="documented path"):
        resolve("covalent.no_such_module.name")


def test_a_covalent_that_is_imported_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases beside a real Covalent would mix two packages, so they are refused."""
    monkeypatch.setitem(sys.modules, "covalent", ModuleType("covalent"))

    with pytest.raises(UsageError, match="imported as covalent already"):
        compat.install(hide_installed=True)
    assert sys.meta_path[0].__class__.__name__ != "AliasFinder"


def test_a_covalent_that_is_installed_is_hidden_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed Covalent wins, unless `hide_installed` says otherwise."""
    (tmp_path / "covalent").mkdir()
    (tmp_path / "covalent/__init__.py").write_text("origin = 'the real one'\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(UsageError, match="hide_installed"):
        compat.install()
    compat.install(hide_installed=True)
    try:
        assert importlib.import_module("covalent").electron is ct.electron
    finally:
        compat.uninstall()
    assert importlib.import_module("covalent").origin == "the real one"
    del sys.modules["covalent"]


def test_a_folder_called_covalent_is_no_installed_covalent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data beside a notebook neither prevents the aliases nor hides them."""
    (tmp_path / "covalent").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    compat.install()
    try:
        assert importlib.import_module("covalent").electron is ct.electron
    finally:
        compat.uninstall()


@pytest.mark.usefixtures("installed")
def test_functions_that_use_the_alias_travel() -> None:
    """A task that refers to the notebook's `covalent` works where nobody has installed the aliases."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec("import covalent as ct\ndef task():\n    return ct.get_context().dispatch_id, ct.fs.__name__", names)
    sent = cloudpickle.dumps(names["task"])
    compat.uninstall()

    assert pickle.loads(sent)() == (None, "covalent.fs")


def test_the_notebook_extension_installs_and_uninstalls() -> None:
    """`%load_ext covalent_lab.compat` and `%unload_ext` do what their functions say."""
    compat.load_ipython_extension(None)
    assert importlib.import_module("covalent").lattice is ct.lattice
    compat.unload_ipython_extension(None)
    assert "covalent" not in sys.modules


def test_a_script_runs_with_its_arguments(tmp_path: Path) -> None:
    """The script is the main program: arguments, folder and exit status are its own."""
    (tmp_path / "beside.py").write_text("word = 'beside'\n")
    (tmp_path / "script.py").write_text(
        "import sys, covalent as ct, beside\n"
        "from covalent._workflow.transportable_object import TransportableObject\n"
        "print(__name__, sys.argv[1:], beside.word, ct.__name__, TransportableObject(5).get_deserialized())\n"
        "sys.exit(3)\n"
    )

    ended = run(str(tmp_path / "script.py"), "--port", "1", cwd=Path("/"))

    assert (ended.stdout, ended.returncode, ended.stderr) == ("__main__ ['--port', '1'] beside covalent 5\n", 3, "")


def test_a_module_runs_with_its_arguments(tmp_path: Path) -> None:
    """`-m` takes a module of the current folder."""
    (tmp_path / "program.py").write_text("import sys, covalent\nprint(sys.argv[1:], covalent.wait.__name__)\n")

    ended = run("-m", "program", "-x", cwd=tmp_path)

    assert (ended.stdout, ended.returncode, ended.stderr) == ("['-x'] wait\n", 0, "")


@pytest.mark.parametrize(
    ("arguments", "said"), [((), "usage:"), (("-m",), "usage:"), (("--quick", "x.py"), "usage:"), (("no.py",), "no.py")]
)
def test_a_call_without_a_program_says_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit status 2, and one line."""
    ended = run(*arguments, cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
