"""`import covalent_lab` stays cheap: heavy libraries are loaded by the first use that needs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = frozenset(
    {
        "IPython",
        "alembic",
        "anywidget",
        "asyncssh",
        "azure",
        "boto3",
        "dask",
        "distributed",
        "google",
        "graphviz",
        "httpx",
        "ipywidgets",
        "jsonschema",
        "jupyter_server",
        "jupyterlab",
        "matplotlib",
        "networkx",
        "numpy",
        "pandas",
        "pydantic",
        "sklearn",
        "sqlalchemy",
        "tornado",
        "tqdm",
        "urllib3",
    }
)
DECORATED = """
import covalent_lab as ct

@ct.electron
def double(x):
    return 2 * x

@ct.lattice
def workflow(x):
    return double(x)
"""


def loaded_by(program: str, root: Path) -> set[str]:
    """Run a program in a fresh interpreter and return the top-level modules it left loaded."""
    ask = "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    path = os.pathsep.join(str(root / folder) for folder in ("", "server_extension", "executors"))
    answer = subprocess.run(
        [sys.executable, "-c", program + ask],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "program",
    ["import covalent_lab", "import covalent_lab_executors", DECORATED],
    ids=["package", "executors", "decorators"],
)
def test_importing_loads_no_heavy_module(program: str, root: Path) -> None:
    """Neither the package nor decorating a workflow loads a library that costs tens of milliseconds."""
    before = loaded_by("", root)

    assert loaded_by(program, root) - before & HEAVY == set()


def test_importing_does_not_start_threads(root: Path) -> None:
    """Importing does no work: one thread before, one thread after."""
    program = "import threading, covalent_lab; assert threading.active_count() == 1, threading.enumerate()"

    assert "covalent_lab" in loaded_by(program, root)


def test_every_public_name_can_be_loaded(root: Path) -> None:
    """Names are loaded on first use; each one that is promised is there."""
    program = "import covalent_lab as ct\nfor name in ct.__all__: getattr(ct, name)"

    assert "covalent_lab" in loaded_by(program, root)


def test_an_unknown_name_is_an_attribute_error(root: Path) -> None:
    """Loading on first use still tells a misspelt name from a present one."""
    program = "import covalent_lab as ct; assert not hasattr(ct, 'no_such_name')"

    assert "covalent_lab" in loaded_by(program, root)
