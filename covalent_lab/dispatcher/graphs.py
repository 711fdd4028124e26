"""Parsed graphs of dispatches that are being looked at: clicking through nodes parses a graph once."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.graph.model import Edge, Graph
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.ids import DispatchId
from covalent_lab.store.base import Store

__all__ = ["GraphCache"]

_KEEP = 4

_Parsed = tuple[Graph, Mapping[int, Sequence[Edge]]]


class GraphCache:
    """The last few graphs, with edges by target.

    Args:
        store: Where graphs come from.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: OrderedDict[DispatchId, _Parsed] = OrderedDict()

    async def get(self, dispatch_id: DispatchId) -> _Parsed:
        """A graph and its edges by target.

        Raises:
            MissingLatticeRecordError: No dispatch has this id.
        """
        parsed = self._parsed.get(dispatch_id)
        if parsed is None:
            text = await self._store.graph(dispatch_id)
            if text is None:
                raise MissingLatticeRecordError(dispatch_id)
            parsed = self._parsed[dispatch_id] = await asyncio.to_thread(_parse, text)
            while len(self._parsed) > _KEEP:
                self._parsed.popitem(last=False)
        self._parsed.move_to_end(dispatch_id)
        return parsed


def _parse(text: bytes) -> _Parsed:
    graph = graph_from_wire(json.loads(text))
    incoming: dict[int, list[Edge]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.target, []).append(edge)
    return graph, incoming
