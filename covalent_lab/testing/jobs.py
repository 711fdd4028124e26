"""Jobs to give to an executor, and a way to wait for what they do: the tools of `executor_suite.py`.

Nothing here sleeps: a task that a test must find at a certain point calls a `Beacon`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from covalent_lab import payload
from covalent_lab.executor.base import Executor, JobHandle, JobSpec, JobStatus, Outcome, PayloadSource
from covalent_lab.ids import AttemptId, DispatchId, NodeId, PayloadRef, attempt_id
from covalent_lab.testing.fakes import FakeHost

__all__ = ["Beacon", "Running", "chained", "failure_message", "job", "output_of", "source", "started"]


def source(value: Any) -> PayloadSource:
    """A value as a job gets it when it is small."""
    found = payload.encode(value)
    return PayloadSource(ref=found.ref, data=found.tobytes())


def output_of(spec: JobSpec) -> PayloadSource:
    """The output of an earlier step, as an argument of `job`."""
    return PayloadSource(ref=PayloadRef("", 0), step=spec.attempt_id)


def chained(first: JobSpec, *later: JobSpec) -> JobSpec:
    """One job of several steps."""
    return replace(first, then=later)


def job(
    function: Callable[..., Any],
    *args: Any,
    node_id: int = 0,
    dispatch_id: str = "dispatch",
    kwargs: Mapping[str, Any] | None = None,
    **fields: Any,
) -> JobSpec:
    """A job that calls `function(*args, **kwargs)`; `fields` are other fields of `JobSpec`.

    An argument can be `output_of` another job, if both become steps of one.
    """
    dispatch, node = DispatchId(dispatch_id), NodeId(node_id)
    return JobSpec(
        attempt_id=attempt_id(dispatch, node, 1),
        dispatch_id=dispatch,
        node_id=node,
        attempt=1,
        name=getattr(function, "__name__", "task"),
        function=source(function),
        args=tuple(arg if isinstance(arg, PayloadSource) else source(arg) for arg in args),
        kwargs={name: source(value) for name, value in (kwargs or {}).items()},
        arg_nodes=[NodeId(1000 + index) for index in range(len(args))],
        kwarg_nodes={name: NodeId(2000 + index) for index, name in enumerate(kwargs or {})},
        **fields,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started executor and the host it reports to."""

    executor: Executor
    host: FakeHost

    async def submit(self, *specs: JobSpec) -> Sequence[JobHandle]:
        """Submit jobs."""
        return await self.executor.submit(specs)

    async def outcome(self, spec: JobSpec) -> Outcome:
        """Submit one job and wait for its end."""
        await self.submit(spec)
        return await self.host.finished(spec.attempt_id)

    async def value(self, spec: JobSpec) -> Any:
        """Submit one job and load its output."""
        outcome = await self.outcome(spec)
        assert outcome.status is JobStatus.COMPLETED, outcome
        return self.load(outcome)

    def load(self, outcome: Outcome) -> Any:
        """The value of an output, wherever it is."""
        assert outcome.output is not None
        if outcome.output.data is not None:
            return payload.decode(outcome.output.data)
        return payload.decode(payload.open_file(self.host.payload_path(outcome.output.ref.digest)))

    async def cancel(self, *specs: JobSpec) -> None:
        """Cancel jobs."""
        handles: dict[AttemptId, JobHandle] = {spec.attempt_id: {} for spec in specs}
        await self.executor.cancel_jobs(handles)


@contextlib.asynccontextmanager
async def started(executor: Executor, host: FakeHost) -> AsyncIterator[Running]:
    """A started executor, closed at the end."""
    await executor.start(host)
    try:
        yield Running(executor=executor, host=host)
    finally:
        await executor.close()


def failure_message(outcome: Outcome) -> str:
    """Why a job failed, through no fault of the user's code."""
    assert outcome.status is JobStatus.FAILED, outcome
    assert outcome.failure is not None
    assert not outcome.failure.is_user_error
    return outcome.failure.message


class Beacon:
    """A port that tasks connect to, so that a test knows what they do and when they are gone."""

    def __init__(self) -> None:
        self.port = 0
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._closed: asyncio.Queue[None] = asyncio.Queue()
        self._called = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._called.set()
        with contextlib.suppress(OSError):
            async for line in reader:
                self._said.put_nowait(line.strip())
        self._closed.put_nowait(None)

    async def word(self, timeout_s: float = 120.0) -> bytes:
        """The next line a task sends."""
        return await asyncio.wait_for(self._said.get(), timeout_s)

    async def called(self, timeout_s: float = 120.0) -> None:
        """Wait until somebody has connected, whatever they say."""
        await asyncio.wait_for(self._called.wait(), timeout_s)

    async def gone(self, timeout_s: float = 120.0) -> None:
        """Wait until one more connection has ended: no process holds it any longer."""
        await asyncio.wait_for(self._closed.get(), timeout_s)

    def answer(self) -> None:
        """Let the tasks that wait for a word go on."""
        for writer in self._writers:
            writer.write(b"go\n")
