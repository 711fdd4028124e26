"""One job of an executor with managed execution: its files, and `send`, `poll`, `receive`."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import JobSpec, JobStatus, Outcome, PayloadSource, TaskFailure
from covalent_lab.executor.classic import AsyncBaseExecutor
from covalent_lab.executor.classic_base import ClassicExecutor
from covalent_lab.executor.managed import ResourceMap, TaskSpec, TaskUpdate, local_path
from covalent_lab.executor.task import transportable
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["ManagedJob"]

_STATES = {"COMPLETED": JobStatus.COMPLETED, "FAILED": JobStatus.FAILED, "CANCELLED": JobStatus.CANCELLED}


class ManagedJob:
    """A group of one task.

    Args:
        spec: The job.
        instance: Its executor.
        work_dir: Below it are the files for the backend, unless the executor names another place.

    Raises:
        TypeError: The executor is not asynchronous.
    """

    def __init__(self, spec: JobSpec, instance: ClassicExecutor, work_dir: str) -> None:
        if not isinstance(instance, AsyncBaseExecutor):
            raise TypeError("managed execution needs a subclass of AsyncBaseExecutor")
        self._spec = spec
        self._instance = instance
        self._folder = Path(work_dir, "managed", spec.attempt_id.replace(":", "-"))
        node = int(spec.node_id)
        self._group = {"dispatch_id": str(spec.dispatch_id), "node_ids": [node], "task_group_id": node}

    async def send(self) -> Any:
        """Write the files, and start the job."""
        tasks, resources = await asyncio.to_thread(self._write)
        return await self._instance.send(tasks, resources, self._group)

    async def wait(self, data: Any, notified: Callable[[], Awaitable[Any]]) -> TaskUpdate:
        """Wait for the end of the job.

        Args:
            data: What `send` returned.
            notified: Waits for a notification of the backend.

        Raises:
            BackendError: The executor told nothing of the task.
        """
        instance, node = self._instance, int(self._spec.node_id)
        waits = False
        try:
            ready = await instance.poll(self._group, data)
        except NotImplementedError:
            waits = True
            ready = await notified()
        while True:
            updates = [TaskUpdate.of(given) for given in await instance.receive(self._group, ready)]
            for update in updates:
                if update.node_id == node and update.dispatch_id == str(self._spec.dispatch_id):
                    return update
            if not waits:
                raise BackendError(f"Its receive() told nothing of node {node}; return a TaskUpdate for it.")
            ready = await notified()  # this one was about other tasks

    def outcome(self, update: TaskUpdate) -> tuple[Outcome, TransportableObject | None]:
        """How the job ended, and its output if it has one; the files are removed.

        Raises:
            BackendError: What the job left cannot be read.
        """
        out, err = self._text(update, "stdout"), self._text(update, "stderr")
        output = None
        failure = None
        if update.status == "COMPLETED":
            data = self._asset(update, "output")
            if data is None:
                raise BackendError("Its receive() told of a completed task without the URI of its output.")
            output = TransportableObject.deserialize(data)
        elif update.status == "FAILED":
            lines = err.strip().splitlines()
            message = lines[-1] if lines else "The task failed; its executor gave no reason."
            failure = TaskFailure(message=message, is_user_error=True, traceback=err)
        shutil.rmtree(self._folder, ignore_errors=True)
        return Outcome(status=_STATES[update.status], stdout=out, stderr=err, failure=failure), output

    def _write(self) -> tuple[list[TaskSpec], ResourceMap]:
        spec, node = self._spec, int(self._spec.node_id)
        inputs: dict[int, PayloadSource] = dict(zip(map(int, spec.arg_nodes), spec.args, strict=True))
        inputs.update({int(spec.kwarg_nodes[name]): source for name, source in spec.kwargs.items()})
        task = TaskSpec(
            electron_id=node,
            args=[int(n) for n in spec.arg_nodes],
            kwargs={name: int(n) for name, n in spec.kwarg_nodes.items()},
        )
        resources = ResourceMap(
            functions={node: self._put(f"function-{node}.tobj", transportable(spec.function).serialize())},
            inputs={n: self._put(f"node-{n}.tobj", transportable(source).serialize()) for n, source in inputs.items()},
            hooks={node: self._put(f"hooks-{node}.json", json.dumps(dict(spec.hooks)).encode())},
        )
        return [task], resources

    def _put(self, key: str, data: bytes) -> str:
        uri = self._instance.get_upload_uri(self._group, key)
        path = local_path(uri) if uri else (self._folder / key).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return uri or path.as_uri()

    def _text(self, update: TaskUpdate, key: str) -> str:
        return (self._asset(update, key) or b"").decode("utf-8", "replace")

    @staticmethod
    def _asset(update: TaskUpdate, key: str) -> bytes | None:
        asset: Mapping[str, Any] = update.assets.get(key) or {}
        uri = asset.get("remote_uri")
        if not uri:
            return None
        try:
            return local_path(str(uri)).read_bytes()
        except OSError as error:
            raise BackendError(f"The {key} of the task cannot be read at {uri}: {error.strerror}.") from error
