"""The code cells of a notebook file, before they run: which are tasks, and where its parameters are assigned. Pure.

A cell is known by its number: that of its prompt when the notebook is run from the top, `[3]` for the third code cell.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.notebook.cellfacts import CellFacts, read_cell

__all__ = ["CodeCell", "is_marked", "runs_workflow", "tasks_of", "with_parameters"]

_MARK = re.compile(r"\s*%%covalent\s+task\b")
_RUN = re.compile(r"^\s*%covalent\s+run\b", re.MULTILINE)
_MAGIC_LINE = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCell:
    """One code cell that is not empty.

    Attributes:
        number: 1 for the first.
        source: Its text.
        is_parameters: Whether it is tagged `parameters`.
    """

    number: int
    source: str
    is_parameters: bool = False

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"cell [{self.number}]"


def is_marked(source: str) -> bool:
    """Whether a cell begins with `%%covalent task`."""
    return _MARK.match(source) is not None


def runs_workflow(source: str) -> bool:
    """Whether a cell has a line `%covalent run`."""
    return _RUN.search(source) is not None


def with_parameters(cells: Sequence[CodeCell], parameters: Mapping[str, Any]) -> list[CodeCell]:
    """The cells with other values assigned, each in the place of the notebook's own.

    Args:
        cells: The cells.
        parameters: Values that have a literal form.

    Raises:
        UsageError: A name is assigned nowhere or in several places, or its value has no literal form.
    """
    changed = list(cells)
    for name, value in parameters.items():
        place, span = _assignment(changed, name)
        text = repr(value)
        try:
            ast.literal_eval(text)
        except (ValueError, SyntaxError) as error:
            raise UsageError(f"The value of {name}, {text}, cannot be written into a cell.") from error
        source = changed[place].source.encode()
        changed[place] = replace(
            changed[place], source=(source[: span.start] + text.encode() + source[span.stop :]).decode()
        )
    return changed


def tasks_of(cells: Sequence[CodeCell]) -> frozenset[int]:
    """Numbers of the cells that are tasks in a notebook where none is marked.

    These are all but those that only import, define functions and classes, or assign literals, and that neither bind
    what another cell binds or changes, nor read what a task binds: the notebook itself runs them.

    Raises:
        UsageError: A cell hides the names it uses.
        SyntaxError: A cell is not Python.
    """
    facts = {cell.number: _facts(cell) for cell in cells}
    binders: dict[str, set[int]] = {}
    for number, found in facts.items():
        for name in found.gives:
            binders.setdefault(name, set()).add(number)
    tasks = {
        cell.number
        for cell in cells
        if not _only_defines(cell) or any(len(binders[name]) > 1 for name in facts[cell.number].gives)
    }
    while True:
        bound = {name for name, numbers in binders.items() if numbers & tasks}
        more = {
            number
            for number, found in facts.items()
            if number not in tasks and bound & {*found.names.required, *found.names.optional}
        }
        if not more:
            return frozenset(tasks)
        tasks |= more


def _facts(cell: CodeCell) -> CellFacts:
    source = _without_magics(cell.source) if _only_defines(cell) else cell.source
    try:
        return read_cell(source, first_line=1)
    except UsageError as error:
        raise UsageError(f"{cell.label}: {error}") from error
    except SyntaxError as error:
        magic = _MAGIC_LINE.search(cell.source)
        if magic is None:
            raise UsageError(f"{cell.label}, line {error.lineno} is not Python: {error.msg}.") from error
        line = cell.source.count("\n", 0, magic.start()) + 1
        raise UsageError(
            f"{cell.label}, line {line}: {magic.group().strip()!r} is for the notebook only and cannot run in a task. "
            "Move it to a cell that only imports and defines, or mark the cells that are tasks with %%covalent task."
        ) from error


def _without_magics(source: str) -> str:
    """The text with comments of the same length in place of magics, so that places stay as they are."""
    return _MAGIC_LINE.sub(lambda match: "#" * len(match.group()), source)


def _only_defines(cell: CodeCell) -> bool:
    if cell.source.lstrip().startswith("%%"):
        return False
    try:
        tree = ast.parse(_without_magics(cell.source))
    except SyntaxError:
        return False
    return all(
        isinstance(node, _DEFINITIONS)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_literal(node.value))
        for node in tree.body
    )


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _assignment(cells: Sequence[CodeCell], name: str) -> tuple[int, slice]:
    """Where the value of a parameter is written: the place of its cell, and bytes of its source."""
    tagged = [place for place, cell in enumerate(cells) if cell.is_parameters]
    places = tagged or [place for place, cell in enumerate(cells) if not is_marked(cell.source)]
    found = [(place, known, value) for place in places for known, value in _assigned(cells[place].source)]
    own = [(place, value) for place, known, value in found if known == name]
    where = "the cell tagged parameters" if tagged else "an unmarked cell"
    if not own:
        known = ", ".join(dict.fromkeys(known for _, known, _ in found)) or "nothing"
        raise UsageError(f"There is no parameter {name!r}: {where} would have to assign it. Assigned there: {known}.")
    if len(own) > 1:
        lines = " and ".join(f"{cells[place].label}, line {value.lineno}" for place, value in own)
        raise UsageError(f"{name!r} is assigned in {lines}. Tag the cell that is meant: parameters.")
    place, value = own[0]
    lines_before = cells[place].source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines_before:
        starts.append(starts[-1] + len(line))
    assert value.end_lineno is not None
    assert value.end_col_offset is not None
    return place, slice(
        starts[value.lineno - 1] + value.col_offset, starts[value.end_lineno - 1] + value.end_col_offset
    )


def _assigned(source: str) -> Iterator[tuple[str, ast.expr]]:
    try:
        tree = ast.parse(_without_magics(source))
    except SyntaxError:
        return
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and len(targets) == 1:
            target = targets[0]
            if isinstance(target, ast.Name):
                yield target.id, node.value
