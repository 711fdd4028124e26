"""What the other cells of a notebook must know of one cell that is a task: a pure analysis of its source.

Beside the names that `cells.py` finds: where each is read and assigned first, which imports every cell may repeat,
which values the cell changes in place, and what in it hides names from any analysis.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from covalent_lab.errors import UsageError
from covalent_lab.notebook.cells import FIRST_LINE, CellNames, analyse
from covalent_lab.notebook.scopes import function_names

__all__ = ["CellFacts", "read_cell"]

_CHANGING_METHODS = frozenset(
    {
        "add", "append", "clear", "discard", "extend", "fill", "fit", "insert", "partial_fit", "pop", "popitem",
        "remove", "reverse", "setdefault", "sort", "update",
    }
)  # fmt: skip
_OPAQUE_CALLS = {
    "exec": "the code it runs may read and assign any name",
    "eval": "the code it evaluates may read any name",
    "globals": "it reaches every name of the notebook",
    "locals": "it reaches every name of the cell",
    "get_ipython": "tasks run without IPython",
}
_THROWN_AWAY = frozenset({"_", "__", "___"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """One cell, as its neighbours see it.

    Attributes:
        names: What crosses its border.
        imports: Names bound by plain imports at top level only, with a statement that repeats it.
        changes: Names from outside whose values the cell surely changes in place, with the line.
        may_change: Names from outside of which it calls a method without using what it returns, with the line.
        loop_only: Names that it binds as loop variables and in no other way.
        identity: Equal for sources that differ in comments and layout only.
        reads_at: The first line in which it reads each name.
        assigns_at: The first line in which it binds each name.
    """

    names: CellNames
    imports: Mapping[str, str]
    changes: Mapping[str, int]
    may_change: Mapping[str, int]
    loop_only: frozenset[str]
    identity: str
    reads_at: Mapping[str, int]
    assigns_at: Mapping[str, int]

    @property
    def gives(self) -> tuple[str, ...]:
        """Names that others may take from it: assigned or changed in place, but not merely imported."""
        given = dict.fromkeys([*self.names.assigned, *self.changes])
        return tuple(name for name in given if name not in self.imports and name not in _THROWN_AWAY)

    def line_of(self, name: str, *, is_assigned: bool) -> int:
        """Where a name is assigned or changed first, or read first."""
        if not is_assigned:
            return self.reads_at.get(name, FIRST_LINE)
        return self.assigns_at.get(name) or self.changes.get(name, FIRST_LINE)


def read_cell(source: str, *, first_line: int = FIRST_LINE) -> CellFacts:
    """Read the source of a cell.

    Args:
        source: Python, without the magic's line.
        first_line: Number of its first line, as messages count.

    Raises:
        SyntaxError: It is not Python.
        UsageError: Something in it hides the names it uses, or it awaits.
    """
    names = analyse(source, first_line=first_line)
    tree = ast.parse("\n" * (first_line - 1) + source)
    _refuse_opaque(tree)
    bound = _bindings(tree)
    imports = {name: text for name, text in _imports(tree) if all(how == "import" for how, _ in bound[name])}
    outside = {*names.required, *names.optional} - imports.keys()
    changes, may_change = _changes(tree, outside)
    reads: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            reads[node.id] = min(node.lineno, reads.get(node.id, node.lineno))
    return CellFacts(
        names=names,
        imports=imports,
        changes=changes,
        may_change={name: line for name, line in may_change.items() if name not in changes},
        loop_only=frozenset(name for name, ways in bound.items() if all(how == "loop" for how, _ in ways)),
        identity=ast.dump(tree),
        reads_at=reads,
        assigns_at={name: min(line for _, line in ways) for name, ways in bound.items()},
    )


def _refuse_opaque(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            raise UsageError(
                f"Line {node.lineno}: nobody can tell which names `from {node.module or '.'} import *` brings. "
                "Import them by name."
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _OPAQUE_CALLS:
            raise UsageError(
                f"Line {node.lineno}: a cell of a workflow cannot call {node.func.id}(): "
                f"{_OPAQUE_CALLS[node.func.id]}. Write the code out, or leave the cell unmarked."
            )


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], ast.unparse(ast.Import(names=[alias]))
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            for alias in node.names:
                text = ast.unparse(ast.ImportFrom(module=node.module, names=[alias], level=node.level))
                yield alias.asname or alias.name, text


def _bindings(tree: ast.Module) -> dict[str, list[tuple[str, int]]]:
    """How (`import`, `loop`, `other`) and in which lines names are bound at top level, or declared global below it."""
    found: dict[str, list[tuple[str, int]]] = {}

    def note(name: str, how: str, line: int) -> None:
        found.setdefault(name, []).append((how, line))

    def targets(node: ast.AST, how: str) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                note(part.id, how, part.lineno)

    def visit(node: ast.AST) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                note(node.name, "other", node.lineno)
                for part in ast.walk(node):
                    if isinstance(part, ast.Global):
                        for name in part.names:
                            note(name, "other", part.lineno)
                return
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                for part in ast.walk(node):
                    if isinstance(part, ast.NamedExpr):
                        note(part.target.id, "other", part.lineno)
                return
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    name = alias.asname or (
                        alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name
                    )
                    note(name, "import", node.lineno)
            case ast.For() | ast.AsyncFor():
                targets(node.target, "loop")
                for child in (node.iter, *node.body, *node.orelse):
                    visit(child)
                return
            case ast.Name(ctx=ast.Store()):
                note(node.id, "other", node.lineno)
            case ast.MatchAs() | ast.MatchStar() if node.name:
                note(node.name, "other", node.lineno)
            case ast.MatchMapping() if node.rest:
                note(node.rest, "other", node.lineno)
            case ast.ExceptHandler() if node.name:
                note(node.name, "loop", node.lineno)  # gone when the handler ends
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def _changes(tree: ast.Module, outside: set[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Names from outside whose values are changed for sure, and those whose values may be."""
    sure: dict[str, int] = {}
    maybe: dict[str, int] = {}

    def note(found: dict[str, int], target: ast.Attribute | ast.Subscript, seen: set[str]) -> None:
        name = _root(target)
        if name in seen:
            found.setdefault(name, target.lineno)

    def visit(node: ast.AST, seen: set[str]) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            seen = seen & function_names(node)[0]
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            note(sure, node, seen)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            if isinstance(call.func, ast.Attribute):
                is_direct = isinstance(call.func.value, ast.Name | ast.Subscript)
                is_sure = (is_direct and call.func.attr in _CHANGING_METHODS) or _is_in_place(call)
                note(sure if is_sure else maybe, call.func, seen)
        for child in ast.iter_child_nodes(node):
            visit(child, seen)

    visit(tree, outside)
    return sure, maybe


def _is_in_place(call: ast.Call) -> bool:
    return any(
        keyword.arg == "inplace" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in call.keywords
    )


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
