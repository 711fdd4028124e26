"""The connection to one Dask scheduler: jobs go in as bytes, answers come out as bytes.

The only module that speaks to Dask for the executor; it knows keys and messages, not jobs.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from covalent_lab.errors import BackendError
from covalent_lab.ids import DispatchId
from covalent_lab_executors.dask_messages import programs, shipped

__all__ = ["TOPIC", "DaskLink", "LostError"]

TOPIC = "covalent_lab"
"""Of the events by which workers tell that a job began."""
_CONNECT_S = 10.0
_CALL_S = 30.0
_LEAVE_S = 5.0
_VALUE = "covalent-lab-"
_BYTES_ONLY = ("dask", "msgpack", "error")  # how answers may be encoded: pickles from the cluster are not loaded

_T = TypeVar("_T")


@dataclass(slots=True, kw_only=True)
class _Value:
    """A payload on the cluster, and the dispatches that may need it."""

    future: Any
    dispatches: set[DispatchId] = field(default_factory=set)


class LostError(Exception):
    """The scheduler knows no answer, and there will be none; the text says why."""


class DaskLink:
    """A client of one scheduler; made by `open`.

    Attributes:
        address: Of the scheduler.
        is_apart: Whether workers were seen that do not see the server's files.
    """

    def __init__(self, address: str, client: Any) -> None:
        self.address = address
        self.is_apart = False
        self._values: dict[str, _Value] = {}
        self._scattering = asyncio.Lock()
        self._calls: set[asyncio.Task[Any]] = set()
        self._client = client
        self._entry = shipped()
        self._programs = programs()
        digest = hashlib.sha256(b"".join(self._programs[name] for name in sorted(self._programs))).hexdigest()
        self._module = f"covalent_lab_on_dask_{digest[:16]}"

    @classmethod
    async def open(cls, address: str, on_began: Callable[[Mapping[str, Any]], None]) -> "DaskLink":
        """Connect.

        Args:
            address: Of the scheduler, as `tcp://host:port`.
            on_began: Called on the event loop whenever a worker begins a job: `job`, `key`, `worker`, `at`.

        Raises:
            BackendError: Nobody answers there, or nobody who speaks Dask's protocol; or certificates are missing.
        """
        from distributed import Client  # heavy

        client = Client(  # type: ignore[no-untyped-call]
            address,
            asynchronous=True,
            set_as_default=False,
            timeout=_CONNECT_S,
            name="covalent-lab",
            deserializers=_BYTES_ONLY,
        )
        try:
            async with asyncio.timeout(2 * _CONNECT_S):
                await client
        except asyncio.CancelledError:
            await _leave(client)
            raise
        except (OSError, TypeError, ValueError, TimeoutError, RuntimeError, ImportError) as error:
            await _leave(client)
            reason = str(error) or type(error).__name__
            if isinstance(error, TypeError):  # Dask says so where an address asks for certificates that nobody set
                raise BackendError(
                    f"The Dask scheduler at {address} wants TLS certificates: {reason} Set distributed.comm.tls of "
                    "Dask's configuration where the server runs."
                ) from error
            raise BackendError(
                f"The Dask scheduler at {address} does not answer: {reason}. See that it runs and that the address is "
                "right, or leave scheduler_address empty to use the cluster of `covalent-lab start`."
            ) from error
        client.subscribe_topic(TOPIC, lambda event: on_began(event[1]))  # type: ignore[no-untyped-call]
        return cls(address, client)

    @property
    def is_open(self) -> bool:
        """Whether the scheduler can be spoken to."""
        return bool(self._client.status == "running")

    @property
    def dashboard(self) -> str:
        """Address of the scheduler's dashboard; empty if it has none."""
        return str(self._client.dashboard_link or "")

    async def describe(self) -> Mapping[str, Any]:
        """What the scheduler says of itself: `workers`, `threads`, `memory` in bytes, `version`, `python`.

        Raises:
            BackendError: It does not answer.
        """
        try:
            async with asyncio.timeout(_CALL_S):
                identity = await self._call(self._client.scheduler.identity(n_workers=-1))
                versions = await self._call(self._client.scheduler.versions())
        except (OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise BackendError(f"The Dask scheduler at {self.address} does not answer: {reason}.") from error
        workers = identity["workers"].values()
        return {
            "workers": len(workers),
            "threads": sum(worker["nthreads"] for worker in workers),
            "memory": sum(worker["memory_limit"] or 0 for worker in workers),
            "version": str(versions["packages"].get("distributed") or ""),
            "python": ".".join(str(part) for part in versions["host"]["python"].split(".")[:3]),
            "cloudpickle": str(versions["packages"].get("cloudpickle") or ""),
        }

    async def values(self, paths: Mapping[str, str], dispatch_id: DispatchId) -> Sequence[Any]:
        """Futures of payloads as values of Dask, which stay on workers until `dispatch_over`.

        Args:
            paths: The files of these payloads, by digest. One that is on no worker is sent to one.
            dispatch_id: Who needs them.

        Raises:
            OSError, TimeoutError, ValueError: A file cannot be read, or no worker takes it.
        """
        async with self._scattering:
            found: dict[str, Any] = {}  # kept here as well: the dispatches of a value may end before all are there
            for digest, path in paths.items():
                if self._is_there(digest):
                    self._values[digest].dispatches.add(dispatch_id)
                    found[digest] = self._values[digest].future
                    continue
                name, data = f"{_VALUE}{digest}", await asyncio.to_thread(Path(path).read_bytes)
                futures = await self._call(self._client.scatter({name: data}, direct=False))
                self._values[digest] = _Value(future=futures[name], dispatches={dispatch_id})
                found[digest] = futures[name]
        return list(found.values())

    def adopt(self, digest: str, dispatch_id: DispatchId) -> None:
        """Let a value stay that a worker has kept."""
        if not self._is_there(digest):
            self._values[digest] = _Value(future=self._wanted(f"{_VALUE}{digest}"))
        self._values[digest].dispatches.add(dispatch_id)

    def dispatch_over(self, dispatch_id: DispatchId) -> None:
        """Let the scheduler give up the values that only this dispatch needed."""
        for digest, value in list(self._values.items()):
            value.dispatches.discard(dispatch_id)
            if not value.dispatches:
                del self._values[digest]

    def _is_there(self, digest: str) -> bool:
        value = self._values.get(digest)
        return value is not None and value.future.status == "finished"

    def _wanted(self, key: str) -> Any:
        from distributed import Future

        future: Any = Future(key, self._client)
        wish = {"op": "client-desires-keys", "keys": [key], "client": self._client.id}
        self._client._send_to_scheduler(wish)  # what get_dataset does, without loading a pickle
        return future

    def submit(
        self,
        key: str,
        order: bytes,
        *,
        values: Sequence[Any] = (),
        resources: Mapping[str, float] | None,
        priority: int,
    ) -> Any:
        """Start a job under a key; returns its future. The scheduler keeps the answer as long as the future is there.

        It runs where most of the `values` are.

        Raises:
            TypeError, ValueError: Resources or priority are not what Dask takes.
        """
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            return self._client.submit(
                self._entry,
                *(self._module, self._programs, "run", order, *values),
                key=key,
                pure=False,
                resources=dict(resources) if resources else None,
                priority=priority,
            )

    async def keep(self, key: str, future: Any) -> None:
        """Let the scheduler keep the answer until `forget`, whatever becomes of this process.

        Raises:
            LostError: The connection broke.
        """
        with self._breaking():
            await self._call(self._client.publish_dataset(future, name=key, override=True))

    async def find(self, key: str) -> Any:
        """The future of a job that was submitted earlier.

        Raises:
            LostError: The scheduler does not know it.
        """
        with self._breaking():
            if key in await self._call(self._client.list_datasets()):
                future = self._wanted(key)
                await self.keep(key, future)  # the scheduler has read the wish before, and keeps the job from now on
                if (await self._call(self._client.scheduler.get_task_status(keys=[key])))[key] is not None:
                    return future
                await self.forget(key)  # it was given up between the list and the wish
        raise LostError(f"the Dask scheduler at {self.address} does not know it any more")

    async def answer(self, future: Any) -> bytes:
        """Wait for the answer to a job.

        Raises:
            LostError: There will be none.
        """
        me = asyncio.current_task()
        try:
            await future.exception()  # returns at any end
            if future.status == "finished":
                with self._breaking():
                    return bytes(await self._call(self._client.gather(future, direct=False)))
        except asyncio.CancelledError:
            if me is not None and me.cancelling():
                raise
        if future.status == "error":
            raise LostError("the Dask worker that ran it was lost, or could not load it")
        raise LostError(f"the Dask scheduler at {self.address} gave it up; it may have been restarted")

    async def stop(self, order: bytes, worker: str = "") -> bool:
        """Send a message of `encode_stop` to one worker, or to all; returns whether something of it runs there."""
        return any(answer is True for answer in await self._tell("stop", order, worker))

    async def printed(self, order: bytes, worker: str = "") -> bytes:
        """Send a message of `encode_question` to one worker, or to all; empty if none knows."""
        answers = await self._tell("printed", order, worker)
        return next((answer for answer in answers if isinstance(answer, bytes) and answer), b"")

    async def collect(self, order: bytes, worker: str) -> bytes:
        """Send a message of `encode_collect` to a worker; empty if it has nothing to say."""
        answers = await self._tell("collect", order, worker)
        return next((answer for answer in answers if isinstance(answer, bytes)), b"")

    @property
    def threads(self) -> int:
        """How many tasks the cluster runs at a time, by what was last heard."""
        known = self._client.scheduler_info()
        return int(known.get("total_threads") or sum(worker["nthreads"] for worker in known["workers"].values()))

    async def _tell(self, verb: str, order: bytes, worker: str) -> Sequence[Any]:
        with contextlib.suppress(OSError, TimeoutError, ValueError):  # a worker that is gone runs nothing
            async with asyncio.timeout(_CALL_S):
                answers = await self._call(
                    self._client.run(
                        self._entry,
                        *(self._module, self._programs, verb, order),
                        workers=[worker] if worker else None,
                        on_error="return",
                    )
                )
                return list(answers.values())
        return ()

    async def drop(self, futures: Sequence[Any]) -> None:
        """Let the scheduler give up jobs, queued or running; what runs has to be stopped as well."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CALL_S):
                await self._client.cancel(list(futures), force=True)

    async def forget(self, key: str) -> None:
        """Let the scheduler give up the answer to a job."""
        with contextlib.suppress(OSError, TimeoutError, KeyError, ValueError):
            async with asyncio.timeout(_CALL_S):
                await self._call(self._client.unpublish_dataset(key))

    async def close(self) -> None:
        """Leave the scheduler; jobs go on."""
        try:
            if self._calls:
                await asyncio.wait(self._calls, timeout=_LEAVE_S)
        finally:
            await _leave(self._client)
        for call in (left := list(self._calls)):  # none of them is connecting any more
            call.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _call(self, asked: Coroutine[Any, Any, _T]) -> _T:
        """Await what is asked of the scheduler; it is said to the end also if whoever asked does not wait for it.

        A connection that is being made when its task is cancelled stays open, and nobody has it any more.
        """
        call = asyncio.ensure_future(asked)
        self._calls.add(call)
        call.add_done_callback(self._called)
        return await asyncio.shield(call)

    def _called(self, call: "asyncio.Task[Any]") -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # of those that nobody waits for any more

    @contextlib.contextmanager
    def _breaking(self) -> Iterator[None]:
        """A connection that breaks means that nobody knows what becomes of the job."""
        try:
            yield
        except OSError as error:
            raise LostError(f"the connection to the Dask scheduler at {self.address} broke: {error}") from error


async def _leave(client: Any) -> None:
    """Close a client in whatever state it is."""
    try:
        with contextlib.suppress(OSError, TimeoutError):
            await client.close()
    finally:
        client.status = "closed"  # one that closed half would begin again when it is collected, and never finish
