"""Runs tasks in this process for a dispatcher, by messages.

Orders come in (`run`, `stop`, `print`, `taken`, `forget`), news go out (`hello`, `began`, `printed`, `ended`). An order
may come twice, as after a lost connection: a task is run once, and its end is told until the dispatcher says that it
has taken it.
"""

import io
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from covalent_lab import worker
from covalent_lab.kernel.current import current_task
from covalent_lab.kernel.identity import describe
from covalent_lab.kernel.mainthread import MainThread
from covalent_lab.kernel.messages import pack, unpack
from covalent_lab.kernel.running import Stoppable, Stopped
from covalent_lab.kernel.streams import Printed, capturing
from covalent_lab.kernel.table import NodeKey, ValueTable

__all__ = ["Station"]

_MAX_FUNCTIONS = 256


class _Around:
    """The surroundings of tasks that share a process: they find what is there, and nothing is put back."""

    def enter(self, job: Mapping[str, Any]) -> None:
        """Nothing to make."""

    def stand_in(self, function: Any) -> None:
        """The notebook is here itself."""

    def leave(self) -> None:
        """Nothing to put back."""


class _Functions:
    """Functions that were loaded, by digest: a function is loaded once, and the least recently used ones go."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str, archive: Any) -> Any:
        """The function of an archive."""
        with self._lock:
            if digest not in self._loaded:
                self._loaded[digest] = worker.load_archive(archive)
            self._loaded.move_to_end(digest)
            if len(self._loaded) > _MAX_FUNCTIONS:
                self._loaded.popitem(last=False)
            return self._loaded[digest]


class _Code:
    """What `worker.run_step` asks for the function of one job; modules stay as they are."""

    def __init__(self, functions: _Functions, digest: str, archive: Any) -> None:
        self.archives = {digest: archive}
        self._functions = functions

    def function(self, digest: str, _folder: str) -> Any:
        """The job's function."""
        return self._functions.get(digest, self.archives[digest])

    def restore(self, _modules: Mapping[str, Any]) -> bool:
        """Nothing to put back."""
        return False

    def leave(self, _folder: str) -> None:
        """Nothing to hide."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    order: dict[str, Any]
    body: bytes
    begun: float = field(default_factory=time.time)
    stoppable: Stoppable = field(default_factory=Stoppable)
    printed: Printed

    @property
    def node(self) -> NodeKey:
        """The node it is an attempt at."""
        return str(self.order["node"][0]), int(self.order["node"][1])


class Station:
    """Runs tasks in threads of this process, or in its main thread. Safe to use from several threads.

    Args:
        table: Values of this process.
        main: Work for the main thread.
        tell: Sends news; may lose them.
        name: What its user calls this process.
    """

    def __init__(self, table: ValueTable, main: MainThread, tell: Callable[[bytes], None], name: str = "") -> None:
        self.name = name
        self._table = table
        self._main = main
        self._tell = tell
        self._lock = threading.Lock()
        self._jobs: dict[str, _Job] = {}
        self._ends: dict[str, bytes] = {}
        self._functions = _Functions()

    def hello(self, has_files: bool) -> bytes:
        """The first message of a connection: who this is, its jobs, and if it sees the dispatcher's files."""
        with self._lock:
            jobs = [*self._jobs, *self._ends]
        return pack({"news": "hello", **describe(self.name), "jobs": jobs, "has_files": has_files})

    def handle(self, message: bytes) -> None:
        """Take an order.

        Raises:
            ValueError, KeyError: It is none.
        """
        order, body = unpack(message)
        verb = order["do"]
        if verb == "run":
            self._take(order, body)
        elif verb == "stop":
            self._stop(order["job"], float(order["grace_s"]))
        elif verb == "print":
            self._print(order)
        elif verb == "taken":
            with self._lock:
                self._ends.pop(order["job"], None)
        elif verb == "forget":
            self._table.forget([order["dispatch_id"]], only_copied=not order["is_deleted"])
        else:
            raise ValueError(f"unknown order {verb!r}")

    def repeat(self) -> None:
        """Tell again the ends that nobody has taken."""
        with self._lock:
            ends = list(self._ends.values())
        for end in ends:
            self._tell(end)

    def _take(self, order: dict[str, Any], body: bytes) -> None:
        job = _Job(order=order, body=body, printed=Printed(order["streams"]))
        with self._lock:
            if order["job"] in self._jobs or order["job"] in self._ends:
                return
            self._jobs[order["job"]] = job
        run = partial(self._run, job)
        if order["thread"] == "main":
            self._main.post(run)
        else:
            threading.Thread(target=run, name=f"covalent-task-{order['name']}", daemon=True).start()

    def _run(self, job: _Job) -> None:
        job.begun = time.time()
        ended: list[tuple[dict[str, Any], bytes]] = []
        token = current_task.set(job.node)
        with capturing(job.printed):
            if not job.stoppable.is_stopped:
                self._tell(pack({"news": "began", "job": job.order["job"], "at": job.begun}))
                job.stoppable.run(lambda: ended.append(self._step(job)))
        current_task.reset(token)
        if ended and not job.stoppable.is_stopped:
            self._end(job, *ended[0])
        else:
            self._end_stopped(job)

    def _step(self, job: _Job) -> tuple[dict[str, Any], bytes]:
        order, body = job.order, io.BytesIO(job.body)

        def take(where: int | str) -> Any:
            return where if isinstance(where, str) else bytearray(body.read(where))  # arrays are to be writable

        def argument(archive: Any, node: int, digest: str) -> Any:
            found = self._table.find((job.node[0], node), digest)
            return worker.load_archive(archive) if found is None else found[0]

        def keep(value: Any) -> list[worker.Buffer]:
            if job.stoppable.is_stopped:  # it came back to Python after it was given up
                raise Stopped
            return self._table.keep(job.node, order["name"], value)

        digest, where = order["function"]
        code: Any = _Code(self._functions, digest, take(where))
        nodes, named = order["arg_nodes"], order["kwarg_nodes"]
        args = [partial(argument, take(place), *node) for place, node in zip(order["args"], nodes, strict=True)]
        kwargs = {name: partial(argument, take(place), *named[name]) for name, place in order["kwargs"].items()}
        step = {**order, "args": args, "kwargs": kwargs, "folder": ""}
        around: Any = _Around()
        return worker.run_step(step, lambda load: load(), around, code, keep)

    def _stop(self, name: str, grace_s: float) -> None:
        with self._lock:
            job = self._jobs.get(name)
        if job is not None:
            job.stoppable.stop()
            timer = threading.Timer(grace_s, self._end_stopped, (job,))  # it may never come back to Python
            timer.daemon = True
            timer.start()

    def _print(self, order: Mapping[str, Any]) -> None:
        """Send part of what a job has printed so far."""
        with self._lock:
            job = self._jobs.get(order["job"])
        text = b"" if job is None else job.printed.texts()[order["stream"] == "stderr"]
        text = text[order["offset"] : order["offset"] + order["limit"]]
        self._tell(pack({"news": "printed", "job": order["job"], "question": order["question"]}, text))

    def _end_stopped(self, job: _Job) -> None:
        times = {"started": job.begun, "ended": time.time()}
        self._end(job, {"job": job.order["job"], "is_stopped": True, **times}, b"")

    def _end(self, job: _Job, reply: Mapping[str, Any], output: bytes) -> None:
        streams = job.printed.texts()
        job.printed.close()
        end = pack({"news": "ended", **reply, "body": [len(output), *map(len, streams)]}, output, *streams)
        with self._lock:
            if self._jobs.pop(job.order["job"], None) is None:
                return  # its end was told before
            self._ends[job.order["job"]] = end
        self._tell(end)
