"""The code examples of Covalent's documentation, as they stand there, run through a real dispatcher.

`reference_examples/` holds them letter by letter. Most ask for a cloud account, so that their workflows run on the
local executor here; what else is exchanged, and why, is said with each. Those of Dask, SSH and
Slurm run on the real thing, in `tests/backends/test_reference_places.py`. What is not run at all:

| example | why |
|---|---|
| ECS, Lambda: `XExecutor(…)` as object | their executors are not part of this version |
| AWS: EC2, Azure Batch, Google Batch: iris with a support vector machine | the workflow is that of `awsbatch_svm.py` |
| AWS Braket: one qubit | needs a cloud account; its indentation is no Python |
| AWS Lambda: two words | needs a cloud account; it lacks a comma; the workflow is that of `ecs_words.py` |
"""

import os
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab import compat

EXAMPLES = Path(__file__).with_name("reference_examples")
COVALENT = "import covalent as ct"
CLOUD = {r"ct\.executor\.\w+\([^()]*\)": '"local"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A script of the documentation.

    Attributes:
        file: Its name.
        prints: What the last lines it prints must match.
        exchanged: Patterns of code that does not run here, and what is put in its place.
        because: Why.
    """

    file: str
    prints: str
    exchanged: Mapping[str, str] = field(default_factory=lambda: CLOUD)
    because: str = "its executor needs a cloud account"


SCRIPTS = (
    Example(
        file="ecs_words.py", prints=r"status: COMPLETED\nresult: Hello, World!\n(.|\n)*excitement\(\d+\): Hello, World!"
    ),
    Example(
        file="aws_plugins_pi.py",
        prints=r"^3\.14158\d+\n$",
        exchanged={**CLOUD, "100000000": "100000"},
        because="its executor needs a cloud account, and its sum takes a minute",
    ),
    Example(
        file="awsbatch_svm.py",
        prints=r"^(1\.0|0\.[5-9]\d*)\n$",
        exchanged={**CLOUD, "==1.23.2": "", "==1.1.2": ""},
        because="its executor needs a cloud account, and those versions do not exist for this Python",
    ),
)
DEFINITIONS = {
    "awslambda_by_name.py": "task",
    "ecs_by_name.py": "task",
    "slurm_by_name.py": "my_task",
    "ssh_by_name.py": "my_task",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Everything below the test's folder; no server is to be found, and nothing is downloaded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVALENT_")}
    (tmp_path / "runtime").mkdir()
    return {
        **kept,
        "COVALENT_DATA_DIR": str(tmp_path / "data"),
        "COVALENT_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path),
    }


def run(code: str, *options: str, cwd: Path, environment: Mapping[str, str]) -> str:
    """Run a script in a process of its own; returns what it printed."""
    (cwd / "example.py").write_text(code, encoding="utf-8")
    command = [sys.executable, *options, "example.py"]
    ended = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def exchanged(example: Example) -> str:
    """The script, with what does not run here exchanged."""
    code = (EXAMPLES / example.file).read_text(encoding="utf-8")
    for pattern, instead in example.exchanged.items():
        code, count = re.subn(pattern, instead, code)
        assert count == 1, f"{pattern} is exchanged because {example.because}"
    return code


@pytest.mark.parametrize("example", SCRIPTS, ids=lambda example: example.file)
def test_documented_script_runs_as_it_is(example: Example, tmp_path: Path, environment: dict[str, str]) -> None:
    """With the aliases, not even the import has to be changed."""
    printed = run(exchanged(example), "-m", "covalent_lab.compat", cwd=tmp_path, environment=environment)

    assert re.search(example.prints, printed)


def test_documented_script_runs_with_only_the_import_changed(tmp_path: Path, environment: dict[str, str]) -> None:
    """`import covalent_lab as ct` is all that a user has to write."""
    code = exchanged(SCRIPTS[0]).replace(COVALENT, "import covalent_lab as ct")

    assert re.search(SCRIPTS[0].prints, run(code, cwd=tmp_path, environment=environment))


def test_a_task_can_import_covalent_itself(tmp_path: Path, environment: dict[str, str]) -> None:
    """A call before the task installs the aliases in its process."""
    code = (
        "import covalent_lab as ct\n"
        "from covalent_lab import compat\n"
        "@ct.electron(call_before=ct.DepsCall(compat.install))\n"
        "def task():\n"
        "    import covalent\n"
        "    from covalent._shared_files.logger import app_log\n"
        "    return covalent.get_context().task_id, app_log.name\n"
        "print(ct.dispatch_sync(ct.lattice(lambda: task()))().result)\n"
    )

    assert run(code, cwd=tmp_path, environment=environment) == "(0, 'covalent_lab.plugins')\n"


PLUGIN = """
from covalent._shared_files import logger
from covalent._shared_files.util_classes import DispatchInfo
from covalent._workflow.transport import TransportableObject
from covalent.executor import BaseExecutor

executor_plugin_name = "QuickExecutor"
app_log = logger.app_log
_EXECUTOR_PLUGIN_DEFAULTS = {"log_stdout": "quick.log"}


class QuickExecutor(BaseExecutor):
    def run(self, function, args, kwargs, task_metadata):
        with self.get_dispatch_context(DispatchInfo(task_metadata["dispatch_id"])):
            app_log.debug("running %s", task_metadata["node_id"])
            assert all(isinstance(arg, TransportableObject) for arg in args)
            return function(*args, **kwargs)
"""


def test_a_plugin_written_for_covalent_is_loaded_as_it_is(tmp_path: Path, environment: dict[str, str]) -> None:
    """A file in the plugin folder that imports `covalent` finds its modules without anything being installed first."""
    folder = tmp_path / "config" / "executor_plugins"
    folder.mkdir(parents=True)
    (folder / "quick.py").write_text(PLUGIN)
    code = (
        "import covalent_lab as ct\n"
        "@ct.electron(executor='quick')\n"
        "def double(x):\n"
        "    return 2 * x\n"
        "found = ct.dispatch_sync(ct.lattice(lambda x: double(x)))(4)\n"
        "print(found.result, found.error, ct.executor.QuickExecutor.__mro__[1].__module__)\n"
    )

    assert run(code, cwd=tmp_path, environment=environment) == "8 None covalent_lab.executor.classic\n"


@pytest.mark.parametrize(("file", "name"), DEFINITIONS.items())
def test_documented_executor_names_are_accepted(file: str, name: str) -> None:
    """A task that names a plugin's executor is defined and built as it is; the plugin is looked for when it runs."""
    compat.install()
    try:
        task = runpy.run_path(str(EXAMPLES / file))[name]
    finally:
        compat.uninstall()
    workflow = ct.lattice(lambda: [task()])
    workflow.build_graph()

    node = workflow.transport_graph.get_node_value(0, "metadata")
    assert node["executor"] == file.partition("_")[0]


def test_documented_configuration_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every section and key of the documented file is told as it stands there."""
    for name in [name for name in os.environ if name.startswith(("COVALENT_", "LOG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    text = (EXAMPLES / "covalent.conf").read_text(encoding="utf-8")
    (tmp_path / "covalent.conf").write_text(text, encoding="utf-8")

    for section, keys in leaves(tomllib.loads(text)):
        told = ct.get_config(section)
        assert {key: told[key] for key in keys} == keys


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections that hold values, with these."""
    values = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    if values:
        yield above, values
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}.{key}" if above else key)
