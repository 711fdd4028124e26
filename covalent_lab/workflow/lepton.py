"""Lepton: an electron whose task is written in another language, or in a module that is only there where it runs.

Decides what may be asked for, and what its node is called; how each language is run is in `lepton_shell` and
`lepton_c`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from covalent_lab.errors import UsageError
from covalent_lab.workflow.electron import Electron
from covalent_lab.workflow.lepton_c import c_task, check_c_types
from covalent_lab.workflow.lepton_shell import CAST_NAMES, is_variable, shell_task, source_and_call
from covalent_lab.workflow.options import encode_hooks, retval_keywords

__all__ = ["Lepton"]

_LANGUAGES = {"python": "python", "Python": "python", "c": "C", "C": "C", "bash": "bash", "shell": "bash"}
_NAME_LIMIT = 200
_FIELDS = ("language", "library_name", "function_name", "argtypes", "command", "named_outputs", "display_name")


class Lepton(Electron):
    """A task in another language: a Python module's function, a C function, or a shell command.

    Args:
        language: `"python"`, `"C"`, or `"bash"` (also `"shell"`).
        library_name: The Python module, the shared library, or the script to be sourced; found where the task runs.
        function_name: The function in it.
        argtypes: `(type, direction)` of each argument, direction being `INPUT`, `OUTPUT` or `INPUT_OUTPUT`. For C the
            types are those of ctypes, with `ctypes.POINTER(…)` for whatever C writes to. For the shell they are
            `int`, `float`, `str`, `bool` or `complex`, and those of outputs say what the named outputs become.
        command: A shell command; a list is joined by `&&`. Positional arguments are `$1…`, keyword arguments are
            environment variables, and `{keyword}` stands for the variable's value as one word.
        named_outputs: Shell variables whose values the task returns.
        display_name: Name of its nodes; default: the function's name, else the command.
        executor: Where it runs: a short name, an executor instance, or None to take the lattice's.
        files: File transfers before and after.
        deps_bash: Shell commands before the task.
        deps_pip: Packages to install before the task.
        call_before: Calls before the task.
        call_after: Calls after the task.

    Raises:
        ValueError: The language is unknown, or the arguments do not fit it.
        TypeError: An argument is of the wrong type.
        UsageError: A call before it delivers an argument, which leptons do not take.

    Example:
        >>> sort = Lepton("bash", command="printf '%s\\n' {words} | sort -r | head -1")
        >>> sort.display_name, sort.language
        ('', 'bash')
    """

    INPUT: ClassVar[int] = 0
    OUTPUT: ClassVar[int] = 1
    INPUT_OUTPUT: ClassVar[int] = 2

    __slots__ = _FIELDS

    language: str
    library_name: str
    function_name: str
    argtypes: list[tuple[str, int]]
    command: str
    named_outputs: list[str]
    display_name: str

    def __init__(
        self,
        language: str = "python",
        *,
        library_name: str = "",
        function_name: str = "",
        argtypes: Sequence[tuple[Any, int]] = (),
        command: str | Sequence[str] = "",
        named_outputs: Sequence[str] = (),
        display_name: str = "",
        executor: Any = None,
        files: Sequence[Any] = (),
        deps_bash: Any = None,
        deps_pip: Any = None,
        call_before: Any = None,
        call_after: Any = None,
    ) -> None:
        if language not in _LANGUAGES:
            raise ValueError(f"A Lepton knows no language {language!r}. Choose one of {', '.join(_LANGUAGES)}.")
        self.language = language
        self.library_name = _text(library_name, "The library_name")
        self.function_name = _text(function_name, "The function_name")
        self.argtypes = [_described(index, entry) for index, entry in enumerate(argtypes)]
        self.command = _joined(command)
        self.named_outputs = _names(named_outputs)
        self.display_name = _text(display_name, "The display_name")
        self._check()
        hooks = encode_hooks(
            files=files, deps_bash=deps_bash, deps_pip=deps_pip, call_before=call_before, call_after=call_after
        )
        delivered = retval_keywords(hooks or {}) - {"files"}
        if delivered:
            raise UsageError(
                f"A call before a Lepton cannot deliver an argument (retval_keyword {', '.join(sorted(delivered))}): "
                "that is unsupported for leptons. Use an electron, or pass the value as an argument."
            )
        function = self._make_function(drops_files=bool(files))
        super().__init__(function, metadata={"executor": executor, "hooks": hooks})

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), **{name: getattr(self, name) for name in _FIELDS}}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        for name in _FIELDS:
            setattr(self, name, state[name])

    def __repr__(self) -> str:
        return f"<Lepton {self._own_task().name}>"

    def _check(self) -> None:
        kind = _LANGUAGES[self.language]
        if kind == "C":
            if self.command or self.named_outputs:
                raise ValueError("A Lepton in C takes no command and no named_outputs: name a library and a function.")
            if not self.library_name:
                raise ValueError("A Lepton in C needs library_name, the path of a shared library, and function_name.")
            check_c_types(self.argtypes)
        elif bool(self.library_name) == bool(self.command):
            both = "both" if self.command else "neither"
            raise ValueError(f"A Lepton takes either library_name or command, got {both}.")
        if kind == "python" and self.command:
            raise ValueError("A command is for the shell. For Python name a module and a function, or use an electron.")
        if self.library_name and not self.function_name:
            raise ValueError(f"Which function of {self.library_name!r} is to be called? Give function_name.")
        if kind == "bash":
            for name, _ in self._output_types():
                if name not in CAST_NAMES:
                    raise ValueError(f"A named output can become one of {', '.join(CAST_NAMES)}, not {name}.")
            for name in self.named_outputs:
                if not is_variable(name):
                    raise ValueError(f"The named output {name!r} cannot be the name of a shell variable.")

    def _output_types(self) -> list[tuple[str, int]]:
        return [entry for entry in self.argtypes if entry[1] != self.INPUT]

    def _make_function(self, *, drops_files: bool) -> Callable[..., Any]:
        match _LANGUAGES[self.language]:
            case "python":
                source = f"from {self.library_name} import {self.function_name}\n"
                function = _python_task(self.library_name, self.function_name, drops_files)
            case "C":
                types = ", ".join(name for name, _ in self.argtypes)
                source = f"{self.library_name}: void {self.function_name}({types})\n"
                function = c_task(self.library_name, self.function_name, self.argtypes, drops_files=drops_files)
            case _:
                command = self.command or source_and_call(self.library_name, self.function_name)
                source = f"{command}\n"
                kinds = self._output_types()
                function = shell_task(
                    command,
                    outputs=tuple(zip(self.named_outputs, (name for name, _ in kinds), strict=False)),
                    changed=sum(way == self.INPUT_OUTPUT for _, way in kinds),
                    counts=(len(self.named_outputs), len(kinds)),
                    drops_files=drops_files,
                )
        name = self.display_name or self.function_name or self.command
        function.__name__ = function.__qualname__ = name if len(name) <= _NAME_LIMIT else name[:_NAME_LIMIT] + "…"
        function.covalent_source = source  # type: ignore[attr-defined]
        return function


def _python_task(library: str, name: str, drops_files: bool) -> Callable[..., Any]:
    def task(*args: Any, **kwargs: Any) -> Any:
        import importlib

        if drops_files:
            kwargs.pop("files", None)
        return getattr(importlib.import_module(library), name)(*args, **kwargs)

    return task


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} of a Lepton is text, not a {type(value).__name__}.")
    return value


def _joined(command: Any) -> str:
    if isinstance(command, (list, tuple)) and all(isinstance(part, str) for part in command):
        return " && ".join(command)
    return _text(command, "The command")


def _names(named_outputs: Any) -> list[str]:
    if isinstance(named_outputs, str) or not all(isinstance(name, str) for name in named_outputs):
        raise TypeError(f"named_outputs is a list of names, not {named_outputs!r}.")
    return list(named_outputs)


def _described(index: int, entry: Any) -> tuple[str, int]:
    """An entry of argtypes as it is kept: the type's name, and the direction."""
    kind, direction = entry if isinstance(entry, (list, tuple)) and len(entry) == 2 else (None, None)
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", None)
    if not isinstance(name, str) or type(direction) is not int or not 0 <= direction <= 2:
        raise ValueError(f"argtypes[{index}] is {entry!r}; each entry is (type, INPUT, OUTPUT or INPUT_OUTPUT).")
    return name, direction
