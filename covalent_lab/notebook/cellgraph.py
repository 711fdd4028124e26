"""The cells of a notebook as a graph: who takes which name from whom. Pure: facts in, plan or complaints out.

**The rule:** names make the edges, and nothing is guessed. A name that one cell assigns goes to all cells that read
it, wherever they stand; what no cell assigns comes from the notebook. What any cell assigns never comes from the
notebook, so that a run does not depend on the one before. A name that several cells assign may be read by nobody else.
Only where the order of the cells is that of a document (`is_ordered`) the nearest cell above wins, as in a notebook
that is run from the top.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from covalent_lab.errors import UsageError
from covalent_lab.notebook.cellfacts import CellFacts

__all__ = ["CellPlan", "GraphPlan", "PlannedCell", "plan_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCell:
    """A cell that is to become a node.

    Attributes:
        label: What messages call it.
        facts: What it reads and assigns.
    """

    label: str
    facts: CellFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """Where one cell gets its names.

    Attributes:
        from_cells: Name → place of the cell that gives it.
        from_notebook: Names that the notebook gives, sorted.
        imports: Statements that other cells make and this one relies on.
        gives: Names it gives back.
    """

    from_cells: Mapping[str, int]
    from_notebook: tuple[str, ...]
    imports: tuple[str, ...]
    gives: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPlan:
    """All cells.

    Attributes:
        cells: In the order they were given.
        order: Their places, every cell after those that it takes from.
        warnings: What may not be what the user means.
    """

    cells: tuple[CellPlan, ...]
    order: tuple[int, ...]
    warnings: tuple[str, ...]


def plan_cells(
    cells: Sequence[PlannedCell],
    known: Collection[str],
    *,
    fixed: Collection[str] = (),
    is_ordered: bool = False,
) -> GraphPlan:
    """Decide what each cell takes from where.

    Args:
        cells: The cells, at least one.
        known: Names that the notebook has.
        fixed: Those of them that stand for modules, functions or classes, which no cell changes.
        is_ordered: Whether the order of the cells counts: a cell then takes from the nearest one above.

    Raises:
        UsageError: Something is ambiguous or missing; the message tells all of it, by cell and line.
    """
    planner = _Planner(cells, frozenset(known), frozenset(fixed), is_ordered)
    plans = tuple(planner.plan(place) for place in range(len(cells)))
    planner.check_changes(plans)
    order = _ordered(plans)
    if order is None:
        planner.problems.append(_circle(cells, plans))
    if planner.problems:
        raise UsageError("\n".join(dict.fromkeys(planner.problems)))
    return GraphPlan(cells=plans, order=order or (), warnings=tuple(planner.warnings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A cell that has a name to offer: a value, or an import that others may repeat."""

    place: int
    statement: str = ""


