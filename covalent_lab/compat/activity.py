"""What is active here: the lattice that is being built, the dispatch that an executor works for."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from covalent_lab.errors import GraphBuildError
from covalent_lab.executor.classic_base import DispatchInfo, claim_dispatch, get_active_dispatch_info
from covalent_lab.workflow.lattice import Lattice
from covalent_lab.workflow.tracing import active_trace

__all__ = [
    "ActiveDispatchInfoManager",
    "ActiveLatticeManager",
    "active_dispatch_info_manager",
    "active_lattice_manager",
]

_lattice: ContextVar[Lattice[..., Any] | None] = ContextVar("covalent_lab_claimed_lattice", default=None)


class ActiveLatticeManager:
    """Tells which lattice is being built, in this thread and task."""

    def get_active_lattice(self) -> Lattice[..., Any] | None:
        """The lattice that is being built, else the one that was claimed, else None."""
        trace = active_trace()
        built = None if trace is None else trace.lattice
        return built if isinstance(built, Lattice) else _lattice.get()

    @contextmanager
    def claim(self, lattice: Lattice[..., Any]) -> Iterator[None]:
        """Have a lattice count as active inside the block; calls of electrons there are recorded by builds only.

        Raises:
            GraphBuildError: Another one is active.
        """
        active = self.get_active_lattice()
        if active is not None:
            raise GraphBuildError(
                f"The lattice {active.__name__!r} is active already; leave it before you claim another."
            )
        token = _lattice.set(lattice)
        try:
            yield
        finally:
            _lattice.reset(token)


class ActiveDispatchInfoManager:
    """Tells which dispatch the code of an executor works for, in this thread and task."""

    def get_active_dispatch_info(self) -> DispatchInfo | None:
        """The dispatch that was claimed; None outside such a block."""
        return get_active_dispatch_info()

    def claim(self, dispatch_info: DispatchInfo) -> AbstractContextManager[DispatchInfo]:
        """Have a dispatch count as active inside the block."""
        return claim_dispatch(dispatch_info)


active_lattice_manager = ActiveLatticeManager()
active_dispatch_info_manager = ActiveDispatchInfoManager()
