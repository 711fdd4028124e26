"""`python -m covalent_lab.compat [-m] PROGRAM [argument …]`: run a program that imports covalent, as it is."""

import os
import runpy
import sys

from covalent_lab.compat import install
from covalent_lab.errors import UsageError

__all__ = ["main"]

_USAGE = "usage: python -m covalent_lab.compat [-h] [--hide-installed] (SCRIPT | -m MODULE) [argument ...]"


def main(arguments: list[str]) -> int:
    """Run a script or a module as the main program, with its own arguments; returns an exit status for usage errors."""
    hide = arguments[:1] == ["--hide-installed"]
    arguments = arguments[hide:]
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(f"{_USAGE}\n\nRun a program for which `import covalent` means covalent_lab.\n")
        return 0
    is_module = arguments[:1] == ["-m"]
    program = arguments[is_module:]
    if not program or (program[0].startswith("-") and not is_module):
        sys.stderr.write(f"{_USAGE}\n")
        return 2
    try:
        install(hide_installed=hide)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not is_module and not os.path.exists(program[0]):
        sys.stderr.write(f"There is no script {program[0]}.\n")
        return 2
    sys.argv[:] = program
    sys.path[0] = os.getcwd() if is_module else os.path.dirname(os.path.abspath(program[0]))
    if is_module:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(program[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
