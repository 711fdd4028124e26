"""Which names a function takes from outside, and which globals it assigns: pure, on the syntax tree.

Decides by Python's scope rules and ignores the order of statements, as a function runs later. `cells.py` follows the
order at top level and asks this module about functions.
"""

import ast
from collections.abc import Iterator

__all__ = ["FunctionNode", "annotations", "function_names", "names_read"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def function_names(node: FunctionNode) -> tuple[set[str], set[str]]:
    """Names that the body reads from the module, and names it assigns there (declared `global`)."""
    scope = _Scope()
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    scope.bound |= {argument.arg for argument in every if argument is not None}
    scope.bound |= {parameter.name for parameter in getattr(node, "type_params", ())}
    for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
        scope.visit(part)
    local = scope.bound - scope.declared_global - scope.declared_nonlocal
    return (scope.read | scope.skipping) - local, scope.global_assigned | (scope.bound & scope.declared_global)


def annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """The annotations of parameters and of the return value."""
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None and argument.annotation is not None:
            yield argument.annotation
    if node.returns is not None:
        yield node.returns


def names_read(node: ast.AST) -> set[str]:
    """Every name an expression mentions."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


class _Scope(ast.NodeVisitor):
    """Collects one function, class or comprehension scope.

    Attributes:
        bound: Names assigned in the scope.
        read: Names read in the scope, or by an inner one that sees this scope.
        skipping: Names read by inner functions; of a class scope, they do not see what the class binds.
        global_assigned: Names inner scopes declare global and assign.
    """

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.read: set[str] = set()
        self.skipping: set[str] = set()
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()
        self.global_assigned: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        (self.read if isinstance(node.ctx, ast.Load) else self.bound).add(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        self.declared_global.update(node.names)
        self.read.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.declared_nonlocal.update(node.names)

    def visit_Import(self, node: ast.Import) -> None:
        self.bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.bound.update(alias.asname or alias.name for alias in node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self.bound.add(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.bound.add(node.rest)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._named_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._named_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._inner_function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bound.add(node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        inner = _Scope()
        for statement in node.body:
            inner.visit(statement)
        self.read |= (inner.read - inner.bound) | inner.skipping
        self.global_assigned |= inner.global_assigned | (inner.bound & inner.declared_global)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def _named_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.bound.add(node.name)
        for part in (*node.decorator_list, *annotations(node)):
            self.visit(part)
        self._inner_function(node)

    def _inner_function(self, node: FunctionNode) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        free, assigned = function_names(node)
        self.skipping |= free
        self.global_assigned |= assigned

    def _comprehension(self, node: _Comprehension) -> None:
        inner = _Scope()
        inner.generic_visit(node)
        walrus = {part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr)}
        self.bound |= walrus
        self.read |= (inner.read - inner.bound) | walrus
        self.skipping |= inner.skipping - inner.bound
        self.global_assigned |= inner.global_assigned
