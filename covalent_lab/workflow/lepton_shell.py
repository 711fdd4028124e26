"""Shell commands and functions of shell scripts as tasks.

Values never become part of a command's text: positional arguments are the shell's own `$1…`, keyword arguments are
environment variables, and a `{keyword}` field becomes a quoted reference to its variable. Named outputs come back
through a file of their own, so nothing a command prints can be taken for one. The functions made here are made inside
functions and import what they use, so they travel by value: this package is not needed where they run.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

__all__ = ["CAST_NAMES", "ShellRunner", "fill_fields", "is_variable", "shell_runner", "shell_task", "source_and_call"]

CAST_NAMES = ("bool", "complex", "float", "int", "str")

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class ShellRunner(Protocol):
    """Runs a script; what `shell_runner` makes."""

    def __call__(
        self, script: str, args: Sequence[Any], variables: Mapping[str, Any], names: Sequence[str]
    ) -> dict[str, "str | None"]:
        """Values of the named shell variables at the end; None for those that are not set."""
        ...


def is_variable(name: str) -> bool:
    """Whether a name can be that of a shell variable."""
    return _VARIABLE.fullmatch(name) is not None


def source_and_call(script: str, function: str) -> str:
    """The command that loads a script and calls one of its functions with the positional arguments."""
    path = script if "/" in script else f"./{script}"  # otherwise the shell searches PATH for it
    return f'. {shlex.quote(path)} && {shlex.quote(function)} "$@"'


def shell_task(
    command: str, *, outputs: Sequence[tuple[str, str]], changed: int, counts: tuple[int, int], drops_files: bool
) -> Callable[..., Any]:
    """Make the function that runs a command.

    Args:
        command: What to run; may have `{keyword}` fields.
        outputs: Shell variables that come back, each with the name of the type it is turned into.
        changed: How many keyword arguments come back.
        counts: How many outputs were named, and how many the types describe; a difference shows when it runs.
        drops_files: Whether a file transfer delivers the keyword `files`, which the command does not take.
    """
    run, fill, is_name = shell_runner(), _field_filler(), _VARIABLE.fullmatch
    wanted, (named, expected) = tuple(outputs), counts

    def task(*args: Any, **kwargs: Any) -> Any:
        if drops_files:
            kwargs.pop("files", None)
        if named != expected:
            raise ValueError(f"Expected {expected} named outputs, as many as argtypes describe, got {named}.")
        if changed and changed != len(kwargs):
            raise ValueError(f"Expected {changed} keyword arguments, as many as argtypes describe, got {len(kwargs)}.")
        for name in kwargs:
            if not is_name(name):
                raise ValueError(f"The keyword argument {name!r} cannot be the name of a shell variable.")
        found = run(fill(command, tuple(kwargs)), args, kwargs, [name for name, _ in wanted])
        values = [convert(name, kind, found[name]) for name, kind in wanted]
        return tuple(values) if len(values) > 1 else values[0] if values else None

    def convert(name: str, kind: str, text: "str | None") -> Any:
        import builtins

        if text is None:
            raise RuntimeError(f"The command did not set the shell variable {name!r}, which is a named output.")
        if kind == "bool":
            return text.strip().lower() not in ("", "0", "false", "no")
        try:
            return getattr(builtins, kind)(text)
        except ValueError as error:
            raise ValueError(f"The named output {name!r} is {text!r}, which is no {kind}.") from error

    return task


def fill_fields(command: str, names: Sequence[str]) -> str:
    """Replace `{name}` fields by references to the variables of these names, as one word each.

    Fields may stand alone or in quotes of either kind; here-documents are not understood, `$name` does it there.
    `${name}`, `{{name}}` and other braces stay.
    """
    return _field_filler()(command, tuple(names))


def _field_filler() -> Callable[[str, tuple[str, ...]], str]:
    def fill(command: str, names: "tuple[str, ...]") -> str:
        import re

        if not names:
            return command
        field = r"(?<![${])\{(" + "|".join(map(re.escape, names)) + r")\}(?!\})"
        pattern = re.compile(rf"\\.|['\"]|(?<![^\s;&|(])#[^\n]*|{field}", re.DOTALL)
        quote, pieces, begin, place = "", [], 0, 0
        while match := pattern.search(command, place):
            text, name, place = match.group(), match.group(1), match.end()
            if text[0] == "#" and quote:  # no comment
                place = match.start() + 1
            if text[0] == "\\" and quote == "'":  # no escapes there: what follows may end the quotes
                text = text[1:]
            if text in ("'", '"'):
                quote = "" if text == quote else quote or text
            if name:
                reference = f"${{{name}}}" if quote == '"' else f'"${{{name}}}"'
                pieces += [command[begin : match.start()], f"'{reference}'" if quote == "'" else reference]
                begin = match.end()
        return "".join([*pieces, command[begin:]])

    return fill


def shell_runner() -> ShellRunner:
    """Make the function that runs a script in bash, or in sh where there is no bash.

    What the script prints appears in `sys.stdout` and `sys.stderr` while it runs. A script that fails raises a
    RuntimeError with what it wrote to stderr.
    """

    def run(
        script: str, args: "Sequence[Any]", variables: "Mapping[str, Any]", names: "Sequence[str]"
    ) -> "dict[str, str | None]":
        import os
        import shlex
        import shutil
        import subprocess
        import sys
        import tempfile
        import textwrap
        import threading

        shell = shutil.which("bash") or shutil.which("sh")
        if shell is None:
            raise RuntimeError("Neither bash nor sh is installed here, and the command needs one of them.")
        words = [str(arg) for arg in args]
        env = {**os.environ, **{name: str(value) for name, value in variables.items()}}
        for what, text in [*((f"${i}", word) for i, word in enumerate(words, 1)), *((n, env[n]) for n in variables)]:
            if "\0" in text:
                raise ValueError(f"The value of {what} has a zero character in it, which no shell can take.")
        written: list[str] = []

        def copy(source: Any, target: Any, kept: "list[str] | None") -> None:
            for line in source:
                target.write(line)
                if kept is not None:
                    kept.append(line)
                    del kept[:-200]

        with tempfile.TemporaryDirectory(prefix="covalent-shell-") as folder:
            file = os.path.join(folder, "outputs")
            if names:
                emit = "; ".join(f'printf \'%s\\0%s\\0\' "${{{n}+set}}" "${{{n}-}}"' for n in names)
                script = f"trap {shlex.quote(f'{{ {emit}; }} >| {shlex.quote(file)}')} EXIT\n{script}"
            with subprocess.Popen(
                [shell, "-c", script, os.path.basename(shell), *words],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            ) as process:
                other = threading.Thread(target=copy, args=(process.stderr, sys.stderr, written), daemon=True)
                other.start()
                try:
                    copy(process.stdout, sys.stdout, None)
                    other.join()
                    code = process.wait()
                except BaseException:
                    process.kill()
                    raise
            if code:
                text = "".join(written).strip()
                ending = f"exit code {code}" if code > 0 else f"signal {-code}"
                message = f"The command ended with {ending}" + (f": {text.splitlines()[-1]}" if text else ".")
                raise RuntimeError(message + ("\n" + textwrap.indent(text, "    ") if "\n" in text else ""))
            found: dict[str, str | None] = dict.fromkeys(names)
            if names and os.path.exists(file):
                with open(file, encoding="utf-8", errors="replace", newline="") as stream:
                    parts = stream.read().split("\0")
                for name, is_set, text in zip(names, parts[::2], parts[1::2]):  # noqa: B905  the last part is empty
                    found[name] = text if is_set else None
        return found

    return run
