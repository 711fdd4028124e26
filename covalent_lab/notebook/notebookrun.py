"""A dispatched notebook: follows the marked cells to their end and writes below each what came of it."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from covalent_lab.client.api import dispatch, get_result
from covalent_lab.client.connection import Connection
from covalent_lab.client.result import Result, rows_of
from covalent_lab.errors import TaskCancelledError, TaskRuntimeError
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.notebook.cards import FollowedCard
from covalent_lab.notebook.cellworkflow import CellWorkflow
from covalent_lab.notebook.following import NodeStreams, follow_dispatch, remote_traceback
from covalent_lab.notebook.report import Progress
from covalent_lab.notebook.screens import Screen
from covalent_lab.notebook.taskcells import MarkedCell

__all__ = ["NotebookRun"]

_REUSED = "unchanged: taken over from an earlier run"


class NotebookRun:
    """A submitted notebook.

    Args:
        workflow: What its cells are.
        cells: The places below them, in the same order.
        screen: Where the dispatch as a whole is shown.
        describe: The MIME bundle of a value, as the shell would show it.

    Raises:
        SerializationError: A value of the notebook cannot be pickled.
        LabError: It cannot be submitted.
    """

    def __init__(
        self,
        workflow: CellWorkflow,
        cells: Sequence[MarkedCell],
        screen: Screen,
        describe: Callable[[Any], Mapping[str, Any]],
    ) -> None:
        self._workflow = workflow
        self._cells = cells
        self._describe = describe
        self.dispatch_id = str(dispatch(workflow.lattice)(**workflow.inputs))
        self._streams = {place: NodeStreams(self.dispatch_id, node_id) for place, node_id in workflow.node_ids.items()}
        self._card = FollowedCard(screen)
        self._began = time.time()
        self.outcomes: dict[int, Any] = {}
        for cell in cells:
            cell.show(status="NEW_OBJECT", note="", elapsed_s=None, printed="", errors="", traceback="", shown=())

    def follow(self) -> None:
        """Wait for the end, showing what happens; afterwards `outcomes` has what the cells left, by place.

        An interrupt cancels the dispatch.

        Raises:
            TaskRuntimeError: A cell failed; its attribute `traceback` is the remote one.
            TaskCancelledError: It was cancelled elsewhere.
            KeyboardInterrupt: It was interrupted here.
        """
        detail = follow_dispatch(self.dispatch_id, self._show)
        if detail["status"] == "FAILED":
            raise self._failure(detail)
        if detail["status"] != "COMPLETED":
            raise TaskCancelledError(f"The run of the notebook was cancelled (dispatch {self.dispatch_id}).")

    def _show_progress(self, status: str, nodes: Mapping[str, Any]) -> None:
        """Tell how the dispatch as a whole stands."""
        progress = Progress(
            dispatch_id=self.dispatch_id,
            name=f"{self._workflow.lattice.__name__}, {len(self._cells)} cells",
            status=status,
            elapsed_s=time.time() - self._began,
        )
        # What a cell gave stands below it, and the dispatch has no other value.
        self._card.show(progress, nodes, is_delivered=status == "COMPLETED")

    def _show(self, connection: Connection, detail: Mapping[str, Any]) -> None:
        nodes = connection.nodes(self.dispatch_id)
        states = rows_of(nodes)
        result = None
        for place in self._workflow.plan.order:
            state, cell = states.get(self._workflow.node_ids[place]), self._cells[place]
            if state is None or cell.report.status in TERMINAL:
                continue
            if state["status"] == "COMPLETED":
                result = result or get_result(self.dispatch_id)
            self._show_cell(connection, place, state, result)
        self._show_progress(str(detail["status"]), nodes)

    def _show_cell(self, connection: Connection, place: int, state: Mapping[str, Any], result: Result | None) -> None:
        cell, node_id, status = self._cells[place], self._workflow.node_ids[place], str(state["status"])
        changes: dict[str, Any] = {"status": status}
        if state["started_at"] is not None:
            printed, errors = self._streams[place].read(connection, status)
            ended_at = time.time() if state["ended_at"] is None else state["ended_at"]
            changes |= {
                "printed": cell.report.printed + printed,
                "errors": cell.report.errors + errors,
                "elapsed_s": ended_at - state["started_at"],
            }
        if status == "COMPLETED" and result is not None:
            outcome = self.outcomes[place] = result.get_node_result(node_id)["output"].get_deserialized()
            changes |= {"shown": self._shown(outcome, cell), "note": _note(outcome, state)}
            if state["reused_from"]:
                changes["elapsed_s"] = None
        elif status == "FAILED":
            changes["traceback"] = remote_traceback(connection, self.dispatch_id, node_id) or str(state["error"])
        cell.show(**changes)

    def _shown(self, outcome: Any, cell: MarkedCell) -> tuple[Mapping[str, Any], ...]:
        """What a cell displayed, and its last value as the shell would show it."""
        shown = list(outcome.shown)
        is_figure = type(outcome.value).__module__.startswith("matplotlib.") and hasattr(outcome.value, "savefig")
        if cell.is_quiet:
            return tuple(shown)
        if outcome.text:
            shown.append({"text/plain": outcome.text})
        elif outcome.value is not None and not is_figure:
            shown.append(self._describe(outcome.value))
        return tuple(shown)

    def _failure(self, detail: Mapping[str, Any]) -> TaskRuntimeError:
        failed = next((cell for cell in self._cells if cell.report.status == "FAILED"), None)
        if failed is None:
            return TaskRuntimeError(str(detail["error"] or f"Dispatch {self.dispatch_id} failed."))
        trace, label = failed.report.traceback, failed.task.label
        lines = re.findall(rf'^ *File "{re.escape(failed.task.file)}", line (\d+)', trace, flags=re.MULTILINE)
        where = f"{label}, line {lines[-1]}" if lines else label
        reason = trace.rstrip().rpartition("\n")[2]
        error = TaskRuntimeError(f"{where}: {reason}")
        error.traceback = f"{trace.rstrip()}\n\nTaskRuntimeError: {error}"  # type: ignore[attr-defined]
        return error


def _note(outcome: Any, state: Mapping[str, Any]) -> str:
    gives = f"gives {', '.join(outcome.names)}" if outcome.names else ""
    lost = "; ".join(f"{name} is not brought back ({reason})" for name, reason in outcome.lost.items())
    return " · ".join(filter(None, (gives, lost, _REUSED if state["reused_from"] else "")))