class _Planner:
    def __init__(
        self, cells: Sequence[PlannedCell], known: frozenset[str], fixed: frozenset[str], is_ordered: bool
    ) -> None:
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._cells = cells
        self._known = known
        self._is_ordered = is_ordered
        self._fixed = fixed.union(*(cell.facts.imports for cell in cells))
        self._gives = [self._given_by(cell.facts) for cell in cells]
        self._sources: dict[str, list[_Source]] = {}
        for place, names in enumerate(self._gives):
            for name in names:
                self._sources.setdefault(name, []).append(_Source(place=place))
            for name, statement in cells[place].facts.imports.items():
                self._sources.setdefault(name, []).append(_Source(place=place, statement=statement))

    def _given_by(self, facts: CellFacts) -> tuple[str, ...]:
        """What a cell gives; in order, a method called for its effect counts as a change that is seen below."""
        assigned = facts.names.assigned
        given = [name for name in facts.gives if name in assigned or name not in self._fixed]
        if self._is_ordered:
            given += [name for name in facts.may_change if name not in self._fixed]
        return tuple(dict.fromkeys(given))

    def plan(self, place: int) -> CellPlan:
        names = self._cells[place].facts.names
        from_cells: dict[str, int] = {}
        from_notebook: list[str] = []
        imports: dict[str, None] = {}
        passed_on = sorted(names.unsure) if self._is_ordered else ()
        for name in dict.fromkeys((*names.required, *names.optional, *names.shadowable, *passed_on)):
            is_required = name in names.required
            source = self._source(name, place, is_required=is_required)
            if source is not None and source.statement:
                imports[source.statement] = None
            elif source is not None:
                from_cells[name] = source.place
            elif name not in self._sources and name in self._known:
                from_notebook.append(name)
            elif is_required:
                self._complain_missing(name, place)
        return CellPlan(
            from_cells=from_cells,
            from_notebook=tuple(sorted(from_notebook)),
            imports=tuple(imports),
            gives=self._gives[place],
        )

    def _source(self, name: str, place: int, *, is_required: bool) -> _Source | None:
        """Where to take a name from; complains where that is not clear."""
        facts = self._cells[place].facts
        others = [source for source in self._sources.get(name, []) if source.place != place]
        if self._is_ordered:
            above = [source for source in others if source.place < place]
            return max(above, key=lambda source: source.place, default=None)
        if not is_required and (name in facts.loop_only or name in facts.imports):
            return None
        different = {source.statement or str(source.place): source for source in others}
        if len(different) < 2:
            return others[0] if others else None
        givers = " and ".join(self._place_of(other.place, name, is_assigned=True) for other in different.values())
        changed = any(name not in self._cells[other.place].facts.names.assigned for other in different.values())
        advice = (
            "Change it in the cell that makes it, or give the changed value another name."
            if changed
            else "Give one of them another name, or put them into one cell."
        )
        verb = "is assigned or changed" if changed else "is assigned"
        reader = self._place_of(place, name, is_assigned=False)
        self.problems.append(f"{name!r} {verb} by {givers}, and read by {reader}: which one is meant? {advice}")
        return others[0]

    def _complain_missing(self, name: str, place: int) -> None:
        where = self._place_of(place, name, is_assigned=False)
        below = [source.place for source in self._sources.get(name, []) if source.place > place]
        if below and self._is_ordered:
            giver = self._place_of(below[0], name, is_assigned=True)
            self.problems.append(f"{where} reads {name!r}, which is assigned below it only, by {giver}. Move the cell.")
        elif name in self._sources:
            source = "the notebook has" if name in self._known else "no other cell assigns"
            self.problems.append(
                f"{where} reads {name!r}, which {source}, and then assigns or changes it: a second run would begin "
                "with what the first one left. Assign to another name."
            )
        else:
            self.problems.append(
                f"{where} reads {name!r}, which neither the notebook nor a marked cell has. Assign it in a cell of the "
                "notebook and run that, or mark the cell that assigns it."
            )

    def check_changes(self, plans: Sequence[CellPlan]) -> None:
        """Warn of methods that may change what another cell, too, takes as it was made."""
        if self._is_ordered:
            return
        for place, cell in enumerate(self._cells):
            for name, line in cell.facts.may_change.items():
                giver = plans[place].from_cells.get(name)
                readers = [p for p, plan in enumerate(plans) if p != place and plan.from_cells.get(name) == giver]
                if giver is not None and readers:
                    self.warnings.append(
                        f"{cell.label}, line {line} calls a method of {name!r}, which comes from "
                        f"{self._cells[giver].label}. If that changes it, "
                        f"{' and '.join(self._cells[reader].label for reader in readers)} will not see the change: "
                        "each cell gets a copy of its own. Move the call into the cell that makes it."
                    )

    def _place_of(self, place: int, name: str, *, is_assigned: bool) -> str:
        cell = self._cells[place]
        return f"{cell.label}, line {cell.facts.line_of(name, is_assigned=is_assigned)}"


def _ordered(plans: Sequence[CellPlan]) -> tuple[int, ...] | None:
    """Places such that givers come first, else as they stand; None if cells wait for each other."""
    done: dict[int, None] = {}
    while len(done) < len(plans):
        ready = next(
            (p for p, plan in enumerate(plans) if p not in done and done.keys() >= set(plan.from_cells.values())), None
        )
        if ready is None:
            return None
        done[ready] = None
    return tuple(done)


def _circle(cells: Sequence[PlannedCell], plans: Sequence[CellPlan]) -> str:
    steps = [
        f"{cells[taker].label}, line {cells[taker].facts.line_of(name, is_assigned=False)} reads {name!r} of "
        f"{cells[giver].label}"
        for taker, plan in enumerate(plans)
        for name, giver in plan.from_cells.items()
        if _reaches(plans, giver, taker)
    ]
    return (
        f"Cells wait for each other: {'; '.join(steps)}. Put them into one cell, or assign a name before it is read "
        "in the cell that means its own."
    )


def _reaches(plans: Sequence[CellPlan], start: int, goal: int) -> bool:
    """Whether a cell takes from another one, directly or through others."""
    waiting, seen = [*plans[start].from_cells.values()], set[int]()
    while waiting:
        place = waiting.pop()
        if place == goal:
            return True
        if place not in seen:
            seen.add(place)
            waiting.extend(plans[place].from_cells.values())
    return False
