"""A cell as a task: the function that runs a cell's source wherever its executor puts it.

Decides how a cell is run there: what it sees as `__main__`, what it gives back, and how its figures are kept. The
function travels by value and imports only what is there (the standard library, cloudpickle), so this package is not
needed where it runs. Source is compiled there, so line numbers in tracebacks are those of the notebook's cell.
Functions that come back keep the globals of their cell: they do not see what the notebook assigns later.
"""

import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from covalent_lab.notebook.cells import FIRST_LINE

__all__ = ["CELL_FILE", "RUNNER_FILE", "Shipped", "cell_task", "graph_task", "outcome_maker", "shown_as"]

CELL_FILE = "<covalent cell>"
RUNNER_FILE = "<covalent cell runner>"


def cell_task(
    source: str, *, name: str, takes: Sequence[str], gives: Sequence[str], gives_new: bool = False
) -> Callable[..., Any]:
    """Make the task of one cell.

    Args:
        source: The text below the magic's line.
        name: What the task is called.
        takes: Names it is called with the values of, in order.
        gives: Names whose values come back, if they exist when the cell ends.
        gives_new: Also give back public names that nobody could foresee (star imports).

    Returns:
        A function of the values of `takes`. It returns an object with the attributes `value` (of a last expression),
        `text` (stands for a value that cannot be pickled), `names`, `lost` (name → why it cannot come back), `shown`
        (MIME bundles: what was displayed, then figures left open) and `covalent_cell` (the version of this form).
    """
    run_with = _runner("\n" * (FIRST_LINE - 1) + source, CELL_FILE, tuple(gives), gives_new)
    names = tuple(takes)

    def run(*values: Any) -> Any:
        return run_with(dict(zip(names, values)))  # noqa: B905  as many as there are names

    return _as_task(run, source, name, takes)


def graph_task(
    source: str,
    *,
    name: str,
    file: str,
    first_line: int,
    takes: Mapping[str, str],
    gives: Sequence[str],
    imports: Sequence[str] = (),
    fixed: Mapping[str, Any] | None = None,
) -> Callable[..., Any]:
    """Make the task of one cell of several that form a workflow.

    Args:
        source: The cell's text, without the magic's line.
        name: What the task is called.
        file: What tracebacks call the cell.
        first_line: Number of the source's first line.
        takes: Names it is called with something for, in order, each with what the other cell is called that gives it,
            or with an empty text if it is called with the value itself.
        gives: As for `cell_task`.
        imports: Statements to run before.
        fixed: Values that it sees under these names and that are part of its code: modules, functions and classes.

    Returns:
        A function of the values of `takes`. For a name that another cell gives this is the outcome of that cell. It
        returns an outcome, as that of `cell_task` does.
    """
    run_with = _runner("\n" * (first_line - 1) + source, file, tuple(gives), False)
    givers, statements, context = dict(takes), "\n".join(imports), dict(fixed or {})

    def run(*values: Any) -> Any:
        known: dict[str, Any] = {}
        exec(statements, known)
        known.pop("__builtins__")
        known.update(context)
        for (wanted, giver), value in zip(givers.items(), values):  # noqa: B905  as many as there are names
            if not giver:
                known[wanted] = value
            elif wanted in value.names:
                known[wanted] = value.names[wanted]
            elif wanted in value.lost:
                raise NameError(f"{wanted!r} cannot leave the cell {giver!r}: {value.lost[wanted]}", name=wanted)
        return run_with(known)

    return _as_task(run, source, name, tuple(takes))


def _as_task(run: Callable[..., Any], source: str, name: str, takes: Sequence[str]) -> Callable[..., Any]:
    run.__code__ = run.__code__.replace(co_filename=RUNNER_FILE)
    run.__name__ = run.__qualname__ = name
    run.__module__ = "__main__"
    run.__wrapped__ = shown_as(source, name, takes)  # type: ignore[attr-defined]
    return run


