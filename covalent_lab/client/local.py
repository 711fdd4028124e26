"""A dispatcher in this process, for scripts and tests without a server. Its store is the one a server would use."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError
from queue import SimpleQueue
from typing import Any, TypeVar

from covalent_lab import payload
from covalent_lab.dispatcher.lab import Lab, Submission, Subscription
from covalent_lab.errors import StoreError
from covalent_lab.executor.base import Line
from covalent_lab.settings import Settings
from covalent_lab.worker import Buffer

__all__ = ["LocalConnection"]

_T = TypeVar("_T")
_STOPPED = "The dispatcher in this process has stopped."
_ANSWER_S = 1.0
_END_S = 30.0


class LocalConnection:
    """Runs a dispatcher in a thread; work that is unfinished at the process's end goes on with the next dispatcher.

    Args:
        settings: Where the store is.

    Raises:
        StoreError: The store cannot be opened.
    """

    url: str | None = None

    def __init__(self, settings: Settings) -> None:
        self._lab = Lab.open(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="covalent-client", daemon=True)
        self._thread.start()
        self._asking = threading.Lock()
        self._is_closed = False

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        with self._asking:
            future = None if self._is_closed else asyncio.run_coroutine_threadsafe(work, self._loop)
        if future is None:
            work.close()
            raise StoreError(_STOPPED)
        try:
            return future.result()
        except CancelledError:
            raise StoreError(_STOPPED) from None
        except BaseException:
            future.cancel()
            raise

    def submit(self, bundle: Sequence[Buffer], *, start: bool = True) -> str:
        return self._submit(bundle, lambda submission: submission.finish(start))

    def submit_and_wait(self, bundle: Sequence[Buffer], wait_s: float) -> dict[str, Any]:
        return self._submit(bundle, lambda submission: submission.finish_and_wait(wait_s))

    def _submit(
        self, bundle: Sequence[Buffer], finish: Callable[[Submission], Coroutine[Any, Any, tuple[_T, bool]]]
    ) -> _T:
        submission = self._lab.submission()
        try:
            for piece in bundle:
                submission.feed(bytes(piece) if isinstance(piece, bytearray) else piece)
            return self._wait(finish(submission))[0]
        except BaseException:
            submission.abort()
            raise

    def redispatch(
        self, dispatch_id: str, new_id: str, *, reuse_previous_results: bool = False, start: bool = True
    ) -> str:
        work = self._lab.redispatch(dispatch_id, new_id, reuse_previous_results=reuse_previous_results, start=start)
        return self._wait(work)[0]

    def start(self, dispatch_id: str) -> dict[str, Any]:
        return self._wait(self._lab.start(dispatch_id))

    def status(self) -> dict[str, Any]:
        return self._wait(self._lab.status())

    def list_dispatches(self, **query: Any) -> dict[str, Any]:
        return self._wait(self._lab.list_dispatches(**query))

    def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        return self._wait(self._lab.detail(dispatch_id, wait_s))

    def graph(self, dispatch_id: str) -> dict[str, Any]:
        graph: dict[str, Any] = json.loads(self._wait(self._lab.graph(dispatch_id)))
        return graph

    def nodes(self, dispatch_id: str) -> dict[str, Any]:
        return self._wait(self._lab.nodes(dispatch_id))

    def node(self, dispatch_id: str, node_id: int) -> dict[str, Any]:
        return self._wait(self._lab.node(dispatch_id, node_id))

    def stream(self, dispatch_id: str, node_id: int, name: str, offset: int = 0) -> dict[str, Any]:
        return self._wait(self._lab.stream(dispatch_id, node_id, name, offset))

    def payload(self, dispatch_id: str, digest: str) -> Buffer:
        stored = self._wait(self._lab.payload(dispatch_id, digest))
        if stored.data is not None:
            return stored.data
        assert stored.path is not None
        return payload.open_file(stored.path)

    def preview(self, dispatch_id: str, digest: str) -> dict[str, Any]:
        return self._wait(self._lab.preview(dispatch_id, digest))

    def export(self, dispatch_id: str, format: str) -> str:
        return self._wait(self._lab.export(dispatch_id, format))

    def compare(self, left: str, right: str) -> dict[str, Any]:
        return self._wait(self._lab.compare(left, right))

    def cancel(self, dispatch_id: str, task_ids: Sequence[int] | None = None) -> str:
        return str(self._wait(self._lab.cancel(dispatch_id, task_ids))["message"])

    def delete(self, dispatch_ids: Sequence[str]) -> dict[str, Any]:
        return self._wait(self._lab.delete(dispatch_ids))

    def cached_results(self, search: str = "", offset: int = 0, count: int = 50) -> dict[str, Any]:
        return self._wait(self._lab.cached_results(search, offset, count))

    def purge_cached_results(self, keys: Sequence[str] | None = None, unused_s: float | None = None) -> int:
        return int(self._wait(self._lab.purge_cached_results(keys, unused_s))["purged"])

    def executors(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._wait(self._lab.executors())["items"]
        return items

    def executor_health(self, name: str) -> dict[str, Any]:
        return self._wait(self._lab.executor_health(name))

    def test_executor(self, name: str, wait_s: float = 60.0) -> dict[str, Any]:
        return self._wait(self._lab.test_executor(name, wait_s))

    def subscribe(self, after: int | None = None) -> "_Frames":
        return _Frames(self._lab.subscribe(after))

    def attach(self) -> "_Channel":
        return _Channel(self._lab, self._wait)

    def lab_url(self, dispatch_id: str) -> str | None:
        return None

    def close(self) -> None:
        with self._asking:
            if self._is_closed:
                return
            self._is_closed = True
        self._lab.close()
        asyncio.run_coroutine_threadsafe(self._answer_all(), self._loop)
        self._thread.join(_END_S)
        if not self._thread.is_alive():
            self._loop.close()

    async def _answer_all(self) -> None:
        """End the loop; whoever still waits in another thread is answered before."""
        try:
            await asyncio.sleep(0)  # what was asked until now has become a task
            waiting = asyncio.all_tasks() - {asyncio.current_task()}
            if waiting:  # the lab has told most of them that it stops
                _, waiting = await asyncio.wait(waiting, timeout=_ANSWER_S)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            self._loop.stop()


class _Channel:
    """Messages to and from an executor of the dispatcher in this process."""

    def __init__(self, lab: Lab, wait: Callable[[Coroutine[Any, Any, Line]], Line]) -> None:
        self._inward: SimpleQueue[bytes | None] = SimpleQueue()
        self._outward = wait(lab.attach("kernel", self._inward.put))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inward.get, None)  # None is the end

    def send(self, message: bytes) -> None:
        self._outward(message)

    def close(self) -> None:
        self._outward(None)
        self._inward.put(None)


class _Frames:
    """Frames in the caller's thread, on an event loop of its own."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with asyncio.Runner() as runner:
            frames = aiter(self._subscription)
            while True:
                try:
                    yield runner.run(_next(frames))
                except StopAsyncIteration:
                    return

    def close(self) -> None:
        self._subscription.close()


async def _next(frames: Any) -> dict[str, Any]:
    frame: dict[str, Any] = await anext(frames)
    return frame
