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
from covalent_lab.executor.health import Health
from covalent_lab.ids import AttemptId, DispatchId, NodeId, split_attempt
from covalent_lab.settings import Settings
from covalent_lab.store.blobs import BlobDir

__all__ = ["Load", "Runner", "StreamPart"]

_log = logging.getLogger(__name__)
_PRINTED_S = 3.0
_STOP_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What an executor has to do.

    Attributes:
        is_started: Whether it was needed so far, and could be started.
        trouble: Why it could not be started; empty if it was, or was not needed.
        is_outdated: Whether it still works with earlier settings, because it has jobs.
        queued: Jobs that it was given and that have not begun.
        running: Jobs that have begun and not ended.
    """

    is_started: bool = False
    trouble: str = ""
    is_outdated: bool = False
    queued: int = 0
    running: int = 0


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
        self.task: asyncio.Task[None] | None = None
        self.executor: Executor | None = None
        self.trouble = ""
        self.settled = asyncio.Event()  # it has an executor, or could not start one
        self.tries_again = False  # though there is no order
        self.live: dict[AttemptId, bool] = {}  # jobs and steps that the executor has; whether they have begun
        self.is_outdated = False

    def expect(self, spec: JobSpec) -> None:
        """The executor gets a job."""
        steps = [step.attempt_id for step in (spec, *spec.then)]
        self.live.update(dict.fromkeys(steps, False))
        if spec.then:
            self.then[steps[0]] = deque(steps[1:])

    def drop(self, spec: JobSpec) -> None:
        """The executor refused a job."""
        self.then.pop(spec.attempt_id, None)
        for step in (spec, *spec.then):
            self.live.pop(step.attempt_id, None)


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
        self._configured = dict(settings.executors)
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
        return await (await self._ready(name)).admit(line)

    async def check(self, name: str) -> Health:
        """Ask an executor how it is; it is started for that, also where that failed before.

        Raises:
            BackendError: It cannot be started.
            Exception: Whatever its `check` raises.
        """
        pump = self._pumps.get(name)
        if pump is not None and pump.executor is None and pump.settled.is_set():
            pump.settled.clear()
            pump.tries_again = True
            pump.wake.set()
        return await (await self._ready(name)).check()

    def load(self, name: str) -> Load:
        """What an executor has to do."""
        pump = self._pumps.get(name)
        if pump is None:
            return Load()
        waiting = sum(1 + len(order.then) for order in pump.orders if isinstance(order, JobSpec))
        running = sum(pump.live.values())
        return Load(
            is_started=pump.executor is not None,
            trouble=pump.trouble if pump.executor is None else "",
            is_outdated=pump.is_outdated,
            queued=waiting + len(pump.live) - running,
            running=running,
        )

    def configure(self, name: str, values: Mapping[str, Any]) -> None:
        """Change option values; an executor that runs starts anew with them as soon as it has no jobs."""
        self._configured[name] = values
        pump = self._pumps.get(name)
        if pump is not None:
            pump.is_outdated = pump.executor is not None
            pump.wake.set()

    async def _ready(self, name: str) -> Executor:
        pump = self._pump(name)
        await pump.settled.wait()
        if pump.executor is None:
            raise BackendError(f"Executor {name!r} cannot be used: {pump.trouble}")
        return pump.executor

    def dispatch_over(self, dispatch_id: DispatchId, *, is_deleted: bool) -> None:
        """Tell the executors that run."""
        for pump in self._pumps.values():
            if pump.executor is not None:
                pump.executor.dispatch_over(dispatch_id, is_deleted=is_deleted)

    async def close(self) -> None:
        """Stop all executors; errors are logged."""
        pumping = [pump.task for pump in self._pumps.values() if pump.task is not None]
        for task in pumping:
            task.cancel()
        if pumping:  # until then they may be in the middle of a verb
            await asyncio.wait(pumping, timeout=_STOP_S)
        for name, pump in self._pumps.items():
            await self._close(name, pump)
        self._pumps.clear()

    @staticmethod
    async def _close(name: str, pump: _Pump) -> None:
        executor, pump.executor = pump.executor, None
        if executor is not None:
            try:
                await executor.close()
            except asyncio.CancelledError:
                pump.executor = executor  # whoever stops the pump closes it
                raise
            except Exception:  # noqa: BLE001 - a backend's failure must not keep the others from closing
                _log.exception("executor %s failed to close", name)

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
            if pump.is_outdated and not pump.live:
                pump.is_outdated = False
                pump.settled.clear()
                await self._close(name, pump)
                pump.wake.set()
                continue
            watched, pump.watched = pump.watched, {}
            if watched:
                await self._watch(name, pump, watched)
            while pump.orders:
                orders, pump.orders = pump.orders, []
                await self._carry_out(name, pump, orders)

    async def _start(self, name: str, pump: _Pump) -> None:
        """Start the executor; while that fails, fail what is asked of it, and try again with the next order."""
        while pump.executor is None:
            values = self._configured.get(name, {})
            try:
                executor = self._create(name, values)
                try:
                    await executor.start(_Host(name, self._settings, self._blobs, self._report))
                except asyncio.CancelledError:
                    pump.executor = executor  # whoever stops the pump closes it
                    raise
                pump.executor = executor
                pump.settled.set()
                if self._configured.get(name, {}) != values:
                    pump.is_outdated = True
                    pump.wake.set()
            except Exception as error:  # noqa: BLE001 - a plugin's failure becomes the nodes' failure
                if not isinstance(error, LabError):
                    _log.exception("executor %s failed to start", name)
                message = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
                pump.trouble = message
                pump.settled.set()
                while not (pump.orders or pump.watched or pump.tries_again):
                    await pump.wake.wait()
                    pump.wake.clear()
                pump.tries_again = False
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
        pump.live.update(dict.fromkeys(handles, False))
        try:
            await pump.executor.watch(handles)
        except Exception as error:  # noqa: BLE001 - backend → event
            _log.exception("executor %s failed to watch", name)
            for attempt_id in handles:
                pump.live.pop(attempt_id, None)
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
        for spec in specs:
            pump.expect(spec)
        try:
            handles = await pump.executor.submit(specs)
            if len(handles) != len(specs):
                raise ValueError(f"it returned {len(handles)} handles for {len(specs)} jobs")
        except Exception as error:  # noqa: BLE001 - backend → event
            if not isinstance(error, LabError):
                _log.exception("executor %s failed to submit", name)
            for spec in specs:
                pump.drop(spec)
                self._fail(spec.attempt_id, f"Executor {name!r} refused the job: {error}")
            return
        for spec, handle in zip(specs, handles, strict=True):
            present = next((step.attempt_id for step in (spec, *spec.then) if step.attempt_id in pump.live), None)
            if present is not None:
                self._hold(pump, present, handle)
            elif pump.executor.jobs_survive:  # over already; its record has a handle as any other
                self._on_handle(spec.attempt_id, handle)

    def _hold(self, pump: _Pump, attempt_id: AttemptId, handle: JobHandle) -> None:
        """Keep the handle of a job for the step that it has come to."""
        pump.handles[attempt_id] = handle
        if pump.executor is not None and pump.executor.jobs_survive:
            self._on_handle(attempt_id, handle)

    async def _cancel(self, name: str, pump: _Pump, attempts: Sequence[AttemptId]) -> None:
        assert pump.executor is not None
        try:
            await pump.executor.cancel_jobs({a: pump.handles.get(a, {}) for a in attempts})
        except Exception:  # noqa: BLE001 - the job goes on, and its end will be told
            _log.exception("executor %s failed to cancel", name)

    def _report(self, name: str, update: JobUpdate) -> None:
        pump = self._pumps[name]
        if isinstance(update, JobIdentified):
            self._hold(pump, update.attempt_id, update.handle)
            return
        self._on_update(update)
        if isinstance(update, JobStarted):
            if update.attempt_id in pump.live:
                pump.live[update.attempt_id] = True
            return
        handle, steps = pump.handles.pop(update.attempt_id, None), pump.then.pop(update.attempt_id, None)
        pump.live.pop(update.attempt_id, None)
        if steps and update.outcome.status is JobStatus.COMPLETED:
            following = steps.popleft()
            if steps:
                pump.then[following] = steps
            if handle is not None:
                self._hold(pump, following, handle)
        else:
            for step in steps or ():  # never begun; whoever wants them submits them again
                pump.live.pop(step, None)
        if pump.is_outdated and not pump.live:
            pump.wake.set()

    def _fail(self, attempt_id: AttemptId, message: str) -> None:
        failure = TaskFailure(message=message, is_user_error=False)
        outcome = Outcome(status=JobStatus.FAILED, failure=failure, ended_at=time.time())
        self._on_update(JobFinished(attempt_id=attempt_id, outcome=outcome))
