"""Which names a notebook cell takes, and which it gives: a pure analysis of its syntax tree.

Decides by reading the source only: nothing is run or looked up. Statements are followed in order; where paths part
(`if`, loops, `try`, `match`) a name counts as assigned only if every path assigns it, and as *possibly* assigned if
some path does. Reads inside functions happen later, if at all, so they never make a name required.
"""

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from covalent_lab.errors import UsageError
from covalent_lab.notebook.scopes import FunctionNode, annotations, function_names, names_read

__all__ = ["FIRST_LINE", "CellNames", "analyse"]

FIRST_LINE = 2
"""Line number of the first line below the magic, as the notebook counts them."""

_MODULE_NAMES = frozenset({"__name__", "__file__", "__doc__", "__builtins__", "__spec__"})
_PROVIDED = frozenset({"display"})  # cells find a stand-in where they run
_BUILTINS = (frozenset(dir(builtins)) | _MODULE_NAMES | _PROVIDED) - {"get_ipython"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellNames:
    """The names that cross the border of a cell.

    Attributes:
        required: Read before anything in the cell assigns them; missing ones are an error.
        optional: Read, but perhaps assigned first, or read only if some function is called; taken where they exist.
        shadowable: Built-in names the cell reads; taken only where the notebook redefines them.
        assigned: Given back if they exist when the cell ends, in order of first assignment.
        has_star_import: Also gives names nobody can know beforehand.
        unsure: Those of `assigned` that not every path through the cell assigns.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    shadowable: tuple[str, ...]
    assigned: tuple[str, ...]
    has_star_import: bool = False
    unsure: frozenset[str] = frozenset()


def analyse(source: str, *, first_line: int = FIRST_LINE) -> CellNames:
    """Read a cell.

    Args:
        source: The text below the magic's line.
        first_line: Number of its first line, as messages count.

    Raises:
        SyntaxError: It is not Python; line numbers are those of the notebook's cell.
        UsageError: It awaits something at top level, which no task can do.
    """
    tree = ast.parse("\n" * (first_line - 1) + source, filename="<covalent cell>")
    _refuse_await(tree)
    flow = _Flow()
    flow.run(tree.body)
    read = flow.required | flow.optional
    return CellNames(
        required=tuple(sorted(flow.required - _BUILTINS)),
        optional=tuple(sorted(flow.optional - flow.required - _BUILTINS)),
        shadowable=tuple(sorted((read & _BUILTINS) - _MODULE_NAMES)),
        assigned=tuple(flow.outputs),
        has_star_import=flow.has_star_import,
        unsure=frozenset(flow.outputs.keys() - flow.certain),
    )


def _refuse_await(tree: ast.Module) -> None:
    """`await` is fine inside `async def` only."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        is_async_part = isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
        if is_async_part or (isinstance(node, ast.comprehension) and node.is_async):
            line = getattr(node, "lineno", None) or getattr(getattr(node, "iter", None), "lineno", 0)
            raise UsageError(
                f"Line {line}: a %%covalent cell cannot await at top level. "
                "Put the code into an async function and call it with asyncio.run(...)."
            )
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        waiting.extend(ast.iter_child_nodes(node))


@dataclass(slots=True)
class _Flow:
    """State while the statements of one scope (the cell, or a class body) are followed.

    Attributes:
        certain: Assigned on every path so far.
        possible: Assigned on some path so far, or by a function that declares the name global.
        outputs: Every name assigned at top level, in order (a dict used as an ordered set).
        guarded: How many `try` statements with handlers are around: a missing name may be expected there.
        is_class: The scope is a class body.
        global_outputs: Assigned by functions that declare the name global.
    """

    certain: set[str] = field(default_factory=set)
    possible: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    outputs: dict[str, None] = field(default_factory=dict)
    has_star_import: bool = False
    guarded: int = 0
    is_class: bool = False
    global_outputs: set[str] = field(default_factory=set)

    def run(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def read(self, name: str) -> None:
        if name in self.certain:
            return
        if name in self.possible or self.has_star_import or self.guarded:
            self.optional.add(name)
        else:
            self.required.add(name)

    def read_later(self, names: Iterable[str]) -> None:
        hidden = () if self.is_class else self.certain  # functions do not see the names of the class around them
        self.optional.update(name for name in names if name not in hidden)

    def bind(self, name: str) -> None:
        self.certain.add(name)
        self.possible.add(name)
        self.outputs[name] = None

    # -- statements -----------------------------------------------------------------------------------------------

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
                self.bind(node.name)
            case ast.ClassDef():
                self._class(node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Assign():
                self._expression(node.value)
                self._targets(node.targets)
            case ast.AugAssign():
                if isinstance(node.target, ast.Name):
                    self.read(node.target.id)
                self._expression(node.value)
                self._targets([node.target])
            case ast.AnnAssign():
                self._expression(node.annotation)
                if node.value is not None:
                    self._expression(node.value)
                    self._targets([node.target])
                elif not isinstance(node.target, ast.Name):
                    self._targets([node.target])
            case ast.Delete():
                for target in node.targets:
                    self._delete(target)
            case ast.For() | ast.AsyncFor():
                self._expression(node.iter)
                self._branches([[*_as_binding(node.target), *node.body], []])
                self.run(node.orelse)
            case ast.While():
                self._expression(node.test)
                self._branches([node.body, []])
                self.run(node.orelse)
            case ast.If():
                self._expression(node.test)
                self._branches([node.body, node.orelse])
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._expression(item.context_expr)
                    if item.optional_vars is not None:
                        self._targets([item.optional_vars])
                self.run(node.body)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.Match():
                self._match(node)
            case ast.Global() | ast.Nonlocal() | ast.Pass() | ast.Break() | ast.Continue():
                pass
            case _:
                self._type_alias(node)
                for child in ast.iter_child_nodes(node):
                    self._expression(child)

    def _type_alias(self, node: ast.stmt) -> None:
        name = getattr(node, "name", None)  # `type X = ...`, from Python 3.12
        if isinstance(name, ast.Name):
            self.bind(name.id)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.has_star_import = True
            elif isinstance(node, ast.Import):
                self.bind(alias.asname or alias.name.partition(".")[0])
            else:
                self.bind(alias.asname or alias.name)

    def _targets(self, targets: Iterable[ast.AST]) -> None:
        for target in targets:
            if isinstance(target, ast.Name):
                self.bind(target.id)
            elif isinstance(target, ast.Tuple | ast.List):
                self._targets(target.elts)
            elif isinstance(target, ast.Starred):
                self._targets([target.value])
            else:  # a[i] = ..., a.b = ...: reads a, i
                self._expression(target)

    def _delete(self, target: ast.AST) -> None:
        if isinstance(target, ast.Name):
            self.read(target.id)
            self.certain.add(target.id)  # whatever is read later is not the notebook's
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._delete(part)
        else:
            self._expression(target)

    def _branches(self, bodies: Sequence[Sequence[ast.stmt]]) -> None:
        before = set(self.certain)
        ends = []
        for body in bodies:
            self.certain = set(before)
            self.run(body)
            ends.append(self.certain)
        self.certain = set.intersection(*ends)

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self.certain)
        self.guarded += bool(node.handlers)
        self.run(node.body)
        self.guarded -= bool(node.handlers)
        self.run(node.orelse)
        ends = [self.certain]
        for handler in node.handlers:
            self.certain = set(before)
            if handler.type is not None:
                self._expression(handler.type)
            local = handler.name if handler.name and handler.name not in self.outputs else None
            if handler.name:
                self.certain.add(handler.name)
            self.run(handler.body)
            if local is not None:  # Python deletes it when the handler ends
                self.certain.discard(local)
            if not (handler.body and isinstance(handler.body[-1], ast.Raise)):
                ends.append(self.certain)
        self.certain = set.intersection(*ends)
        self.run(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self._expression(node.subject)
        before = set(self.certain)
        ends = []
        is_complete = False
        for case in node.cases:
            self.certain = set(before)
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(part, ast.MatchAs | ast.MatchStar | ast.MatchMapping) and name:
                    self.bind(name)
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.expr):
                    self._expression(part)
            if case.guard is not None:
                self._expression(case.guard)
            self.run(case.body)
            ends.append(self.certain)
            is_wildcard = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            is_complete = is_complete or (is_wildcard and case.guard is None)
        self.certain = set.intersection(*ends) if is_complete else before

    # -- scopes ---------------------------------------------------------------------------------------------------

    def _class(self, node: ast.ClassDef) -> None:
        own = _type_parameters(node)
        outside = set(self.certain)
        for part in node.decorator_list:
            self._expression(part)
        self.certain |= own
        for part in (*node.bases, *(keyword.value for keyword in node.keywords)):
            self._expression(part)
        inner = _Flow(guarded=self.guarded, has_star_import=self.has_star_import, is_class=True)
        inner.run(node.body)
        for name in sorted(inner.required):
            self.read(name)
        self.read_later(inner.optional)
        self.certain = outside
        self._assigned_by_functions(inner.global_outputs)
        self.bind(node.name)

    def _function(self, node: FunctionNode) -> None:
        arguments = node.args
        for part in (*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)):
            self._expression(part)
        if not isinstance(node, ast.Lambda):
            for part in node.decorator_list:
                self._expression(part)
            own = _type_parameters(node)
            for note in annotations(node):
                if own:  # evaluated in a scope of its own
                    self.read_later(names_read(note) - own)
                else:
                    self._expression(note)
        free, assigned = function_names(node)
        if not isinstance(node, ast.Lambda):
            free.discard(node.name)  # recursion
        self.read_later(sorted(free))
        self._assigned_by_functions(assigned)

    def _assigned_by_functions(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            self.global_outputs.add(name)
            if not self.is_class:
                self.possible.add(name)
                self.outputs[name] = None

    # -- expressions ----------------------------------------------------------------------------------------------

    def _expression(self, node: ast.AST) -> None:
        match node:
            case ast.Name():
                if isinstance(node.ctx, ast.Load):
                    self.read(node.id)
            case ast.NamedExpr():
                self._expression(node.value)
                self.bind(node.target.id)
            case ast.Lambda():
                self._function(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node)
            case ast.BoolOp() | ast.IfExp():
                self._conditional(node)
            case ast.stmt():
                self._statement(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._expression(child)

    def _conditional(self, node: ast.BoolOp | ast.IfExp) -> None:
        first, others = (node.values[0], node.values[1:]) if isinstance(node, ast.BoolOp) else (node.test, None)
        self._expression(first)
        before = set(self.certain)
        for part in others if others is not None else (node.body, node.orelse):  # type: ignore[union-attr]
            self._expression(part)
        self.certain = before  # a walrus in there may not have run

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        outer = set(self.certain)
        local: set[str] = set()
        for generator in node.generators:
            self._expression(generator.iter)
            local |= _names_stored(generator.target)
            self.certain |= local
            for condition in generator.ifs:
                self._expression(condition)
        for element in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self._expression(element)
        self.certain = outer
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                self.possible.add(part.target.id)
                self.outputs[part.target.id] = None


def _names_stored(target: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _as_binding(target: ast.expr) -> list[ast.stmt]:
    """A loop variable as the assignment that happens when the loop runs."""
    return [ast.Assign(targets=[target], value=ast.Constant(None))]


def _type_parameters(node: ast.AST) -> set[str]:
    return {parameter.name for parameter in getattr(node, "type_params", ())}
