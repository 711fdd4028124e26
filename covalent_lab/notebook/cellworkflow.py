"""The marked cells of a notebook → one lattice, whose nodes they are.

Decides what the notebook's own values become: functions, classes and modules are part of the code of the cells that use
them; other values are the workflow's inputs. Knows nothing of shells and screens.
"""

import dis
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from covalent_lab.errors import UsageError
from covalent_lab.notebook.cellfacts import CellFacts
from covalent_lab.notebook.cellgraph import GraphPlan, PlannedCell, plan_cells
from covalent_lab.notebook.cellrun import TaskLimits, cell_electron
from covalent_lab.notebook.remote import Shipped, graph_task
from covalent_lab.workflow.lattice import Lattice, lattice

__all__ = ["CellWorkflow", "TaskCell", "cell_workflow"]

_CODE_TYPES = (FunctionType, BuiltinFunctionType, MethodType, ModuleType, type, partial)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCell:
    """A marked cell.

    Attributes:
        name: What its task is called.
        label: What messages call it.
        source: Its text without the magic's line.
        first_line: Number of the first line of that, as the notebook counts.
        facts: What it reads and assigns.
        executor: A short name, an executor instance, or None for the workflow's.
        limits: What surrounds its task.
    """

    name: str
    label: str
    source: str
    first_line: int
    facts: CellFacts
    executor: Any = None
    limits: TaskLimits = field(default_factory=TaskLimits)

    @property
    def file(self) -> str:
        """What tracebacks call it."""
        return f"<{self.label}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellWorkflow:
    """A workflow that can be drawn and dispatched.

    Attributes:
        lattice: Its lattice, not yet built; takes the inputs by keyword.
        inputs: What it is called with: values that the notebook has, or that were given instead.
        cells: The cells, as they were given.
        plan: Who takes what from whom.
        node_ids: The node of each cell, known after a build.
    """

    lattice: Lattice[..., Any]
    inputs: Mapping[str, Any]
    cells: Sequence[TaskCell]
    plan: GraphPlan
    node_ids: Mapping[int, int]


def cell_workflow(
    cells: Sequence[TaskCell],
    namespace: Mapping[str, Any],
    *,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    executor: Any = None,
    reuses_results: bool = True,
    is_ordered: bool = False,
) -> CellWorkflow:
    """Make a workflow of cells.

    Args:
        cells: The marked cells.
        namespace: The notebook's own names.
        name: Of the workflow.
        parameters: Values to use instead of those that the notebook has.
        executor: Where cells run that do not say it themselves.
        reuses_results: Whether a cell whose code and inputs are those of an earlier run is not run again.
        is_ordered: As for `plan_cells`.

    Raises:
        UsageError: There are no cells, they are ambiguous, or a parameter is no input of theirs.
    """
    if not cells:
        raise UsageError("No cell is marked as a task. Begin cells with %%covalent task, run them, and try again.")
    given = {**namespace, **(parameters or {})}
    fixed = {known for known, value in given.items() if isinstance(value, _CODE_TYPES)}
    plan = plan_cells(
        [PlannedCell(label=cell.label, facts=cell.facts) for cell in cells], given, fixed=fixed, is_ordered=is_ordered
    )
    taken = sorted({known for part in plan.cells for known in part.from_notebook})
    _check_parameters(parameters or {}, taken)
    _check_functions(cells, plan, {known: given[known] for known in taken if known in fixed})
    calls: list[Callable[..., Any]] = []
    for cell, part in zip(cells, plan.cells, strict=True):
        values = [known for known in part.from_notebook if known not in fixed]
        takes = {**{known: cells[giver].name for known, giver in part.from_cells.items()}, **dict.fromkeys(values, "")}
        context = {known: given[known] for known in part.from_notebook if known in fixed}
        task = graph_task(
            cell.source,
            name=cell.name,
            file=cell.file,
            first_line=cell.first_line,
            takes=takes,
            gives=part.gives,
            imports=part.imports,
            fixed=context,
        )
        linked = [known for known, giver in takes.items() if giver]
        code = repr((cell.facts.identity, list(takes), linked, part.gives, part.imports))
        task.__dict__["covalent_identity"] = (code, context)  # comments and layout do not count
        calls.append(cell_electron(task, cell.executor, cell.limits))
    node_ids: dict[int, int] = {}

    def workflow(**inputs: Any) -> Any:
        outcomes: dict[int, Any] = {}
        for place in plan.order:
            part = plan.cells[place]
            values = [inputs[known] for known in part.from_notebook if known not in fixed]
            outcomes[place] = calls[place](
                *(outcomes[giver] for giver in part.from_cells.values()), *map(Shipped.of, values)
            )
            node_ids[place] = getattr(outcomes[place], "node_id", -1)
        return outcomes[max(outcomes)]

    workflow.__name__ = workflow.__qualname__ = name
    workflow.__doc__ = None
    workflow.covalent_source = "\n\n".join(f"# {cell.label}\n{cell.source.rstrip()}" for cell in cells)  # type: ignore[attr-defined]
    return CellWorkflow(
        lattice=lattice(workflow, executor=executor, cache=reuses_results),
        inputs={known: given[known] for known in taken if known not in fixed},
        cells=tuple(cells),
        plan=plan,
        node_ids=node_ids,
    )


def _check_parameters(parameters: Mapping[str, Any], taken: Sequence[str]) -> None:
    for name in parameters:
        if name not in taken:
            known = f"They take {', '.join(taken)}." if taken else "They take nothing."
            raise UsageError(f"No marked cell takes {name!r} from the notebook. {known}")


def _check_functions(cells: Sequence[TaskCell], plan: GraphPlan, fixed: Mapping[str, Any]) -> None:
    """Refuse functions of the notebook that read what a cell assigns: they would see what the notebook has."""
    givers = {name: place for place, part in enumerate(plan.cells) for name in part.gives}
    for called, value in fixed.items():
        for function, name in _global_reads(value):
            if name in givers:
                raise UsageError(
                    f"{function.__name__}() of the notebook, which the cells take as {called!r}, reads {name!r}, and "
                    f"{cells[givers[name]].label} assigns that: the function would not see it. Make it an argument, or "
                    "define the function in that cell."
                )


def _global_reads(value: Any) -> list[tuple[FunctionType, str]]:
    """Functions of the notebook that a value leads to, each with the global names it reads."""
    found: list[tuple[FunctionType, str]] = []
    waiting, seen = [value], set[int]()
    while waiting:
        item = waiting.pop()
        function = getattr(item, "__func__", item)
        function = function.func if isinstance(function, partial) else function
        if id(function) in seen:
            continue
        seen.add(id(function))
        if isinstance(function, type) and function.__module__ == "__main__":
            waiting.extend(vars(function).values())
        if not isinstance(function, FunctionType) or function.__module__ != "__main__":
            continue
        waiting.append(getattr(function, "__wrapped__", None))
        for name in _globals_of(function.__code__):
            found.append((function, name))
            waiting.append(function.__globals__.get(name))
    return found


def _globals_of(code: CodeType) -> set[str]:
    names = {str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return names.union(*(_globals_of(part) for part in code.co_consts if isinstance(part, CodeType)))
