"""`%%covalent` and `%covalent`: find the sub-command of a line, run it, and let mistakes show as a line.

Decides how errors look in a notebook. Loaded by `%load_ext covalent_lab`.
"""

import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from covalent_lab.errors import LabError, TaskRuntimeError, UsageError
from covalent_lab.notebook.completion import matcher_of
from covalent_lab.notebook.grammar import Call, HelpWantedError, SubCommand, overview, parse_words, split_line
from covalent_lab.notebook.screens import screen_of
from covalent_lab.notebook.subcommands import CELL_COMMANDS, CELL_DEFAULT, LINE_COMMANDS, LINE_DEFAULT

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

_NAME = "covalent"
_HELP = re.compile(rf"^(\s*%%?{_NAME}\s+[a-z-]+)\?\??\s*$")


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics; called by `%load_ext covalent_lab`."""
    from IPython.core.magic import output_can_be_silenced

    def run_cell(line: str, cell: str) -> Any:
        return _run(ipython, f"%%{_NAME}", line, cell, CELL_COMMANDS, CELL_DEFAULT)

    def run_line(line: str) -> Any:
        return _run(ipython, f"%{_NAME}", line, "", LINE_COMMANDS, LINE_DEFAULT)

    run_cell.__doc__ = overview(CELL_COMMANDS, f"%%{_NAME}", CELL_DEFAULT)
    run_line.__doc__ = overview(LINE_COMMANDS, f"%{_NAME}")
    ipython.register_magic_function(output_can_be_silenced(run_cell), "cell", _NAME)
    ipython.register_magic_function(run_line, "line", _NAME)
    _unhook(ipython)
    ipython.input_transformers_cleanup.append(_help_of_sub_command)
    ipython.Completer.custom_matchers.append(matcher_of(ipython))


def unload_ipython_extension(ipython: Any) -> None:
    """Remove the magics; called by `%unload_ext covalent_lab`."""
    _unhook(ipython)
    for kind in ("cell", "line"):
        ipython.magics_manager.magics[kind].pop(_NAME, None)


def _help_of_sub_command(lines: list[str]) -> list[str]:
    """`%covalent NAME?` asks for the help of a sub-command; IPython would look for something that is called NAME."""
    return [_HELP.sub(r"\1 --help", line) for line in lines] if len(lines) == 1 else lines


def _unhook(ipython: Any) -> None:
    transformers = ipython.input_transformers_cleanup
    transformers[:] = [known for known in transformers if known is not _help_of_sub_command]
    matchers = ipython.Completer.custom_matchers
    matchers[:] = [known for known in matchers if known.__module__ != matcher_of.__module__]


def _run(shell: Any, magic: str, line: str, cell: str, commands: Mapping[str, SubCommand], default: SubCommand) -> Any:
    def act() -> Any:
        try:
            command, options = parse_words(split_line(line), commands, magic=magic, default=default)
        except HelpWantedError as error:
            return screen_of(shell).write(str(error), is_error=False)
        return command.run(Call(shell=shell, options=options, cell=cell))

    return _shortly(act)


def _shortly(action: Callable[[], Any]) -> Any:
    """Let errors of the user's show as their message, without the frames of this package."""
    try:
        return action()
    except TaskRuntimeError as error:
        trace = getattr(error, "traceback", "") or f"{type(error).__name__}: {error}"
        raise _shown(error, trace.rstrip().split("\n")) from None
    except (LabError, NameError, KeyboardInterrupt) as error:
        text = f": {error}" if str(error) else ""
        raise _shown(error, [f"{type(error).__name__}{text}"]) from None
    except SyntaxError as error:
        lines = "".join(traceback.format_exception_only(error)).rstrip().split("\n")
        raise _shown(UsageError(f"The cell is not Python: {error}"), lines) from None


def _shown(error: BaseException, lines: list[str]) -> BaseException:
    """An error that notebooks show as these lines: IPython asks for this method."""
    error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    return error.with_traceback(None)
