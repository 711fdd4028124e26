"""Outcomes of jobs that did not end by themselves."""

from covalent_lab.executor.base import JobStatus, Outcome, TaskFailure

__all__ = ["failed", "lost"]


def failed(message: str, is_transient: bool = False) -> Outcome:
    """The outcome of a job that failed through no fault of its task."""
    failure = TaskFailure(message=message, is_user_error=False, is_transient=is_transient)
    return Outcome(status=JobStatus.FAILED, failure=failure)


def lost(message: str) -> Outcome:
    """The outcome of a job of which nobody knows."""
    failure = TaskFailure(message=message, is_user_error=False, is_transient=True)
    return Outcome(status=JobStatus.LOST, failure=failure)
