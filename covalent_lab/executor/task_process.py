"""Where a task runs if its executor simply calls it: a process of the interpreter that submitted the dispatch.

What the task prints goes to the executor's `task_stdout` and `task_stderr`. The process ends with the dispatcher.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from covalent_lab import payload
from covalent_lab.errors import BackendError, TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.base import JobSpec
from covalent_lab.executor.classic_base import ClassicExecutor
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["TaskPlace", "TaskProcesses"]

_GRACE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlace:
    """Where and as what a task runs.

    Attributes:
        dispatch_id: Its dispatch.
        node_id: Its node.
        python: Interpreter; this one if it is not there.
        cwd: Working directory, from which modules can be imported; a temporary folder if it is not there.
        env: Environment variables on top of this process's.
    """

    dispatch_id: str
    node_id: int
    python: str = ""
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """That of a job: as near as can be to the process that submitted it."""
        return cls(
            dispatch_id=spec.dispatch_id,
            node_id=spec.node_id,
            python=spec.client.get("python", ""),
            cwd=spec.client.get("cwd", ""),
            env=spec.env,
        )


class TaskProcesses:
    """Processes of one job.

    Args:
        place: Where they run.
        executor: Gets what the task prints.
        folder: For temporary files.
    """

    def __init__(self, place: TaskPlace, executor: ClassicExecutor, folder: str) -> None:
        self._place = place
        self._executor = executor
        self._folder = folder
        self._running: set[int] = set()
        self._is_killed = False
        self._lock = threading.Lock()

    def run(self, call: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TransportableObject:
        """Run a task, given as what an executor's `run` gets; blocks.

        Raises:
            TaskRuntimeError: It raised; with its traceback.
            TaskCancelledError: It was stopped by `kill`.
            BackendError: Its process ended otherwise.
        """
        with tempfile.TemporaryDirectory(prefix="task-", dir=self._folder) as name:
            folder = Path(name)
            encoded = payload.encode((call, list(args), dict(kwargs)), what="a task's call")
            (folder / "call").write_bytes(encoded.tobytes())
            code, out, err = self._run_program(str(folder))
            self._executor.task_stdout.write(out)
            self._executor.task_stderr.write(err)
            if (output := folder / "output").exists():
                found: TransportableObject = TransportableObject.deserialize(output.read_bytes())
                return found
            if (failure := folder / "failure").exists():
                raise TaskRuntimeError(failure.read_text(encoding="utf-8"))
        if self._is_killed:
            raise TaskCancelledError("The task was stopped.")
        raise BackendError(f"The task's process ended with exit code {code} before the task returned; see its stderr.")

    def kill(self) -> bool:
        """Ask running processes to end, and kill them a little later; False if there is none. Later ones are killed."""
        with self._lock:
            self._is_killed = True
            running = list(self._running)
        for pid in running:
            _signal(pid, signal.SIGTERM)
            timer = threading.Timer(_GRACE_S, self._kill, (pid,))
            timer.daemon = True
            timer.start()
        return bool(running)

    def _kill(self, pid: int) -> None:
        with self._lock:  # a process that was waited for is not there any more; its number may be another's
            if pid in self._running:
                _signal(pid, signal.SIGKILL)

    def _run_program(self, folder: str) -> tuple[int, str, str]:
        place = self._place
        lifeline, held = os.pipe()
        try:
            with subprocess.Popen(
                [
                    place.python if os.access(place.python, os.X_OK) else sys.executable,
                    *("-m", "covalent_lab.executor.task_main", folder, str(lifeline)),
                ],
                cwd=place.cwd if os.path.isdir(place.cwd) else folder,
                env={
                    **os.environ,
                    **place.env,
                    "COVALENT_DISPATCH_ID": place.dispatch_id,
                    "COVALENT_TASK_ID": str(place.node_id),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[lifeline],
                start_new_session=True,
            ) as process:
                with self._lock:
                    self._running.add(process.pid)
                    is_late = self._is_killed
                if is_late:
                    self._kill(process.pid)
                out, err = process.communicate()
                with self._lock:
                    self._running.discard(process.pid)
        finally:
            os.close(lifeline)
            os.close(held)
        return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
