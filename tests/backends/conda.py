"""What conda is to a shell, for tests: a program whose hook defines a function that activates environments.

The environments are real ones of Python; conda itself is not on the package index.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import cloudpickle

__all__ = ["conda_with"]

PROGRAM = """#!/bin/sh
echo 'conda() {{
    if [ "$1" = activate ] && [ -d "{folder}/envs/$2" ]; then
        export PATH="{folder}/envs/$2/bin:$PATH"
    else
        echo "EnvironmentNameNotFound: $2" >&2
        return 1
    fi
}}'
"""


def conda_with(folder: Path, *complete: str, bare: str) -> Path:
    """Make the program `bin/conda`, and environments in `envs`.

    Args:
        folder: For all of it.
        complete: Environments with cloudpickle.
        bare: One without.

    Returns:
        The program.
    """
    for name in (*complete, bare):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "envs" / name)], check=True)
    for name in complete:
        (packages,) = (folder / "envs" / name / "lib").glob("python*/site-packages")
        for package in ("cloudpickle", f"cloudpickle-{cloudpickle.__version__}.dist-info"):
            shutil.copytree(Path(cloudpickle.__file__).parents[1] / package, packages / package)
    program = folder / "bin" / "conda"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(folder=folder))
    program.chmod(0o755)
    return program
