"""The persistence boundary: records that go in and come out, and the verbs.

Guarantees every implementation gives. `create` and `record` are atomic: all of it or nothing is there after a crash.
Sequence numbers rise by one with every transition, across all processes that share the store, in commit order: a
reader who has seen number n and reads all after it has missed nothing. Verbs are coroutines, may be called concurrently
from the dispatcher's loop, and never block it. A failing disk or database raises `StoreError`.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.transitions import FeedRecord

__all__ = [
    "Batch",
    "CachedResult",
    "DispatchRecord",
    "DispatchUpdate",
    "ListQuery",
    "NewDispatch",
    "NodeRecord",
    "NodeUpdate",
    "Page",
    "PayloadRow",
    "Request",
    "Store",
    "StoredPayload",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadRow:
    """A payload a dispatch refers to; `data` is None when it lies in a file."""

    dispatch_id: DispatchId
    ref: PayloadRef
    data: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPayload:
    """Where to read a payload: exactly one of the two is given."""

    data: bytes | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDispatch:
    """A dispatch as it is submitted.

    Attributes:
        graph: The graph as JSON text (UTF-8).
        total: Number of nodes that are not parameters.
        metadata: `executor`, `executor_data`, `workflow_executor`, … of the lattice.
        client: About the submitting process.
        autostart: Whether it is to run at once; a restarted dispatcher then starts it if nobody did.
        parent_id: The dispatch of which it is one node, None for a root.
        parent_node: That node.
        redispatched_from: The dispatch it repeats, if it does.
        reused: Nodes whose outcome it takes over from that dispatch, and their outputs. They, their streams and outputs
            are copied, so that nothing of the new dispatch depends on the old one.
        copied: Digests of further payloads to copy from that dispatch.
    """

    dispatch_id: DispatchId
    root_dispatch_id: DispatchId
    name: str
    doc: str
    source: str
    graph: bytes
    total: int
    inputs: PayloadRef | None
    lattice: PayloadRef | None
    metadata: Mapping[str, Any]
    client: Mapping[str, str]
    created_at: float
    autostart: bool
    payloads: Sequence[PayloadRow]
    owner: str
    lease_until: float
    parent_id: DispatchId | None = None
    parent_node: NodeId | None = None
    redispatched_from: DispatchId | None = None
    reused: Mapping[NodeId, PayloadRef] = field(default_factory=dict)
    copied: Collection[str] = ()

    def first_record(self) -> "DispatchRecord":
        """The dispatch as it stands before anything of it has run."""
        return DispatchRecord(
            dispatch_id=self.dispatch_id,
            root_dispatch_id=self.root_dispatch_id,
            name=self.name,
            doc=self.doc,
            source=self.source,
            state="NEW_OBJECT",
            error="",
            created_at=self.created_at,
            started_at=None,
            ended_at=None,
            total=self.total,
            completed=0,
            failed=0,
            cancelled=0,
            inputs=self.inputs,
            lattice=self.lattice,
            result=None,
            metadata=self.metadata,
            client=self.client,
            autostart=self.autostart,
            owner=self.owner,
            cancel_requested="",
            parent_id=self.parent_id,
            parent_node=self.parent_node,
            redispatched_from=self.redispatched_from,
        )

    def first_transition(self) -> FeedRecord:
        """That it is there, as the feed tells it."""
        extra = {"name": self.name, "total": self.total, "root_dispatch_id": self.root_dispatch_id}
        if self.parent_id is not None:
            extra["parent_dispatch_id"] = self.parent_id
        return FeedRecord(
            dispatch_id=self.dispatch_id,
            node_id=None,
            status="NEW_OBJECT",
            at=self.created_at,
            extra=extra,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUpdate:
    """The newest state of a node; None leaves a field as it is, except where the state implies otherwise.

    Attributes:
        sub_dispatch_id: The dispatch the node became; `output` is then the bundle it was made of, until it ends.
        reused_from: `dispatch:node` whose output it took over instead of running.
        usage: What its last attempt used, as `executor.base.Usage` says.
    """

    dispatch_id: DispatchId
    node_id: NodeId
    state: str
    attempt: int
    started_at: float | None = None
    ended_at: float | None = None
    error: str = ""
    output: PayloadRef | None = None
    stdout: str = ""
    stderr: str = ""
    traceback: str = ""
    sub_dispatch_id: DispatchId | None = None
    reused_from: str | None = None
    usage: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchUpdate:
    """The newest state and counters of a dispatch; `cancel_requested` None leaves it as it is."""

    dispatch_id: DispatchId
    state: str
    started_at: float | None
    ended_at: float | None
    error: str
    completed: int
    failed: int
    cancelled: int
    result: PayloadRef | None = None
    cancel_requested: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one dispatcher asks of the owner of a dispatch; kept with it, in case that owner is gone.

    Attributes:
        starts: Whether it is to start.
        cancel_requested: What is to be cancelled, as in `DispatchUpdate`; None for nothing.
    """

    dispatch_id: DispatchId
    starts: bool = False
    cancel_requested: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedResult:
    """The output of a call, kept for equal calls of later dispatches.

    Attributes:
        key: Digest of function, arguments, hooks and environment.
        dispatch_id: The dispatch that computed it; it may have been deleted since.
        node_id: Its node there.
        name: What users call the task.
        ref: The output.
        created_at: When it was computed, in POSIX seconds.
        used_at: When it was last computed or taken over.
        hits: How often it was taken over.
    """

    key: str
    dispatch_id: DispatchId
    node_id: NodeId
    name: str
    ref: PayloadRef
    created_at: float
    used_at: float
    hits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Everything one tick records.

    Attributes:
        tells_of_unbegun: Whether transitions that cancel nodes without an attempt stand for these nodes' updates.
        cache_hits: Keys of results that were taken over, and when.
    """

    transitions: Sequence[FeedRecord] = ()
    nodes: Sequence[NodeUpdate] = ()
    dispatches: Sequence[DispatchUpdate] = ()
    payloads: Sequence[PayloadRow] = ()
    handles: Sequence[tuple[DispatchId, NodeId, str]] = ()
    requests: Sequence[Request] = ()
    cached: Sequence[CachedResult] = ()
    cache_hits: Sequence[tuple[str, float]] = ()
    tells_of_unbegun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """A node that is not NEW_OBJECT."""

    node_id: NodeId
    state: str
    attempt: int
    started_at: float | None
    ended_at: float | None
    error: str
    output: PayloadRef | None
    has_stdout: bool
    has_stderr: bool
    handle: str = ""
    sub_dispatch_id: DispatchId | None = None
    reused_from: str | None = None
    usage: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRecord:
    """A dispatch as it stands."""

    dispatch_id: DispatchId
    root_dispatch_id: DispatchId
    name: str
    doc: str
    source: str
    state: str
    error: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    total: int
    completed: int
    failed: int
    cancelled: int
    inputs: PayloadRef | None
    lattice: PayloadRef | None
    result: PayloadRef | None
    metadata: Mapping[str, Any]
    client: Mapping[str, str]
    autostart: bool
    owner: str
    cancel_requested: str
    seq: int = 0
    parent_id: DispatchId | None = None
    parent_node: NodeId | None = None
    redispatched_from: DispatchId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which dispatches to list, and how. `statuses` empty means all; `search` looks in id and name.

    Attributes:
        parent: List the dispatches that nodes of this one became; None for roots.
        now: Time up to which unfinished dispatches have run, for the order by runtime; None puts them last.
    """

    search: str = ""
    statuses: Sequence[str] = ()
    sort: str = "created_at"
    direction: str = "desc"
    offset: int = 0
    count: int = 50
    parent: DispatchId | None = None
    now: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of the list; `counts` is the number of dispatches by status for the same search."""

    items: Sequence[DispatchRecord]
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    seq: int = 0


class Store(ABC):
    """See the module's docstring for the guarantees."""

    @abstractmethod
    async def open(self) -> None:
        """Connect, and bring the schema up to date.

        Raises:
            StoreError: The place cannot be written, or the schema is of a newer version.
        """

    @abstractmethod
    async def close(self) -> None:
        """Finish what was begun and disconnect. Safe to call twice."""

    @abstractmethod
    async def create(self, dispatch: NewDispatch, batch: Batch | None = None) -> int:
        """Record a new dispatch and its first transition, and in the same transaction what its first tick decided.

        Returns:
            Sequence number of the first transition, which those of the batch follow; 0 if the id is already there
            (then nothing changes).

        Raises:
            MissingLatticeRecordError: Something it takes over from another dispatch is not there any more.
        """

    @abstractmethod
    async def record(self, batch: Batch) -> int:
        """Record one tick; returns the sequence number of the batch's first transition."""

    @abstractmethod
    async def dispatch(self, dispatch_id: DispatchId) -> DispatchRecord | None:
        """One dispatch, None if unknown. Its `seq` is the newest number that it reflects."""

    @abstractmethod
    async def list_dispatches(self, query: ListQuery) -> Page:
        """Dispatches that match: roots, or parts of the one that the query names."""

    @abstractmethod
    async def total_runtime(self) -> float:
        """Seconds that all root dispatches which have ended took, added up."""

    @abstractmethod
    async def graph(self, dispatch_id: DispatchId) -> bytes | None:
        """The graph's JSON text as submitted."""

    @abstractmethod
    async def nodes(self, dispatch_id: DispatchId, node_id: NodeId | None = None) -> tuple[int, Sequence[NodeRecord]]:
        """Newest sequence number, and the nodes (or the one node) that are not NEW_OBJECT."""

    @abstractmethod
    async def streams(self, dispatch_id: DispatchId, node_id: NodeId) -> tuple[str, str, str]:
        """Recorded stdout, stderr and traceback of a node; empty if there are none."""

    @abstractmethod
    async def payload(self, dispatch_id: DispatchId, digest: str) -> StoredPayload | None:
        """Where a payload of this dispatch is; None if it has no such payload."""

    @abstractmethod
    async def payloads(
        self, dispatch_id: DispatchId, digests: Collection[str] | None = None
    ) -> Mapping[str, StoredPayload]:
        """Like `payload` for many digests at once (None: all); those the dispatch does not have are left out."""

    @abstractmethod
    async def cached(self, key: str) -> tuple[CachedResult, StoredPayload] | None:
        """The kept result of a key and where its payload is, None if there is none."""

    @abstractmethod
    async def list_cached(self, search: str, offset: int, count: int) -> tuple[Sequence[CachedResult], int]:
        """Kept results of tasks whose name contains `search`, last used first, and how many there are in all."""

    @abstractmethod
    async def purge_cached(self, keys: Collection[str] | None, used_before: float | None) -> int:
        """Drop kept results (None: all keys; not used since a time) and what only they refer to; returns how many."""

    @abstractmethod
    async def referenced(self, digests: Collection[str]) -> Collection[str]:
        """Those of these digests whose payload files any dispatch, or the cache of results, needs."""

    @abstractmethod
    async def transitions_after(self, seq: int, limit: int) -> Sequence[FeedRecord]:
        """At most `limit` transitions with higher numbers, in order."""

    @abstractmethod
    async def repeated(self, dispatch_id: DispatchId) -> Sequence[FeedRecord]:
        """Transitions of all nodes of a dispatch that took more than one attempt, in order."""

    @abstractmethod
    async def last_seq(self) -> int:
        """The newest sequence number, 0 if there is none."""

    @abstractmethod
    async def delete(self, dispatch_ids: Sequence[DispatchId], at: float) -> Sequence[FeedRecord]:
        """Remove root dispatches with all that their nodes became, and whatever only they refer to.

        Ids of parts do nothing.

        Returns:
            The tombstones of all that is gone, already committed.
        """

    @abstractmethod
    async def acquire(
        self, owner: str, *, protected: Sequence[str], gone: Sequence[str], now: float, lease_until: float
    ) -> Sequence[DispatchId]:
        """Take over unfinished dispatches whose owner is gone or whose lease lapsed; returns their ids.

        Args:
            owner: Who takes them.
            protected: Owners known to run: theirs are left alone, lapsed or not.
            gone: Owners known not to run any more: theirs are taken at once.
            now: Present time.
            lease_until: When the new lease lapses.
        """

    @abstractmethod
    async def renew(self, owner: str, lease_until: float) -> None:
        """Prolong the leases of everything this owner holds."""

    @abstractmethod
    async def release(self, owner: str) -> None:
        """Leave everything unfinished that this owner holds to whoever comes; its owner is empty then."""

    @abstractmethod
    async def owners(self) -> Sequence[str]:
        """Owners of unfinished dispatches."""
