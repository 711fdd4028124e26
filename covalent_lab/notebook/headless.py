"""A notebook file run without anybody in front of it: what `covalent-lab run` does.

A kernel of its own runs the cells from the top; marked cells are only marked there, and run as one workflow by
`%covalent run`, the notebook's own or one at the end. Where no cell is marked, all that compute are, in their order.
What the cells leave stands below them in the copy that is saved, also after a failure.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from covalent_lab.client.api import cancel
from covalent_lab.client.connection import is_covalent_running
from covalent_lab.errors import TaskRuntimeError, UsageError
from covalent_lab.notebook.documents import CodeCell, is_marked, runs_workflow, tasks_of, with_parameters

__all__ = ["ExecutedNotebook", "run_notebook"]

_LOAD = (
    '__import__("covalent_lab").load_ipython_extension(get_ipython())'  # %load_ext may follow, and says nothing then
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(r"(?:Cell |<ipython-input-).*?(?:In\[\d+\]|>).*?(?:, line | in line |:)(\d+)")
_DISPATCH = re.compile(r"\(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedNotebook:
    """What came of a run.

    Attributes:
        output: Where the executed copy is.
        dispatch_ids: The runs of its workflow, in order; empty if it failed before.
        error: Why it failed, by cell and line; empty if it did not.
    """

    output: Path
    dispatch_ids: tuple[str, ...]
    error: str = ""


def run_notebook(
    path: Path, *, parameters: Mapping[str, Any] | None = None, executor: str = "", output: Path | None = None
) -> ExecutedNotebook:
    """Run a notebook and save an executed copy.

    Args:
        path: The notebook.
        parameters: Values to assign instead of those in the notebook.
        executor: Where cells run that do not say it; empty for the configured one.
        output: Where the copy goes; None for `NAME.executed.ipynb` beside it.

    Raises:
        UsageError: It is no notebook in Python, a parameter is not assigned in it, or a cell cannot be a task.
        OSError: It cannot be read, or the copy not be written.
    """
    import nbformat  # heavy

    notebook = _read(path)
    output = output or path.with_suffix(".executed.ipynb")
    document = _Document(notebook, parameters or {}, executor)
    try:
        error = document.execute(path)
    except KeyboardInterrupt:
        _cancel(document.dispatch_ids)
        raise
    finally:
        nbformat.write(notebook, output)  # type: ignore[no-untyped-call]
    return ExecutedNotebook(output=output, dispatch_ids=document.dispatch_ids, error=error)


def _cancel(dispatch_ids: Sequence[str]) -> None:
    """End what a kernel began that is gone."""
    if is_covalent_running():
        for dispatch_id in dispatch_ids:
            cancel(dispatch_id)


def _read(path: Path) -> Any:
    import nbformat  # heavy

    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError) as error:
        raise UsageError(f"{path} is not a notebook: {str(error).partition(chr(10))[0]}") from error
    spec, info = notebook.metadata.get("kernelspec", {}), notebook.metadata.get("language_info", {})
    language = str(spec.get("language") or info.get("name") or "python")
    if language.lower() != "python":
        raise UsageError(f"{path} is in {language}; only notebooks in Python can run as workflows.")
    return notebook


class _Document:
    """A notebook on its way through a kernel."""

    def __init__(self, notebook: Any, parameters: Mapping[str, Any], executor: str) -> None:
        self._notebook = notebook
        self._executor = executor
        self._number = 0
        self._ended: tuple[str, ...] = ()
        filled = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        cells = [
            CodeCell(number=number, source=cell.source, is_parameters="parameters" in cell.metadata.get("tags", []))
            for number, cell in enumerate(filled, start=1)
        ]
        cells = with_parameters(cells, parameters)
        has_marks = any(is_marked(cell.source) for cell in cells)
        tasks = frozenset[int]() if has_marks else tasks_of(cells)
        if not has_marks and not tasks:
            raise UsageError("The notebook has nothing to run: its cells only import and define.")
        self._runs_itself = any(runs_workflow(cell.source) for cell in cells)
        self._cells = list(zip(filled, cells, strict=True))
        for target, cell in self._cells:
            target.source = cell.source  # with the parameters
        self._tasks = tasks

    @property
    def dispatch_ids(self) -> tuple[str, ...]:
        """Dispatches that the outputs mention."""
        texts = [
            output.get("data", {}).get("text/plain", "")
            for cell in self._notebook.cells
            if cell.cell_type == "code"
            for output in cell.outputs
        ]
        found = [match for text in texts for match in _DISPATCH.findall("".join(text))]
        return tuple(dict.fromkeys([*found, *self._ended]))

    def execute(self, path: Path) -> str:
        """Run the cells; returns why it failed, or an empty text."""
        from nbclient import NotebookClient  # heavy
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        folder = path.resolve().parent
        client = NotebookClient(self._notebook, timeout=None, resources={"metadata": {"path": str(folder)}})
        for cell in self._notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        try:
            with client.setup_kernel(env=_environment(path)):
                self._run_extra(client, _LOAD)
                for target, cell in self._cells:
                    self._run_cell(client, target, cell)
                if not self._runs_itself:
                    self._run_extra(client, self._with_executor("%covalent run"))
        except CellExecutionError as error:
            return self._reason(error)
        except DeadKernelError:
            _cancel(self.dispatch_ids)
            return f"cell [{self._number}]: the kernel died." if self._number else "The kernel died."
        return ""

    def _run_cell(self, client: Any, target: Any, cell: CodeCell) -> None:
        target.source = self._with_executor(cell.source)
        if cell.number in self._tasks:
            target.source = f"%%covalent task --whole\n{cell.source}"
        try:
            self._number = cell.number
            client.execute_cell(target, self._notebook.cells.index(target))
        finally:
            target.source = cell.source

    def _run_extra(self, client: Any, source: str) -> None:
        """Run a line that is no part of the notebook."""
        from nbformat.v4 import new_code_cell  # heavy

        extra = new_code_cell(source)  # type: ignore[no-untyped-call]
        self._number = 0
        self._notebook.cells.append(extra)
        try:
            client.execute_cell(extra, len(self._notebook.cells) - 1, store_history=False)
        finally:
            self._ended = self.dispatch_ids
            self._notebook.cells.remove(extra)

    def _with_executor(self, source: str) -> str:
        if not self._executor:
            return source
        return re.sub(r"^(\s*%covalent\s+run)\b", rf"\1 --executor {self._executor}", source, flags=re.MULTILINE)

    def _reason(self, error: Any) -> str:
        """By cell and line; the magics say that themselves."""
        text = f"{error.ename}: {error.evalue}"
        if error.ename in (TaskRuntimeError.__name__, UsageError.__name__) or not self._number:
            return str(error.evalue)
        lines = _LINE.findall(_COLOURS.sub("", error.traceback))
        where = f"cell [{self._number}]{f', line {lines[-1]}' if lines else ''}"
        return f"{where}: {text}"


def _environment(path: Path) -> dict[str, str]:
    """The kernel learns the notebook's name as it would from a Jupyter server."""
    return {**os.environ, "JPY_SESSION_NAME": str(path.resolve())}
