"""Statuses as users see them."""

from enum import StrEnum

__all__ = ["Status"]


class Status(StrEnum):
    """Status of a dispatch or a node.

    Prints as, compares to and hashes like its text; only NEW_OBJECT is false.

    Example:
        >>> Status.COMPLETED == "COMPLETED", Status.is_terminal("RUNNING"), bool(Status.NEW_OBJECT)
        (True, False, False)
    """

    NEW_OBJECT = "NEW_OBJECT"
    STARTING = "STARTING"
    PENDING_REUSE = "PENDING_REUSE"
    PENDING_REPLACEMENT = "PENDING_REPLACEMENT"
    RUNNING = "RUNNING"
    DISPATCHING = "DISPATCHING"
    DISPATCHING_SUBLATTICE = "DISPATCHING"  # documented second name
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PENDING_POSTPROCESSING = "PENDING_POSTPROCESSING"
    POSTPROCESSING = "POSTPROCESSING"
    POSTPROCESSING_FAILED = "POSTPROCESSING_FAILED"

    def __bool__(self) -> bool:
        return self is not Status.NEW_OBJECT

    @staticmethod
    def is_terminal(status: "str | Status") -> bool:
        """Whether nothing can follow this status."""
        return str(status) in ("COMPLETED", "FAILED", "CANCELLED", "POSTPROCESSING_FAILED")
