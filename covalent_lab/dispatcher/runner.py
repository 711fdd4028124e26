"""Commands → executor calls → events. Owns the running executors and one pump task for each.

A pump hands over submissions and cancels in the order in which they were asked for. Whatever an executor raises ends as
an event: a node never stays in flight because a backend failed.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from covalent_lab.errors import BackendError, LabError
from covalent_lab.executor import registry
from covalent_lab.executor.base import (
    Executor,
    JobFinished,
    JobHandle,
    JobIdentified,
    JobSpec,
    JobStarted,
    JobStatus,
    JobUpdate,
    Line,
    Outcome,
    TaskFailure,
)
from covalent_lab.ids import AttemptId, DispatchId, NodeId, split_attempt
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir

__all__ = ["Runner", "StreamPart"]

_log = logging.getLogger(__name__)
_PRINTED_S = 3.0


class _Host:
    """What one executor may ask of its dispatcher."""

    def __init__(self, name: str, settings: Settings, blobs: BlobDir, report: Callable[[str, JobUpdate], None]) -> None:
        self._name = name
        self._blobs = blobs
        self._report = report
        self._inline_limit = settings.inline_limit
        self._work_dir = settings.data_dir / "executors" / name

    @property
    def inline_limit(self) -> int:
        return self._inline_limit

    @cached_property
    def work_dir(self) -> str:
        self._work_dir.mkdir(parents=True, exist_ok=True)
        return str(self._work_dir)

    @cached_property
    def payload_dir(self) -> str:
        self._blobs.root.mkdir(parents=True, exist_ok=True)
        return str(self._blobs.root)

    def payload_path(self, digest: str) -> str:
        return str(self._blobs.path(digest))

    def report(self, update: JobUpdate) -> None:
        self._report(self._name, update)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPart:
    """Which part of what a task prints is asked for.

    Attributes:
        stream: `"stdout"` or `"stderr"`.
        offset: Bytes before it.
        limit: Its length at most.
    """

    stream: str
    offset: int
    limit: int


_Order = JobSpec | AttemptId
"""Submit a job; or, by its attempt, cancel one."""


class _Pump:
    """One executor and the orders that wait for it."""

    def __init__(self) -> None:
        self.orders: list[_Order] = []
        self.watched: dict[AttemptId, JobHandle] = {}
        self.wake = asyncio.Event()
        self.handles: dict[AttemptId, JobHandle] = {}
        self.then: dict[AttemptId, deque[AttemptId]] = {}  # of a job's present step: those after it
        self.ended: dict[AttemptId, bool] | None = None  # while jobs are submitted: whether those that ended go on
        self.task: asyncio.Task[None] | None = None
        self.executor: Executor | None = None
        self.trouble = ""
        self.settled = asyncio.Event()  # it has an executor, or could not start one


class Runner:
    """Runs jobs through executors.

    Args:
        settings: Options of executors, folders.
        blobs: Where large payloads are.
        on_update: Called on the loop for every update of a job.
        on_handle: Called on the loop when a job that survives restarts has a handle.
        create: Makes an executor of a name; replaced in tests.
    """

    def __init__(
        self,
        settings: Settings,
        blobs: BlobDir,
        on_update: Callable[[JobStarted | JobFinished], None],
        on_handle: Callable[[AttemptId, JobHandle], None],
        create: Callable[[str, Mapping[str, Any]], Executor] | None = None,
    ) -> None:
        self._settings = settings
        self._blobs = blobs
        self._on_update = on_update
        self._on_handle = on_handle
        self._create = create or partial(registry.create, fallbacks={"workdir": str(settings.workdir)})
        self._pumps: dict[str, _Pump] = {}
        self._group: asyncio.TaskGroup | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        """Run pumps in this task group."""
        self._group = group

    def warm_up(self, name: str) -> None:
        """Start an executor before it is needed."""
        self._pump(name)

    def submit(self, name: str, spec: JobSpec) -> None:
        """Hand a job to an executor, soon."""
        pump = self._pump(name)
        pump.orders.append(spec)
        pump.wake.set()

    def cancel(self, name: str, attempt_id: AttemptId) -> None:
        """Ask an executor to stop a job, soon."""
        pump = self._pump(name)
        pump.orders.append(attempt_id)
        pump.wake.set()

    def watch(self, name: str, handles: Mapping[AttemptId, JobHandle]) -> None:
        """Watch jobs of an earlier dispatcher again, soon."""
        pump = self._pump(name)
        pump.watched.update(handles)
        pump.wake.set()

    async def notify(self, name: str, dispatch_id: DispatchId, node_id: NodeId, body: Mapping[str, Any]) -> bool:
        """Pass on that a backend says a node's job is ready; False if nobody waits for that."""
        executor, attempt = self._at_work(name, dispatch_id, node_id)
        return executor is not None and attempt is not None and await executor.notify(attempt, body)

    async def printed(self, name: str, dispatch_id: DispatchId, node_id: NodeId, part: StreamPart) -> bytes | None:
        """What a node's job has printed so far, empty if its executor does not tell; None if there is no job here."""
        executor, attempt = self._at_work(name, dispatch_id, node_id)
        if executor is None or attempt is None:
            return None
        try:
            async with asyncio.timeout(_PRINTED_S):
                text = await executor.printed(attempt, part.stream, part.offset, part.limit)
        except Exception as error:  # noqa: BLE001 - the text is told at the end
            _log.info("executor %s cannot say what %s printed: %r", name, attempt, error)
            return b""
        return text[: part.limit]

    def _at_work(self, name: str, dispatch_id: DispatchId, node_id: NodeId) -> tuple[Executor | None, AttemptId | None]:
        """An executor, and the newest attempt at a node that it has."""
        pump = self._pumps.get(name)
        if pump is None:
            return None, None
        mine = [attempt for attempt in pump.handles if split_attempt(attempt)[:2] == (dispatch_id, node_id)]
        return pump.executor, mine[-1] if mine else None

    async def attach(self, name: str, line: Line) -> Line:
        """A process connects that does jobs of an executor; see `Executor.admit`.

        Raises:
            BackendError: The executor cannot be started, or takes no connections.
        """
        pump = self._pump(name)
        await pump.settled.wait()
        if pump.executor is None:
            raise BackendError(f"Executor {name!r} cannot be used: {pump.trouble}")
        return await pump.executor.admit(line)

    def dispatch_over(self, dispatch_id: DispatchId, *, is_deleted: bool) -> None:
        """Tell the executors that run."""
        for pump in self._pumps.values():
            if pump.executor is not None:
                pump.executor.dispatch_over(dispatch_id, is_deleted=is_deleted)

    async def close(self) -> None:
        """Stop all executors; errors are logged."""
        for name, pump in self._pumps.items():
            if pump.task is not None:
                pump.task.cancel()
            if pump.executor is not None:
                try:
                    await pump.executor.close()
                except Exception:  # noqa: BLE001 - a backend's failure must not keep the others from closing
                    _log.exception("executor %s failed to close", name)
        self._pumps.clear()

    def _pump(self, name: str) -> _Pump:
        pump = self._pumps.get(name)
        if pump is None:
            assert self._group is not None, "not started"
            pump = self._pumps[name] = _Pump()
            pump.task = self._group.create_task(self._run(name, pump), name=f"executor {name}")
        return pump

    async def _run(self, name: str, pump: _Pump) -> None:
        while True:
            await self._start(name, pump)
            await pump.wake.wait()
            pump.wake.clear()
            watched, pump.watched = pump.watched, {}
            if watched:
                await self._watch(name, pump, watched)
            while pump.orders:
                orders, pump.orders = pump.orders, []
                await self._carry_out(name, pump, orders)

    async def _start(self, name: str, pump: _Pump) -> None:
        """Start the executor; while that fails, fail what is asked of it, and try again with the next order."""
        while pump.executor is None:
            try:
                executor = self._create(name, self._settings.executors.get(name, {}))
                await executor.start(_Host(name, self._settings, self._blobs, self._report))
                pump.executor = executor
                pump.settled.set()
            except Exception as error:  # noqa: BLE001 - a plugin's failure becomes the nodes' failure
                if not isinstance(error, LabError):
                    _log.exception("executor %s failed to start", name)
                message = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
                pump.trouble = message
                pump.settled.set()
                while not (pump.orders or pump.watched):
                    await pump.wake.wait()
                    pump.wake.clear()
                orders, pump.orders = pump.orders, []
                for attempt_id in pump.watched:
                    self._fail(attempt_id, f"Executor {name!r} cannot be used: {message}")
                pump.watched = {}
                for order in orders:
                    attempt_id = order.attempt_id if isinstance(order, JobSpec) else order
                    self._fail(attempt_id, f"Executor {name!r} cannot be used: {message}")

    async def _watch(self, name: str, pump: _Pump, handles: Mapping[AttemptId, JobHandle]) -> None:
        assert pump.executor is not None
        pump.handles.update(handles)
        try:
            await pump.executor.watch(handles)
        except Exception as error:  # noqa: BLE001 - backend → event
            _log.exception("executor %s failed to watch", name)
            for attempt_id in handles:
                self._fail(attempt_id, f"Executor {name!r} lost track of the job: {type(error).__name__}: {error}")

    async def _carry_out(self, name: str, pump: _Pump, orders: Sequence[_Order]) -> None:
        """Submit and cancel in order, neighbours of one kind together."""
        index = 0
        while index < len(orders):
            specs: list[JobSpec] = []
            cancels: list[AttemptId] = []
            while index < len(orders):
                order = orders[index]
                if isinstance(order, JobSpec):
                    if cancels:
                        break
                    specs.append(order)
                else:
                    if specs:
                        break
                    cancels.append(order)
                index += 1
            if specs:
                await self._submit(name, pump, specs)
            if cancels:
                await self._cancel(name, pump, cancels)

    async def _submit(self, name: str, pump: _Pump, specs: Sequence[JobSpec]) -> None:
        assert pump.executor is not None
        ended: dict[AttemptId, bool] = {}
        pump.ended = ended
        try:
            handles = await pump.executor.submit(specs)
            if len(handles) != len(specs):
                raise ValueError(f"it returned {len(handles)} handles for {len(specs)} jobs")
        except Exception as error:  # noqa: BLE001 - backend → event
            if not isinstance(error, LabError):
                _log.exception("executor %s failed to submit", name)
            for spec in specs:
                self._fail(spec.attempt_id, f"Executor {name!r} refused the job: {error}")
            return
        finally:
            pump.ended = None
        for spec, handle in zip(specs, handles, strict=True):
            steps = deque(step.attempt_id for step in (spec, *spec.then) if step.attempt_id not in ended)
            if steps and all(ended.get(step.attempt_id, True) for step in (spec, *spec.then)):
                self._hold(pump, steps, handle)

    def _hold(self, pump: _Pump, steps: deque[AttemptId], handle: JobHandle) -> None:
        """Keep the handle of a job for the first of these steps."""
        assert pump.executor is not None
        first = steps.popleft()
        pump.handles[first] = handle
        if steps:
            pump.then[first] = steps
        if pump.executor.jobs_survive:
            self._on_handle(first, handle)

    async def _cancel(self, name: str, pump: _Pump, attempts: Sequence[AttemptId]) -> None:
        assert pump.executor is not None
        try:
            await pump.executor.cancel_jobs({a: pump.handles.get(a, {}) for a in attempts})
        except Exception:  # noqa: BLE001 - the job goes on, and its end will be told
            _log.exception("executor %s failed to cancel", name)

    def _report(self, name: str, update: JobUpdate) -> None:
        pump = self._pumps[name]
        if isinstance(update, JobIdentified):
            pump.handles[update.attempt_id] = update.handle
            if pump.executor is not None and pump.executor.jobs_survive:
                self._on_handle(update.attempt_id, update.handle)
            return
        self._on_update(update)
        if isinstance(update, JobFinished):
            if pump.ended is not None:
                pump.ended[update.attempt_id] = update.outcome.status is JobStatus.COMPLETED
            handle, steps = pump.handles.pop(update.attempt_id, None), pump.then.pop(update.attempt_id, None)
            if steps and handle is not None and update.outcome.status is JobStatus.COMPLETED:
                self._hold(pump, steps, handle)

    def _fail(self, attempt_id: AttemptId, message: str) -> None:
        failure = TaskFailure(message=message, is_user_error=False)
        outcome = Outcome(status=JobStatus.FAILED, failure=failure, ended_at=time.time())
        self._on_update(JobFinished(attempt_id=attempt_id, outcome=outcome))
