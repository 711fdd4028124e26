"""Functions of a recorded workflow, written so that a script can define them again."""

import ast
import builtins
import keyword
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Definition", "define", "identifier", "unknown_names"]

_OURS = frozenset({"electron", "lattice"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A function in a script.

    Attributes:
        text: The lines that define it.
        name: What it is called by these lines.
        is_recovered: Whether it does what it did; else it raises when it is called.
    """

    text: str
    name: str
    is_recovered: bool


def define(name: str, source: str, decorators: Sequence[str]) -> Definition:
    """Write a function's definition.

    Only the function itself is taken from the source, so nothing runs when a script is loaded but its decorators.

    Args:
        name: What it was called.
        source: The recorded source of a `def` or of a single `lambda`, as it was written; may be empty.
        decorators: To put above it, without "@". Those of this package that it had become a comment, if they said more.
    """
    text = textwrap.dedent(source).replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        tree = ast.Module(body=[], type_ignores=[])
    found = next((n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    if found is not None:
        return Definition(text=_function(text, found, decorators), name=found.name, is_recovered=True)
    own = identifier(name)
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    if len(lambdas) == 1:
        value = ast.unparse(lambdas[0])
        for decorator in reversed(decorators):
            value = f"{decorator}({value})"
        return Definition(text=f"{own} = {value}", name=own, is_recovered=True)
    lines = [
        *(f"@{decorator}" for decorator in decorators),
        f"def {own}(*args, **kwargs):",
        f"    raise NotImplementedError({f'the source of {name} was not recorded; write it here'!r})",
    ]
    return Definition(text="\n".join(lines), name=own, is_recovered=False)


def _function(text: str, found: ast.FunctionDef | ast.AsyncFunctionDef, decorators: Sequence[str]) -> str:
    kept, said = [], []
    for node in found.decorator_list:
        called = node.func if isinstance(node, ast.Call) else node
        word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        form = ast.unparse(node)
        if word not in _OURS:
            kept.append(f"@{form}")
        elif isinstance(node, ast.Call) and (node.args or node.keywords):
            said.append(f"# It was decorated with @{' '.join(form.split())}")
    lines = text.split("\n")[found.lineno - 1 : found.end_lineno]  # as the parser counts them, unlike splitlines
    return "\n".join([*said, *(f"@{decorator}" for decorator in decorators), *kept, *lines])


def identifier(text: str) -> str:
    """The nearest name that Python accepts."""
    name = re.sub(r"\W+", "_", text).strip("_") or "task"
    name = name if name.isidentifier() else f"task_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def unknown_names(script: str) -> Sequence[str]:
    """Names that a script uses and never defines, sorted; annotations do not count, as they are not evaluated."""
    used: set[str] = set()
    known = {*dir(builtins), "__file__", "__name__"}
    waiting: list[ast.AST] = [ast.parse(script)]
    while waiting:
        node = waiting.pop()
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns"):
                waiting += [
                    item for item in (value if isinstance(value, list) else [value]) if isinstance(item, ast.AST)
                ]
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                known.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                known.add(name)
            case ast.alias(name=name, asname=other):
                known.add(other or name.partition(".")[0])
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                known.add(name)
    return sorted(used - known)
