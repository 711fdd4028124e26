"""Which task the running code belongs to, where several run in one process and the environment cannot say it."""

from contextvars import ContextVar

__all__ = ["current_task"]

current_task: ContextVar[tuple[str, int] | None] = ContextVar("covalent_lab_task", default=None)
"""Dispatch and node of the task that this code runs in, None outside of such tasks."""
