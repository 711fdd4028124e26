"""Which dispatch and which task this code runs in."""

import os
from dataclasses import dataclass

from covalent_lab.kernel.current import current_task

__all__ = ["Context", "get_context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a task runs.

    Attributes:
        dispatch_id: Id of the dispatch, None outside a task.
        task_id: Id of the node, None outside a task.
    """

    dispatch_id: str | None = None
    task_id: int | None = None


def get_context() -> Context:
    """The dispatch and node of the running task; both None elsewhere.

    Looked up on every call: in the environment, which the worker sets for each task, or, in a task of the `kernel`
    executor, in the context of the running code.
    """
    in_kernel = current_task.get()
    if in_kernel is not None:
        return Context(dispatch_id=in_kernel[0], task_id=in_kernel[1])
    dispatch_id = os.environ.get("COVALENT_DISPATCH_ID")
    task_id = os.environ.get("COVALENT_TASK_ID", "")
    if not dispatch_id or not task_id.isdecimal():
        return Context()
    return Context(dispatch_id=dispatch_id, task_id=int(task_id))