class Shipped:
    """A value that tracing must not look into: it travels as one payload, and arrives as the value itself."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @classmethod
    def of(cls, value: Any) -> Any:
        """Wrap a collection; other values travel in one piece anyway."""
        if not isinstance(value, list | tuple | set | frozenset | dict):
            return value
        kind = type(value)  # previews show the name of the type
        return type(kind.__qualname__, (cls,), {"__module__": kind.__module__})(value)

    def __str__(self) -> str:
        return str(self._value)

    def __getitem__(self, place: Any) -> Any:
        return self._value[place]

    def __reduce__(self) -> tuple[Any, ...]:
        import operator

        return operator.getitem, ((self._value,), 0)


def shown_as(source: str, name: str, takes: Sequence[str]) -> Callable[..., Any]:
    """A function never called: it lends the task its signature, and its source to whoever asks for it."""
    head = f"def {name}({', '.join(takes)}):"
    body = "".join(f"    {line}" if line.strip() else line for line in source.splitlines(keepends=True))
    file = f"{CELL_FILE[:-1]} {name}>"
    text = f"{head}\n{body.rstrip() or '    pass'}\n"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(f"{head} pass", file, "exec"), space)
    shown: Callable[..., Any] = space[name]
    return shown


def _runner(text: str, file: str, gives: tuple[str, ...], gives_new: bool) -> Callable[[dict[str, Any]], Any]:
    make_outcome, watch_figures, collect = outcome_maker(), _figure_watch(), _collector()

    def run_with(known: dict[str, Any]) -> Any:
        import ast
        import linecache
        import os
        import sys
        import types

        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        if os.environ.get("MPLBACKEND", "").startswith("module://"):
            os.environ["MPLBACKEND"] = "agg"  # the notebook's own backend draws nothing here
        outcome = make_outcome()
        take_figures, display = watch_figures(outcome)
        tree = ast.parse(text, file)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        main = types.ModuleType("__main__")
        space = main.__dict__
        space["display"] = display
        space.update(known)
        before = set(space)
        kept = sys.modules.get("__main__")
        sys.modules["__main__"] = main  # so that pickle and multiprocessing find what the cell defines
        try:
            exec(compile(tree, file, "exec", dont_inherit=True), space)
            if isinstance(last, ast.Expr):
                outcome.value = eval(compile(ast.Expression(last.value), file, "eval", dont_inherit=True), space)
            take_figures()
            new = [name for name in space if name not in before and name[:1] != "_"] if gives_new else []
            collect(outcome, space, gives, new)
            return outcome
        finally:
            if kept is not None:
                sys.modules["__main__"] = kept

    run_with.__code__ = run_with.__code__.replace(co_filename=RUNNER_FILE)
    return run_with


# What follows makes functions and a class inside functions: such travel by value, wherever they are defined.


def outcome_maker() -> Callable[..., Any]:
    """Make the function that makes what a cell leaves behind; see `cell_task`.

    Its pickles are equal for equal content, so that what is done with it can be recognised: no class is in them.
    """

    def make_outcome(content: "dict[str, Any] | None" = None) -> Any:
        class CellOutcome:
            """What a cell leaves behind."""

            covalent_cell = 1

            def __init__(self) -> None:
                self.value: Any = None
                self.text = ""
                self.names: dict[str, Any] = {}
                self.lost: dict[str, str] = {}
                self.shown: list[dict[str, str]] = []

            def __str__(self) -> str:
                shown = [self.text or str(self.value)] if self.text or self.value is not None else []
                shown += [f"{name} = {str(value)[:1000]}" for name, value in self.names.items()]
                return "\n".join(shown)

            def __reduce__(self) -> "tuple[Any, ...]":
                return make_outcome, (vars(self),)

            def _repr_png_(self) -> "bytes | None":
                import base64

                images = [bundle["image/png"] for bundle in self.shown if "image/png" in bundle]
                return base64.b64decode(images[-1]) if images else None

            def _repr_html_(self) -> "str | None":
                method = getattr(self.value, "_repr_html_", None)
                return None if method is None or isinstance(self.value, type) else method()

        outcome = CellOutcome()
        vars(outcome).update(content or {})
        return outcome

    return make_outcome


def _figure_watch() -> Callable[[Any], tuple[Callable[[], None], Callable[..., None]]]:
    def watch_figures(outcome: Any) -> Any:
        import base64
        import io
        import sys

        plot = sys.modules.get("matplotlib.pyplot")
        known = set() if plot is None else set(plot.get_fignums())

        def is_figure(value: Any) -> bool:
            return type(value).__module__.startswith("matplotlib.") and hasattr(value, "savefig")

        def display(*values: Any, **options: Any) -> None:
            """Stands in for the notebook's `display`: what it is given is shown there when the cell has ended."""
            for value in values:
                bundle = {"text/plain": repr(value)}
                if is_figure(value):
                    stream = io.BytesIO()
                    value.savefig(stream, format="png", bbox_inches="tight")
                    bundle["image/png"] = base64.b64encode(stream.getvalue()).decode("ascii")
                    if "matplotlib.pyplot" in sys.modules:
                        sys.modules["matplotlib.pyplot"].close(value)
                else:
                    for mime, method in (("text/html", "_repr_html_"), ("image/svg+xml", "_repr_svg_")):
                        text = getattr(value, method)() if hasattr(type(value), method) else None
                        if isinstance(text, str):
                            bundle[mime] = text
                outcome.shown.append(bundle)

        def take_figures() -> None:
            """Display the figures opened meanwhile, and the outcome's value if it is one."""
            plot = sys.modules.get("matplotlib.pyplot")
            figures = [] if plot is None else [plot.figure(n) for n in plot.get_fignums() if n not in known]
            if is_figure(outcome.value) and outcome.value not in figures:
                figures.append(outcome.value)
            display(*figures)

        return take_figures, display

    return watch_figures


def _collector() -> Callable[[Any, dict[str, Any], Sequence[str], Sequence[str]], None]:
    def collect(outcome: Any, space: "dict[str, Any]", gives: "Sequence[str]", new: "Sequence[str]") -> None:
        """Put the names that can be pickled into the outcome, and a reason for each foreseen one that cannot."""
        import cloudpickle  # this runs in the worker

        def why_not(value: Any) -> str:
            try:  # large arrays are not copied for this
                cloudpickle.dumps(value, protocol=5, buffer_callback=lambda buffer: None)
            except Exception as error:  # noqa: BLE001  user code
                return f"{type(value).__name__}: {error}"
            return ""

        given = dict.fromkeys([*(name for name in gives if name in space), *new])
        outcome.names = {name: space[name] for name in given}
        if not why_not((outcome.value, outcome.names)):
            return
        for name in given:
            reason = why_not(space[name])
            if reason:
                del outcome.names[name]
                if name in gives:
                    outcome.lost[name] = reason
        if why_not(outcome.value):
            outcome.text, outcome.value = repr(outcome.value)[:10_000], None

    return collect
