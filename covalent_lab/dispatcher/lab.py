"""The door to a dispatcher that runs in a thread of its own.

Whoever holds a `Lab` (the server extension, or a client in the same process) may await its methods on any event loop:
each crosses to the dispatcher's loop and back. Answers are JSON-able, as the REST documentation describes them.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any, Self, TypeVar

from covalent_lab._version import __version__
from covalent_lab.dispatcher.announcer import HIDDEN
from covalent_lab.dispatcher.bootstrap import build
from covalent_lab.dispatcher.bundle import BundleReader
from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.dispatcher.executors import ExecutorDesk
from covalent_lab.dispatcher.intake import checked_id, read_dispatch
from covalent_lab.dispatcher.probe import TASK, not_begun, report, write_probe
from covalent_lab.dispatcher.queries import Queries
from covalent_lab.dispatcher.repeat import Repeat, copy_dispatch, read_repeat, with_reuse
from covalent_lab.errors import InternalError, MissingLatticeRecordError, PartOfDispatchError, StoreError
from covalent_lab.executor.base import Line
from covalent_lab.feed import wire
from covalent_lab.feed.feed import CAPACITY, Reset
from covalent_lab.feed.feed import Subscription as Queue
from covalent_lab.graph.model import Graph
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.states import DispatchState
from covalent_lab.settings import Settings
from covalent_lab.store.base import DispatchRecord, ListQuery, NewDispatch, StoredPayload
from covalent_lab.transitions import FeedRecord

__all__ = ["Lab", "Submission", "Subscription"]

_T = TypeVar("_T")
_Read = tuple[NewDispatch, Graph, Repeat | None]
_OPEN_TIMEOUT_S = 60.0
_CLOSE_TIMEOUT_S = 15.0
_SMALL = 16_384
_DELETED_AT_ONCE = 200


class Lab:
    """A running dispatcher. Make one with `Lab.open`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._dispatcher: Dispatcher | None = None
        self._queries: Queries | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._crossing = threading.Lock()
        self._is_over = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="covalent-dispatcher", daemon=True)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Start a dispatcher; returns when it accepts work.

        Raises:
            StoreError: Its folders or database cannot be used.
        """
        lab = cls(settings)
        lab._thread.start()
        if not lab._ready.wait(_OPEN_TIMEOUT_S):
            raise StoreError(f"The store {settings.database} did not open within {_OPEN_TIMEOUT_S:g} s.")
        if lab._failure is not None:
            raise lab._failure
        return lab

    def close(self) -> None:
        """Stop it; unfinished dispatches go on with the next one. Safe to call twice."""
        loop, dispatcher = self._loop, self._dispatcher
        if loop is None or dispatcher is None or not self._thread.is_alive():
            return
        with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
            loop.call_soon_threadsafe(dispatcher.stop)
        self._thread.join(_CLOSE_TIMEOUT_S)

    @property
    def unfinished(self) -> int:
        """How many dispatches it runs, or will run once somebody starts them."""
        return 0 if self._dispatcher is None else len(self._dispatcher.active)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - handed to whoever opens or uses the lab
            inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
            self._failure = inner
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._dispatcher = build(self.settings)
        self._queries = Queries(self._dispatcher)
        try:
            await self._dispatcher.run(self._ready.set)
        finally:
            with self._crossing:
                self._is_over = True
            await asyncio.sleep(0)  # what was asked until now has become a task, which is cancelled with all others

    async def _cross(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await on the dispatcher's loop what was asked for on this one."""
        with self._crossing:
            loop = self._loop
            future = None if loop is None or self._is_over else asyncio.run_coroutine_threadsafe(work, loop)
        if future is None:
            work.close()
            raise StoreError("The dispatcher has stopped. Restart the Jupyter server.") from self._failure
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if future.cancelled() and (task is None or not task.cancelling()):
                raise StoreError("The dispatcher stopped before it could answer. Restart the Jupyter server.") from None
            raise

    def _parts(self) -> tuple[Dispatcher, Queries]:
        if self._dispatcher is None or self._queries is None:
            raise InternalError("The lab was not opened.")
        return self._dispatcher, self._queries

    def _desk(self) -> ExecutorDesk:
        return ExecutorDesk(self._parts()[0])

    # --- asking

    async def status(self) -> dict[str, Any]:
        """How it is."""
        return await self._cross(self._parts()[1].status())

    async def list_dispatches(
        self,
        search: str = "",
        status: str = "",
        sort: str = "created_at",
        direction: str = "desc",
        offset: int = 0,
        count: int = 50,
        parent: str | None = None,
    ) -> dict[str, Any]:
        """Part of the list of root dispatches, or of those that nodes of `parent` became.

        `status` may be several, joined by commas.
        """
        query = ListQuery(
            search=search,
            statuses=tuple(filter(None, status.split(","))),
            sort=sort,
            direction=direction,
            offset=offset,
            count=count,
            parent=None if parent is None else DispatchId(parent),
            now=self._parts()[0].clock(),
        )
        return await self._cross(self._parts()[1].list_dispatches(query))

    async def overview(self) -> dict[str, Any]:
        """All root dispatches in figures: how many of which status, the newest, and the time they took."""
        return await self._cross(self._parts()[1].overview())

    async def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        """One dispatch; waits up to `wait_s` seconds for its end."""
        return await self._cross(self._parts()[1].detail(DispatchId(dispatch_id), wait_s))

    async def graph(self, dispatch_id: str) -> bytes:
        """Its graph as JSON text."""
        return await self._cross(self._parts()[1].graph(DispatchId(dispatch_id)))

    async def nodes(self, dispatch_id: str) -> dict[str, Any]:
        """States of its nodes."""
        return await self._cross(self._parts()[1].nodes(DispatchId(dispatch_id)))

    async def node(self, dispatch_id: str, node_id: int) -> dict[str, Any]:
        """Everything about one node."""
        return await self._cross(self._parts()[1].node(DispatchId(dispatch_id), NodeId(node_id)))

    async def stream(self, dispatch_id: str, node_id: int, name: str, offset: int = 0) -> dict[str, Any]:
        """Text a node printed."""
        return await self._cross(self._parts()[1].stream(DispatchId(dispatch_id), NodeId(node_id), name, offset))

    async def payload(self, dispatch_id: str, digest: str) -> StoredPayload:
        """Where a payload is."""
        return await self._cross(self._parts()[1].payload(DispatchId(dispatch_id), digest))

    async def preview(self, dispatch_id: str, digest: str) -> dict[str, Any]:
        """What can be shown of a payload."""
        return await self._cross(self._parts()[1].preview(DispatchId(dispatch_id), digest))

    async def export(self, dispatch_id: str, format: str) -> str:
        """A dispatch as text: `svg`, `mmd`, `dot`, `py` or `html`."""
        return await self._cross(self._parts()[1].export(DispatchId(dispatch_id), format))

    async def compare(self, left: str, right: str) -> dict[str, Any]:
        """Two dispatches side by side, see `exports.comparison`."""
        return await self._cross(self._parts()[1].compare(DispatchId(left), DispatchId(right)))

    async def cached_results(self, search: str = "", offset: int = 0, count: int = 50) -> dict[str, Any]:
        """Part of the list of results that equal calls take over."""
        return await self._cross(self._parts()[1].cached_results(search, offset, count))

    async def executors(self) -> dict[str, Any]:
        """The executors there are, with their settings and how much they have to do."""
        return await self._cross(self._desk().list())

    async def executor_health(self, name: str) -> dict[str, Any]:
        """How an executor is; it is started for that if need be."""
        return await self._cross(self._desk().health(name))

    # --- changing

    async def configure_executor(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings of an executor in the configuration file; see `ExecutorDesk.configure`."""
        return await self._cross(self._desk().configure(name, settings))

    async def test_executor(self, name: str, wait_s: float = 60.0) -> dict[str, Any]:
        """Let an executor run a small task, unless it says itself that it cannot; waits for the end so many seconds.

        Raises:
            UnknownExecutorError: There is none of this name.
        """
        health, _ = await self._cross(self._desk().check(name))
        if not health.is_usable:
            return not_begun(name, health.summary)
        submission = self.submission()
        for piece in await asyncio.to_thread(write_probe, name, health.trial):
            submission.feed(bytes(piece))
        detail, _ = await submission.finish_and_wait(wait_s)
        return report(name, detail, await self.node(detail["dispatch_id"], TASK))

    def submission(self) -> "Submission":
        """Begin to take in a bundle."""
        return Submission(self, *self._parts())

    async def redispatch(
        self, dispatch_id: str, new_id: str, *, reuse_previous_results: bool = False, start: bool = True
    ) -> tuple[str, bool]:
        """Run a stored dispatch again, with the same inputs.

        Args:
            dispatch_id: The dispatch to repeat.
            new_id: The id of the new one; a repeated request with the same id changes nothing.
            reuse_previous_results: Whether to take over what completed instead of running it again.
            start: Whether to start it at once.

        Returns:
            The new id, and False if it was there before.
        """
        dispatcher = self._parts()[0]

        async def work() -> bool:
            new, graph = await copy_dispatch(
                dispatcher.store,
                DispatchId(dispatch_id),
                checked_id(new_id),
                reuses=reuse_previous_results,
                autostart=start,
                owner=dispatcher.owner,
                lease_s=dispatcher.settings.lease_s,
                clock=dispatcher.clock,
            )
            return await dispatcher.submit(new, graph)

        return new_id, await self._cross(work())

    async def start(self, dispatch_id: str) -> dict[str, Any]:
        """Start a dispatch that was only registered."""
        dispatcher, queries = self._parts()
        await self._cross(dispatcher.start(DispatchId(dispatch_id)))
        record = await self._cross(queries.record(DispatchId(dispatch_id)))
        return {"dispatch_id": dispatch_id, "status": record.state}

    async def cancel(self, dispatch_id: str, task_ids: Sequence[int] | None = None) -> dict[str, Any]:
        """Ask for tasks, or the whole dispatch, to stop."""
        nodes = None if task_ids is None else frozenset(NodeId(n) for n in task_ids)
        await self._cross(self._parts()[0].cancel(DispatchId(dispatch_id), nodes))
        if task_ids is None:
            return {"message": f"Dispatch {dispatch_id} cancelled."}
        return {"message": f"Cancelled tasks {list(task_ids)} in dispatch {dispatch_id}."}

    async def notify(self, dispatch_id: str, node_id: int, body: Mapping[str, Any]) -> bool:
        """Tell an executor that its backend says a node's job is ready; False if none waits for that."""
        return await self._cross(self._parts()[0].notify(DispatchId(dispatch_id), NodeId(node_id), body))

    async def attach(self, executor: str, line: Line) -> Line:
        """Connect a process that does jobs of an executor; see `Executor.admit`.

        Args:
            executor: Its name.
            line: To the process; called in the dispatcher's thread.

        Returns:
            From the process; may be called in any thread.

        Raises:
            BackendError: The executor cannot be started, or takes no connections.
        """
        inward = await self._cross(self._parts()[0].attach(executor, line))
        loop = self._loop

        def from_process(message: bytes | None) -> None:
            if loop is not None:
                with contextlib.suppress(RuntimeError):  # it has ended
                    loop.call_soon_threadsafe(inward, message)

        return from_process

    async def delete(self, dispatch_ids: Sequence[str]) -> dict[str, Any]:
        """Delete dispatches that are over, with those that their nodes became.

        Raises:
            PartOfDispatchError: One of them is part of another, which is not to be deleted; nothing is deleted.
        """
        queries = self._parts()[1]
        missing: list[str] = []
        found: list[DispatchRecord] = []
        for dispatch_id in dict.fromkeys(dispatch_ids):
            try:
                record = await self._cross(queries.record(DispatchId(dispatch_id)))
            except MissingLatticeRecordError:
                missing.append(dispatch_id)
                continue
            if record.root_dispatch_id not in dispatch_ids:
                raise PartOfDispatchError(
                    f"Dispatch {dispatch_id} is part of dispatch {record.root_dispatch_id} and cannot be deleted "
                    "alone. Delete that one."
                )
            found.append(record)
        return {"missing": missing, **await self._delete(found)}

    async def delete_matching(self, search: str = "", statuses: Sequence[str] = ()) -> dict[str, Any]:
        """Delete the root dispatches that a list with this search and these statuses shows; unfinished ones stay."""
        found = await self._cross(self._parts()[1].matching(search, statuses))
        return {"missing": [], **await self._delete(found)}

    async def _delete(self, records: Sequence[DispatchRecord]) -> dict[str, Any]:
        over = [record.dispatch_id for record in records if DispatchState(record.state).is_terminal]
        dispatcher = self._parts()[0]
        gone: set[DispatchId] = set()
        for start in range(0, len(over), _DELETED_AT_ONCE):
            gone.update(await self._cross(dispatcher.delete(over[start : start + _DELETED_AT_ONCE])))
        return {
            "deleted": [name for name in over if name in gone],
            "active": [record.dispatch_id for record in records if not DispatchState(record.state).is_terminal],
        }

    async def purge_cached_results(
        self, keys: Sequence[str] | None = None, unused_s: float | None = None
    ) -> dict[str, Any]:
        """Drop cached results: those of some keys, or (None) all; with `unused_s` only if not used for so long."""
        dispatcher = self._parts()[0]
        before = None if unused_s is None else dispatcher.clock() - unused_s
        return {"purged": await self._cross(dispatcher.store.purge_cached(keys, before))}

    # --- following

    def subscribe(self, after: int | None = None) -> "Subscription":
        """Frames of the feed; see `Subscription`."""
        return Subscription(self, after)


class Submission:
    """A bundle on its way in: `feed` its bytes, then await a `finish…`; `abort` leaves nothing behind."""

    def __init__(self, lab: Lab, dispatcher: Dispatcher, queries: Queries) -> None:
        self._lab = lab
        self._dispatcher = dispatcher
        self._queries = queries
        self._reader = BundleReader(dispatcher.blobs, dispatcher.settings.inline_limit)
        self._size = 0

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            BadBundleError: They are not part of a bundle.
            StoreError: They cannot be stored.
        """
        self._size += len(chunk)
        self._reader.feed(chunk)

    async def finish(self, start: bool = True) -> tuple[str, bool]:
        """Record the dispatch; returns its id, and False if it was there before."""
        return await self._lab._cross(self._record(*await self._read(start)))

    async def finish_and_wait(self, wait_s: float, start: bool = True) -> tuple[dict[str, Any], bool]:
        """Like `finish`; returns, in place of the id, what `Lab.detail` says after so many seconds, or at the end."""
        return await self._lab._cross(self._record_and_wait(wait_s, *await self._read(start)))

    async def _read(self, start: bool) -> _Read:
        # A large graph holds up neither the caller's loop nor the dispatcher's.
        return self._read_here(start) if self._size <= _SMALL else await asyncio.to_thread(self._read_here, start)

    def _read_here(self, start: bool) -> _Read:
        header = self._reader.finish()
        new, graph = read_dispatch(
            header,
            self._reader.payloads,
            autostart=start,
            owner=self._dispatcher.owner,
            lease_s=self._dispatcher.settings.lease_s,
            clock=self._dispatcher.clock,
        )
        return new, graph, read_repeat(header)

    async def _record(self, new: NewDispatch, graph: Graph, repeat: Repeat | None) -> tuple[str, bool]:
        try:
            if repeat is not None:
                new = await with_reuse(self._dispatcher.store, new, graph, repeat)
            created = await self._dispatcher.submit(new, graph)
        finally:
            self._reader.abort()
        return new.dispatch_id, created

    async def _record_and_wait(self, wait_s: float, *read: *_Read) -> tuple[dict[str, Any], bool]:
        dispatch_id, created = await self._record(*read)
        return await self._queries.detail(DispatchId(dispatch_id), wait_s), created

    def abort(self) -> None:
        """Give up. Safe to call twice, and after `finish`."""
        self._reader.abort()


class Subscription:
    """Frames of the feed, as an asynchronous iterator that belongs to the loop which first iterates it.

    The first frame is a hello. With `after`, what was recorded since follows; if that is more than a reader may lie
    behind, a reset comes instead.
    """

    def __init__(self, lab: Lab, after: int | None) -> None:
        self._lab = lab
        self._after = after
        self._queue: Queue | None = None
        self._is_closed = False
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self._frames()

    def close(self) -> None:
        """End the iteration. Safe to call twice, from any thread."""
        self._is_closed = True
        if self._queue is not None:
            self._queue.close()
        self._ring()

    def _ring(self) -> None:
        if self._loop is not None and self._wake is not None:
            with contextlib.suppress(RuntimeError):  # the reader's loop has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    async def _frames(self) -> AsyncIterator[dict[str, Any]]:
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        now, missed = await self._lab._cross(self._begin())
        yield wire.hello_frame(now, __version__)
        if isinstance(missed, Reset):
            yield wire.reset_frame(missed)
        elif shown := _shown(missed):
            yield wire.transitions_frame(shown)
        queue = self._queue
        while queue is not None and not self._is_closed and not queue.is_closed:
            await self._wake.wait()
            self._wake.clear()
            reset, records = queue.take()
            if reset is not None:
                yield wire.reset_frame(reset)
            if shown := _shown(records):
                yield wire.transitions_frame(shown)

    async def _begin(self) -> tuple[int, Reset | Sequence[FeedRecord]]:
        dispatcher = self._lab._parts()[0]
        now, self._queue = dispatcher.feed.subscribe(self._ring)
        if self._is_closed:
            self._queue.close()
        after = self._after
        if after is None or after >= now:
            return now, ()
        if now - after > CAPACITY or after < 0:
            return now, Reset(now)
        missed = await dispatcher.store.transitions_after(after, now - after)
        return now, [record for record in missed if record.seq <= now]


def _shown(records: Sequence[FeedRecord]) -> Sequence[FeedRecord]:
    return [record for record in records if record.status not in HIDDEN]
