"""How a store suite makes, opens and closes the store that it tests."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from covalent_lab.store.base import (
    Store,
)

__all__ = ["StoreHarness"]

_T = TypeVar("_T")


class StoreHarness(ABC):
    """Says what a subclass has to give."""

    @abstractmethod
    def make(self, folder: Path) -> Store:
        """A store that keeps everything in this folder; called twice for the same folder, it finds what is there."""

    def run(self, folder: Path, work: Callable[[Store], Coroutine[Any, Any, _T]]) -> _T:
        """Open a store, work with it, close it."""

        async def inside() -> _T:
            async with self.opened(folder) as store:
                return await work(store)

        return asyncio.run(inside())

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[Store]:
        """A store that is closed afterwards."""
        store = self.make(folder)
        await store.open()
        try:
            yield store
        finally:
            await store.close()
